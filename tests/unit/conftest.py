"""Properties are tried on the same examples each time and leave no files behind."""

from hypothesis import settings

settings.register_profile("steady", database=None, derandomize=True, deadline=None)
settings.load_profile("steady")

"""Property tests use the same examples in every run, and write no files."""

from hypothesis import settings

settings.register_profile("steady", database=None, derandomize=True, deadline=None)
settings.load_profile("steady")

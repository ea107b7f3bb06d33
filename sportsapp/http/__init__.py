"""Around every request: ``headers``, ``limits`` per visitor, ``page_cache`` of the score pages.

``redirects`` checks the addresses that forms lead back to.
"""

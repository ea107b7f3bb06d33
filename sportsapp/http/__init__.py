"""Around every request: headers, limits per visitor, and the cache of the score pages."""

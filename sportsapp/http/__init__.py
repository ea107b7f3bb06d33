"""What every address has in common: headers, limits, the page cache."""

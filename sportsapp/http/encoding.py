"""Brotli or gzip, whichever the visitor takes: bytes that are compressed once and sent often."""

import gzip
from functools import lru_cache

import brotli
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

HEADER_LIMIT = 1024
"""The longest Accept-Encoding that is looked at, in characters."""
FOR_A_PAGE = {"br": 5, "gzip": 6}
"""How hard each tries, in the order of preference. At these brotli is a tenth smaller, as fast."""
NOT_AT_ALL: dict[str, int] = {}
"""For a picture, which is compressed already."""
FOR_GOOD = {"br": 11, "gzip": 9}
"""The same for what is compressed once and sent often: a hundredth of a second for a file."""


class Body:
    """A body as it is, and compressed in each way in which it was sent so far.

    ``levels`` is how hard by the name of the encoding; one that it lacks is not used.
    """

    def __init__(self, data: bytes, levels: dict[str, int] = FOR_A_PAGE) -> None:
        self.data = data
        self._levels = levels
        self._compressed: dict[str, bytes] = {}

    def encoded(self, accepted: str) -> tuple[bytes, str]:
        """The bytes for this Accept-Encoding and their encoding: ``br``, ``gzip`` or empty."""
        name = _encoding_for(accepted) if len(accepted) <= HEADER_LIMIT else ""
        if name not in self._levels:
            return self.data, ""
        if name not in self._compressed:  # two threads may both do it: the bytes are the same
            self._compressed[name] = _compress(self.data, name, self._levels[name])
        smaller = self._compressed[name]
        return (smaller, name) if len(smaller) < len(self.data) else (self.data, "")


@lru_cache(maxsize=256)
def _encoding_for(accepted: str) -> str:
    """The first of our encodings that this Accept-Encoding allows; empty for none."""
    allowed = parse_accept_header(accepted, Accept)
    return next((name for name in FOR_A_PAGE if allowed.quality(name) > 0), "")


def _compress(data: bytes, name: str, level: int) -> bytes:
    if name == "br":
        compressed: bytes = brotli.compress(data, quality=level)
        return compressed
    return gzip.compress(data, level, mtime=0)

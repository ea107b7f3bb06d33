"""Chance that falls the same way every time, in every process.

All that is made up in the demo (schedules, scores, names) is drawn here, from a digest of what
it is for. Python's own `hash()` differs from process to process and is never used.
"""

import hashlib
from random import Random


def seeded(*key: object) -> Random:
    """Return a generator that gives the same draws for the same key."""
    text = "/".join(map(str, key))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return Random(int.from_bytes(digest))  # noqa: S311  a game's chance, not a secret


def share(*key: object) -> float:
    """Return one number from 0 up to 1 for the key, cheaper than a generator."""
    text = "/".join(map(str, key))
    digest = hashlib.blake2b(text.encode(), digest_size=6).digest()
    return float(int.from_bytes(digest) / 2**48)


def weighted(draw: float, chances: tuple[tuple[int, float], ...]) -> int:
    """Return the value of the first chance that covers the draw; the last one takes the rest."""
    for value, chance in chances:
        if draw < chance:
            return value
        draw -= chance
    return chances[-1][0]

"""What goes over the broker: JSON with tags for what JSON lacks, never pickle."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from huey.api import Error
from huey.registry import Message
from huey.serializer import Serializer
from huey.utils import SKIPPED


class TaggedJson(Serializer):  # type: ignore[misc]  # Huey has no types
    """JSON that keeps datetimes, tuples and Huey's own records; refuses anything else.

    A value that JSON lacks is an object with one key that begins with ``!``.
    """

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(encode(data), separators=(",", ":")).encode()

    def _deserialize(self, data: bytes) -> Any:
        return decode(json.loads(data))


def encode(value: Any) -> Any:
    """A value as JSON can hold it. Raises TypeError for one that cannot go into a message."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)  # plain text, whatever kind of text it is
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return _finite(value)
    if isinstance(value, Message):
        return {"!message": {name: encode(part) for name, part in value._asdict().items()}}
    if isinstance(value, Error):
        return {"!error": encode(value.metadata)}
    if value is SKIPPED:
        return {"!skipped": True}
    for kind, tag in ((datetime, "!datetime"), (date, "!date")):
        if isinstance(value, kind):
            return {tag: value.isoformat()}
    if isinstance(value, timedelta):
        return {"!seconds": value.total_seconds()}
    if isinstance(value, list):
        return [encode(part) for part in value]
    if isinstance(value, tuple):
        return {"!tuple": [encode(part) for part in value]}
    if isinstance(value, dict):
        return _encode_dict(value)
    raise TypeError(
        f"{type(value).__name__} cannot go into a message: use text, numbers, lists, dicts or dates"
    )


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise TypeError(f"{value} cannot go into a message")
    return value


def _encode_dict(value: dict[Any, Any]) -> Any:
    if not all(isinstance(key, str) for key in value):
        raise TypeError("a dict in a message needs text as keys")
    encoded = {key: encode(part) for key, part in value.items()}
    if any(key.startswith("!") for key in value):
        return {"!dict": encoded}
    return encoded


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "!message": lambda v: Message(**{name: decode(part) for name, part in v.items()}),
    "!error": lambda v: Error(decode(v)),
    "!skipped": lambda _: SKIPPED,
    "!datetime": datetime.fromisoformat,
    "!date": date.fromisoformat,
    "!seconds": lambda v: timedelta(seconds=v),
    "!tuple": lambda v: tuple(decode(part) for part in v),
    "!dict": lambda v: {key: decode(part) for key, part in v.items()},
}


def decode(value: Any) -> Any:
    """What ``encode`` was given. Raises whatever a forged document makes of it."""
    if isinstance(value, list):
        return [decode(part) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        tag, inner = next(iter(value.items()))
        if tag in _DECODERS:
            return _DECODERS[tag](inner)
    return {key: decode(part) for key, part in value.items()}

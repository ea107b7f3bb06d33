"""What goes over the broker: JSON with tags for what JSON lacks, never pickle.

A message is an object with ``task``, Huey's own Message, and ``attempt``. Results are tagged JSON
as well. Whoever can write to the broker can write messages: nothing in one is trusted before
``read_message`` has checked it.
"""

import json
import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import msgspec
from huey.api import Error
from huey.registry import Message
from huey.serializer import Serializer
from huey.utils import SKIPPED
from msgspec import Meta, Struct

YEARS = range(2000, 2100)
MESSAGE_LIMIT = 1_000_000
"""Bytes."""
Count = Annotated[float, Meta(ge=0, lt=1_000_000)] | None


class TaskFields(Struct):
    """What a message carries of a task, and which values are sound there.

    What is to follow a run is in the ledger alone.
    """

    id: Annotated[str, Meta(pattern=r"^[ -~]{1,200}\Z")]  # it is logged, and a key in the database
    args: list[Any]
    kwargs: dict[str, Any]
    eta: datetime | None
    retries: Count
    retry_delay: Count
    retry_backoff: Count
    priority: Count
    expires: Any
    expires_resolved: datetime | None
    timeout: float | None


FIELD_NAMES = TaskFields.__struct_fields__


class Envelope(Struct):
    """A whole message: Huey's Message as tagged JSON, and the attempts made before it."""

    attempt: Annotated[int, Meta(ge=0, lt=1_000_000)]
    task: Any


# ---------------------------------------------------------------- messages


def write_message(path: str, task: Any) -> bytes:
    """The message of a task, whose class is registered under ``path``.

    Raises TypeError for an argument that cannot go into a message.
    """
    message = Message(name=path, **{field: getattr(task, field) for field in FIELD_NAMES})
    try:
        return msgspec.json.encode(Envelope(task.attempt, encode(message)))
    except UnicodeEncodeError as error:
        raise TypeError(f"text that is not Unicode cannot go into a message: {error}") from None


def read_message(data: bytes) -> tuple[str, dict[str, Any], int]:
    """A message taken apart: the task's path, its fields (those of TaskFields) and its attempt.

    Raises ValueError or TypeError for what is no message of ours, and whatever else a forged
    document can cause, RecursionError included.
    """
    if len(data) > MESSAGE_LIMIT:
        raise ValueError(f"{len(data):,} bytes are more than a message may have")
    envelope = msgspec.json.decode(data, type=Envelope)
    message = decode(envelope.task)
    if not isinstance(message, Message):
        raise TypeError("this is not a task message")
    if (message.on_complete, message.on_error, message.chord_config) != (None, None, None):
        raise ValueError("a message carries no followers of a run")
    fields = {name: getattr(message, name) for name in FIELD_NAMES}
    # a check only: the values stay as they were decoded, and text does not pass for a datetime
    msgspec.convert(fields, TaskFields, builtin_types=(datetime,))
    moments = (message.eta, message.expires_resolved)
    if any(moment and (moment.tzinfo or moment.year not in YEARS) for moment in moments):
        raise ValueError("a moment of a message is a UTC time of this century, without a zone")
    return message.name, fields, envelope.attempt


def run_id_of(data: bytes) -> str | None:
    """The run id in a message; None for a message that cannot be read."""
    try:
        run_id = json.loads(data)["task"]["!message"]["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return run_id if isinstance(run_id, str) else None


# ---------------------------------------------------------------- tagged JSON


class TaggedJson(Serializer):
    """Huey's serializer for results: JSON that keeps dates, tuples and Huey's own records.

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
        return str.__str__(value)  # plain text also of a subclass: Markup, StrEnum
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise TypeError(f"{value} cannot go into a message")
        return value
    if isinstance(value, Message):
        return {"!message": {name: encode(part) for name, part in value._asdict().items()}}
    if isinstance(value, Error):
        return {"!error": encode(value.metadata)}
    if value is SKIPPED:
        return {"!skipped": True}
    if isinstance(value, date):
        return {"!datetime" if isinstance(value, datetime) else "!date": value.isoformat()}
    if isinstance(value, timedelta):
        return {"!seconds": value.total_seconds()}
    if isinstance(value, list):
        return [encode(part) for part in value]
    if isinstance(value, tuple):
        return {"!tuple": [encode(part) for part in value]}
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("a dict in a message needs text as keys")
        encoded = {key: encode(part) for key, part in value.items()}
        return {"!dict": encoded} if any(key.startswith("!") for key in value) else encoded
    raise TypeError(
        f"{type(value).__name__} cannot go into a message: use text, numbers, lists, dicts or dates"
    )


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
    """What ``encode`` was given. Raises ValueError, TypeError or AttributeError for a forgery."""
    if isinstance(value, list):
        return [decode(part) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        tag, inner = next(iter(value.items()))
        if tag in _DECODERS:
            return _DECODERS[tag](inner)
    return {key: decode(part) for key, part in value.items()}

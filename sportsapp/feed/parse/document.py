"""Decoding a document of the feed, row by row, and cleaning the values in it."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, UnsetType

from sportsapp.core.errors import PayloadError
from sportsapp.feed.shapes import IdShape

T = TypeVar("T")

# What decoding a hostile or broken document can raise; UnicodeError is a ValueError.
UNREADABLE = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)

TEXT_LIMIT = 300
SCORE_LIMIT = 9_999
# Two to four times the largest that was ever seen: a month of baseball has 600,000 commas and 465
# events, the largest event has 63,000 bytes. The largest lists of teams are requested as 1,000.
VALUES_LIMIT = 1_500_000
ROWS_LIMIT = 1_000
ROW_BYTES_LIMIT = 250_000
LINES_LIMIT = 50
# Years in which a game can be; a date at the end of time would break every sum made with it.
YEARS = range(1850, 2200)
BAD_PARTS_LIMIT = 40

# Half of a surrogate pair, which no database accepts; group 1 matches the escapes that are sound.
LONE_SURROGATE = re.compile(
    rb"(\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\[^u])|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
CONTROLS = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029]+")

# Where msgspec's message says that the fault is, such as "$.competitions[0].status".
ERROR_PATH = re.compile(r" - at `\$([^`]*)`$")
ERROR_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
STATUS_TEXTS = ("detail", "shortDetail", "description")


# ---------------------------------------------------------------- documents and rows


def decode(raw: bytes | Raw, shape: type[T]) -> T:
    """JSON as this shape. "7" is accepted for 7. Raises one of UNREADABLE."""
    decoded: T = _decoder_of(shape).decode(raw)
    return decoded


# the decoder of a shape, built once
_decoder_of: Any = cache(partial(msgspec.json.Decoder, strict=False))


def decode_sound_parts(raw: bytes | Raw, shape: type[T], required: frozenset[str]) -> T:
    """The same, but broken parts are left out unless they are ``required``.

    ``required`` holds paths without positions, such as ``competitions.competitors.team``.
    """
    with suppress(msgspec.ValidationError):
        return decode(raw, shape)
    document = msgspec.json.decode(raw)  # keeps the last of two values for the same key
    for _ in range(BAD_PARTS_LIMIT):
        try:
            return decode(msgspec.json.encode(document), shape)
        except msgspec.ValidationError as error:
            path = _path_to_broken_part(error)
            if ".".join(step for step in path if isinstance(step, str)) in required:
                raise
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        del parent[path[-1]]
    raise ValueError(f"more than {BAD_PARTS_LIMIT} parts of it are broken")


def _path_to_broken_part(error: msgspec.ValidationError) -> list[str | int]:
    """Keys and positions that lead to the smallest named part that is broken.

    A status whose state is broken is left out as a whole: half of it would be another status.
    """
    match = ERROR_PATH.search(str(error))
    steps = [name or int(n) for name, n in ERROR_STEP.findall(match[1])] if match else []
    while steps and isinstance(steps[-1], int):
        steps.pop()
    for n in range(len(steps) - 1):
        if steps[n : n + 2] == ["status", "type"] and steps[-1] not in STATUS_TEXTS:
            return steps[: n + 1]
    return steps


def read_document(body: bytes, shape: type[T], kind: str) -> T:
    """The decoded body, lone surrogates replaced. Raises PayloadError, naming the ``kind``.

    A small body can hold millions of values, each of which takes memory: they are counted first, by
    the commas between them, and the backslashes, each of which may be replaced.
    """
    if body.count(b",") + body.count(b"\\") > VALUES_LIMIT:
        raise PayloadError(f"this {kind} has more than {VALUES_LIMIT:,} values", body=body)
    try:
        return decode(body, shape)
    except UNREADABLE as error:
        with suppress(*UNREADABLE):
            return decode(LONE_SURROGATE.sub(lambda match: match[1] or rb"\ufffd", body), shape)
        text = str(error)
        path = next((part for part in reversed(text.split("`")) if part.startswith("$")), "$")
        begins = body.lstrip()[:40].decode("utf-8", "replace")
        what = f"a body that begins with {begins!r}" if begins else "an empty body"
        raise PayloadError(
            f"this is not a {kind}: {what} ({text})", path=path, body=body
        ) from error


def read_rows(
    rows: Sequence[Raw], read: Callable[[Raw], T], kind: str
) -> tuple[list[T], list[str]]:
    """What ``read`` makes of each row, in order, and a line for each row that cannot be read.

    Raises PayloadError for more than ROWS_LIMIT rows.
    """
    if len(rows) > ROWS_LIMIT:
        raise PayloadError(
            f"it has {len(rows):,} {kind}s; the most that are read is {ROWS_LIMIT:,}"
        )
    good: list[T] = []
    errors: list[str] = []
    for raw in rows:
        try:
            if memoryview(raw).nbytes > ROW_BYTES_LIMIT:
                raise ValueError(f"it is larger than {ROW_BYTES_LIMIT:,} bytes")
            good.append(read(raw))
        except UNREADABLE as error:
            row_id = optional(raw, IdShape)
            name = clean_text(row_id.id if row_id else "") or "without id"
            errors.append(f"{kind} {name}: {clean_text(str(error)) or type(error).__name__}")
    return good, errors


def first_lines(lines: Sequence[str]) -> list[str]:
    """The first LINES_LIMIT error lines of an answer, and a line with the number of the others."""
    rest = len(lines) - LINES_LIMIT
    return [*lines[:LINES_LIMIT], *([f"and {rest:,} more"] if rest > 0 else [])]


def optional(raw: Raw | UnsetType, shape: type[T]) -> T | None:
    """A part that its row can do without: None when it is absent or cannot be decoded."""
    if isinstance(raw, UnsetType):
        return None
    try:
        return decode(raw, shape)
    except UNREADABLE:
        return None


# ---------------------------------------------------------------- values


def clean_text(value: object, limit: int = TEXT_LIMIT) -> str:
    """Text that fits any database and one line: no NUL, no line ends, at most ``limit`` long.

    Lone surrogates are replaced before, in the whole document.
    """
    if value is None:
        return ""
    text = str(value)
    if not text.isprintable():
        text = CONTROLS.sub(" ", text).replace("\x00", "")
    return text.strip()[:limit]


def identifier(value: object) -> str:
    """An id of the feed: ASCII letters, digits and hyphens. Raises ValueError."""
    text = clean_text(value, 40)
    if not text.isascii() or not text.replace("-", "").isalnum():
        raise ValueError(f"{text!r} is not an id")
    return text


def parse_time(text: str | None) -> datetime:
    """A time of the feed, in UTC. Raises ValueError or OverflowError."""
    if not text:
        raise ValueError("it has no date")
    time = datetime.fromisoformat(text)
    if time.year not in YEARS:
        raise ValueError(f"{text!r} is no time for a game")
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)


def parse_score(value: object) -> int | None:
    """A whole number of points; None when there is none. Raises ValueError."""
    if value is None or value == "":
        return None
    try:
        number = float(str(value))
    except ValueError:
        number = -1
    if not 0 <= number <= SCORE_LIMIT or number != int(number):
        raise ValueError(f"{value!r} is not a score")
    return int(number)

"""Reading the rows of a summary's part: a broken one costs itself, and a line in ``errors``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec import Raw, UnsetType

from sportsapp.feed.parse.document import (
    UNREADABLE,
    clean_text,
    decode,
    decode_sound_parts,
    identifier,
    parse_score,
)
from sportsapp.feed.parse.summary.shapes import Part
from sportsapp.feed.shapes import AthleteShape, IdShape, Text

S = TypeVar("S")
T = TypeVar("T")

ROWS_LIMIT = 3_000
"""Of one list; the longest ever seen, the plays of a game of baseball, had 700."""
ID_LIMIT = 40
WHOLE = frozenset({""})
NOTHING = b"null"


@dataclass
class Reader:
    """Reads the parts of one summary.

    ``sides`` are "home" and "away" by the feed's ids of the teams; ``errors`` the lines so far.
    """

    sides: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def side(self, *teams: IdShape | None) -> str:
        """The side of the first of these teams that plays; empty if none does."""
        for team in teams:
            if team and (side := self.sides.get(clean_text(team.id))):
                return side
        return ""

    def part(self, raw: Part, shape: type[S], name: str) -> S | None:
        """A part with what is sound of it; None for one that is missing or cannot be read."""
        if isinstance(raw, UnsetType) or memoryview(raw) == NOTHING:
            return None
        try:
            return decode_sound_parts(raw, shape, WHOLE)
        except UNREADABLE as error:
            self._failed(name, error)
            return None

    def rows(self, raw: Part, shape: type[S], name: str, build: Callable[[S], T]) -> tuple[T, ...]:
        """What ``build`` makes of each row of a list, in order. ``build`` may raise ValueError."""
        records: list[T] = []
        for row in self._shapes(raw, shape, name):
            try:
                records.append(build(row))
            except ValueError as error:
                self._failed(name, error)
        return tuple(records)

    def _shapes(self, raw: Part, shape: type[S], name: str) -> list[S]:
        if isinstance(raw, UnsetType) or memoryview(raw) == NOTHING:
            return []
        try:
            shapes: list[S] = decode(raw, list[shape])  # type: ignore[valid-type]
        except UNREADABLE:
            shapes = self._sound_shapes(raw, shape, name)
        if len(shapes) > ROWS_LIMIT:
            self.errors.append(f"{name}: {len(shapes):,} rows, of which {ROWS_LIMIT:,} were read")
        return shapes[:ROWS_LIMIT]

    def _sound_shapes(self, raw: Raw, shape: type[S], name: str) -> list[S]:
        try:
            rows = decode(raw, list[Raw])
        except UNREADABLE as error:
            self._failed(name, error)
            return []
        shapes = []
        for row in rows[:ROWS_LIMIT]:
            try:
                shapes.append(decode_sound_parts(row, shape, WHOLE))
            except UNREADABLE as error:
                self._failed(name, error)
        return shapes

    def _failed(self, name: str, error: Exception) -> None:
        self.errors.append(f"{name}: {clean_text(error) or type(error).__name__}")


def sound_id(value: object) -> str:
    """An id of the feed; empty for what is none."""
    if type(value) is str and len(value) <= ID_LIMIT and value.isascii() and value.isalnum():
        return value  # nearly all are digits, and there are thousands
    try:
        return identifier(value)
    except ValueError:
        return ""


def sound_score(value: object) -> int | None:
    """A whole number of points; None for what is none."""
    try:
        return parse_score(value)
    except ValueError:
        return None


def texts(values: list[Text], limit: int = 60) -> tuple[str, ...]:
    """These texts, cleaned."""
    return tuple(clean_text(value, limit) for value in values)


def name_of(person: AthleteShape) -> str:
    """The displayed name of a person. Raises ValueError when there is none."""
    if not (name := clean_text(person.display_name or person.full_name, 120)):
        raise ValueError("it has no name")
    return name

"""Cursors: the `next` of an answer, which is the `cursor` that returns what follows it.

Each names the last row that was returned, so that rows which come or go before it move nothing.
"""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from flask import abort

from sportsapp.api.document import Parameter
from sportsapp.core.summary import PlayRecord
from sportsapp.db.queries import Cursor, GameSummary

CURSOR_PATTERN = "^[A-Za-z0-9_-]{1,200}$"


class PlaysCursor(NamedTuple):
    """A play by the feed's id, and its place in the game's plays, counted from 1."""

    place: int
    espn_id: str


def cursor_of_game(game: GameSummary) -> str:
    """The cursor for the games that follow this one."""
    return _encode(game.start_at.isoformat(), game.league.slug, game.espn_id)


def cursor_of_play(plays: Sequence[PlayRecord], place: int) -> str:
    """The cursor for the plays that follow the one at this place, counted from 1."""
    return _encode(str(place), plays[place - 1].espn_id)


def count_before(plays: Sequence[PlayRecord], cursor: PlaysCursor) -> int:
    """How many of these plays come before those that follow the cursor.

    Where its play was taken back, they begin with what now stands in its place.
    """
    places = (n for n, play in enumerate(plays, 1) if play.espn_id == cursor.espn_id)
    return min(places, key=lambda n: abs(n - cursor.place), default=max(cursor.place - 1, 0))


def _read_games(text: str) -> Cursor:
    start, slug, espn_id = _decode(text)
    start_at = datetime.fromisoformat(start)
    if start_at.tzinfo is None:
        raise ValueError("no time zone")
    return Cursor(start_at, espn_id, slug)


def _read_plays(text: str) -> PlaysCursor:
    place, espn_id = _decode(text)
    return PlaysCursor(int(place), espn_id)


def _encode(*parts: str) -> str:
    return base64.urlsafe_b64encode(" ".join(parts).encode()).decode().rstrip("=")


def _decode(text: str) -> list[str]:
    """The parts of a cursor. Raises ValueError."""
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True).decode().split(" ")


def _parameter(what: str, read: Callable[[str], Any]) -> Parameter:
    """The parameter ``cursor`` of a list; ``read`` raises ValueError for what is none."""

    def read_or_refuse(text: str) -> Any:
        try:
            return read(text)
        except ValueError:
            abort(400, "cursor must be the `next` value of an earlier answer")

    return Parameter(
        name="cursor",
        description=f"The `next` value of an earlier answer: returns the {what} that follow it.",
        read=read_or_refuse,
        schema=lambda: {"type": "string", "pattern": CURSOR_PATTERN},
    )


GAMES_CURSOR = _parameter("games", _read_games)
PLAYS_CURSOR = _parameter("plays", _read_plays)

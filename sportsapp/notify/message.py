"""A message about games, as every kind of target gets it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """What one sending tells: what one reading of a game showed, or what several did, folded.

    ``title`` and ``body`` are for people, plain text. ``events`` are for programs, in order::

        {"id": 123, "kind": "score", "league": "nfl", "game": "401547417", "state": "live",
         "side": "home", "points": 7, "period": 4, "detail": "3:12 - 4th",
         "read_at": "2026-11-29T21:14:05Z",
         "home": {"abbreviation": "KC", "name": "Kansas City Chiefs", "score": 24},
         "away": {"abbreviation": "NYJ", "name": "New York Jets", "score": 20}}

    ``kind`` is one of ``records.EventKind``, ``state`` how the game stands after it: ``live``,
    ``final`` or another one of ``texts.STATES``. A team that is not known is None, and so are a
    score, ``side`` and ``points`` where there are none. Where the subscription hides scores, these
    and ``period`` are None, ``detail`` is empty and overtime is ``close``. The ``id`` of an event
    is sent again with it when a message is repeated. A test message has no events. ``subscription``
    is the name of the one that is told.
    """

    title: str
    body: str
    events: Sequence[Mapping[str, Any]] = ()
    subscription: str = ""


class Target(Protocol):
    """Where messages are sent."""

    def send(self, message: Message) -> None:
        """Send a message and see that it was taken. Raises NotifyError."""

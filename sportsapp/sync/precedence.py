"""Which of two answers about a game counts: the one that was asked for later. Pure.

Answers arrive in any order, from several processes. What is stored of a game was asked for at the
later of two times: when the answer that last changed it was (``updated_at``), and when the last
whole answer of its day was, which may have changed nothing (``read_at``). Answers that were asked
for at the same time both count.

The game itself knows better than clocks: an answer from a later point of it than what is stored
was made later, whenever it was asked for.

Two days may list one game, when it was moved and the feed's answer of its old day is an old copy.
It is on the day that began to list it last.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sportsapp.sync.doubts import steps_back

LONGEST_RUN = timedelta(hours=1)
"""A stamp that is later than an answer by more is from a clock that was ahead."""


@dataclass(frozen=True, slots=True)
class DayRead:
    """What is remembered of a day's answers: see ``db.models.Scoreboard``."""

    read_at: datetime | None
    game_ids: Set[str]
    digest: str = ""


UNREAD = DayRead(None, frozenset())


@dataclass(frozen=True, slots=True)
class Answer:
    """When an answer was asked for, of which day (None: of a month), and what is stored of days.

    ``days`` has those of its games and those under which they are stored, where they were read.
    """

    asked_at: datetime
    day: date | None = None
    days: Mapping[date, DayRead] = field(default_factory=dict)

    def counts(self, stored: Mapping[str, Any] | None, fetched: Mapping[str, Any]) -> bool:
        """Whether the answer says anything about this game. ``stored`` is None for a new one."""
        if stored is None:
            return not self.is_outdated(fetched)
        if self.is_outdated(fetched, stored) and not steps_back(fetched, stored):
            return False
        days = {stored["day"], fetched["day"]}
        lists = [day for day in days if fetched["espn_id"] in self.days.get(day, UNREAD).game_ids]
        # where two days list it, only the one on which it is may move it
        return len(lists) < 2 or self.day == stored["day"]

    def is_outdated(self, *games: Mapping[str, Any]) -> bool:
        """Whether what is stored of a game was asked for later, in any of these states of it."""
        stamps = [self.days.get(game["day"], UNREAD).read_at for game in games]
        stamps += [game.get("updated_at") for game in games]
        return any(self.is_older_than(stamp) for stamp in stamps)

    def is_older_than(self, stamp: datetime | None) -> bool:
        """Whether this answer was asked for before then."""
        asked_at = self.asked_at
        return stamp is not None and asked_at < stamp <= asked_at + LONGEST_RUN

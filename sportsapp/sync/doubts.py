"""Which answers are doubted: those from an earlier moment of a game than the stored one. Pure.

The feed's servers sometimes return an old copy. So an answer from an earlier point of the game
(its phase, period or clock) changes nothing, until DOUBT_ANSWERS of them in a row, over at least
DOUBT_LASTS, were each from an earlier point: then the feed has really taken something back.

A list that has lost many teams at once is doubted in the same way (see ``sync.lists``).

Baseball has no clock, so within half an inning only the runs show which answer is the older one.
An answer with fewer runs may as well be a correction: it is doubted once.

Games are mappings as ``sync/plan.py`` has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sportsapp.core.records import State, Status

Values = Mapping[str, Any]

DOUBT_ANSWERS = 5
DOUBT_LASTS = timedelta(minutes=5)

CALLED_OFF = frozenset({Status.POSTPONED, Status.CANCELLED})
STOPPED = frozenset({Status.DELAYED, Status.SUSPENDED})
WITH_RESULT = frozenset({Status.FINAL, Status.FORFEIT})
HALVES = {"top": 0, "mid": 1, "middle": 1, "bot": 2, "bottom": 2, "end": 3}
END_OF_PERIOD = 4


@dataclass(frozen=True, slots=True)
class Doubt:
    """Answers that are not believed yet: since when, and how many in a row."""

    since_at: datetime
    answers: int

    def is_over(self, now: datetime) -> bool:
        """Whether these were enough answers, over a time long enough, to be believed."""
        return self.answers >= DOUBT_ANSWERS and now - self.since_at >= DOUBT_LASTS


def one_more(doubt: Doubt | None, now: datetime) -> Doubt:
    """The doubt after another answer that is not believed."""
    return Doubt(doubt.since_at, doubt.answers + 1) if doubt else Doubt(now, 1)


def doubt_about(
    stored: Values, fetched: Values, doubt: Doubt | None, now: datetime
) -> Doubt | None:
    """The doubt that holds this answer back; None for an answer that is believed.

    ``doubt`` is the one that the answers before it have left.
    """
    is_older = steps_back(stored, fetched)
    if not is_older and not takes_runs_back(stored, fetched):
        return None
    doubt = one_more(doubt, now)
    is_believed = doubt.is_over(now) if is_older else doubt.answers > 1
    return None if is_believed else doubt


def steps_back(stored: Values, fetched: Values) -> bool:
    """Whether the fetched answer is from an earlier moment of the game than the stored one."""
    if has_result(stored):
        return not has_result(fetched)
    if stored["state"] == State.PRE:
        return False
    if fetched["state"] == State.PRE:
        # a game that was called off is on again, and one that was broken off may have got another
        # start: only what was played can be lost
        was_stopped = stored["state"] == State.POST
        was_played = stored["status"] not in CALLED_OFF
        return not was_stopped or (was_played and stored["start_at"] == fetched["start_at"])
    if has_result(fetched) or CALLED_OFF & {stored["status"], fetched["status"]}:
        return False
    # both are live or broken off, so the point of play decides; what one leaves out is skipped
    for now, before in zip(point_of_play(fetched), point_of_play(stored), strict=True):
        if now is not None and before is not None and now != before:
            return now < before
    return False


def takes_runs_back(stored: Values, fetched: Values) -> bool:
    """Whether an answer at the same point of a live game without a clock has a lower score."""
    if {stored["state"], fetched["state"]} != {State.IN} or stored["clock"] or fetched["clock"]:
        return False
    points = zip(point_of_play(stored), point_of_play(fetched), strict=True)
    if any(before != now for before, now in points if before is not None and now is not None):
        return False
    scores = [(stored[name], fetched[name]) for name in ("home_score", "away_score")]
    return any(now < before for before, now in scores if before is not None and now is not None)


def has_result(game: Values) -> bool:
    """Whether the game has a result."""
    return game["status"] in WITH_RESULT


def point_of_play(game: Values) -> tuple[float | None, ...]:
    """The period, its half (baseball) or its end, and the clock; each grows with the time played.

    None where the answer does not give it. The clock is None at zero: it has stopped there, or
    has not started. A delay at zero may as well be one in a break.
    """
    words = game["detail"].lower().replace(",", " ").split()
    if game["status"] == Status.BREAK:
        stage: int | None = END_OF_PERIOD
    elif game["clock"] and (game["clock_left"] is not None or game["status"] not in STOPPED):
        stage = 0
    else:
        stage = next((HALVES[word] for word in words if word in HALVES), None)
    left: float | None = game["clock_left"]
    return game["period"], stage, None if left is None else -left

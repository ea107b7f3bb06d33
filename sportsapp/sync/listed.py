"""Games that the answers of their day lack: (stored, listed, now) in, the changes out. Pure.

The rules:

- An answer lacks a stored game that has not ended when it covers the game's day and does not have
  the game. Since then the game is missing, and its values are as old as that.
- Only a whole answer counts: where an event could not be read, or the answer may be cut off, the
  game may have been among what is not there.
- With the patience that steps backwards have, the game is due to be given up. It is looked for
  by its id first (``sync.missing``).
- A game that is listed again is at once as if it had never been missing.
- An answer that has a game but no longer its score, or that of one side, could not be read, as far
  as that game goes: a new clock or score beside an old score would be a wrong score.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from msgspec.structs import replace

from sportsapp.core.records import VANISHED_AFTER, GameRecord, ScoreboardRecord, State
from sportsapp.sync.doubts import Doubt, Values, has_result

LISTED: dict[str, Any] = {"missing_since": None, "missing_answers": 0, "listed": True}


@dataclass(slots=True)
class ListingPlan:
    """What changes of games because an answer has or lacks them, by the feed's id.

    ``news`` is what readers can see, ``marks`` is not. ``days`` are those of games that are
    missing: their answers are decoded again. ``due`` are the games that are to be given up, with
    their days.
    """

    news: dict[str, dict[str, Any]] = field(default_factory=dict)
    marks: dict[str, dict[str, Any]] = field(default_factory=dict)
    days: set[date] = field(default_factory=set)
    due: dict[str, date] = field(default_factory=dict)


def plan_listing(
    stored: Mapping[str, Values],
    listed: Container[str],
    now: datetime,
    *,
    is_whole: bool,
) -> ListingPlan:
    """What an answer changes of these stored games: those that it has, and those that it lacks.

    ``listed`` are the ids of all games that could be read in it.
    """
    plan = ListingPlan()
    for espn_id, game in stored.items():
        values = LISTED
        if espn_id not in listed:
            since_at = game["missing_since"] or now
            answers = game["missing_answers"] + is_whole
            values = {"missing_since": since_at, "missing_answers": answers}
            plan.days.add(game["day"])
            if is_whole and Doubt(since_at, answers).is_over(now):
                plan.due[espn_id] = game["day"]
        changes = {name: value for name, value in values.items() if game[name] != value}
        if changes:
            is_news = _shows(game) != _shows({**game, **changes})
            (plan.news if is_news else plan.marks)[espn_id] = changes
    return plan


def without_lost_scores(
    stored: Mapping[str, Values], scoreboard: ScoreboardRecord
) -> ScoreboardRecord:
    """The answer without games in progress whose stored score it leaves out: each is an error."""
    lost = [game for game in scoreboard.games if _has_lost_score(stored.get(game.espn_id), game)]
    if not lost:
        return scoreboard
    lines = tuple(f"event {game.espn_id}: its score is missing" for game in lost)
    kept = tuple(game for game in scoreboard.games if game not in lost)
    return replace(scoreboard, games=kept, errors=scoreboard.errors + lines)


def _has_lost_score(stored: Values | None, game: GameRecord) -> bool:
    if stored is None or has_result(stored) or not (game.state is State.IN or game.completed):
        return False
    known = (stored["home_score"], game.home.score), (stored["away_score"], game.away.score)
    return any(before is not None and now is None for before, now in known)


def _shows(game: Values) -> tuple[bool, bool]:
    """What readers see of it: that the game has vanished, and that it is listed."""
    return game["missing_answers"] >= VANISHED_AFTER, game["listed"]

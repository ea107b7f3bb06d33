"""What changed in a game from one reading to the next, as rows of ``score_events``.

``events_between`` is pure; games are mappings as ``sync/plan.py`` has them. The rules:

- The first reading of a game says how far it is, not how it got there: one that is read long
  after it ended makes no event.
- Points are those between two readings. Of two scores in one reading nobody knows which was
  first: the away side's is put first.
- A period ends with the answer that shows its break, or a later period. The end of the last one
  is the game's.
- A side takes the lead when it leads and did not in the reading before (level, or behind).
- A game becomes close and late (``League.close_points``) when it is now and was not in the reading
  before; it may do so again. Overtime has an event of its own.
- A lower score is a correction, and so is an answer from an earlier point of the game: until it
  is believed nothing is stored (``sync/doubts.py``), and then it is an event.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, insert, select

from sportsapp.core.leagues import BY_SLUG, League
from sportsapp.core.records import EventKind, State, Status
from sportsapp.db.engine import AnySession, lock_until_commit
from sportsapp.db.models import Game, ScoreEvent
from sportsapp.sync.doubts import HALVES, STOPPED, Values, point_of_play, steps_back
from sportsapp.sync.plan import GamePlan, StoredScoreboard, is_read_late

EVENTS: Table = ScoreEvent.__table__
GAMES: Table = Game.__table__
LOCK = "score events"

SIDES = ("away", "home")
OF_STATUS = {
    Status.DELAYED: EventKind.DELAYED,
    Status.SUSPENDED: EventKind.SUSPENDED,
    Status.POSTPONED: EventKind.POSTPONED,
    Status.CANCELLED: EventKind.CANCELLED,
    Status.FINAL: EventKind.FINAL,
    Status.FORFEIT: EventKind.FINAL,
}

_GAME_ID = select(GAMES.c.id).where(
    GAMES.c.league_id == bindparam("of_league"), GAMES.c.espn_id == bindparam("of_game")
)
_INSERT = insert(EVENTS).values(game_id=_GAME_ID.scalar_subquery())


def write_events(
    session: AnySession,
    league_id: int,
    stored: StoredScoreboard,
    games: GamePlan,
    now: datetime,
) -> None:
    """Write what these changes of games, which are written already, mean. Commits nothing.

    To be called last in a transaction: until it ends, no other one may write events, so that those
    with higher ids are committed later (docs/decisions/events.md).
    """
    changed: list[tuple[Values | None, Values]]
    changed = [(None, row) for row in games.inserts if not is_read_late(row, now)]
    for espn_id, values in games.updates.items():
        changed.append((stored.games[espn_id], {**stored.games[espn_id], **values}))
    league = BY_SLUG[stored.league["slug"]]
    rows = [
        {**event, "league_id": league_id, "of_league": league_id, "of_game": after["espn_id"]}
        | {"read_at": now}
        for before, after in changed
        for event in events_between(before, after, league)
    ]
    if rows:
        lock_until_commit(session.connection(), LOCK)
        session.execute(_INSERT, rows)


def events_between(before: Values | None, after: Values, league: League) -> list[dict[str, Any]]:
    """What happened between two readings of a game, in order: columns of ``score_events``.

    ``before`` is None at a game's first reading. May be empty.
    """
    events: list[dict[str, Any]] = []
    known = before or after
    scores = {
        side: None if after[f"{side}_score"] is None else known[f"{side}_score"] or 0
        for side in SIDES
    }

    def add(kind: EventKind, side: str | None = None, points: int | None = None) -> None:
        event = {"kind": str(kind), "side": side, "points": points}
        event |= {"period": after["period"], "detail": after["detail"]}
        events.append(event | {f"{name}_score": score for name, score in scores.items()})

    def end_period(period: int) -> None:
        add(EventKind.PERIOD_END)
        events[-1]["period"] = period

    if before is None:
        if after["state"] == State.IN:
            add(EventKind.START)
        if after["status"] in OF_STATUS:
            add(OF_STATUS[after["status"]])
        return events

    if steps_back(before, after):
        add(EventKind.TAKEN_BACK)
    elif (before["state"], after["state"]) == (State.POST, State.PRE):
        add(EventKind.RESCHEDULED)
    if has_begun(after) and not has_begun(before):
        add(EventKind.START)
    elif is_stopped(before) and after["state"] == State.IN and not is_stopped(after):
        add(EventKind.RESUMED)
    ended = periods_ended(before, league)
    for period in range(ended + 1, after["period"]):
        end_period(period)
    if before["period"] <= league.periods < after["period"]:
        add(EventKind.OVERTIME)
    differences = [
        (after[f"{side}_score"] - score, side)
        for side, score in scores.items()
        if score is not None and after[f"{side}_score"] != score
    ]
    for points, side in sorted(differences, key=lambda difference: difference[0] > 0):
        scores[side] = after[f"{side}_score"]
        add(EventKind.SCORE if points > 0 else EventKind.TAKEN_BACK, side, points)
    leader = leading_side(after)
    if leader and leader != leading_side(before):
        add(EventKind.LEAD, leader)
    if is_close(after, league) and not is_close(before, league):
        add(EventKind.CLOSE)
    if is_break(after) and after["period"] > ended:
        end_period(after["period"])
    kind = OF_STATUS.get(after["status"])
    if kind and kind != OF_STATUS.get(before["status"]):
        add(kind)
    return events


def has_begun(game: Values) -> bool:
    """Whether the game is being played, or was. One that was called off has no period."""
    return bool(game["state"] == State.IN or game["period"] > 0)


def is_stopped(game: Values) -> bool:
    """Whether the game has begun and play is suspended or delayed."""
    return has_begun(game) and game["status"] in STOPPED


def is_close(game: Values, league: League) -> bool:
    """Whether the game is being played, its end is near and few points lie between the sides."""
    away, home = (game[f"{side}_score"] for side in SIDES)
    if away is None or home is None or abs(away - home) > league.close_points:
        return False
    if game["state"] != State.IN or is_stopped(game) or is_break(game):
        return False
    left = game["clock_left"] if league.clock_runs else 0
    return game["period"] == league.periods and left is not None and left <= league.late_seconds


def is_break(game: Values) -> bool:
    """Whether the period has ended and the next one has not begun."""
    return (point_of_play(game)[1] or 0) >= HALVES["end"]


def periods_ended(game: Values, league: League) -> int:
    """How many periods had ended. A delay without time on the clock is one in a break."""
    has_no_time = league.clock_runs and game["clock_left"] is None
    period: int = game["period"]
    if is_break(game) or (game["status"] in STOPPED and has_no_time):
        return period
    return max(period - 1, 0)


def leading_side(game: Values) -> str | None:
    """The side with the higher score; None while it is level. An unknown score counts as 0."""
    away, home = (game[f"{side}_score"] or 0 for side in SIDES)
    if away == home:
        return None
    return "home" if home > away else "away"

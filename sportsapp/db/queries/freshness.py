"""How fresh the games are that should be moving: those that are live, or should have begun.

A game is as fresh as the last answer of its day, or as old as when answers began to lack it. It
does not move any more when the feed has left it as it is for longer than games last.

The expressions are made once, since every page reads them; ``moving_times`` has their parameters.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, case, func, or_, select

from sportsapp.core.clock import CLOCK_TOLERANCE
from sportsapp.core.leagues import ALL_LEAGUES
from sportsapp.core.records import State
from sportsapp.db.models import Game, LeagueRow, Scoreboard
from sportsapp.db.types import UtcDateTime

MOVES_FOR = timedelta(days=2)
"""Later a game moves only if its day was not read: what the feed leaves as it is stands still."""
UNREAD_AFTER = timedelta(days=1)


def _time(name: str) -> BindParameter[datetime]:
    return bindparam(name, type_=UtcDateTime)


# an answer that was not whole moves only the row's other stamp, which a clock may have set that was
# ahead; and a game that only another day's answer has may be without a row
_is_later = (Scoreboard.stored_at > Scoreboard.read_at) | Scoreboard.read_at.is_(None)
_of_day = case(
    (_is_later & (Scoreboard.stored_at <= _time("latest")), Scoreboard.stored_at),
    else_=Scoreboard.read_at,
)
_answered_at = func.coalesce(_of_day, LeagueRow.polled_at, Game.updated_at)
_read_at = case((Game.missing_since < _answered_at, Game.missing_since), else_=_answered_at)

_is_live = and_(
    Game.state == State.IN,
    or_(Game.start_at > _time("moves_since"), _read_at < _time("unread_since")),
)
_should_have_begun = and_(
    Game.state == State.PRE,
    Game.time_set,
    Game.start_at.between(_time("moves_since"), _time("begun_until")),
    or_(
        Game.start_at
        > case({one.slug: _time(f"{one.slug}_lasts") for one in ALL_LEAGUES}, value=LeagueRow.slug),
        _answered_at < Game.start_at,
    ),
)
_moving = (
    select(Game.id)
    .outerjoin(Scoreboard, and_(Scoreboard.league_id == Game.league_id, Scoreboard.day == Game.day))
    .where(Game.league_id == LeagueRow.id, Game.state.in_((State.PRE, State.IN)), Game.listed)
    .where(Game.start_at < _time("begins_until"), or_(_is_live, _should_have_begun))
    .correlate(LeagueRow)
)

OLDEST_READ = _moving.with_only_columns(func.min(_read_at)).scalar_subquery()
"""When the oldest of the league's games that should be moving was read; None without such games."""
MOVING_DAYS = _moving.with_only_columns(Game.day, func.min(_read_at)).group_by(Game.day)
"""The leagues' days with such games, and when the oldest of each day was read."""
MOVING = _moving.with_only_columns(func.count()).scalar_subquery()
"""How many games of the league should be moving."""
STANDING_STILL = (
    _moving.with_only_columns(Game.id)
    .correlate(None)
    .where(LeagueRow.slug == bindparam("slug"))
    .where(~_read_at.between(_time("fresh_since"), _time("latest")))
    .order_by(_read_at, Game.start_at, Game.id)
)
"""The ids of those of ``slug`` that were not read since ``fresh_since``, the oldest read first."""


def moving_times(now: datetime, grace: timedelta) -> dict[str, Any]:
    """The parameters of the expressions: a game should have begun ``grace`` after its start."""
    lasts = {f"{one.slug}_lasts": now - timedelta(hours=one.game_hours) for one in ALL_LEAGUES}
    return lasts | {
        "latest": now + CLOCK_TOLERANCE,
        "moves_since": now - MOVES_FOR,
        "unread_since": now - UNREAD_AFTER,
        "begun_until": now - grace,
        "begins_until": now + UNREAD_AFTER,  # one that is live later is a mistake of the feed
    }

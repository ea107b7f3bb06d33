"""Reading what an answer may change, in the transaction that then changes it."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import Select, Table, bindparam, select, union_all

from sportsapp.core.records import GameRecord, ScoreboardRecord, State
from sportsapp.db.engine import AnySession
from sportsapp.db.models import Game, GameDoubt, LeagueRow, Scoreboard, Team
from sportsapp.sync import plan
from sportsapp.sync.doubts import Doubt
from sportsapp.sync.precedence import LONGEST_RUN, UNREAD, DayRead

GAMES: Table = Game.__table__
TEAMS: Table = Team.__table__
LEAGUES: Table = LeagueRow.__table__
SCOREBOARDS: Table = Scoreboard.__table__

RESUMED_WITHIN = timedelta(days=60)

# Built once: that takes longer than to execute them.
_LEAGUE = select(LEAGUES).where(LEAGUES.c.id == bindparam("league_id")).with_for_update()
_TEAMS = select(TEAMS).where(TEAMS.c.league_id == bindparam("league_id"))
_OF_LEAGUE = select(GAMES).where(GAMES.c.league_id == bindparam("league_id"))
_WANTED = GAMES.c.espn_id.in_(bindparam("wanted", expanding=True))
_LACKED = (
    GAMES.c.espn_id.not_in(bindparam("listed", expanding=True)),
    GAMES.c.day.between(bindparam("first"), bindparam("last")),
    GAMES.c.state.in_((State.PRE, State.IN)),
    GAMES.c.listed,
)
_GAMES = union_all(_OF_LEAGUE.where(_WANTED), _OF_LEAGUE.where(*_LACKED))  # an index for each
_READS = select(*(SCOREBOARDS.c[name] for name in ("day", "read_at", "game_ids", "digest"))).where(
    SCOREBOARDS.c.league_id == bindparam("league_id"),
    SCOREBOARDS.c.day.in_(bindparam("days", expanding=True)),
)

Row = dict[str, Any]
Rows = dict[str, Row]  # by the feed's id


def locked_league(session: AnySession, league_id: int) -> Row:
    """The league's row. Syncs of one league take turns until their transactions end.

    SQLite, where writers take turns anyway, has no such lock; SQLAlchemy leaves it out there.
    """
    return dict(session.execute(_LEAGUE, {"league_id": league_id}).mappings().one())


def teams_of_league(session: AnySession, league_id: int) -> Rows:
    """The rows of a league's teams, by the feed's id."""
    rows = session.execute(_TEAMS, {"league_id": league_id}).mappings()
    return {row["espn_id"]: dict(row) for row in rows}


def load_scoreboard(
    session: AnySession,
    league_id: int,
    scoreboard: ScoreboardRecord,
    games: Sequence[GameRecord],
    days: Sequence[date],
) -> plan.StoredScoreboard:
    """The rows that this answer, which covers these days, may change; locks the league's.

    Those are the games listed, and the games of these days that it lacks: not those that have
    ended, nor those that were given up, nor those that go on on a later day, which lists them.
    """
    league = locked_league(session, league_id)
    teams = teams_of_league(session, league_id)
    feed_ids = {team["id"]: espn_id for espn_id, team in teams.items()}
    first, last = (days[0], days[-1]) if days else (date.max, date.min)
    concerned: dict[str, Any] = {"league_id": league_id, "first": first, "last": last}
    concerned["wanted"] = [game.espn_id for game in games]
    concerned["listed"] = [game.espn_id for game in scoreboard.games]
    stored: Rows = {}
    for row in session.execute(_GAMES, concerned).mappings():
        values = dict(row)
        for side in plan.TEAMS:
            values[side] = feed_ids.get(values[f"{side}_id"])
        stored[values["espn_id"]] = values
    doubts = {}
    if stored:
        doubts = {
            row.espn_id: Doubt(row.since_at, row.answers)
            for row in session.execute(select_doubts())
            if row.league_id == league_id
        }
    known_days = {game.day for game in games} | {row["day"] for row in stored.values()}
    known_days.update(days)
    reads = {
        row.day: DayRead(row.read_at, frozenset(row.game_ids), row.digest)
        for row in session.execute(_READS, {"league_id": league_id, "days": known_days})
    }
    if days and (lacking := stored.keys() - {game.espn_id for game in games}):
        later = SCOREBOARDS.c.day.between(days[-1] + timedelta(days=1), days[-1] + RESUMED_WITHIN)
        goes_on = select(SCOREBOARDS.c.game_ids).where(SCOREBOARDS.c.league_id == league_id, later)
        if read_at := reads.get(days[-1], UNREAD).read_at:
            goes_on = goes_on.where(SCOREBOARDS.c.read_at >= read_at - LONGEST_RUN)
        for espn_id in lacking.intersection(chain.from_iterable(session.scalars(goes_on))):
            del stored[espn_id]
    return plan.StoredScoreboard(league, teams, stored, doubts, reads)


def select_doubts() -> Select[Any]:
    """All doubts with the games they are about.

    Doubts are few and games are many: only an outer join makes SQLite begin with the doubts.
    """
    doubt = GameDoubt.game_id, GameDoubt.since_at, GameDoubt.answers
    return select(GAMES.c.league_id, GAMES.c.espn_id, *doubt).join(
        GAMES, GAMES.c.id == GameDoubt.game_id, isouter=True
    )

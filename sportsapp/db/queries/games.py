"""Games: lists of them as plain tuples in one query each, and one game with all that is known."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    Executable,
    ScalarSelect,
    Select,
    bindparam,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import aliased, joinedload

from sportsapp.core.leagues import BY_SLUG, League
from sportsapp.core.records import State, Status
from sportsapp.db.engine import AnySession
from sportsapp.db.models import Game, LeagueRow, Team
from sportsapp.db.queries.freshness import STANDING_STILL, moving_times

BY_START = attrgetter("start_at", "espn_id")


class TeamSummary(NamedTuple):
    """What a list shows of a team in a game, by its names of then; fields named as ``Team``'s."""

    espn_id: str
    abbreviation: str
    display_name: str
    short_name: str
    color: str


class GameSummary(NamedTuple):
    """What a list shows of a game; the fields are named as ``Game``'s.

    A team is None while it is not known who will play ("TBD").
    """

    league: League
    home_team: TeamSummary | None
    away_team: TeamSummary | None
    espn_id: str
    day: date
    start_at: datetime
    time_set: bool
    season_year: int | None
    season_type: int | None
    week: int | None
    state: str
    status: str
    detail: str
    period: int
    clock: str
    home_team_id: int | None
    home_score: int | None
    away_score: int | None
    home_record: str
    away_record: str
    home_linescores: list[int | None]
    away_linescores: list[int | None]
    home_winner: bool | None
    away_winner: bool | None
    home_rank: int | None
    away_rank: int | None
    venue: str
    city: str
    neutral_site: bool
    broadcast: str
    note: str
    series: str
    situation: dict[str, Any]
    vanished_since: datetime | None
    listed: bool
    updated_at: datetime
    result_at: datetime | None
    revision: int


class Cursor(NamedTuple):
    """A game's place in the order of the API's list. The slug is needed: ids are per league."""

    start_at: datetime
    espn_id: str
    slug: str


AnyGame = Game | GameSummary
AnyTeam = Team | TeamSummary

_HOME, _AWAY = aliased(Team), aliased(Team)
IS_SHOWN = or_(Game.listed, Game.state != State.PRE)
SUMMARIES = (
    select(
        LeagueRow.slug,
        *(getattr(_HOME, name) for name in TeamSummary._fields),
        *(getattr(_AWAY, name) for name in TeamSummary._fields),
        Game.home_called,
        Game.away_called,
        *(getattr(Game, name) for name in GameSummary._fields[3:]),
    )
    .select_from(Game)
    .join(Game.league_row)
    .outerjoin(_HOME, Game.home_team_id == _HOME.id)
    .outerjoin(_AWAY, Game.away_team_id == _AWAY.id)
)
# What most pages ask is built once: that takes longer than to execute it.
_FOLLOWED = SUMMARIES.where(LeagueRow.slug.in_(bindparam("slugs", expanding=True)))
_ON_DAY = _FOLLOWED.where(Game.day == bindparam("day"), IS_SHOWN)
_LIVE = _FOLLOWED.where(Game.state == State.IN, Game.listed)
_COUNTS = (
    select(Game.day, func.count())
    .join(Game.league_row)
    .where(LeagueRow.slug.in_(bindparam("slugs", expanding=True)), IS_SHOWN)
    .where(Game.day.between(bindparam("first"), bindparam("last")))
    .group_by(Game.day)
)
_TODAY = union_all(_ON_DAY, _LIVE.where(Game.day != bindparam("day")))  # an index for each


def games_on(session: AnySession, day: date, slugs: Sequence[str]) -> list[GameSummary]:
    """A day's games of these leagues, by start, then id. May be empty.

    A game to come that is no longer listed is left out; of one that had begun there is a score.
    """
    return by_start(session, _ON_DAY, slugs=slugs, day=day)


def games_today(session: AnySession, today: date, slugs: Sequence[str]) -> list[GameSummary]:
    """Today's games of these leagues and all live ones, by start, then id. May be empty.

    A game that begins after midnight Eastern has the next date, and one that goes on past
    04:00 has the last: while they are live, they are shown today.
    """
    return by_start(session, _TODAY, slugs=slugs, day=today)


def live_games(session: AnySession, slugs: Sequence[str]) -> list[GameSummary]:
    """The live games of these leagues, by start, then id, without those no longer listed."""
    return by_start(session, _LIVE, slugs=slugs)


def games_standing_still(
    session: AnySession, slug: str, now: datetime, grace: timedelta, limit: int
) -> list[GameSummary]:
    """The league's games that should be moving and were not read for ``grace``, by start, then id.

    Of more than ``limit`` those that were read longest ago.
    """
    games = SUMMARIES.where(Game.id.in_(STANDING_STILL.limit(limit)))
    times = moving_times(now, grace)
    return by_start(session, games, slug=slug, fresh_since=now - grace, **times)


def games_in_week(
    session: AnySession, slug: str, season_year: int, season_type: int, week: int
) -> list[GameSummary]:
    """A week's games, by start, then id. May be empty."""
    in_week = (Game.season_year == season_year, Game.season_type == season_type, Game.week == week)
    return by_start(session, SUMMARIES.where(Game.league_id == _id_of(slug), *in_week, IS_SHOWN))


def season_of_team(session: AnySession, team: Team) -> int | None:
    """The team's season to show: its league's, or the last one before while that has no games.

    None when no game's season is known. The team's league must be loaded.
    """
    running = team.league_row.season_year
    newest = [
        select(func.max(Game.season_year).label("year")).where(
            side == team.id, true() if running is None else Game.season_year <= running
        )
        for side in (Game.home_team_id, Game.away_team_id)
    ]
    seasons = union_all(*newest).subquery()
    year: int | None = session.scalar(select(func.max(seasons.c.year)))
    return year


def games_of_team(session: AnySession, team: Team, season_year: int | None) -> list[GameSummary]:
    """A team's games of a season, by start, then id; of all seasons when none is given."""
    games = SUMMARIES.where(or_(Game.home_team_id == team.id, Game.away_team_id == team.id))
    if season_year is not None:
        games = games.where(Game.season_year == season_year)
    return by_start(session, games)


def games_between(session: AnySession, slug: str, first: date, last: date) -> list[GameSummary]:
    """A league's games of these days and those between, by start, then id. May be empty."""
    days = Game.day.between(first, last)
    return by_start(session, SUMMARIES.where(Game.league_id == _id_of(slug), days))


def last_and_next_games(
    session: AnySession, team_ids: Sequence[int], today: date
) -> list[GameSummary]:
    """Of each of these teams the last game that is over and the one it plays now or next, both at
    home and away; what was called off is none. By start, then id.
    """
    is_over = Game.state == State.POST, Game.status.in_((Status.FINAL, Status.FORFEIT))
    is_ahead = or_(Game.state == State.IN, (Game.state == State.PRE) & (Game.day >= today))
    is_next = is_ahead, Game.listed, Game.status.not_in((Status.POSTPONED, Status.CANCELLED))
    turns = union_all(
        *(
            select(side.label("team_id"), best.label("start_at"))
            .where(side.in_(team_ids), *wanted)
            .group_by(side)
            for side in (Game.home_team_id, Game.away_team_id)
            for best, wanted in (
                (func.max(Game.start_at), is_over),
                (func.min(Game.start_at), is_next),
            )
        )
    ).subquery()
    sides = or_(Game.home_team_id == turns.c.team_id, Game.away_team_id == turns.c.team_id)
    ids = select(Game.id).join(turns, sides & (Game.start_at == turns.c.start_at))
    return by_start(session, SUMMARIES.where(Game.id.in_(ids)))


def latest_finals(
    session: AnySession, slug: str, limit: int, team: Team | None = None
) -> list[GameSummary]:
    """The league's or the team's games that ended last, newest start first."""
    is_final = (Game.state == State.POST, Game.status.in_((Status.FINAL, Status.FORFEIT)))
    games = SUMMARIES.where(Game.league_id == _id_of(slug), *is_final)
    if team is not None:
        games = games.where(or_(Game.home_team_id == team.id, Game.away_team_id == team.id))
    newest = games.order_by(Game.start_at.desc(), Game.espn_id).limit(limit)
    return [_summary(row) for row in session.execute(newest)]


def game_list(
    session: AnySession,
    slugs: Sequence[str],
    day: date | None,
    state: str | None,
    limit: int,
    after: Cursor | None = None,
) -> list[GameSummary]:
    """At most ``limit`` games of these leagues by start, id and league; for the API.

    ``day`` and ``state`` narrow them; ``after`` leaves out the games up to that place.
    """
    if day is None:
        games = SUMMARIES.where(Game.id.in_(_first_games(slugs, state, limit, after)))
    else:
        games = SUMMARIES.where(LeagueRow.slug.in_(slugs), Game.day == day)
    summaries = sorted((_summary(row) for row in session.execute(games)), key=cursor_of)
    # a day's games are few, and in SQL the state could make the database choose its index instead
    wanted = (game for game in summaries if state in (None, game.state))
    return [game for game in wanted if after is None or cursor_of(game) > after][:limit]


def cursor_of(game: GameSummary) -> Cursor:
    """The game's place in the API's list."""
    return Cursor(game.start_at, game.espn_id, game.league.slug)


def _first_games(
    slugs: Sequence[str], state: str | None, limit: int, after: Cursor | None
) -> Select[Any]:
    """The ids of these leagues' first games after that place.

    Each league's are read from an index that has their order, so that a long history costs
    nothing: for all leagues in one query, SQLite and PostgreSQL sort every game there is.
    """

    def first(slug: str) -> Any:
        games = select(Game.id, Game.start_at, Game.espn_id, literal(slug).label("slug"))
        games = games.where(Game.league_id == _id_of(slug))
        if state is not None:
            games = games.where(Game.state == state)
        if after is not None:
            is_later = (
                Game.espn_id >= after.espn_id
                if slug > after.slug
                else (Game.espn_id > after.espn_id)
            )
            same_start = (Game.start_at == after.start_at) & is_later
            # the first condition alone would be enough, but only the second is read from the index
            games = games.where(
                (Game.start_at > after.start_at) | same_start, Game.start_at >= after.start_at
            )
        return games.order_by(Game.start_at, Game.espn_id).limit(limit).subquery()

    games = union_all(*(select(first(slug)) for slug in slugs)).subquery()
    order = (games.c.start_at, games.c.espn_id, games.c.slug)
    return select(games.c.id).order_by(*order).limit(limit)


def find_game(session: AnySession, slug: str, espn_id: str) -> Game | None:
    """One game with its league and teams, or None."""
    return session.scalar(
        select(Game)
        .join(Game.league_row)
        .where(LeagueRow.slug == slug, Game.espn_id == espn_id)
        .options(
            joinedload(Game.league_row),
            joinedload(Game.home_team_row),
            joinedload(Game.away_team_row),
        )
    )


def weeks_of(session: AnySession, slug: str, season_year: int) -> list[tuple[int, int]]:
    """The weeks of a season that have games, as (season type, week), by their first day."""
    weeks = (
        select(Game.season_type, Game.week)
        .where(Game.league_id == _id_of(slug), Game.season_year == season_year)
        .where(Game.season_type.is_not(None), Game.week.is_not(None))
        .group_by(Game.season_type, Game.week)
        .order_by(func.min(Game.day))
    )
    return [(row.season_type, row.week) for row in session.execute(weeks)]


def day_before(session: AnySession, slug: str, day: date) -> date | None:
    """The last day with games before this one, or None."""
    days = select(Game.day).where(Game.league_id == _id_of(slug), Game.day < day, IS_SHOWN)
    return session.scalar(days.order_by(Game.day.desc()).limit(1))


def games_by_day(
    session: AnySession, slugs: Sequence[str], first: date, last: date
) -> dict[date, int]:
    """How many games of these leagues pages show on each of these days; without days of none."""
    return dict(session.execute(_COUNTS, {"slugs": slugs, "first": first, "last": last}).all())


def days_of_teams(
    session: AnySession, names: Sequence[str], slugs: Sequence[str], first: date, last: date
) -> set[date]:
    """The days between these on which one of these teams plays in these leagues.

    A team's name is its league's slug and its feed id: "nfl-12".
    """
    teams = (
        select(Team.id)
        .join(Team.league_row)
        .where(LeagueRow.slug.in_(slugs), (LeagueRow.slug + "-" + Team.espn_id).in_(names))
    )
    plays = or_(Game.home_team_id.in_(teams), Game.away_team_id.in_(teams))
    days = select(Game.day).distinct().where(Game.day.between(first, last), IS_SHOWN, plays)
    return set(session.scalars(days))


def months_with_games(session: AnySession, slugs: Sequence[str]) -> list[tuple[str, str]]:
    """The months in which these leagues have games, listed or not: slug and ``2026-11``, sorted."""
    days = select(LeagueRow.slug, Game.day).join(Game.league_row).where(LeagueRow.slug.in_(slugs))
    return sorted({(slug, f"{day:%Y-%m}") for slug, day in session.execute(days.distinct())})


def by_start(session: AnySession, games: Executable, **values: object) -> list[GameSummary]:
    """Run the query; the games by start, then id.

    They are few, and sorted here: with an ORDER BY, SQLite may walk all of a league's games
    along an index in that order rather than read the few and sort them.
    """
    return sorted((_summary(row) for row in session.execute(games, values)), key=BY_START)


def _summary(row: Sequence[Any]) -> GameSummary:
    league, home, away = BY_SLUG[row[0]], row[1:6], row[6:11]
    teams = _team_summary(home, row[11]), _team_summary(away, row[12])
    return GameSummary(league, *teams, *row[13:])


def _team_summary(columns: Sequence[Any], called: dict[str, str] | None) -> TeamSummary | None:
    if columns[0] is None:
        return None
    if called:
        return TeamSummary(espn_id=columns[0], color=columns[-1], **called)
    return TeamSummary(*columns)


def _id_of(slug: str) -> ScalarSelect[int]:
    """A league's id as a subquery: the database then plans for one league, not for a join."""
    return select(LeagueRow.id).where(LeagueRow.slug == slug).scalar_subquery()

"""Reads: one function for each question that a page, the API or a command asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import ScalarSelect, Select, bindparam, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased, joinedload, load_only

from sportsapp.core.leagues import BY_SLUG, League
from sportsapp.core.records import State, Status
from sportsapp.db.engine import AnySession
from sportsapp.db.models import Game, LeagueRow, Player, TaskRun, Team

SEARCH_LIMIT = 40
BY_START = attrgetter("start_at", "espn_id")


class Side(NamedTuple):
    """What a list of games shows of a team, under the names that ``Team`` has for it."""

    espn_id: str
    abbreviation: str
    display_name: str
    short_name: str
    color: str


class Card(NamedTuple):
    """What a list shows of a game, under the names that ``Game`` has for it."""

    league: League
    home_team: Side | None
    away_team: Side | None
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
    home_team_id: int | None
    home_score: int | None
    away_score: int | None
    home_record: str
    away_record: str
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
    updated_at: datetime


AnyGame = Game | Card
AnyTeam = Team | Side

# Building a statement takes longer than running it, so what pages need is built once.
_HOME, _AWAY = aliased(Team), aliased(Team)
_CARDS = (
    select(
        LeagueRow.slug,
        *(getattr(_HOME, name) for name in Side._fields),
        *(getattr(_AWAY, name) for name in Side._fields),
        *(getattr(Game, name) for name in Card._fields[3:]),
    )
    .select_from(Game)
    .join(Game.league_row)
    .outerjoin(_HOME, Game.home_team_id == _HOME.id)
    .outerjoin(_AWAY, Game.away_team_id == _AWAY.id)
)
_LISTED = (
    load_only(
        Game.espn_id, Game.day, Game.start_at, Game.time_set, Game.state, Game.status, Game.detail,
        Game.period, Game.clock, Game.home_score, Game.away_score, Game.home_record,
        Game.away_record, Game.home_rank, Game.away_rank, Game.home_linescores,
        Game.away_linescores, Game.venue, Game.broadcast, Game.updated_at, raiseload=True,
    ),
    joinedload(Game.league_row).load_only(LeagueRow.slug, raiseload=True),
    joinedload(Game.home_team).load_only(
        Team.espn_id, Team.abbreviation, Team.display_name, raiseload=True
    ),
    joinedload(Game.away_team).load_only(
        Team.espn_id, Team.abbreviation, Team.display_name, raiseload=True
    ),
)  # fmt: skip
_IN_SLUGS = LeagueRow.slug.in_(bindparam("slugs", expanding=True))
_ON_DAY = _CARDS.where(_IN_SLUGS, Game.day == bindparam("day"))
_LIVE = _CARDS.where(_IN_SLUGS, Game.state == State.IN)
_OF_LEAGUE = Game.league_id == LeagueRow.id
_LEAGUE_STATES = select(
    LeagueRow.slug, LeagueRow.season_name, LeagueRow.changed_at, LeagueRow.polled_at,
    LeagueRow.failing_since, LeagueRow.standings_at,
    select(func.count()).where(_OF_LEAGUE, Game.state == State.IN).scalar_subquery(),
    select(Game.start_at)
    .where(_OF_LEAGUE, Game.state == State.PRE, Game.time_set)
    .where(Game.start_at > bindparam("starts_after"))
    .order_by(Game.start_at).limit(1).scalar_subquery(),
).where(_IN_SLUGS)  # fmt: skip
_NEXT_DAYS = select(
    LeagueRow.slug,
    select(Game.day)
    .where(_OF_LEAGUE, Game.day > bindparam("day"))
    .where(Game.status.not_in((Status.POSTPONED, Status.CANCELLED)))
    .order_by(Game.day).limit(1).label("day"),
).where(_IN_SLUGS)  # fmt: skip


@dataclass(frozen=True)
class LeagueState:
    """How a league stands: when it changed, was read, began to fail; live games; next start."""

    slug: str
    season_name: str
    changed_at: datetime | None
    polled_at: datetime | None
    failing_since: datetime | None
    standings_at: datetime | None
    live: int
    next_start: datetime | None


def league_states(
    session: AnySession, slugs: Sequence[str], starts_after: datetime
) -> list[LeagueState]:
    """The state of these leagues in their order, in one query; one never asked for is left out.

    ``next_start`` is the earliest start after ``starts_after`` of a game that has not begun.
    """
    rows = session.execute(_LEAGUE_STATES, {"slugs": slugs, "starts_after": starts_after})
    states = {row.slug: LeagueState(*row) for row in rows}
    return [states[slug] for slug in slugs if slug in states]


def leagues_by_slug(session: AnySession, slugs: Sequence[str]) -> dict[str, LeagueRow]:
    """The rows of these leagues; one that was never asked for has none."""
    rows = session.scalars(select(LeagueRow).where(LeagueRow.slug.in_(slugs)))
    return {row.slug: row for row in rows}


# ---------------------------------------------------------------- games


def games_on(session: AnySession, day: date, slugs: Sequence[str]) -> list[Card]:
    """A day's games of these leagues, by start, then id. May be empty."""
    return _cards(session, _ON_DAY, slugs=slugs, day=day)


def games_today(session: AnySession, today: date, slugs: Sequence[str]) -> list[Card]:
    """Today's games of these leagues and what is on now, by start, then id.

    A game that begins after midnight Eastern has the next date, and one that goes on past
    04:00 has the last: while they are on, they are today's.
    """
    late = [game for game in live_games(session, slugs) if game.day != today]
    return sorted(games_on(session, today, slugs) + late, key=BY_START)


def live_games(session: AnySession, slugs: Sequence[str]) -> list[Card]:
    """What is on now in these leagues, by start, then id."""
    return _cards(session, _LIVE, slugs=slugs)


class Place(NamedTuple):
    """A game's place in the list of all games; ids are unique in a league only."""

    start_at: datetime
    espn_id: str
    slug: str


def game_list(
    session: AnySession,
    slugs: Sequence[str],
    day: date | None,
    state: str | None,
    limit: int,
    after: Place | None = None,
) -> list[Game]:
    """Games with what the API lists, by place; ``day`` and ``state`` narrow them.

    ``after`` leaves out what comes up to there.
    """
    found = select(Game).options(*_LISTED)
    if day is None:
        found = found.where(Game.id.in_(_first_games(slugs, state, limit, after)))
    else:
        found = found.join(Game.league_row).where(LeagueRow.slug.in_(slugs), Game.day == day)
    games = sorted(session.scalars(found), key=_place)
    wanted = (game for game in games if state in (None, game.state))
    return [game for game in wanted if after is None or _place(game) > after][:limit]


def _place(game: Game) -> Place:
    return Place(game.start_at, game.espn_id, game.league.slug)


def _first_games(
    slugs: Sequence[str], state: str | None, limit: int, after: Place | None
) -> Select[Any]:
    """The ids of these leagues' first games after that place.

    Each league's are read from an index that has their order, so that a long history costs
    nothing: asked of all leagues at once, SQLite and PostgreSQL sort every game there is.
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
            games = games.where(
                Game.start_at >= after.start_at, (Game.start_at > after.start_at) | same_start
            )
        return games.order_by(Game.start_at, Game.espn_id).limit(limit).subquery()

    every = union_all(*(select(first(slug)) for slug in slugs)).subquery()
    place = (every.c.start_at, every.c.espn_id, every.c.slug)
    return select(every.c.id).order_by(*place).limit(limit)


def find_game(session: AnySession, slug: str, espn_id: str) -> Game | None:
    """One game with all that is known of it, and its teams."""
    found = (
        select(Game)
        .join(Game.league_row)
        .where(LeagueRow.slug == slug, Game.espn_id == espn_id)
        .options(
            joinedload(Game.league_row), joinedload(Game.home_team), joinedload(Game.away_team)
        )
    )
    return session.scalar(found)


def games_in_week(
    session: AnySession, slug: str, season_year: int, season_type: int, week: int
) -> list[Card]:
    """A week's games, by start, then id. May be empty."""
    found = _CARDS.where(
        Game.league_id == _id_of(slug), Game.season_year == season_year,
        Game.season_type == season_type, Game.week == week,
    )  # fmt: skip
    return _cards(session, found)


def weeks_of(session: AnySession, slug: str, season_year: int) -> list[tuple[int, int, date]]:
    """The weeks of a season that games are known of: season type, week, first day; in order."""
    found = (
        select(Game.season_type, Game.week, func.min(Game.day))
        .where(Game.league_id == _id_of(slug), Game.season_year == season_year)
        .where(Game.season_type.is_not(None), Game.week.is_not(None))
        .group_by(Game.season_type, Game.week)
        .order_by(func.min(Game.day))
    )
    rows = session.execute(found)
    return [(kind, week, day) for kind, week, day in rows if kind is not None and week is not None]


def day_before(session: AnySession, slug: str, day: date) -> date | None:
    """The last day with games before this one."""
    days = select(Game.day).where(Game.league_id == _id_of(slug), Game.day < day)
    return session.scalar(days.order_by(Game.day.desc()).limit(1))


def next_days(session: AnySession, slugs: Sequence[str], day: date) -> dict[str, date | None]:
    """For each of these leagues the first day with games after this one, or None.

    Games that were called off do not count; a league never asked for is left out.
    """
    rows = session.execute(_NEXT_DAYS, {"slugs": slugs, "day": day})
    return {row.slug: row.day for row in rows}


def games_of_team(session: AnySession, team: Team, season_year: int | None) -> list[Card]:
    """A team's games of a season, by start, then id; of all seasons where none is given."""
    found = _CARDS.where(or_(Game.home_team_id == team.id, Game.away_team_id == team.id))
    if season_year is not None:
        found = found.where(Game.season_year == season_year)
    return _cards(session, found)


def latest_finals(session: AnySession, slug: str, limit: int) -> list[Card]:
    """The games that ended last, newest start first."""
    found = _CARDS.where(
        Game.league_id == _id_of(slug),
        Game.state == State.POST, Game.status.in_((Status.FINAL, Status.FORFEIT)),
    )  # fmt: skip
    newest = found.order_by(Game.start_at.desc(), Game.espn_id).limit(limit)
    return [_card(row) for row in session.execute(newest)]


# ---------------------------------------------------------------- teams and players


def teams_of(session: AnySession, slugs: Sequence[str]) -> list[Team]:
    """The listed teams of these leagues with their league, by name."""
    found = (
        select(Team)
        .join(Team.league_row)
        .where(LeagueRow.slug.in_(slugs), Team.listed)
        .order_by(LeagueRow.slug, Team.display_name, Team.espn_id)
        .options(joinedload(Team.league_row))
    )
    return list(session.scalars(found))


def teams_at(session: AnySession, slug: str, address: str) -> list[Team]:
    """The teams that an address may mean (``Team.address``), the one that it does mean first.

    An abbreviation, upper or lower case, may be that of several; an id ("MIA_193") is one's own,
    whatever stands before it.
    """
    _, names_id, espn_id = address.partition("_")
    is_meant = Team.abbreviation.in_({address, address.upper()})
    found = (
        select(Team)
        .join(Team.league_row)
        .where(LeagueRow.slug == slug, Team.espn_id == espn_id if names_id else is_meant)
        .order_by((Team.abbreviation == address).desc(), Team.listed.desc(), Team.id)
        .options(joinedload(Team.league_row))
    )
    return list(session.scalars(found))


def teams_named(session: AnySession, names: Sequence[str]) -> list[Team]:
    """The teams behind these favourites ("nfl-12"), in that order; unknown ones left out."""
    slugs = {name.partition("-")[0] for name in names}
    ids = {name.partition("-")[2] for name in names}
    found = (
        select(Team)
        .join(Team.league_row)
        .where(LeagueRow.slug.in_(slugs), Team.espn_id.in_(ids))
        .options(joinedload(Team.league_row))
    )
    by_name = {f"{team.league.slug}-{team.espn_id}": team for team in session.scalars(found)}
    return [by_name[name] for name in names if name in by_name]


def search_teams(session: AnySession, slugs: Sequence[str], words: str) -> list[Team]:
    """Listed teams whose full name has all the words, or whose abbreviation is the text."""
    found = (
        select(Team)
        .join(Team.league_row)
        .where(LeagueRow.slug.in_(slugs), Team.listed)
        .options(joinedload(Team.league_row))
        .order_by(Team.display_name, LeagueRow.slug)
        .limit(SEARCH_LIMIT)
    )
    parts = [Team.display_name.icontains(word, autoescape=True) for word in words.split()]
    every = func.lower(Team.abbreviation) == words.strip().lower()
    for part in parts[:1]:
        whole = part
        for more in parts[1:]:
            whole &= more
        every |= whole
    return list(session.scalars(found.where(every)))


def standings_of(session: AnySession, slug: str) -> list[Team]:
    """The teams that stand in the standings, group by group, in order."""
    found = (
        select(Team)
        .join(Team.league_row)
        .where(LeagueRow.slug == slug, Team.standing_position.is_not(None))
        .order_by(Team.standing_group, Team.standing_position, Team.display_name)
    )
    return list(session.scalars(found))


def roster_of(session: AnySession, team: Team) -> list[Player]:
    """A team's active players by group, then position, then name."""
    found = (
        select(Player)
        .where(Player.team_id == team.id, Player.active)
        .order_by(Player.group, Player.position, Player.name)
    )
    return list(session.scalars(found))


# ---------------------------------------------------------------- runs


def recent_runs(
    session: AnySession, limit: int, task: str | None = None, state: str | None = None
) -> list[TaskRun]:
    """Task runs, newest first."""
    found = select(TaskRun).order_by(TaskRun.queued_at.desc(), TaskRun.id.desc()).limit(limit)
    if task:
        found = found.where(TaskRun.task == task)
    if state:
        found = found.where(TaskRun.state == state)
    return list(session.scalars(found))


def has_data(session: AnySession) -> bool:
    """Whether any game, or any team of a league's list, has been stored."""
    team = select(Team.id).where(Team.listed).limit(1)
    game = select(Game.id).limit(1)
    return session.scalar(team) is not None or session.scalar(game) is not None


def _cards(session: AnySession, found: Select[Any], **values: Any) -> list[Card]:
    """Games as a list shows them, by start, then id.

    They are few, and put in order here: asked for an order, SQLite may read all of a league's
    games along an index that has it rather than the few and sort them.
    """
    return sorted(map(_card, session.execute(found, values)), key=BY_START)


def _card(row: Sequence[Any]) -> Card:
    return Card(BY_SLUG[row[0]], _side(row[1:6]), _side(row[6:11]), *row[11:])


def _side(columns: Sequence[Any]) -> Side | None:
    """A team; None while nobody knows who it will be."""
    return Side(*columns) if columns[0] is not None else None


def _id_of(slug: str) -> ScalarSelect[int]:
    """A league's id within another statement, which so sees one league, not a join."""
    return select(LeagueRow.id).where(LeagueRow.slug == slug).scalar_subquery()

"""Reads: one function for each question that a page, the API or a command asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload, load_only, undefer
from sqlalchemy.sql.base import ExecutableOption

from sportsapp.database import AnySession
from sportsapp.models import Game, League, Player, TaskRun, Team
from sportsapp.records import State, Status

SEARCH_LIMIT = 40
CARD = (
    Game.espn_id, Game.league_id, Game.day, Game.start_at, Game.time_set, Game.state, Game.status,
    Game.detail, Game.home_team_id, Game.away_team_id, Game.home_score, Game.away_score,
    Game.home_record, Game.away_record, Game.home_winner, Game.away_winner, Game.neutral_site,
    Game.broadcast, Game.note, Game.season_year, Game.season_type, Game.week,
)  # fmt: skip
SIDE = (Team.espn_id, Team.abbreviation, Team.display_name, Team.short_name, Team.color)


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
    mine = Game.league_id == League.id
    live = select(func.count()).where(mine, Game.state == State.IN).scalar_subquery()
    waiting = (Game.state == State.PRE) & Game.time_set & (Game.start_at > starts_after)
    next_start = (
        select(Game.start_at)
        .where(mine, waiting)
        .order_by(Game.start_at)
        .limit(1)
        .scalar_subquery()
    )
    found = select(
        League.slug, League.season_name, League.changed_at, League.polled_at,
        League.failing_since, League.standings_at, live, next_start,
    ).where(League.slug.in_(slugs))  # fmt: skip
    states = {row.slug: LeagueState(*row) for row in session.execute(found)}
    return [states[slug] for slug in slugs if slug in states]


def leagues_by_slug(session: AnySession, slugs: Sequence[str]) -> dict[str, League]:
    """The rows of these leagues; one that was never asked for has none."""
    rows = session.scalars(select(League).where(League.slug.in_(slugs)))
    return {row.slug: row for row in rows}


# ---------------------------------------------------------------- games


def games_on(session: AnySession, day: date, slugs: Sequence[str]) -> list[Game]:
    """A day's games of these leagues with their teams, by start, then id. May be empty."""
    return list(session.scalars(_ordered(_cards_of(slugs).where(Game.day == day))))


def live_games(session: AnySession, slugs: Sequence[str]) -> list[Game]:
    """What is on now in these leagues, by start, then id."""
    return list(session.scalars(_ordered(_cards_of(slugs).where(Game.state == State.IN))))


def game_list(
    session: AnySession, slugs: Sequence[str], day: date | None, state: str | None, limit: int
) -> list[Game]:
    """Games by start, then id; ``day`` and ``state`` narrow them where given."""
    found = _games_of(slugs)
    if day is not None:
        found = found.where(Game.day == day)
    if state is not None:
        found = found.where(Game.state == state)
    return list(session.scalars(_ordered(found).limit(limit)))


def find_game(session: AnySession, slug: str, espn_id: str) -> Game | None:
    """One game with its teams."""
    return session.scalar(_games_of([slug]).where(Game.espn_id == espn_id))


def games_in_week(
    session: AnySession, slug: str, season_year: int, season_type: int, week: int
) -> list[Game]:
    """A week's games, by start, then id. May be empty."""
    found = _cards_of([slug]).where(
        Game.season_year == season_year, Game.season_type == season_type, Game.week == week
    )
    return list(session.scalars(_ordered(found)))


def weeks_of(session: AnySession, slug: str, season_year: int) -> list[tuple[int, int, date]]:
    """The weeks of a season that games are known of: season type, week, first day; in order."""
    found = (
        select(Game.season_type, Game.week, func.min(Game.day))
        .join(Game.league)
        .where(League.slug == slug, Game.season_year == season_year)
        .where(Game.season_type.is_not(None), Game.week.is_not(None))
        .group_by(Game.season_type, Game.week)
        .order_by(func.min(Game.day))
    )
    rows = session.execute(found)
    return [(kind, week, day) for kind, week, day in rows if kind is not None and week is not None]


def day_before(session: AnySession, slug: str, day: date) -> date | None:
    """The last day with games before this one."""
    days = select(Game.day).join(Game.league).where(League.slug == slug, Game.day < day)
    return session.scalar(days.order_by(Game.day.desc()).limit(1))


def day_after(session: AnySession, slug: str, day: date) -> date | None:
    """The first day with games after this one, without games that were called off."""
    days = select(Game.day).join(Game.league).where(League.slug == slug, Game.day > day)
    on = Game.status.not_in((Status.POSTPONED, Status.CANCELLED))
    return session.scalar(days.where(on).order_by(Game.day).limit(1))


def games_of_team(session: AnySession, team: Team, season_year: int | None) -> list[Game]:
    """A team's games of a season, by start, then id; of all seasons where none is given."""
    found = (
        select(Game)
        .where(or_(Game.home_team_id == team.id, Game.away_team_id == team.id))
        .options(*_card(), undefer(Game.venue), undefer(Game.city), undefer(Game.updated_at))
    )
    if season_year is not None:
        found = found.where(Game.season_year == season_year)
    return list(session.scalars(_ordered(found)))


def latest_finals(session: AnySession, slug: str, limit: int) -> list[Game]:
    """The games that ended last, newest start first."""
    found = _games_of([slug]).where(
        Game.state == State.POST, Game.status.in_((Status.FINAL, Status.FORFEIT))
    )
    return list(session.scalars(found.order_by(Game.start_at.desc(), Game.espn_id).limit(limit)))


# ---------------------------------------------------------------- teams and players


def teams_of(session: AnySession, slugs: Sequence[str]) -> list[Team]:
    """The listed teams of these leagues with their league, by name."""
    found = (
        select(Team)
        .join(Team.league)
        .where(League.slug.in_(slugs), Team.listed)
        .order_by(League.slug, Team.display_name, Team.espn_id)
        .options(joinedload(Team.league))
    )
    return list(session.scalars(found))


def find_team(session: AnySession, slug: str, abbreviation: str) -> Team | None:
    """The team of this abbreviation, upper or lower case; a listed one before a guest."""
    found = (
        select(Team)
        .join(Team.league)
        .where(League.slug == slug, Team.abbreviation == abbreviation.upper())
        .order_by(Team.listed.desc(), Team.id)
        .limit(1)
        .options(joinedload(Team.league))
    )
    return session.scalar(found)


def teams_named(session: AnySession, names: Sequence[str]) -> list[Team]:
    """The teams behind these favourites ("nfl-12"), in that order; unknown ones left out."""
    slugs = {name.partition("-")[0] for name in names}
    ids = {name.partition("-")[2] for name in names}
    found = (
        select(Team)
        .join(Team.league)
        .where(League.slug.in_(slugs), Team.espn_id.in_(ids))
        .options(joinedload(Team.league))
    )
    by_name = {f"{team.league.slug}-{team.espn_id}": team for team in session.scalars(found)}
    return [by_name[name] for name in names if name in by_name]


def search_teams(session: AnySession, slugs: Sequence[str], words: str) -> list[Team]:
    """Listed teams whose full name has all the words, or whose abbreviation is the text."""
    found = (
        select(Team)
        .join(Team.league)
        .where(League.slug.in_(slugs), Team.listed)
        .options(joinedload(Team.league))
        .order_by(Team.display_name, League.slug)
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
        .join(Team.league)
        .where(League.slug == slug, Team.standing_position.is_not(None))
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


def _games_of(slugs: Sequence[str]) -> Select[Game]:
    """Games of these leagues with all that is known of them, and their teams."""
    return _of(slugs).options(
        joinedload(Game.league), joinedload(Game.home_team), joinedload(Game.away_team)
    )


def _cards_of(slugs: Sequence[str]) -> Select[Game]:
    """Games of these leagues with what a list of games shows; anything else raises."""
    return _of(slugs).options(*_card())


def _of(slugs: Sequence[str]) -> Select[Game]:
    return select(Game).join(Game.league).where(League.slug.in_(slugs))


def _card() -> tuple[ExecutableOption, ...]:
    return (
        load_only(*CARD, raiseload=True),
        joinedload(Game.league).load_only(League.slug, raiseload=True),
        joinedload(Game.home_team).load_only(*SIDE, raiseload=True),
        joinedload(Game.away_team).load_only(*SIDE, raiseload=True),
    )


def _ordered(found: Select[Game]) -> Select[Game]:
    return found.order_by(Game.start_at, Game.espn_id)

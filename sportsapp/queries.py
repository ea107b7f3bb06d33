"""Reads: one function for each question that a page, the API or a command asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from sportsapp.database import AnySession
from sportsapp.models import Game, League, TaskRun, Team
from sportsapp.records import State


def leagues_by_slug(session: AnySession, slugs: Sequence[str]) -> dict[str, League]:
    """The rows of these leagues; one that was never asked for has none."""
    rows = session.scalars(select(League).where(League.slug.in_(slugs)))
    return {row.slug: row for row in rows}


def games_on(session: AnySession, day: date, slugs: Sequence[str]) -> list[Game]:
    """A day's games of these leagues with their teams, by start, then id. May be empty."""
    return list(session.scalars(_ordered(_games_of(slugs).where(Game.day == day))))


def live_games(session: AnySession, slugs: Sequence[str]) -> list[Game]:
    """What is on now in these leagues, by start, then id."""
    return list(session.scalars(_ordered(_games_of(slugs).where(Game.state == State.IN))))


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


def nearest_days(session: AnySession, league_id: int, day: date) -> tuple[date | None, date | None]:
    """The last day with games before ``day``, and the first one after it."""
    days = select(Game.day).where(Game.league_id == league_id)
    before = days.where(Game.day < day).order_by(Game.day.desc()).limit(1)
    after = days.where(Game.day > day).order_by(Game.day).limit(1)
    return session.scalar(before), session.scalar(after)


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
    return (
        select(Game)
        .join(Game.league)
        .where(League.slug.in_(slugs))
        .options(joinedload(Game.league), joinedload(Game.home_team), joinedload(Game.away_team))
    )


def _ordered(found: Select[Game]) -> Select[Game]:
    return found.order_by(Game.start_at, Game.espn_id)

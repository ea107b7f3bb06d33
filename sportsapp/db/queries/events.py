"""Score events: the API's list, and those of one game."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, or_, select, union_all

from sportsapp.db.engine import AnySession
from sportsapp.db.models import Game, LeagueRow, ScoreEvent, Team


class ListedEvent(NamedTuple):
    """A score event, the slug of its league, and the feed's ids of its game and its side's team."""

    event: ScoreEvent
    league: str
    espn_id: str
    team: str | None


_TEAM_OF_SIDE = or_(
    (ScoreEvent.side == "home") & (Team.id == Game.home_team_id),
    (ScoreEvent.side == "away") & (Team.id == Game.away_team_id),
)
_LISTED = (
    select(ScoreEvent, LeagueRow.slug, Game.espn_id, Team.espn_id)
    .join(Game, Game.id == ScoreEvent.game_id)
    .join(LeagueRow, LeagueRow.id == ScoreEvent.league_id)
    .outerjoin(Team, _TEAM_OF_SIDE)
)


def event_list(
    session: AnySession,
    slugs: Sequence[str],
    team: Team | None,
    after: int | None,
    limit: int,
) -> list[ListedEvent]:
    """The first events of these leagues, or of the team's games, with higher ids than ``after``.

    Without ``after`` the newest ones. By id. May be empty.
    """
    order = ScoreEvent.id.desc() if after is None else ScoreEvent.id

    def first(slug: str) -> Select[Any]:
        of_league = select(LeagueRow.id).where(LeagueRow.slug == slug).scalar_subquery()
        events = select(ScoreEvent.id).where(ScoreEvent.league_id == of_league)
        if team is not None:
            plays = or_(Game.home_team_id == team.id, Game.away_team_id == team.id)
            events = events.where(ScoreEvent.game_id.in_(select(Game.id).where(plays)))
        if after is not None:
            events = events.where(ScoreEvent.id > after)
        # each league's are read from the index that has their order, up to the limit
        return select(events.order_by(order).limit(limit).subquery())

    ids = union_all(*(first(slug) for slug in slugs))
    listed = _LISTED.where(ScoreEvent.id.in_(ids)).order_by(order).limit(limit)
    rows = [ListedEvent(*row) for row in session.execute(listed)]
    return rows[::-1] if after is None else rows


def events_of(session: AnySession, game_id: int, limit: int) -> Sequence[ScoreEvent]:
    """The newest events of a game, newest first. May be empty."""
    events = select(ScoreEvent).where(ScoreEvent.game_id == game_id)
    return session.scalars(events.order_by(ScoreEvent.id.desc()).limit(limit)).all()

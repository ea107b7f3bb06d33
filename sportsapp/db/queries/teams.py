"""Teams, their standings and their players."""

from collections.abc import Sequence

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import contains_eager

from sportsapp.db.engine import AnySession
from sportsapp.db.models import LeagueRow, Player, Team

SEARCH_LIMIT = 40

_TEAMS = select(Team).join(Team.league_row).options(contains_eager(Team.league_row))


def teams_of(session: AnySession, slugs: Sequence[str]) -> list[Team]:
    """The listed teams of these leagues, by league, then name."""
    teams = _TEAMS.where(LeagueRow.slug.in_(slugs), Team.listed)
    order = (LeagueRow.slug, Team.display_name, Team.espn_id)
    return list(session.scalars(teams.order_by(*order)))


def teams_at(session: AnySession, slug: str, address: str) -> list[Team]:
    """The teams that an address may mean (``Team.address``), the one that it does mean first.

    Several teams may share an abbreviation, which may be in upper or lower case. An address with
    an id ("MIA_193") means the team of that id, whatever precedes it. Empty if there is none.
    """
    _, has_id, espn_id = address.partition("_")
    is_meant = (
        Team.espn_id == espn_id if has_id else Team.abbreviation.in_({address, address.upper()})
    )
    teams = _TEAMS.where(LeagueRow.slug == slug, is_meant)
    order = ((Team.abbreviation == address).desc(), Team.listed.desc(), Team.id)
    return list(session.scalars(teams.order_by(*order)))


def teams_named(session: AnySession, names: Sequence[str]) -> list[Team]:
    """The teams of these favourites ("nfl-12"), in that order; unknown ones are left out."""
    slugs = {name.partition("-")[0] for name in names}
    ids = {name.partition("-")[2] for name in names}
    teams = session.scalars(_TEAMS.where(LeagueRow.slug.in_(slugs), Team.espn_id.in_(ids)))
    by_name = {f"{team.league.slug}-{team.espn_id}": team for team in teams}
    return [by_name[name] for name in names if name in by_name]


def search_teams(session: AnySession, slugs: Sequence[str], text: str) -> list[Team]:
    """The listed teams whose name has all words of ``text``, or whose abbreviation it is, by name.

    At most 40; none for a text without words.
    """
    words = text.split()
    if not words:
        return []
    has_words = and_(*(Team.display_name.icontains(word, autoescape=True) for word in words))
    is_abbreviation = func.lower(Team.abbreviation) == text.strip().lower()
    teams = _TEAMS.where(LeagueRow.slug.in_(slugs), Team.listed, or_(is_abbreviation, has_words))
    order = (Team.display_name, LeagueRow.slug)
    return list(session.scalars(teams.order_by(*order).limit(SEARCH_LIMIT)))


def standings_of(session: AnySession, slug: str) -> list[Team]:
    """The teams in a league's standings, by group, then position."""
    teams = _TEAMS.where(LeagueRow.slug == slug, Team.standing_position.is_not(None))
    order = (Team.standing_group, Team.standing_position, Team.display_name)
    return list(session.scalars(teams.order_by(*order)))


def roster_of(session: AnySession, team: Team) -> list[Player]:
    """A team's active players, by group, then position, then name."""
    players = select(Player).where(Player.team_id == team.id, Player.active)
    order = (Player.roster_group, Player.position, Player.name)
    return list(session.scalars(players.order_by(*order)))

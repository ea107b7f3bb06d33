"""Teams, their standings and their players."""

from collections.abc import Sequence
from difflib import get_close_matches

from sqlalchemy import literal, select
from sqlalchemy.orm import contains_eager

from sportsapp.core.folding import fold
from sportsapp.db.engine import AnySession
from sportsapp.db.models import FormerAbbreviation, LeagueRow, Player, Team

SEARCH_LIMIT = 40
TYPING_ERROR = 0.75
"""How much of two words is the same when one of four letters is wrong (difflib's ratio)."""

_TEAMS = select(Team).join(Team.league_row).options(contains_eager(Team.league_row))


def teams_of(session: AnySession, slugs: Sequence[str]) -> list[Team]:
    """The listed teams of these leagues, by league, then name."""
    teams = _TEAMS.where(LeagueRow.slug.in_(slugs), Team.listed)
    order = (LeagueRow.slug, Team.display_name, Team.espn_id)
    return list(session.scalars(teams.order_by(*order)))


def teams_at(session: AnySession, slug: str, address: str) -> list[Team]:
    """The teams that an address may mean (``Team.address``), the one that it does mean first.

    Several teams may share an abbreviation, which may be in upper or lower case. An address with
    an id ("MIA_193") means the team of that id, whatever precedes it. An abbreviation that
    no team has any more means the team that had it last. Empty if there is none.
    """
    _, has_id, espn_id = address.partition("_")
    is_meant = (
        Team.espn_id == espn_id if has_id else Team.abbreviation.in_({address, address.upper()})
    )
    teams = _TEAMS.where(LeagueRow.slug == slug, is_meant)
    order = ((Team.abbreviation == address).desc(), Team.listed.desc(), Team.id)
    if found := list(session.scalars(teams.order_by(*order))):
        return found
    had = FormerAbbreviation.abbreviation.in_({address, address.upper()})
    former = _TEAMS.join(FormerAbbreviation, FormerAbbreviation.team_id == Team.id)
    return list(session.scalars(former.where(LeagueRow.slug == slug, had)))


def teams_named(session: AnySession, names: Sequence[str]) -> list[Team]:
    """The teams of these favourites ("nfl-12"), in that order; unknown ones are left out."""
    slugs = {name.partition("-")[0] for name in names}
    ids = {name.partition("-")[2] for name in names}
    teams = session.scalars(_TEAMS.where(LeagueRow.slug.in_(slugs), Team.espn_id.in_(ids)))
    by_name = {f"{team.league.slug}-{team.espn_id}": team for team in teams}
    return [by_name[name] for name in names if name in by_name]


def search_teams(session: AnySession, slugs: Sequence[str], text: str) -> list[Team]:
    """The listed teams that have all words of ``text`` in their names, or beginnings of words.

    Where there is none, words that differ by a typing error count, too. By name, at most
    SEARCH_LIMIT; none for a text without words.
    """
    words = fold(text).split()
    teams = _TEAMS.where(LeagueRow.slug.in_(slugs), Team.listed)
    order = (Team.display_name, LeagueRow.slug)
    if not words:
        return []
    # each word follows a space: that of the text before it, or the one put in front of all
    has_words = ((literal(" ") + Team.search_words).contains(f" {word}") for word in words)
    exact = teams.where(*has_words).order_by(*order).limit(SEARCH_LIMIT)
    if found := list(session.scalars(exact)):
        return found
    known = session.execute(
        select(Team.id, Team.search_words).where(Team.id.in_(teams.with_only_columns(Team.id)))
    ).all()
    vocabulary = {word for row in known for word in row.search_words.split()}
    alike = [set(get_close_matches(word, vocabulary, SEARCH_LIMIT, TYPING_ERROR)) for word in words]
    ids = [
        row.id
        for row in known
        if all(not of_word.isdisjoint(row.search_words.split()) for of_word in alike)
    ]
    return list(session.scalars(teams.where(Team.id.in_(ids)).order_by(*order).limit(SEARCH_LIMIT)))


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

"""Teams, their standings and their players."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from sportsapp.core.folding import fold
from sportsapp.db.engine import AnySession
from sportsapp.db.models import FormerAbbreviation, LeagueRow, Player, Team

SEARCH_LIMIT = 40
TYPING_ERROR = 0.75
"""How much of two words is the same when one of four letters is wrong (difflib's ratio)."""
SHORTEST_GUESS = 4
"""Letters of a word that is guessed: shorter ones are abbreviations, and too much is like them."""

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
    no team has any more means the team that had it last, and any other word the one listed team
    that has it in its names ("cowboys", "dallas-cowboys"). Empty if there is none.
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
    if found := list(session.scalars(former.where(LeagueRow.slug == slug, had))):
        return found
    words = [] if has_id else fold(address).split()
    names = " " + Team.search_words + " "
    has_all = [names.contains(f" {word} ", autoescape=True) for word in words]
    of_league = _TEAMS.where(LeagueRow.slug == slug, Team.listed, *has_all)
    named = list(session.scalars(of_league.limit(2))) if words else []
    return named if len(named) == 1 else []


def teams_named(session: AnySession, names: Sequence[str]) -> list[Team]:
    """The teams of these favourites ("nfl-12"), in that order; unknown ones are left out."""
    slugs = {name.partition("-")[0] for name in names}
    ids = {name.partition("-")[2] for name in names}
    teams = session.scalars(_TEAMS.where(LeagueRow.slug.in_(slugs), Team.espn_id.in_(ids)))
    by_name = {f"{team.league.slug}-{team.espn_id}": team for team in teams}
    return [by_name[name] for name in names if name in by_name]


def search_teams(session: AnySession, slugs: Sequence[str], text: str) -> tuple[list[Team], bool]:
    """The listed teams that have all words of ``text`` in their names, or beginnings of words.

    Where there is none, words that differ by a typing error count, too. By name, at most
    SEARCH_LIMIT; none for a text without words. The second value is whether they are such guesses.
    """
    words = fold(text).split()
    if not words:
        return [], False
    listed = select(Team.id, Team.search_words).join(Team.league_row)
    rows = session.execute(listed.where(LeagueRow.slug.in_(slugs), Team.listed))
    names = {team_id: known.split() for team_id, known in rows}
    vocabulary = {known for of_team in names.values() for known in of_team}
    begun = [{known for known in vocabulary if known.startswith(word)} for word in words]
    found = _teams_with(begun, names)
    is_guess = not found
    if is_guess:
        longer = [known for known in vocabulary if len(known) >= SHORTEST_GUESS]
        alike = (get_close_matches(word, longer, SEARCH_LIMIT, TYPING_ERROR) for word in words)
        found = _teams_with([b.union(a) for b, a in zip(begun, alike, strict=True)], names)
    teams = _TEAMS.where(Team.id.in_(found)).order_by(Team.display_name, LeagueRow.slug)
    return list(session.scalars(teams.limit(SEARCH_LIMIT))) if found else [], is_guess


def _teams_with(wanted: Sequence[set[str]], names: Mapping[int, Sequence[str]]) -> list[int]:
    """The teams that have one word of each of these sets in their names."""
    return [
        team_id
        for team_id, of_team in names.items()
        if not any(words.isdisjoint(of_team) for words in wanted)
    ]


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

"""Lists of teams and rosters, and a team wherever the feed mentions one."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial

from msgspec import Raw

from sportsapp.core.errors import PayloadError
from sportsapp.core.leagues import League
from sportsapp.core.records import PlayerRecord, RosterRecord, TeamRecord
from sportsapp.feed.parse.document import (
    UNREADABLE,
    clean_text,
    decode,
    decode_sound_parts,
    first_lines,
    identifier,
    read_document,
    read_rows,
)
from sportsapp.feed.shapes import (
    PlayerShape,
    PositionShape,
    RosterGroupShape,
    RosterShape,
    TeamEntryShape,
    TeamShape,
    TeamsShape,
)

TEAM_REQUIRED = frozenset({"", "team", "team.id"})
PLAYER_REQUIRED = frozenset({"", "id"})


def parse_teams(body: bytes, league: League) -> tuple[list[TeamRecord], list[str]]:
    """The teams of a league in the feed's order, and a line for each that cannot be read.

    Raises PayloadError when the body is not a list of teams, or an empty one.
    Endpoint: ``apis/site/v2/sports/{sport}/{league}/teams``.
    """
    document = read_document(body, TeamsShape, "list of teams")
    rows = [raw for sport in document.sports for league in sport.leagues for raw in league.teams]
    if not rows:
        path = "$.sports[0].leagues[0].teams"
        raise PayloadError("the list of teams is empty", path=path, body=body)

    def read_team(row: Raw) -> TeamRecord:
        return team_record(decode_sound_parts(row, TeamEntryShape, TEAM_REQUIRED).team, league)

    teams, errors = read_rows(rows, read_team, "team")
    return teams, first_lines(errors)


def team_record(team: TeamShape, league: League) -> TeamRecord:
    """A team, with the names that the feed leaves out taken from those it has.

    Raises ValueError for a team without a sound id.
    """
    name = clean_text(team.name, 80)
    location = clean_text(team.location, 80)
    shown = clean_text(team.display_name, 120) or f"{location} {name}".strip()
    short_form = abbreviation(team.abbreviation) or abbreviation(shown)[:3].upper()
    short_name = location if league.named_by_place else clean_text(team.short_display_name, 80)
    return TeamRecord(
        espn_id=identifier(team.id),
        abbreviation=short_form,
        location=location,
        name=name or location or shown,
        display_name=shown or short_form,
        short_name=short_name or name or shown,
        color=hex_color(team.color),
        alternate_color=hex_color(team.alternate_color),
    )


def abbreviation(value: object) -> str:
    """Letters, digits, ``&`` and ``-`` only: it is part of addresses."""
    text = clean_text(value, 12)
    return "".join(character for character in text if character.isalnum() or character in "&-")


def hex_color(value: object) -> str:
    """Six lower-case hex digits, or nothing."""
    text = clean_text(value, 7).lstrip("#").lower()
    return text if len(text) == 6 and set(text) <= set("0123456789abcdef") else ""


# ---------------------------------------------------------------- rosters


def parse_roster(body: bytes) -> RosterRecord:
    """The players of a team, each once; flat lists (NBA) and grouped ones give the same.

    Raises PayloadError when the body is not a roster.
    Endpoint: ``apis/site/v2/sports/{sport}/{league}/teams/{id}/roster``.
    """
    document = read_document(body, RosterShape, "roster")
    players: dict[str, PlayerRecord] = {}
    errors: list[str] = []
    for group, rows in _roster_groups(document.athletes):
        good, bad = read_rows(rows, partial(_player_record, group=group), "player")
        players |= {player.espn_id: player for player in good}
        errors += bad
    return RosterRecord(tuple(players.values()), tuple(first_lines(errors)))


def _roster_groups(athletes: Sequence[Raw]) -> list[tuple[str, list[Raw]]]:
    """Groups with their rows; a flat list is one group without a name."""
    flat: list[Raw] = []
    groups: list[tuple[str, list[Raw]]] = []
    for raw in athletes:
        try:
            group = decode(raw, RosterGroupShape)
        except UNREADABLE:
            flat.append(raw)  # a player, or a broken row that _player_record reports
        else:
            groups.append((clean_text(group.position, 40), group.items))
    if flat:
        groups.append(("", flat))
    return groups


def _player_record(raw: Raw, group: str) -> PlayerRecord:
    player = decode_sound_parts(raw, PlayerShape, PLAYER_REQUIRED)
    name = clean_text(player.display_name, 120) or clean_text(player.full_name, 120)
    if not name:
        raise ValueError("it has no name")
    position = player.position or PositionShape()
    injuries = (clean_text(injury.status, 40) for injury in player.injuries)
    status = clean_text(player.status.type, 40) if player.status else ""
    return PlayerRecord(
        espn_id=identifier(player.id),
        name=name,
        jersey=clean_text(player.jersey, 8),
        position=clean_text(position.abbreviation, 12),
        position_name=clean_text(position.name, 60),
        roster_group=group,
        status=next(filter(None, injuries), status),
        height=clean_text(player.display_height, 20),
        weight=clean_text(player.display_weight, 20),
        born_on=_birthday(player.date_of_birth),
    )


def _birthday(text: str | None) -> date | None:
    """The date as written: the feed gives a morning hour UTC of the same day."""
    try:
        return datetime.fromisoformat(text).date() if text else None
    except ValueError:
        return None

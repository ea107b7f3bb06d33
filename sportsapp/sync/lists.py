"""What a league's lists change: its teams, a team's players, the standings. Pure.

Rows are mappings named like the columns of their table.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import asdict

from sportsapp.core.folding import search_words
from sportsapp.core.records import PlayerRecord, StandingRecord, TeamRecord
from sportsapp.sync.doubts import Values

MOST_LOST = 3  # what relegation takes at once
SMALL_ROSTER = 10  # what is shorter may lose any part


@dataclass(slots=True)
class RowPlan:
    """Whole rows to insert, and by the feed's id the values to change."""

    inserts: list[dict[str, Any]] = field(default_factory=list)
    updates: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many rows change."""
        return len(self.inserts) + len(self.updates)


@dataclass(slots=True)
class ListPlan(RowPlan):
    """The changes of a list of teams or players. ``lost`` counts those whose loss is doubted."""

    lost: int = 0


def team_values(team: TeamRecord) -> dict[str, Any]:
    """A team as a row: its names, and the words under which it is found."""
    names = (team.name, team.short_name, team.abbreviation)
    words = search_words(team.display_name, team.location, names)
    return asdict(team) | {"search_words": words}


def plan_teams(
    stored: Mapping[str, Values],
    fetched: Iterable[TeamRecord],
    *,
    is_whole: bool = True,
    believes_loss: bool = False,
) -> ListPlan:
    """What a league's list of teams changes. Those on it become ``listed``, others no longer are.

    A list that is empty, or not whole (a team on it could not be read), unlists no team. One that
    lacks more than MOST_LOST of them at once may be cut off: they stay listed unless
    ``believes_loss``.
    """
    rows = [team_values(team) | {"listed": True} for team in fetched]
    changes, lost = _plan_rows(stored, rows, keep_blank=("color", "alternate_color")), 0
    if rows and is_whole:
        gone = {espn_id for espn_id, team in stored.items() if team["listed"]}
        gone -= {row["espn_id"] for row in rows}
        if len(gone) > MOST_LOST and not believes_loss:
            lost = len(gone)
        else:
            changes.updates |= {espn_id: {"listed": False} for espn_id in gone}
    return ListPlan(changes.inserts, changes.updates, lost)


def plan_roster(
    stored: Mapping[str, Values],
    fetched: Iterable[PlayerRecord],
    team_id: int,
    *,
    is_whole: bool = True,
) -> ListPlan:
    """What a roster changes. ``stored`` holds the league's players by the feed's id.

    A player who is listed elsewhere moves here; one of this team who is not listed any more
    becomes inactive and keeps his team, so that his last team is known. A roster that is not
    whole (some of its players could not be read) makes nobody inactive. Nor does one with less
    than half as many players as the team has, if those are SMALL_ROSTER or more: it may be cut
    off. It is believed again once half as many are listed, whoever they are.
    """
    rows = [asdict(player) | {"team_id": team_id, "active": True} for player in fetched]
    plan = _plan_rows(stored, rows)
    listed = {row["espn_id"] for row in rows}
    team = {n for n, player in stored.items() if player["team_id"] == team_id and player["active"]}
    gone, lost = team - listed, 0
    if is_whole and len(team) >= SMALL_ROSTER and 2 * len(listed) < len(team):
        lost = len(gone)
    elif is_whole:
        plan.updates |= {espn_id: {"active": False} for espn_id in gone}
    return ListPlan(plan.inserts, plan.updates, lost)


def plan_standings(stored: Mapping[str, Values], fetched: Iterable[StandingRecord]) -> RowPlan:
    """What standings change of the teams. Those that are not stored yet are inserted."""
    plan = RowPlan()
    for line in {line.team.espn_id: line for line in fetched}.values():
        values = {
            "standing_group": line.group,
            "standing_position": line.position,
            "standing_division": line.division,
            "standing_division_position": line.division_position,
            "standing": line.stats,
        }
        if line.summary:
            values["record"] = line.summary.split(",")[0]
        known = stored.get(line.team.espn_id)
        if known is None:
            plan.inserts.append(team_values(line.team) | {"record": ""} | values)
        elif changes := differences(known, values):
            plan.updates[line.team.espn_id] = changes
    return plan


def _plan_rows(
    stored: Mapping[str, Values], rows: Iterable[dict[str, Any]], keep_blank: Sequence[str] = ()
) -> RowPlan:
    plan = RowPlan()
    for row in rows:
        known = stored.get(row["espn_id"])
        if known is None:
            plan.inserts.append(row)
            continue
        changes = differences(known, row)
        changes = {k: v for k, v in changes.items() if v != "" or k not in keep_blank}
        if changes:
            plan.updates[row["espn_id"]] = changes
    return plan


def differences(stored: Values, fetched: Values) -> dict[str, Any]:
    """The fetched values that are not the stored ones."""
    return {name: value for name, value in fetched.items() if stored[name] != value}

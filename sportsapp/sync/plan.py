"""What a sync changes: (stored, fetched, now) in, the changes out. Pure; holds every rule.

A game is compared as a flat mapping of its visible values, named like the columns of the
games table except that ``home_team`` and ``away_team`` hold the team's feed id or None.

The rules:

- Never step backwards: an answer that says less than what is stored (an earlier phase, period
  or clock) is an old copy and changes nothing, unless the feed keeps saying so.
- A corrected score at the same or a later point is taken at once.
- What the feed stops mentioning (venue, channel, attendance, week) is kept; so is a score
  while the game has one.
- A game that is over keeps the teams' records as they were around its end, and their ranks as
  they were at its end.
- A game that is missing from an answer is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sportsapp.core.records import (
    CompetitorRecord,
    GameRecord,
    PlayerRecord,
    StandingRecord,
    State,
    Status,
    TeamRecord,
)

Values = Mapping[str, Any]

# An answer that says less is believed when this many in a row, over at least this long, say so.
DOUBT_ANSWERS = 5
DOUBT_LASTS = timedelta(minutes=5)
RECORDS_SETTLE = timedelta(hours=24)

# What an answer may leave out although it still holds.
KEPT = (
    "venue", "city", "broadcast", "attendance", "week", "season_year", "season_type",
    "home_team", "away_team", "home_record", "away_record", "note", "series",
)  # fmt: skip
RECORDS = ("home_record", "away_record")
RANKS = ("home_rank", "away_rank")
SCORES = ("home_score", "away_score")
CALLED_OFF = frozenset({Status.POSTPONED, Status.CANCELLED})
HALVES = {"top": 0, "mid": 1, "middle": 1, "bot": 2, "bottom": 2, "end": 3}
END_OF_PERIOD = 4


@dataclass(frozen=True, slots=True)
class Doubt:
    """A game that the feed says less about: since when, in how many answers in a row."""

    since_at: datetime
    answers: int


@dataclass(slots=True)
class GamePlan:
    """The changes one answer makes.

    ``inserts`` are whole games; ``updates`` maps the feed's id to the values that change;
    ``doubts`` are games held back, with the new count; ``settled`` are those whose doubt ended.
    """

    inserts: list[dict[str, Any]] = field(default_factory=list)
    updates: dict[str, dict[str, Any]] = field(default_factory=dict)
    doubts: dict[str, Doubt] = field(default_factory=dict)
    settled: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is to be written."""
        return not (self.inserts or self.updates or self.doubts or self.settled)


def game_values(game: GameRecord) -> dict[str, Any]:
    """A game as the flat mapping in which it is compared and stored."""
    values = {
        "espn_id": game.espn_id,
        "day": game.day,
        "start_at": game.start_at,
        "time_set": game.time_set,
        "season_year": game.season_year,
        "season_type": game.season_type,
        "week": game.week,
        "state": str(game.state),
        "status": str(game.status),
        "detail": game.detail,
        "period": game.period,
        "clock": game.clock,
        "clock_left": game.clock_left,
        "venue": game.venue,
        "city": game.city,
        "neutral_site": game.neutral_site,
        "attendance": game.attendance,
        "broadcast": game.broadcast,
        "note": game.note,
        "series": game.series,
        "situation": game.situation,
        "leaders": list(game.leaders),
    }
    values.update(_side_values("home", game.home))
    values.update(_side_values("away", game.away))
    return values


def _side_values(side: str, competitor: CompetitorRecord) -> dict[str, Any]:
    return {
        f"{side}_team": competitor.team.espn_id if competitor.team else None,
        f"{side}_score": competitor.score,
        f"{side}_record": competitor.record,
        f"{side}_linescores": list(competitor.linescores),
        f"{side}_winner": competitor.winner,
        f"{side}_hits": competitor.hits,
        f"{side}_errors": competitor.errors,
        f"{side}_rank": competitor.rank,
    }


def plan_games(
    stored: Mapping[str, Values],
    fetched: Sequence[GameRecord],
    doubts: Mapping[str, Doubt],
    now: datetime,
) -> GamePlan:
    """What the fetched games change. ``stored`` and ``doubts`` are by the feed's game id."""
    plan = GamePlan()
    for espn_id, values in {game.espn_id: game_values(game) for game in fetched}.items():
        known = stored.get(espn_id)
        if known is None:
            plan.inserts.append(values)
        else:
            _plan_known(plan, known, values, doubts.get(espn_id), now)
    return plan


def _plan_known(
    plan: GamePlan, stored: Values, fetched: dict[str, Any], doubt: Doubt | None, now: datetime
) -> None:
    espn_id = fetched["espn_id"]
    if says_less(stored, fetched):
        doubt = Doubt(doubt.since_at if doubt else now, doubt.answers + 1 if doubt else 1)
        if not _believed(doubt, now):
            plan.doubts[espn_id] = doubt
            return
        plan.settled.append(espn_id)
    elif doubt is not None:
        plan.settled.append(espn_id)
    changes = changed_values(stored, fetched, now)
    if changes:
        plan.updates[espn_id] = changes


def _believed(doubt: Doubt, now: datetime) -> bool:
    return doubt.answers >= DOUBT_ANSWERS and now - doubt.since_at >= DOUBT_LASTS


def says_less(stored: Values, fetched: Values) -> bool:
    """Whether the fetched answer is from an earlier moment of the game than the stored one."""
    if _is_over(stored):
        return not _is_over(fetched)
    if stored["state"] == State.PRE:
        return False
    if fetched["state"] == State.PRE:
        return not _moved(stored, fetched)
    if _is_over(fetched) or CALLED_OFF & {stored["status"], fetched["status"]}:
        return False
    return _is_earlier(fetched, stored)


def _is_over(game: Values) -> bool:
    return game["status"] in (Status.FINAL, Status.FORFEIT)


def _moved(stored: Values, fetched: Values) -> bool:
    """Whether a game that was called off, or broken off, has got another start."""
    was_stopped = stored["state"] == State.POST
    return was_stopped and bool(stored["start_at"] != fetched["start_at"])


def _is_earlier(fetched: Values, stored: Values) -> bool:
    """Whether an answer is from an earlier point of play; both games are live or broken off.

    Compares the period, then its half (baseball) or its end, then the clock; what one of the
    two does not tell says nothing.
    """
    for point in (_period, _stage, _clock):
        said, known = point(fetched), point(stored)
        if said is not None and known is not None and said != known:
            return said < known
    return False


def _period(game: Values) -> float | None:
    return float(game["period"])


def _stage(game: Values) -> float | None:
    if game["status"] == Status.BREAK:
        return END_OF_PERIOD
    if game["clock"]:
        return 0
    words = game["detail"].lower().replace(",", " ").split()
    return next((HALVES[word] for word in words if word in HALVES), None)


def _clock(game: Values) -> float | None:
    """Grows with the time played, whichever way the clock counts. None for a clock at zero:
    stopped, or not started.
    """
    left: float | None = game["clock_left"]
    return None if left is None else -left


def changed_values(stored: Values, fetched: Values, now: datetime) -> dict[str, Any]:
    """The values that differ, without what the feed only stopped mentioning."""
    is_over = _is_over(stored)
    is_settled = is_over and now > stored["start_at"] + RECORDS_SETTLE
    changes = {}
    for name, value in fetched.items():
        before = stored[name]
        if value == before or (value in ("", None) and _is_kept(name, fetched)):
            continue
        if (is_over and name in RANKS) or (is_settled and name in RECORDS and before):
            continue
        changes[name] = value
    return changes


def _is_kept(name: str, fetched: Values) -> bool:
    """Whether a value that the feed left out still holds."""
    has_score = fetched["state"] != State.PRE and fetched["status"] not in CALLED_OFF
    return name in KEPT or (name in SCORES and has_score)


# ---------------------------------------------------------------- teams and players

TEAM_FIELDS = (
    "abbreviation", "location", "name", "display_name", "short_name", "color", "alternate_color",
)  # fmt: skip


def team_values(team: TeamRecord) -> dict[str, Any]:
    """A team's own values, as the columns of the teams table."""
    return {"espn_id": team.espn_id} | {name: getattr(team, name) for name in TEAM_FIELDS}


def teams_of(games: Iterable[GameRecord]) -> dict[str, TeamRecord]:
    """The teams that play in these games, by the feed's id."""
    sides = (side for game in games for side in (game.home, game.away))
    return {side.team.espn_id: side.team for side in sides if side.team}


def records_of(games: Iterable[GameRecord], today: date) -> dict[str, str]:
    """Each team's record as of now, by the feed's id.

    The feed gives records as they are at the moment of asking, so any game will do, but only
    those around today belong to the running season.
    """
    near = (game for game in games if abs((game.day - today).days) <= 1)
    sides = (side for game in near for side in (game.home, game.away))
    return {side.team.espn_id: side.record for side in sides if side.team and side.record}


@dataclass(slots=True)
class RowPlan:
    """Rows to insert, and by the feed's id the values to change."""

    inserts: list[dict[str, Any]] = field(default_factory=list)
    updates: dict[str, dict[str, Any]] = field(default_factory=dict)


def plan_teams(
    stored: Mapping[str, Values], fetched: Iterable[TeamRecord], *, is_whole: bool = True
) -> RowPlan:
    """What a league's list of teams changes. Those on it become ``listed``, others no longer are.

    A list that is not whole (a team on it could not be read), or is empty, unlists nobody.
    """
    rows = [team_values(team) | {"listed": True} for team in fetched]
    changes = _plan_rows(stored, rows, keep_blank=("color", "alternate_color"))
    if rows and is_whole:
        gone = {espn_id for espn_id, team in stored.items() if team["listed"]}
        gone -= {row["espn_id"] for row in rows}
        changes.updates.update({espn_id: {"listed": False} for espn_id in gone})
    return changes


def plan_roster(
    stored: Mapping[str, Values],
    fetched: Iterable[PlayerRecord],
    team_id: int,
    *,
    is_whole: bool = True,
) -> RowPlan:
    """What a roster changes. ``stored`` holds the league's players by the feed's id.

    A player who is listed elsewhere moves here; one of this team who is not listed any more
    becomes inactive and keeps his team, so that his last team is known. A roster that is not
    whole (some of its players could not be read) makes nobody inactive.
    """
    rows = [
        {
            "espn_id": player.espn_id,
            "team_id": team_id,
            "name": player.name,
            "jersey": player.jersey,
            "position": player.position,
            "position_name": player.position_name,
            "group": player.group,
            "status": player.status,
            "height": player.height,
            "weight": player.weight,
            "born_on": player.born_on,
            "active": True,
        }
        for player in fetched
    ]
    plan = _plan_rows(stored, rows)
    listed = {row["espn_id"] for row in rows}
    for espn_id, player in stored.items():
        is_gone = player["team_id"] == team_id and espn_id not in listed
        if is_whole and is_gone and player["active"]:
            plan.updates[espn_id] = {"active": False}
    return plan


def plan_standings(
    stored: Mapping[str, Values], fetched: Iterable[StandingRecord]
) -> dict[str, dict[str, Any]]:
    """What standings change of the teams, by the feed's id. Unknown teams are left out."""
    updates = {}
    for line in fetched:
        values = {
            "standing_group": line.group,
            "standing_position": line.position,
            "standing": line.stats,
        }
        if line.summary:
            values["record"] = line.summary.split(",")[0]
        known = stored.get(line.team.espn_id)
        changes = _differences(known, values) if known else {}
        if changes:
            updates[line.team.espn_id] = changes
    return updates


def _plan_rows(
    stored: Mapping[str, Values], rows: Iterable[dict[str, Any]], keep_blank: Sequence[str] = ()
) -> RowPlan:
    plan = RowPlan()
    for row in rows:
        known = stored.get(row["espn_id"])
        if known is None:
            plan.inserts.append(row)
            continue
        changes = _differences(known, row)
        changes = {k: v for k, v in changes.items() if v != "" or k not in keep_blank}
        if changes:
            plan.updates[row["espn_id"]] = changes
    return plan


def _differences(stored: Values, fetched: Values) -> dict[str, Any]:
    return {name: value for name, value in fetched.items() if stored[name] != value}

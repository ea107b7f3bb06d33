"""Which of the fields that we read the feed still has: noticed before pages lack them.

Every answer that was decoded is counted: how many of its rows have a field, of how many that
should. Rows are compared with their like, so that a pre-season without clocks is no alarm. A few
answers make a window, which is judged by the shares of today and the day before. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sportsapp.core.leagues import League
from sportsapp.core.records import (
    RosterRecord,
    ScoreboardRecord,
    StandingRecord,
    State,
    Status,
    TeamRecord,
)

ANSWERS = {"scoreboard": 5, "roster": 5}
"""How many answers make a window; one of the other kinds, which are read once a day at most."""
ENOUGH = 10  # rows, for a share to mean something
SEVERAL = 3  # games; fewer may be an all-star game
NOT_REGULAR = frozenset({None, 1, 3, 4})
"""Season types that are not the regular season; soccer has a number for each of its seasons."""
NEW_NORMAL = timedelta(days=7)

BLANK: dict[str, Any] = {"day": date.min, "counted": {}, "before": {}, "fallen": {}}

Notes = Iterable[tuple[str, bool]]
"""Fields of the rows that should have them, each with whether it is there."""
Counts = Mapping[str, Sequence[int]]
"""By field: how many rows have it, of how many."""


@dataclass
class Window:
    """What some answers of one league and kind had, until they are judged together."""

    answers: int = 0
    counts: dict[str, list[int]] = field(default_factory=dict)

    def add(self, notes: Notes) -> None:
        """Count one more answer."""
        self.answers += 1
        for name, is_there in notes:
            count = self.counts.setdefault(name, [0, 0])
            count[0] += is_there
            count[1] += 1

    def take(self) -> dict[str, list[int]]:
        """The counts that mean something; the others wait for more answers."""
        taken = {name: count for name, count in self.counts.items() if count[1] >= ENOUGH}
        self.answers, self.counts = 0, {k: v for k, v in self.counts.items() if k not in taken}
        return taken


# ---------------------------------------------------------------- what is counted


def scoreboard_notes(board: ScoreboardRecord) -> Iterator[tuple[str, bool]]:
    """Of games that have begun, what all of them have; more of several in the regular season."""
    yield from _readable("event", len(board.games), board.events - len(board.games))
    begun = [game for game in board.games if game.state is State.IN or game.completed]
    for game in begun:
        yield "score", None not in (game.home.score, game.away.score)
        yield "team", None not in (game.home.team, game.away.team)
        yield "period", game.period > 0
        yield "detail", bool(game.detail)
        yield "season", game.season_type is not None
    regular = [game for game in begun if game.season_type not in NOT_REGULAR]
    for game in regular if len(regular) >= SEVERAL else []:
        yield "venue", bool(game.venue)
        yield "record", bool(game.home.record and game.away.record)
        # a side that has not batted yet has none in the first inning
        if game.completed or (game.status is Status.LIVE and game.period > 1):
            yield "linescores", bool(game.home.linescores and game.away.linescores)
        if game.status is Status.LIVE:
            yield "clock", bool(game.clock)
            yield "situation", bool(game.situation)
        elif game.completed:
            yield "winner", game.home.winner is not None
            yield "leaders", bool(game.leaders)


def team_notes(teams: Sequence[TeamRecord], errors: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Of every team of a league's list."""
    yield from _readable("team", len(teams), len(errors))
    for team in teams:
        yield "location", bool(team.location)
        yield "color", bool(team.color)


def standing_notes(
    lines: Sequence[StandingRecord], errors: Sequence[str], league: League
) -> Iterator[tuple[str, bool]]:
    """Of every line, with the columns that the league's table shows."""
    yield from _readable("line", len(lines), len(errors))
    for line in lines:
        yield "record", bool(line.summary)
        yield "group", bool(line.group)
        if league.has_divisions:
            yield "division", bool(line.division)
        for name in league.standings:
            yield name, bool(line.stats.get(name))


def roster_notes(roster: RosterRecord) -> Iterator[tuple[str, bool]]:
    """Of every player."""
    yield from _readable("player", len(roster.players), len(roster.errors))
    for player in roster.players:
        for name in ("jersey", "position", "status", "height", "weight", "born_on"):
            yield name, bool(getattr(player, name))


def _readable(name: str, good: int, broken: int) -> Notes:
    return [(name, True)] * good + [(name, False)] * broken


# ---------------------------------------------------------------- what is judged


def judge(stored: Mapping[str, Any], counts: Counts, day: date) -> dict[str, Any]:
    """The row of shares after a window; a share of half of what it was is ``fallen``.

    A fallen field is not counted, so that its share of before stays. After a week it is normal.
    """
    counted, before = dict(stored["counted"]), dict(stored["before"])
    fallen = dict(stored["fallen"])
    if stored["day"] != day:
        counted, before = {}, before | counted
    for name, (has, of) in counts.items():
        had, had_of = known_share(counted, before, name)
        is_low = had_of >= ENOUGH and 2 * had >= had_of and 2 * has * had_of <= had * of
        since = fallen.pop(name, f"{day}")
        if is_low and day - date.fromisoformat(since) < NEW_NORMAL:
            fallen[name] = since
            continue
        if is_low:
            before.pop(name, None)
            counted.pop(name, None)
        so_far = counted.get(name, [0, 0])
        counted[name] = [so_far[0] + has, so_far[1] + of]
    return {"day": day, "counted": counted, "before": before, "fallen": fallen}


def known_share(counted: Counts, before: Counts, name: str) -> tuple[int, int]:
    """How many rows had a field today and the day before, of how many."""
    (had, of), (had_before, of_before) = counted.get(name, (0, 0)), before.get(name, (0, 0))
    return had + had_before, of + of_before


def summary_of(judged: Mapping[str, Any], counts: Counts) -> str:
    """The fields of these counts that are fallen: "clock 0 of 40 (before 98%), score ..."."""
    parts = []
    for name in sorted(judged["fallen"].keys() & counts.keys()):
        had, of = known_share(judged["counted"], judged["before"], name)
        parts.append(f"{name} {counts[name][0]} of {counts[name][1]} (before {had / of:.0%})")
    return ", ".join(parts)

"""How a game ends: drawn first, so that tables and playoff brackets need no play by play.

`script` then tells the same game minute by minute.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from random import Random

from demo.chance import seeded, share, weighted
from demo.fixtures import POSTSEASON, Fixture
from demo.teams import DemoTeam

HOME_EDGE = 0.2
DRIVES = ((0, 0.43), (1, 0.4), (2, 0.17))
DRIVE_POINTS = ((7, 0.52), (3, 0.38), (6, 0.06), (8, 0.04))
GOALS = ((0, 0.42), (1, 0.35), (2, 0.17), (3, 0.06))
RUNS = ((0, 0.73), (1, 0.14), (2, 0.07), (3, 0.04), (4, 0.02))

Line = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The final score: one (away, home) pair a period; home is None when it did not bat.

    `ending` is what follows "Final/": OT, 2OT, SO, or the innings of a long game; else empty.
    """

    lines: tuple[Line, ...]
    ending: str = ""

    @property
    def away(self) -> int:
        return sum(away for away, _ in self.lines)

    @property
    def home(self) -> int:
        return sum(home or 0 for _, home in self.lines)


def strength(team: DemoTeam, season: int) -> float:
    """Return how good a team is in a season, from -1 to 1."""
    return share("strength", team.league, season, team.id) * 2 - 1


def home_edge(fixture: Fixture) -> float:
    """Return by how much the home side is favoured; below zero for an outsider."""
    home = strength(fixture.home, fixture.season)
    return home - strength(fixture.away, fixture.season) + HOME_EDGE


@lru_cache(maxsize=40_000)
def outcome_of(fixture: Fixture) -> Outcome:
    """Return how this game ends if it is played; the same for the same game, always."""
    chance = seeded("outcome", fixture.id, fixture.home.id, fixture.away.id)
    return DRAWS[fixture.league.key](chance, home_edge(fixture), fixture.kind == POSTSEASON)


def is_level(lines: list[Line]) -> bool:
    return sum(away for away, _ in lines) == sum(home or 0 for _, home in lines)


def draw_football(chance: Random, edge: float, playoff: bool) -> Outcome:
    """Four quarters of drives; overtime may end in a tie, but not in the playoffs."""
    lines: list[Line] = [
        (football_points(chance, -edge), football_points(chance, edge)) for _ in range(4)
    ]
    if not is_level(lines):
        return Outcome(tuple(lines))
    tied = chance.random() < 0.15 and not playoff
    points = 3 if chance.random() < 0.6 else 6
    home_wins = chance.random() < 0.5
    lines.append((0, 0) if tied else (0, points) if home_wins else (points, 0))
    return Outcome(tuple(lines), "OT")


def draw_college_football(chance: Random, edge: float, _playoff: bool) -> Outcome:
    """The same, never with a tie."""
    return draw_football(chance, edge, playoff=True)


def football_points(chance: Random, edge: float) -> int:
    drives = weighted(chance.random() + edge * 0.12, DRIVES)
    return sum(weighted(chance.random(), DRIVE_POINTS) for _ in range(drives))


def draw_basketball(
    chance: Random, edge: float, _playoff: bool, mean: float = 28.5, spread: float = 4.6
) -> Outcome:
    """Four quarters, and overtimes until somebody leads."""
    least = round(mean / 2)
    lines: list[Line] = [basketball_points(chance, edge, mean, spread, least) for _ in range(4)]
    while is_level(lines):
        lines.append(basketball_points(chance, edge, 11, 3, 4))
    overtimes = len(lines) - 4
    return Outcome(tuple(lines), f"{overtimes if overtimes > 1 else ''}OT" if overtimes else "")


def draw_college(chance: Random, edge: float, _playoff: bool) -> Outcome:
    """Two halves, and overtimes until somebody leads."""
    lines: list[Line] = [basketball_points(chance, edge * 2, 35.5, 5.5, 18) for _ in range(2)]
    while is_level(lines):
        lines.append(basketball_points(chance, edge, 11, 3, 4))
    overtimes = len(lines) - 2
    return Outcome(tuple(lines), f"{overtimes if overtimes > 1 else ''}OT" if overtimes else "")


def draw_soccer(chance: Random, edge: float, _playoff: bool) -> Outcome:
    """Two halves; a draw is as good an end as any."""
    return Outcome(tuple((goals(chance, -edge), goals(chance, edge)) for _ in range(2)))


def basketball_points(
    chance: Random, edge: float, mean: float, spread: float, least: int
) -> tuple[int, int]:
    away = max(least, round(chance.gauss(mean - edge, spread)))
    return away, max(least, round(chance.gauss(mean + edge, spread)))


def draw_hockey(chance: Random, edge: float, playoff: bool) -> Outcome:
    """Three periods, then one overtime and a shootout, or in playoffs overtimes to the end."""
    lines: list[Line] = [(goals(chance, -edge), goals(chance, edge)) for _ in range(3)]
    if not is_level(lines):
        return Outcome(tuple(lines))
    winner = (0, 1) if chance.random() < 0.5 + edge * 0.1 else (1, 0)
    overtimes = 1
    while chance.random() < 0.38:
        overtimes += 1
    if overtimes > 1 and not playoff:
        return Outcome((*lines, (0, 0), winner), "SO")
    lines += [(0, 0)] * (overtimes - 1)
    return Outcome((*lines, winner), f"{overtimes if overtimes > 1 else ''}OT")


def goals(chance: Random, edge: float) -> int:
    return weighted(chance.random() + edge * 0.09, GOALS)


def draw_baseball(chance: Random, edge: float, _playoff: bool) -> Outcome:
    """Nine innings and more when level; the home side bats last only while it must."""
    lines: list[Line] = [(runs(chance, -edge), runs(chance, edge)) for _ in range(8)]
    while len(lines) < 9 or is_level(lines):
        behind = sum(away - (home or 0) for away, home in lines)
        lines.append(last_inning(chance, edge, behind))
    return Outcome(tuple(lines), str(len(lines)) if len(lines) > 9 else "")


def last_inning(chance: Random, edge: float, behind: int) -> Line:
    """Return an inning after which the game may be over; `behind` is what home has to make up."""
    top = runs(chance, -edge)
    if behind + top < 0:
        return top, None
    return top, min(runs(chance, edge), behind + top + 1)


def runs(chance: Random, edge: float) -> int:
    return weighted(chance.random() + edge * 0.045, RUNS)


DRAWS: dict[str, Callable[[Random, float, bool], Outcome]] = {
    "nfl": draw_football,
    "nba": draw_basketball,
    "mlb": draw_baseball,
    "nhl": draw_hockey,
    "mens-college-basketball": draw_college,
    "usa.1": draw_soccer,
    "wnba": partial(draw_basketball, mean=20.5, spread=4),
    "womens-college-basketball": partial(draw_basketball, mean=17.5, spread=4),
    "college-football": draw_college_football,
    "eng.1": draw_soccer,
}

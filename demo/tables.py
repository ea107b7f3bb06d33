"""Who has won how often: the standings after any number of a season's games."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from demo.fixtures import Fixture
from demo.leagues import DemoLeague
from demo.outcomes import Outcome, outcome_of
from demo.teams import DemoTeam

WIN, LOSS, OTHER = 0, 1, 2


@dataclass(slots=True)
class Tally:
    """One team's season. Triples are (won, lost, third): ties in the NFL, overtime losses in
    the NHL, draws in soccer. `streak` is above zero for wins, below for losses; `last` holds
    WIN, LOSS, OTHER."""

    home: list[int] = field(default_factory=lambda: [0, 0, 0])
    road: list[int] = field(default_factory=lambda: [0, 0, 0])
    division: list[int] = field(default_factory=lambda: [0, 0, 0])
    conference: list[int] = field(default_factory=lambda: [0, 0, 0])
    scored: int = 0
    allowed: int = 0
    streak: int = 0
    overtime_wins: int = 0
    shootout_wins: int = 0
    last: list[int] = field(default_factory=list)

    @property
    def total(self) -> list[int]:
        return [home + road for home, road in zip(self.home, self.road, strict=True)]

    @property
    def games(self) -> int:
        return sum(self.total)

    def points(self, league: DemoLeague) -> int:
        """Return two a win in hockey, three in soccer, and one an overtime loss or a draw."""
        return self.total[WIN] * (3 if league.sport == "soccer" else 2) + self.total[OTHER]

    @property
    def share_won(self) -> float:
        won, lost, other = self.total
        return (won + other / 2) / max(1, won + lost + other)

    def add(self, result: int, scored: int, allowed: int) -> None:
        self.scored += scored
        self.allowed += allowed
        self.last.append(result)
        if result == OTHER:
            self.streak = 0
        else:
            step = 1 if result == WIN else -1
            self.streak = self.streak + step if self.streak * step > 0 else step


def result_for(league: DemoLeague, outcome: Outcome, scored: int, allowed: int) -> int:
    if scored > allowed:
        return WIN
    late = league.key == "nhl" and outcome.ending
    return OTHER if scored == allowed or late else LOSS


def tally_games(
    league: DemoLeague, teams: Iterable[str], games: Sequence[Fixture]
) -> dict[str, Tally]:
    """Return a tally by team id over these games, all of which count and are over."""
    tallies = {team: Tally() for team in teams}
    for game in games:
        outcome = outcome_of(game)
        tally_side(league, tallies[game.home.id], game, outcome, at_home=True)
        tally_side(league, tallies[game.away.id], game, outcome, at_home=False)
    return tallies


def tally_side(
    league: DemoLeague, tally: Tally, game: Fixture, outcome: Outcome, at_home: bool
) -> None:
    scored, allowed = outcome.home, outcome.away
    if not at_home:
        scored, allowed = allowed, scored
    result = result_for(league, outcome, scored, allowed)
    tally.add(result, scored, allowed)
    (tally.home if at_home else tally.road)[result] += 1
    if game.home.conference == game.away.conference:
        tally.conference[result] += 1
        if game.home.division == game.away.division:
            tally.division[result] += 1
    tally.shootout_wins += result == WIN and outcome.ending == "SO"
    tally.overtime_wins += result == WIN and outcome.ending == "OT"


def rank(league: DemoLeague, tallies: dict[str, Tally]) -> list[str]:
    """Return team ids, best first: by points in hockey and soccer, else by share of games won."""

    def merit(team: str) -> tuple[float, int]:
        tally = tallies[team]
        by_points = league.sport in {"hockey", "soccer"}
        first = tally.points(league) if by_points else tally.share_won
        return first, tally.scored - tally.allowed

    return sorted(tallies, key=merit, reverse=True)


def seeds_of(
    league: DemoLeague, teams: Mapping[str, DemoTeam], tallies: dict[str, Tally]
) -> dict[str, list[str]]:
    """Return team ids by conference, best first, in the NFL and MLB after division leaders."""
    seeds: dict[str, list[str]] = {group[0]: [] for group in league.groups}
    for team in rank(league, tallies):
        seeds[teams[team].conference].append(team)
    if league.key not in {"nfl", "mlb"}:
        return seeds
    for conference, ranked in seeds.items():
        best: dict[str, str] = {}
        for team in ranked:
            best.setdefault(teams[team].division, team)
        others = [team for team in ranked if team not in best.values()]
        seeds[conference] = [*best.values(), *others]
    return seeds


def record_text(league: DemoLeague, counts: Sequence[int]) -> str:
    """Return "41-17-6" for hockey, "9-2" or "9-2-1" for football, "50-32" for the others.

    Soccer's "16-4-9" is won, drawn, lost.
    """
    won, lost, other = counts
    if league.sport == "soccer":
        return f"{won}-{other}-{lost}"
    if league.key == "nhl" or other:
        return f"{won}-{lost}-{other}"
    return f"{won}-{lost}"

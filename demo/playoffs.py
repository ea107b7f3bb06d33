"""The playoffs: brackets from the final table, series played to their end.

Who meets whom is settled by the games before, so until a round's field is known the feed shows
TBD teams. A series' last games are listed as "If Necessary" and vanish when it is decided.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from demo.fixtures import POSTSEASON, Fixture, Round, eastern
from demo.leagues import DemoLeague
from demo.outcomes import outcome_of
from demo.script import ends_at
from demo.teams import DemoTeam, teams_of

FIRST_INDEX = 2800
REAL_SPEED = 1.0

RD16 = ("14", "RD16")
QTR = ("15", "QTR")
SEMI = ("16", "SEMI")
FINAL = ("17", "FINAL")
STANDARD = ("1", "STD")


@dataclass(frozen=True, slots=True)
class Stage:
    """One round of a league's playoffs.

    `title` may hold {side} for the conference; `first` is the day after the season's last on
    which it begins, `step` the days between games, `homes` who is at home (h high, l low seed).
    """

    type: tuple[str, str]
    title: str
    homes: str
    first: int
    step: int
    hours: tuple[tuple[int, int], ...]

    def round(self, side: str) -> Round:
        title = self.title.format(side=side)
        return Round(self.type[0], self.type[1], title, len(self.homes))


EVENING = ((19, 0), (20, 0), (21, 30), (22, 0))
STAGES: dict[str, tuple[Stage, ...]] = {
    "nba": (
        Stage(RD16, "{side} 1st Round", "hhllhlh", 3, 2, EVENING),
        Stage(QTR, "{side} Semifinals", "hhllhlh", 18, 2, EVENING),
        Stage(SEMI, "{side} Finals", "hhllhlh", 33, 2, EVENING),
        Stage(FINAL, "NBA Finals", "hhllhlh", 49, 3, ((20, 30),)),
    ),
    "nhl": (
        Stage(RD16, "{side} 1st Round", "hhllhlh", 3, 2, EVENING),
        Stage(QTR, "{side} 2nd Round", "hhllhlh", 18, 2, EVENING),
        Stage(SEMI, "{side} Final", "hhllhlh", 33, 2, EVENING),
        Stage(FINAL, "Stanley Cup Final", "hhllhlh", 49, 2, ((20, 0),)),
    ),
    "mlb": (
        Stage(STANDARD, "{side} Wild Card Series", "hhh", 2, 1, ((13, 8), (19, 8))),
        Stage(STANDARD, "{side}DS", "hhllh", 6, 2, ((16, 8), (20, 8))),
        Stage(STANDARD, "{side}CS", "hhlllhh", 16, 1, ((20, 3), (16, 3))),
        Stage(STANDARD, "World Series", "hhlllhh", 27, 1, ((20, 0),)),
    ),
}

# The NFL plays single games: day from the last Sunday, hour and minute, in the bracket's order.
FOOTBALL_STAGES: tuple[tuple[int, str, tuple[tuple[int, int, int], ...]], ...] = (
    (
        1,
        "{side} Wild Card Playoffs",
        ((6, 16, 30), (7, 13, 0), (8, 20, 15), (6, 20, 15), (7, 16, 30), (7, 20, 15)),
    ),
    (2, "{side} Divisional Playoffs", ((13, 16, 30), (14, 15, 0), (13, 20, 15), (14, 18, 30))),
    (3, "{side} Championship Game", ((21, 15, 0), (21, 18, 30))),
    (5, "Super Bowl", ((35, 18, 30),)),
)


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two sides of a series: the high seed and the low seed, of one conference or of two."""

    side: str
    high: DemoTeam
    low: DemoTeam


Seeds = dict[str, list[str]]


def bracket_games(league: DemoLeague, season: int, last_day: date, seeds: Seeds) -> list[Fixture]:
    """Return every playoff game of a season; `seeds` are ranked team ids by conference.

    NFL, NBA, NHL and MLB have them here, the others none.
    """
    if league.key == "nfl":
        return football_playoffs(league, season, last_day, seeds)
    if league.key not in STAGES:
        return []
    games: list[Fixture] = []
    sides = [group[0] for group in league.groups]
    field = {side: first_pairs(league, side, seeds[side]) for side in sides}
    known = midday(last_day + timedelta(days=1))
    number = 0
    for stage in STAGES[league.key]:
        pairs = [pair for side in field for pair in field[side]]
        winners: dict[tuple[str, int], DemoTeam] = {}
        for place, pair in enumerate(pairs):
            first = last_day + timedelta(days=stage.first + place % min(2, stage.step))
            series = play_series(league, season, stage, pair, number + place, first, known)
            winners[pair.side, place] = winner_of(series, stage)
            games += series
        number += len(pairs)
        known = midday(max(game.day for game in games) + timedelta(days=1))
        field = next_field(league, stage, seeds, winners)
    return games


def midday(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)


def first_pairs(league: DemoLeague, side: str, seeds: Sequence[str]) -> list[Pairing]:
    orders = ((3, 6), (4, 5)) if league.key == "mlb" else ((1, 8), (4, 5), (3, 6), (2, 7))
    teams = teams_of(league.key)
    return [Pairing(side, teams[seeds[a - 1]], teams[seeds[b - 1]]) for a, b in orders]


def next_field(
    league: DemoLeague, stage: Stage, seeds: Seeds, winners: dict[tuple[str, int], DemoTeam]
) -> dict[str, list[Pairing]]:
    """Return the next round: neighbours in the bracket meet; the two champions in the end."""
    left: dict[str, list[DemoTeam]] = {side: [] for side in seeds}
    for (side, _), team in winners.items():
        if side in left:
            left[side].append(team)
    if all(len(teams) == 1 for teams in left.values()):
        return {"": [ordered("", seeds, *(teams[0] for teams in left.values()))]}
    if league.key == "mlb" and stage is STAGES["mlb"][0]:
        byes = teams_of("mlb")
        return {
            side: [
                Pairing(side, byes[seeds[side][1]], teams[0]),
                Pairing(side, byes[seeds[side][0]], teams[1]),
            ]
            for side, teams in left.items()
        }
    return {
        side: [ordered(side, seeds, a, b) for a, b in zip(teams[::2], teams[1::2], strict=True)]
        for side, teams in left.items()
    }


def ordered(side: str, seeds: Seeds, a: DemoTeam, b: DemoTeam) -> Pairing:
    """Return the pair with the better seed first."""
    if seeds[a.conference].index(a.id) <= seeds[b.conference].index(b.id):
        return Pairing(side, a, b)
    return Pairing(side, b, a)


def play_series(
    league: DemoLeague,
    season: int,
    stage: Stage,
    pair: Pairing,
    number: int,
    first: date,
    known: datetime,
) -> list[Fixture]:
    """Return all games of a series, with those after its end shown only until then."""
    games: list[Fixture] = []
    wins = {pair.high.id: 0, pair.low.id: 0}
    needed = len(stage.homes) // 2 + 1
    decided: datetime | None = None
    for at, seat in enumerate(stage.homes):
        home, away = (pair.high, pair.low) if seat == "h" else (pair.low, pair.high)
        day = first + timedelta(days=at * stage.step)
        start = eastern(day, *stage.hours[number % len(stage.hours)])
        game = Fixture(
            league,
            season,
            POSTSEASON,
            FIRST_INDEX + number * 7 + at,
            day,
            start,
            home,
            away,
            round=stage.round(pair.side),
            number=at + 1,
            wins=(wins[home.id], wins[away.id]),
            known_from=known,
            shown_until=decided,
        )
        if at >= needed:
            game = replace(game, sure_from=ends_at(games[-1], REAL_SPEED))
        games.append(game)
        if decided is None:
            outcome = outcome_of(game)
            wins[home.id if outcome.home > outcome.away else away.id] += 1
            if needed in wins.values():
                decided = ends_at(game, REAL_SPEED)
    return games


def winner_of(series: Sequence[Fixture], stage: Stage) -> DemoTeam:
    """Return the team that won the series' last game that was played."""
    needed = len(stage.homes) // 2 + 1
    last = [game for game in series if max(game.wins) < needed][-1]
    outcome = outcome_of(last)
    return last.home if outcome.home > outcome.away else last.away


def football_playoffs(
    league: DemoLeague, season: int, last_day: date, seeds: Seeds
) -> list[Fixture]:
    """Return the NFL's 13 playoff games; the best seed meets the worst that is left."""
    teams = teams_of(league.key)
    left = {side: [teams[team] for team in ranked[:7]] for side, ranked in seeds.items()}
    known = midday(last_day + timedelta(days=1))
    games: list[Fixture] = []
    for week, title, slots in FOOTBALL_STAGES:
        played: list[Fixture] = []
        for place, pair in enumerate(football_pairs(left, seeds)):
            days, hour, minute = slots[place]
            day = last_day + timedelta(days=days)
            round_ = Round("1", "STD", title.format(side=pair.side), 1)
            index = FIRST_INDEX + len(games) + place
            played.append(
                Fixture(
                    league,
                    season,
                    POSTSEASON,
                    index,
                    day,
                    eastern(day, hour, minute),
                    pair.high,
                    pair.low,
                    week=week,
                    round=round_,
                    number=1,
                    known_from=known,
                    host=super_bowl_host(season, pair) if week == 5 else None,
                )
            )
        games += played
        losers = {loser_of(game).id for game in played}
        left = {side: [t for t in teams if t.id not in losers] for side, teams in left.items()}
        known = midday(max(game.day for game in played) + timedelta(days=1))
    return games


def football_pairs(left: dict[str, list[DemoTeam]], seeds: Seeds) -> list[Pairing]:
    if all(len(teams) == 1 for teams in left.values()):
        return [ordered("", seeds, *(teams[0] for teams in left.values()))]
    pairs = []
    for side, teams in left.items():
        playing = teams[len(teams) % 2 :]
        half = len(playing) // 2
        pairs += [Pairing(side, playing[at], playing[-1 - at]) for at in range(half)]
    return pairs


def loser_of(game: Fixture) -> DemoTeam:
    outcome = outcome_of(game)
    return game.away if outcome.home > outcome.away else game.home


def super_bowl_host(season: int, pair: Pairing) -> DemoTeam:
    """Return a team in whose stadium neither finalist lives."""
    others = [
        t for t in teams_of("nfl").values() if t.venue not in {pair.high.venue, pair.low.venue}
    ]
    return others[season % len(others)]

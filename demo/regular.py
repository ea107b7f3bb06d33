"""Pre-season and regular season of all leagues but the NFL: which days, who, when.

So that a demo shows life at any hour of any day, the starts of a day are not all in the evening:
`COVER` cuts the Eastern day into ten parts, and at each of its times one game of some league in
season starts, shorter apart than the shortest game lasts. These covering games are never called
off. All other games, and those of the other leagues, start when real ones do. There is no All-Star
break and no day off at Christmas, and no spring training.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache

from demo.chance import seeded, share
from demo.fixtures import (
    PRESEASON,
    REGULAR,
    Fixture,
    eastern,
    weekday_on_or_after,
)
from demo.leagues import DemoLeague
from demo.pairings import Match, daily_counts, deal, season_rounds
from demo.teams import teams_of

COVER = (0, 140, 285, 430, 575, 720, 860, 1005, 1150, 1295)
REST = timedelta(hours=5)
CATCH_UP = 12
PRESEASON_INDEX = 2500
MAKEUP_INDEX = 2600
RAIN_NOTES = ("Rain", "Inclement Weather")


@dataclass(frozen=True, slots=True)
class SeasonPlan:
    """A league's year: Eastern dates (the last ones included) and games a weekday from Monday."""

    opening: date
    closing: date
    preseason: date
    preseason_games: int
    rounds: int
    repeats: int
    weekdays: tuple[int, ...]
    evening: tuple[tuple[int, int], ...]

    def days(self) -> list[date]:
        return days_between(self.opening, self.closing)

    def preseason_days(self) -> list[date]:
        return days_between(self.preseason, self.opening - timedelta(days=1))


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=step) for step in range((last - first).days + 1)]


@cache
def plan_of(key: str, season: int) -> SeasonPlan:
    """Return the plan of a season, named by the feed's season year."""
    return PLANS[key](season)


def basketball_plan(season: int) -> SeasonPlan:
    opening = weekday_on_or_after(date(season - 1, 10, 20), 1)
    return SeasonPlan(
        opening=opening,
        closing=weekday_on_or_after(date(season, 4, 9), 6),
        preseason=opening - timedelta(days=21),
        preseason_games=7,
        rounds=82,
        repeats=1,
        weekdays=(7, 6, 9, 4, 9, 8, 7),
        evening=((19, 0), (19, 30), (20, 0), (22, 0), (19, 0), (20, 30), (22, 30)),
    )


def baseball_plan(season: int) -> SeasonPlan:
    opening = weekday_on_or_after(date(season, 3, 25), 3)
    return SeasonPlan(
        opening=opening,
        closing=weekday_on_or_after(date(season, 9, 26), 6),
        preseason=opening,
        preseason_games=0,
        rounds=54,
        repeats=3,
        weekdays=(11, 14, 14, 11, 14, 14, 14),
        evening=((19, 5), (13, 10), (22, 10), (19, 40), (16, 5)),
    )


def hockey_plan(season: int) -> SeasonPlan:
    opening = weekday_on_or_after(date(season - 1, 10, 6), 1)
    return SeasonPlan(
        opening=opening,
        closing=weekday_on_or_after(date(season, 4, 13), 3),
        preseason=opening - timedelta(days=16),
        preseason_games=10,
        rounds=82,
        repeats=1,
        weekdays=(5, 9, 4, 9, 6, 11, 6),
        evening=((19, 0), (19, 30), (22, 0), (20, 0), (21, 0), (13, 0)),
    )


def college_plan(season: int) -> SeasonPlan:
    opening = weekday_on_or_after(date(season - 1, 11, 2), 0)
    return SeasonPlan(
        opening=opening,
        closing=weekday_on_or_after(date(season, 3, 8), 6),
        preseason=opening,
        preseason_games=0,
        rounds=32,
        repeats=1,
        weekdays=(3, 5, 5, 3, 2, 9, 4),
        evening=((19, 0), (12, 0), (21, 0), (14, 0), (16, 30), (23, 0)),
    )


def soccer_plan(season: int) -> SeasonPlan:
    opening = weekday_on_or_after(date(season, 2, 20), 5)
    return SeasonPlan(
        opening=opening,
        closing=weekday_on_or_after(date(season, 12, 1), 5),
        preseason=opening,
        preseason_games=0,
        rounds=34,
        repeats=1,
        weekdays=(1, 1, 4, 1, 1, 9, 3),
        evening=((19, 30), (14, 30), (22, 30), (20, 30), (17, 0)),
    )


def summer_plan(season: int) -> SeasonPlan:
    opening = weekday_on_or_after(date(season, 5, 14), 4)
    return SeasonPlan(
        opening=opening,
        closing=weekday_on_or_after(date(season, 9, 16), 6),
        preseason=opening,
        preseason_games=0,
        rounds=44,
        repeats=1,
        weekdays=(1, 3, 2, 3, 3, 2, 4),
        evening=((19, 0), (19, 30), (22, 0), (20, 0)),
    )


def saturday_plan(season: int) -> SeasonPlan:
    """College football: a round a week, from Thursday to Saturday; a last week for what is left."""
    opening = weekday_on_or_after(date(season, 8, 29), 3)
    return SeasonPlan(
        opening=opening,
        closing=opening + timedelta(days=13 * 7 + 2),
        preseason=opening,
        preseason_games=0,
        rounds=13,
        repeats=1,
        weekdays=(0, 0, 0, 1, 1, 10, 0),
        evening=((19, 30), (12, 0), (15, 30), (20, 0), (12, 45), (22, 30)),
    )


def english_plan(season: int) -> SeasonPlan:
    opening = weekday_on_or_after(date(season, 8, 14), 5)
    return SeasonPlan(
        opening=opening,
        closing=weekday_on_or_after(date(season + 1, 5, 18), 6),
        preseason=opening,
        preseason_games=0,
        rounds=38,
        repeats=1,
        weekdays=(1, 1, 2, 1, 1, 9, 5),
        evening=((15, 0), (10, 0), (7, 30), (12, 30), (9, 0), (11, 30)),
    )


PLANS = {
    "nba": basketball_plan,
    "mlb": baseball_plan,
    "nhl": hockey_plan,
    "mens-college-basketball": college_plan,
    "usa.1": soccer_plan,
    "wnba": summer_plan,
    "womens-college-basketball": college_plan,
    "college-football": saturday_plan,
    "eng.1": english_plan,
}


@cache
def season_days(key: str, season: int) -> dict[date, tuple[int, list[Match]]]:
    """Return season type and matches (home id, away id) of each day of pre and regular season."""
    plan = plan_of(key, season)
    teams = list(teams_of(key))
    chance = seeded("matches", key, season)
    rounds = [
        pairs for pairs in season_rounds(teams, plan.rounds, chance) for _ in range(plan.repeats)
    ]
    weights = [plan.weekdays[day.weekday()] for day in plan.days()]
    total = len(teams) // 2 * plan.rounds * plan.repeats
    counts = daily_counts(weights, total + CATCH_UP * plan.repeats)
    warm_up = season_rounds(teams, plan.rounds // 2, chance)
    before = deal(warm_up, [plan.preseason_games] * (len(plan.preseason_days()) + 1))
    days = {
        day: (PRESEASON, pairs) for day, pairs in zip(plan.preseason_days(), before, strict=False)
    }
    regular = zip(plan.days(), deal(rounds, counts), strict=True)
    return days | {day: (REGULAR, pairs) for day, pairs in regular}


def season_on(key: str, day: date) -> int:
    """Return the feed's year of the season that a day belongs to (off-season: the one gone by)."""
    if key in {"nfl", "college-football", "eng.1"}:
        return day.year if (day.month, day.day) >= (7, 15) else day.year - 1
    if key in {"mlb", "usa.1", "wnba"}:
        return day.year if day.month >= 2 else day.year - 1
    return day.year + 1 if (day.month, day.day) >= (9, 1) else day.year


@cache
def cover_times(day: date) -> dict[str, list[datetime]]:
    """Return which of the day's covering starts each league takes, in turn while it has games.

    On the days when clocks change the starts are an hour's tenth nearer or further apart.
    """
    left = {
        key: len(season_days(key, season_on(key, day)).get(day, (0, []))[1])
        for key in ("mlb", "nba", "nhl")
    }
    midnight = eastern(day, 0)
    length = (eastern(day + timedelta(days=1), 0) - midnight) / timedelta(days=1)
    times: dict[str, list[datetime]] = {key: [] for key in left}
    for minutes in COVER:
        key = min(left, key=lambda key: (left[key] == 0, len(times[key])))
        if left[key]:
            left[key] -= 1
            times[key].append(midnight + timedelta(minutes=int(minutes * length)))
    return times


def regular_fixtures(league: DemoLeague, season: int) -> list[Fixture]:
    """Return pre-season and regular season in order of days, make-up games included."""
    starts: dict[str, datetime] = {}
    fixtures: list[Fixture] = []
    numbers = {PRESEASON: PRESEASON_INDEX, REGULAR: 0}
    for day, (kind, matches) in season_days(league.key, season).items():
        for match, start, covers in start_times(league, season, day, matches, starts):
            fixtures.append(
                plan_game(league, season, kind, numbers[kind], day, match, start, covers)
            )
            numbers[kind] += 1
    return add_makeups(fixtures) if league.key == "mlb" else fixtures


def start_times(
    league: DemoLeague,
    season: int,
    day: date,
    matches: Sequence[Match],
    starts: dict[str, datetime],
) -> list[tuple[Match, datetime, bool]]:
    """Give each match its start and whether it covers; `starts` keeps each team's last start."""
    left = list(matches)
    given = []
    for time in cover_times(day).get(league.key, []):
        match = most_rested(left, time, starts)
        left.remove(match)
        given.append((match, time, True))
        starts[match[0]] = starts[match[1]] = time
    evening = plan_of(league.key, season).evening
    for place, match in enumerate(left):
        time = eastern(day, *evening[place % len(evening)])
        given.append((match, time, False))
        starts[match[0]] = starts[match[1]] = time
    return given


def most_rested(matches: Sequence[Match], time: datetime, starts: dict[str, datetime]) -> Match:
    """Return the first match whose teams have rested, or the one that comes nearest to it."""
    best, longest = matches[0], timedelta(0)
    for match in matches:
        rest = min(time - starts.get(team, time - REST) for team in match)
        if rest >= REST:
            return match
        if rest > longest:
            best, longest = match, rest
    return best


def plan_game(
    league: DemoLeague,
    season: int,
    kind: int,
    index: int,
    day: date,
    match: Match,
    start: datetime,
    covers: bool,
) -> Fixture:
    teams = teams_of(league.key)
    opening = plan_of(league.key, season).opening
    fixture = Fixture(
        league,
        season,
        kind,
        index,
        day,
        start,
        teams[match[0]],
        teams[match[1]],
        covers=covers,
        week=(day - opening).days // 7 + 1 if league.sport == "football" else 0,
    )
    fate, note = draw_fate(fixture)
    return replace(fixture, fate=fate, note=note, note_from=fixture.called_off_at)


def draw_fate(fixture: Fixture) -> tuple[str, str]:
    """Return the fate of a game, and the note when it is called off for good."""
    draw = share("fate", fixture.id)
    if fixture.covers or (fixture.league.key == "mlb" and fixture.home.indoor):
        return "played", ""
    if fixture.kind == PRESEASON:
        return ("cancelled", "Cancelled") if draw < 0.06 else ("played", "")
    if draw > 0.995:
        return "cancelled", "Cancelled"
    if fixture.league.key != "mlb" and draw < 0.02:
        return "postponed", "Postponed - Winter Weather"
    return "played", ""


def add_makeups(fixtures: list[Fixture]) -> list[Fixture]:
    """Rain off some games whose teams meet again a day later, and make them up in a double-header.

    As in the feed, the game rained off keeps id and day, and the make-up game has a new id.
    """
    places = {(game.day, game.home.id, game.away.id): at for at, game in enumerate(fixtures)}
    makeups: list[Fixture] = []
    taken: set[int] = set()
    for at, game in enumerate(fixtures):
        tomorrow = places.get((game.day + timedelta(days=1), game.home.id, game.away.id))
        if tomorrow is None or at in taken or not is_rained_off(game):
            continue
        taken.add(tomorrow)
        twin = fixtures[tomorrow]
        index = MAKEUP_INDEX + len(makeups)
        fixtures[at], fixtures[tomorrow], makeup = double_header(game, twin, index)
        makeups.append(makeup)
    return sorted(fixtures + makeups, key=lambda game: (game.day, game.start, game.index))


def is_rained_off(game: Fixture) -> bool:
    outdoors = not (game.covers or game.home.indoor) and game.fate == "played"
    return outdoors and share("rain", game.id) < 0.3


def double_header(game: Fixture, twin: Fixture, index: int) -> tuple[Fixture, Fixture, Fixture]:
    """Return the game rained off, the next day's game, and the make-up five hours beside it."""
    early = twin.start - REST >= eastern(twin.day, 0)
    start = twin.start - REST if early else twin.start + REST
    origin = f"Makeup from {game.day:%B} {game.day.day}"
    reason = RAIN_NOTES[game.index % 2]
    off = replace(
        game, fate="postponed", note=f"{reason} - Makeup date {twin.day:%B} {twin.day.day}"
    )
    twin = replace(
        twin,
        fate="played",
        note=f"Doubleheader - Game {2 if early else 1}",
        note_from=off.called_off_at,
    )
    makeup = replace(
        twin,
        index=index,
        start=start,
        note=f"Doubleheader - Game {1 if early else 2} - {origin}",
        covers=False,
        shown_from=off.called_off_at,
    )
    return off, twin, makeup

"""The NFL's year: weeks from Wednesday to Tuesday, byes in weeks 5 to 14, Thanksgiving games.

Its games keep their real hours. Times of the last three weeks are not set until two weeks before.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from random import Random

from demo.chance import seeded, share
from demo.fixtures import (
    PRESEASON,
    REGULAR,
    Fixture,
    eastern,
    weekday_on_or_after,
)
from demo.leagues import NFL
from demo.pairings import Match, season_rounds
from demo.teams import teams_of

WEEKS = 18
FIRST_BYE, LAST_BYE = 5, 14
MOVED = 3
PRESEASON_INDEX = 2500
FLEX_WEEK = 16

KickOff = tuple[int, int, int]
THURSDAY: KickOff = (0, 20, 15)
SUNDAY_NIGHT: KickOff = (3, 20, 20)
MONDAY: KickOff = (4, 20, 15)
THANKSGIVING: tuple[KickOff, ...] = ((0, 13, 0), (0, 16, 30), (0, 20, 20))
SATURDAY: tuple[KickOff, ...] = ((2, 16, 30), (2, 20, 15))
SUNDAY: tuple[KickOff, ...] = ((3, 13, 0), (3, 13, 0), (3, 13, 0), (3, 16, 25), (3, 16, 5))
WARM_UP: tuple[KickOff, ...] = (
    (0, 19, 0),
    (1, 19, 0),
    (1, 20, 0),
    (2, 13, 0),
    (2, 19, 0),
    (2, 20, 0),
)


@dataclass(frozen=True, slots=True)
class Week:
    """A week of the feed's calendar: season type, number, label and first to last Eastern day."""

    kind: int
    number: int
    label: str
    short: str
    first: date
    last: date


def kickoff(season: int) -> date:
    """Return the Thursday of week 1: the one after Labor Day."""
    return weekday_on_or_after(date(season, 9, 1), 0) + timedelta(days=3)


def thursday(season: int, week: int) -> date:
    return kickoff(season) + timedelta(days=7 * (week - 1))


@cache
def weeks_of(season: int) -> list[Week]:
    """Return the season's weeks, in order and without gaps, from Hall of Fame to Super Bowl."""
    first = kickoff(season)
    names: list[tuple[int, int, str, str, date]] = [
        (1, 1, "Hall of Fame Weekend", "HOF", first - timedelta(days=35))
    ]
    names += [
        (1, n + 1, f"Preseason Week {n}", f"Pre Wk {n}", first - timedelta(days=35 - 7 * n))
        for n in (1, 2, 3)
    ]
    names += [
        (2, n, f"Week {n}", f"Week {n}", thursday(season, n) - timedelta(days=int(n > 1)))
        for n in range(1, WEEKS + 1)
    ]
    names += [
        (3, n, label, short, thursday(season, WEEKS + n) - timedelta(days=1))
        for n, label, short in (
            (1, "Wild Card", "Wild Card"),
            (2, "Divisional Round", "Div Rd"),
            (3, "Conference Championship", "Conf Champ"),
            (4, "Pro Bowl", "Pro Bowl"),
            (5, "Super Bowl", "Super Bowl"),
        )
    ]
    starts = [name[4] for name in names[1:]] + [names[-1][4] + timedelta(days=8)]
    return [
        Week(*name, last=following - timedelta(days=1))
        for name, following in zip(names, starts, strict=True)
    ]


def week_on(season: int, day: date) -> Week:
    """Return the week of a day; before the season its first, after it the last."""
    weeks = weeks_of(season)
    return next((week for week in weeks if day <= week.last), weeks[-1])


def football_fixtures(season: int) -> list[Fixture]:
    """Return pre-season (49 games) and regular season (272 games) in order of weeks."""
    chance = seeded("matches", "nfl", season)
    return [*warm_up_fixtures(season, chance), *week_fixtures(season, chance)]


def warm_up_fixtures(season: int, chance: Random) -> list[Fixture]:
    rounds = season_rounds(list(teams_of("nfl")), 4, chance)
    weeks = [rounds[0][:1], *rounds[1:]]
    fixtures: list[Fixture] = []
    for number, matches in enumerate(weeks, start=1):
        first = kickoff(season) - timedelta(days=35 - 7 * (number - 1))
        for place, match in enumerate(matches):
            slot = (0, 20, 0) if number == 1 else WARM_UP[place % len(WARM_UP)]
            index = PRESEASON_INDEX + len(fixtures)
            game = football_game(season, PRESEASON, number, index, match, first, slot)
            cancelled = share("fate", game.id) < 0.03
            fixtures.append(replace(game, fate="cancelled") if cancelled else game)
    return fixtures


def week_fixtures(season: int, chance: Random) -> list[Fixture]:
    fixtures: list[Fixture] = []
    for number, matches in enumerate(week_matches(chance), start=1):
        first = thursday(season, number)
        for match, slot in zip(matches, week_slots(first, number, len(matches)), strict=True):
            fixtures.append(
                football_game(season, REGULAR, number, len(fixtures), match, first, slot)
            )
    return fixtures


def week_matches(chance: Random) -> list[list[Match]]:
    """Lay 17 rounds over 18 weeks, so that each team rests once in weeks 5 to 14.

    Nine full rounds fill weeks 5 to 13; from each a few matches move to week 14, sixteen in all
    and no team twice, which leaves their teams without a game in the week they came from.
    """
    rounds = season_rounds(list(teams_of("nfl")), 17, chance)
    middle = rounds[FIRST_BYE - 1 : LAST_BYE - 1]
    moved = moving_matches(middle, chance)
    stay = [[pair for pair in pairs if pair not in moved] for pairs in middle]
    return [*rounds[: FIRST_BYE - 1], *stay, moved, *rounds[LAST_BYE - 1 :]]


def moving_matches(rounds: Sequence[Sequence[Match]], chance: Random) -> list[Match]:
    """Draw matches, at most `MOVED` of a round, in which every team comes up once."""
    pool = [(number, pair) for number, pairs in enumerate(rounds) for pair in pairs]
    chance.shuffle(pool)
    moved = cover_teams(pool, set(teams_of("nfl")), Counter())
    if moved is None:
        raise RuntimeError("no sixteen matches cover the league")
    return moved


def cover_teams(
    pool: Sequence[tuple[int, Match]], free: set[str], used: Counter[int]
) -> list[Match] | None:
    """Return matches that cover all free teams, hardest team first, or None if none do."""
    if not free:
        return []
    choices = [(number, pair) for number, pair in pool if used[number] < MOVED]
    choices = [(number, pair) for number, pair in choices if free.issuperset(pair)]
    options = Counter(team for _, pair in choices for team in pair)
    hardest = min(sorted(free), key=lambda team: options[team])
    for number, pair in choices:
        if hardest in pair:
            rest = cover_teams(choices, free - set(pair), used + Counter([number]))
            if rest is not None:
                return [pair, *rest]
    return None


def week_slots(first: date, number: int, count: int) -> list[KickOff]:
    """Return day (from Thursday), hour and minute of each of a week's games."""
    if number == WEEKS:
        fixed = [*SATURDAY, SUNDAY_NIGHT]
    elif first.month == 11 and 22 <= first.day <= 28:
        fixed = [*THANKSGIVING, SUNDAY_NIGHT, MONDAY]
    else:
        fixed = [THURSDAY, SUNDAY_NIGHT, MONDAY]
    rest = [SUNDAY[place % len(SUNDAY)] for place in range(count - len(fixed))]
    return sorted(fixed + rest)


def football_game(
    season: int, kind: int, number: int, index: int, match: Match, first: date, slot: KickOff
) -> Fixture:
    teams = teams_of("nfl")
    day = first + timedelta(days=slot[0])
    start = eastern(day, slot[1], slot[2])
    home, away = (teams[team] for team in match)
    set_at = None
    if kind == REGULAR and number >= FLEX_WEEK:
        set_at = start - timedelta(days=14)
    return Fixture(NFL, season, kind, index, day, start, home, away, week=number, sure_from=set_at)

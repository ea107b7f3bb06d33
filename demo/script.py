"""A game minute by minute: what the feed says of it at any moment.

A game's moment depends on the game, the time and the speed alone. A game starts at its scheduled
time whatever the speed, and then runs `speed` times as fast as a real one: at speed 1 it takes
two and a half to three hours and more, at speed 60 about three minutes. Postponements become
known three hours before the start at any speed.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from demo.chance import seeded, share
from demo.fixtures import POSTSEASON, Fixture, eastern
from demo.leagues import DemoLeague
from demo.outcomes import Line, Outcome, outcome_of
from demo.wording import (
    TENTHS,
    clock_text,
    ordinal,
    overtime_name,
    period_text,
    running_text,
    short_period,
    short_start,
    start_text,
)

PLAY, BREAK, DELAY = "play", "break", "delay"
TOP, BOTTOM = 0, 1
SHOOTOUT = "SO"
SHOOTOUT_TIME = 480
RAIN_CHANCE = 0.035
HALVES = ("Top", "Bottom")
SHORT_HALVES = ("Top", "Bot")
TOUCHDOWN_SPLITS = {
    sum(scores): scores
    for scores in (
        (3,),
        (6,),
        (7,),
        (8,),
        (3, 3),
        (3, 6),
        (3, 7),
        (3, 8),
        (6, 6),
        (7, 6),
        (7, 7),
        (7, 8),
        (8, 8),
    )
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a game: play, break or delay, lasting `seconds` real seconds at speed 1.

    `begin` and `finish` are shares of its period's clock (in baseball of its half of the inning).
    """

    phase: str
    period: int
    half: int
    seconds: float
    begin: float = 0.0
    finish: float = 1.0


@dataclass(frozen=True, slots=True)
class GameMoment:
    """What the feed says of a game now.

    `clock` is in game seconds. `lines` holds (away, home) a period begun, None for a side that
    has not batted in it. `progress` runs from 0 to 1 in the period (half inning); `beat` counts
    quarter minutes of the game, and is what situations are drawn from.
    """

    status: str
    detail: str
    short: str
    period: int
    clock: float = 0.0
    display: str = "0:00"
    alternative: str = ""
    away: int = 0
    home: int = 0
    lines: tuple[tuple[int | None, int | None], ...] = ()
    phase: str = ""
    half: int = TOP
    progress: float = 0.0
    beat: int = 0


def moment_of(game: Fixture, now: datetime, speed: float) -> GameMoment:
    """Return the state of a game at a time (UTC)."""
    if game.fate != "played" and now >= game.called_off_at:
        return called_off(game)
    elapsed = (now - game.start).total_seconds() * speed / tempo(game)
    if elapsed < 0 or game.fate != "played":
        return scheduled(game, now)
    spent = 0.0
    for stretch in timeline(game):
        if elapsed < spent + stretch.seconds:
            inside = (elapsed - spent) / stretch.seconds
            return live(game, stretch, inside, int(elapsed // 15))
        spent += stretch.seconds
    return final(game)


def ends_at(game: Fixture, speed: float) -> datetime:
    """Return when a game that is played ends."""
    seconds = sum(stretch.seconds for stretch in timeline(game)) * tempo(game)
    return game.start + timedelta(seconds=seconds / speed)


def tempo(game: Fixture) -> float:
    """Return by what factor this game takes longer than its league's shortest."""
    return 1 + 0.12 * share("tempo", game.id)


def first_period(league: DemoLeague) -> int:
    return 1 if league.key == "mlb" else 0


def still_clock(league: DemoLeague) -> str:
    if league.sport == "soccer":
        return "0'"
    return "0.0" if league.key in TENTHS else "0:00"


def time_set(game: Fixture, now: datetime) -> bool:
    """Return whether the feed knows the start by now, or shows midnight Eastern in its place."""
    return not (
        (game.sure_from and now < game.sure_from) or (game.known_from and now < game.known_from)
    )


def shown_start(game: Fixture, now: datetime) -> datetime:
    """Return the start as the feed gives it (UTC): midnight Eastern while it is not set."""
    return game.start if time_set(game, now) else eastern(game.day, 0)


def scheduled(game: Fixture, now: datetime) -> GameMoment:
    known = time_set(game, now)
    detail = start_text(game.start) if known else "TBD"
    return GameMoment(
        "STATUS_SCHEDULED",
        "Scheduled" if game.league.key == "mlb" else detail,
        short_start(shown_start(game, now), known),
        first_period(game.league),
        display=still_clock(game.league),
    )


def called_off(game: Fixture) -> GameMoment:
    name, text = {
        "postponed": ("STATUS_POSTPONED", "Postponed"),
        "cancelled": ("STATUS_CANCELED", "Canceled"),
    }[game.fate]
    period = first_period(game.league)
    return GameMoment(name, text, text, period, display=still_clock(game.league))


def final(game: Fixture) -> GameMoment:
    outcome = outcome_of(game)
    if game.league.sport == "soccer":
        return full_time(game, outcome)
    ending = outcome.ending
    text = f"Final/{ending}" if ending else "Final"
    return GameMoment(
        "STATUS_FINAL",
        text,
        text,
        len(outcome.lines),
        display=still_clock(game.league),
        alternative=f"F/{ending}" if ending.isdecimal() else ending,
        away=outcome.away,
        home=outcome.home,
        lines=outcome.lines,
        phase="post",
        progress=1.0,
    )


def full_time(game: Fixture, outcome: Outcome) -> GameMoment:
    """Return the end of a game of soccer: its clock is left where it stopped."""
    clock, shown = running_clock(game.league, game.league.periods, 1.0)
    return GameMoment(
        "STATUS_FULL_TIME",
        "FT",
        "FT",
        len(outcome.lines),
        clock,
        shown,
        away=outcome.away,
        home=outcome.home,
        lines=outcome.lines,
        phase="post",
        progress=1.0,
    )


def running_clock(league: DemoLeague, period: int, progress: float) -> tuple[float, str]:
    """Return the seconds and the text of a clock that counts up, and stands in added time."""
    stop = league.period_clock * period
    played = stop - league.period_clock + int(league.period_time * progress)
    return float(min(played - played % 60, stop)), running_text(played // 60, stop // 60)


@lru_cache(maxsize=3000)
def timeline(game: Fixture) -> tuple[Stretch, ...]:
    """Return the pieces of a game in order; together they are the whole game."""
    outcome = outcome_of(game)
    if game.league.key == "mlb":
        return with_rain(game, baseball_stretches(game.league, outcome))
    stretches: list[Stretch] = []
    for period in range(1, len(outcome.lines) + 1):
        if period > 1:
            pause = break_after(game, period - 1)
            stretches.append(Stretch(BREAK, period - 1, TOP, pause))
        finish = stop_of(game, outcome, period)
        seconds = period_time(game, outcome, period) * finish
        stretches.append(Stretch(PLAY, period, TOP, seconds, finish=finish))
    return tuple(stretches)


def break_after(game: Fixture, period: int) -> int:
    league = game.league
    if league.key == "nhl" and period >= league.periods and game.kind != POSTSEASON:
        return 120
    return league.long_break if period * 2 == league.periods else league.short_break


def period_time(game: Fixture, outcome: Outcome, period: int) -> int:
    """Return how many real seconds a full period takes."""
    league = game.league
    if period <= league.periods or (league.key == "nhl" and game.kind == POSTSEASON):
        return league.period_time
    if is_shootout(outcome, period):
        return SHOOTOUT_TIME
    return league.overtime_time


def period_clock(game: Fixture, period: int) -> int:
    """Return how many game seconds a period has."""
    league = game.league
    if period <= league.periods or (league.key == "nhl" and game.kind == POSTSEASON):
        return league.period_clock
    return league.overtime_clock


def is_shootout(outcome: Outcome, period: int) -> bool:
    return outcome.ending == SHOOTOUT and period == len(outcome.lines)


def stop_of(game: Fixture, outcome: Outcome, period: int) -> float:
    """Return how much of a period is played: less than all where the next score wins."""
    sudden = game.league.sport in {"hockey", "football"} and period > game.league.periods
    if not sudden or outcome.lines[period - 1] == (0, 0) or is_shootout(outcome, period):
        return 1.0
    return 0.2 + 0.7 * share("stop", game.id)


def baseball_stretches(league: DemoLeague, outcome: Outcome) -> list[Stretch]:
    stretches: list[Stretch] = []
    for inning, (_, bottom) in enumerate(outcome.lines, start=1):
        halves = (TOP,) if bottom is None else (TOP, BOTTOM)
        for half in halves:
            stretches.append(Stretch(PLAY, inning, half, league.period_time))
            stretches.append(Stretch(BREAK, inning, half, league.short_break))
    return stretches[:-1]


def with_rain(game: Fixture, stretches: list[Stretch]) -> tuple[Stretch, ...]:
    """Stop some outdoor games in the middle of a half inning, for 40 to 75 minutes."""
    chance = seeded("rain delay", game.id)
    if game.home.indoor or chance.random() > RAIN_CHANCE:
        return tuple(stretches)
    at = 2 * chance.randrange(3, 14)
    wet = stretches[at]
    half = wet.seconds / 2
    rain = Stretch(DELAY, wet.period, wet.half, chance.randrange(2400, 4500), 0.5, 0.5)
    before, after = replace(wet, seconds=half, finish=0.5), replace(wet, seconds=half, begin=0.5)
    return (*stretches[:at], before, rain, after, *stretches[at + 1 :])


def live(game: Fixture, stretch: Stretch, inside: float, beat: int) -> GameMoment:
    """Return the moment a share `inside` of a stretch."""
    progress = stretch.begin + (stretch.finish - stretch.begin) * inside
    if stretch.phase == BREAK:
        progress = 1.0
    lines = lines_until(game, stretch, progress)
    return GameMoment(
        *status_of(game, stretch, progress),
        lines=lines,
        away=sum(away or 0 for away, _ in lines),
        home=sum(home or 0 for _, home in lines),
        phase=stretch.phase,
        half=stretch.half,
        progress=progress,
        beat=beat,
    )


def status_of(
    game: Fixture, stretch: Stretch, progress: float
) -> tuple[str, str, str, int, float, str]:
    """Return status name, detail, short detail, period, clock and displayed clock."""
    league, period = game.league, stretch.period
    if league.key == "mlb":
        return (*inning_status(stretch), period, 0.0, "0:00")
    if league.sport == "soccer":
        return soccer_status(league, stretch, progress)
    if stretch.phase == BREAK:
        return (*break_status(league, period), period, 0.0, still_clock(league))
    if is_shootout(outcome_of(game), period):
        return "STATUS_IN_PROGRESS", "Shootout", SHOOTOUT, period, 0.0, "0:00"
    seconds = round(period_clock(game, period) * (1 - progress), 1)
    clock = seconds if league.key in TENTHS and seconds < 60 else float(int(seconds))
    shown = clock_text(league, clock)
    detail = f"{shown} - {period_text(league, period)}"
    short = f"{shown} - {short_period(league, period)}"
    return "STATUS_IN_PROGRESS", detail, short, period, clock, shown


def soccer_status(
    league: DemoLeague, stretch: Stretch, progress: float
) -> tuple[str, str, str, int, float, str]:
    clock, shown = running_clock(league, stretch.period, progress)
    if stretch.phase == BREAK:
        return "STATUS_HALFTIME", "HT", "HT", stretch.period, clock, shown
    name = "STATUS_FIRST_HALF" if stretch.period == 1 else "STATUS_SECOND_HALF"
    return name, shown, shown, stretch.period, clock, shown


def break_status(league: DemoLeague, period: int) -> tuple[str, str, str]:
    if league.key != "nhl" and period * 2 == league.periods:
        return "STATUS_HALFTIME", "Halftime", "Halftime"
    detail = f"End of {period_text(league, period)}"
    short = overtime_name(league, period) or ordinal(period)
    return "STATUS_END_PERIOD", detail, f"End of {short}"


def inning_status(stretch: Stretch) -> tuple[str, str, str]:
    number = ordinal(stretch.period)
    if stretch.phase == BREAK:
        word, short = ("Middle", "Mid") if stretch.half == TOP else ("End", "End")
        return "STATUS_IN_PROGRESS", f"{word} {number}", f"{short} {number}"
    detail, short = f"{HALVES[stretch.half]} {number}", f"{SHORT_HALVES[stretch.half]} {number}"
    if stretch.phase == DELAY:
        return "STATUS_RAIN_DELAY", f"Rain Delay, {detail}", f"Delay, {short}"
    return "STATUS_IN_PROGRESS", detail, short


def lines_until(
    game: Fixture, stretch: Stretch, progress: float
) -> tuple[tuple[int | None, int | None], ...]:
    """Return the score of each period begun, the one in hand as far as it has come."""
    whole = outcome_of(game).lines
    done: list[tuple[int | None, int | None]] = list(whole[: stretch.period - 1])
    away, home = whole[stretch.period - 1]
    if game.league.key != "mlb":
        done.append((scored(game, stretch, TOP, progress), scored(game, stretch, BOTTOM, progress)))
    elif stretch.half == TOP:
        done.append((scored(game, stretch, TOP, progress), None))
    else:
        done.append((away, scored(game, stretch, BOTTOM, progress)))
    return tuple(done) if home is not None or stretch.half == TOP else whole


def scored(game: Fixture, stretch: Stretch, side: int, progress: float) -> int:
    """Return a side's points in the stretch's period until now; `side` 0 is away, 1 home."""
    return sum(points for at, points in plays_of(game, stretch.period, side) if at <= progress)


@lru_cache(maxsize=20_000)
def plays_of(game: Fixture, period: int, side: int) -> tuple[tuple[float, int], ...]:
    """Return (share of the period, points) of each score of a side, in order."""
    outcome = outcome_of(game)
    line: Line = outcome.lines[period - 1]
    points = split_points(game.league, line[side] or 0, game.id, period, side)
    chance = seeded("plays", game.id, period, side)
    stop = stop_of(game, outcome, period)
    times = sorted(chance.uniform(0.02, 0.98) for _ in points)
    if times and (stop < 1 or is_shootout(outcome, period) or is_walk_off(game, period, side)):
        times[-1] = stop
    return tuple(zip(times, points, strict=True))


def is_walk_off(game: Fixture, period: int, side: int) -> bool:
    outcome = outcome_of(game)
    last = game.league.key == "mlb" and period == len(outcome.lines)
    return last and side == BOTTOM and outcome.home > outcome.away


def split_points(
    league: DemoLeague, total: int, event_id: str, period: int, side: int
) -> tuple[int, ...]:
    """Return a period's total as single scores, in an order drawn by chance."""
    if league.sport == "football":
        return TOUCHDOWN_SPLITS[total] if total else ()
    if league.sport != "basketball":
        return (1,) * total
    chance = seeded("points", event_id, period, side)
    scores: list[int] = []
    while (left := total - sum(scores)) > 0:
        scores.append(min(left, chance.choice((2, 2, 2, 3, 3, 1))))
    return tuple(scores)

"""A game play by play: its scores are those of `script`, the rest is drawn around them.

All plays of a game are made up at once. Those that have happened by a moment are a part of them,
and their points add up to what the scoreboard shows then.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from demo.chance import seeded, share
from demo.fixtures import Fixture, eastern_day
from demo.outcomes import outcome_of
from demo.players import DemoPlayer, roster_on
from demo.script import (
    BOTTOM,
    TOP,
    GameMoment,
    is_shootout,
    is_walk_off,
    period_clock,
    plays_of,
    running_clock,
    stop_of,
)
from demo.situations import red_card_of
from demo.wording import clock_text

AWAY, HOME = 0, 1
SEATS = (AWAY, HOME)
LAST_OUT = 0.995
OUTS = ("Ground Out", "Fly Out", "Strikeout", "Line Out", "Pop Out")
PITCHES = ("Ball", "Strike Looking", "Foul Ball", "Strike Swinging")
LINEUPS = {"soccer": (0, 3, 4, 5, 6, 11, 12, 13, 14, 19, 20), "basketball": (0, 3, 6, 9, 11)}
SUBSTITUTES = {"soccer": (7, 15, 21), "basketball": (1, 2, 4, 5, 7, 8, 10)}

Stats = tuple[tuple[DemoPlayer, str, int], ...]


@dataclass(frozen=True, slots=True)
class Play:
    """One play, at a share of its period (in baseball of its half of the inning).

    `seat` is 0 for the away side, 1 for home. `stats` are what it adds to the box score: a player,
    a figure and a number. `drive` numbers the drives of football in a game.
    """

    period: int
    half: int
    at: float
    seat: int
    kind: str
    text: str
    points: int = 0
    stats: Stats = ()
    drive: int = 0

    @property
    def when(self) -> tuple[int, int, float]:
        return self.period, self.half, self.at


def plays_until(game: Fixture, moment: GameMoment) -> list[Play]:
    """Return the plays that have happened by a moment, in order."""
    plays = all_plays(game)
    if not moment.lines:
        return []
    if moment.phase == "post":
        return list(plays)
    now = moment.period, moment.half, moment.progress
    return [play for play in plays if play.when <= now]


@lru_cache(maxsize=64)
def all_plays(game: Fixture) -> tuple[Play, ...]:
    """Return all plays of a game in order, each team's players those of the day."""
    make = {
        "football": football_plays,
        "basketball": basketball_plays,
        "baseball": baseball_plays,
        "hockey": hockey_plays,
        "soccer": soccer_plays,
    }[game.league.sport]
    periods = range(1, len(outcome_of(game).lines) + 1)
    plays = [play for period in periods for play in make(game, period)]
    return tuple(sorted(plays, key=lambda play: play.when))


def roster_of(game: Fixture, seat: int) -> tuple[DemoPlayer, ...]:
    return roster_on(game.home if seat else game.away, eastern_day(game.start))


def starters_of(game: Fixture, seat: int) -> list[DemoPlayer]:
    roster = roster_of(game, seat)
    return [roster[place] for place in LINEUPS[game.league.sport]]


def scores_of(game: Fixture, period: int) -> list[tuple[float, int, int]]:
    """Return the scores of a period in order: share, seat, points."""
    return sorted(
        (at, seat, points) for seat in SEATS for at, points in plays_of(game, period, seat)
    )


def clock_at(game: Fixture, play: Play) -> str:
    """Return the clock as plays show it: in hockey and soccer it counts up."""
    league = game.league
    if league.sport == "soccer":
        return running_clock(league, play.period, play.at)[1]
    full = period_clock(game, play.period)
    if league.sport == "hockey":
        is_last = is_shootout(outcome_of(game), play.period)
        return "0:00" if is_last else clock_text(league, int(full * play.at))
    return clock_text(league, float(int(full * (1 - play.at))))


def times(game: Fixture, period: int, chance: Random, count: int) -> list[float]:
    """Return so many moments of a period, all before it stops."""
    stop = stop_of(game, outcome_of(game), period)
    return sorted(chance.uniform(0.01, 0.97) * stop for _ in range(count))


# ---------------------------------------------------------------- football


def football_plays(game: Fixture, period: int) -> Iterator[Play]:
    """Drives, each of which ends in a score or a punt; each has three plays before its end."""
    chance = seeded("drives", game.id, period)
    ends = scores_of(game, period)
    ends += [(at, n % 2, 0) for n, at in enumerate(times(game, period, chance, 4))]
    before = 0.0
    for number, (at, seat, points) in enumerate(sorted(ends), start=1):
        drive, roster = period * 100 + number, roster_of(game, seat)
        for n in (1, 2, 3):
            moment = before + (at - before) * n / 4
            yield snap(period, moment, seat, roster, chance, drive)
        yield end_of_drive(period, at, seat, points, roster, chance, drive)
        before = at


def snap(
    period: int,
    at: float,
    seat: int,
    roster: tuple[DemoPlayer, ...],
    chance: Random,
    drive: int,
) -> Play:
    passer, back, receiver = roster[0], roster[chance.choice((3, 4))], roster[chance.randint(7, 11)]
    yards = chance.randint(1, 14)
    if chance.random() < 0.45:
        text = f"{back.short_name} rush for {yards} yards."
        stats: Stats = ((back, "CAR", 1), (back, "RYDS", yards))
        return Play(period, TOP, at, seat, "Rush", text, 0, stats, drive)
    if chance.random() < 0.35:
        text = f"{passer.short_name} pass incomplete intended for {receiver.short_name}."
        return Play(
            period, TOP, at, seat, "Pass Incompletion", text, 0, ((passer, "ATT", 1),), drive
        )
    text = f"{passer.short_name} pass complete to {receiver.short_name} for {yards} yards."
    stats = caught(passer, receiver, yards)
    return Play(period, TOP, at, seat, "Pass Reception", text, 0, stats, drive)


def caught(passer: DemoPlayer, receiver: DemoPlayer, yards: int) -> Stats:
    return (
        (passer, "ATT", 1),
        (passer, "C", 1),
        (passer, "PYDS", yards),
        (receiver, "REC", 1),
        (receiver, "CYDS", yards),
    )


def end_of_drive(
    period: int,
    at: float,
    seat: int,
    points: int,
    roster: tuple[DemoPlayer, ...],
    chance: Random,
    drive: int,
) -> Play:
    kicker = next(player for player in roster if player.position.abbreviation == "PK")
    punter = next(player for player in roster if player.position.abbreviation == "P")
    yards = chance.randint(1, 30)
    if points == 0:
        text = f"{punter.short_name} punts {35 + yards} yards."
        return Play(period, TOP, at, seat, "Punt", text, 0, ((punter, "PUNTS", 1),), drive)
    if points == 3:
        text = f"{kicker.name} {20 + yards} Yd Field Goal"
        stats: Stats = ((kicker, "FG", 1), (kicker, "FGA", 1), (kicker, "PTS", 3))
        return Play(period, TOP, at, seat, "Field Goal Good", text, points, stats, drive)
    extra = {7: f" ({kicker.name} Kick)", 8: " (Two-Point Conversion)"}.get(points, "")
    kick: Stats = ((kicker, "XP", 1), (kicker, "PTS", 1)) if points == 7 else ()
    if chance.random() < 0.4:
        back = roster[3]
        text = f"{back.name} {yards} Yd Run{extra}"
        stats = ((back, "CAR", 1), (back, "RYDS", yards), (back, "RTD", 1), *kick)
        return Play(period, TOP, at, seat, "Rushing Touchdown", text, points, stats, drive)
    passer, receiver = roster[0], roster[chance.randint(7, 11)]
    text = f"{receiver.name} {yards} Yd pass from {passer.name}{extra}"
    stats = (*caught(passer, receiver, yards), (passer, "PTD", 1), (receiver, "CTD", 1), *kick)
    return Play(period, TOP, at, seat, "Passing Touchdown", text, points, stats, drive)


# ---------------------------------------------------------------- basketball


def basketball_plays(game: Fixture, period: int) -> Iterator[Play]:
    """Every basket, and as many misses, rebounds and fouls as make it a game."""
    chance = seeded("baskets", game.id, period)
    for at, seat, points in scores_of(game, period):
        player = floor_player(game, seat, chance)
        shot = {1: "free throw", 2: "layup", 3: "three point jumper"}[points]
        kind = {1: "Free Throw - 1 of 1", 2: "Layup Shot", 3: "Jump Shot"}[points]
        text = f"{player.name} makes {shot}"
        made = {1: ("FT", "FTA"), 2: ("FG", "FGA"), 3: ("FG", "FGA", "3PT", "3PTA")}[points]
        stats: Stats = ((player, "PTS", points), *((player, name, 1) for name in made))
        helper = floor_player(game, seat, chance)
        if points > 1 and helper is not player and chance.random() < 0.6:
            text += f" ({helper.name} assists)"
            stats = (*stats, (helper, "AST", 1))
        yield Play(period, TOP, at, seat, kind, text, points, stats)
    for seat in SEATS:
        for at in times(game, period, chance, 8):
            player, rebounder = (floor_player(game, side, chance) for side in (seat, 1 - seat))
            missed: Stats = ((player, "FGA", 1),)
            yield Play(
                *(period, TOP, at, seat, "Jump Shot", f"{player.name} misses jumper"), 0, missed
            )
            text = f"{rebounder.name} defensive rebound"
            caught_ball: Stats = ((rebounder, "REB", 1),)
            yield Play(period, TOP, at, 1 - seat, "Defensive Rebound", text, 0, caught_ball)
        for at in times(game, period, chance, 4):
            player = floor_player(game, seat, chance)
            foul: Stats = ((player, "PF", 1),)
            text = f"{player.name} personal foul"
            yield Play(period, TOP, at, seat, "Personal Foul", text, 0, foul)


def floor_player(game: Fixture, seat: int, chance: Random) -> DemoPlayer:
    """Return who has the ball: a starter more often than not."""
    places = LINEUPS if chance.random() < 0.65 else SUBSTITUTES
    return roster_of(game, seat)[chance.choice(places["basketball"])]


# ---------------------------------------------------------------- baseball


def baseball_plays(game: Fixture, period: int) -> Iterator[Play]:
    """Both halves of an inning, or the one that is played."""
    for half in (TOP, BOTTOM):
        if outcome_of(game).lines[period - 1][half] is not None:
            yield from half_inning(game, period, half)


def half_inning(game: Fixture, period: int, half: int) -> Iterator[Play]:
    """Singles that score, singles that do not, and three outs unless it ends with a run."""
    chance = seeded("at bats", game.id, period, half)
    roster, pitcher = roster_of(game, half), pitcher_of(game, 1 - half)
    batters = roster[13:22]
    scores = [(at, "run") for at, _ in plays_of(game, period, half)]
    outs = [1 / 3, 2 / 3] + ([] if is_walk_off(game, period, half) else [LAST_OUT])
    hits = [(0.0, "hit")] if has_hit(game, period, half) else []
    place = chance.randrange(9)
    for number, (at, what) in enumerate(sorted(hits + scores + [(at, "out") for at in outs])):
        batter, runner = batters[(place + number) % 9], batters[(place + number - 1) % 9]
        stats: Stats = ((batter, "AB", 1),)
        if what == "out":
            kind = chance.choice(OUTS)
            text = f"{batter.last} {'struck out' if kind == 'Strikeout' else kind.lower()}."
            stats += ((pitcher, "OUTS", 1),)
            if kind == "Strikeout":
                stats += ((batter, "SO", 1), (pitcher, "PK", 1))
            yield Play(period, half, at, half, kind, text, 0, stats)
            continue
        stats += ((batter, "H", 1), (pitcher, "PH", 1))
        text, points = f"{batter.last} singled to center.", 0
        if what == "run":
            text, points = f"{batter.last} singled to left, {runner.last} scored.", 1
            stats += ((batter, "RBI", 1), (runner, "R", 1), (pitcher, "PR", 1))
        yield Play(period, half, at, half, "Single", text, points, stats)


def pitcher_of(game: Fixture, seat: int) -> DemoPlayer:
    return roster_of(game, seat)[game.index % 5]


def has_hit(game: Fixture, inning: int, seat: int) -> bool:
    """Return whether a side has a hit in an inning besides those that score."""
    return extra_hits(game, inning, seat) > extra_hits(game, inning - 1, seat)


def extra_hits(game: Fixture, innings: int, seat: int) -> int:
    """Return a side's hits without a run in so many innings at bat."""
    return int(innings * (0.5 + 0.4 * share("hits", game.id, seat)))


# ---------------------------------------------------------------- hockey


def hockey_plays(game: Fixture, period: int) -> Iterator[Play]:
    """Goals, shots, face-offs and now and then a penalty; in a shootout the goal that decides."""
    chance = seeded("shots", game.id, period)
    shootout = is_shootout(outcome_of(game), period)
    for at, seat, points in scores_of(game, period):
        scorer, helper = chance.sample(skaters_of(game, seat), 2)
        if shootout:
            text = f"{scorer.name} Shootout Goal"
            made: Stats = ((scorer, "SOG", 1),)
            yield Play(period, TOP, at, seat, "Shootout Goal", text, points, made)
            continue
        text = f"{scorer.name} Goal Wrist Shot, assists: {helper.name}"
        goalie = goalie_of(game, 1 - seat)
        stats: Stats = ((scorer, "G", 1), (scorer, "S", 1), (helper, "A", 1))
        yield Play(
            *(period, TOP, at, seat, "Goal", text, points),
            (*stats, (goalie, "GA", 1), (goalie, "SA", 1)),
        )
    for seat in () if shootout else SEATS:
        for at in times(game, period, chance, 9):
            shooter, goalie = chance.choice(skaters_of(game, seat)), goalie_of(game, 1 - seat)
            saved: Stats = ((shooter, "S", 1), (goalie, "SA", 1))
            text = f"{shooter.name} Wrist Shot saved by {goalie.name}"
            yield Play(period, TOP, at, seat, "Shot", text, 0, saved)
        for at in times(game, period, chance, chance.choice((0, 1, 1, 2))):
            sinner = chance.choice(skaters_of(game, seat))
            minutes: Stats = ((sinner, "PIM", 2), (sinner, "PN", 1))
            yield Play(period, TOP, at, seat, "Penalty", f"{sinner.name} Tripping", 0, minutes)


def skaters_of(game: Fixture, seat: int) -> list[DemoPlayer]:
    return [player for player in roster_of(game, seat) if player.group != "Goalies"][:18]


def goalie_of(game: Fixture, seat: int) -> DemoPlayer:
    return roster_of(game, seat)[-1 - game.index % 2]


# ---------------------------------------------------------------- soccer


def soccer_plays(game: Fixture, period: int) -> Iterator[Play]:
    """Goals and cards, and in the second half the substitutions."""
    chance = seeded("goals", game.id, period)
    league, red_card = game.league, red_card_of(game)
    if red_card:
        minute, team, player = red_card
        at = (minute * 60 - (period - 1) * league.period_clock) / league.period_time
        if 0 < at <= league.period_clock / league.period_time:
            seat = HOME if team is game.home else AWAY
            text = f"{player.name} is shown the red card."
            yield Play(period, TOP, at, seat, "Red Card", text, 0, ((player, "RC", 1),))
    for at, seat, points in scores_of(game, period):
        scorer = chance.choice(starters_of(game, seat)[5:])
        text = f"Goal! {scorer.name} right footed shot to the bottom left corner."
        goal: Stats = ((scorer, "G", 1), (scorer, "SH", 1))
        yield Play(period, TOP, at, seat, "Goal", text, points, goal)
    for seat in SEATS:
        for at in times(game, period, chance, chance.choice((0, 1, 1, 2))):
            sinner = chance.choice(starters_of(game, seat)[1:])
            card: Stats = ((sinner, "YC", 1), (sinner, "FC", 1))
            text = f"{sinner.name} is shown the yellow card."
            yield Play(period, TOP, at, seat, "Yellow Card", text, 0, card)
        moments = times(game, period, chance, 3) if period == 2 else []
        changes = zip(moments, SUBSTITUTES["soccer"], starters_of(game, seat)[-3:], strict=False)
        for at, place, off in changes:
            on = roster_of(game, seat)[place]
            text = f"Substitution, {on.name} replaces {off.name}."
            changed: Stats = ((on, "ON", 1), (off, "OFF", 1))
            yield Play(period, TOP, at, seat, "Substitution", text, 0, changed)

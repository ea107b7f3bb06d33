"""Who meets whom: rounds in which every team plays once, dealt out over the days of a season."""

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from random import Random

Match = tuple[str, str]
LOOK_AHEAD = 120


def round_robin(teams: Sequence[str]) -> list[list[Match]]:
    """Return rounds of pairs in which all meet once (an even number of teams)."""
    ring = list(teams)
    half = len(ring) // 2
    rounds = []
    for _ in range(len(ring) - 1):
        rounds.append(list(zip(ring[:half], reversed(ring[half:]), strict=True)))
        ring = [ring[0], ring[-1], *ring[1:-1]]
    return rounds


def season_rounds(teams: Sequence[str], count: int, chance: Random) -> list[list[Match]]:
    """Return this many rounds of (home, away), in an order drawn by chance."""
    order = list(teams)
    chance.shuffle(order)
    rounds: list[list[Match]] = []
    while len(rounds) < count:
        once = round_robin(order)
        chance.shuffle(once)
        rounds += once
    return share_homes(rounds[:count])


def share_homes(rounds: Sequence[Sequence[Match]]) -> list[list[Match]]:
    """Return the rounds with home given to the side that has been at home less often."""
    homes: Counter[str] = Counter()
    fair = []
    for pairs in rounds:
        ordered = [(b, a) if homes[a] > homes[b] else (a, b) for a, b in pairs]
        homes.update(home for home, _ in ordered)
        fair.append(ordered)
    return fair


def daily_counts(weights: Sequence[float], total: int) -> list[int]:
    """Share a season's games out over its days by weight, so that the sum is the total."""
    scale = total / sum(weights)
    marks = [round(mark * scale) for mark in accumulate(weights)]
    return [mark - before for mark, before in zip(marks, [0, *marks], strict=False)]


def deal(rounds: Sequence[Sequence[Match]], counts: Sequence[int]) -> list[list[Match]]:
    """Deal the rounds' matches out, day by day in their order, no team twice on a day.

    The last day takes what is left and fits. Matches that then still wait are dropped.
    """
    waiting = [match for pairs in rounds for match in pairs]
    days = []
    for number, count in enumerate(counts):
        wanted = count if number < len(counts) - 1 else len(waiting)
        days.append(take_matches(waiting, wanted))
    return days


def take_matches(waiting: list[Match], wanted: int) -> list[Match]:
    """Take up to `wanted` matches of different teams off the head of the list."""
    taken: list[Match] = []
    busy: set[str] = set()
    for match in waiting[:LOOK_AHEAD]:
        if len(taken) == wanted:
            break
        if busy.isdisjoint(match):
            taken.append(match)
            busy.update(match)
    for match in taken:
        waiting.remove(match)
    return taken

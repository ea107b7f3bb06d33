"""Rounds, medians and spreads, and the lines of the table."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

ROUNDS = 7


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    ``value`` and ``floor`` are medians in ``unit``; ``spread`` is half the distance between
    the quartiles of the value. ``goal`` is the text of the goal that ``is_met`` is about.
    """

    row: str
    what: str
    value: float
    unit: str
    goal: str = ""
    is_met: bool | None = None
    floor: float | None = None
    spread: float = 0.0

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of the floor; None without a floor."""
        return self.value / self.floor if self.floor else None

    def as_json(self) -> dict[str, Any]:
        """The line as JSON."""
        return asdict(self) | {"ratio": self.ratio}


def median_and_spread(values: list[float]) -> tuple[float, float]:
    """The median, and half the distance between the quartiles."""
    if len(values) < 3:
        return statistics.median(values), (max(values) - min(values)) / 2
    first, _, third = statistics.quantiles(values, n=4)
    return statistics.median(values), (third - first) / 2


def in_turns(
    measured: Callable[[], float], floor: Callable[[], float], rounds: int = ROUNDS
) -> tuple[float, float, float]:
    """Measure both in turns, so that other load on the machine affects both.

    Returns the value's median and spread, and the floor's median.
    """
    values, floors = [], []
    measured()
    floor()
    for _ in range(rounds):
        values.append(measured())
        floors.append(floor())
    value, spread = median_and_spread(values)
    return value, spread, statistics.median(floors)


def cpu_ms(work: Callable[[], object], times: int = 5) -> float:
    """CPU milliseconds of one call, averaged over ``times``, with garbage collection off."""
    gc.collect()
    gc.disable()
    try:
        began = time.process_time()
        for _ in range(times):
            work()
        return (time.process_time() - began) / times * 1000
    finally:
        gc.enable()


def wall_ms(work: Callable[[], object]) -> float:
    """Wall-clock milliseconds of one call."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def at_most(
    row: str, what: str, unit: str, measured: tuple[float, float, float], limit: float
) -> Figure:
    """A figure whose goal is at most ``limit`` times its floor.

    ``measured`` is what ``in_turns`` returns.
    """
    value, spread, floor = measured
    return Figure(
        row, what, value, unit, f"at most {limit:g} x", value <= limit * floor, floor, spread
    )


def at_least(
    row: str, what: str, unit: str, measured: tuple[float, float, float], share: float
) -> Figure:
    """A figure (more is better) whose goal is at least this share of its floor.

    ``measured`` is what ``in_turns`` returns.
    """
    value, spread, floor = measured
    return Figure(
        row, what, value, unit, f"at least {share:g} x", value >= share * floor, floor, spread
    )

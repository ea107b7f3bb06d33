"""Rounds, medians, spreads, and a line for each thing that was measured."""

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
    the quartiles of the value. ``goal`` says in words what ``is_met`` judges.
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
        """How many times the floor the value is."""
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


def side_by_side(
    measured: Callable[[], float], floor: Callable[[], float], rounds: int = ROUNDS
) -> tuple[float, float, float]:
    """Measure both in turns, so that what else the machine does hits both.

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
    """CPU milliseconds of one call, over a few calls, without the collector's pauses."""
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
    """Milliseconds of one call by the clock."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def at_most(
    row: str, what: str, unit: str, sides: tuple[float, float, float], limit: float
) -> Figure:
    """A figure whose goal is at most so many times its floor."""
    value, spread, floor = sides
    return Figure(
        row, what, value, unit, f"at most {limit:g} x", value <= limit * floor, floor, spread
    )


def at_least(
    row: str, what: str, unit: str, sides: tuple[float, float, float], share: float
) -> Figure:
    """A figure (more is better) whose goal is at least a share of its floor's rate."""
    value, spread, floor = sides
    return Figure(
        row, what, value, unit, f"at least {share:g} of it", value >= share * floor, floor, spread
    )

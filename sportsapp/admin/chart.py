"""Runs and failures an hour as the numbers of an SVG chart; the template draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sportsapp.runs.reports import Hour

WIDTH, HEIGHT, STEP, GAP, TOP = 720, 120, 30, 6, 14


@dataclass(frozen=True)
class Bar:
    """One hour: left edge, heights of runs and of failures from the ground up, and its words."""

    x: int
    height: float
    failed: float
    label: str
    words: str


@dataclass(frozen=True)
class Chart:
    """All bars, the count that the highest stands for, and the whole in one sentence."""

    bars: Sequence[Bar]
    most: int
    words: str
    hours: Sequence[Hour]


def draw(hours: Sequence[Hour]) -> Chart:
    """The chart of these hours, oldest first."""
    most = max((hour.ended for hour in hours), default=0)
    scale = (HEIGHT - TOP) / (most or 1)
    bars = [
        Bar(
            x=n * STEP + GAP // 2,
            height=_seen(hour.ended, scale),
            failed=_seen(hour.failed, scale),
            label=f"{hour.start:%H}" if n % 3 == 0 else "",
            words=f"{hour.start:%H}:00 UTC: {hour.ended} runs, {hour.failed} failed",
        )
        for n, hour in enumerate(hours)
    ]
    total, failed = sum(hour.ended for hour in hours), sum(hour.failed for hour in hours)
    words = f"{total:,} runs ended in the last {len(hours)} hours, {failed:,} of them failed."
    return Chart(bars, most, words, hours)


def _seen(count: int, scale: float) -> float:
    """A height; what is not nothing can be seen."""
    return round(max(count * scale, 2), 1) if count else 0

"""Runs and failures per hour as an SVG bar chart: its numbers; the template draws it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sportsapp.runs.reports import Hour

HEIGHT, STEP, GAP, TOP = 120, 30, 6, 14


@dataclass(frozen=True)
class Bar:
    """One hour: left edge, heights of all runs and of the failed ones, axis label, tooltip.

    ``axis_label`` is empty for two of three hours.
    """

    x: int
    height: float
    failed_height: float
    axis_label: str
    tooltip: str


@dataclass(frozen=True)
class Chart:
    """The bars, oldest first; the run count of the highest one; the chart in one sentence."""

    bars: Sequence[Bar]
    highest: int
    summary: str


def draw(hours: Sequence[Hour]) -> Chart:
    """The chart of these hours, which are in order, oldest first."""
    highest = max((hour.ended for hour in hours), default=0)
    scale = (HEIGHT - TOP) / (highest or 1)

    def bar_height(count: int) -> float:
        return round(max(count * scale, 2), 1) if count else 0  # one run of thousands is visible

    bars = [
        Bar(
            x=n * STEP + GAP // 2,
            height=bar_height(hour.ended),
            failed_height=bar_height(hour.failed),
            axis_label=f"{hour.start:%H}" if n % 3 == 0 else "",
            tooltip=f"{hour.start:%H}:00 UTC: {hour.ended} runs, {hour.failed} failed",
        )
        for n, hour in enumerate(hours)
    ]
    ended, failed = sum(hour.ended for hour in hours), sum(hour.failed for hour in hours)
    summary = f"{ended:,} runs ended in the last {len(hours)} hours, {failed:,} of them failed."
    return Chart(bars, highest, summary)

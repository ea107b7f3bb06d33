"""``python -m bench``: measures, prints a table, writes JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from bench import (
    box_rows,
    freshness_rows,
    growth_rows,
    hosts_rows,
    memory_rows,
    page_rows,
    queue_rows,
    request_rows,
    summary_rows,
    sync_rows,
    viewer_rows,
)
from bench.measure import Figure

ROWS = {
    "tick": sync_rows.tick,
    "tick-changed": sync_rows.tick_changed,
    "first-sync": sync_rows.first_sync,
    "statements": sync_rows.statements,
    "backfill": sync_rows.backfill,
    "summaries": summary_rows.summaries,
    "page-warm": page_rows.warm,
    "page-304": page_rows.not_modified,
    "page-cold": page_rows.cold,
    "history": page_rows.history,
    "box-cold": box_rows.cold,
    "box-warm": box_rows.warm,
    "plays-paint": box_rows.paint,
    "box-growth": box_rows.growth,
    "queue": queue_rows.queue,
    "requests": request_rows.requests,
    "freshness": freshness_rows.freshness,
    "viewers": viewer_rows.viewers,
    "memory": memory_rows.memory,
    "growth": growth_rows.growth,
    "hosts": hosts_rows.hosts,
}


def main() -> None:
    """Measure the rows named on the command line, or all of them.

    Exits with status 1 when a goal is missed.
    """
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"unknown rows {', '.join(sorted(unknown))}: known are {', '.join(ROWS)}")
    figures: list[Figure] = []
    print(_line("row", "measured", "value", "spread", "floor", "ratio", "goal", ""))
    for name in options.rows or ROWS:
        for figure in ROWS[name]():
            figures.append(figure)
            print(_line(*_cells(figure)), flush=True)
    if options.json:
        document = {"machine": _machine(), "figures": [figure.as_json() for figure in figures]}
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    sys.exit(any(figure.is_met is False for figure in figures))


def _cells(figure: Figure) -> list[str]:
    return [
        figure.row,
        figure.what,
        f"{_number(figure.value, 4)} {figure.unit}",
        _number(figure.spread, 2) if figure.spread else "",
        _number(figure.floor, 4) if figure.floor is not None else "",
        f"{figure.ratio:.2f}" if figure.ratio is not None else "",
        figure.goal,
        {True: "met", False: "NOT MET", None: ""}[figure.is_met],
    ]


def _number(value: float, digits: int) -> str:
    """A number with this many significant digits, never as a power of ten."""
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 1000 else f"{rounded:g}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _machine() -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
    }


if __name__ == "__main__":
    main()

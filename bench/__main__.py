"""``python -m bench``: measures, prints a table, writes JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from bench import (
    freshness_rows,
    growth_rows,
    hosts_rows,
    memory_rows,
    page_rows,
    queue_rows,
    sync_rows,
)
from bench.measure import Figure

ROWS = {
    "tick": sync_rows.tick,
    "tick-changed": sync_rows.tick_changed,
    "first-sync": sync_rows.first_sync,
    "statements": sync_rows.statements,
    "backfill": sync_rows.backfill,
    "page-warm": page_rows.warm,
    "page-304": page_rows.not_modified,
    "page-cold": page_rows.cold,
    "history": page_rows.history,
    "queue": queue_rows.queue,
    "freshness": freshness_rows.freshness,
    "memory": memory_rows.memory,
    "growth": growth_rows.growth,
    "hosts": hosts_rows.hosts,
}


def main() -> None:
    """Measure the rows that are asked for, all without any."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")
    asked = parser.parse_args()
    if unknown := set(asked.rows) - set(ROWS):
        parser.error(f"unknown rows {', '.join(sorted(unknown))}: known are {', '.join(ROWS)}")
    figures: list[Figure] = []
    print(_line("row", "measured", "value", "spread", "floor", "ratio", "goal", ""))
    for name in asked.rows or ROWS:
        for figure in ROWS[name]():
            figures.append(figure)
            print(_line(*_cells(figure)), flush=True)
    if asked.json:
        document = {"machine": _machine(), "figures": [one.as_json() for one in figures]}
        asked.json.write_text(json.dumps(document, indent=2) + "\n")
    sys.exit(any(one.is_met is False for one in figures))


def _cells(one: Figure) -> list[str]:
    met = {True: "met", False: "NOT MET", None: ""}[one.is_met]
    return [
        one.row, one.what, f"{_number(one.value, 4)} {one.unit}",
        _number(one.spread, 2) if one.spread else "",
        _number(one.floor, 4) if one.floor is not None else "",
        f"{one.ratio:.2f}" if one.ratio is not None else "", one.goal, met,
    ]  # fmt: skip


def _number(value: float, digits: int) -> str:
    """So many significant digits, and never as a power of ten."""
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

"""``python -m bench.producer MODULE``: enqueues that module's ``noop`` and watches the marks.

Reads ``waits N`` or ``rate N`` from standard input and answers each with a line of JSON. Every
queue of the row ``queue`` has a producer of its own: one process cannot hold all three.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.noop import MARK

PATIENCE = 60.0
LOOK_EVERY = 0.0005
PAUSE = 0.02

Send = Callable[[], object]


def waits(send: Send, marks: Marks, number: int) -> list[float]:
    """Milliseconds from the call that enqueues to the body, one task at a time."""
    found = []
    for _ in range(number):
        time.sleep(PAUSE)  # the task before is written down, and the worker waits again
        count = marks.count()
        began = time.time()
        send()
        found.append((marks.after(count + 1) - began) * 1000)
    return found


def rate(send: Send, marks: Marks, number: int) -> float:
    """Tasks a second, from the first call that enqueues until the last body has started."""
    count = marks.count()
    began = time.time()
    for _ in range(number):
        send()
    return number / (marks.after(count + number) - began)


class Marks:
    """The moments at which tasks have started."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch()

    def count(self) -> int:
        """How many tasks have started."""
        return self.path.stat().st_size // MARK.size

    def after(self, count: int) -> float:
        """The last of so many moments, once they are there. Raises TimeoutError."""
        deadline = time.monotonic() + PATIENCE
        while self.count() < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.count()} of {count} tasks started in {PATIENCE:g} s")
            time.sleep(LOOK_EVERY)
        last: float = max(MARK.iter_unpack(self.path.read_bytes()))[0]
        return last


WORK: dict[str, Callable[[Send, Marks, int], object]] = {"waits": waits, "rate": rate}


def main() -> None:
    """Do what standard input asks for, until it ends."""
    send = importlib.import_module(sys.argv[1]).noop
    marks = Marks(Path(os.environ["BENCH_MARKS"]))
    for line in sys.stdin:
        what, number = line.split()
        print(json.dumps(WORK[what](send, marks, int(number))), flush=True)


if __name__ == "__main__":
    main()

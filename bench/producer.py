"""``python -m bench.producer MODULE``: enqueues that module's ``noop`` and reads the marks.

Reads ``waits N`` or ``rate N`` from standard input and prints a line of JSON for each. Every queue
of the row ``queue`` has a producer of its own, since Celery needs another environment than ours.
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

LONGEST_WAIT = 60.0
CHECK_EVERY = 0.0005
PAUSE = 0.02

Send = Callable[[], object]


def waits(send: Send, marks: Marks, number: int) -> list[float]:
    """Milliseconds from the call that enqueues to the start of the body, one task at a time."""
    milliseconds = []
    for _ in range(number):
        time.sleep(PAUSE)  # until the last task is recorded and its worker waits again
        count = marks.count()
        began = time.time()
        send()
        milliseconds.append((marks.after(count + 1) - began) * 1000)
    return milliseconds


def rate(send: Send, marks: Marks, number: int) -> float:
    """Tasks a second, from the first call that enqueues until the last body has started."""
    count = marks.count()
    began = time.time()
    for _ in range(number):
        send()
    return number / (marks.after(count + number) - began)


class Marks:
    """The times at which tasks have started."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch()

    def count(self) -> int:
        """The number of tasks that have started."""
        return self.path.stat().st_size // MARK.size

    def after(self, count: int) -> float:
        """The time of the last start, once ``count`` tasks have started. Raises TimeoutError."""
        deadline = time.monotonic() + LONGEST_WAIT
        while self.count() < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.count()} of {count} tasks started in {LONGEST_WAIT:g} s")
            time.sleep(CHECK_EVERY)
        last: float = max(MARK.iter_unpack(self.path.read_bytes()))[0]
        return last


WORK: dict[str, Callable[[Send, Marks, int], object]] = {"waits": waits, "rate": rate}


def main() -> None:
    """Measure what standard input names, until it ends."""
    send = importlib.import_module(sys.argv[1]).noop
    marks = Marks(Path(os.environ["BENCH_MARKS"]))
    for line in sys.stdin:
        name, number = line.split()
        print(json.dumps(WORK[name](send, marks, int(number))), flush=True)


if __name__ == "__main__":
    main()

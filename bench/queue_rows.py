"""What the queue costs: ours with its ledger, beside bare Huey and beside Celery.

Three consumers with two worker processes each wait on one broker, and are measured in turns.
Huey's are started as `flask up` starts them; all keep their own defaults of logging. No-ops keep
no results. Celery wants other releases than we do, so it is measured where it has a Python of
its own, which takes two commands::

    python3 -m venv bench/.venv
    bench/.venv/bin/pip install -r bench/requirements.txt
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bench.measure import Figure, at_least, at_most, median_and_spread
from bench.running import (
    environment_of,
    huey_consumer,
    left_out,
    running_broker,
    started,
    wait_until,
)
from bench.sync_rows import fresh_app
from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db.engine import db
from sportsapp.db.models import TaskRun
from sportsapp.db.models.run import RunState
from sportsapp.services import services_of

ROUNDS = 5
WAITS = 40
TASKS = 1_000
LAST_WORDS, LAST_SECONDS = 2_000, 20
NOWHERE = "http://127.0.0.1:1"  # our consumer keeps its schedule; nobody is to be asked
CELERY_PYTHON = PROJECT_ROOT / "bench" / ".venv" / "bin" / "python"
OURS, BARE, CELERY = "bench.our_queue", "bench.bare_huey", "bench.celery_app"
NAMES = {BARE: "bare Huey", CELERY: "Celery"}
CELERY_P50, CELERY_RATE = 0.95, 1
CELERY_WORKER = ["-A", CELERY, "worker", "--pool", "prefork", "--concurrency", "2"]


class Side:
    """One queue that is measured: its producer, and the log of its processes."""

    def __init__(self, producer: subprocess.Popen[str], log: Path) -> None:
        self.producer, self.log = producer, log

    def ask(self, what: str, number: int) -> Any:
        """Have the producer do something; what it measured."""
        assert self.producer.stdin is not None
        assert self.producer.stdout is not None
        self.producer.stdin.write(f"{what} {number}\n")
        self.producer.stdin.flush()
        answer = self.producer.stdout.readline()
        if not answer:
            raise RuntimeError(f"no answer: {self.log.read_text()[-LAST_WORDS:]}")
        return json.loads(answer)


@contextmanager
def running_side(
    settings: Settings, python: str, module: str, consumer: list[str]
) -> Iterator[Side]:
    """A consumer and a producer of one queue."""
    log = settings.instance_path / f"{module}.log"
    marks = str(settings.instance_path / f"{module}.marks")
    environment = environment_of(settings, BENCH_BROKER=settings.broker, BENCH_MARKS=marks)
    with ExitStack() as stack:
        said = stack.enter_context(log.open("ab"))
        stack.enter_context(started(consumer, environment, log))
        producer = subprocess.Popen(  # noqa: S603
            [python, "-m", "bench.producer", module], cwd=PROJECT_ROOT, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True,
        )  # fmt: skip
        yield Side(stack.enter_context(producer), log)  # its end is that of its input


@contextmanager
def running_sides() -> Iterator[dict[str, Side]]:
    """Ours, bare Huey and, where it is installed, Celery, on one broker."""
    commands = {name: (sys.executable, huey_consumer(f"{name}.huey")) for name in (OURS, BARE)}
    if CELERY_PYTHON.exists():
        python = str(CELERY_PYTHON)
        commands[CELERY] = python, [python, "-m", "celery", *CELERY_WORKER]
    else:
        left_out("queue", "beside Celery", "bench/.venv has none, see bench/queue_rows.py")
    with fresh_app() as app, ExitStack() as stack:
        folder = services_of(app).settings.instance_path
        settings = Settings(instance_path=folder, espn_base_url=NOWHERE)
        stack.enter_context(running_broker(settings))
        yield {
            module: stack.enter_context(running_side(settings, python, module, consumer))
            for module, (python, consumer) in commands.items()
        }


def queue() -> list[Figure]:
    """A task that does nothing: from the call that enqueues it to its body, and a second's worth.

    Takes about a minute.
    """
    waits: dict[str, list[float]] = {}
    rates: dict[str, list[float]] = {}
    with running_sides() as sides:
        for side in sides.values():  # connections, imports, prepared statements
            side.ask("waits", WAITS)
            side.ask("rate", WAITS)
        for _ in range(ROUNDS):
            for module, side in sides.items():
                waits.setdefault(module, []).extend(side.ask("waits", WAITS))
        for _ in range(ROUNDS):
            for module, side in sides.items():
                rates.setdefault(module, []).append(side.ask("rate", TASKS))
        asked = 2 * WAITS + ROUNDS * (WAITS + TASKS)
        wait_until(lambda: _written_down() == asked, LAST_SECONDS)
    figures = []
    for module in list(sides)[1:]:
        figures += _beside(module, waits[OURS], waits[module])
        figures.append(_rate_beside(module, rates[OURS], rates[module]))
    return figures


def _written_down() -> int:
    """How many runs our ledger has as ended well."""
    db.session.rollback()
    ended = (TaskRun.task == "noop") & (TaskRun.state == RunState.SUCCESS)
    return db.session.scalar(select(func.count()).select_from(TaskRun).where(ended)) or 0


def _beside(module: str, ours: list[float], theirs: list[float]) -> list[Figure]:
    p50, spread = median_and_spread(ours)
    what = f"p50 from enqueue to start, beside {NAMES[module]}"
    p99 = [statistics.quantiles(waits, n=100)[98] for waits in (ours, theirs)]
    floor = statistics.median(theirs)
    figure = Figure("queue", what, p50, "ms", floor=floor, spread=spread)
    if module == CELERY:
        figure = at_most("queue", what, "ms", (p50, spread, floor), CELERY_P50)
    return [
        figure,
        Figure("queue", f"p99, beside {NAMES[module]}", p99[0], "ms", floor=p99[1]),
    ]


def _rate_beside(module: str, ours: list[float], theirs: list[float]) -> Figure:
    rate, spread = median_and_spread(ours)
    what = f"no-ops a second, {TASKS:,} at once, beside {NAMES[module]}"
    floor = statistics.median(theirs)
    if module == CELERY:
        return at_least("queue", what, "/s", (rate, spread, floor), CELERY_RATE)
    return Figure("queue", what, rate, "/s", floor=floor, spread=spread)

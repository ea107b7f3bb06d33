"""What the queue costs: ours with its ledger, compared with bare Huey and with Celery.

Three consumers with two worker processes each wait on one broker, and are measured in turns.
Huey's are started as `flask up` starts them; all log as they do by default. No-ops have no
results. Celery needs other releases than we do, so it is measured only if it has a virtual
environment of its own, which takes two commands::

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
    print_left_out,
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
LOG_TAIL, END_SECONDS = 2_000, 20
NOWHERE = "http://127.0.0.1:1"  # our consumer runs its schedule, but the feed must not be called
CELERY_PYTHON = PROJECT_ROOT / "bench" / ".venv" / "bin" / "python"
OURS, BARE, CELERY = "bench.our_queue", "bench.bare_huey", "bench.celery_app"
NAMES = {BARE: "bare Huey", CELERY: "Celery"}
CELERY_P50, CELERY_RATE = 0.95, 1
CELERY_WORKER = ["-A", CELERY, "worker", "--pool", "prefork", "--concurrency", "2"]


class RunningQueue:
    """A queue that is measured: its producer, and the log of its processes."""

    def __init__(self, producer: subprocess.Popen[str], log: Path) -> None:
        self.producer, self.log = producer, log

    def measure(self, name: str, number: int) -> Any:
        """Let the producer measure ``waits`` or ``rate`` with this many tasks; the result.

        Raises RuntimeError, with the end of the log, when the producer has ended.
        """
        assert self.producer.stdin is not None
        assert self.producer.stdout is not None
        self.producer.stdin.write(f"{name} {number}\n")
        self.producer.stdin.flush()
        line = self.producer.stdout.readline()
        if not line:
            raise RuntimeError(f"the producer has ended: {self.log.read_text()[-LOG_TAIL:]}")
        return json.loads(line)


@contextmanager
def running_queue(
    settings: Settings, python: str, module: str, consumer: list[str]
) -> Iterator[RunningQueue]:
    """A queue with its consumer and its producer."""
    log = settings.instance_path / f"{module}.log"
    marks = str(settings.instance_path / f"{module}.marks")
    environment = environment_of(settings, BENCH_BROKER=settings.broker, BENCH_MARKS=marks)
    with ExitStack() as stack:
        errors = stack.enter_context(log.open("ab"))
        stack.enter_context(started(consumer, environment, log))
        producer = subprocess.Popen(  # noqa: S603
            [python, "-m", "bench.producer", module],
            cwd=PROJECT_ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        yield RunningQueue(stack.enter_context(producer), log)  # it ends when its input is closed


@contextmanager
def running_queues() -> Iterator[dict[str, RunningQueue]]:
    """Our queue, bare Huey and, if it is installed, Celery, on one broker, by their modules."""
    commands = {name: (sys.executable, huey_consumer(f"{name}.huey")) for name in (OURS, BARE)}
    if CELERY_PYTHON.exists():
        python = str(CELERY_PYTHON)
        commands[CELERY] = python, [python, "-m", "celery", *CELERY_WORKER]
    else:
        print_left_out("queue", "floor: Celery", "no bench/.venv, see bench/queue_rows.py")
    with fresh_app() as app, ExitStack() as stack:
        folder = services_of(app).settings.instance_path
        settings = Settings(instance_path=folder, espn_base_url=NOWHERE)
        stack.enter_context(running_broker(settings))
        yield {
            module: stack.enter_context(running_queue(settings, python, module, consumer))
            for module, (python, consumer) in commands.items()
        }


def queue() -> list[Figure]:
    """A task that does nothing: how long it waits for its body, and how many start in a second.

    Takes about a minute.
    """
    waits: dict[str, list[float]] = {}
    rates: dict[str, list[float]] = {}
    with running_queues() as queues:
        for running in queues.values():  # warm up: connections, imports
            running.measure("waits", WAITS)
            running.measure("rate", WAITS)
        for _ in range(ROUNDS):
            for module, running in queues.items():
                waits.setdefault(module, []).extend(running.measure("waits", WAITS))
        for _ in range(ROUNDS):
            for module, running in queues.items():
                rates.setdefault(module, []).append(running.measure("rate", TASKS))
        expected = 2 * WAITS + ROUNDS * (WAITS + TASKS)
        wait_until(lambda: _recorded_successes() == expected, END_SECONDS)
    figures = []
    for module in list(queues)[1:]:
        figures += _compared_waits(module, waits[OURS], waits[module])
        figures.append(_compared_rate(module, rates[OURS], rates[module]))
    return figures


def _recorded_successes() -> int:
    """The number of runs that are SUCCESS in our ledger."""
    db.session.rollback()
    ended = (TaskRun.task == "noop") & (TaskRun.state == RunState.SUCCESS)
    return db.session.scalar(select(func.count()).select_from(TaskRun).where(ended)) or 0


def _compared_waits(module: str, ours: list[float], theirs: list[float]) -> list[Figure]:
    p50, spread = median_and_spread(ours)
    what = f"p50 from enqueue to start; floor: {NAMES[module]}"
    p99 = [statistics.quantiles(waits, n=100)[98] for waits in (ours, theirs)]
    floor = statistics.median(theirs)
    figure = Figure("queue", what, p50, "ms", floor=floor, spread=spread)
    if module == CELERY:
        figure = at_most("queue", what, "ms", (p50, spread, floor), CELERY_P50)
    return [
        figure,
        Figure("queue", f"p99; floor: {NAMES[module]}", p99[0], "ms", floor=p99[1]),
    ]


def _compared_rate(module: str, ours: list[float], theirs: list[float]) -> Figure:
    rate, spread = median_and_spread(ours)
    what = f"no-ops a second, {TASKS:,} queued at once; floor: {NAMES[module]}"
    floor = statistics.median(theirs)
    if module == CELERY:
        return at_least("queue", what, "/s", (rate, spread, floor), CELERY_RATE)
    return Figure("queue", what, rate, "/s", floor=floor, spread=spread)

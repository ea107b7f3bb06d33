"""How costs grow with the games stored, the leagues followed, viewers and consumers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from bench.boards import four_boards, with_changes
from bench.measure import Figure, cpu_ms, median_and_spread
from bench.page_rows import HISTORY, add_history, load, running_page
from bench.queue_rows import NOWHERE, OURS, TASKS, WAITS, running_queue
from bench.running import environment_of, huey_consumer, running_broker, started
from bench.sync_rows import fresh_app, sync_boards
from sportsapp.core.settings import Settings
from sportsapp.services import services_of

VIEWERS = (1, 8, 32, 128)
CONSUMERS = (1, 2, 4)
ROUNDS = 5


def growth() -> list[Figure]:
    """Figures by size; the floor of each is the smallest size. Takes about three minutes."""
    return [*_by_games(), *_by_leagues(), *_by_viewers(), *_by_consumers()]


def _by_size(what: str, unit: str, measured: dict[str, tuple[float, float]]) -> list[Figure]:
    """A figure for each size: ``measured`` has medians and spreads by the size's label."""
    first, *_ = (value for value, _ in measured.values())
    return [
        Figure("growth", f"{what}, {size}", value, unit, floor=first, spread=spread)
        for size, (value, spread) in measured.items()
    ]


def _by_games() -> list[Figure]:
    boards = four_boards()
    changed = iter([with_changes(boards, step) for step in range(1, 100)])
    unchanged: dict[str, tuple[float, float]] = {}
    changes: dict[str, tuple[float, float]] = {}
    with fresh_app():
        sync_boards(boards)
        for count in HISTORY:
            add_history(count)
            sync_boards(boards)
            label = f"{count:,} games stored"
            unchanged[label] = _cpu(partial(_cost_of_ticks, boards))
            changes[label] = _cpu(lambda: cpu_ms(lambda: sync_boards(next(changed)), 3))
            sync_boards(boards)
    return [
        *_by_size("CPU of a tick, nothing changed", "ms", unchanged),
        *_by_size("CPU of a tick, 10 games changed", "ms", changes),
    ]


def _by_leagues() -> list[Figure]:
    boards = four_boards()
    costs = {}
    for number in (1, 2, 4):
        some = dict(list(boards.items())[:number])
        with fresh_app():
            sync_boards(some)
            cost = _cpu(partial(_cost_of_ticks, some))
        size = sum(len(body) for body in some.values()) / 1e6
        costs[f"{number} league{'s' if number > 1 else ''}, {size:.1f} MB"] = cost
    return _by_size("CPU of a tick, nothing changed", "ms", costs)


def _cost_of_ticks(boards: dict[str, bytes]) -> float:
    return cpu_ms(lambda: sync_boards(boards), 10)


def _cpu(measured: Callable[[], float]) -> tuple[float, float]:
    measured()
    return median_and_spread([measured() for _ in range(ROUNDS)])


def _by_viewers() -> list[Figure]:
    rates, latencies = {}, {}
    with running_page() as port:
        load(port)
        for viewers in VIEWERS:
            loads = [load(port, connections=viewers) for _ in range(ROUNDS)]
            label = f"{viewers} connection{'s' if viewers > 1 else ''}"
            rates[label] = median_and_spread([rate for rate, _ in loads])
            latencies[label] = median_and_spread([latency for _, latency in loads])
    return [
        *_by_size("cached pages a second", "/s", rates),
        *_by_size("p99 latency of a cached page", "ms", latencies),
    ]


def _by_consumers() -> list[Figure]:
    throughput = {}
    for number in CONSUMERS:
        with fresh_app() as app, ExitStack() as stack:
            folder = services_of(app).settings.instance_path
            settings = Settings(instance_path=folder, espn_base_url=NOWHERE)
            stack.enter_context(running_broker(settings))
            command = huey_consumer(f"{OURS}.huey")
            running = stack.enter_context(running_queue(settings, sys.executable, OURS, command))
            for more in range(1, number):
                log = folder / f"consumer-{more}.log"
                marks = str(folder / f"{OURS}.marks")
                environ = environment_of(settings, BENCH_BROKER=settings.broker, BENCH_MARKS=marks)
                stack.enter_context(started(command, environ, log))
            running.measure("waits", WAITS)
            rates = [running.measure("rate", TASKS) for _ in range(ROUNDS)]
        label = f"{number} consumer{'s' if number > 1 else ''} of two workers"
        throughput[label] = median_and_spread(rates)
    return _by_size("no-op tasks a second", "/s", throughput)

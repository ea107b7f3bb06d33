"""The memory of all processes that `flask up` starts. Linux only."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.measure import Figure, median_and_spread
from bench.running import environment_of, print_left_out, started, wait_until
from demo.app import create_demo_feed
from demo.server import running_feed
from sportsapp.core.settings import PROJECT_ROOT, Settings

IDLE_MB, BUSY_MB = 420, 440
READY_SECONDS = 60.0
SETTLE_SECONDS = 30.0
FIRST_SYNC_SECONDS = 300.0
BACKFILL_SECONDS = 600.0
SAMPLES, PAUSE = 5, 2.0
BUSY_PAUSE = 0.2
SEASONS = {"MLB": ("2025-03-01", "2025-11-30"), "NBA": ("2024-10-01", "2025-06-30")}
PARTS = {
    "broker": "valkey-server",
    "consumer": "huey_config.huey",
    "backfill consumer": "huey_config.backfill_huey",
    "notify consumer": "huey_config.notify_huey",
    "web server": "serve",
}
OPEN = "state IN ('PENDING', 'STARTED', 'RETRY')"
FIRST_SYNC = "task = 'sync_daily_schedule' AND state = 'SUCCESS'"
BACKFILLS = f"task = 'sync_date_range_task' AND {OPEN}"

Parts = dict[str, float]
"""Megabytes of each part of the whole, by its name."""


def memory() -> list[Figure]:
    """Proportional set size (PSS) in megabytes: idle, and the peak during backfills.

    PSS is private memory plus a share of what several processes share. Broker, consumers, web
    server and supervisor follow the demo feed, which this process serves, so that it is not
    counted. Idle is half a minute after the first sync has ended; the peak is the largest sample
    during a backfill of one season, and then during two at once, one for each worker. The app
    runs in an environment of its own with what `make run` installs, since libraries use packages
    for development where they find them (Mako loads Pygments). Takes about three minutes.
    """
    if not Path("/proc/self/smaps_rollup").exists():
        print_left_out("memory", "of all processes", "needs /proc, so Linux")
        return []
    with _running_app() as (up, settings, flask):
        wait_until(lambda: _runs(settings, FIRST_SYNC), FIRST_SYNC_SECONDS)
        time.sleep(SETTLE_SECONDS)
        idle = list(_samples(up))
        single = _peak_during(up, settings, flask, ["MLB"])
        double = _peak_during(up, settings, flask, list(SEASONS))
    middle, spread = median_and_spread([sum(parts.values()) for parts in idle])
    return [
        _limited("idle", middle, IDLE_MB, spread),
        *_by_part("idle", idle[-1]),
        _limited("peak during a backfill", sum(single.values()), BUSY_MB),
        *_by_part("a backfill", single),
        Figure("memory", "peak during 2 backfills at once", sum(double.values()), "MB"),
    ]


def _limited(what: str, value: float, limit: float, spread: float = 0.0) -> Figure:
    goal = f"at most {limit:g} MB"
    return Figure("memory", what, value, "MB", goal, value <= limit, spread=spread)


def _by_part(when: str, parts: Parts) -> list[Figure]:
    return [Figure("memory", f"{when}: {name}", value, "MB") for name, value in parts.items()]


# ---------------------------------------------------------------- what is running


@contextmanager
def _running_app() -> Iterator[tuple[int, Settings, list[str]]]:
    """`flask up` on an empty instance, ready for requests.

    Yields its process id, its settings, and the words that begin any `flask` command there.
    """
    with (
        tempfile.TemporaryDirectory(prefix="sgt-bench-") as folder,
        running_feed(create_demo_feed()) as feed,
    ):
        path = Path(folder)
        environment = path / "environment"
        install = ["make", "--silent", f"VENV={environment}", f"{environment}/.installed"]
        subprocess.run(install, cwd=PROJECT_ROOT, check=True, stdout=sys.stderr)  # noqa: S603
        flask = [f"{environment}/bin/python", "-m", "flask"]
        settings = Settings(instance_path=path, espn_base_url=feed, port=_free_port())
        with started([*flask, "up"], environment_of(settings), path / "up.log") as up:
            wait_until(lambda: _answers(settings), READY_SECONDS)
            yield up.pid, settings, flask


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _answers(settings: Settings) -> bool:
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    return False


def _runs(settings: Settings, condition: str) -> int:
    """The number of task runs that meet this SQL condition."""
    with contextlib.closing(sqlite3.connect(settings.instance_path / "tracker.db")) as connection:
        count = connection.execute(f"SELECT count(*) FROM task_runs WHERE {condition}")  # noqa: S608
        return int(count.fetchone()[0])


def _peak_during(
    up: int, settings: Settings, flask: Sequence[str], leagues: Sequence[str]
) -> Parts:
    """The largest sample during backfills of one season of each of these leagues."""
    for league in leagues:
        command = [*flask, "sync", "range", league, *SEASONS[league], "--queue"]
        subprocess.run(  # noqa: S603
            command,
            cwd=PROJECT_ROOT,
            env=environment_of(settings),
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return max(_samples_during_backfills(up, settings), key=lambda parts: sum(parts.values()))


def _samples(up: int) -> Iterator[Parts]:
    for _ in range(SAMPLES):
        yield _memory_by_part(up)
        time.sleep(PAUSE)


def _samples_during_backfills(up: int, settings: Settings) -> Iterator[Parts]:
    deadline = time.monotonic() + BACKFILL_SECONDS
    while _runs(settings, BACKFILLS):
        assert time.monotonic() < deadline, "the backfills do not end"
        yield _memory_by_part(up)
        time.sleep(BUSY_PAUSE)


# ---------------------------------------------------------------- memory of processes


def _memory_by_part(up: int) -> Parts:
    """The memory of every part now: each process below `flask up` is in exactly one part."""
    children = _children()
    parts = {"supervisor": _megabytes(up)}
    for child in children.get(up, []):
        name = _part_of(child)
        parts[name] = parts.get(name, 0) + sum(_megabytes(pid) for pid in _tree(child, children))
    return parts


def _part_of(pid: int) -> str:
    words = re.split(r"[\0 ]", _read(pid, "cmdline"))  # the broker rewrites its own, with spaces
    for name, ending in PARTS.items():
        if any(word.endswith(ending) for word in words):
            return name
    return "other"


def _tree(pid: int, children: dict[int, list[int]]) -> Iterator[int]:
    yield pid
    for child in children.get(pid, []):
        yield from _tree(child, children)


def _children() -> dict[int, list[int]]:
    """The children of every process on this machine."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and (state := _read(int(path.name), "stat")):
            parent = int(state.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.name))
    return children


def _megabytes(pid: int) -> float:
    """A process's PSS; 0 when it has ended."""
    pss = re.search(r"^Pss: +(\d+) kB", _read(pid, "smaps_rollup"), re.MULTILINE)
    return int(pss[1]) * 1024 / 1e6 if pss else 0.0


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:  # it has ended
        return ""

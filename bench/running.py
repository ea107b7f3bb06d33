"""Real processes that rows start: a broker, consumers, programs. All of them end with their row."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from sportsapp.commands.up.broker import BROKER_SECONDS, prepare_broker, wait_for_broker
from sportsapp.commands.up.children import CONSUMER_OPTIONS
from sportsapp.core.processes import kill_group
from sportsapp.core.settings import PROJECT_ROOT, Settings, environment_name

END_SECONDS = 15.0


@contextmanager
def started(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    pass_fds: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program in the project's folder, with its output in ``log``; end it afterwards."""
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603
            command,
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            pass_fds=pass_fds,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Send SIGTERM to the leader of a session; kill it and its children if it does not end."""
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        kill_group(process.pid)
        process.wait()


@contextmanager
def running_broker(settings: Settings) -> Iterator[None]:
    """The embedded broker, started with the options of `flask up`."""
    argv, lock = prepare_broker(settings)
    log = settings.instance_path / "broker.log"
    try:
        with started(argv, os.environ, log, pass_fds=(lock,)):
            wait_for_broker(settings.broker, BROKER_SECONDS)
            yield
    finally:
        os.close(lock)


def huey_consumer(queue: str) -> list[str]:
    """The command line of a consumer with the options of `flask up`; ``queue`` is its path."""
    return [sys.executable, "-m", "huey.bin.huey_consumer", queue, *CONSUMER_OPTIONS]


def environment_of(settings: Settings, **more: str) -> dict[str, str]:
    """The environment for programs with these settings, and none of the caller's settings."""
    ours = {environment_name(field.name) for field in fields(Settings)}
    rest = {name: value for name, value in os.environ.items() if name not in ours}
    named = {
        "INSTANCE_PATH": str(settings.instance_path),
        "ESPN_BASE_URL": settings.espn_base_url,
        "LIVE_SYNC_SECONDS": str(settings.live_sync_seconds),
        "HOST": settings.host,
        "PORT": str(settings.port),
        "PYTHONUNBUFFERED": "1",
    }
    return rest | named | more


def wait_until(condition: Callable[[], object], seconds: float, every: float = 0.1) -> None:
    """Wait until the condition is true. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not true within {seconds:g} s")
        time.sleep(every)


def print_left_out(row: str, what: str, why: str) -> None:
    """Print a line of the table for a row that is not measured."""
    print(f"| {row} | {what} | left out: {why} |", flush=True)

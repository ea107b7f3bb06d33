"""Nobody reads what is written: no process waits for that, and lost lines are counted."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sportsapp.commands.up.broker import AGAIN_AFTER
from sportsapp.core import output
from sportsapp.core.processes import kill_group
from sportsapp.core.settings import PROJECT_ROOT, Settings
from tests.acceptance import harm
from tests.acceptance.conftest import wait_for
from tests.acceptance.test_broker_ends import pid_of_broker
from tests.acceptance.test_up import Up, up  # noqa: F401 - a fixture, asked for by name

pytestmark = pytest.mark.long

XOFF, XON = b"\x13", b"\x11"
DROPPED = re.compile(r"(\d+) lines were dropped")

PROGRAM = """
import logging, os, sys, time
from sportsapp.core.logs import set_up_logging
from sportsapp.core.output import nonblocking
from sportsapp.core.settings import Settings
sys.stderr = nonblocking(sys.stderr)
set_up_logging(Settings())
processes = 4
for _ in range(processes - 1):
    if os.fork() == 0:
        break
longest = 0
for number in range(400):
    began = time.monotonic()
    logging.error("%04d %s", number, "x" * 100 * (number % 20))
    longest = max(longest, time.monotonic() - began)
print("from print", file=sys.stderr)
os.write(1, b"%.1f\\n" % longest)
sys.stdin.read()
for _ in range(3):
    logging.error("goes on")
    time.sleep(0.2)
"""


@dataclass
class Reader:
    """Both ends of an output: one for the program, one to read from when the time has come."""

    theirs: int
    ours: int
    resume: Callable[[], object] = lambda: None

    def read(self, seconds: float = 0.3) -> str:
        """What can be read until nothing has come for so long."""
        found = b""
        while select.select([self.ours], [], [], seconds)[0]:
            more = os.read(self.ours, 65536)
            if not more:
                break
            found += more
        return found.decode().replace("\r\n", "\n")


def pipe(stack: ExitStack) -> Reader:
    ours, theirs = os.pipe()
    return Reader(theirs, ours)


def terminal(stack: ExitStack) -> Reader:
    """A terminal whose user has pressed Ctrl-S."""
    ours, theirs = pty.openpty()
    settings = termios.tcgetattr(theirs)
    settings[0] |= termios.IXON
    termios.tcsetattr(theirs, termios.TCSANOW, settings)
    os.write(ours, XOFF)
    wait_for(lambda: not select.select([], [theirs], [], 0)[1])
    return Reader(theirs, ours, lambda: os.write(ours, XON))


def unix_socket(stack: ExitStack) -> Reader:
    """As journald's."""
    ours, theirs = (stack.enter_context(one) for one in socket.socketpair())
    return Reader(os.dup(theirs.fileno()), os.dup(ours.fileno()))


@pytest.fixture(params=[pipe, terminal, unix_socket])
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    with ExitStack() as stack:
        reader = request.param(stack)
        yield reader
        os.close(reader.ours)


def test_lines_that_nobody_reads_are_dropped_after_a_second_and_counted(reader: Reader) -> None:
    """Four processes write to one output; each has its count."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=reader.theirs,
        start_new_session=True,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            longest = [float(process.stdout.readline()) for _ in range(4)]
            flags = fcntl.fcntl(reader.theirs, fcntl.F_GETFL)
            reader.resume()
            before = reader.read()
            process.stdin.close()
            after = reader.read(1)
        finally:
            kill_group(process.pid)
    os.close(reader.theirs)
    assert max(longest) < 1.5
    assert not flags & os.O_NONBLOCK  # the shell that started us may write to it, too
    assert not DROPPED.search(before)
    counts = [int(count) for count in DROPPED.findall(after)]
    assert len(counts) == 4
    later = re.findall(r"root: goes on$", after, re.MULTILINE)
    lines = re.findall(r"root: (\d{4}) (x*)$|^(from print)$", before, re.MULTILINE)
    assert sum(counts) + len(lines) + len(later) == 4 * (401 + 3)
    assert all(len(xs) == 100 * (int(number or 0) % 20) for number, xs, _ in lines)


@contextmanager
def small_pipe() -> Iterator[tuple[int, int]]:
    """A pipe that takes 4 kB."""
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, select.PIPE_BUF)
    yield ours, theirs
    os.close(theirs)
    os.close(ours)


@pytest.mark.parametrize("is_opened_anew", [True, False])
def test_line_that_was_cut_ends_before_the_next_and_is_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, is_opened_anew: bool
) -> None:
    if not is_opened_anew:  # as with a terminal of another user
        monkeypatch.setattr(output, "own_description", lambda handle: handle)
    with small_pipe() as (ours, theirs):
        out = output.Output(theirs)
        out.write(b"x" * 2 * select.PIPE_BUF + b"\n")
        began = time.monotonic()
        out.write(b"dropped\n" * 3)
        assert time.monotonic() - began < 0.1  # the first has waited
        assert os.read(ours, 9000) == b"x" * select.PIPE_BUF
        out.write(b"next\n")
        assert os.read(ours, 9000) == b"\nnext\n"
        out.write(b"after\n")
        assert os.read(ours, 9000) == b"after\n"
    assert [record.getMessage()[:8] for record in caplog.records] == ["4 lines "]


def test_reader_that_has_gone_is_not_waited_for() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    began = time.monotonic()
    out = output.Output(theirs)
    assert out.write(b"a line\n") == 7
    assert time.monotonic() - began < 0.5
    os.close(theirs)


def test_full_disk_loses_lines_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        out = output.Output(full.fileno())
        out.write(b"a line\n")
        out.write(b"a line\n")
    assert "1 lines were dropped" in caplog.text


# ---------------------------------------------------------------- under `flask up`


@pytest.mark.timeout(180)
def test_ticks_and_pages_go_on_while_nobody_reads(up: Up, feed) -> None:  # noqa: F811
    """The pipe is full before anything starts, and the broker is started again meanwhile."""
    harm.serve_live(feed)
    with small_pipe() as (ours, theirs):
        os.write(theirs, b"x" * (select.PIPE_BUF - 1) + b"\n")
        running = up(LIVE_SYNC_SECONDS="10", LOG_LEVEL="DEBUG", output=theirs)
        running.page_with("/readyz", '"status":"ok"', 60)
        time.sleep(AGAIN_AFTER)
        os.kill(pid_of_broker(Settings(instance_path=running.folder)), signal.SIGKILL)
        killed_at = f"{datetime.now(UTC):%FT%TZ}"

        def pages_answer_and_ticks_go_on() -> bool:
            began = time.monotonic()
            assert running.get("/nfl").status_code == 200
            assert time.monotonic() - began < 2
            ticks = [run for run in running.runs() if run["task"] == "sync_all_live_games"]
            later = [run for run in ticks if run["queued_at"] > killed_at]
            return [run["state"] for run in later].count("SUCCESS") >= 2

        wait_for(pages_answer_and_ticks_go_on, 60, 0.5)
        read = b""

        def has_counted() -> bool:
            nonlocal read
            running.get("/nfl")
            while select.select([ours], [], [], 0.2)[0]:
                read += os.read(ours, 65536)
            return re.search(rb"Z consumer ERROR .* [1-9]\d* lines were dropped", read) is not None

        wait_for(has_counted, 30, 0.1)
        running.process.send_signal(signal.SIGTERM)  # and again nobody reads
        assert running.process.wait(15) == 0
    assert running.processes() == []

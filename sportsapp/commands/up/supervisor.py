"""A small supervisor: starts children in order, notices when one ends, stops them in order.

It knows nothing of what it starts. Children run without a shell, each in a session of its own, so
that the terminal's Ctrl-C reaches only the supervisor, which decides in which order they stop.
Their standard output and error are the supervisor's standard error; each line is written by the
child as it stands, and no child waits for who reads them. When a child ends, all are stopped, and
the service manager outside decides what comes next, unless the child names another to be started
in its place.

A child is another program, or a forked copy of this process that calls one function: what was
loaded before the fork is then in memory once for all copies.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, NoReturn

from sportsapp.core.output import own_description
from sportsapp.core.processes import (
    PROCESS_NAME,
    die_with_parent,
    has_parent_death_signal,
    kill_group,
)

FIRST, LAST = 0, 1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_SECONDS = 9.7
LAST_RANK_SECONDS = 0.6
KILL_SECONDS = 0.2
READY_EVERY = 0.1
SAME_KEYPRESS_SECONDS = 0.3
FORK = multiprocessing.get_context("fork")


class ChildFailedError(Exception):
    """A child could not be started, was not ready in time, or ended without being stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One program to execute (``argv``), or one function for a copy of this process (``body``).

    Children are stopped by ``stop_rank``: FIRST, then LAST. ``ready`` is called every 0.1 s until
    it returns True, for ``ready_seconds`` at most; a call may take a second, no more.
    ``death_signal`` is what the child gets when the supervisor is killed. ``pass_fds`` are file
    descriptors that an executed program inherits, and alone has from then on. ``replacement``
    is called when the child has ended by itself: it returns the child to start in its place, or
    None when all have to stop.
    """

    name: str
    argv: list[str] = field(default_factory=list)
    body: Callable[[], object] | None = None
    stop_rank: int = FIRST
    death_signal: int = signal.SIGKILL
    pass_fds: tuple[int, ...] = ()
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 30.0
    replacement: Callable[[RunningChild], Child | None] | None = None


@dataclass(slots=True)
class RunningChild:
    """A child with its process, which leads a process group of the same id, or has ended."""

    child: Child
    process: BaseProcess
    pid: int
    started_at: float = field(default_factory=time.monotonic)
    was_ready: bool = False

    def how_it_ended(self) -> str:
        """Its exit code or its signal, in words."""
        code = self.process.exitcode or 0
        if code >= 0:
            return f"ended with exit code {code}"
        try:
            return f"was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"


class Supervisor:
    """Starts children, waits until one of them ends or a stop signal comes, and stops them.

    Use it as a context manager in the main thread: inside, a stop signal ends nothing by itself,
    and leaving stops every child, so that no error can leave one behind.
    """

    def __init__(self, *, stop_seconds: float = STOP_SECONDS) -> None:
        self._stop_seconds = stop_seconds
        self._running: list[RunningChild] = []
        self._ended: list[RunningChild] = []
        self._stopping = False
        # signal handlers may put into this queue, and a wait for it ends when they do
        self._signals: SimpleQueue[tuple[int, float]] = SimpleQueue()
        self._first_stop_at: float | None = None
        self._kill_now = False
        self._old_handlers: dict[int, Any] = {}
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Supervisor:
        for number in (*STOP_SIGNALS, signal.SIGCHLD):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                self._old_handlers[number] = signal.signal(number, self._on_signal)
        if not has_parent_death_signal():
            self._guard = subprocess.Popen(
                [sys.executable, "-m", "sportsapp.core.processes"],
                stdin=subprocess.PIPE,
                start_new_session=True,
                cwd=Path(__file__).resolve().parents[3],
            )
        return self

    def __exit__(self, error: object, *_details: object) -> None:
        """Stop every child. Exits (0) when a stop signal has come that nobody has acted on."""
        self.stop()
        self._restore_handlers()
        if self._guard:
            self._guard.communicate()
        if error is None and self._first_stop_at is not None:
            raise SystemExit(0)

    def start(self, child: Child) -> None:
        """Start a child and wait until it is ready.

        Raises ChildFailedError when it cannot be started or is not ready in time, or when any
        child ends meanwhile, and SystemExit (0) when a stop signal has come.
        """
        self._wait_or_exit(0)
        try:
            running = self._fork(child)
        except OSError as error:
            raise ChildFailedError(f"{child.name} could not be started ({error})") from None
        self._running.append(running)
        for handle in child.pass_fds:
            os.close(handle)
        self._inform_guard("+", running)
        deadline = time.monotonic() + child.ready_seconds
        while child.ready and not child.ready():
            if time.monotonic() > deadline:
                raise ChildFailedError(
                    f"{child.name} was not ready within {child.ready_seconds:g} s"
                )
            self._wait_or_exit(READY_EVERY)
        running.was_ready = True

    def wait(self) -> NoReturn:
        """Wait for a stop signal and exit (0).

        Raises ChildFailedError when a child ends before that and nothing replaces it.
        """
        while True:
            self._wait_or_exit(None)

    def stop(self) -> None:
        """Stop every child, rank by rank, within ``stop_seconds``."""
        self._stopping = True
        began = time.monotonic()
        ranks = sorted({running.child.stop_rank for running in self._running})
        for place, rank in enumerate(ranks, start=1):
            reserved = LAST_RANK_SECONDS * (len(ranks) - place)
            deadline = began + self._stop_seconds - KILL_SECONDS - reserved
            for running in self._of_rank(rank):
                running.process.terminate()
            while self._of_rank(rank) and not self._kill_now:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._wait(left)
            for running in self._of_rank(rank):
                kill_group(running.pid)
                running.process.join(KILL_SECONDS)
            self._wait(0)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.put((number, time.monotonic()))

    def _restore_handlers(self) -> None:
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)

    def _wait_or_exit(self, seconds: float | None) -> None:
        """Wait, ``seconds`` at most, and start what replaces a child that has ended."""
        self._wait(seconds)
        while self._ended:
            ended = self._ended.pop(0)
            after = ended.child.replacement(ended) if ended.child.replacement else None
            if not after:
                raise ChildFailedError(f"{ended.child.name} {ended.how_it_ended()}")
            self.start(after)
        if self._first_stop_at is not None:
            raise SystemExit(0)

    def _wait(self, seconds: float | None) -> None:
        """Wait for a signal, ``seconds`` at most, and note what has happened since the last call.

        The first stop signal asks for the end, a later Ctrl-C for the end at once. Programs
        around us may pass one Ctrl-C on to us a second time; that is still the first.
        """
        with contextlib.suppress(Empty):
            number, moment = self._signals.get(timeout=seconds)
            while True:
                if number != signal.SIGCHLD and self._first_stop_at is None:
                    self._first_stop_at = moment
                elif number == signal.SIGINT and self._first_stop_at is not None:
                    self._kill_now |= moment - self._first_stop_at > SAME_KEYPRESS_SECONDS
                number, moment = self._signals.get_nowait()
        for running in [item for item in self._running if item.process.exitcode is not None]:
            self._running.remove(running)
            kill_group(running.pid)  # what the child started and left behind
            self._inform_guard("-", running)
            if not self._stopping and self._first_stop_at is None:
                self._ended.append(running)

    def _fork(self, child: Child) -> RunningChild:
        """Fork this process for a child. Raises OSError when that is not possible."""
        if child.argv and not child.body and not shutil.which(child.argv[0]):
            raise FileNotFoundError(f"there is no program {child.argv[0]}")
        # until the copy has handlers of its own, a stop signal waits
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        process = FORK.Process(target=self._become, args=(child, os.getpid(), mask))
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return RunningChild(child, process, process.pid or 0)

    def _become(self, child: Child, supervisor: int, mask: set[signal.Signals]) -> None:
        """In the copy: become a process that shares nothing with the supervisor but its log."""
        os.setsid()
        if has_parent_death_signal():
            die_with_parent(supervisor, child.death_signal)
        if self._guard and self._guard.stdin:
            self._guard.stdin.close()  # the guard waits for the supervisor alone to end
        self._restore_handlers()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(own_description(2), 2)  # for what does not write through our streams: Valkey
        os.dup2(2, 1)
        sys.stdout = sys.stderr  # which writes line by line
        os.environ[PROCESS_NAME] = child.name
        if child.body:
            child.body()
        else:
            for handle in child.pass_fds:
                os.set_inheritable(handle, True)
            os.execvp(child.argv[0], child.argv)  # noqa: S606 - our own command lines, no shell

    def _of_rank(self, rank: int) -> list[RunningChild]:
        return [running for running in self._running if running.child.stop_rank == rank]

    def _inform_guard(self, change: str, running: RunningChild) -> None:
        """Where the kernel does not kill our children with us, another process of ours does."""
        if self._guard and self._guard.stdin:
            with contextlib.suppress(OSError):
                self._guard.stdin.write(f"{change}{running.pid}\n".encode())
                self._guard.stdin.flush()

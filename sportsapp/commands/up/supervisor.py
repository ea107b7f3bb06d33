"""A small supervisor: starts children in order, mixes their logs, stops them in order.

It knows nothing of this app. Children run without a shell, each in a session of its own, so that
the terminal's Ctrl-C reaches only us and the order of stopping is ours to keep. It never restarts
anything: a child that ends is the end of all, and the service manager outside decides what next.

A child is another program, or a forked copy of this process that does one thing: what was loaded
before the fork is then in memory once for all of them.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import multiprocessing
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, Protocol

from sportsapp.core.processes import die_with_parent, kernel_can_promise, kill_group

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_SECONDS = 9.7
LAST_RANK_SECONDS = 0.6
KILL_SECONDS = 0.2
LOOK_EVERY = 1.0
READY_EVERY = 0.1
SAME_KEYPRESS_SECONDS = 0.3
READ_BYTES = 65_536
LAST_READS = 16
LONGEST_LINE = 1_048_576
WRITE_BYTES = 4096
WRITE_WAIT = 0.2
COLOURS = (36, 32, 33, 35, 34, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One program to run (``argv``), or one thing for a copy of this process to do (``body``).

    Children are started in the order of the list and stopped by ``stop_rank``, the lowest first.
    ``ready`` is asked again and again (it may take a second, no more) before the next child is
    started; ``then`` is called once after that. ``death_signal`` is what the child gets when the
    supervisor is killed.
    """

    name: str
    argv: Sequence[str] = ()
    body: Callable[[], object] | None = None
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    stop_rank: int = 0
    death_signal: int = signal.SIGKILL
    pass_fds: tuple[int, ...] = ()
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 30.0
    then: Callable[[], None] | None = None


class Process(Protocol):
    """What the supervisor asks of a child: a part of what ``subprocess.Popen`` offers."""

    pid: int
    stdout: IO[bytes] | None

    @property
    def returncode(self) -> int | None:
        """How it ended, as far as that is known; the negative number of a signal."""

    def poll(self) -> int | None:
        """Notice whether it has ended."""

    def wait(self, timeout: float) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""

    def terminate(self) -> None:
        """Send SIGTERM."""


class Copy:
    """A forked copy of this process that does what a child's ``body`` says."""

    def __init__(self, child: Child, prepare: Callable[[], object]) -> None:
        self._child = child
        self._prepare = prepare
        reader, self._writer = os.pipe()
        self.stdout: IO[bytes] | None = os.fdopen(reader, "rb", 0)
        self._process = multiprocessing.get_context("fork").Process(target=self._work)
        # a stop signal that comes before the copy has its own handlers waits until it has
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        self._mask = mask
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.close(self._writer)
        self.pid = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """How it ended."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Notice whether it has ended."""
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """Wait for its end."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._child.name, timeout)
        return self._process.exitcode

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    def _work(self) -> None:
        """In the copy: become a child like any other, then do its work."""
        os.setsid()
        self._prepare()
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (self._writer, 1), (self._writer, 2)):
            os.dup2(source, target)
        os.close(null)
        os.close(self._writer)
        if self.stdout:
            self.stdout.close()
        if self._child.env is not None:
            os.environ.clear()
            os.environ.update(self._child.env)
        if self._child.cwd:
            os.chdir(self._child.cwd)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(line_buffering=True)  # a supervisor reads lines
        assert self._child.body is not None  # noqa: S101  # for types  # nosec B101
        self._child.body()


@dataclass(slots=True)
class _Running:
    child: Child
    process: Process
    unfinished: bytearray = field(default_factory=bytearray)

    @property
    def group(self) -> int:
        return self.process.pid


class LogStream:
    """Writes whole lines to one file descriptor, each with the name of who said it.

    A reader that has gone away loses lines and stops nothing; one that only pauses is waited for,
    until ``give_up`` says that waiting has to end.
    """

    def __init__(
        self,
        handle: int,
        names: Sequence[str],
        *,
        as_json: bool = False,
        coloured: bool = False,
        give_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._handle = handle
        self._width = max((len(name) for name in names), default=0)
        self._colours = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(names)}
        self._as_json = as_json
        self._coloured = coloured
        self._give_up = give_up
        self._lost = False

    def line(self, name: str, line: bytes) -> None:
        """Pass on one line of a child, without its line end."""
        line = line.removesuffix(b"\r")
        text = _json_line(name, line) if self._as_json else self._prefix(name) + line
        self._write(text + b"\n")

    def say(self, text: str) -> None:
        """A line of the supervisor's own."""
        line = text.encode()
        self._write((_json_line("up", line) if self._as_json else line) + b"\n")

    def _prefix(self, name: str) -> bytes:
        prefix = f"{name:{self._width}} |"
        if self._coloured:
            prefix = f"\x1b[{self._colours[name]}m{prefix}\x1b[0m"
        return f"{prefix} ".encode()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view and not self._lost:
                if select.select([], [self._handle], [], WRITE_WAIT)[1]:
                    view = view[os.write(self._handle, view[:WRITE_BYTES]) :]
                else:  # a paused terminal or a slow pipe
                    self._lost = self._give_up()
        except OSError:
            self._lost = True  # nobody reads any more: the children go on without a log


def _json_line(name: str, line: bytes) -> bytes:
    """The line as a JSON object that names the process, whatever it was before."""
    text = line.decode(errors="replace")
    record: dict[str, Any] = {"message": text}
    if text.startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):
            record = json.loads(text)
    return json.dumps({**record, "process": name}, ensure_ascii=False).encode(errors="replace")


def wants_colour(handle: int, environ: Mapping[str, str]) -> bool:
    """Colour is for terminals, and not for people who said NO_COLOR."""
    return os.isatty(handle) and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


class Supervisor:
    """Runs children until one of them ends or somebody asks for the end.

    Use it as a context manager in the main thread: from entering on, the stop signals only set a
    flag, and leaving stops whatever runs, so that no error can leave a child behind.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        stop_seconds: float = STOP_SECONDS,
        as_json: bool = False,
        handle: int | None = None,
        guarded: bool | None = None,
    ) -> None:
        self._children = tuple(children)
        self._stop_seconds = stop_seconds
        handle = sys.stderr.fileno() if handle is None else handle
        self.log = LogStream(
            handle,
            [child.name for child in children],
            as_json=as_json,
            coloured=wants_colour(handle, os.environ),
            give_up=lambda: self.stop_requested,
        )
        self._guarded = not kernel_can_promise() if guarded is None else guarded
        self._guard: subprocess.Popen[bytes] | None = None
        self._running: list[_Running] = []
        self._selector = selectors.DefaultSelector()
        self._old_handlers: dict[int, Any] = {}
        self._first_signal_at: float | None = None
        self._at_once = False
        self._stopping = False
        self.failure: str | None = None

    @property
    def stop_requested(self) -> bool:
        """Whether a signal has asked for the end."""
        return self._first_signal_at is not None

    def __enter__(self) -> Supervisor:
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        self._selector.register(self._wake_receiver, selectors.EVENT_READ)
        self._old_wakeup = signal.set_wakeup_fd(
            self._wake_sender.fileno(), warn_on_full_buffer=False
        )
        for number in STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._handle(number, self._on_stop_signal)
        self._handle(signal.SIGCHLD, lambda *_: None)  # only has to wake the selector
        if self._guarded:
            self._start_guard()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        self._selector.close()
        self._wake_receiver.close()
        self._wake_sender.close()
        if self._guard:
            self._guard.communicate()

    def run(self) -> int:
        """Start the children and stay until the end. 0 when asked to stop, 1 when a child ended."""
        self._start_all()
        while not self._is_over():
            self._turn(LOOK_EVERY)
        self.stop()
        if self.failure:
            self.log.say(f"stopped: {self.failure}")
        return 1 if self.failure else 0

    def stop(self) -> None:
        """End everything that runs, rank by rank, within ``stop_seconds``."""
        self._stopping = True
        began = time.monotonic()
        ranks = sorted({each.child.stop_rank for each in self._running})
        for place, rank in enumerate(ranks, start=1):
            reserved = LAST_RANK_SECONDS * (len(ranks) - place)
            self._stop_rank(rank, began + self._stop_seconds - KILL_SECONDS - reserved)

    def _handle(self, number: int, handler: Callable[[int, FrameType | None], None]) -> None:
        self._old_handlers[number] = signal.signal(number, handler)

    def _on_stop_signal(self, number: int, _frame: FrameType | None) -> None:
        """The first signal asks for the end, a later Ctrl-C for the end at once.

        Programs around us may pass one Ctrl-C on to us a second time; that is still the first.
        """
        now = time.monotonic()
        if self._first_signal_at is None:
            self._first_signal_at = now
        elif number == signal.SIGINT and now - self._first_signal_at > SAME_KEYPRESS_SECONDS:
            self._at_once = True

    def _start_all(self) -> None:
        for child in self._children:
            if self._is_over() or not self._start(child):
                return
            if child.ready and not self._wait_until_ready(child, child.ready):
                return
            if child.then:
                child.then()

    def _start(self, child: Child) -> bool:
        try:
            process = self._fork(child) if child.body else self._execute(child)
        except OSError as error:
            self.failure = f"{child.name} could not be started ({error})"
            return False
        running = _Running(child, process)
        self._running.append(running)
        self._tell_guard("+", running.group)
        os.set_blocking(_output_of(running), False)
        self._selector.register(_output_of(running), selectors.EVENT_READ, running)
        return True

    def _execute(self, child: Child) -> Process:
        return subprocess.Popen(  # noqa: S603 - our own command lines, no shell
            child.argv,
            env=child.env,
            cwd=child.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
            pass_fds=child.pass_fds,
            preexec_fn=self._promise(child) if kernel_can_promise() else None,
        )

    def _fork(self, child: Child) -> Process:
        promise = self._promise(child)

        def prepare() -> None:
            promise()
            self._forget_everything()

        return Copy(child, prepare)

    def _promise(self, child: Child) -> Callable[[], None]:
        return functools.partial(die_with_parent, os.getpid(), child.death_signal)

    def _forget_everything(self) -> None:
        """In a copy: what supervises is not ours, neither its handlers nor its pipes."""
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        self._selector.close()
        self._wake_receiver.close()
        self._wake_sender.close()
        for running in self._running:
            if running.process.stdout:
                running.process.stdout.close()

    def _wait_until_ready(self, child: Child, ready: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + child.ready_seconds
        while not self._is_over():
            if ready():
                return True
            if time.monotonic() > deadline:
                self.failure = f"{child.name} was not ready within {child.ready_seconds:g} s"
            self._turn(READY_EVERY)
        return False

    def _is_over(self) -> bool:
        self._notice_ends()
        return self.stop_requested or self.failure is not None

    def _turn(self, seconds: float) -> None:
        """Wait for output, a signal or a child's end, and pass on what was said."""
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    self._wake_receiver.recv(READ_BYTES)
            else:
                self._read(key.data)

    def _read(self, running: _Running) -> bool:
        """Pass on a piece of a child's output; False when there was nothing."""
        try:
            data = os.read(_output_of(running), READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._forget_output(running)
            return False
        *whole, rest = data.split(b"\n")
        for piece in whole:
            self.log.line(running.child.name, bytes(running.unfinished) + piece)
            running.unfinished.clear()
        running.unfinished += rest
        if len(running.unfinished) > LONGEST_LINE:
            self._flush(running)
        return True

    def _flush(self, running: _Running) -> None:
        if running.unfinished:
            self.log.line(running.child.name, bytes(running.unfinished))
            running.unfinished.clear()

    def _notice_ends(self) -> None:
        """Find children that have ended; what they left in their group ends with them."""
        for running in [each for each in self._running if each.process.poll() is not None]:
            self._running.remove(running)
            kill_group(running.group)
            self._tell_guard("-", running.group)
            self._close(running)
            if self.failure is None and not (self.stop_requested or self._stopping):
                self.failure = f"{running.child.name} {_how(running.process.returncode or 0)}"

    def _close(self, running: _Running) -> None:
        """Pass on the last words of a child that has ended."""
        for _ in range(LAST_READS):  # a stranger that still holds the pipe cannot keep us here
            if not self._read(running):
                break
        self._flush(running)
        self._forget_output(running)
        if running.process.stdout:
            running.process.stdout.close()

    def _forget_output(self, running: _Running) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(_output_of(running))

    def _stop_rank(self, rank: int, deadline: float) -> None:
        for each in self._of_rank(rank):
            each.process.terminate()
        while self._of_rank(rank) and not self._at_once:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            self._turn(min(left, LOOK_EVERY))
        stubborn = self._of_rank(rank)
        for each in stubborn:
            kill_group(each.group)
        for each in stubborn:
            with contextlib.suppress(subprocess.TimeoutExpired):
                each.process.wait(KILL_SECONDS)
        self._notice_ends()

    def _of_rank(self, rank: int) -> list[_Running]:
        self._notice_ends()
        return [each for each in self._running if each.child.stop_rank == rank]

    def _start_guard(self) -> None:
        """Where the kernel does not kill our children with us, another process of ours does."""
        self._guard = subprocess.Popen(
            [sys.executable, "-m", "sportsapp.core.processes"],
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd=Path(__file__).resolve().parents[3],
        )

    def _tell_guard(self, sign: str, group: int) -> None:
        if self._guard and self._guard.stdin:
            with contextlib.suppress(OSError):
                self._guard.stdin.write(f"{sign}{group}\n".encode())
                self._guard.stdin.flush()


def _output_of(running: _Running) -> int:
    assert running.process.stdout is not None  # noqa: S101  # for types  # nosec B101
    return running.process.stdout.fileno()


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"

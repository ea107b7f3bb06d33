"""Processes: their names, their memory, and that none outlives the one that started it.

On Linux the kernel kills a process when its parent dies, if that process has requested it
(PR_SET_PDEATHSIG). A forked process has to request it again, so everything of ours does: the
children of `flask up` between fork and exec, the consumers' workers after each fork. Elsewhere
`flask up` starts this module as a program
(``python -m sportsapp.core.processes``): the guard, which kills the children when it dies.
"""

import contextlib
import ctypes
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

PROCESS_NAME = "SPORTSAPP_PROCESS"
"""The variable with which `flask up` names what it starts: web, consumer, backfill and so on."""

CHECK_EVERY = 1.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def process_name() -> str:
    """The name that `flask up` gave to this process or to one that it comes from, "" for none."""
    return os.environ.get(PROCESS_NAME, "")


def process_start(pid: int) -> str:
    """When this process began, as its system has it; empty when there is no such process.

    With it a process is told apart from a later one that has got its id.
    """
    if sys.platform != "linux":
        ps = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(ps, capture_output=True, text=True).stdout.strip()  # noqa: S603
    file = Path(f"/proc/{pid}/stat")  # field 22 are the clock ticks since the machine's start
    return file.read_text().rpartition(")")[2].split()[19] if file.exists() else ""


def die_with_parent(parent: int | None = None, signal_number: int = signal.SIGKILL) -> None:
    """Have this process killed as soon as its parent ends; exit now if it has ended already.

    ``parent`` is the process id of the parent as the caller knows it. Without it an orphan is
    recognised by its session, which a process shares with its parent unless it leads one.
    Call it in the main thread: for the kernel, "the parent" is the thread that forked, and the
    request ends with the thread that made it.
    """
    expected = os.getppid() if parent is None else parent
    if _libc is None or _libc.prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0) != 0:
        _watch_parent(expected, signal_number)
    if os.getppid() != expected or (parent is None and _is_orphan()):
        os._exit(1)


def has_parent_death_signal() -> bool:
    """Whether this system's kernel can kill a process when its parent dies."""
    return _libc is not None


def _is_orphan() -> bool:
    session = os.getsid(0)
    if session == os.getpid():
        return False
    try:
        return os.getsid(os.getppid()) != session
    except ProcessLookupError:
        return True


def _watch_parent(parent: int, signal_number: int) -> None:
    """Watch the parent from a thread; a fork copies no threads, so a copy needs its own."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(CHECK_EVERY)
        os.kill(os.getpid(), signal_number)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def freeze_memory() -> None:
    """Before a fork: keep Python's collector off what is loaded, so that copies share it.

    The collector writes to every object that it visits, and a memory page that is written to is
    no longer shared.
    """
    gc.collect()
    gc.freeze()


def kill_group(group: int) -> None:
    """Kill what is left of a process group; nothing left is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def guard(lines: Iterable[str]) -> None:
    """Read lines "+group" (started) and "-group" (ended); at their end kill what has not ended.

    The supervisor holds the other end of the pipe, so the lines end when it dies, however it dies.
    """
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        (groups.add if line.startswith("+") else groups.discard)(group)
    for group in groups:
        kill_group(group)


if __name__ == "__main__":
    guard(sys.stdin)

"""Processes that do not outlive the one that started them.

The kernel can promise that on Linux (PR_SET_PDEATHSIG). The promise holds for one process, not
for what that one forks, so every process of ours has to ask for itself: `flask up` does it for
its children between fork and exec, the consumers' workers after each fork, the web server's
workers when they load wsgi.py. Run as a program (``python -m sportsapp.core.processes``) this
module is the guard that `flask up` uses where the kernel knows no such promise.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable

SUPERVISED = "SPORTSAPP_SUPERVISED"
"""Set in the environment of everything that `flask up` starts."""

LOOK_EVERY = 1.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_watching: tuple[int, int] | None = None


def is_supervised() -> bool:
    """Whether `flask up` started this process or the one that it comes from."""
    return bool(os.environ.get(SUPERVISED))


def die_with_parent(parent: int | None = None, signal_number: int = signal.SIGKILL) -> None:
    """Have this process killed as soon as its parent is gone; at once if it is gone already.

    ``parent`` is the process id that the caller knows for its parent. Without it an orphan is
    recognised by its session, which a process shares with its parent unless it leads one.
    Call it in the main thread: the kernel's promise ends with the thread that asked for it, and
    "the parent" is the thread that forked. Calling it again changes nothing.
    """
    expected = os.getppid() if parent is None else parent
    if not _ask_kernel(signal_number):
        _watch(expected, signal_number)
    if os.getppid() != expected or (parent is None and _is_orphan()):
        os._exit(1)


def kernel_can_promise() -> bool:
    """Whether this system can kill a process when its parent dies."""
    return _libc is not None


def _ask_kernel(signal_number: int) -> bool:
    return _libc is not None and _libc.prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0) == 0


def _is_orphan() -> bool:
    session = os.getsid(0)
    if session == os.getpid():
        return False
    try:
        return os.getsid(os.getppid()) != session
    except ProcessLookupError:
        return True


def _watch(parent: int, signal_number: int) -> None:
    """Look after the parent from a thread; threads do not survive a fork, hence the pid."""
    global _watching
    if _watching == (os.getpid(), parent):
        return
    _watching = (os.getpid(), parent)
    threading.Thread(
        target=_wait_for_death, args=(parent, signal_number), name="parent-watch", daemon=True
    ).start()


def _wait_for_death(parent: int, signal_number: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY)
    os.kill(os.getpid(), signal_number)


def freeze_memory() -> None:
    """Before a fork: leave what is loaded alone, so that it stays shared with the copies.

    Python's collector writes to every object that it looks at, and a page that is written to is
    a page of one's own.
    """
    gc.collect()
    gc.freeze()


def kill_group(group: int) -> None:
    """Kill what is left of a process group; nothing left is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def guard(lines: Iterable[str]) -> None:
    """Read "+group" and "-group" lines; when they end, kill the groups that were not taken back.

    The writer holds the other end of the pipe, so the lines end when it dies, however it dies.
    """
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        (groups.add if line.startswith("+") else groups.discard)(group)
    for group in groups:
        kill_group(group)


if __name__ == "__main__":
    guard(sys.stdin)

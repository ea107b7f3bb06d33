"""Standard output and error that no process of ours waits for.

A pipe that nobody reads, or a stopped terminal, takes nothing once it is full: a plain write waits
for as long as that lasts. Here a line waits for a second, and is then dropped and counted, and so
are the next ones, without a wait, until the output takes lines again.
"""

import io
import logging
import os
import select
import stat
import sys
import time
from typing import IO, TextIO, cast

logger = logging.getLogger(__name__)

SECONDS = 1.0


def nonblocking(stream: TextIO) -> TextIO:
    """A stream for ``sys.stdout`` or ``sys.stderr`` that drops lines; others stay as they are."""
    if stream is None or stream not in (sys.__stdout__, sys.__stderr__):
        return stream
    stream.flush()
    raw = cast(IO[bytes], Output(stream.fileno()))
    return io.TextIOWrapper(raw, stream.encoding, "backslashreplace", line_buffering=True)


def own_description(handle: int) -> int:
    """A file descriptor for the same pipe or terminal whose writes do not wait.

    ``O_NONBLOCK`` belongs to the open file description, which is shared with other processes, the
    user's shell for one: so the pipe is opened once more. Returns ``handle`` where that cannot
    be (a socket, a terminal of another user), or need not be (a file takes every write at once).
    """
    if not (os.isatty(handle) or stat.S_ISFIFO(os.fstat(handle).st_mode)):
        return handle
    try:
        return os.open(f"/dev/fd/{handle}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:  # the caller polls before it writes: that waits only in a race
        return handle


class Output(io.RawIOBase):
    """Takes every write: puts it out within a second, or drops it and counts its lines.

    It holds no lock, since a fork would copy it as it is; the log's handler has one.
    """

    def __init__(self, handle: int) -> None:
        self._shared = handle
        self._own = own_description(handle)
        self._dropped = 0
        self._is_cut = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._shared

    def isatty(self) -> bool:
        return os.isatty(self._shared)

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # no other buffers come
        """Put the data out or drop it; the number of bytes is always that of ``data``."""
        if self._dropped and self._takes(0):
            dropped, self._dropped = self._dropped, 0
            logger.error("%d lines were dropped: nobody had read this output", dropped)
            if self._dropped:  # that line was dropped, too: it comes here as well
                self._dropped = dropped
        if self._dropped or not self._put(data):
            self._dropped += max(data.count(b"\n"), 1)
        return len(data)

    def _takes(self, seconds: float) -> bool:
        """Whether the output takes at least a byte, within ``seconds``."""
        poll = select.poll()  # one for each call: threads cannot share it
        poll.register(self._own, select.POLLOUT)
        return bool(poll.poll(seconds * 1000))

    def _put(self, data: bytes) -> bool:
        """Write everything, in pieces that a pipe takes whole. False when that is not possible."""
        deadline = time.monotonic() + SECONDS
        rest = b"\n" + data if self._is_cut else data
        while rest:
            left = max(deadline - time.monotonic(), 0)
            try:
                if self._takes(left):
                    rest = rest[os.write(self._own, rest[: select.PIPE_BUF]) :]
                    self._is_cut = True
                elif not left:
                    return False
            except BlockingIOError:  # another process was faster
                if not left:
                    return False
            except OSError:  # its reader has gone, or its disk is full
                return False
        self._is_cut = False
        return True

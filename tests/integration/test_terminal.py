"""What commands do to a terminal: a bar where that can be, and the cursor comes back."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import signal
import subprocess
import sys

import pytest
from flask import Flask

from sportsapp.commands.shell import ProgressBar
from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db.models import RunState
from tests.panel import add_run
from tests.quick import first_quick

HIDDEN, SHOWN = b"\x1b[?25l", b"\x1b[?25h"


@pytest.fixture
def begun(app: Flask) -> str:
    """The id of a run that has done one of three chunks."""
    return add_run("sync_all_teams", RunState.STARTED, progress_done=1, progress_total=3)


def interrupted(
    settings: Settings, words: str, until: bytes, status: int = 1, **environ: str
) -> bytes:
    """What a command writes to a terminal, interrupted as by Ctrl-C after ``until``."""
    given = {**os.environ, "TERM": "xterm", "INSTANCE_PATH": str(settings.instance_path)}
    given |= {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, **environ}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", *words.split()],
        cwd=PROJECT_ROOT, env=given, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    written = b""
    with contextlib.suppress(OSError):  # Linux: the other end is closed
        while part := os.read(ours, 1024):
            written += part
            if until in written:
                process.send_signal(signal.SIGINT)
                until = b"\0"
    os.close(ours)
    assert process.wait(10) == status, written.decode()
    return written


def test_cursor_comes_back_after_an_interruption(settings, begun):
    written = interrupted(settings, f"tasks wait {begun} --timeout 20", HIDDEN)
    assert b"Aborted!" in written
    assert b"33%" in written
    assert b"66%" not in written
    assert written.rindex(SHOWN) > written.rindex(HIDDEN)


class InterruptedTerminal(io.StringIO):
    """A terminal on which Ctrl-C is pressed while the first bar is drawn."""

    pressed = False

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        if not self.pressed and "33%" in self.getvalue():
            self.pressed = True
            raise KeyboardInterrupt


def test_bar_interrupted_while_it_draws_counts_nothing_twice(monkeypatch):
    terminal = InterruptedTerminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with pytest.raises(KeyboardInterrupt), contextlib.closing(ProgressBar("a task")) as bar:
        bar.show(1, 3)
    assert "33%" in terminal.getvalue()
    assert "66%" not in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[?25h\n")


@pytest.mark.parametrize("plain", first_quick([{"TERM": "dumb"}, {"NO_COLOR": "1"}]))
def test_plain_terminal_gets_plain_lines(settings, begun, plain):
    written = interrupted(settings, f"tasks wait {begun} --timeout 20", b"1 of 3 done", **plain)
    assert b"\x1b" not in written
    assert b"sync_all_teams: 1 of 3 done" in written

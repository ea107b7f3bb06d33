"""What the commands share: how they end, who asks, progress on a terminal.

Exit status: 0 all well, 1 something failed, 2 misuse (an unknown id or name is that too).
"""

from __future__ import annotations

import getpass
import sys
from typing import Any, NoReturn

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError, ProgrammingError

from sportsapp.core.errors import (
    BrokerUnavailableError,
    RunNotFoundError,
    TrackerError,
    UnknownTaskError,
)

FAILED, MISUSED = 1, 2


def person() -> str:
    """Who is at the shell; empty for a user id without a name, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def misuse(message: str) -> NoReturn:
    """Say what was asked wrongly, and end with status 2."""
    click.echo(message, err=True)
    sys.exit(MISUSED)


def fail(message: str) -> NoReturn:
    """Say what went wrong, and end with status 1."""
    click.echo(message, err=True)
    sys.exit(FAILED)


def database_fault(error: OperationalError | ProgrammingError) -> str:
    """A database that cannot be used, in one line."""
    reason = " ".join(str(error.orig).split())
    return f"the database cannot be used: {reason}; is it migrated? (flask db upgrade)"


class OneLineGroup(AppGroup):
    """A group of commands that says what is wrong in one line."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (RunNotFoundError, UnknownTaskError) as error:
            misuse(str(error))
        except BrokerUnavailableError as error:
            fail(f"{str(error).rstrip('.')}; start it with `flask up`, or correct REDIS_URL")
        except TrackerError as error:
            fail(str(error))
        except (OperationalError, ProgrammingError) as error:
            fail(database_fault(error))


class Bar:
    """Progress on standard error: a bar on a terminal, plain lines elsewhere."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.bar: Any = None
        self.shown = (0, 0)
        self.on_terminal = sys.stderr.isatty()

    def show(self, done: int, total: int) -> None:
        """So much of so much is done; what was shown already is not shown again."""
        if (done, total) == self.shown:
            return
        self.shown = (done, total)
        if self.on_terminal:
            self._draw(done, total)
        elif done:
            click.echo(f"{self.title}: {done} of {total} done", err=True)

    def close(self) -> None:
        """End the bar's line."""
        if self.bar is not None:
            self.bar.render_finish()

    def _draw(self, done: int, total: int) -> None:
        if self.bar is None:
            self.bar = click.progressbar(length=total, label=self.title, file=sys.stderr)
        self.bar.update(done - self.bar.pos)
        self.bar.render_progress()

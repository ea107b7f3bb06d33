"""What the commands share: exit statuses, ``--json``, errors in one line, progress, activity.

Exit status: 0 success, 1 failure, 2 misuse (an unknown id or name is misuse, too).
"""

import errno
import functools
import getpass
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import current_app
from flask.cli import AppGroup, ScriptInfo
from sqlalchemy.exc import OperationalError, ProgrammingError

from sportsapp.accounts.activity import record_activity
from sportsapp.core.errors import (
    BrokerUnavailableError,
    DateRangeError,
    DismissalError,
    ForeignBrokerError,
    NoInstanceError,
    RunNotFoundError,
    SettingsError,
    SubscriptionError,
    TargetError,
    TrackerError,
    UnknownGameError,
    UnknownLeagueError,
    UnknownSeasonError,
    UnknownTaskError,
    WrongFeedError,
)
from sportsapp.core.instance import make_instance_folder, secret_key_of
from sportsapp.core.printable import printable
from sportsapp.db.engine import database_reason, db, protect_file, require_file
from sportsapp.db.models import Via
from sportsapp.services import services

FAILED, MISUSED = 1, 2
HIDE_CURSOR, SHOW_CURSOR, HOME = "\x1b[?25l", "\x1b[?25h", "\x1b[H"
NO_WRAP, WRAP = "\x1b[?7l", "\x1b[?7h"
END_OF_LINE, END_OF_SCREEN = "\x1b[K", "\x1b[J"
MISUSE = (
    *(DateRangeError, DismissalError, NoInstanceError, RunNotFoundError),
    *(UnknownGameError, UnknownLeagueError, UnknownSeasonError, UnknownTaskError, WrongFeedError),
    *(SubscriptionError, TargetError),
)


def make_instance() -> None:
    """Make what is missing of this instance: its folder, its key, the file of its database.

    For the commands that bring an instance into being; the others create nothing. A folder or a
    key that cannot be used is misuse.
    """
    settings = services().settings
    try:
        make_instance_folder(settings)
        current_app.secret_key = secret_key_of(settings)
    except SettingsError as error:
        misuse(str(error))
    current_app.config["MAKES_INSTANCE"] = True
    protect_file(settings.database, settings.instance_path)


def user_name() -> str:
    """The shell user's name; empty for a user id without a name, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def recorded(command: Callable[..., str | None]) -> Callable[..., None]:
    """Decorates the function of a command that changes something: what it did is recorded.

    The function may return the outcome, in a few words. One that ends otherwise is not recorded.
    """

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        record_command(command(*arguments, **options) or "")

    return run


def record_command(outcome: str = "") -> None:
    """Record the command that runs now, with its arguments; without its options, for secrets."""
    context = click.get_current_context()
    arguments = [each.name for each in context.command.params if isinstance(each, click.Argument)]
    given = [str(context.params[name] or "") for name in arguments if name]
    words: list[str] = []
    while context.parent:  # the outermost one is `flask` itself
        words.insert(0, str(context.info_name))
        context = context.parent
    subject = " ".join(filter(None, given))
    record_activity(user_name(), Via.COMMAND, " ".join(words), subject, outcome)


def on_terminal() -> bool:
    """Whether a person can be asked: standard input and standard error are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def draws() -> bool:
    """Whether standard error is a terminal that can redraw a line, and nobody wants it plain."""
    is_plain = os.environ.get("TERM", "dumb") == "dumb" or os.environ.get("NO_COLOR")
    return sys.stderr.isatty() and not is_plain


def draw_anew(lines: Callable[[], Sequence[str]], seconds: float) -> None:
    """Draw these lines on the terminal, anew each time so many seconds have passed, until Ctrl-C.

    What does not fit is cut off.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    click.echo(HIDE_CURSOR, nl=False)
    try:
        while True:
            rows = shutil.get_terminal_size().lines
            frame = f"{END_OF_LINE}\n".join(lines()[: rows - 1])
            click.echo(f"{HOME}{NO_WRAP}{frame}{END_OF_LINE}\n{END_OF_SCREEN}", nl=False)
            db.session.rollback()  # the next frame reads anew
            time.sleep(seconds)
    except KeyboardInterrupt:
        pass  # that is how it ends
    finally:
        click.echo(WRAP + SHOW_CURSOR, nl=False)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_answer(document: dict[str, Any], lines: Sequence[str], as_json: bool) -> None:
    """Print a command's answer: the document as JSON, or the same as lines for people."""
    if as_json:
        click.echo(json.dumps(document))
        return
    for line in lines:
        print_line(line)


def print_line(text: str, *, err: bool = False) -> None:
    """Print one line, whatever the text contains: it may be the feed's or a visitor's."""
    click.echo(printable(text), err=err)


def misuse(message: str) -> NoReturn:
    """End with status 2, and a message that names what was wrong with the call."""
    fail(message, MISUSED)


def fail(message: str, status: int = FAILED) -> NoReturn:
    """End with this status, and a message that names what failed."""
    print_line(message, err=True)
    sys.exit(status)


def fail_for(error: TrackerError) -> NoReturn:
    """End with an error's message, and the status of its kind."""
    fail(str(error), MISUSED if isinstance(error, MISUSE) else FAILED)


def bind(host: str, port: int) -> socket.socket:
    """A socket for HOST and PORT that does not listen yet. Raises SettingsError.

    On "::" it is for IPv4, too, where the system has it so.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        fault = (
            f"HOST: {host!r} is no address of this machine ({error.strerror}); "
            "for example 127.0.0.1"
        )
        if error.errno == errno.EADDRINUSE:
            other = port + 1 if port < 65535 else 5000
            fault = f"PORT: {host}:{port} is already in use; choose another, for example {other}"
        elif error.errno == errno.EACCES:
            fault = f"PORT: {host}:{port} is not open to this user; for example 5000"
        raise SettingsError(fault) from None
    return bound


class OneLineCommand(click.Command):
    """A command that ends with one line, not a traceback, for an error of ours.

    One that creates nothing ends so, too, where there is no instance.
    """

    def invoke(self, context: click.Context) -> Any:
        try:
            if not isinstance(self, click.Group):
                app = context.ensure_object(ScriptInfo).load_app()
                require_file(app.config, Path(app.instance_path))
            return super().invoke(context)
        except ForeignBrokerError as error:
            fail(str(error))
        except BrokerUnavailableError as error:
            fail(f"{str(error).rstrip('.')}; start it with `flask up`, or correct REDIS_URL")
        except TrackerError as error:
            fail_for(error)
        except (OperationalError, ProgrammingError) as error:
            reason = database_reason(error)
            fail(f"the database cannot be used: {reason}; is it migrated? (flask db upgrade)")


class OneLineGroup(OneLineCommand, AppGroup):
    """A group of such commands."""

    command_class = OneLineCommand


class ProgressBar:
    """Progress on standard error: a bar on a terminal, plain lines elsewhere (and TERM=dumb)."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.bar: Any = None
        self.shown = (0, 0)
        self.on_terminal = draws()

    def show(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` chunks are done, unless that is shown already."""
        if (done, total) == self.shown:
            return
        self.shown = (done, total)
        if self.on_terminal:
            if self.bar is None:
                self.bar = click.progressbar(length=total, label=self.title, file=sys.stderr)
            # update() would count its steps again at the end, were it interrupted while it draws.
            self.bar.make_step(done - self.bar.pos)
            self.bar.render_progress()
        elif done:
            click.echo(f"{self.title}: {done} of {total} done", err=True)

    def close(self) -> None:
        """End the bar's line."""
        if self.bar is not None:
            self.bar.render_finish()

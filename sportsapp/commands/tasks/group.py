"""The group ``flask tasks``, and what its reports and actions share."""

from collections.abc import Callable
from typing import Any

import click

from sportsapp.commands.shell import OneLineGroup
from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db
from sportsapp.queue.broker import broker_errors
from sportsapp.runs.batches import BatchState
from sportsapp.runs.rows import find_run_by_beginning
from sportsapp.services import services

tasks_group = OneLineGroup("tasks", help="What the tasks did, do and will do.")


def run_argument(**options: Any) -> Callable[[Any], Any]:
    """The argument ID of a command: a run's id, or its beginning; the function gets the whole id.

    An id that no run has, or several runs, is misuse.
    """

    def whole_id(_context: click.Context, _parameter: click.Parameter, given: str) -> str:
        run_id = find_run_by_beginning(given).id if given or not options else given
        db.session.rollback()  # the command reads the row anew
        return run_id

    return click.argument("run_id", metavar="ID", callback=whole_id, **options)


def require_broker() -> None:
    """Raise BrokerUnavailableError, which ends the command, when the broker does not answer."""
    with broker_errors():
        services().queues[0].pending_count()


def batch_line(state: BatchState) -> str:
    """How far a batch is, in one line."""
    batch, took = state.batch, state.seconds(utc_now())
    parts = [f"{state.ended} of {batch.runs} runs have ended", f"{state.failed} failed"]
    parts += [f"{len(state.running)} running, {state.waiting} waiting"] if not state.is_over else []
    parts += [f"took {took:.0f} s" if state.is_over else f"for {took:.0f} s"] if took else []
    parts += [f"estimate {batch.seconds} s"] if batch.seconds is not None else []
    return f"{batch.name}: {', '.join(parts)}"

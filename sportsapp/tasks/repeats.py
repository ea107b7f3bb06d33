"""No work twice: what a run that waits or is in progress does already is not queued again."""

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, insert, select

from sportsapp.core.errors import OverlapError, QueueFullError
from sportsapp.db.engine import db
from sportsapp.db.models.run import OPEN, Batch, RunState
from sportsapp.queue.tracker import TrackedTask
from sportsapp.runs.rows import RUNS, named_args

BATCHES = Batch.__table__
RANGE_ARGUMENTS = {"league", "start_date", "end_date"}
WITH_GAMES = "games"

Arguments = Mapping[str, Any]


def queue_once(
    tasks: Sequence[TrackedTask],
    is_same: Callable[[Arguments, Arguments], bool] = operator.eq,
    most: float = math.inf,
    batch: Mapping[str, Any] | None = None,
) -> None:
    """Queue runs, all of them or none, and with them the row of their ``batch``.

    Raises what ``unless_queued`` describes, and BrokerUnavailableError.
    """
    check = unless_queued(tasks, is_same, most)

    def check_and_record(connection: Connection) -> None:
        check(connection)
        if batch:
            connection.execute(insert(BATCHES), batch)

    tasks[0].huey.enqueue_all(tasks, check_and_record)


def unless_queued(
    tasks: Sequence[TrackedTask],
    is_same: Callable[[Arguments, Arguments], bool] = operator.eq,
    most: float = math.inf,
) -> Callable[[Connection], None]:
    """The check that new runs are no work twice, for the transaction that records them.

    It raises OverlapError when a run of a queue, which waits or is in progress, does the same work
    as one of them, by its task and the arguments of both; and QueueFullError when ``most`` runs of
    these tasks wait or are in progress already.
    """

    def check(connection: Connection) -> None:
        runs = connection.execute(_open_runs(task.name for task in tasks)).all()
        for run in runs:
            if any(run.task == name and is_same(run.args, args) for name, args in work):
                state = "runs" if run.state == RunState.STARTED else "waits"
                raise OverlapError(f"{_work_of(run)} already {state}", run.id)
        if len(runs) >= most:
            raise QueueFullError(f"{len(runs)} runs of {tasks[0].name} wait already")

    work = [(task.name, named_args(task)) for task in tasks]
    return check


def not_under_way(tasks: Sequence[TrackedTask]) -> list[TrackedTask]:
    """These tasks without those whose work a run does that waits or is in progress."""
    runs = db.session.execute(_open_runs(task.name for task in tasks)).all()
    return [
        task
        for task in tasks
        if not any(run.task == task.name and same_work(run.args, named_args(task)) for run in runs)
    ]


def args_under_way(task: str) -> list[Arguments]:
    """The arguments of the runs of this task that wait or are in progress."""
    return [run.args for run in db.session.execute(_open_runs({task}))]


def _open_runs(names: Iterable[str]) -> Select[Any]:
    return select(RUNS).where(
        RUNS.c.task.in_(set(names)),
        RUNS.c.state.in_(OPEN),
        RUNS.c.queue != "",  # a run without one belongs to a shell, which is not waited for
    )


def overlap(first: Arguments, second: Arguments) -> bool:
    """Whether these arguments are ranges of one league that have a day in common.

    One without games does nothing of what one with games is for; that one reads the days, too.
    """
    if not (is_range(first) and is_range(second)):
        return False
    if second.get(WITH_GAMES) and not first.get(WITH_GAMES):
        return False
    one, other = ({name: str(args[name]).lower() for name in args} for args in (first, second))
    return (
        one["league"] == other["league"]
        and one["start_date"] <= other["end_date"]
        and other["start_date"] <= one["end_date"]
    )


def is_range(args: Arguments) -> bool:
    """Whether these are the arguments of a backfill, from any release."""
    return args.keys() - {WITH_GAMES} == RANGE_ARGUMENTS


def same_work(first: Arguments, second: Arguments) -> bool:
    """Whether a run with the first arguments does work of one of its task with the second ones.

    They are equal, or ranges that overlap.
    """
    return first == second or overlap(first, second)


def _work_of(run: Any) -> str:
    if not is_range(run.args):
        return f"run {run.id} of {run.task} with the same arguments"
    league, first, last = (run.args[name] for name in ("league", "start_date", "end_date"))
    games = " with box scores" if run.args.get(WITH_GAMES) else ""
    return f"a backfill of the {str(league).upper()} from {first} to {last}{games}"

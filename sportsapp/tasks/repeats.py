"""No work twice: what a run that waits or is in progress does already is not queued again."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from sportsapp.core.errors import OverlapError, QueueFullError
from sportsapp.db.models.run import OPEN, RunState
from sportsapp.queue.tracker import TrackedTask
from sportsapp.runs.rows import RUNS, named_args

RANGE_ARGUMENTS = {"league", "start_date", "end_date"}


Arguments = Mapping[str, Any]


def queue_once(
    tasks: Sequence[TrackedTask],
    is_same: Callable[[Arguments, Arguments], bool] = operator.eq,
    most: float = math.inf,
) -> None:
    """Queue runs of one task, all of them or none.

    Raises OverlapError when a run of a queue, which waits or is in progress, does the same work as
    one of them, by the arguments of both; QueueFullError when ``most`` runs of the task wait or are
    in progress already; and BrokerUnavailableError.
    """

    def check(connection: Connection) -> None:
        """In the transaction that records the runs, so that none slips in."""
        open_runs = select(RUNS).where(
            RUNS.c.task == tasks[0].name,
            RUNS.c.state.in_(OPEN),
            RUNS.c.queue != "",  # a run without one belongs to a shell, which is not waited for
        )
        runs = connection.execute(open_runs).all()
        for run in runs:
            if any(is_same(run.args, named_args(task)) for task in tasks):
                state = "runs" if run.state == RunState.STARTED else "waits"
                raise OverlapError(f"{_work_of(run)} already {state}", run.id)
        if len(runs) >= most:
            raise QueueFullError(f"{len(runs)} runs of {tasks[0].name} wait already")

    tasks[0].huey.enqueue_all(tasks, check)


def overlap(first: Arguments, second: Arguments) -> bool:
    """Whether these arguments are ranges of one league that have a day in common."""
    if not first.keys() == second.keys() == RANGE_ARGUMENTS:
        return False
    one, other = ({name: str(args[name]).lower() for name in args} for args in (first, second))
    return (
        one["league"] == other["league"]
        and one["start_date"] <= other["end_date"]
        and other["start_date"] <= one["end_date"]
    )


def _work_of(run: Any) -> str:
    if run.args.keys() != RANGE_ARGUMENTS:
        return f"run {run.id} of {run.task} with the same arguments"
    league, first, last = (run.args[name] for name in ("league", "start_date", "end_date"))
    return f"a backfill of the {str(league).upper()} from {first} to {last}"

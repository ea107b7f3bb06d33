"""One action on many runs at once, as the run list selects them; what happened to how many.

Each returns a sentence with the number of runs for each outcome.
"""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select

from sportsapp.core.errors import UnknownTaskError
from sportsapp.db.engine import db
from sportsapp.db.models import RunState, TaskRun, Trigger
from sportsapp.queue.tracker import TrackedTask
from sportsapp.runs.chains import cancel_run
from sportsapp.runs.failures import dismiss_failures
from sportsapp.runs.rows import named_args
from sportsapp.tasks.actions import task_of
from sportsapp.tasks.batches import queue_together
from sportsapp.tasks.repeats import not_under_way

MOST_AT_ONCE = 1_000
"""So many runs are done within a request; what is more is done by the next one."""


def cancel_each(run_ids: Sequence[str]) -> str:
    """Cancel runs. What waits never starts; what runs stops after its current chunk."""
    before = Counter(cancel_run(run_id) for run_id in run_ids)
    return _sentence(
        {
            "cancelled before they began": before[RunState.PENDING],
            "will stop after their current chunk": before[RunState.STARTED],
            "had ended already": before[None],
        }
    )


def run_each_again(run_ids: Sequence[str], trigger: Trigger, by: str) -> str:
    """Queue runs again, each task with the same arguments once, as a batch.

    Raises OverlapError when somebody else queues the same at this moment, and
    BrokerUnavailableError.
    """
    chosen = select(TaskRun.id, TaskRun.task, TaskRun.args).where(TaskRun.id.in_(run_ids))
    once: dict[str, TrackedTask] = {}
    unknown = repeated = 0
    for run in db.session.execute(chosen):
        try:
            task = task_of(run.task, run.args)
        except UnknownTaskError:
            unknown += 1
            continue
        key = f"{task.name} {sorted(named_args(task).items())}"
        repeated += key in once
        once[key] = task
    tasks = not_under_way(list(once.values())) if once else []
    if tasks:
        queue_together(f"Again: {len(tasks)} runs of the run list", tasks, trigger, by)
    return _sentence(
        {
            "queued again": len(tasks),
            "the same as another of them": repeated,
            "waiting or running already": len(once) - len(tasks),
            "only for a shell": unknown,
        }
    )


def dismiss_each(run_ids: Sequence[str], word: str, by: str) -> str:
    """Dismiss the outstanding failures among runs. Raises DismissalError for a bad word."""
    count = dismiss_failures(TaskRun.id.in_(run_ids), word, by)
    others = len(run_ids) - count
    return _sentence({f"dismissed ({word})": count, "not outstanding failures": others})


def _sentence(counts: dict[str, int]) -> str:
    total = sum(counts.values())
    parts = [f"{count:,} {outcome}" for outcome, count in counts.items() if count]
    return f"{total:,} {'run' if total == 1 else 'runs'}: {', '.join(parts) or 'nothing to do'}"

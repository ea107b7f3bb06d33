"""Batches: what one request made, when that is several runs, is followed and cancelled as one."""

import secrets
from collections.abc import Sequence

from sportsapp.core.clock import utc_now
from sportsapp.db.models import Trigger
from sportsapp.queue.tracker import TrackedTask
from sportsapp.runs.rows import run_origin
from sportsapp.sync.ranges import Estimate
from sportsapp.tasks.repeats import queue_once, same_work


def queue_together(
    name: str,
    tasks: Sequence[TrackedTask],
    trigger: Trigger,
    by: str,
    estimate: Estimate | None = None,
) -> str | None:
    """Queue the runs of one request: several as a batch, whose id is returned, one as it is.

    Raises what ``start_batch`` raises.
    """
    if len(tasks) > 1:
        return start_batch(name, tasks, trigger, by, estimate)
    with run_origin(trigger, by):
        queue_once(tasks, same_work)
    return None


def start_batch(
    name: str,
    tasks: Sequence[TrackedTask],
    trigger: Trigger,
    by: str,
    estimate: Estimate | None = None,
) -> str:
    """Queue these runs as one batch, all of them or none; the batch's id.

    ``name`` is what was asked for, in words. Raises OverlapError when a run that waits or is in
    progress does the same as one of them, or an overlapping range, and BrokerUnavailableError.
    """
    batch_id = secrets.token_hex(6)
    batch = {
        "id": batch_id,
        "name": name,
        "trigger": trigger,
        "asked_by": by,
        "made_at": utc_now(),
        "runs": len(tasks),
        "requests": estimate.requests if estimate else None,
        "seconds": estimate.seconds if estimate else None,
    }
    with run_origin(trigger, by, batch_id=batch_id):
        queue_once(tasks, same_work, batch=batch)
    return batch_id

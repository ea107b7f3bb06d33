"""Our queue with its ledger, and a task that does nothing. Producer and consumer import it."""

from __future__ import annotations

from bench.noop import note_start
from huey_config import huey

__all__ = ["huey", "noop"]


@huey.task()
def noop() -> None:
    """Record the start, and nothing else."""
    note_start()

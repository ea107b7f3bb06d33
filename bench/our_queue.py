"""Our queue, ledger and all, with a task that does nothing: for producer and consumer."""

from __future__ import annotations

from bench.noop import note_start
from huey_config import huey

__all__ = ["huey", "noop"]


@huey.task()
def noop() -> None:
    """Start, and end."""
    note_start()

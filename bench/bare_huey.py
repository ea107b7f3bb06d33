"""Plain Huey, with pickle and without a ledger, on the storage that our queue uses: its floor."""

from __future__ import annotations

import os

from huey import PriorityRedisExpireHuey

from bench.noop import note_start

huey = PriorityRedisExpireHuey("bare", url=os.environ["BENCH_BROKER"])


@huey.task()
def noop() -> None:
    """Record the start, and nothing else."""
    note_start()

"""Huey as it comes, pickle and no ledger, on the same storage as ours: what ours is beside."""

from __future__ import annotations

import os

from huey import PriorityRedisExpireHuey

from bench.noop import note_start

huey = PriorityRedisExpireHuey("bare", url=os.environ["BENCH_BROKER"])


@huey.task()
def noop() -> None:
    """Start, and end."""
    note_start()

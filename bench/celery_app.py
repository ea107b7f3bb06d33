"""Celery with JSON on the same broker, for comparison. No queue stores results here.

Runs in a virtual environment of its own, since Celery's requirements contradict ours.
"""

from __future__ import annotations

import os

from celery import Celery  # type: ignore  # has no types, and is not in our own environment

from bench.noop import note_start

app = Celery("bench", broker=os.environ["BENCH_BROKER"].replace("unix://", "redis+socket://"))
app.conf.update(task_serializer="json", accept_content=["json"], task_ignore_result=True)


@app.task(name="noop")
def run_noop() -> None:
    """Record the start, and nothing else."""
    note_start()


noop = run_noop.delay

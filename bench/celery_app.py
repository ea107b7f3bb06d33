"""Celery with JSON on the same broker: what ours replaces. Results are kept by nobody here.

Runs in a Python of its own, since Celery's requirements contradict ours.
"""

from __future__ import annotations

import os

from celery import Celery  # type: ignore  # has no types, and is not in our own environment

from bench.noop import note_start

app = Celery("bench", broker=os.environ["BENCH_BROKER"].replace("unix://", "redis+socket://"))
app.conf.update(task_serializer="json", accept_content=["json"], task_ignore_result=True)


@app.task(name="noop")
def run_noop() -> None:
    """Start, and end."""
    note_start()


noop = run_noop.delay

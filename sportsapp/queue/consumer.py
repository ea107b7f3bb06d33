"""The consumer: Huey's, with workers that beat and a scheduler that claims slots.

Every consumer schedules. For each slot of a periodic task the schedulers try to record its run;
the one whose insert succeeds puts it on the broker. So any number of consumers may run, restarts
double nothing, and a slot that was missed while everything was down is caught up where the task
allows it. The scheduler also puts back lost runs, so that no hung task can hold that up.
"""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from huey.consumer import BaseProcess, Consumer, Scheduler, Worker

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import BrokerUnavailableError, ForeignBrokerError
from sportsapp.core.outages import about
from sportsapp.core.processes import die_with_parent, freeze_memory
from sportsapp.queue.tracker import PeriodicTask, TaskQueue, TrackedTask

logger = logging.getLogger(__name__)

BEAT_SECONDS = 10
STOP_SECONDS = 8
RECOVERY_SECONDS = 15
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class BeatingProcess(BaseProcess):
    """What our worker and our scheduler share: a heartbeat, and an end with their master."""

    huey: TaskQueue
    role: str

    def initialize(self) -> None:
        if multiprocessing.parent_process() is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, ())  # see TrackerConsumer.start
            die_with_parent()
        self.huey.stop_flag = self.stop_flag
        self.huey.tracker.after_fork()
        self._ended = threading.Event()
        self._beat()
        threading.Thread(target=self._beat_until_ended, name="heartbeat", daemon=True).start()
        super().initialize()

    def shutdown(self) -> None:
        super().shutdown()
        self._ended.set()
        with self.logged_errors("leave"):
            self.huey.tracker.leave(self.huey.name, self.role)

    @contextmanager
    def logged_errors(self, what: str) -> Iterator[None]:
        """Log an error and go on: the database or the broker may be away for a while."""
        try:
            yield
        except Exception as error:
            mark = about(error)
            logger.exception("queue %s: %s failed", self.huey.name, what, extra=mark)

    def _beat_until_ended(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            self._beat()

    def _beat(self) -> None:
        with self.logged_errors("heartbeat"):
            self.huey.tracker.beat(self.huey.name, self.role)


class TrackerWorker(BeatingProcess, Worker):
    """Huey's worker, with a heartbeat."""

    role = "worker"


class SlotScheduler(BeatingProcess, Scheduler):
    """A scheduler that claims slots, and puts back lost runs."""

    role = "scheduler"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._seen: dict[str, datetime] = {}
        self._recover_at = 0.0

    def loop(self, _now: datetime | None = None) -> None:
        """One round, each second: push what is due, claim due slots; every 15 s recover runs.

        Last it calls ``each_second`` of its queue.
        """
        began = time.monotonic()
        if began >= self._recover_at:
            self._recover_at = began + RECOVERY_SECONDS
            with self.logged_errors("recovery"):
                self._end_if_foreign()
                self.huey.tracker.recover(self.huey)
        with self.logged_errors("reading the schedule"):
            for task in self.huey.read_schedule():
                # not ``enqueue``, which would record what a forged message names
                self.huey.push_or_leave(task)
        if self.periodic:
            self.enqueue_periodic_tasks()
        if self.huey.each_second:
            with self.logged_errors("the work of each second"), self.huey.tracker.app_context():
                self.huey.each_second()
        self.sleep_for_interval(began, self.interval)

    def _end_if_foreign(self) -> None:
        """Stop the whole consumer when another database has taken the broker over."""
        try:
            self.huey.check_broker()
        except ForeignBrokerError:
            master = multiprocessing.parent_process()
            os.kill(master.pid if master and master.pid else os.getpid(), signal.SIGTERM)
            raise
        except BrokerUnavailableError:
            pass  # recovery reports it, after what it can do without the broker

    def enqueue_periodic_tasks(self, now: datetime | None = None) -> None:
        """Push the newest due slot of each periodic task, if this scheduler could claim it."""
        now = now or utc_now()
        for periodic in self.huey.periodic_tasks.values():
            with self.logged_errors(f"scheduling {periodic.name}"):
                task = self._claim_newest_slot(periodic, now)
                if task is not None:
                    self.huey.push_or_leave(task)

    def _claim_newest_slot(self, periodic: PeriodicTask, now: datetime) -> TrackedTask | None:
        tracker = self.huey.tracker
        after = self._seen.get(periodic.name) or tracker.since(periodic.name)
        after = min(after, now)  # it is later than now when the clock has been set back
        slot = periodic.schedule.newest_slot(after, now)
        expires = periodic.task_class.default_expires or self.huey.tick_seconds
        latest = max(periodic.catch_up, timedelta(seconds=expires))
        task = None
        if slot is not None and now - slot <= latest:
            if tracker.must_wait(periodic):
                return None  # not seen yet: it is claimed as soon as that run has ended
            task = tracker.claim(periodic, slot)
        self._seen[periodic.name] = slot or max(after, now.replace(second=0, microsecond=0))
        return task


class TrackerConsumer(Consumer):
    """Huey's consumer with our worker and our scheduler."""

    worker_class = TrackerWorker
    scheduler_class = SlotScheduler

    def __init__(
        self, huey: TaskQueue, *, shutdown_timeout: float | None = None, **options: Any
    ) -> None:
        """A ``shutdown_timeout`` of more than STOP_SECONDS is cut to that.

        A run that has not stopped by then is handed back, and goes on after the restart.
        """
        longest = STOP_SECONDS if shutdown_timeout is None else min(shutdown_timeout, STOP_SECONDS)
        super().__init__(huey, shutdown_timeout=longest, **options)

    def start(self) -> None:
        """Start scheduler and workers.

        Signals are held back until Huey has set its handlers. An earlier signal would kill the
        master and leave its children, or be ignored where the master is process 1 (a container).
        """
        freeze_memory()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def check_worker_health(self) -> bool:
        """Replace workers that have died. Huey calls it; it returns whether all were alive."""
        try:
            return bool(super().check_worker_health())
        except OSError as error:  # no memory, or too many processes: the next check tries again
            logger.warning("queue %s: a process cannot be started: %s", self.huey.name, error)
            return False

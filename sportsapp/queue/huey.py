"""The two queues: our Huey class, its scheduler and its consumer.

The queues sit low and are configured high. What they need of the ledger they ask through
``RunTracker``, which the factory plugs in. What differs from plain Huey, and why:

- messages are tagged JSON, never pickle, so that a message cannot run code;
- a run is recorded before it is on the broker, and its body runs inside ``RunTracker.run``;
- periodic tasks are ordinary tasks, so their results are kept; the scheduler claims each slot in
  the database, so that any number of consumers may schedule and restarts double nothing;
- a message that cannot be read becomes a dead letter, and the worker goes on at once;
- forked children die with their master and open connections of their own.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import msgspec
from huey.api import Huey, Task, TaskWrapper, chord, group
from huey.consumer import Consumer, Scheduler, Worker
from huey.registry import Message
from huey.signals import SIGNAL_EXPIRED
from huey.storage import PriorityRedisExpireStorage

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import BrokerUnavailableError
from sportsapp.core.processes import die_with_parent, freeze_memory
from sportsapp.core.redis_urls import connection_pool
from sportsapp.queue.broker import broker_errors
from sportsapp.queue.messages import TaggedJson, decode, encode
from sportsapp.queue.schedules import Schedule

logger = logging.getLogger(__name__)

MESSAGE_LIMIT = 1_000_000
ATTEMPTS_LIMIT = 1_000_000
LOGGED_BYTES = 2_000
BEAT_SECONDS = 10
STOP_SECONDS = 8
RECOVERY_SECONDS = 15
BROKER_TIMEOUT = 3

Body = Callable[[], Any]


class RunTracker(Protocol):
    """What the queues ask of the rest of the project; the ledger answers."""

    def record(self, huey: TrackerHuey, task: Any) -> bool:
        """Write a new run down before it goes to the broker; False when it is known already."""

    def record_all(
        self, huey: TrackerHuey, tasks: Sequence[Any], check: Callable[[Any], None]
    ) -> None:
        """Write new runs down in one transaction, unless ``check(connection)`` raises in it."""

    def unsent(self, task: Any, error: Exception) -> None:
        """The broker did not take a run that somebody asked for."""

    def run(self, huey: TrackerHuey, task: Any, body: Body) -> Any:
        """Run a task's body and write down what became of it."""

    def expired(self, task: Any) -> None:
        """A run was dropped before its body: it was too late for it."""

    def revoke(self, run_id: str) -> None:
        """Cancel a run that somebody does not want any more."""

    def is_revoked(self, run_id: str) -> bool:
        """Whether a run was cancelled."""

    def claim(self, huey: TrackerHuey, periodic: Periodic, slot: datetime) -> Any | None:
        """A new task for this slot, or None when it is taken, paused or not wanted."""

    def since(self, task_name: str) -> datetime:
        """Slots of this periodic task before this moment are never caught up."""

    def dead_letter(self, queue: str, data: bytes, reason: str) -> None:
        """Keep a message that could not be read."""

    def beat(self, queue: str, role: str) -> None:
        """This process is alive, and so is the run it has in hand."""

    def leave(self, queue: str, role: str) -> None:
        """This process ends in order."""

    def recover(self, huey: TrackerHuey) -> None:
        """Put back what was lost with a worker or with the broker's memory."""

    def after_fork(self) -> None:
        """This is a new process: open connections of its own."""


class Periodic:
    """A periodic task: when it is due, and how late a missed slot is still worth running.

    With ``skip_while_running`` a slot is left out while an earlier run is still at work.
    """

    def __init__(
        self, task_class: Any, schedule: Schedule, catch_up: timedelta, skip_while_running: bool
    ) -> None:
        self.task_class = task_class
        self.name: str = task_class.__name__
        self.schedule = schedule
        self.catch_up = catch_up
        self.skip_while_running = skip_while_running


# ---------------------------------------------------------------- the queue


class _NotConfigured:
    """Stands where the storage will be: whoever uses a queue before ``configure`` is told."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("this queue has no broker yet: make the app first (create_app)")


class TrackedTask(TaskWrapper):  # type: ignore[misc]  # Huey has no types
    """A task whose body runs inside ``RunTracker.run``; ``call_local`` calls the bare function."""

    def create_task(
        self,
        func: Callable[..., Any],
        context: bool = False,  # noqa: ARG002 - Huey's signature; our bodies always get it
        name: str | None = None,
        **settings: Any,
    ) -> Any:
        huey: TrackerHuey = self.huey

        def tracked(*args: Any, task: Any, **kwargs: Any) -> Any:
            return huey.tracker.run(huey, task, lambda: func(*args, **kwargs))

        tracked.__module__ = func.__module__
        tracked.__doc__ = func.__doc__
        settings.setdefault("attempt", 0)
        settings.setdefault("from_broker", False)
        settings["function"] = staticmethod(func)
        return super().create_task(tracked, context=True, name=name or func.__name__, **settings)


class TrackerHuey(Huey):  # type: ignore[misc]  # Huey has no types
    """A queue on Redis that loses nothing it was given; see the module's docstring."""

    tracker: RunTracker

    def __init__(self, name: str) -> None:
        self._url = ""
        super().__init__(
            name, serializer=TaggedJson(), storage_class=PriorityRedisExpireStorage, utc=True
        )
        self.periodics: dict[str, Periodic] = {}
        self.tick_seconds = 60
        self.stop_flag: Any = None
        self.signal(SIGNAL_EXPIRED)(lambda _signal, task: self.tracker.expired(task))

    def configure(
        self, *, url: str, result_ttl: int, tick_seconds: int, tracker: RunTracker
    ) -> None:
        """Name the broker and plug in the ledger. Connects to nothing yet."""
        self._url = url
        self.storage_kwargs = {"expire_time": result_ttl}
        self.tick_seconds = tick_seconds
        self.tracker = tracker
        self.storage = self.create_storage()

    def get_storage(self, **kwargs: Any) -> Any:
        if not self._url:
            return _NotConfigured()
        pool = connection_pool(
            self._url, seconds=BROKER_TIMEOUT, retries=1, health_check_interval=30
        )
        return super().get_storage(connection_pool=pool, **kwargs)

    def get_task_wrapper_class(self) -> Any:
        return TrackedTask

    def periodic_task(
        self,
        schedule: Schedule,
        *,
        catch_up: timedelta = timedelta(0),
        skip_while_running: bool = False,
        **settings: Any,
    ) -> Callable[[Callable[..., Any]], Any]:
        """Register an ordinary task that the scheduler enqueues too, with its result kept.

        ``catch_up`` is how late the newest missed slot is still run.
        """

        def decorator(func: Callable[..., Any]) -> Any:
            wrapper = TrackedTask(
                self, func, validate_datetime=lambda _self, moment: schedule(moment),
                **_defaults(settings),
            )  # fmt: skip
            periodic = Periodic(wrapper.task_class, schedule, catch_up, skip_while_running)
            self.periodics[periodic.name] = periodic
            return wrapper

        return decorator

    def task_class(self, name: str) -> Any | None:
        """The class of a registered task by its short name, or None."""
        classes = self._registry._registry.values()
        return next((one for one in classes if one.__name__ == name), None)

    def task_names(self) -> list[str]:
        """The short names of the registered tasks."""
        return [one.__name__ for one in self._registry._registry.values()]

    # -- producing

    def enqueue(self, task: Any) -> Any:
        """Record the run, then hand it to the broker.

        Raises BrokerUnavailableError when the broker does not take it; nothing will run then.
        """
        if isinstance(task, (group, chord)):
            return super().enqueue(task)
        if task.from_broker:  # due now, or tried again; nobody can ask for a run by a message alone
            return self.push(task)
        if _has_followers(task):
            raise TypeError("what is to follow a run is not in its message: see tasks/chain.py")
        if task.expires:
            task.resolve_expires(self.utc)
        # a value that cannot travel is refused before it is recorded
        task.message = self.serialize_task(task)
        is_new = self.tracker.record(self, task)
        try:
            return self.push(task)
        except BrokerUnavailableError as error:
            if is_new:
                self.tracker.unsent(task, error)
            raise

    def enqueue_all(self, tasks: Sequence[Any], check: Callable[[Any], None]) -> None:
        """Record several runs, all or none, then hand them to the broker.

        ``check`` gets the connection of the transaction that records them, which nobody else
        can be in meanwhile; what it raises is raised here and nothing is recorded.
        Raises BrokerUnavailableError; what the broker did not take will not run then.
        """
        for task in tasks:
            self.serialize_task(task)
        self.tracker.record_all(self, tasks, check)
        for n, task in enumerate(tasks):
            try:
                self.push(task)
            except BrokerUnavailableError as error:
                for unsent in tasks[n:]:
                    self.tracker.unsent(unsent, error)
                raise

    def push(self, task: Any) -> Any:
        """Hand a recorded run to the broker. Raises BrokerUnavailableError."""
        with broker_errors():
            return super().enqueue(task)

    def disconnect(self) -> None:
        """Close all connections to the broker; the next command opens new ones."""
        self.storage.pool.disconnect()

    def message_ids(self) -> set[str]:
        """The ids of all runs that the broker holds, waiting or scheduled."""
        with broker_errors():
            messages = self.storage.enqueued_items() + self.storage.scheduled_items()
        return {task_id for data in messages if (task_id := _id_of(data))}

    def is_stopping(self) -> bool:
        """Whether this consumer has been asked to end."""
        return self.stop_flag is not None and bool(self.stop_flag.is_set())

    # -- messages: the attempt travels with the task, so that a copy is recognised

    def serialize_task(self, task: Any) -> bytes:
        ready: bytes | None = task.__dict__.pop("message", None)  # by ``enqueue``, a moment ago
        if ready is not None:
            return ready
        message = self._registry.create_message(task)
        document = {"attempt": task.attempt, "task": encode(message)}
        try:
            return msgspec.json.encode(document)  # as json does, in half the time
        except UnicodeEncodeError as error:
            raise TypeError(f"text that is not Unicode cannot go into a message: {error}") from None

    def deserialize_task(self, data: bytes) -> Any:
        document = msgspec.json.decode(data)
        message = decode(document["task"])
        if not isinstance(message, Message) or not isinstance(document["attempt"], int):
            raise TypeError("this is not a task message")
        if not 0 <= document["attempt"] < ATTEMPTS_LIMIT:
            raise ValueError("no run is tried so often")
        _check_message(message)
        task = self._registry.create_task(message)
        _check_limit(task)
        task.attempt, task.from_broker = document["attempt"], True
        return task

    def dequeue(self) -> Any | None:
        """The next task; None when there is none or when it could not be read."""
        data = self.storage.dequeue()
        if data is None:
            return None
        return self._task_or_dead_letter(data)

    def read_schedule(self, timestamp: datetime | None = None) -> list[Any]:
        due = self.storage.read_schedule(timestamp or self._get_timestamp())
        tasks = (self._task_or_dead_letter(data) for data in due)
        return [task for task in tasks if task is not None]

    def _task_or_dead_letter(self, data: bytes) -> Any | None:
        try:
            if len(data) > MESSAGE_LIMIT:
                raise ValueError(f"{len(data):,} bytes are more than a message may have")
            return self.deserialize_task(data)
        except Exception as error:  # noqa: BLE001 - whatever a hostile message can cause
            words = f"{type(error).__name__}: {error}"[:500]  # in parts the message's own
            reason = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in words)
            logger.warning("queue %s: a message could not be read: %s", self.name, reason)
            try:
                self.tracker.dead_letter(self.name, data, reason)
            except Exception:  # the worker goes on; a run that was meant is put back
                start = data[:LOGGED_BYTES]
                logger.exception("queue %s: a dead letter could not be kept: %r", self.name, start)
            return None

    # -- revoking: a word in the ledger, which no restart of the broker forgets

    def revoke(
        self,
        task: Any,
        revoke_until: object = None,
        revoke_once: bool = False,  # noqa: ARG002
    ) -> None:
        """Cancel a run: what waits ends at once, what runs stops after its current chunk.

        A run has one message at a time, so Huey's ``revoke_once`` says nothing here. Raises
        NotImplementedError for ``revoke_until``.
        """
        if revoke_until is not None:
            raise NotImplementedError("a run is revoked for good; ask for it again later")
        self.tracker.revoke(task.id)

    def restore(self, task: Any) -> Any:
        """Not to be had: what was revoked has ended."""
        raise NotImplementedError("what was revoked has ended: ask for it again")

    def revoke_all(self, *_: Any, **__: Any) -> None:
        """Not to be had: a periodic task is paused instead."""
        raise NotImplementedError("pause the task instead: flask tasks pause")

    restore_all = restore

    def is_revoked(self, task: Any, timestamp: object = None, peek: bool = True) -> bool:  # noqa: ARG002
        """Whether a run was revoked. A worker (``peek=False``) is told so when it claims it."""
        if not peek or isinstance(task, type):  # a whole task is paused, never revoked
            return False
        return self.tracker.is_revoked(task if isinstance(task, str) else task.id)

    # -- consuming

    def create_consumer(self, **options: Any) -> TrackerConsumer:
        """The consumer that ``huey_consumer`` runs."""
        for handler in list(logging.getLogger("huey").handlers):
            logging.getLogger("huey").removeHandler(handler)  # ours, on the root, is enough
        if options.get("worker_type") != "process":
            logger.warning("time limits are enforced by process workers only: use -k process")
        return TrackerConsumer(self, **options)


def _defaults(settings: dict[str, Any]) -> dict[str, Any]:
    """Huey's names for a task's settings, as its own decorator would pass them on."""
    known = ("retries", "retry_delay", "retry_backoff", "priority", "expires", "timeout")
    return {f"default_{name}" if name in known else name: v for name, v in settings.items()}


def _has_followers(task: Any) -> bool:
    """Whether Huey would run something after it. We take none: it would not be in the ledger."""
    followers = (task.on_complete, task.on_error, task.chord_config)
    return followers != (None, None, None)


def _check_message(message: Any) -> None:
    """Refuse a forged message whose fields are not of the kind that Huey computes with."""
    numbers = (message.retries, message.retry_delay, message.priority, message.retry_backoff)
    is_sound = (
        isinstance(message.id, str)
        and 0 < len(message.id) <= 200
        and message.id.isascii()
        and message.id.isprintable()  # it stands in the log, and a database looks for it
        and isinstance(message.name, str)
        and isinstance(message.args, (tuple, list))
        and isinstance(message.kwargs, dict)
        and all(n is None or (isinstance(n, (int, float)) and 0 <= n < 1e6) for n in numbers)
        and not _has_followers(message)
        and (message.eta is None or isinstance(message.eta, datetime))
        and (message.expires_resolved is None or isinstance(message.expires_resolved, datetime))
        and (message.timeout is None or isinstance(message.timeout, (int, float)))
    )
    if not is_sound:
        raise TypeError("a field of the message is not what one of ours has")


def _check_limit(task: Any) -> None:
    """A message may shorten its task's time limit, and no more."""
    limit = task.timeout
    if limit is not None and not 0 < limit <= (task.default_timeout or limit):
        raise ValueError(f"a time limit of {limit} s is not one of ours")


def _id_of(data: bytes) -> str | None:
    """A message's run id; None for one that cannot be read."""
    try:
        task_id = json.loads(data)["task"]["!message"]["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return task_id if isinstance(task_id, str) else None


# ---------------------------------------------------------------- the consumer


class _Process:
    """What our worker and our scheduler have in common: a beat, and a parent to die with."""

    huey: TrackerHuey
    role: str

    def start_beating(self) -> None:
        if multiprocessing.parent_process() is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the master's mask ends with its start
            die_with_parent()
        self.huey.tracker.after_fork()
        self._ended = threading.Event()
        self._beat()
        threading.Thread(target=self._beat_on, name="heartbeat", daemon=True).start()

    def stop_beating(self) -> None:
        self._ended.set()
        self._guarded("leave", lambda: self.huey.tracker.leave(self.huey.name, self.role))

    def _beat_on(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            self._beat()

    def _beat(self) -> None:
        self._guarded("beat", lambda: self.huey.tracker.beat(self.huey.name, self.role))

    def _guarded(self, what: str, action: Callable[[], object]) -> None:
        """The heart goes on when the database is away for a while."""
        try:
            action()
        except Exception:
            logger.exception("queue %s: %s failed", self.huey.name, what)


class TrackerWorker(_Process, Worker):  # type: ignore[misc]  # Huey has no types
    """A worker that beats, and whose tasks can see that the consumer is to end."""

    role = "worker"

    def initialize(self) -> None:
        self.huey.stop_flag = self.stop_flag
        self.start_beating()
        super().initialize()

    def shutdown(self) -> None:
        super().shutdown()
        self.stop_beating()


class SlotScheduler(_Process, Scheduler):  # type: ignore[misc]  # Huey has no types
    """A scheduler that claims slots, and puts back lost runs."""

    role = "scheduler"
    periodic_task_seconds = 1

    def initialize(self) -> None:
        self.start_beating()
        super().initialize()
        self._seen: dict[str, datetime] = {}
        self._recover_at = time.monotonic()

    def shutdown(self) -> None:
        super().shutdown()
        self.stop_beating()

    def loop(self, now: datetime | None = None) -> None:
        if time.monotonic() >= self._recover_at:
            self._recover_at = time.monotonic() + RECOVERY_SECONDS
            self._guarded("recovery", lambda: self.huey.tracker.recover(self.huey))
        super().loop(now)

    def enqueue_periodic_tasks(self, now: datetime | None = None) -> None:
        moment = utc_now() if now is None else now
        for periodic in self.huey.periodics.values():
            self._guarded(f"schedule of {periodic.name}", partial(self.look, periodic, moment))

    def look(self, periodic: Periodic, now: datetime) -> None:
        """Enqueue the newest slot of a periodic task that is due and nobody has claimed."""
        after = self._seen.get(periodic.name) or self.huey.tracker.since(periodic.name)
        after = min(after, now)  # it is later than now when the clock has been set back
        slot = periodic.schedule.newest_slot(after, now)
        if slot is not None:
            task = None
            if now - slot <= max(periodic.catch_up, timedelta(seconds=self.huey.tick_seconds)):
                task = self.huey.tracker.claim(self.huey, periodic, slot)
            if task is not None:
                self._push(task)
        self._seen[periodic.name] = slot or max(after, now.replace(second=0, microsecond=0))

    def _push(self, task: Any) -> None:
        try:
            self.huey.push(task)
        except BrokerUnavailableError as error:
            logger.warning("run %s waits for the broker: %s", task.id, error)


class TrackerConsumer(Consumer):  # type: ignore[misc]  # Huey has no types
    """Huey's consumer with our worker and our scheduler."""

    worker_class = TrackerWorker
    scheduler_class = SlotScheduler

    def __init__(
        self, huey: TrackerHuey, *, shutdown_timeout: float | None = None, **options: Any
    ) -> None:
        """A longer ``shutdown_timeout`` than STOP_SECONDS is cut to that.

        What has not stopped by itself by then is handed back, and goes on after the restart.
        """
        longest = STOP_SECONDS if shutdown_timeout is None else min(shutdown_timeout, STOP_SECONDS)
        super().__init__(huey, shutdown_timeout=longest, **options)

    def check_worker_health(self) -> bool:
        """Replace workers that have died; False if any had, or if none could be started."""
        try:
            return bool(super().check_worker_health())
        except OSError as error:  # no memory, or too many processes: the next check tries again
            logger.warning("queue %s: a process cannot be started: %s", self.huey.name, error)
            return False

    def start(self) -> None:
        """Start everything. A signal that comes before its handler is there waits for it.

        Else it would end the master alone, or, in a container, where that is process 1, nobody.
        """
        freeze_memory()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, self._signal_actions)
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


huey = TrackerHuey("sportsapp")
backfill_huey = TrackerHuey("sportsapp-backfill")

__all__ = ["Periodic", "RunTracker", "Task", "TrackerHuey", "backfill_huey", "huey"]

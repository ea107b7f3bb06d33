"""The three queues: our Huey class and its three instances.

What differs from plain Huey, and why:

- a run is recorded before it is on the broker, and its body runs inside ``RunTracker.run``
  (the ledger: ``runs.ledger.Ledger``, which hands it to ``runs.attempts.Attempts``);
- messages are tagged JSON, never pickle, so that a message cannot run code;
- a message that cannot be read becomes a dead letter, and the worker goes on at once;
- periodic tasks are ordinary tasks, so their results are kept; who schedules them is in
  ``consumer``;
- runs are revoked in the ledger, which no restart of the broker forgets.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import redis
from huey.api import Huey, TaskWrapper
from huey.signals import SIGNAL_EXPIRED
from huey.storage import PriorityRedisExpireStorage
from huey.utils import utcnow

from sportsapp.core.errors import BrokerUnavailableError, ForeignBrokerError, UnknownTaskError
from sportsapp.core.outages import about
from sportsapp.core.redis_urls import connection_pool
from sportsapp.queue.broker import NotConfigured, broker_errors, broker_serves, claim_broker
from sportsapp.queue.consumer import TrackerConsumer
from sportsapp.queue.messages import TaggedJson, read_message, run_id_of, write_message
from sportsapp.queue.schedules import Schedule
from sportsapp.queue.tracker import PeriodicTask, RunTracker, TrackedTask

logger = logging.getLogger(__name__)

BROKER_SECONDS = 3
DEPTH_SECONDS = 0.5
IDLE_CHECK_SECONDS = 30
LOGGED_BYTES = 2_000
REASON_LIMIT = 500


class TrackedTaskWrapper(TaskWrapper):
    """What the queue's decorators make of a function: calling it enqueues a run."""

    task_base = TrackedTask

    def __init__(self, huey: TrackerHuey, function: Callable[..., Any], **settings: Any) -> None:
        super().__init__(huey, function, **settings)
        huey.tasks[path_of(self.task_class)] = self.task_class

    def create_task(self, function: Callable[..., Any], *args: Any, **settings: Any) -> Any:
        """Huey's class for the task, whose body runs inside ``RunTracker.run``."""
        own = {"huey": self.huey, "function": staticmethod(function)}
        return super().create_task(function, *args, execute=TrackedTask.execute, **own, **settings)

    def call_local(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function here and now, without a run; in a bare Python shell too."""
        with self.huey.tracker.app_context():
            return super().call_local(*args, **kwargs)


def path_of(task_class: type[TrackedTask]) -> str:
    """The name of a task in a message: module and function."""
    return f"{task_class.__module__}.{task_class.__name__}"


class TrackerHuey(Huey):
    """A queue on Redis that loses nothing it was given; see the module's docstring.

    Each of its schedulers calls ``each_second``, where that is set. ``is_needed`` is set for a
    queue whose consumer may be left out while there is nothing for it to do; it takes a session.
    """

    tracker: RunTracker
    each_second: Callable[[], None] | None
    is_needed: Callable[[Any], bool] | None

    def __init__(self, name: str) -> None:
        super().__init__(name, serializer=TaggedJson(), storage_class=NotConfigured, utc=True)
        self.tasks: dict[str, type[TrackedTask]] = {}
        self.periodic_tasks: dict[str, PeriodicTask] = {}
        self.tick_seconds = 60
        self.each_second = self.is_needed = None
        self.stop_flag: Any = None
        self.owns_broker = False
        self.signal(SIGNAL_EXPIRED)(lambda _signal, task: self.tracker.expired(task))

    def configure(
        self,
        *,
        url: str,
        owns_broker: bool,
        result_ttl: int,
        tick_seconds: int,
        tracker: RunTracker,
    ) -> None:
        """Set the broker and plug in the ledger. Connects with the first command.

        A broker that is this instance's own (``owns_broker``) is used whatever database it had
        before. ``result_ttl`` is in seconds. A connection that was lost is opened again, once a
        command.
        """
        self.pool = connection_pool(
            url,
            seconds=BROKER_SECONDS,
            retries=1,
            health_check_interval=IDLE_CHECK_SECONDS,
            redis_connect_func=self._on_connect,
        )
        self.owns_broker = owns_broker
        self.storage_class = PriorityRedisExpireStorage
        self.storage_kwargs = {"connection_pool": self.pool, "expire_time": result_ttl}
        self.storage = self.create_storage()
        reading = connection_pool(url, seconds=DEPTH_SECONDS, redis_connect_func=self._on_connect)
        self.reader = self.get_storage(connection_pool=reading)
        self.tick_seconds = tick_seconds
        self.tracker = tracker

    def disconnect(self) -> None:
        """Close all connections to the broker; the next command opens new ones."""
        self.pool.disconnect()
        self.reader.pool.disconnect()

    # -- whose broker it is: every connection begins with the question

    def _on_connect(self, connection: Any) -> None:
        def execute(*words: str) -> Any:
            connection.send_command(*words)
            return connection.read_response()

        try:
            connection.on_connect()
            self._claim_broker(execute)
        except BaseException:
            connection.disconnect()  # or it would be used the next time
            raise

    def _claim_broker(self, execute: Callable[..., Any]) -> None:
        if database := self.tracker.database_id():
            claim_broker(execute, database, take=self.owns_broker)

    def check_broker(self) -> None:
        """Raises ForeignBrokerError for another database's broker, or BrokerUnavailableError."""
        with broker_errors():
            self._claim_broker(redis.Redis(connection_pool=self.pool).execute_command)

    def exit_if_foreign(self) -> None:
        """End this process, with status 1 and one line, if the broker is another database's.

        While the broker is away it goes on: each connection is checked when it is made.
        """
        try:
            self.check_broker()
        except ForeignBrokerError as error:
            sys.exit(str(error))
        except BrokerUnavailableError as error:
            logger.debug("whose broker it is was not read: %s", error)

    def adopt_broker(self) -> None:
        """Make the broker this database's. Raises BrokerUnavailableError."""
        self.owns_broker = True
        self.check_broker()

    # -- tasks

    def get_task_wrapper_class(self) -> type[TrackedTaskWrapper]:
        return TrackedTaskWrapper

    def periodic_task(
        self,
        schedule: Schedule,
        *,
        catch_up: timedelta = timedelta(0),
        one_at_a_time: bool = False,
        **settings: Any,
    ) -> Callable[[Callable[..., Any]], Any]:
        """Register a task that schedulers enqueue, and that may be called like any other.

        ``catch_up`` is how late the newest missed slot is still run. ``settings`` are those of a
        task: Huey's, ``is_long`` and ``at_once``.
        """

        def decorator(function: Callable[..., Any]) -> Any:
            wrapper = self.task(**settings)(function)
            periodic = PeriodicTask(wrapper.task_class, schedule, catch_up, one_at_a_time)
            self.periodic_tasks[periodic.name] = periodic
            return wrapper

        return decorator

    def task_class(self, name: str) -> type[TrackedTask] | None:
        """The class of a registered task by its short name, or None."""
        return next((known for known in self.tasks.values() if known.__name__ == name), None)

    def task_names(self) -> list[str]:
        """The short names of the registered tasks, in the order of their definition."""
        return [task_class.__name__ for task_class in self.tasks.values()]

    # -- producing

    def enqueue(self, task: Any) -> Any:
        """Record a run, then put it on the broker. Returns Huey's Result.

        Raises BrokerUnavailableError when the broker does not take it; nothing will run then.
        Raises TypeError for an argument that cannot go into a message, and for a task with
        Huey's followers (``then``, ``error``, chords); nothing is recorded then. Takes one task,
        no group.
        """
        self.prepare(task)
        is_new = self.tracker.record(task)
        try:
            return self.push(task)
        except BrokerUnavailableError as error:
            if is_new:
                self.tracker.unsent(task, error)
            raise

    def enqueue_all(self, tasks: Sequence[TrackedTask], check: Callable[[Any], None]) -> None:
        """Record runs of any queue, all or none, then put them on the broker in this order.

        Of a chain, whose links may be of several queues, the first alone is put there. ``check``
        gets the connection of the transaction that records them; no other transaction that records
        runs is open at that time. What it raises is raised here and nothing is recorded. Raises
        BrokerUnavailableError; what the broker did not take will not run then.
        """
        for task in tasks:
            task.huey.prepare(task)
        self.tracker.record_all(tasks, check)
        due = [task for task in tasks if not task.is_later_link]
        for n, task in enumerate(due):
            try:
                task.huey.push(task)
            except BrokerUnavailableError as error:
                for unsent in due[n:]:
                    self.tracker.unsent(unsent, error)
                raise

    def prepare(self, task: TrackedTask) -> None:
        """Make sure that a task can be recorded and pushed. Raises TypeError.

        For Huey's followers (``then``, ``error``, chords), and for an argument that cannot go into
        a message.
        """
        if (task.on_complete, task.on_error, task.chord_config) != (None, None, None):
            raise TypeError(
                "then(), error() and chords are not supported; chain() of sportsapp.tasks is"
            )
        if task.expires:
            task.resolve_expires(self.utc)
        self.serialize_task(task)

    def push(self, task: TrackedTask) -> Any:
        """Put a recorded run on the broker. Returns Huey's Result.

        Raises BrokerUnavailableError.
        """
        with broker_serves():
            return super().enqueue(task)

    def push_or_leave(self, *tasks: TrackedTask) -> None:
        """Put recorded runs on the broker, in order. While that is away, recovery does so later."""
        for task in tasks:
            try:
                self.push(task)
            except BrokerUnavailableError as error:
                text = "run %s of %s waits for the broker: %s"
                logger.warning(text, task.id, task.name, error, extra=about(error))
                return  # each would wait for it anew

    def push_later(self, task: TrackedTask, delay: timedelta) -> None:
        """The same, for a run that may not start before this delay."""
        task.eta = utcnow() + delay
        self.push_or_leave(task)

    def message_ids(self) -> set[str]:
        """The ids of all runs on the broker, queued or scheduled. Raises BrokerUnavailableError."""
        with broker_errors():
            messages = self.storage.enqueued_items() + self.storage.scheduled_items()
        return {run_id for data in messages if (run_id := run_id_of(data))}

    # -- messages

    def serialize_task(self, task: TrackedTask) -> bytes:
        """A task's message. Raises TypeError for an argument that cannot go into one."""
        return write_message(path_of(type(task)), task)

    def deserialize_task(self, data: bytes) -> TrackedTask:
        """The task of a message. Raises what ``read_message`` raises, and UnknownTaskError."""
        path, fields, attempt = read_message(data)
        if path not in self.tasks:
            raise UnknownTaskError(path, list(self.tasks))
        task = self.tasks[path](**fields)
        task.attempt = attempt
        limit = task.timeout  # a message may shorten a task's limit, and no more
        if limit is not None and not 0 < limit <= (task.default_timeout or limit):
            raise ValueError(
                f"its time limit of {limit} s is not within the task's, {task.default_timeout} s"
            )
        return task

    def depth(self) -> int:
        """How many messages wait on the queue. Raises BrokerUnavailableError.

        Does not wait for the broker for longer than ``DEPTH_SECONDS``, since pages show it.
        """
        with broker_errors():
            return int(self.reader.queue_size())

    def dequeue(self) -> TrackedTask | None:
        """The next task; None if there was none for a second, or it could not be read.

        Raises BrokerUnavailableError.
        """
        with broker_serves():
            data = self.storage.dequeue()
        return None if data is None else self._task_or_dead_letter(data)

    def read_schedule(self, timestamp: datetime | None = None) -> list[TrackedTask]:
        """Take all tasks that are due off the schedule; those that can be read.

        ``timestamp`` is naive, in UTC, as all of Huey's moments; now if it is not given. Raises
        BrokerUnavailableError.
        """
        with broker_serves():
            due = self.storage.read_schedule(timestamp or utcnow())
        tasks = (self._task_or_dead_letter(data) for data in due)
        return [task for task in tasks if task is not None]

    def _task_or_dead_letter(self, data: bytes) -> TrackedTask | None:
        try:
            return self.deserialize_task(data)
        except Exception as error:  # noqa: BLE001 - whatever a hostile message can cause
            text = f"{type(error).__name__}: {error}"[:REASON_LIMIT]  # may quote the message
            reason = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
            logger.warning("queue %s: a message could not be read: %s", self.name, reason)
            try:
                self.tracker.dead_letter(self.name, data, reason)
            except Exception:  # the worker goes on; recovery puts back a run that was recorded
                start = data[:LOGGED_BYTES]
                logger.exception("queue %s: a dead letter could not be kept: %r", self.name, start)
            return None

    # -- revoking: in the ledger, which no restart of the broker forgets

    def revoke(self, task: Any, revoke_until: object = None, **_: object) -> None:
        """Cancel a run: if it waits it ends at once, else it stops after its current chunk.

        A run without chunks ends as usual.

        Raises NotImplementedError for ``revoke_until``. ``revoke_once`` changes nothing, since a
        run has one message at a time.
        """
        if revoke_until is not None:
            raise NotImplementedError("a run is revoked for good; queue it again later")
        self.tracker.revoke(task.id)

    def restore(self, task: Any) -> Any:
        """Not supported: a run that was revoked has ended. Raises NotImplementedError."""
        raise NotImplementedError("what was revoked has ended: queue it again")

    def revoke_all(self, *_: Any, **__: Any) -> None:
        """Not supported: a periodic task is paused instead. Raises NotImplementedError."""
        raise NotImplementedError("pause the task instead: flask tasks pause")

    restore_all = restore

    def is_revoked(self, task: Any, _timestamp: object = None, peek: bool = True) -> bool:
        """Whether a run was revoked; False for a task class, since tasks are paused instead.

        False for a worker, too (``peek=False``): it cannot claim a run that was revoked.
        """
        if not peek or isinstance(task, type):
            return False
        return self.tracker.is_revoked(task if isinstance(task, str) else task.id)

    # -- consuming

    def create_consumer(self, **options: Any) -> TrackerConsumer:
        """The consumer that ``huey_consumer`` runs; ``options`` are those of its command line."""
        self.exit_if_foreign()
        self.tracker.exit_if_wrong_feed()
        logging.getLogger("huey").handlers.clear()  # ours, on the root, is enough
        if options.get("worker_type") != "process":
            logger.warning("time limits are enforced by process workers only: use -k process")
        return TrackerConsumer(self, **options)

    def is_stopping(self) -> bool:
        """Whether the consumer that this process belongs to has been stopped."""
        return self.stop_flag is not None and bool(self.stop_flag.is_set())


huey = TrackerHuey("sportsapp")
backfill_huey = TrackerHuey("sportsapp-backfill")
notify_huey = TrackerHuey("sportsapp-notify")
QUEUES = (huey, backfill_huey, notify_huey)

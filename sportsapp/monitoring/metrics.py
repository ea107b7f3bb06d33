"""The state of an instance as Prometheus metrics, read from database and broker at each scrape.

Nothing is kept in a process: any web process can be asked, and all give the same answer. What
grows (`_total`) is counted in the database or on the broker and survives restarts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import redis
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.settings import VERSION, Settings
from sportsapp.db.engine import db
from sportsapp.db.models.run import OPEN
from sportsapp.feed.client import OUTCOMES
from sportsapp.feed.pace import OutcomeCounter
from sportsapp.monitoring.checks import late_slots
from sportsapp.queue.huey import TrackerHuey
from sportsapp.runs import reports as activity

DURATIONS_OF = timedelta(hours=1)
PERCENTILES = (50, 95, 100)  # not called quantiles: to Prometheus those are a summary's alone


def exposition(metrics: Metrics, accepted: str) -> tuple[bytes, str]:
    """All metrics in the form that suits an Accept header best, and its content type."""
    registry = CollectorRegistry()
    registry.register(metrics)
    encode, kind = choose_encoder(accepted)
    return encode(registry), kind


class Metrics(Collector):
    """All metrics of one moment. Needs an application context.

    A database or a broker that is away is a metric that says so, and leaves out its own.
    """

    def __init__(
        self,
        settings: Settings,
        queues: Sequence[TrackerHuey],
        outcomes: OutcomeCounter,
        now: datetime,
    ) -> None:
        self._settings = settings
        self._queues = queues
        self._outcomes = outcomes
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Every metric, with its samples."""
        yield _gauge("build_info", "The version that answers.", ["version"], {(VERSION,): 1})
        yield from self._of_database()
        yield from self._of_broker()

    def _of_database(self) -> Iterator[Metric]:
        is_up = 1
        metrics: list[Metric] = []
        try:
            metrics = [*self._runs(), *self._consumers(), *self._data()]
        except SQLAlchemyError:
            db.session.rollback()
            is_up = 0
        yield _gauge("database_up", "Whether the database can be read.", [], {(): is_up})
        yield from metrics

    def _of_broker(self) -> Iterator[Metric]:
        try:
            counts = self._outcomes.counts()
        except redis.RedisError:
            yield _gauge("broker_up", "Whether the broker answers.", [], {(): 0})
            return
        yield _gauge("broker_up", "Whether the broker answers.", [], {(): 1})
        yield _counter(
            "feed_requests",
            "Requests to the feed, by how they turned out.",
            ["outcome"],
            {(outcome,): counts.get(outcome, 0) for outcome in OUTCOMES},
        )

    # -- tasks

    def _runs(self) -> Iterator[Metric]:
        counts = activity.run_counts(db.session)
        ended = {key: count for key, count in counts.items() if key[1] not in OPEN}
        is_open = {key: count for key, count in counts.items() if key[1] in OPEN}
        labels = ["task", "state"]
        yield _counter("task_runs", "Runs that ended, by how they did.", labels, ended)
        yield _gauge("task_runs_open", "Runs that wait or are at work.", labels, is_open)
        durations = activity.durations(db.session, self._now - DURATIONS_OF)
        yield _gauge(
            "task_run_seconds",
            "How long runs took that ended well within the last hour; 100 is the longest.",
            ["task", "percentile"],
            {
                (task, str(percentile)): seconds[percentile * (len(seconds) - 1) // 100]
                for task, seconds in durations.items()
                for percentile in PERCENTILES
            },
        )
        late = {slot.task for slot in late_slots(db.session, self._queues[0], self._now)}
        yield _gauge(
            "schedule_overdue",
            "Whether a periodic task has not been scheduled when it was due.",
            ["task"],
            {(task,): int(task in late) for task in self._queues[0].periodic_tasks},
        )
        letters, _ = activity.dead_letters(db.session, 0)
        yield _gauge("dead_letters", "Messages that could not be read.", [], {(): letters})

    def _consumers(self) -> Iterator[Metric]:
        alive = activity.consumers(db.session, self._now)
        kinds = [(queue.name, role) for queue in self._queues for role in ("scheduler", "worker")]
        yield _gauge(
            "consumers",
            "Live processes of consumers.",
            ["queue", "role"],
            {kind: sum((one.queue, one.role) == kind for one in alive) for kind in kinds},
        )
        states = activity.queue_states(db.session, self._queues, alive, self._now)
        depths = {(one.name,): one.depth for one in states if one.depth is not None}
        yield _gauge("queue_depth", "Messages on the broker.", ["queue"], depths)
        waiting = {(one.name,): one.waiting for one in states}
        yield _gauge("queue_waiting", "Runs that could start now.", ["queue"], waiting)
        yield _gauge(
            "queue_oldest_seconds",
            "How long the first of them has been waiting.",
            ["queue"],
            {(one.name,): self._since(one.oldest) if one.oldest else 0 for one in states},
        )

    # -- data

    def _data(self) -> Iterator[Metric]:
        leagues = activity.leagues(db.session, self._settings.leagues)
        yield _gauge(
            "data_age_seconds",
            "Since when a league has been read well.",
            ["league"],
            {(one.slug,): self._since(one.polled_at) for one in leagues if one.polled_at},
        )
        yield _gauge(
            "feed_failing",
            "Whether the last answers for a league were no good.",
            ["league"],
            {(one.slug,): int(one.failing_since is not None) for one in leagues},
        )
        games = activity.game_counts(db.session)
        yield _gauge("games", "Games stored, by state.", ["league", "state"], games)

    def _since(self, moment: datetime) -> float:
        return max(0.0, (self._now - moment).total_seconds())


Samples = Mapping[Any, float]
"""Values by the labels they have, in order."""


def _gauge(name: str, words: str, labels: list[str], samples: Samples) -> Metric:
    return _filled(GaugeMetricFamily(f"sportsapp_{name}", words, labels=labels), samples)


def _counter(name: str, words: str, labels: list[str], samples: Samples) -> Metric:
    return _filled(CounterMetricFamily(f"sportsapp_{name}", words, labels=labels), samples)


def _filled(metric: GaugeMetricFamily | CounterMetricFamily, samples: Samples) -> Metric:
    for labels, value in sorted(samples.items()):
        metric.add_metric(list(labels), value)
    return metric

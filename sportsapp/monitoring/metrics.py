"""The state of an instance as Prometheus metrics, read from database and broker at each scrape.

No process keeps a count of its own: every web process gives the same answer. Counters (`_total`)
are kept in the database or on the broker and survive restarts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import redis
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.settings import VERSION, Settings
from sportsapp.db.engine import db
from sportsapp.db.models.run import OPEN
from sportsapp.feed.client import KINDS, OUTCOMES
from sportsapp.feed.hosts import FeedHosts
from sportsapp.feed.pace import OutcomeCounter
from sportsapp.monitoring.checks.check import Result, State
from sportsapp.monitoring.checks.work import late_slots
from sportsapp.queue.huey import TrackerHuey
from sportsapp.runs import reports

RECENTLY = timedelta(hours=1)
PERCENTILES = (50, 95, 100)  # the label `quantile` is reserved for Prometheus' summaries

Samples = Mapping[Any, float]
"""Values by their label values, which are in the order of the metric's labels."""


class Collected(Collector):
    """Metrics that were collected before."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self.metrics = metrics

    def collect(self) -> Sequence[Metric]:
        """The metrics."""
        return self.metrics


def exposition(metrics: Sequence[Metric], accept: str) -> tuple[bytes, str]:
    """These metrics in the format that suits this Accept header best, and its content type."""
    encode, content_type = choose_encoder(accept)
    return encode(Collected(metrics)), content_type


@dataclass
class Metrics(Collector):
    """All metrics at the moment ``now``; needs an app context.

    ``results`` are what the checks found. When the database or the broker cannot be reached, its
    `_up` metric is 0 and the metrics that are read from it are left out.
    """

    settings: Settings
    queues: Sequence[TrackerHuey]
    outcomes: OutcomeCounter
    hosts: FeedHosts
    now: datetime
    results: Sequence[Result] = ()

    def collect(self) -> Iterator[Metric]:
        """Every metric, with its samples."""
        help_text = "Always 1; the label is the version of this web server."
        yield _gauge("build_info", help_text, ["version"], {(VERSION,): 1})
        levels = {
            (result.check.name,): result.state.level
            for result in self.results
            if result.state != State.UNKNOWN
        }
        help_text = (
            "0 if the check is ok, 1 if it warns, 2 if it is wrong; left out while it is unknown "
            "because an earlier one is wrong."
        )
        yield _gauge("check", help_text, ["check"], levels)
        database_is_up = 1
        metrics: list[Metric] = []
        try:
            metrics = [*self._runs(), *self._queues_and_consumers(), *self._data()]
        except SQLAlchemyError:
            db.session.rollback()
            database_is_up = 0
        help_text = "1 if the database can be read, else 0."
        yield _gauge("database_up", help_text, [], {(): database_is_up})
        yield from metrics
        help_text = "1 if the broker answers, else 0."
        try:
            counts, moved = self.outcomes.counts(), self.hosts.moved() or {}
        except redis.RedisError:
            yield _gauge("broker_up", help_text, [], {(): 0})
            return
        yield _gauge("broker_up", help_text, [], {(): 1})
        requests = {(outcome,): counts.get(outcome, 0) for outcome in OUTCOMES}
        yield _counter("feed_requests", "Requests to the feed, by outcome.", ["outcome"], requests)
        first, help_text = self.hosts.urls[0], "1 if the host answers this kind of request, else 0."
        answering = {
            (kind, url): int(url == (moved[kind].host if kind in moved else first))
            for kind in KINDS
            for url in self.hosts.urls
        }
        yield _gauge("feed_host", help_text, ["kind", "host"], answering)

    def _runs(self) -> Iterator[Metric]:
        counts = reports.run_counts(db.session)
        ended = {key: count for key, count in counts.items() if key[1] not in OPEN}
        still_open = {key: count for key, count in counts.items() if key[1] in OPEN}
        labels = ["task", "state"]
        yield _counter("task_runs", "Task runs that ended, by final state.", labels, ended)
        yield _gauge("task_runs_open", "Task runs that wait or run now.", labels, still_open)
        durations = {
            (task, str(percentile)): seconds[percentile * (len(seconds) - 1) // 100]
            for task, seconds in reports.durations(db.session, self.now - RECENTLY).items()
            for percentile in PERCENTILES
        }
        help_text = (
            "Duration of the task runs that succeeded within the last hour, in seconds, "
            "by percentile; 100 is the longest."
        )
        yield _gauge("task_run_seconds", help_text, ["task", "percentile"], durations)
        partly = reports.with_errors(db.session, self.now - RECENTLY)
        help_text = "Task runs that succeeded within the last hour, with errors in their result."
        yield _gauge(
            "task_runs_with_errors",
            help_text,
            ["task"],
            {(task,): count for task, count in partly.items()},
        )
        outstanding = reports.outstanding(db.session)
        help_text = (
            "Failures that are neither resolved by a later success without errors nor dismissed."
        )
        yield _gauge(
            "task_failures_outstanding",
            help_text,
            ["task"],
            {(task,): count for task, count in outstanding.items()},
        )
        late = {slot.task for slot in late_slots(db.session, self.queues[0], self.now)}
        overdue = {(task,): int(task in late) for task in self.queues[0].periodic_tasks}
        help_text = "1 if a periodic task was not scheduled when it was due, else 0."
        yield _gauge("schedule_overdue", help_text, ["task"], overdue)
        count, _ = reports.dead_letters(db.session, 0)
        help_text = "Messages that no consumer could decode or run."
        yield _gauge("dead_letters", help_text, [], {(): count})

    def _queues_and_consumers(self) -> Iterator[Metric]:
        alive = reports.consumers(db.session, self.now)
        counts = Counter((process.queue, process.role) for process in alive)
        roles = [(queue.name, role) for queue in self.queues for role in ("scheduler", "worker")]
        live = {key: counts[key] for key in roles}
        help_text = "Live processes of consumers, by queue and role."
        yield _gauge("consumers", help_text, ["queue", "role"], live)
        states = reports.queue_states(db.session, self.queues, alive, self.now)
        depths = {(state.name,): state.depth for state in states if state.depth is not None}
        yield _gauge("queue_depth", "Messages of the queue on the broker.", ["queue"], depths)
        waiting = {(state.name,): state.waiting for state in states}
        yield _gauge("queue_waiting", "Task runs that are due and wait.", ["queue"], waiting)
        oldest = {(state.name,): self._age(state.oldest) if state.oldest else 0 for state in states}
        help_text = "Seconds for which the oldest of the waiting task runs has been due."
        yield _gauge("queue_oldest_seconds", help_text, ["queue"], oldest)

    def _data(self) -> Iterator[Metric]:
        leagues = reports.leagues(db.session, self.settings.leagues)
        ages = {(row.slug,): self._age(row.polled_at) for row in leagues if row.polled_at}
        help_text = "Seconds since the last successful poll of the league."
        yield _gauge("data_age_seconds", help_text, ["league"], ages)
        failing = {(row.slug,): int(row.failing_since is not None) for row in leagues}
        help_text = "1 if the last poll of the league failed, else 0."
        yield _gauge("feed_failing", help_text, ["league"], failing)
        games = reports.game_counts(db.session)
        yield _gauge("games", "Games in the database, by state.", ["league", "state"], games)

    def _age(self, moment: datetime) -> float:
        return max(0.0, (self.now - moment).total_seconds())


def _gauge(
    name: str,
    help_text: str,
    labels: list[str],
    samples: Samples,
    family: type[GaugeMetricFamily | CounterMetricFamily] = GaugeMetricFamily,
) -> Metric:
    """A metric with its samples, ordered by their label values."""
    metric = family(f"sportsapp_{name}", help_text, labels=labels)
    for label_values, value in sorted(samples.items()):
        metric.add_metric(list(label_values), value)
    return metric


_counter = partial(_gauge, family=CounterMetricFamily)

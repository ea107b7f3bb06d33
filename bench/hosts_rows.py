"""What more consumers gain when the feed is slow: sixteen seasons, shared by their workers."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs

from sqlalchemy import ColumnElement, func, select

from bench.measure import Figure, median_and_spread
from bench.running import environment_of, huey_consumer, running_broker, started, wait_until
from bench.sync_rows import fresh_app
from demo.app import create_demo_feed
from demo.server import running_feed
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.db.models import ConsumerProcess, TaskRun
from sportsapp.db.models.run import OPEN, RunState
from sportsapp.services import services_of
from sportsapp.tasks import sync_date_range_task
from tests.integration.events import board, event

CONSUMERS = (1, 2, 4)
WORKERS = 2
SEASONS, MONTHS = 16, 6
LATENCY = 0.4
ROUNDS = 3
SECONDS = 120.0


def hosts() -> list[Figure]:
    """Months a second with one, two and four consumers; 400 ms for each answer.

    The floor is the rate of as many workers that only wait. Takes three minutes.
    """
    figures = []
    for number in CONSUMERS:
        rates = [_months_a_second(number) for _ in range(ROUNDS)]
        value, spread = median_and_spread(rates)
        consumers = f"consumer{'s' if number > 1 else ''} of {WORKERS} workers"
        what = f"months a second of {SEASONS} seasons, {number} {consumers}"
        most = number * WORKERS / LATENCY
        figures.append(Figure("hosts", what, value, "/s", floor=most, spread=spread))
    return figures


def _months_a_second(number: int) -> float:
    feed = create_demo_feed()
    slow_feed = feed.wsgi_app = _SlowFeed()  # type: ignore[method-assign]
    with running_feed(feed) as url, fresh_app(redis_url="") as app, ExitStack() as stack:
        folder = services_of(app).settings.instance_path
        settings = Settings(instance_path=folder, espn_base_url=url)
        stack.enter_context(running_broker(settings))
        environ = environment_of(settings, FEED_REQUESTS_PER_MINUTE="100000")
        for n in range(number):
            log = folder / f"consumer-{n}.log"
            command = huey_consumer("huey_config.backfill_huey")
            stack.enter_context(started(command, environ, log))
        wait_until(lambda: _count(ConsumerProcess.role == "worker") == number * WORKERS, SECONDS)
        began = time.perf_counter()
        for year in range(2000, 2000 + SEASONS):
            sync_date_range_task("NBA", f"{year}-01-01", f"{year}-0{MONTHS}-30")
        wait_until(lambda: not _count(TaskRun.state.in_(OPEN)), SECONDS, every=0.05)
        seconds = time.perf_counter() - began
        assert _count(TaskRun.state == RunState.SUCCESS) == SEASONS
        assert slow_feed.requests == SEASONS * MONTHS
    return SEASONS * MONTHS / seconds


class _SlowFeed:
    """A feed that answers every request after LATENCY, with three games a month."""

    def __init__(self) -> None:
        self.requests = 0

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        self.requests += 1
        time.sleep(LATENCY)
        month = parse_qs(environ["QUERY_STRING"])["dates"][0]
        days = ("10", "15", "20")
        games = (event(month + day, f"{month[:4]}-{month[4:]}-{day}T20:00Z") for day in days)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(board(*games)).encode()]


def _count(condition: ColumnElement[bool]) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(condition)) or 0

"""Of a consumer's worker processes the first does the work; spares help, and are then replaced."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from werkzeug.wrappers import Response

from sportsapp.database import db
from sportsapp.models import Consumer, RunState
from sportsapp.queue import READY_SECONDS, SPARE_IDLE_SECONDS, TrackerConsumer, backfill_huey
from sportsapp.tasks import sync_date_range_task
from tests.acceptance import harm
from tests.acceptance.conftest import RealConsumer, wait_for

SPARE_IS_REPLACED = SPARE_IDLE_SECONDS + 5


@pytest.fixture
def hold(feed) -> Iterator[threading.Event]:
    """The NBA answers once this is set; it is set at the start. The NHL never waits."""
    go_on = threading.Event()
    go_on.set()

    def answer(_request) -> Response:
        go_on.wait(60)
        return Response(json.dumps({"events": [], "leagues": []}))

    feed.say("nba", answer)
    yield go_on
    go_on.set()


@pytest.fixture
def consumer(real_app, start_consumer, hold) -> RealConsumer:
    """Two workers that wait for backfills."""
    consumer = start_consumer("backfill_huey")
    wait_for(lambda: len(workers()) == 2, 10)
    return consumer


def workers() -> set[int]:
    """The process ids of the workers that are alive, as the database has them."""
    db.session.rollback()
    return set(db.session.scalars(select(Consumer.pid).where(Consumer.role == "worker")))


def backfill(league: str, month: int) -> str:
    """Queue a month; the run's id."""
    run_id: str = sync_date_range_task(league, f"2026-{month:02}-01", f"2026-{month:02}-02").id
    return run_id


def worker_of(run_id: str) -> int:
    """The process that has done a run."""
    run = harm.ended(run_id)
    assert run.state == RunState.SUCCESS
    assert run.pid is not None
    return run.pid


def test_one_run_after_the_other_is_done_by_one_worker(consumer):
    assert len({worker_of(backfill("NHL", month)) for month in range(1, 9)}) == 1


def test_spare_works_while_the_first_does_and_is_then_replaced(consumer, hold):
    first = worker_of(backfill("NHL", 1))
    hold.clear()
    long = backfill("NBA", 1)
    wait_for(lambda: harm.has_begun(long), 5)
    began = time.monotonic()
    spares = [worker_of(backfill("NHL", month)) for month in range(2, 6)]
    assert time.monotonic() - began < READY_SECONDS, "a spare does not wait to be needed"
    assert set(spares) == workers() - {first}
    assert harm.has_begun(long)
    hold.set()
    assert worker_of(long) == first
    wait_for(lambda: len(workers()) == 2 and spares[0] not in workers(), SPARE_IS_REPLACED)
    assert first in workers()
    assert "died" not in consumer.log.read_text()
    assert worker_of(backfill("NHL", 7)) == first


def test_spare_that_has_done_nothing_stays(consumer):
    before = workers()
    worker_of(backfill("NHL", 1))
    time.sleep(SPARE_IS_REPLACED)
    assert workers() == before


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSTOP], ids=["kill", "stop"])
def test_work_goes_on_without_the_first(consumer, signal_number):
    first = worker_of(backfill("NHL", 1))
    os.kill(first, signal_number)
    runs = [backfill("NHL", month) for month in range(2, 5)]
    # the broker may have handed one of them to whoever is stopped: recovery puts that back
    wait_for(lambda: sum(harm.run_of(one).state == RunState.SUCCESS for one in runs) >= 2,
             READY_SECONDS + 5)  # fmt: skip
    assert first not in {worker_of(one) for one in runs if harm.run_of(one).state == "SUCCESS"}


def consumer_of(workers: int, worker_type: str) -> TrackerConsumer:
    """A consumer that is not started."""
    return backfill_huey.create_consumer(workers=workers, worker_type=worker_type)


def test_first_of_several_processes_is_no_spare():
    workers = [worker for worker, _ in consumer_of(3, "process").worker_threads]
    assert [worker.is_spare for worker in workers] == [False, True, True]
    assert len({id(worker.first) for worker in workers}) == 1


def test_threads_share_their_memory_anyway():
    workers = [worker for worker, _ in consumer_of(3, "thread").worker_threads]
    assert [(worker.is_spare, worker.first) for worker in workers] == [(False, None)] * 3


@pytest.mark.parametrize("exit_code", [0, 1, -9])
@pytest.mark.parametrize(("ended", "is_spare"), [(0, False), (1, True)])
def test_whoever_replaces_a_worker_takes_its_part(ended, is_spare, exit_code):
    consumer = consumer_of(2, "process")
    worker, process = consumer.worker_threads[ended]
    process = SimpleNamespace(name=process.name, exitcode=exit_code)
    consumer.worker_threads[ended] = (worker, process)
    assert consumer._create_worker().is_spare is is_spare

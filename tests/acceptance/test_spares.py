"""Of a consumer's worker processes the first does the work; spares help, and are then replaced."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from werkzeug.wrappers import Response

from sportsapp.db.engine import db
from sportsapp.db.models import ConsumerProcess, RunState
from sportsapp.queue.huey import (
    FIRST_IS_GONE_SECONDS,
    SPARE_IDLE_SECONDS,
    SPARE_LOOK_SECONDS,
    TrackerConsumer,
    backfill_huey,
)
from sportsapp.tasks import sync_date_range_task
from tests.acceptance import harm
from tests.acceptance.conftest import OPTIONS, RealConsumer, wait_for


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
def more_options() -> str:
    """Options of the consumer besides those of the documents."""
    return ""


@pytest.fixture
def consumer(more_options, real_app, start_consumer, hold) -> RealConsumer:
    """Two workers that wait for backfills, with the options of the documents."""
    consumer = start_consumer("backfill_huey", options=OPTIONS + more_options)
    wait_for(lambda: len(workers()) == 2, 10)
    return consumer


def workers() -> set[int]:
    """The process ids of the workers that are alive, as the database has them."""
    db.session.rollback()
    return set(
        db.session.scalars(select(ConsumerProcess.pid).where(ConsumerProcess.role == "worker"))
    )


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


def test_what_comes_while_nothing_is_at_work_is_done_by_one_worker(consumer):
    done_by = set()
    for month in range(1, 5):
        done_by.add(worker_of(backfill("NHL", month)))
        time.sleep(1.5)  # a spare that has helped waits for a second
    assert len(done_by) == 1


@pytest.mark.parametrize("more_options", ["", " -C"], ids=["", "no health check"])
def test_spare_works_while_the_first_does_and_is_then_replaced(consumer, hold):
    first = worker_of(backfill("NHL", 1))
    hold.clear()
    long = backfill("NBA", 1)
    wait_for(lambda: harm.has_begun(long), 5)
    began = time.monotonic()
    spares = [worker_of(backfill("NHL", month)) for month in range(2, 6)]
    assert time.monotonic() - began < FIRST_IS_GONE_SECONDS, "a spare does not wait to be needed"
    assert set(spares) == workers() - {first}
    assert harm.has_begun(long)
    hold.set()
    assert worker_of(long) == first
    wait_for(lambda: len(workers()) == 2 and spares[0] not in workers(), SPARE_IDLE_SECONDS + 2)
    assert first in workers()
    assert "died" not in consumer.log.read_text()
    assert worker_of(backfill("NHL", 7)) == first


def test_queue_of_short_runs_is_shared(consumer, feed):
    def answer(_request) -> Response:
        time.sleep(SPARE_LOOK_SECONDS / 2)
        return Response(json.dumps({"events": [], "leagues": []}))

    feed.say("nhl", answer)
    runs = [backfill("NHL", month) for month in range(1, 13)]
    assert len({worker_of(one) for one in runs}) == 2


def test_spare_that_has_done_nothing_stays(consumer):
    before = workers()
    worker_of(backfill("NHL", 1))
    time.sleep(SPARE_IDLE_SECONDS + 2)
    assert workers() == before


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSTOP], ids=["kill", "stop"])
def test_work_goes_on_without_the_first(consumer, signal_number):
    first = worker_of(backfill("NHL", 1))
    os.kill(first, signal_number)
    runs = [backfill("NHL", month) for month in range(2, 5)]
    # the broker may have handed one of them to whoever is stopped: recovery puts that back
    wait_for(lambda: sum(harm.run_of(one).state == RunState.SUCCESS for one in runs) >= 2,
             FIRST_IS_GONE_SECONDS + 5)  # fmt: skip
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


@pytest.fixture
def fake_consumer(monkeypatch) -> TrackerConsumer:
    """Three workers and a scheduler that run without processes.

    ``started`` has the names of those that were started, ``errors`` what starting raises.
    """
    consumer = consumer_of(3, "process")
    consumer.started, consumer.errors = [], []

    def start_it(name: str) -> None:
        if consumer.errors:
            raise consumer.errors.pop()
        consumer.started.append(name)

    def create(_worker: object, name: str) -> SimpleNamespace:
        start = partial(start_it, name)
        return SimpleNamespace(name=name, exitcode=None, is_alive=lambda: True, start=start)

    monkeypatch.setattr(consumer, "_create_process", create)
    monkeypatch.setattr(consumer, "scheduler", create(None, "Scheduler"))
    workers = [(worker, create(worker, real.name)) for worker, real in consumer.worker_threads]
    monkeypatch.setattr(consumer, "worker_threads", workers)
    return consumer


@pytest.mark.parametrize("exit_code", [0, 1, -9])
@pytest.mark.parametrize("ended", [[0], [1], [2], [0, 1], [0, 1, 2]], ids=str)
def test_whoever_replaces_a_worker_takes_its_part(fake_consumer, caplog, ended, exit_code):
    for n in ended:
        fake_consumer.worker_threads[n][1].exitcode = exit_code
    is_well = fake_consumer.check_worker_health()
    assert [worker.is_spare for worker, _ in fake_consumer.worker_threads].count(False) == 1
    assert fake_consumer.started == [f"Worker-{n + 1}" for n in ended]
    assert is_well is (exit_code == 0)
    assert ("died" in caplog.text) is (exit_code != 0)


@pytest.mark.parametrize(
    ("n", "exit_code", "age", "is_replaced"),
    [(1, 0, 5, True), (1, 0, 0, False), (1, -9, 5, False), (0, 0, 5, False)],
    ids=["has worked", "ends at once", "was killed", "is the first"],
)
def test_spare_that_has_worked_is_replaced_at_once(fake_consumer, n, exit_code, age, is_replaced):
    """What ends otherwise waits for Huey's health check, so that errors start no storm of forks."""
    worker, process = fake_consumer.worker_threads[n]
    worker.made_at -= age
    process.exitcode = exit_code
    fake_consumer.loop()
    assert fake_consumer.started == ([process.name] if is_replaced else [])


def test_spare_that_cannot_be_started_is_tried_again(fake_consumer, caplog):
    worker, process = fake_consumer.worker_threads[1]
    worker.made_at -= 5
    process.exitcode = 0
    fake_consumer.errors = [OSError("too many processes")]
    fake_consumer.loop()
    assert "Worker-2 cannot be started: too many processes" in caplog.text
    fake_consumer.loop()
    assert fake_consumer.started == [], "not ten times a second"
    worker.made_at -= 5
    fake_consumer.loop()
    assert fake_consumer.started == ["Worker-2"]


def test_worker_that_died_and_cannot_be_started_is_tried_again(fake_consumer, caplog):
    died = fake_consumer.worker_threads[0][1]
    died.exitcode, died.is_alive = -9, lambda: False
    fake_consumer.errors = [OSError("too many processes"), OSError("no memory")]
    assert not fake_consumer.check_worker_health()
    assert "a process cannot be started: too many processes" in caplog.text
    assert fake_consumer.started == []
    fake_consumer.check_worker_health()
    assert fake_consumer.started == ["Worker-1"], "once, by us and not by Huey as well"
    assert [worker.is_spare for worker, _ in fake_consumer.worker_threads] == [False, True, True]

"""The database is locked, full or read-only: nothing half-stored, and well again by itself."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import date
from pathlib import Path

import pytest
import redis
from sqlalchemy import event as events
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import BrokerUnavailableError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.db.models import Game, RunState
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from sportsapp.tasks import sync_all_live_games, sync_date_range_task
from tests.acceptance import harm
from tests.acceptance.conftest import wait_for
from tests.acceptance.harm import HURRY, IMPATIENT, all_well, ended, has_begun, run_of
from tests.databases import read_only_server
from tests.integration.events import board, event

pytestmark = pytest.mark.long

DAY = date(2026, 1, 15)


def run_mount(*words: str) -> bool:
    """Whether this (u)mount worked; it does not without root."""
    return subprocess.run(words, capture_output=True).returncode == 0


@contextmanager
def read_only(settings: Settings) -> Iterator[str]:
    """Nobody can write to the database; what it says to whoever tries."""
    if settings.database_url:
        with read_only_server(settings.database_url):
            yield "in a read-only transaction"
    else:
        with read_only_file(settings.instance_path / "tracker.db"):
            yield "attempt to write a readonly database"


@contextmanager
def read_only_file(path: Path) -> Iterator[None]:
    """Nobody can open this file to write, not even root."""
    if not run_mount("mount", "--bind", str(path), str(path)):
        pytest.skip("making a file read-only for root needs a mount, and that needs root")
    try:
        assert run_mount("mount", "-o", "remount,ro,bind", str(path))
        yield
    finally:
        assert run_mount("umount", "--lazy", str(path))


@pytest.fixture
def small_disk(real_settings: Settings) -> Iterator[Path]:
    """The instance folder, on a disk of sixteen megabytes."""
    folder = real_settings.instance_path
    database = (folder / "tracker.db").read_bytes()
    if not run_mount("mount", "-t", "tmpfs", "-o", "size=16m,mode=700", "none", str(folder)):
        pytest.skip("a small disk is a mount, and that needs root")
    (folder / "tracker.db").write_bytes(database)
    yield folder
    assert run_mount("umount", "--lazy", str(folder))


def scores() -> set[tuple[int, int]]:
    """The scores of all games of the day: one of them, as long as nothing is half-stored."""
    db.session.rollback()
    found = select(Game.home_score, Game.away_score).where(Game.day == DAY)
    return {tuple(row) for row in db.session.execute(found)}


def say_scores(feed, home: int, before: Callable[[], object] = lambda: None) -> None:
    """The NBA has forty games on the day, all with this score."""
    listed = [event(f"{number}", home=home) for number in range(700, 740)]

    def answer(_request) -> Response:
        before()
        return Response(json.dumps(board(*listed)), mimetype="application/json")

    feed.say("nba", answer, dates=f"{DAY:%Y%m%d}")


def backfill() -> str:
    """Queue the day; the run's id."""
    return sync_date_range_task("NBA", f"{DAY}", f"{DAY}").id


@pytest.mark.only_sqlite("PostgreSQL has no lock that all writers need")
def test_locked_database_is_an_error_in_the_log_and_the_run_ends_well_when_it_is_free(
    real_app, real_settings, start_consumer, feed
):
    say_scores(feed, 20)
    harm.serve_live(feed)
    start_consumer(door=HURRY, live_sync_seconds=10)
    consumer = start_consumer("backfill_huey", door=IMPATIENT)
    assert ended(backfill()).state == RunState.SUCCESS
    assert scores() == {(20, 17)}
    release = threading.Event()
    say_scores(feed, 30, lambda: release.wait(9))
    with harm.web_on(real_settings) as web:
        wait_for(lambda: web.status("/nfl/games/900") == 200)
        run_id = backfill()
        wait_for(lambda: has_begun(run_id) and feed.asked().count(f"nba {DAY:%Y%m%d}") == 2)
        path = real_settings.instance_path / "tracker.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            release.set()
            wait_for(
                lambda: f"run {run_id}: the database did not take" in consumer.log.read_text(), 30
            )
            assert "database is locked" in consumer.log.read_text()
            assert web.answers() == all_well()
            assert scores() == {(20, 17)}
            done = harm.flask(real_settings, "sync", "day", "NBA", f"{DAY}", "--queue")
            assert (done.returncode, "database is locked" in done.stderr) == (1, True)
            assert len(done.stderr.splitlines()) == 1
            writer.execute("ROLLBACK")
    run = ended(run_id, 40)
    assert (run.state, run.result["synced"]) == (RunState.SUCCESS, 40)
    assert scores() == {(30, 17)}
    wait_for(lambda: "the database takes writes again after" in consumer.log.read_text())
    said = consumer.log.read_text().splitlines()
    away = [line for line in said if " failed: database is locked" in line]
    assert len(away) <= 6  # one for each process of both consumers, which log to one file


def fill(disk: Path) -> Path:
    """Leave no byte free; the file that takes them."""
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    return filler


@pytest.mark.only_sqlite("it is the disk of its file that is full")
def test_full_disk_stores_no_half_month_and_the_backfill_goes_on_when_there_is_room(
    small_disk, real_app, real_settings, start_consumer, feed
):
    firsts = list(harm.months(date(2015, 1, 1), 60))
    harm.serve_months(feed, 0.05)
    harm.serve_live(feed)
    start_consumer(door=HURRY, live_sync_seconds=10)
    consumer = start_consumer("backfill_huey", door=IMPATIENT)
    assert ended(backfill()).state == RunState.SUCCESS
    with harm.web_on(real_settings) as web:
        wait_for(lambda: web.status("/nfl/games/900") == 200)
        run_id = sync_date_range_task("NBA", "2015-01-01", "2019-12-31").id
        wait_for(lambda: run_of(run_id).progress_done > 5)
        filler = fill(small_disk)
        wait_for(lambda: "database or disk is full" in consumer.log.read_text(), 60)
        assert run_of(run_id).progress_done < len(firsts)
        by_month = Counter(game[:6] for game in harm.games())
        del by_month["900"], by_month["202601"]
        assert set(by_month.values()) == {3}
        assert web.answers() == all_well()
        filler.unlink()
    run = ended(run_id, 60)
    assert (run.state, run.error) == (RunState.SUCCESS, "")
    assert run.result == {"synced": 3 * len(firsts), "errors": []}
    assert set(harm.ids_of(firsts)) <= set(harm.games())


def test_read_only_database_is_read_and_written_again_as_soon_as_it_can_be(
    real_app, real_settings, start_consumer, feed
):
    say_scores(feed, 20)
    harm.serve_live(feed)
    live, past = start_consumer(live_sync_seconds=10), start_consumer("backfill_huey")
    for run_id in (sync_all_live_games().id, backfill()):
        assert ended(run_id).state == RunState.SUCCESS
    live.stop()
    past.stop()
    say_scores(feed, 30)
    run_id = backfill()
    with read_only(real_settings) as said, harm.web_on(real_settings) as web:
        consumer = start_consumer("backfill_huey", door=HURRY)
        wait_for(lambda: f"run {run_id}: the database did not take" in consumer.log.read_text(), 30)
        assert said in consumer.log.read_text()
        done = harm.flask(real_settings, "sync", "day", "NFL", f"{DAY}", "--queue")
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert said in done.stderr
        assert web.answers() == all_well()
        assert scores() == {(20, 17)}
    run = ended(run_id, 30)
    assert (run.state, run.result["synced"]) == (RunState.SUCCESS, 40)
    assert scores() == {(30, 17)}


@pytest.mark.only_sqlite("it counts its pages")
def test_answer_that_does_not_fit_is_not_stored_in_part(app, feed):
    """The same without a mount: SQLite counts the pages, as a quota would."""

    def limit(pages: int) -> None:
        db.session.remove()
        db.engine.dispose()
        events.listen(
            db.engine, "connect", lambda one, _: one.execute(f"PRAGMA max_page_count={pages}")
        )

    sync = SyncContext(services_of(app).feed_client, db.session, utc_now())
    say_scores(feed, 20)
    limit(1)  # as many as there are: not one more
    with pytest.raises(OperationalError, match="database or disk is full"):
        sync_day(sync, BY_SLUG["nba"], DAY)
    assert scores() == set()
    assert {
        app.test_client().get(path).status_code for path in ("/", "/nba", "/api/v1/leagues")
    } == {200}
    limit(100_000)
    assert sync_day(sync, BY_SLUG["nba"], DAY).synced == 40
    assert scores() == {(20, 17)}


def test_broker_whose_memory_is_full_says_so_and_what_was_asked_never_runs(real_app, broker):
    with redis.Redis.from_url(broker.settings.broker) as connection:
        connection.config_set("maxmemory", 1)
    with pytest.raises(BrokerUnavailableError, match="used memory > 'maxmemory'"):
        backfill()
    (run,) = harm.runs()
    assert run.state == RunState.FAILURE

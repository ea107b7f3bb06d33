"""The same on a real PostgreSQL: migrations both ways, a sync, the ledger."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import event as events
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import FeedRefusedError, SettingsError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.settings import Settings
from sportsapp.db import migrate as migrations
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import AdminUser, Alert, Game, RunState, TaskRun
from sportsapp.factory import create_app
from sportsapp.monitoring.problems import Kind
from sportsapp.queue.huey import huey
from sportsapp.runs.rows import find_run
from sportsapp.services import services_of
from sportsapp.sync import store
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from sportsapp.sync.watch import handle
from sportsapp.tasks import sync_all_live_games
from tests.databases import PostgresServer, end_every_session, read_only_server
from tests.integration.events import board, event


@pytest.fixture
def app(settings: Settings, postgres: PostgresServer) -> Iterator[Flask]:
    """The app on PostgreSQL with fresh tables."""
    with postgres.migrated_database() as url:
        app = create_app(replace(settings, database_url=url))
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()


def test_migrations_make_what_the_models_say_and_take_it_back(app):
    tables = set(inspect(db.engine).get_table_names())
    assert tables == {*db.metadata.tables, "alembic_version"}
    migrations.init_app(app)
    check()  # raises when a column or an index is not what its model says
    downgrade(revision="base")
    assert inspect(db.engine).get_table_names() == ["alembic_version"]
    upgrade()


def test_server_that_is_gone_without_a_word_is_noticed_soon(app):
    connection = db.engine.raw_connection()
    asked = connection.dbapi_connection.info.get_parameters()
    connection.close()
    assert {"tcp_user_timeout": "10000", "keepalives_idle": "5"}.items() <= asked.items()
    assert asked["connect_timeout"] == "5"


def test_requests_alone_have_limits(app):
    def limits() -> list[str]:
        db.session.remove()
        shown = ("lock_timeout", "statement_timeout")
        return [db.session.scalar(text(f"SHOW {name}")) for name in shown]

    db.engine.dispose()
    assert limits() == ["0", "0"]
    with app.test_request_context():  # on the connection that is open already
        assert limits() == ["2s", "4s"]


def test_page_after_a_restart_of_the_server_is_no_error(app):
    app.testing = False
    visitor = app.test_client()

    def status(path: str) -> int:
        with app.app_context():  # one of its own, as a server gives each request
            return visitor.get(path).status_code

    assert status("/") == 200
    end_every_session(services_of(app).settings.database_url)
    assert [status(path) for path in ("/", "/nfl", "/nba")] == [200] * 3


def test_server_that_takes_nothing_is_away_for_writers_alone_until_it_does(app):
    def add() -> None:
        with write_connection() as connection:
            account = {"username": "maria", "password_hash": "x", "created_at": utc_now()}
            connection.execute(AdminUser.__table__.insert(), account)

    with read_only_server(services_of(app).settings.database_url):
        with pytest.raises(OperationalError, match="in a read-only transaction"):
            add()
        assert app.test_client().get("/").status_code == 200
    add()


def test_connection_that_was_made_to_a_server_that_takes_nothing_is_not_used_again(app):
    with write_connection() as connection:
        connection.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
    with pytest.raises(OperationalError), write_connection() as connection:
        connection.execute(AdminUser.__table__.delete())
    with write_connection() as connection:
        connection.execute(AdminUser.__table__.delete())


def test_account_without_the_rights_it_needs_is_told_so_at_the_start(app):
    def become_somebody_else(connection, _record) -> None:
        connection.execute("SET ROLE pg_monitor")
        connection.commit()

    db.engine.dispose()
    events.listen(db.engine, "connect", become_somebody_else)
    with pytest.raises(SettingsError, match=r"DATABASE_URL: .* \(permission denied"):
        migrations.migrate_database()


def test_what_was_to_be_written_is_in_no_error(app):
    account = {"username": "maria", "password_hash": "scrypt:hush", "created_at": utc_now()}
    insert = AdminUser.__table__.insert()
    with write_connection() as connection:
        connection.execute(insert, account)
        with pytest.raises(IntegrityError) as caught:
            connection.execute(insert, account)
        connection.rollback()
    assert "hush" not in str(caught.value)


def test_second_sync_writes_nothing(app, feed):
    feed.say("nfl", board(event(state="in"), event("402")))
    sync = SyncContext(services_of(app).feed_client, db.session, utc_now())
    day = event()["date"][:10]
    for _ in range(2):
        result = sync_day(sync, BY_SLUG["nfl"], utc_now().date().fromisoformat(day))
        assert result.synced == 2
        db.session.commit()
    versions = db.session.execute(text("SELECT xmin FROM games")).scalars().all()
    assert len(set(versions)) == 1
    game = db.session.scalar(select(Game).where(Game.espn_id == "401"))
    assert (game.home_score, game.home_linescores) == (20, [17, 3])
    assert game.start_at.isoformat() == "2026-01-15T20:00:00+00:00"


def test_task_runs_are_recorded(app, immediate):
    run = find_run(sync_all_live_games().id)
    assert (run.state, run.result) == (RunState.SUCCESS, {"synced": 0, "errors": []})


def test_slot_is_claimed_once(app):
    periodic = huey.periodic_tasks["sync_all_live_games"]
    slot = utc_now().replace(second=0, microsecond=0)
    claims = [huey.tracker.claim(periodic, slot) for _ in range(3)]
    assert [claim is None for claim in claims] == [False, True, True]
    assert len(db.session.scalars(select(TaskRun)).all()) == 1


def test_pages_and_api_answer(app, feed):
    test_second_sync_writes_nothing(app, feed)
    browser = app.test_client()
    assert "9:03 - 3rd" in browser.get("/nfl/2026-01-15").text
    assert browser.get("/api/v1/games/nfl/401").json["home"]["score"] == 20


def test_alerts_and_pauses_are_kept_there_too(app):
    alerts, watch = services_of(app).alerts, services_of(app).feed_watch
    nba, now = BY_SLUG["nba"], utc_now()
    for _ in range(3):
        alerts.report_problem("sync_all_live_games", Kind.FAILURE, "it failed")
    alerts.check_if_due()
    alerts.check(now)
    row = db.session.scalars(select(Alert).where(Alert.kind == "failure")).one()
    assert (row.notified, row.suppressed_count) == (True, 2)
    alerts.report_recovery("sync_all_live_games", Kind.FAILURE, "it goes")
    db.session.rollback()
    row = db.session.scalars(select(Alert).where(Alert.kind == "failure")).one()
    assert row.active_since is None
    context = SyncContext(services_of(app).feed_client, db.session, now)
    store.league_refs(context, [nba])
    handle(FeedRefusedError("no", status=403), watch, nba, now)
    watch.failed([nba] * 5, now)
    later = now + timedelta(minutes=16)
    assert list(watch.paused([nba], now, live=True)) == [nba]
    assert watch.paused([nba], later, live=True) == {}
    watch.succeeded([nba])
    assert watch.paused([nba], now, live=True) == {}


def test_reader_of_score_events_misses_none_that_is_committed_late(app, feed, monkeypatch):
    """The NFL's events get their ids first, and its transaction ends after the NBA's has tried."""
    day = utc_now().date().fromisoformat("2026-01-15")
    kickoff = datetime(2026, 1, 15, 20, 5, tzinfo=UTC)
    written, may_commit = threading.Event(), threading.Event()
    write_events = store.write_events

    def hold_the_nfl(session, league_id, *rest) -> None:
        write_events(session, league_id, *rest)
        if threading.current_thread().name == "nfl":
            written.set()
            assert may_commit.wait(30)

    def sync(slug: str) -> None:
        with app.app_context():
            context = SyncContext(services_of(app).feed_client, db.session, kickoff)
            sync_day(context, BY_SLUG[slug], day)

    monkeypatch.setattr(store, "write_events", hold_the_nfl)
    for slug in ("nfl", "nba"):
        feed.say(slug, board(event(state="in")))
    syncs = {slug: threading.Thread(target=sync, args=[slug], name=slug) for slug in ("nfl", "nba")}
    syncs["nfl"].start()
    assert written.wait(30)
    syncs["nba"].start()
    syncs["nba"].join(0.5)
    browser, leagues, after = app.test_client(), [], 0
    for _ in range(2):
        with app.app_context():
            answer = browser.get(f"/api/v1/events?after={after}").json
        leagues += [found["league"] for found in answer["events"]]
        after = answer["next"]
        may_commit.set()
        for thread in syncs.values():
            thread.join(30)
    assert leagues == ["nfl", "nba"]

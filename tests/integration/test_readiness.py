"""/healthz for restarts, /readyz for monitoring: what is wrong is named, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis.exceptions import NoPermissionError

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import BrokerUnavailableError
from sportsapp.db.engine import db, write_connection
from sportsapp.queue.huey import huey, notify_huey
from tests.panel import add_league, make_well

UNREADY = ["disk", "database", "damage", "broker", "consumers", "data"]
QUEUES = ("sportsapp", "sportsapp-backfill")


@pytest.fixture
def well(offline):
    """An instance that lacks nothing."""
    make_well()


def said(visitor) -> tuple[int, str, dict[str, str]]:
    answer = visitor.get("/readyz")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json["status"], answer.json["checks"]


def faults(visitor) -> dict[str, str]:
    status, word, checks = said(visitor)
    assert (status, word) == (503, "failing")
    assert list(checks) == UNREADY
    return {name: text for name, text in checks.items() if text != "ok"}


def test_all_is_well(visitor, well):
    everything = dict.fromkeys(UNREADY, "ok")
    assert said(visitor) == (200, "ok", everything)


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("role", ["worker", "scheduler"])
def test_missing_process_of_a_consumer_is_named(visitor, well, queue, role):
    with write_connection() as connection:
        which = f"queue = '{queue}' AND role = '{role}'"
        connection.exec_driver_sql(f"DELETE FROM consumers WHERE {which}")  # noqa: S608
    assert faults(visitor) == {"consumers": f"no {role} of {queue}"}


def test_consumer_that_may_be_left_out_is_a_warning_while_it_is_needed(visitor, well, monkeypatch):
    monkeypatch.setattr(notify_huey, "is_needed", lambda _session: True)
    answer = visitor.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ok")
    missing = "no worker of sportsapp-notify, no scheduler of sportsapp-notify"
    assert answer.json["warnings"] == {"consumers": missing}


def test_broker_that_is_away_is_named_without_its_address(visitor, well, monkeypatch):
    def away(*_: object, **__: object) -> None:
        raise BrokerUnavailableError("the broker cannot be reached: redis://me:secret@host")

    monkeypatch.setattr(huey.reader, "put_data", away)
    assert faults(visitor) == {"broker": "cannot be reached, or refuses commands"}


def test_broker_that_says_nothing_of_itself_is_well(visitor, well, monkeypatch):
    def refuse() -> None:
        raise NoPermissionError("this user has no permissions to run the 'info' command")

    monkeypatch.setattr(huey.reader.conn, "info", refuse)
    assert said(visitor)[:2] == (200, "ok")


def test_database_without_tables_is_named_and_what_depends_on_it(visitor, well):
    with write_connection() as connection:
        connection.exec_driver_sql("ALTER TABLE schedules RENAME TO elsewhere")
    unknown = "unknown without the database"
    assert faults(visitor) == {
        "database": "cannot be used or is not migrated", "damage": unknown,
        "consumers": unknown, "data": unknown,
    }  # fmt: skip
    assert visitor.get("/healthz").status_code == 200


def test_league_that_was_never_polled_or_long_ago_is_named(visitor, well):
    with write_connection() as connection:
        connection.exec_driver_sql("UPDATE leagues SET polled_at = NULL WHERE slug = 'nhl'")
        connection.exec_driver_sql("DELETE FROM leagues WHERE slug = 'mlb'")
    db.session.rollback()
    add_league("mlb", polled_at=utc_now() - timedelta(minutes=140))
    assert faults(visitor) == {"data": "MLB was polled 140 minutes ago, NHL was never polled"}


def test_poll_that_was_missed_once_is_no_fault(visitor, offline, well):
    with write_connection() as connection:
        connection.exec_driver_sql("DELETE FROM leagues WHERE slug = 'mlb'")
    add_league("mlb", polled_at=utc_now() - timedelta(minutes=130))
    assert said(visitor)[0] == 200

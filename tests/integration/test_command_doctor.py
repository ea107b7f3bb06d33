"""``flask doctor``: each broken set-up is named, with what to do about it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from socket import gethostname
from types import SimpleNamespace

import pytest
from sqlalchemy import text, update

from sportsapp.core.clock import iso_utc, utc_now
from sportsapp.db.engine import db, write_connection, writing
from sportsapp.db.models import ConsumerProcess, LeagueRow, ScheduleRow
from sportsapp.feed.hosts import FeedHosts
from sportsapp.monitoring.checks import host
from sportsapp.monitoring.checks.feed import check_leagues
from sportsapp.queue.huey import backfill_huey, huey
from sportsapp.services import services
from sportsapp.tasks import actions
from tests.loopback import QuietHandler
from tests.panel import add_consumer, add_failure, add_league

ORDER = [
    "settings", "disk", "database", "damage", "broker", "policy", "consumers", "consumers",
    "scheduler", "paused", "queues", "feed", "leagues", "clock", "data", "fields", "audit",
    "runs", "letters", "notify",
]  # fmt: skip


@pytest.fixture
def healthy(app, offline, feed):
    """An instance in which all is well: queues in memory, consumers that beat, fresh slots."""
    for queue in (huey, backfill_huey):
        for role in ("worker", "scheduler"):
            queue.tracker.beat(queue.name, role)
    for slug in ("nfl", "nba", "mlb", "nhl"):
        add_league(slug)
    for name, periodic in huey.periodic_tasks.items():
        huey.tracker.since(name)
        slot = periodic.schedule.newest_slot(utc_now() - timedelta(days=8), utc_now())
        huey.tracker.claim(periodic, slot)
    db.session.rollback()


@pytest.fixture
def findings(runner):
    """The doctor's findings by name; a name that comes twice keeps the worse one."""

    def ask() -> dict[str, dict]:
        db.session.rollback()
        done = runner.invoke(args=["doctor", "--json"])
        document = json.loads(done.stdout)
        wrong = [one for one in document["checks"] if one["state"] == "WRONG"]
        assert document["ok"] is (not wrong)
        assert done.exit_code == (1 if wrong else 0)
        assert all(one["do"] for one in wrong)
        best_last = sorted(document["checks"], key=lambda one: one["state"] != "WRONG")
        return {one["name"]: one for one in reversed(best_last)}

    return ask


def wrong(found: dict[str, dict]) -> set[str]:
    return {name for name, one in found.items() if one["state"] == "WRONG"}


def test_all_is_well_and_in_order(healthy, runner, feed):
    done = runner.invoke(args=["doctor"])
    lines = done.output.splitlines()
    assert (done.exit_code, [line.split()[1] for line in lines]) == (0, ORDER)
    assert {line.split()[0] for line in lines} == {"ok"}
    assert len(feed.asked()) == 4


def test_each_wrong_line_says_what_is_and_what_to_do(app, runner):
    done = runner.invoke(args=["doctor"])
    assert done.exit_code == 1
    for line in done.output.splitlines():
        assert line.startswith(("ok ", "unknown ")) or " -> " in line


def test_broker_that_is_down_is_named(healthy, findings, monkeypatch):
    monkeypatch.undo()
    found = findings()
    assert wrong(found) == {"broker"}
    assert "127.0.0.1:1" in found["broker"]["says"]
    assert "REDIS_URL" in found["broker"]["do"]


def test_database_without_tables_is_named(healthy, findings):
    with write_connection() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    found = findings()
    assert wrong(found) == {"database"}
    assert "not migrated" in found["database"]["says"]
    assert "flask db upgrade" in found["database"]["do"]
    assert found["consumers"]["state"] == found["scheduler"]["state"] == "unknown"


@pytest.mark.parametrize(
    ("revision", "words"), [("0001", "it is at 0001"), ("9999", "does not know")]
)
def test_database_of_another_version_is_named(healthy, findings, revision, words):
    with write_connection() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    assert words in findings()["database"]["says"]


@pytest.mark.only_sqlite("its file is damaged")
def test_database_that_is_no_database_is_named(app, findings, settings):
    db.session.remove()
    db.engine.dispose()
    (settings.instance_path / "tracker.db").write_bytes(b"x" * 4096)
    found = findings()
    assert "database" in wrong(found)
    assert "not a database" in found["database"]["says"]


def test_missing_consumer_is_named_with_its_queue(healthy, findings):
    backfill_huey.tracker.leave("sportsapp-backfill", "worker")
    found = findings()
    assert wrong(found) == {"consumers"}
    assert "no worker of sportsapp-backfill" in found["consumers"]["says"]
    assert "huey_config.backfill_huey" in found["consumers"]["do"]


@pytest.mark.parametrize(("ago", "words"), [({"minutes": 17}, "17 min"), ({"hours": 23}, "23 h")])
def test_consumer_that_is_gone_is_named_with_its_host_and_the_time(healthy, findings, ago, words):
    silent = utc_now() - timedelta(**ago)
    with write_connection() as connection:
        of_queue = update(ConsumerProcess).where(ConsumerProcess.queue == "sportsapp")
        connection.execute(of_queue.values(started_at=silent, beat_at=silent))
    backfill_huey.tracker.recover(backfill_huey)  # what the other consumer does meanwhile
    found = findings()
    assert wrong(found) == {"consumers"}
    seen = f"; the last one was seen on {gethostname()} at {iso_utc(silent)}, {words} ago"
    assert found["consumers"]["says"].endswith(seen)


def test_one_of_two_consumers_that_is_gone_is_a_note_until_it_is_replaced(
    healthy, findings, client
):
    silent = utc_now() - timedelta(minutes=17)
    with write_connection() as connection:
        earlier = {"started_at": silent - timedelta(hours=1)}
        connection.execute(update(ConsumerProcess).values(earlier))
    for pid, role in ((51, "worker"), (52, "scheduler")):
        add_consumer("sportsapp", role, host="box-2", pid=pid, beat_at=silent, **earlier)
    huey.tracker.recover(huey)
    found = findings()
    seen = f"it was last seen on box-2 at {iso_utc(silent)}, 17 min ago"
    assert found["consumers"]["state"] == "WARN"
    assert found["consumers"]["says"] == f"a consumer of sportsapp is gone: {seen}"
    assert client.get("/readyz").json["warnings"]["consumers"] == "a consumer is missing"
    for role in ("worker", "scheduler"):
        add_consumer("sportsapp", role, host="box-3", pid=61)
    assert findings()["consumers"]["state"] == "ok"


def test_consumer_without_workers_does_not_count(healthy, findings):
    huey.tracker.leave("sportsapp", "worker")
    huey.tracker.beat("sportsapp", "scheduler")
    assert wrong(findings()) == {"consumers"}


def test_stale_schedule_is_named_with_its_task(healthy, findings):
    hour = utc_now() - timedelta(hours=1)
    with write_connection() as connection:
        connection.exec_driver_sql("DELETE FROM task_runs WHERE task = 'sync_all_live_games'")
        connection.execute(
            update(ScheduleRow)
            .where(ScheduleRow.task == "sync_all_live_games")
            .values(since_at=hour)
        )
    found = findings()
    assert wrong(found) == {"scheduler"}
    assert "sync_all_live_games is overdue" in found["scheduler"]["says"]


def test_scheduler_that_never_ticked_is_named(healthy, findings):
    with write_connection() as connection:
        connection.exec_driver_sql("DELETE FROM schedules")
    assert "never ticked" in findings()["scheduler"]["says"]


def test_outstanding_failure_is_a_note_until_it_is_dismissed(healthy, findings):
    run_id = add_failure(task="sync_all_teams")
    found = findings()
    assert (found["runs"]["state"], wrong(found)) == ("WARN", set())
    assert found["runs"]["says"] == "sync_all_teams has 1 outstanding failure"
    actions.dismiss(run_id, "mended", "maria")
    assert findings()["runs"]["state"] == "ok"


def test_paused_task_is_a_note(healthy, findings):
    actions.set_paused("sync_all_teams", True, "maria")
    found = findings()
    assert (found["paused"]["state"], wrong(found)) == ("WARN", set())
    at = iso_utc(db.session.get_one(ScheduleRow, "sync_all_teams").paused_at)
    since = f"has been paused since {at} by maria"
    assert found["paused"]["says"] == f"sync_all_teams {since}: it does not start on schedule"
    with writing(db.session):  # paused before we kept that
        db.session.execute(update(ScheduleRow).values(paused_at=None, paused_by=""))
    assert "sync_all_teams is paused: it does not" in findings()["paused"]["says"]


@pytest.mark.parametrize(
    ("status", "says", "do"),
    [
        (403, "refuses us for the MLB: 403", "ESPN_CONTACT_URL"),
        (429, "limits us for the MLB: 429", "FEED_REQUESTS_PER_MINUTE"),
        (500, "does not answer for the MLB", "network"),
    ],
)
def test_feed_that_does_not_serve_us_is_named(healthy, findings, feed, status, says, do):
    feed.fail("mlb", status)
    found = findings()
    assert wrong(found) == set()
    assert f"{feed.url}, which is not ESPN's, {says}" in found["leagues"]["says"]
    assert do in found["leagues"]["do"]
    for slug in ("nfl", "nba", "nhl"):
        feed.fail(slug, status)
    found = findings()
    assert wrong(found) == {"feed"}
    assert says.replace("MLB", "NFL") in found["feed"]["says"]
    assert do in found["feed"]["do"]


@pytest.mark.parametrize(
    ("urls", "words"),
    [
        ("http://127.0.0.1:9", " at http://127.0.0.1:9, which is not ESPN's"),
        ("https://espn.com.example.org", " at https://espn.com.example.org, which is not ESPN's"),
        (
            "http://notespn.com,http://b.test",
            " at http://notespn.com and http://b.test, which are not ESPN's",
        ),
        ("https://site.api.espn.com,http://b.test", " at http://b.test, which is not ESPN's"),
        ("https://site.api.espn.com,https://site.web.api.espn.com", ""),
    ],
)
def test_address_that_is_not_espns_is_named_with_the_league(healthy, urls, words):
    look = services().look()
    look.feed_client = SimpleNamespace(hosts=FeedHosts(urls.split(",")))
    (finding,) = check_leagues.run(look)
    assert finding.text == f"every league can be read{words}"
    since = utc_now()
    with write_connection() as connection:
        failing = {"failing_since": since, "failure": "the feed answered 503"}
        connection.execute(update(LeagueRow).where(LeagueRow.slug == "nba").values(failing))
    db.session.rollback()
    (finding,) = check_leagues.run(look)
    assert finding.text == f"NBA is failing since {iso_utc(since)}{words}: the feed answered 503"


def test_feed_in_another_shape_is_named(healthy, findings, feed):
    feed.say("nfl", b"<html>Back soon</html>")
    assert "in a shape that we do not know" in findings()["leagues"]["says"]


def test_paused_polling_is_a_note(healthy, findings):
    until = utc_now() + timedelta(minutes=9)
    with write_connection() as connection:
        nba = update(LeagueRow).where(LeagueRow.slug == "nba")
        connection.execute(nba.values(paused_until=until))
    found = findings()["leagues"]
    assert found["state"] == "WARN"
    assert found["says"] == f"NBA is not polled until {until:%H:%M} UTC"


@pytest.mark.parametrize(("minutes", "words"), [(10, "10 min behind"), (-10, "10 min ahead of")])
def test_wrong_clock_is_named(healthy, findings, monkeypatch, minutes, words):
    def feeds_date(*_: object) -> str:
        ten_seconds_more = timedelta(minutes=minutes, seconds=10 if minutes > 0 else -10)
        return format_datetime(utc_now() + ten_seconds_more, usegmt=True)

    monkeypatch.setattr(QuietHandler, "date_time_string", feeds_date)
    found = findings()
    assert wrong(found) == {"clock"}
    assert words in found["clock"]["says"]


@pytest.mark.parametrize(
    ("free", "state", "words"),
    [
        (12_900_000, "WRONG", "12 MB of 2,000 MB free for "),
        (999_900_000, "WARN", "999 MB of 2,000 MB free for "),
        (1_460_000_000, "ok", "1.5 GB of 2.0 GB free for "),
    ],
)
def test_room_on_the_disk_is_named_with_how_much_there_is(
    healthy, findings, monkeypatch, free, state, words
):
    usage = shutil.disk_usage("/")._replace(free=free, total=2_000_000_000)
    monkeypatch.setattr(host.shutil, "disk_usage", lambda _: usage)
    found = findings()
    assert wrong(found) == ({"disk"} if state == "WRONG" else set())
    assert found["disk"]["state"] == state
    assert found["disk"]["says"].startswith(words)


def test_host_open_to_all_without_names_is_a_note(healthy, settings):
    look = replace(services().look(), settings=replace(settings, host="0.0.0.0"))
    (finding,) = host.check_settings.run(look)
    assert (finding.state, "TRUSTED_HOSTS" in finding.do) == ("WARN", True)

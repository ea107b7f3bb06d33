"""/metrics: the state of database and broker in Prometheus' format."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import RunState, ScheduleRow, TaskRun
from sportsapp.queue.huey import huey
from sportsapp.services import services_of
from sportsapp.tasks import sync_all_teams
from tests.integration.events import event
from tests.panel import add_consumer, add_failure, add_league, add_run
from tests.stored import feed_read_at

TICK = "sync_all_live_games"


def scrape(visitor, **headers: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Every sample, by its name without our prefix, then by its labels in the order of names."""
    answer = visitor.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert answer.headers["Cache-Control"] == "no-store"
    samples: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            name = sample.name.removeprefix("sportsapp_")
            samples.setdefault(name, {})[tuple(sample.labels.values())] = sample.value
    return samples


def test_runs_by_task_and_state(visitor, offline):
    for _ in range(3):
        add_run(TICK)
    add_failure(task=TICK)
    add_run(TICK, RunState.STARTED)
    sync_all_teams()
    found = scrape(visitor)
    assert found["task_runs_total"] == {("SUCCESS", TICK): 3, ("FAILURE", TICK): 1}
    assert found["task_runs_open"] == {("STARTED", TICK): 1, ("PENDING", "sync_all_teams"): 1}


def test_runs_that_the_ledger_forgets_are_still_counted(visitor, offline, monkeypatch):
    def prune() -> None:
        for _ in range(6):  # a round takes at most a day's worth
            monkeypatch.setattr(huey.tracker.recovery, "pruned_at", None)
            huey.tracker.recover(huey)

    def kept() -> int:
        db.session.rollback()
        return db.session.query(TaskRun).count()

    counted = {("SUCCESS", TICK): 5, ("FAILURE", TICK): 1, ("SUCCESS", "sync_all_teams"): 1}
    for n in range(5):
        add_run(TICK, ago=timedelta(days=20 * n))
    add_failure(task=TICK, ago=timedelta(days=70))
    add_run("sync_all_teams", ago=timedelta(days=40))
    assert scrape(visitor)["task_runs_total"] == counted
    prune()
    assert kept() == 2
    assert scrape(visitor)["task_runs_total"] == counted
    with write_connection() as connection:  # and once more, onto totals that are there
        connection.execute(update(TaskRun).values(finished_at=utc_now() - timedelta(days=99)))
    prune()
    assert kept() == 0
    assert scrape(visitor)["task_runs_total"] == counted


def test_successes_with_errors_within_the_last_hour(visitor, offline):
    for error_count in (0, 1, 3):
        add_run(TICK, error_count=error_count)
    add_run(TICK, error_count=1, ago=timedelta(hours=2))
    add_run("sync_all_teams", error_count=9)
    found = scrape(visitor)["task_runs_with_errors"]
    assert found == {(TICK,): 2, ("sync_all_teams",): 1}


def test_outstanding_failures_and_skipped_runs(visitor, offline):
    for values in ({}, {}, {"resolved_at": utc_now()}, {"dismissed_at": utc_now()}):
        add_failure(task=TICK, **values)
    add_run(TICK, RunState.SKIPPED)
    found = scrape(visitor)
    assert found["task_failures_outstanding"] == {(TICK,): 2}
    assert found["task_runs_total"] == {("FAILURE", TICK): 4, ("SKIPPED", TICK): 1}
    assert "task_runs_open" not in found


def test_durations_of_the_last_hour(visitor, offline):
    now = utc_now()
    for seconds in (1, 2, 3, 4, 30):
        add_run(TICK, started_at=now - timedelta(seconds=seconds), finished_at=now)
    long_ago = now - timedelta(minutes=61)
    add_run(TICK, started_at=long_ago - timedelta(seconds=500), finished_at=long_ago)
    add_failure(task=TICK, started_at=now - timedelta(seconds=300), finished_at=now)
    assert scrape(visitor)["task_run_seconds"] == {
        ("50", TICK): 3, ("95", TICK): 4, ("100", TICK): 30,
    }  # fmt: skip


def test_queues_and_consumers(visitor, offline):
    for pid in (1, 2):
        add_consumer("sportsapp", pid=pid)
    add_consumer("sportsapp", "scheduler", pid=3)
    add_consumer("sportsapp-backfill", beat_at=utc_now() - timedelta(minutes=2))
    sync_all_teams()
    add_run(state=RunState.PENDING, ago=timedelta(minutes=10))
    found = scrape(visitor)
    assert found["consumers"] == {
        ("sportsapp", "worker"): 2, ("sportsapp", "scheduler"): 1,
        ("sportsapp-backfill", "worker"): 0, ("sportsapp-backfill", "scheduler"): 0,
        ("sportsapp-notify", "worker"): 0, ("sportsapp-notify", "scheduler"): 0,
    }  # fmt: skip
    empty = {("sportsapp-backfill",): 0, ("sportsapp-notify",): 0}
    assert found["queue_depth"] == {("sportsapp",): 1} | empty
    assert found["queue_waiting"] == {("sportsapp",): 2} | empty
    oldest = found["queue_oldest_seconds"]
    assert 600 <= oldest["sportsapp",] < 630
    assert oldest["sportsapp-backfill",] == 0


def test_schedule_that_is_overdue(visitor, offline):
    now = utc_now()
    for name in huey.periodic_tasks:
        huey.tracker.since(name)
    with write_connection() as connection:
        since = now - timedelta(minutes=30)
        table = ScheduleRow.__table__
        connection.execute(update(table).where(table.c.task == TICK).values(since_at=since))
    overdue = scrape(visitor)["schedule_overdue"]
    assert [name for (name,), is_late in overdue.items() if is_late] == [TICK]
    assert {name for (name,) in overdue} == set(huey.periodic_tasks)


def test_age_of_data_and_games(visitor, offline, synced):
    at = utc_now()
    games = [event("1", state="in"), event("2", state="pre"), event("3", state="pre")]
    synced("nba", *games)
    feed_read_at(at - timedelta(minutes=20))
    add_league("nfl", polled_at=at - timedelta(minutes=3), failing_since=at)
    add_league("xfl")  # of earlier times: not followed any more
    found = scrape(visitor)
    ages = {slug: round(age / 60) for (slug,), age in found["data_age_seconds"].items()}
    assert ages == {"nba": 20, "nfl": 3}
    assert found["feed_failing"] == {("nba",): 0, ("nfl",): 1}
    assert found["games"] == {("nba", "in"): 1, ("nba", "pre"): 2}


def test_what_is_away_has_a_metric_and_the_rest_is_there(visitor, app):
    found = scrape(visitor)  # nothing listens where this broker should
    assert (found["broker_up"], found["database_up"]) == ({(): 0}, {(): 1})
    assert "queue_depth" not in found
    assert "feed_requests_total" not in found
    assert found["queue_waiting"]
    with write_connection() as connection:
        connection.exec_driver_sql("ALTER TABLE run_totals RENAME TO elsewhere")
    found = scrape(visitor)
    assert (found["broker_up"], found["database_up"]) == ({(): 0}, {(): 0})
    assert "queue_waiting" not in found


def test_scraper_needs_the_token_where_one_is_set(app, visitor):
    object.__setattr__(services_of(app).settings, "metrics_token", "a long secret")
    for headers in ({}, {"Authorization": "Bearer a long secre"}, {"Authorization": "é"}):
        refused = visitor.get("/metrics", headers=headers)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].lower().startswith("bearer")
        assert "sportsapp_" not in refused.text
    assert scrape(visitor, Authorization="Bearer a long secret")["build_info"]

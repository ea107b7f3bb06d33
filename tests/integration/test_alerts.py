"""Alerts: what people are notified of, how often, and what is never in a message."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from huey.exceptions import TaskTimeout
from sqlalchemy import select, update

from sportsapp.core.clock import EASTERN, game_day, utc_now
from sportsapp.core.errors import AlertError, FeedUnavailableError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.secrets import scrub, secrets_of
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import Alert, RunState, ScheduleRow, TaskRun, Trigger
from sportsapp.monitoring import alerts as alerts_module
from sportsapp.monitoring.alerts import Alerts
from sportsapp.monitoring.checks.feed import stale_leagues
from sportsapp.monitoring.checks.work import late_slots
from sportsapp.monitoring.problems import Kind
from sportsapp.monitoring.webhook import deliver
from sportsapp.queue.huey import backfill_huey, huey
from sportsapp.runs import recovery
from sportsapp.runs.rows import find_run
from sportsapp.services import services_of
from sportsapp.sync import context, scoreboards
from sportsapp.sync.table import LIVE as LIVE_SYNC
from sportsapp.tasks import run_of, send_alert, sync_all_live_games, sync_date_range_task
from tests.integration.events import board, event
from tests.panel import make_well
from tests.parts import replace_services
from tests.receiver import Receiver, receiving
from tests.stored import feed_read_at

LIVE = "sync_all_live_games"


@pytest.fixture
def receiver():
    with receiving() as one:
        yield one


@pytest.fixture
def settings(settings, receiver) -> Settings:
    """Alerts go to the receiver, under an address that is a secret."""
    return replace(
        settings,
        alert_webhook_url=f"{receiver.url}/services/T0PSECRET",
        site_url="https://scores.example.org",
    )


@pytest.fixture
def alerts(app, offline):
    make_well()
    return services_of(app).alerts


@pytest.fixture
def now(monkeypatch):
    """A clock for the alerts that a test can put forward."""

    class Now:
        moment = utc_now()

        def later(self, **span: float) -> None:
            self.moment += timedelta(**span)

    now = Now()
    monkeypatch.setattr(alerts_module, "utc_now", lambda: now.moment)
    return now


@pytest.fixture
def broken_sync(monkeypatch):
    """Make every live sync raise what the test says; None mends it."""

    def breaking(error: BaseException | None) -> None:
        def sync_live(*_: object) -> None:
            raise error

        row = LIVE_SYNC if error is None else replace(LIVE_SYNC, run=sync_live)
        monkeypatch.setattr("sportsapp.tasks.sync.LIVE", row)

    return breaking


def work(queue=huey) -> None:
    """Execute all that waits now, alerts included."""
    while (task := queue.dequeue()) is not None:
        queue.execute(task)


def run_live(retries: int = 0) -> str:
    run_id = huey.enqueue(sync_all_live_games.s(retries=retries)).id
    work()
    return run_id


def delivered(receiver: Receiver, count: int) -> list[dict]:
    """The messages, once so many have come; a short while shows that no more come."""
    deadline = time.monotonic() + 5
    while len(receiver.messages) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(receiver.messages) == count
    return receiver.messages


# ---------------------------------------------------------------- breaches that an audit found


def test_breach_is_notified_once_however_many_audits_find_it(alerts, now, receiver):
    for _ in range(3):
        alerts.report_breaches({"NFL 2025 winner 401": "game 401 is wrong"}, ("NFL 2025 ",))
        work()
        now.later(days=1)
    (message,) = delivered(receiver, 1)
    assert (message["subject"], message["event"]) == ("NFL 2025 winner 401", "trouble")


def test_breach_of_a_month_that_was_not_looked_at_stays(alerts, receiver):
    breaches = {f"NFL 2025 2025-{month} 40{month}": f"a game of {month}" for month in (10, 11)}
    alerts.report_breaches(breaches, ("NFL 2025 ",))
    alerts.report_breaches({}, ("NFL 2025 2025-11 ",))
    work()
    messages = [(one["subject"], one["event"]) for one in delivered(receiver, 3)]
    assert messages == [
        ("NFL 2025 2025-10 4010", "trouble"),
        ("NFL 2025 2025-11 4011", "trouble"),
        ("NFL 2025 2025-11 4011", "recovered"),
    ]
    alerts.report_breaches({}, ("NFL 2025 ",))
    work()
    assert delivered(receiver, 4)[-1]["subject"] == "NFL 2025 2025-10 4010"


# ---------------------------------------------------------------- runs that fail for good


def test_failed_run_is_a_message_with_fields_and_text(offline, broken_sync, receiver):
    broken_sync(ZeroDivisionError("oh <!channel> & more"))
    run_id = run_live()
    (message,) = delivered(receiver, 1)
    assert message["text"] == (
        "Sports Game Tracker (scores.example.org) TROUBLE: sync_all_live_games failed for good, "
        "after 1 attempt: ZeroDivisionError: oh &lt;!channel&gt; &amp; more "
        f"https://scores.example.org/admin/runs/details/?id={run_id}"
    )
    names = ("event", "instance", "kind", "subject", "task", "run_id", "url", "error")
    assert {name: message[name] for name in names} == {
        "event": "trouble",
        "instance": "scores.example.org",
        "kind": "failure",
        "subject": LIVE,
        "task": LIVE,
        "run_id": run_id,
        "url": f"https://scores.example.org/admin/runs/details/?id={run_id}",
        "error": "ZeroDivisionError: oh <!channel> & more",
    }
    assert (message["swallowed"], message["since"]) == (0, message["at"])


def test_run_that_will_be_retried_sends_no_message(offline, broken_sync, receiver):
    broken_sync(FeedUnavailableError("no answer"))
    run_live(retries=1)
    assert receiver.messages == []


def test_time_out_is_a_kind_of_its_own(offline, broken_sync, receiver):
    broken_sync(TaskTimeout("too long"))
    run_live()
    broken_sync(ZeroDivisionError())
    run_live()
    assert [one["kind"] for one in delivered(receiver, 2)] == ["timeout", "failure"]
    assert "cut off at its time limit" in receiver.texts[0]


def test_success_after_a_failure_is_reported_once(offline, alerts, broken_sync, receiver):
    run_live()
    broken_sync(ZeroDivisionError())
    run_live()
    alerts.check_failed_tasks()  # an earlier success does not count
    delivered(receiver, 1)
    broken_sync(None)
    run_id = run_live()
    for process in (alerts, another(alerts)):
        process.check_failed_tasks()
        work()
    _, message = delivered(receiver, 2)
    assert (message["event"], message["kind"], message["subject"]) == ("recovered", "failure", LIVE)
    assert message["text"] == (
        "Sports Game Tracker (scores.example.org) OK: sync_all_live_games has succeeded again "
        f"https://scores.example.org/admin/runs/details/?id={run_id}"
    )


def test_message_says_how_long_the_trouble_has_lasted(offline, alerts, broken_sync, receiver):
    broken_sync(ZeroDivisionError())
    run_live()
    delivered(receiver, 1)
    hour_ago = utc_now() - timedelta(minutes=63)
    with write_connection() as connection:
        earlier = {"active_since": hour_ago, "notified_at": hour_ago}
        connection.execute(update(Alert).where(Alert.subject == LIVE).values(earlier))
    run_live()
    assert " (for 63 min) https://" in delivered(receiver, 2)[-1]["text"]
    broken_sync(None)
    run_live()
    alerts.check_failed_tasks()
    work()
    assert "has succeeded again (after 63 min) https://" in delivered(receiver, 3)[-1]["text"]


def test_instance_without_a_public_address_has_a_name_and_no_links(app, alerts, receiver):
    nameless = replace(alerts.settings, site_url="", trusted_hosts=("a.example.org",))
    alerts.settings = nameless
    alerts.report_problem("NBA", Kind.REFUSED, "no", directly=True, run_id="1")
    (message,) = delivered(receiver, 1)
    assert message["text"] == "Sports Game Tracker (a.example.org) TROUBLE: no"
    assert replace(nameless, trusted_hosts=(), port=5001).instance_name.endswith(":5001")


# ---------------------------------------------------------------- flask alerts test


def test_test_message_is_sent_and_its_answer_printed(runner, receiver):
    done = runner.invoke(args=["alerts", "test"])
    assert (done.exit_code, done.output) == (0, "the alert webhook answered 200\n")
    (message,) = receiver.messages
    assert message["text"].startswith("Sports Game Tracker (scores.example.org) TEST: a test, sent")
    assert (message["event"], message["instance"]) == ("test", "scores.example.org")


def test_test_message_that_is_refused_fails_without_showing_the_address(runner, receiver):
    receiver.status = 403
    done = runner.invoke(args=["alerts", "test"])
    assert (done.exit_code, done.output) == (1, "the alert webhook answered 403\n")


def test_test_message_needs_an_address(app, runner):
    settings = replace(services_of(app).settings, alert_webhook_url="")
    replace_services(app, settings=settings)
    done = runner.invoke(args=["alerts", "test"])
    assert done.exit_code == 2
    assert done.output.startswith("ALERT_WEBHOOK_URL: is not set")


def test_failure_after_a_success_goes_on(offline, alerts, broken_sync, receiver):
    for error in (ZeroDivisionError(), None, ZeroDivisionError()):
        broken_sync(error)
        run_live()
    alerts.check_failed_tasks()
    work()
    delivered(receiver, 1)
    assert db.session.get(Alert, (LIVE, "failure")).active_since is not None


def test_run_that_always_lost_its_worker_is_reported(offline, receiver, monkeypatch):
    monkeypatch.setattr(recovery, "WATCHED_FOR", timedelta(0))
    run_id = sync_date_range_task("NBA", "2026-01-01", "2026-01-02").id
    values = {"state": RunState.STARTED, "attempt": 1, "stalls": 3, "host": "elsewhere", "pid": 1}
    with write_connection() as connection:
        silent = utc_now() - timedelta(minutes=2)
        connection.execute(update(TaskRun).values(heartbeat_at=silent, **values))
    backfill_huey.tracker.recover(backfill_huey)
    work()
    (message,) = delivered(receiver, 1)
    assert (message["run_id"], message["arguments"]["league"]) == (run_id, "NBA")
    assert "its worker died every time" in message["text"]


def test_run_of_an_unknown_task_is_reported(offline, receiver):
    run_id = sync_all_live_games().id
    with write_connection() as connection:
        gone = utc_now() - timedelta(minutes=1)
        connection.execute(update(TaskRun).values(due_at=gone, expires_at=None, task="sync_moon"))
    huey.storage.flush_all()
    huey.tracker.recover(huey)
    work()
    assert delivered(receiver, 1)[0]["run_id"] == run_id


# ---------------------------------------------------------------- once in fifteen minutes


def test_more_of_the_same_is_counted_and_reported_after_fifteen_minutes(alerts, now, receiver):
    for _ in range(4):
        alerts.report_problem(LIVE, Kind.FAILURE, "it failed")
        now.later(minutes=4)
    alerts.report_problem(LIVE, Kind.FAILURE, "it failed")
    work()
    first, second = delivered(receiver, 2)
    assert (first["swallowed"], second["swallowed"]) == (0, 3)
    assert second["text"].endswith("it failed (for 16 min) (noticed 3 more times meanwhile)")
    assert second["since"] == first["since"]


def test_each_task_and_kind_has_messages_of_its_own(alerts, now, receiver):
    for subject in (LIVE, "sync_all_teams"):
        for kind in (Kind.FAILURE, Kind.TIMEOUT):
            alerts.report_problem(subject, kind, "it failed")
            alerts.report_problem(subject, kind, "it failed")
    work()
    delivered(receiver, 4)


def another(alerts: Alerts) -> Alerts:
    """The alerts as another process has them: what they share is in the database."""
    return Alerts(alerts.app, alerts.settings, alerts.look, alerts.enqueue, alerts.deliver)


def test_all_processes_together_send_one_message(alerts, now, receiver):
    alerts.report_problem(LIVE, Kind.FAILURE, "it failed")
    another(alerts).report_problem(LIVE, Kind.FAILURE, "it failed")
    work()
    delivered(receiver, 1)
    assert db.session.get(Alert, (LIVE, "failure")).suppressed_count == 1


def test_suppressed_problem_that_goes_on_is_reported_by_a_later_check(alerts, now, receiver):
    alerts.report_problem(LIVE, Kind.FAILURE, "it failed")
    alerts.report_problem(LIVE, Kind.FAILURE, "it failed twice")
    now.later(minutes=14)
    alerts.check(utc_now())
    now.later(minutes=2)
    alerts.check(utc_now())
    alerts.check(utc_now())
    work()
    said = delivered(receiver, 2)
    assert {one["swallowed"] for one in said} == {0, 1}
    assert any(
        "it failed twice (for 16 min) (noticed 1 more time meanwhile)" in one["text"]
        for one in said
    )


def test_end_of_a_problem_that_nobody_was_notified_of_is_not_reported(alerts, now, receiver):
    alerts.report_problem(LIVE, Kind.FAILURE, "it failed")
    alerts.report_recovery(LIVE, Kind.FAILURE, "it goes")
    alerts.report_problem(LIVE, Kind.FAILURE, "it failed")
    alerts.report_recovery(LIVE, Kind.FAILURE, "it goes")
    work()
    assert [one["event"] for one in delivered(receiver, 2)] == ["trouble", "recovered"]
    now.later(minutes=16)
    alerts.report_problem(LIVE, Kind.FAILURE, "it failed")
    work()
    assert delivered(receiver, 3)[-1]["swallowed"] == 1


# ---------------------------------------------------------------- checks


@pytest.fixture
def live_league(app, offline, feed):
    """The NBA has a live game."""
    now = utc_now()
    feed.say("nba", board(event("7", f"{now:%Y-%m-%dT%H:%M}Z", "in")))
    sync = context.SyncContext(services_of(app).feed_client, db.session, now)

    def read(minutes_ago: float) -> None:
        scoreboards.sync_day(sync, BY_SLUG["nba"], game_day(now))
        feed_read_at(now - timedelta(minutes=minutes_ago))
        db.session.rollback()

    return read


def test_old_data_of_a_live_league_is_reported_and_its_end(alerts, live_league, receiver):
    live_league(4.9)
    alerts.check(utc_now())
    assert receiver.messages == []
    live_league(5.1)
    alerts.check(utc_now())
    alerts.check(utc_now())
    (message,) = delivered(receiver, 1)
    assert (message["kind"], message["league"], message["live"]) == ("stale", "NBA", 1)
    old = "NBA data is 5 min old, with 1 game live or past the start; BET at ALP stands still"
    assert old in message["text"]
    assert message["day"] == utc_now().astimezone(EASTERN).date().isoformat()
    live_league(0)
    alerts.check(utc_now())
    assert delivered(receiver, 2)[-1]["event"] == "recovered"


def test_old_data_without_live_games_is_not_stale(live_league):
    live_league(60)
    assert [one.slug for one in stale_leagues(db.session, ["nba"], utc_now())] == ["nba"]
    assert stale_leagues(db.session, ["nfl"], utc_now()) == []
    with write_connection() as connection:
        connection.exec_driver_sql("UPDATE games SET state = 'post'")
    db.session.rollback()
    assert stale_leagues(db.session, ["nba"], utc_now()) == []


def scheduled_since(minutes: float) -> None:
    """All schedules began so long ago, and no slot was claimed since."""
    with write_connection() as connection:
        since = utc_now() - timedelta(minutes=minutes)
        connection.execute(ScheduleRow.__table__.delete())
        connection.execute(
            ScheduleRow.__table__.insert(),
            [{"task": name, "paused": False, "since_at": since} for name in huey.periodic_tasks],
        )
    db.session.rollback()


def late() -> set[str]:
    return {one.task for one in late_slots(db.session, huey, utc_now())}


def test_slot_that_nobody_claims_is_late_after_two_ticks(offline):
    scheduled_since(2)
    assert LIVE not in late()
    scheduled_since(4)
    assert LIVE in late()


def test_claimed_slot_paused_task_and_new_instance_are_not_late(offline):
    assert late() == set()
    scheduled_since(60 * 24 * 8)
    assert late() == set(huey.periodic_tasks)
    for periodic in huey.periodic_tasks.values():
        slot = periodic.schedule.newest_slot(utc_now() - timedelta(days=8), utc_now())
        huey.tracker.claim(periodic, slot)
    db.session.rollback()
    assert late() == set()
    scheduled_since(60 * 24 * 8)
    with write_connection() as connection:
        connection.execute(TaskRun.__table__.delete())
        connection.execute(update(ScheduleRow).values(paused=True))
    db.session.rollback()
    assert late() == set()


@pytest.mark.parametrize(("beat_minutes", "is_late"), [(0, False), (2, True)])
def test_tick_that_waits_for_a_running_one_is_late_only_when_that_has_no_heartbeat(
    offline, beat_minutes, is_late
):
    scheduled_since(10)
    sync_all_live_games()
    with write_connection() as connection:
        beat = utc_now() - timedelta(minutes=beat_minutes)
        connection.execute(update(TaskRun).values(state=RunState.STARTED, heartbeat_at=beat))
    db.session.rollback()
    assert (LIVE in late()) is is_late


def test_silent_scheduler_is_reported_directly_and_its_end(alerts, receiver):
    scheduled_since(10)
    alerts.check(utc_now())
    messages = {one["subject"]: one for one in delivered(receiver, len(late()))}
    assert f"{LIVE} is overdue" in messages[LIVE]["text"]
    assert huey.pending_count() == 0  # no consumer may be there to carry it
    scheduled_since(0)
    alerts.check(utc_now())
    assert delivered(receiver, 2 * len(messages))[-1]["event"] == "recovered"


def test_direct_message_that_is_not_taken_goes_through_the_queue(alerts, receiver):
    receiver.status = 503
    alerts.report_problem(LIVE, Kind.FAILURE, "it is late", directly=True)
    delivered(receiver, 1)
    deadline = time.monotonic() + 5
    while not huey.pending_count() and time.monotonic() < deadline:
        time.sleep(0.01)
    receiver.status = 200
    work()
    assert [one["kind"] for one in delivered(receiver, 2)] == ["failure", "failure"]


def test_heartbeats_of_all_processes_check_once_a_minute(alerts, monkeypatch):
    checks = []
    moment = utc_now()
    monkeypatch.setattr(alerts_module, "utc_now", lambda: moment)
    processes = [alerts, another(alerts)]
    for one in processes:
        monkeypatch.setattr(one, "check", checks.append)
    for _ in range(6 * 5):
        for one in processes:
            one._next_check = 0
            one.check_if_due()
        moment += timedelta(seconds=10)
    assert len(checks) == 4  # five minutes; the first one only starts the clock
    moment += timedelta(minutes=10)
    processes[0]._next_check = 0
    processes[0].check_if_due()
    assert len(checks) == 4  # nothing ran meanwhile: it starts anew


def test_one_process_claims_a_check_no_more_than_once_a_minute(alerts, monkeypatch):
    claims = []
    locked_row = alerts_module._locked_row

    def counted(*arguments, **options):
        claims.append(arguments)
        return locked_row(*arguments, **options)

    monkeypatch.setattr(alerts_module, "_locked_row", counted)
    for _ in range(3):
        huey.tracker.beat("sportsapp", "worker")
    assert len(claims) == 1


@pytest.mark.parametrize("role", ["scheduler", "worker"])
def test_heartbeat_of_any_role_checks(alerts, now, monkeypatch, role):
    checks = []
    monkeypatch.setattr(alerts, "check", checks.append)
    for _ in range(2):
        alerts._next_check = 0
        huey.tracker.beat("sportsapp", role)
        now.later(minutes=1)
    assert len(checks) == 1


# ---------------------------------------------------------------- carrying a message


def test_message_is_carried_again_with_growing_delays(alerts, receiver):
    receiver.status = 500
    alerts.report_problem(LIVE, Kind.FAILURE, "it failed")
    delays = []
    for _ in range(5):
        work()
        (task,) = huey.scheduled()
        huey.storage.flush_schedule()
        delays.append(task.retry_delay)
        task.eta = None
        huey.push(task)
    assert delays == [60, 120, 240, 480, 960]  # of the retry after the one that waits
    receiver.status = 200
    work()
    assert len(delivered(receiver, 6)) == 6
    run = db.session.scalars(select(TaskRun)).one()
    assert (run.task, run.state, run.trigger) == ("send_alert", "SUCCESS", Trigger.ALERT)


@pytest.mark.parametrize("status", [302, 400, 403, 404])
def test_receiver_that_does_not_want_it_is_not_asked_again(alerts, receiver, status):
    receiver.status = status
    alerts.report_problem(LIVE, Kind.FAILURE, "it failed")
    work()
    assert huey.scheduled() == []
    assert db.session.scalars(select(TaskRun)).one().state == RunState.FAILURE
    assert len(delivered(receiver, 1)) == 1  # and that failure is no alert
    assert receiver.pings == []  # a secret address is not carried elsewhere


def test_dead_receiver_fails_no_sync_and_its_address_is_nowhere(app, offline, broken_sync, caplog):
    secret = "T0PSECRET"
    dead = replace(services_of(app).settings, alert_webhook_url=f"http://127.0.0.1:9/{secret}")
    services_of(app).alerts.settings = dead
    replace_services(app, settings=dead)
    broken_sync(ZeroDivisionError())
    run_live()
    broken_sync(None)
    good = run_live()
    assert run_of(good).state == "SUCCESS"
    rows = db.session.scalars(select(TaskRun).where(TaskRun.task == "send_alert")).all()
    assert {row.state for row in rows} == {RunState.RETRY}
    assert "cannot be reached (ConnectionError)" in rows[0].error
    kept = json.dumps([[row.args, row.error, row.traceback] for row in rows]) + caplog.text
    assert secret not in kept


def test_broker_that_is_away_keeps_the_alert_for_later(app, alerts, receiver, monkeypatch, caplog):
    memory = huey.storage
    monkeypatch.undo()
    alerts.report_problem(LIVE, Kind.FAILURE, "it failed")
    run = db.session.scalars(select(TaskRun)).one()
    assert (run.task, run.state) == ("send_alert", RunState.PENDING)
    assert "of send_alert waits for the broker" in caplog.text
    assert "could not be recorded or sent" not in caplog.text
    with write_connection() as connection:
        connection.execute(update(TaskRun).values(due_at=utc_now() - timedelta(minutes=1)))
    monkeypatch.setattr(huey, "storage", memory)
    huey.tracker.recover(huey)
    work()
    delivered(receiver, 1)


@pytest.mark.usefixtures("alerts")
def test_alerts_that_break_stop_no_run(broken_sync, monkeypatch, caplog):
    monkeypatch.setattr(alerts_module, "ALERTS", "no table")
    broken_sync(ZeroDivisionError("oh"))
    assert run_of(run_live()).error == "ZeroDivisionError: oh"
    assert "an alert could not be recorded or sent" in caplog.text


def test_without_a_receiver_trouble_is_logged_only(offline, app, broken_sync, caplog):
    services_of(app).alerts.settings = replace(services_of(app).settings, alert_webhook_url="")
    broken_sync(ZeroDivisionError("oh"))
    run_id = run_live()
    assert find_run(run_id).state == RunState.FAILURE
    assert (
        "alert: Sports Game Tracker (scores.example.org) TROUBLE: sync_all_live_games failed"
        in caplog.text
    )
    assert huey.pending_count() == 0


# ---------------------------------------------------------------- no secrets


SECRETS = Settings(
    database_url="postgresql://maria:p%40ssw0rd@db/scores",
    redis_url="redis://:hunter22@broker:6379/0",
    secret_key="a-very-long-key",
    alert_webhook_url="https://hooks.example.org/services/T/B/xyz",
    heartbeat_url="https://hc.example.org/0b1d",
)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("at https://maria:pw@example.org/x", "at https://(hidden)@example.org/x"),
        ("at redis://:p@ss@host:1/0 now", "at redis://(hidden)@host:1/0 now"),
        ("https://x.org/a?api_key=abc&day=1", "https://x.org/a?api_key=(hidden)&day=1"),
        ("https://x.org/a?dates=20260101", "https://x.org/a?dates=20260101"),
        ("password p@ssw0rd is wrong", "password (hidden) is wrong"),
        ("AUTH hunter22 failed", "AUTH (hidden) failed"),
        ("the key a-very-long-key", "the key (hidden)"),
        ("posted to https://hooks.example.org/services/T/B/xyz", "posted to (hidden)"),
        ("mail maria@example.org", "mail maria@example.org"),
    ],
)
def test_secrets_never_leave(text, clean):
    assert scrub({"deep": [text]}, secrets_of(SECRETS)) == {"deep": [clean]}


def test_message_of_a_failure_has_no_secrets(offline, broken_sync, receiver, settings):
    broken_sync(ZeroDivisionError(f"{settings.alert_webhook_url} http://a:b@c/ {'x' * 900}"))
    run_live()
    (message,) = delivered(receiver, 1)
    text = json.dumps(message)
    assert "T0PSECRET" not in text
    assert "a:b@" not in text
    assert len(message["text"]) < 800
    assert "T0PSECRET" not in db.session.get(Alert, (LIVE, "failure")).text


def test_only_trouble_of_the_receiver_is_raised(receiver):
    with pytest.raises(AlertError) as raised:
        deliver("http://127.0.0.1:9/secret", {"text": "it failed"})
    assert raised.value.retryable
    assert "secret" not in str(raised.value)


# ---------------------------------------------------------------- the dead man's switch


def test_heartbeat_is_sent_after_a_good_tick_only(
    app, offline, settings, receiver, feed, broken_sync
):
    beating = replace(settings, heartbeat_url=f"{receiver.url}/ping/1")
    replace_services(app, settings=beating)
    broken_sync(ZeroDivisionError())
    run_live()
    assert receiver.pings == []
    broken_sync(None)
    run_live()
    assert receiver.pings == ["/ping/1"]


@pytest.mark.parametrize("status", [404, 500])
def test_heartbeat_that_is_not_taken_fails_no_tick(app, offline, settings, receiver, status):
    receiver.status = status
    beating = replace(settings, heartbeat_url=f"{receiver.url}/ping/secret")
    replace_services(app, settings=beating)
    assert run_of(run_live()).state == "SUCCESS"
    assert receiver.pings == ["/ping/secret"]


def test_message_can_be_sent_by_hand(offline, receiver):
    send_alert({"text": "hello"})
    work()
    assert receiver.texts == ["hello"]

"""Subscriptions against a real receiver: told in order, each once, tried again, given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, text

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import (
    SubscriptionError,
    TargetError,
    UnknownLeagueError,
)
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db, write_connection, writing
from sportsapp.db.models import Alert, Subscription, TaskRun, Trigger
from sportsapp.monitoring.checks.check import State
from sportsapp.monitoring.checks.work import check_notify
from sportsapp.notify import outbox
from sportsapp.notify.subscriptions import Wish, add_subscription, named, pause, remove, told_of
from sportsapp.notify.webhook import WebhookTarget
from sportsapp.services import services_of
from sportsapp.tasks import deliver_events, notifications
from tests.integration.events import event
from tests.integration.test_score_events import playing
from tests.webhook_receiver import SECRET

START = datetime(2026, 1, 15, 20, 0, tzinfo=UTC)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, notify_private=True)


@pytest.fixture
def clock(monkeypatch) -> Callable[[timedelta], datetime]:
    """Moves the time that deliveries go by; it begins with START."""
    now = [START]
    monkeypatch.setattr(notifications, "utc_now", lambda: now[0])

    def move(by: timedelta) -> datetime:
        now[0] += by
        return now[0]

    return move


@pytest.fixture
def subscribe(app, receiver) -> Callable[..., Subscription]:
    def add(name: str = "phone", **wish: object) -> Subscription:
        values = {"name": name, "address": receiver.url, "events": ("start", "score", "final")}
        return add_subscription(
            db.session, Wish(**values | wish), ["nfl", "nba"], str(app.secret_key)
        )

    return add


def row(name: str = "phone") -> Subscription:
    db.session.rollback()
    return named(db.session, name)


def play(synced, *scores: tuple[int, int], at: datetime = START, espn_id: str = "401") -> None:
    """A game from its beginning through these scores (away, home), a second apart."""
    synced("nfl", event(espn_id, state="pre"), at=at)
    for n, (away, home) in enumerate(scores):
        moment = at + timedelta(seconds=n)
        synced("nfl", playing(800 - n, home, away, espn_id=espn_id), at=moment)


def deliver(name: str = "phone") -> dict:
    return deliver_events.call_local(row(name).id)


# ---------------------------------------------------------------- told


def test_what_happens_is_told_in_order_and_once(synced, subscribe, receiver, clock):
    subscribe()
    play(synced, (0, 0), (7, 0), (7, 3))
    clock(timedelta(seconds=3))
    assert deliver() == {"sent": 3, "errors": []}
    assert [message["title"] for message in receiver.taken] == [
        "Beta 0, Alpha 0", "Beta 7, Alpha 0", "Beta 7, Alpha 3",
    ]  # fmt: skip
    assert receiver.ids() == sorted(set(receiver.ids()))
    assert deliver() == {"sent": 0, "errors": []}
    assert row().sent_at == START + timedelta(seconds=3)


def test_what_happened_before_is_not_told(synced, subscribe, receiver, clock):
    play(synced, (0, 0), (7, 0))
    subscribe()
    assert deliver() == {"sent": 0, "errors": []}
    play(synced, (0, 0), at=clock(timedelta(minutes=1)), espn_id="402")
    assert deliver()["sent"] == 1
    assert receiver.taken[0]["events"][0]["game"] == "402"


def test_message_of_another_subscription_has_another_id(synced, subscribe, receiver, clock):
    subscribe("phone")
    subscribe("club", hides_scores=True)
    play(synced, (0, 0))
    deliver("phone")
    deliver("club")
    assert [one["subscription"] for one in receiver.taken] == ["phone", "club"]
    assert receiver.taken[0]["id"] != receiver.taken[1]["id"]


def test_resume_of_one_that_is_not_paused_changes_nothing(synced, subscribe, receiver, clock):
    subscribe()
    play(synced, (0, 0))
    pause(db.session, row(), paused=False)
    assert deliver()["sent"] == 1


def test_pause_tells_nothing_and_what_happened_meanwhile_is_left_out(
    synced, subscribe, receiver, clock
):
    pause(db.session, subscribe(), paused=True)
    play(synced, (0, 0), (7, 0))
    assert deliver() == {"sent": 0, "errors": []}
    pause(db.session, row(), paused=False)
    assert deliver() == {"sent": 0, "errors": []}
    assert receiver.taken == []


def test_quiet_hours_end_with_one_message(synced, subscribe, receiver, clock):
    subscribe(quiet="19:00-20:01")
    play(synced, (0, 0), (7, 0), (7, 3))
    assert deliver() == {"sent": 0, "errors": []}
    clock(timedelta(minutes=1))
    assert deliver() == {"sent": 1, "errors": []}
    (message,) = receiver.taken
    assert (message["title"], message["body"]) == (
        "3 events since 20:00 UTC", "Beta 7, Alpha 3: Alpha +3",
    )  # fmt: skip


# ---------------------------------------------------------------- not taken


def test_message_that_is_not_taken_is_sent_again_later_and_nothing_overtakes_it(
    synced, subscribe, receiver, clock
):
    subscribe()
    play(synced, (0, 0), (7, 0))
    receiver.status = 500
    pauses = []
    for _ in range(9):
        now = clock(timedelta(seconds=0))
        assert deliver()["errors"] == ["phone: the webhook answered 500 Internal Server Error"]
        pauses.append((row().again_at - now).total_seconds())
        assert outbox.waiting(db.session, now) == []
        clock(row().again_at - now)
        assert [one.name for one in outbox.waiting(db.session, row().again_at)] == ["phone"]
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    receiver.status = 200
    assert deliver()["sent"] == 1  # over ten minutes have passed: both in one
    assert receiver.ids() == sorted(set(receiver.ids()))
    assert (row().failures, row().failing_since, row().error) == (0, None, "")


def test_after_an_hour_it_is_given_up_with_a_line_and_an_alert(
    synced, subscribe, receiver, clock, caplog
):
    subscribe()
    play(synced, (0, 0), (7, 0))
    receiver.status = 500
    deliver()
    for _ in range(11):
        now = clock(timedelta(minutes=5))
        deliver()
    play(synced, (0, 0), at=now, espn_id="402")
    assert "given up" not in caplog.text
    clock(timedelta(minutes=6))
    (error,) = deliver()["errors"]
    assert error.startswith("phone: 2 events were given up, which the target did not take for an")
    assert "2 events were given up" in caplog.text
    db.session.rollback()
    alert = db.session.scalars(select(Alert).where(Alert.kind == "notify")).one()
    assert (alert.subject, alert.active_since is not None) == ("phone", True)
    receiver.status = 200
    assert deliver()["sent"] == 1
    assert [one["game"] for one in receiver.taken[0]["events"]] == ["402"]
    db.session.rollback()
    assert alert.active_since is None


@pytest.mark.parametrize(
    "end", [lambda session, row: remove(session, row.id), partial(pause, paused=True)]
)
def test_target_that_fails_is_a_warning_until_nobody_waits_for_it(
    app, synced, subscribe, receiver, clock, visitor, caplog, end
):
    subscribe("my phone")
    subscribe("club", address=f"{receiver.url[:-1]}x")
    play(synced, (0, 0), (7, 0))
    receiver.status = 500
    deliver("my phone")
    assert warning(visitor) == "messages to a target are not taken"
    for _ in range(13):
        clock(timedelta(minutes=5))
        deliver("my phone")
    look = replace(services_of(app).look(), now=clock(timedelta(0)))
    (finding,) = check_notify.run(look)
    assert finding.state == State.WARN
    assert finding.text == (
        "my phone: messages have not been taken since 2026-01-15T20:00:00Z, 65 min:"
        " the webhook answered 500 Internal Server Error"
    )
    assert finding.do.startswith("`flask notify test 'my phone'`")
    end(db.session, row("my phone"))
    services_of(app).alerts.check(utc_now())
    assert "TROUBLE: my phone: 1 event was given up, which the target did" in caplog.text
    assert "OK: my phone: its messages are taken again, or it is paused or removed" in caplog.text
    assert db.session.scalar(select(Alert.active_since).where(Alert.kind == "notify")) is None
    assert warning(visitor) is None


def warning(visitor) -> str | None:
    """What strangers are told of notifications."""
    return visitor.get("/readyz").json["warnings"].get("notify")


def test_hour_counts_only_while_attempts_are_made(synced, subscribe, receiver, clock):
    subscribe()
    play(synced, (0, 0))
    receiver.status = 500
    deliver()  # then comes a night in which nothing is sent
    clock(timedelta(hours=9))
    (error,) = deliver()["errors"]
    assert error == "phone: the webhook answered 500 Internal Server Error"
    assert (row().failures, row().failing_since) == (1, START + timedelta(hours=9))
    receiver.status = 200
    assert deliver()["sent"] == 1


def test_error_that_nobody_expected_is_one_subscriptions_own(
    synced, subscribe, receiver, clock, caplog
):
    subscribe("broken", quiet="01:00-02:00")
    subscribe("phone")
    play(synced, (0, 0))
    with writing(db.session):
        db.session.execute(text("UPDATE subscriptions SET zone = 'A/B' WHERE name = 'broken'"))
    notifications.queue_due()
    assert [run.args for run in runs()] == [{"subscription": row("phone").id}]
    assert row("broken").error == notifications.UNEXPECTED
    assert "what it is to be told cannot be made" in caplog.text
    assert [one.name for one in outbox.waiting(db.session, START)] == ["phone"]


def test_target_that_breaks_is_a_failure(synced, subscribe, clock, monkeypatch):
    subscribe()
    play(synced, (0, 0))
    monkeypatch.setattr(WebhookTarget, "send", lambda *_: 1 / 0)
    assert deliver()["errors"] == [f"phone: {notifications.UNEXPECTED}"]
    assert row().again_at == START + timedelta(seconds=5)


def test_subscription_may_be_removed_while_a_message_is_under_way(
    synced, subscribe, receiver, clock, monkeypatch
):
    subscribe()
    play(synced, (0, 0))

    def remove_meanwhile(*_: object) -> None:
        with write_connection() as connection:
            connection.execute(text("DELETE FROM subscriptions"))

    monkeypatch.setattr(WebhookTarget, "send", remove_meanwhile)
    assert deliver() == {"sent": 1, "errors": []}


def test_address_that_cannot_be_unsealed_is_a_failure_that_says_so(app, synced, subscribe, clock):
    subscribe()
    play(synced, (0, 0))
    app.secret_key = "another key of more than thirty-two letters"
    (error,) = deliver()["errors"]
    assert error == "phone: its address cannot be used: it was sealed with another SECRET_KEY"


def test_subscription_that_is_removed_ends_its_run(synced, subscribe, clock):
    row_id = subscribe().id
    play(synced, (0, 0))
    remove(db.session, row().id)
    assert deliver_events.call_local(row_id) == {"sent": 0, "errors": []}


# ---------------------------------------------------------------- queued


def runs() -> list[TaskRun]:
    db.session.rollback()
    return list(db.session.scalars(select(TaskRun).where(TaskRun.task == "deliver_events")))


def test_run_is_queued_for_what_is_due_and_no_second_one(synced, subscribe, clock):
    ids = [subscribe("phone").id, subscribe("club").id, subscribe("nba", leagues=["nba"]).id]
    notifications.queue_due()
    assert runs() == []
    play(synced, (0, 0), (7, 0))
    clock(timedelta(seconds=2))
    for _ in range(2):
        notifications.queue_due()
    assert [run.args for run in runs()] == [{"subscription": one} for one in ids[:2]]
    assert {run.trigger for run in runs()} == {Trigger.EVENT}
    assert row("nba").event_id == outbox.newest_event(db.session)  # what is left out needs no run


def test_nothing_is_queued_while_it_is_paused_quiet_or_waits_for_its_delay(
    synced, subscribe, clock
):
    pause(db.session, subscribe("paused"), paused=True)
    subscribe("quiet", quiet="19:00-21:00")
    subscribe("late", delay_seconds=30)
    play(synced, (0, 0))
    notifications.queue_due()
    assert runs() == []
    clock(timedelta(seconds=30))
    notifications.queue_due()
    assert [run.args for run in runs()] == [{"subscription": row("late").id}]


# ---------------------------------------------------------------- added


def test_address_is_stored_sealed(subscribe, receiver):
    subscribe()
    stored = db.session.scalar(text("SELECT address FROM subscriptions"))
    assert "hook" not in stored
    assert SECRET not in stored


@pytest.mark.parametrize(
    ("wish", "error", "words"),
    [
        ({"name": ""}, SubscriptionError, "1 to 60 characters"),
        ({"name": "a\nb"}, SubscriptionError, "no line breaks"),
        ({"events": ("goal",)}, SubscriptionError, "no events are called 'goal'; start, score,"),
        ({"delay_seconds": 601}, SubscriptionError, "0 to 600 seconds"),
        ({"zone": "Berlin"}, SubscriptionError, "'Berlin' is no time zone"),
        ({"zone": "../etc"}, SubscriptionError, "is no time zone"),
        ({"quiet": "late"}, SubscriptionError, "no quiet hours"),
        ({"leagues": ("xfl",)}, UnknownLeagueError, "xfl"),
        ({"leagues": ("mlb",)}, UnknownLeagueError, "mlb"),
        ({"teams": ("nfl/Chelsea",)}, SubscriptionError, "no team is called 'nfl/Chelsea'"),
        ({"address": "syslog://x"}, TargetError, "has to begin with"),
        ({"address": "https://example.org/hook"}, TargetError, "ends with the key that signs"),
    ],
)
def test_wish_that_cannot_be_is_refused(subscribe, wish, error, words):
    with pytest.raises(error, match=words):
        subscribe(**wish)
    assert db.session.scalar(select(func.count(Subscription.id))) == 0


def test_name_is_taken_once_and_a_team_is_found_by_its_address(synced, subscribe):
    play(synced, (0, 0))
    assert subscribe(teams=("nfl/ALP", "nfl/bet")).teams == ["nfl-1", "nfl-2"]
    assert told_of(db.session, row()) == "nfl/ALP, nfl/BET"
    with pytest.raises(SubscriptionError, match="called 'phone' already"):
        subscribe()
    with pytest.raises(SubscriptionError, match=r"called 'tv' \(known: phone\)"):
        named(db.session, "tv")

"""Messages on visitors' own devices: switched on and off by anybody, encrypted for each browser."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from huey.exceptions import TaskTimeout
from sqlalchemy import func, select
from sqlalchemy.event import listen
from werkzeug.test import TestResponse

from sportsapp.core.errors import BrokerUnavailableError, SubscriptionError
from sportsapp.core.sealing import push_key
from sportsapp.core.settings import PROJECT_URL, Settings
from sportsapp.db.engine import db, writing
from sportsapp.db.models import Alert, Subscription, TaskRun
from sportsapp.http.limits import Allowance
from sportsapp.notify import browsers, outbox
from sportsapp.notify.message import Message
from sportsapp.notify.subscriptions import Wish, add_subscription, named, pause
from sportsapp.queue.huey import notify_huey
from sportsapp.queue.tracker import TrackedTask
from sportsapp.services import services_of
from sportsapp.tasks import deliver_events, notifications
from tests.integration.events import event
from tests.integration.test_preferences import OURS, cookies, like, save
from tests.integration.test_score_events import playing
from tests.parts import replace_services
from tests.push_service import FakeBrowser, PushService, encoded, point, push_service

START = datetime(2026, 1, 15, 20, 0, tzinfo=UTC)
ALPHA = "nfl-1"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, notify_private=True)


@pytest.fixture(autouse=True)
def unlimited(monkeypatch) -> None:
    """There is no broker to count on."""
    monkeypatch.setattr(Allowance, "admits_visitor", lambda _self: True)


@pytest.fixture
def service(tmp_path, monkeypatch) -> Iterator[PushService]:
    with push_service(tmp_path) as (made, authority):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
        yield made


@pytest.fixture
def clock(monkeypatch) -> Callable[[timedelta], None]:
    """Moves the time that deliveries go by; it begins a minute after START."""
    now = [START + timedelta(minutes=1)]
    monkeypatch.setattr(notifications, "utc_now", lambda: now[0])
    monkeypatch.setattr(browsers, "utc_now", lambda: now[0])

    def move(by: timedelta) -> None:
        now[0] += by

    return move


def switch_on(
    visitor, browser: FakeBrowser | object, cookie: str = f"favourites={ALPHA}", **headers: str
) -> TestResponse:
    sent = browser.subscription if isinstance(browser, FakeBrowser) else browser
    return visitor.post("/push", json=sent, headers=OURS | {"Cookie": cookie} | headers)


def told(answer: TestResponse) -> str:
    """The cookie by which the site knows the browser, beside its favourite."""
    return f"favourites={ALPHA}; push={cookies(answer)['push'].value}"


def rows() -> list[Subscription]:
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(select(Subscription).order_by(Subscription.id)))


def play(synced, away: int, home: int, second: int = 0) -> None:
    synced("nfl", playing(800 - second, home, away), at=START + timedelta(seconds=second))


@pytest.fixture
def game(synced) -> None:
    """A game that begins."""
    synced("nfl", event(state="pre"), at=START)
    play(synced, 0, 0)


def test_score_of_a_favourite_is_shown_by_its_browser(app, visitor, synced, game, service, clock):
    answer = switch_on(visitor, service.browser())
    assert (answer.status_code, cookies(answer)["push"]["httponly"]) == (204, True)
    play(synced, 0, 7, 1)
    assert deliver_events.call_local(rows()[0].id) == {"sent": 1, "errors": []}
    assert service.shown() == [
        {
            "title": "Beta 0, Alpha 7",
            "body": "Alpha +7, 13:19 - 1st Quarter",
            "page": "/nfl/games/401",
        }
    ]
    claims, key = service.sender()
    assert (claims["aud"], claims["sub"]) == (service.url, PROJECT_URL)
    assert key == point(push_key(str(app.secret_key)).public_key())
    headers = service.requests[0].headers
    assert (headers["TTL"], headers["Urgency"]) == ("86400", "high")
    assert len(headers["Topic"]) == 32


def test_address_is_sealed_and_no_page_or_error_has_it(visitor, service):
    page = visitor.get(
        "/preferences", headers={"Cookie": told(switch_on(visitor, service.browser()))}
    )
    assert "Switch messages off" in page.text
    (row,) = rows()
    assert service.url not in page.text + row.address + row.name + row.network


def test_what_is_told_follows_the_preferences(visitor, synced, game, service, clock):
    cookie = told(switch_on(visitor, service.browser()))
    save(visitor, headers=OURS | {"Cookie": cookie}, scores="hide")
    play(synced, 0, 7, 1)
    deliver_events.call_local(rows()[0].id)
    (shown,) = service.shown()
    assert (shown["title"], shown["body"]) == ("Beta at Alpha", "The score has changed")
    like(visitor, ALPHA, cookie, action="remove")
    assert (rows()[0].teams, rows()[0].paused) == ([], True)
    play(synced, 0, 14, 2)
    like(visitor, "nfl-2", cookie.replace(f"favourites={ALPHA}; ", ""))
    play(synced, 0, 17, 3)
    deliver_events.call_local(rows()[0].id)
    assert [one["title"] for one in service.shown()[1:]] == ["Beta 0, Alpha 17"]


def test_events_are_chosen(visitor, service):
    cookie = told(switch_on(visitor, service.browser()))
    chosen = {"event": ["final", "lead", "nonsense"]}
    visitor.post("/push/events", data=chosen, headers=OURS | {"Cookie": cookie})
    assert rows()[0].events == ["lead", "final"]
    answer = visitor.post("/push/events", headers=OURS | {"Cookie": cookie})
    assert (answer.status_code, rows()[0].events) == (400, ["lead", "final"])


def test_no_basket_is_told_before_it_was_chosen(visitor, service):
    switch_on(visitor, service.browser(), "favourites=nba-1.nfl-1")
    switch_on(visitor, service.browser(), "favourites=nfl-1")
    assert ["score" in row.events for row in rows()] == [False, True]


def test_switched_off_is_forgotten(visitor, service):
    cookie = told(switch_on(visitor, service.browser()))
    answer = visitor.post("/push/off", headers=OURS | {"Cookie": cookie})
    assert (rows(), cookies(answer)["push"].value) == ([], "")


def test_browser_with_a_new_address_keeps_what_it_chose(visitor, service):
    cookie = told(switch_on(visitor, service.browser()))
    chosen = {"event": ["final"]}
    visitor.post("/push/events", data=chosen, headers=OURS | {"Cookie": cookie})
    switch_on(visitor, service.browser(), cookie)
    (row,) = rows()
    assert row.events == ["final"]
    switch_on(visitor, service.browser(), cookie.rsplit(";", 1)[0])
    assert len(rows()) == 2


@pytest.mark.parametrize("status", [404, 410])
def test_browser_that_is_gone_is_forgotten(visitor, synced, game, service, clock, status):
    switch_on(visitor, service.browser())
    play(synced, 0, 7, 1)
    service.status = status
    assert deliver_events.call_local(rows()[0].id) == {"sent": 0, "errors": []}
    assert rows() == []


def test_browser_that_is_switched_off_while_it_is_sent_to_fails_no_run(
    visitor, synced, game, service, clock, monkeypatch
):
    cookie = told(switch_on(visitor, service.browser()))
    play(synced, 0, 7, 1)
    service.status = 410
    send = notifications.send

    def switch_off_and_send(row: Subscription, message: Message) -> None:
        try:
            send(row, message)
        finally:
            visitor.post("/push/off", headers=OURS | {"Cookie": cookie})

    monkeypatch.setattr(notifications, "send", switch_off_and_send)
    assert deliver_events.call_local(rows()[0].id) == {"sent": 0, "errors": []}


def test_service_that_takes_all_time_of_a_run_fails_no_run(
    visitor, synced, game, service, clock, monkeypatch
):
    switch_on(visitor, service.browser())
    play(synced, 0, 7, 1)

    def hang(_row: Subscription, _message: Message) -> None:
        raise TaskTimeout("no name of a host takes longer")

    monkeypatch.setattr(notifications, "send", hang)
    (error,) = deliver_events.call_local(rows()[0].id)["errors"]
    assert error.endswith("no answer within 60 s")


def test_service_that_fails_is_asked_again_and_wakes_nobody(
    visitor, synced, game, service, clock, runner
):
    switch_on(visitor, service.browser())
    service.status = 500
    play(synced, 0, 7, 1)
    for _ in range(14):
        deliver_events.call_local(rows()[0].id)
        clock(timedelta(minutes=5))
    (row,) = rows()
    assert row.error == "the push service answered 500 Internal Server Error"
    assert outbox.newest_event(db.session) == row.event_id, "given up"
    assert "and 1 browser of visitors, 1 failing" in runner.invoke(args=["notify", "list"]).output
    play(synced, 0, 14, 2)
    with writing(db.session):
        db.session.query(Subscription).update({"created_at": START - timedelta(days=8)})
    deliver_events.call_local(row.id)
    assert rows() == []
    assert db.session.scalar(select(func.count(Alert.kind))) == 0


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        {},
        {"endpoint": "https://push.example.org/1"},
        {"endpoint": "http://push.example.org/1", "keys": {}},
        {"endpoint": ["https://push.example.org/1"], "keys": {"p256dh": 1, "auth": 2}},
    ],
    ids=str,
)
def test_body_that_is_no_subscription_is_refused(visitor, sent):
    answer = switch_on(visitor, sent)
    assert answer.status_code == 400
    assert "no browser&#39;s subscription" in answer.text
    assert rows() == []


def test_lists_within_lists_are_refused(visitor):
    answer = visitor.post(
        "/push", data="[" * 100_000, content_type="application/json", headers=OURS
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.org/1",
        "https:///1",
        "https://push.example.org:99999/1",
        "https://me:pass@push.example.org/1",
        "https://push.example.org/a b",
        "https://push.example.org/\n",
        "https://p\u00fcsh.example.org/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://push.example.org:/1",
        f"https://push.example.org/{'x' * 1000}",
    ],
)
def test_endpoint_is_a_plain_https_address(visitor, endpoint):
    assert switch_on(visitor, FakeBrowser(endpoint)).status_code == 400


def test_point_is_the_one_that_messages_can_be_encrypted_for(visitor, service):
    browser = service.browser()
    compressed = bytes([2 + browser.point[-1] % 2]) + browser.point[1:33]
    browser.subscription["keys"]["p256dh"] = encoded(compressed)
    assert switch_on(visitor, browser).status_code == 400


@pytest.mark.parametrize("key", ["p256dh", "auth"])
@pytest.mark.parametrize("value", ["", "AAAA", "%%%", "BA" + "A" * 85])
def test_keys_are_keys(visitor, service, key, value):
    sent = service.browser().subscription
    sent["keys"][key] = value
    assert switch_on(visitor, sent).status_code == 400


def test_form_of_another_site_switches_nothing(visitor, service):
    for path in ("/push", "/push/events", "/push/off"):
        answer = visitor.post(path, headers={"Origin": "https://other.example"})
        assert answer.status_code == 403, path


def test_who_knows_the_address_of_a_browser_changes_nothing_of_it(visitor, service):
    browser = service.browser()
    switch_on(visitor, browser)
    address = rows()[0].address
    switch_on(visitor, FakeBrowser(browser.endpoint), "favourites=nfl-2")
    assert [row.teams for row in rows()] == [[ALPHA], ["nfl-2"]]
    assert rows()[0].address == address


def test_cookie_that_somebody_made_names_nobody(visitor, service):
    switch_on(visitor, service.browser())
    headers = OURS | {"Cookie": f"push={rows()[0].name}"}
    visitor.post("/push/off", headers=headers)
    assert len(rows()) == 1


def test_private_addresses_are_refused_when_they_are_connected_to(
    app, visitor, synced, game, service, clock, monkeypatch
):
    switch_on(visitor, service.browser())
    play(synced, 0, 7, 1)
    send = notifications.target_of
    monkeypatch.setattr(
        notifications,
        "target_of",
        lambda row, settings, key: send(row, replace(settings, notify_private=False), key),
    )
    (error,) = deliver_events.call_local(rows()[0].id)["errors"]
    assert error.endswith("its host has no public address, which only NOTIFY_PRIVATE=1 allows")
    assert service.requests == []


def test_bounds_for_a_network_and_for_all(visitor, service, monkeypatch):
    monkeypatch.setattr(browsers, "MOST_OF_NETWORK", 2)
    for _ in range(2):
        assert switch_on(visitor, service.browser()).status_code == 204
    answer = switch_on(visitor, service.browser())
    assert (answer.status_code, len(rows())) == (400, 2)
    assert "Too many browsers of your network" in answer.text
    again = next(iter(service.browsers.values()))
    assert switch_on(visitor, again).status_code == 204
    with writing(db.session):
        db.session.query(Subscription).update({"network": "another"})
    with pytest.raises(SubscriptionError, match="to no more browsers"):
        browsers.add_browser(
            *(db.session, service.browser().subscription, ["final"]),
            network="192.0.2.1",
            most=2,
            secret_key="x",
        )


def test_operator_can_forget_all_browsers_and_no_other_subscription(app, visitor, service, runner):
    switch_on(visitor, service.browser())
    wish = Wish(name="club", address="ntfys://ntfy.example.org/club", events=("score",))
    add_subscription(db.session, wish, ["nfl"], str(app.secret_key))
    answer = runner.invoke(args=["notify", "forget-browsers"])
    assert answer.output == "1 browser is forgotten\n"
    assert [row.name for row in rows()] == ["club"]


def test_browser_that_asks_twice_at_once_has_one_row(app, service):
    sent, begin = service.browser(), threading.Barrier(4)

    def ask(_number: int) -> int:
        begin.wait()
        return switch_on(app.test_client(), sent).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [204] * 4
    assert len(rows()) == 1


def test_nobody_but_the_visitor_pauses_a_browser(visitor, service):
    switch_on(visitor, service.browser(), "")
    with pytest.raises(SubscriptionError, match="gets what the visitor chose"):
        pause(db.session, named(db.session, rows()[0].name), paused=False)
    assert rows()[0].paused


def test_where_no_browser_may_be_added_one_that_was_can_be_switched_off(app, visitor, service):
    cookie = told(switch_on(visitor, service.browser()))
    replace_services(app, settings=replace(services_of(app).settings, push_browsers=0))
    page = visitor.get("/preferences", headers={"Cookie": cookie}).text
    assert "Switch messages off" in page
    assert "Messages" not in visitor.get("/preferences").text
    assert switch_on(visitor, service.browser()).status_code == 400


def test_browsers_that_are_told_nothing_cost_one_look(visitor, synced, game, service, clock):
    for _ in range(5):
        switch_on(visitor, service.browser(), "favourites=nfl-99", REMOTE_ADDR="192.0.2.1")
    play(synced, 0, 7, 1)
    before = {row.event_id for row in rows()}
    looks = []
    monkeyed = outbox.events_after
    try:
        outbox.events_after = lambda *args: looks.append(args) or monkeyed(*args)
        notifications.queue_due()
    finally:
        outbox.events_after = monkeyed
    after = {row.event_id for row in rows()}
    assert (len(looks), len(after)) == (1, 1)
    assert max(after) > max(before)
    assert service.requests == []


def test_many_browsers_are_queued_in_one_transaction_and_operators_first(
    app, visitor, synced, game, service, clock, monkeypatch
):
    for _ in range(3):
        switch_on(visitor, service.browser())
    wish = Wish(name="club", address="ntfys://ntfy.example.org/club", events=("score",))
    add_subscription(db.session, wish, ["nfl"], str(app.secret_key))
    play(synced, 0, 7, 1)
    pushed, commits = [], []
    monkeypatch.setattr(notify_huey, "push", pushed.append)
    listen(db.engine, "commit", commits.append)
    for _ in range(2):
        notifications.queue_due()
    assert len(commits) == 1
    names = {row.id: row.name.partition("-")[0] for row in rows()}
    assert [names[task.args[0]] for task in pushed] == ["club", *["browser"] * 3]


def test_run_of_a_browser_sends_one_message_and_lets_others_in(
    visitor, synced, game, service, clock
):
    switch_on(visitor, service.browser())
    play(synced, 0, 7, 1)
    play(synced, 0, 14, 2)
    for number in (1, 2):
        assert deliver_events.call_local(rows()[0].id)["sent"] == 1
        assert len(service.requests) == number


def test_broker_that_is_away_is_waited_for_once(visitor, synced, game, service, clock, monkeypatch):
    for _ in range(3):
        switch_on(visitor, service.browser())
    play(synced, 0, 7, 1)
    tries = []

    def push(task: TrackedTask) -> None:
        tries.append(task)
        raise BrokerUnavailableError("away")

    monkeypatch.setattr(notify_huey, "push", push)
    notifications.queue_due()
    assert len(tries) == 1
    assert db.session.scalar(select(func.count(TaskRun.id))) == 3

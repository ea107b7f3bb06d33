"""Messages on a visitor's device, in Chromium: asked for once, shown, switched off."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import select

from sportsapp.core import public_addresses
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.db.models import Subscription
from sportsapp.tasks import deliver_events
from tests.acceptance.chromium import CHROMIUM, FLAGS, needs_chromium
from tests.acceptance.conftest import RealBroker
from tests.conftest import MakeDatabase
from tests.demosite import LIVE_NFL, DemoSite, demo_site
from tests.push_service import PushService, push_service

pytestmark = needs_chromium

TEAM = "/nfl/teams/CHI"
# Chromium has no push service here: it gets its address from this one. What the visitor answers to
# the browser's own question is given.
ANSWERS = """
window.allowed = "default";
Object.defineProperty(Notification, "permission", { get: () => window.allowed });
Notification.requestPermission = async () => (window.allowed = "granted");
PushManager.prototype.subscribe = async (options) => {
  window.subscribedWith = options;
  return %s;
};
"""


@pytest.fixture(scope="module")
def opened(
    make_database: MakeDatabase,
) -> Iterator[tuple[Browser, DemoSite, PushService]]:
    """One browser, one site with a broker and one push service for all tests of this file."""
    folder = Path(tempfile.mkdtemp(prefix="sgt-"))  # short, for the broker's socket
    broker = RealBroker(Settings(instance_path=folder))
    broker.start()
    try:
        with (
            pytest.MonkeyPatch.context() as patch,
            push_service(folder) as (service, authority),
            make_database(folder) as url,
            demo_site(folder, url, redis_url=broker.settings.broker) as site,
            sync_playwright() as playwright,
        ):
            patch.setenv("REQUESTS_CA_BUNDLE", str(authority))
            patch.setattr(public_addresses, "is_public", "127.0.0.1".__eq__)
            chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            yield chromium, site, service
            chromium.close()
    finally:
        broker.kill()


@pytest.fixture
def site(opened) -> DemoSite:
    return opened[1]


@pytest.fixture
def service(opened) -> PushService:
    return opened[2]


@pytest.fixture
def context(opened) -> Iterator[BrowserContext]:
    """A visitor without a past, on a phone."""
    chromium, site, service = opened
    context = chromium.new_context(base_url=site.url, viewport={"width": 390, "height": 844})
    context.grant_permissions(["notifications"])
    context.add_init_script(ANSWERS % json.dumps(service.browser().subscription))
    yield context
    context.close()


def show(context: BrowserContext, page: Page, message: object) -> list[list[str]]:
    """What the notifications say once the browser's push service has brought this."""
    session = context.new_cdp_session(page)
    registrations: list[dict] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(event["registrations"]),
    )
    session.send("ServiceWorker.enable")
    for _ in range(100):
        if registrations:
            break
        page.wait_for_timeout(100)
    session.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": page.evaluate("location.origin"),
            "registrationId": registrations[0]["registrationId"],
            "data": json.dumps(message),
        },
    )
    shown = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
        .map(({ title, body, data }) => [title, body, data])"""
    for _ in range(100):
        if found := page.evaluate(shown):
            return found
        page.wait_for_timeout(100)
    pytest.fail("nothing is shown")


def test_star_asks_once_and_a_score_is_shown_until_messages_are_switched_off(
    context, site, service
):
    page = context.new_page()
    page.goto(f"/nfl/games/{LIVE_NFL}")
    page.locator(".side").last.get_by_role("link").first.click()
    team = page.url
    question = page.get_by_text("Have this device tell you of")
    expect(question).to_have_count(0)
    page.get_by_role("button", name="to favourites").click()
    expect(question).to_be_visible()
    assert not Axe().run(page).response["violations"]
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("Messages are on.")).to_be_visible()
    assert page.evaluate("subscribedWith.userVisibleOnly")
    with site.app.app_context():
        row = db.session.scalars(select(Subscription)).one()
        assert len(row.teams) == 1
    site.score()
    with site.app.app_context():
        assert deliver_events.call_local(row.id)["errors"] == []
    (message,) = service.shown()
    assert show(context, page, message) == [[message["title"], message["body"], message["page"]]]
    assert " 23" in message["title"]

    page.goto(team)
    expect(question).to_be_hidden()
    page.goto("/preferences")
    assert not Axe().run(page).response["violations"]
    page.get_by_label("each score").uncheck()
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_label("each score")).not_to_be_checked()
    page.get_by_role("button", name="Switch messages off").click()
    expect(page.get_by_role("button", name="Switch messages on")).to_be_visible()
    with site.app.app_context():
        assert db.session.scalars(select(Subscription)).all() == []


def test_touch_of_a_message_shows_the_game_in_a_page_that_has_it_or_a_new_one(context, site):
    page = context.new_page()
    page.goto("/preferences")
    page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
    (worker,) = context.service_workers
    # A browser opens and focuses pages only for a touch that is real.
    worker.evaluate("""() => {
        clients.openWindow = async (path) => (self.shown = ["opened", path]);
        WindowClient.prototype.focus = async function () { self.shown = ["focused", this.url]; };
    }""")
    touch = """async () => {
        self.shown = undefined;
        const [notification] = await registration.getNotifications();
        dispatchEvent(new NotificationEvent("notificationclick", { notification }));
        while (!self.shown) await new Promise((done) => setTimeout(done, 10));
        return [...self.shown, (await registration.getNotifications()).length];
    }"""
    game = f"/nfl/games/{LIVE_NFL}"
    message = {"title": "A title", "body": "A body", "page": game}
    show(context, page, message)
    assert worker.evaluate(touch) == ["opened", game, 0]
    page.goto(game)
    show(context, page, message)
    assert worker.evaluate(touch) == ["focused", f"{site.url}{game}", 0]


def test_new_address_of_a_browser_takes_the_place_of_the_one_before(context, site, service):
    page = context.new_page()
    page.goto("/preferences")
    page.get_by_role("button", name="Switch messages on").click()
    expect(page.get_by_role("button", name="Switch messages off")).to_be_visible()
    (worker,) = context.service_workers
    with site.app.app_context():
        before = db.session.scalars(select(Subscription.name)).all()
    changed = "(newSubscription) => subscribe({ newSubscription })"
    worker.evaluate(changed, service.browser().subscription)
    with site.app.app_context():
        after = db.session.scalars(select(Subscription.name)).all()
    assert len(after) == len(before)
    assert set(after) != set(before)


def test_who_declines_is_asked_no_more(context, site):
    page = context.new_page()
    page.goto(TEAM)
    page.get_by_role("button", name="to favourites").click()
    page.locator("#push").get_by_role("button", name="No, thanks").click()
    page.goto(TEAM)
    expect(page.locator("#push")).to_be_hidden()
    page.goto("/preferences")
    page.get_by_role("button", name="Switch messages on").click()
    expect(page.get_by_role("button", name="Switch messages off")).to_be_visible()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("delete window.PushManager", "This browser takes no messages from sites."),
        ("delete window.Notification", "This browser takes no messages from sites."),
        (
            "delete Navigator.prototype.serviceWorker",
            "This browser takes no messages from sites.",
        ),
        ("isSecureContext = false", "with HTTPS only"),
        ("window.allowed = 'denied'", "Its settings can change that."),
    ],
)
def test_page_says_why_there_can_be_no_messages(context, change, reason):
    page = context.new_page()
    if change.startswith("isSecure"):
        change = "Object.defineProperty(window, 'isSecureContext', { get: () => false })"
    page.add_init_script(change)
    page.goto("/preferences")
    expect(page.get_by_text(reason)).to_be_visible()
    expect(page.get_by_role("button", name="Switch messages on")).to_be_hidden()


def test_answer_of_the_site_is_shown_where_it_refuses(context, site, service):
    page = context.new_page()
    page.goto("/preferences")
    sent = """async (body) => (await fetch("/push", { method: "POST", body: JSON.stringify(body),
        headers: { "Content-Type": "application/json" } })).status"""
    for _ in range(7):
        if page.evaluate(sent, service.browser().subscription) != 204:
            break
    page.get_by_role("button", name="Switch messages on").click()
    expect(page.get_by_text("Messages cannot be switched on just now.")).to_be_visible()

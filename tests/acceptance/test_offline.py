"""Installed, offline, by keyboard: what a browser does with manifest, service worker and keys."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.acceptance.chromium import CHROMIUM, FLAGS, needs_chromium
from tests.conftest import MakeDatabase
from tests.demosite import FINAL_NFL, LIVE_NFL, DemoSite, demo_site

pytestmark = [pytest.mark.long, needs_chromium]

HOME_SCORE = f"#nfl{LIVE_NFL} .r:last-of-type .s"
KEPT = (
    "async () => (await (await caches.open('kept')).keys()).map((one) => new URL(one.url).pathname)"
)
OFFLINE = "You are offline: scores as of"


@pytest.fixture(scope="module")
def opened(
    tmp_path_factory: pytest.TempPathFactory, make_database: MakeDatabase
) -> Iterator[tuple[Browser, DemoSite]]:
    """One site and one browser for all tests of this file."""
    folder = tmp_path_factory.mktemp("site")
    with (
        make_database(folder) as url,
        demo_site(folder, url) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser, site
        browser.close()


@pytest.fixture
def site(opened: tuple[Browser, DemoSite]) -> DemoSite:
    """The site."""
    return opened[1]


@pytest.fixture
def context(opened: tuple[Browser, DemoSite]) -> Iterator[BrowserContext]:
    """A visitor without a past."""
    browser, site = opened
    context = browser.new_context(
        base_url=site.url,
        viewport={"width": 1280, "height": 800},
        timezone_id="America/New_York",
    )
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """The visitor's page."""
    return context.new_page()


def visit(page: Page, *paths: str) -> None:
    """Open these pages, and wait until each is kept."""
    for path in paths:
        page.goto(path)
        kept(page, path)


def kept(page: Page, path: str) -> None:
    for _ in range(50):
        if path in page.evaluate(KEPT):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"{path} is not kept: {page.evaluate(KEPT)}")


def test_pages_seen_last_are_there_offline_with_their_scores_and_time(page, site):
    visit(page, "/", "/nfl", f"/nfl/games/{FINAL_NFL}")
    page.goto("/")
    score = page.locator(HOME_SCORE).inner_text()
    read = page.locator(".asof time").last.inner_text()
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("#offline")).to_have_text(f"{OFFLINE} {read}.")
    assert page.locator(HOME_SCORE).inner_text() == score
    assert page.evaluate("getComputedStyle(document.querySelector('header')).display") == "flex"
    page.goto("/nhl")
    expect(page.locator("h1")).to_have_text("This site cannot be reached")
    listed = page.locator("main li a")
    assert sorted(listed.evaluate_all("all => all.map((a) => a.pathname)")) == [
        "/",
        "/nfl",
        f"/nfl/games/{FINAL_NFL}",
    ]
    assert read in page.locator("main li").first.inner_text()
    assert page.locator("[aria-current]").count() == 0
    assert not Axe().run(page).response["violations"]
    listed.first.click()
    expect(page.locator("#offline")).to_contain_text(OFFLINE)
    page.context.set_offline(False)
    page.goto("/nhl")
    expect(page.locator("h1")).to_contain_text("NHL")


def test_page_that_was_kept_asks_once_the_site_can_be_reached(page, site):
    visit(page, "/")
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("#offline")).to_contain_text(OFFLINE)
    points = site.score()
    page.context.set_offline(False)
    expect(page.locator(HOME_SCORE)).to_have_text(points, timeout=20_000)
    expect(page.locator("#offline")).to_have_text("")


def test_scores_that_an_open_page_gets_are_kept_too(page, site):
    visit(page, "/live")
    points = site.score()
    expect(page.locator(HOME_SCORE)).to_have_text(points, timeout=30_000)
    page.wait_for_timeout(500)
    page.context.set_offline(True)
    page.reload()
    expect(page.locator(HOME_SCORE)).to_have_text(points)


def test_hidden_scores_stay_hidden_offline(page):
    visit(page, "/", "/nfl", f"/nfl/games/{FINAL_NFL}")
    page.goto("/preferences?next=/nba")
    page.get_by_role("button", name="Hide scores").click()
    expect(page.locator("h1")).to_contain_text("NBA")
    kept(page, "/nba")  # open when the pages of before were dropped
    visit(page, "/nfl")
    page.goto("/nfl?reveal=" + FINAL_NFL)
    assert page.locator(".s").count()
    page.context.set_offline(True)
    for path in ("/nba", "/nfl"):
        page.goto(path)
        expect(page.locator("#offline")).to_contain_text(OFFLINE)
        assert page.locator(".g").count() > 0
        assert page.locator(".s").count() == 0
    for path in ("/", f"/nfl/games/{FINAL_NFL}", "/nfl?reveal=" + FINAL_NFL):
        page.goto(path)
        expect(page.locator("h1")).to_have_text("This site cannot be reached")
        names = page.locator("main li a").evaluate_all("all => all.map((a) => a.pathname)")
        assert sorted(names) == ["/nba", "/nfl"]


def test_nothing_is_kept_that_was_made_while_preferences_were_sent(context, page, site):
    at_once = site.app.view_functions["preferences.save"]
    were_asked = threading.Event()  # the other pages, with the cookies of before

    def save():
        assert were_asked.wait(20)
        return at_once()

    visit(page, "/nfl")
    other = context.new_page()
    other.goto("/preferences?next=/nba")
    site.app.view_functions["preferences.save"] = save
    try:
        with other.expect_navigation(url="**/nba"):
            other.get_by_role("button", name="Hide scores").click(no_wait_after=True)
            page.wait_for_timeout(1000)
            page.goto("/nfl")
            page.goto("/")
            page.wait_for_timeout(500)
            were_asked.set()
    finally:
        site.app.view_functions["preferences.save"] = at_once
    kept(page, "/nba")
    page.wait_for_timeout(1000)
    page.context.set_offline(True)
    for path in ("/nfl", "/"):
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()
        assert page.locator(".s").count() == 0


def test_preferences_that_could_not_be_sent_drop_nothing(page):
    visit(page, "/nfl")
    page.goto("/preferences")
    page.context.set_offline(True)
    page.get_by_role("button", name="Hide scores").click()
    page.wait_for_timeout(500)
    page.goto("/nfl")
    assert page.locator(".g").count() > 0


@pytest.mark.parametrize("status", [502, 504])
def test_kept_page_is_shown_where_only_a_proxy_answers(page, site, status):
    visit(page, "/nfl")
    answer = site.app.wsgi_app

    def down(_environ, start_response):
        start_response(f"{status} Bad", [("Content-Type", "text/html")])
        return [b"nginx"]

    site.app.wsgi_app = down
    try:
        page.goto("/nfl")
        expect(page.locator("#offline")).to_contain_text("This site cannot be reached: scores as")
        assert page.locator(".g").count() > 0
    finally:
        site.app.wsgi_app = answer


def test_panel_api_and_searches_are_not_kept(page):
    visit(page, "/")
    for path in ("/search?q=giants", "/api/v1/leagues", "/admin/sign-in", "/preferences"):
        page.goto(path)
    page.wait_for_timeout(500)
    assert [path for path in page.evaluate(KEPT) if not path.startswith("/static/")] == ["/"]


def test_at_most_twenty_pages_are_kept(page):
    visit(page, "/", *(f"/nfl/2026-09-{day:02}" for day in range(1, 21)))
    page.wait_for_timeout(300)
    pages = [path for path in page.evaluate(KEPT) if not path.startswith("/static/")]
    assert pages == [f"/nfl/2026-09-{day:02}" for day in range(1, 21)]


def test_page_is_requested_once_and_site_can_be_installed(page, site):
    visit(page, "/")
    before = site.asked("/nfl")
    visit(page, "/nfl")
    assert site.asked("/nfl") == before + 1
    session = page.context.new_cdp_session(page)
    assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] in (
        [],
        [{"errorId": "in-incognito", "errorArguments": []}],  # every context is
    )
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []


# ---------------------------------------------------------------- keys

FOCUSED = "document.activeElement.closest('.g')?.id"


def test_keys_go_from_game_to_game_to_leagues_and_to_the_search(page):
    page.goto("/")
    page.keyboard.press("j")
    expect(page.locator(".g a").first).to_be_focused()
    games = page.locator(".g").evaluate_all("all => all.map((one) => one.id)")
    assert page.evaluate(FOCUSED) == games[0]
    for key in "jjk":
        page.keyboard.press(key)
    assert page.evaluate(FOCUSED) == games[1]
    page.keyboard.press("/")
    page.keyboard.type("jk12?")
    assert page.locator("header input").input_value() == "jk12?"
    page.locator("h1").click()
    page.keyboard.press("Control+2")
    page.keyboard.press("2")
    page.wait_for_url("**/nba")


def test_list_of_keys_opens_closes_and_switches_them_off(page):
    page.goto("/nfl")
    page.keyboard.press("Shift+?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_be_visible()
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    assert not Axe().run(page).response["violations"]
    page.keyboard.press("2")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Keyboard").click()
    page.get_by_role("button", name="Switch keys off").click()
    page.get_by_role("button", name="Close").click()
    page.reload()
    for key in "?j2":
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert (page.url.rpartition("/")[2], page.evaluate(FOCUSED)) == ("nfl", None)
    page.get_by_role("button", name="Keyboard").click()
    page.get_by_role("button", name="Switch keys on").click()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("j")
    assert page.evaluate(FOCUSED)


@pytest.mark.parametrize(
    "path", ["/", "/2026-10-24", "/nfl", "/nba/2026-10-24", "/nfl/weeks/2026/2/7"]
)
@pytest.mark.parametrize("favourites", ["", "nfl-3.nba-5"])
def test_first_game_is_at_most_eight_stops_away(context, page, site, path, favourites):
    if favourites:
        context.add_cookies([{"name": "favourites", "value": favourites, "url": site.url}])
    page.goto(path)
    stops = 1
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to games")
    page.keyboard.press("Enter")
    while not page.evaluate(FOCUSED) and stops < 20:
        page.keyboard.press("Tab")
        stops += 1
    assert page.evaluate(FOCUSED) == page.locator(".g").first.get_attribute("id")
    assert stops <= 8

"""The pages in a real browser: Debian's Chromium, driven by Playwright.

The browser's clock is stopped where a test is about polling: it then moves by as much as the
test says, so that 15 seconds pass at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    Route,
    expect,
    sync_playwright,
)
from sqlalchemy import update

from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import write_connection
from sportsapp.db.models import Game, LeagueRow
from sportsapp.services import KEY, services_of
from tests.acceptance.chromium import CHROMIUM, FLAGS, needs_chromium
from tests.conftest import MakeDatabase
from tests.demosite import (
    COMING_NHL,
    FINAL_NFL,
    HALFTIME_NBA,
    LIVE_NFL,
    OVERTIME_NHL,
    PAGES,
    POSTPONED_NBA,
    SCREENS,
    DemoSite,
    demo_site,
)
from tests.quick import first_quick
from tests.stored import feed_read_at

WIDTHS = (320, 768, 1280)
SCHEMES = ("light", "dark")
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}
CARD = f"#nfl{LIVE_NFL}"
HOME_SCORE = f"{CARD} .r:nth-child(2) .s"
HOME_NFL, AWAY_NFL = "29", "3"  # the feed's ids of the teams of LIVE_NFL
TICK = 15  # seconds, in which a page with a live game asks
QUARTER_HOUR = 900_000
AWAITED: WeakKeyDictionary[Page, set[Request]] = WeakKeyDictionary()
PATIENCE = 20_000  # real milliseconds, on a machine that has other things to do

expect.set_options(timeout=PATIENCE)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),  # axe on twenty pages takes a minute where others work too
    needs_chromium,
]


@dataclass
class Visitors:
    """One browser and the site; each visit is somebody new unless cookies are given."""

    browser: Browser
    site: DemoSite

    @contextmanager
    def visit(self, path: str = "/", *, width: int = 1280, **options: Any) -> Iterator[Page]:
        """A page opened at this address by a visitor without a past."""
        with self.context(width=width, **options) as context:
            page = context.new_page()
            page.goto(self.site.url + path)
            yield page

    @contextmanager
    def watch(self, path: str = "/", **options: Any) -> Iterator[Page]:
        """The same with the browser's clock stopped after five seconds.

        Or when a page with a live game has asked once, to learn when the feed is read next.
        """
        with self.context(**options) as context:
            page, asked = context.new_page(), self.site.asked(path)
            note_requests(page)
            page.clock.install(time=self.site.now)
            page.goto(self.site.url + path)
            page.clock.pause_at(self.site.now + timedelta(seconds=5))
            if page.locator("main[data-live]").count():
                seconds_until(page, lambda: self.site.asked(path) >= asked + 2)
            yield page

    @contextmanager
    def context(
        self, *, width: int = 1280, hides: bool = False, favourites: str = "", **options: Any
    ) -> Iterator[BrowserContext]:
        """A visitor's cookies and storage; ``hides`` is one who hides scores."""
        viewport = {"width": width, "height": 800}
        # test_offline.py has what the service worker does; here it would answer in a route's place
        options = {"viewport": viewport, "service_workers": "block", **options}
        context = self.browser.new_context(base_url=self.site.url, **options)
        context.set_default_timeout(PATIENCE)
        if hides:
            context.add_cookies([{"name": "scores", "value": "hide", "url": self.site.url}])
        if favourites:
            context.add_cookies([{"name": "favourites", "value": favourites, "url": self.site.url}])
        yield context
        context.close()


@pytest.fixture(scope="module")
def visitors(
    tmp_path_factory: pytest.TempPathFactory, make_database: MakeDatabase
) -> Iterator[Visitors]:
    """One site and one browser for all tests of this file."""
    folder = tmp_path_factory.mktemp("site")
    with (
        make_database(folder) as url,
        demo_site(folder, url) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield Visitors(browser, site)
        browser.close()


@pytest.fixture
def site(visitors: Visitors) -> DemoSite:
    return visitors.site


def content(page: Page) -> str:
    """What a reader sees of the main part, without what only the script shows."""
    return page.evaluate(
        """() => {
            const main = document.querySelector("main").cloneNode(true)
            for (const e of main.querySelectorAll("#ago, #pause, #refresh, #offer")) e.remove()
            return main.textContent.replace(/\\s+/g, " ").trim()
        }"""
    )


# ---------------------------------------------------------------- for everyone


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", first_quick(WIDTHS, others=pytest.mark.long))
def test_axe_finds_nothing_on_any_page(visitors, width, scheme):
    assert faults_of(visitors, PAGES | SCREENS, width=width, color_scheme=scheme) == []


@pytest.mark.long
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_while_scores_are_hidden(visitors, scheme):
    assert faults_of(visitors, PAGES | SCREENS, hides=True, color_scheme=scheme) == []


WITH_FAVOURITES = {"home": "/", "preferences": "/preferences"}


@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_on_the_pages_of_somebody_with_favourites(visitors, width):
    assert faults_of(visitors, WITH_FAVOURITES, width=width, favourites="nfl-3.nba-5.nfl-12") == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_while_the_feed_fails(visitors, site, scheme):
    with failing(site):
        assert faults_of(visitors, {"home": "/"}, color_scheme=scheme) == []


def faults_of(visitors: Visitors, pages: dict[str, str], **options: Any) -> list[str]:
    """Axe's findings: page, rule and the element."""
    found = []
    with visitors.context(**options) as context:
        page = context.new_page()
        for name, path in pages.items():
            page.goto(path)
            said = Axe().run(page, options=OPTIONS).response["violations"]
            found += [
                f"{name}: {one['id']}: {node['html']}" for one in said for node in one["nodes"]
            ]
    return found


@contextmanager
def failing(site: DemoSite) -> Iterator[None]:
    """The feed fails since an hour."""
    for since in (site.now - timedelta(hours=1), None):
        with site.app.app_context(), write_connection() as connection:
            connection.execute(update(LeagueRow).values(failing_since=since))
        if since:
            yield


VIOLATIONS = """addEventListener("securitypolicyviolation", (one) =>
    console.error(`policy: ${one.violatedDirective} ${one.blockedURI}`))"""
STRANGERS = """() => new Promise((resolve) => {
    const refused = []
    addEventListener("securitypolicyviolation", (one) => {
        refused.push(one.violatedDirective)
        if (refused.length === 2) resolve([window.ran === true, refused.sort()])
    })
    for (const kind of ["style", "script"]) {
        const stranger = document.createElement(kind)
        stranger.textContent = kind === "style" ? "b { color: red }" : "window.ran = true"
        document.body.append(stranger)
    }
    setTimeout(() => resolve([window.ran === true, refused]), 10_000)
})"""


def console_of(page: Page) -> list[str]:
    """What the page complains of from now on; a page that is not there is no complaint."""
    said: list[str] = []
    page.add_init_script(VIOLATIONS)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda one: "status of 404" in one.text or said.append(one.text))
    return said


@pytest.mark.long
@pytest.mark.parametrize("hides", [False, True], ids=["shown", "hidden"])
def test_no_page_does_what_its_policy_forbids(visitors, site, hides):
    with visitors.context(hides=hides, service_workers="allow") as context:
        page = context.new_page()
        said = console_of(page)
        note_requests(page)
        page.clock.install(time=site.now)
        for path in (PAGES | SCREENS).values():
            page.goto(path)
            pass_seconds(page, TICK + 1)
            assert said == [], path


def test_scripts_and_styles_that_are_not_ours_are_not_run(visitors):
    with visitors.context() as context:
        page = context.new_page()
        page.goto("/nfl")
        ran, refused = page.evaluate(STRANGERS)
    assert not ran
    assert refused == ["script-src-elem", "style-src-elem"]


@pytest.mark.parametrize("hides", [False, True], ids=["shown", "hidden"])
def test_nothing_is_wider_than_a_small_screen(visitors, hides):
    wide = {}
    with visitors.context(width=320, hides=hides) as context:
        page = context.new_page()
        for name, path in PAGES.items():
            page.goto(path)
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > 320:
                wide[name] = width
    assert wide == {}


def test_menu_of_leagues_stays_on_one_line_on_a_small_screen(visitors):
    with visitors.visit(width=320) as page:
        tops = page.eval_on_selector_all(
            "header nav a", "all => all.map(a => a.getBoundingClientRect().top)"
        )
    assert len(set(tops)) == 1


TEN = (
    "/",
    "/live",
    "/mls",
    "/mls/2026-10-10",
    "/mls/teams",
    "/mls/standings",
    "/ncaam/2026-11-14",
    "/ncaam/standings",
    "/epl",
    "/search?q=nobody",
    "/preferences",
)


@pytest.fixture
def ten_leagues(site, monkeypatch) -> None:
    """The site follows every league there is."""
    joined = services_of(site.app)
    settings = replace(joined.settings, leagues=tuple(BY_SLUG))
    monkeypatch.setitem(site.app.extensions, KEY, replace(joined, settings=settings))
    site.now += timedelta(seconds=1)
    site.read("mls", date(2026, 10, 10))
    site.read("ncaam", date(2026, 11, 14))


# The menu slides where it is wider than the screen.
CURRENT_IS_SEEN = """() => [...document.querySelectorAll("header [aria-current]")].every((link) => {
    const [box, menu] = [link, link.parentElement].map((one) => one.getBoundingClientRect())
    return menu.left <= box.left && box.right <= menu.right
})"""


@pytest.mark.usefixtures("ten_leagues")
@pytest.mark.parametrize("width", WIDTHS)
def test_ten_leagues_fit_into_the_menu_and_onto_every_screen(visitors, width):
    with visitors.context(width=width) as context:
        page = context.new_page()
        for path in TEN:
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            tops = page.eval_on_selector_all(
                "header nav a", "all => all.map((a) => a.getBoundingClientRect().top)"
            )
            assert len(tops) == 12
            assert len(set(tops)) == 1
            assert page.evaluate(CURRENT_IS_SEEN), path


def test_menu_shows_the_current_league_in_a_browser_that_knows_no_initial_target(visitors, site):
    def style_of_others(route: Route) -> None:
        style = route.fetch().text()
        assert "scroll-initial-target" in style
        route.fulfill(body=style.replace("scroll-initial-target", "x"), content_type="text/css")

    with visitors.context(width=320) as context:
        page = context.new_page()
        page.route("**/style.css*", style_of_others)
        page.goto(f"{site.url}/nhl/2026-10-25#nhl{OVERTIME_NHL}")
        expect(page.locator("#pause")).to_be_visible()  # the script has run
        assert page.evaluate(CURRENT_IS_SEEN)
        assert page.evaluate("scrollY") > 0


# The figures of a whole season are the widest; the page is asked where it shows the column that
# decides, and whether the first team stays where it is when the table is moved.
DECIDING = """() => [...document.querySelectorAll(".scroll")].flatMap((table) => {
    const heads = [...table.querySelectorAll("thead th")]
    const wins = heads.some((one) => one.textContent === "PCT") ? "108" : "58" // MLB, NHL
    const widest = { "#": "20", GP: "82", P: "38", W: wins, L: wins, T: "10", D: "18", OTL: "18",
        GD: "+104", PTS: "134", PCT: ".685", GB: "38.5", CONF: "12-10", STRK: "W12",
        HOME: "27-10-4", AWAY: "27-10-4", L10: "10-0-0", DIFF: "+1055", DED: "-10" }
    for (const cell of table.querySelectorAll("td"))
        cell.textContent = widest[heads[cell.cellIndex].textContent]
    const edge = table.getBoundingClientRect().right
    const [key, ...others] = heads.filter((one) => one.className === "key")
    const team = table.querySelector("tbody th")
    table.scrollLeft = 0
    const whole = key && !others.length && key.getBoundingClientRect().right <= edge
    table.scrollLeft = 1000
    const stays = team.getBoundingClientRect().left >= table.getBoundingClientRect().left
    return whole && stays ? [] : [`${heads.map((one) => one.textContent)}: ${whole} ${stays}`]
})"""


@pytest.mark.usefixtures("ten_leagues")
@pytest.mark.parametrize("width", [320, 390])
def test_column_that_decides_the_order_is_seen_on_every_phone(visitors, site, width):
    site.read_tables()
    hidden = {}
    with visitors.context(width=width) as context:
        page = context.new_page()
        for slug in BY_SLUG:
            page.goto(f"/{slug}/standings")
            assert page.locator("tbody tr").count() > 5, slug
            assert page.locator("tbody th").first.inner_text().strip()
            hidden[slug] = page.evaluate(DECIDING)
    assert hidden == {slug: [] for slug in BY_SLUG}


REACHABLE = """() => {
    window.wanted = [...document.querySelectorAll("a, button, input, select, [tabindex]")]
        .filter((one) => one.checkVisibility() && one.type !== "hidden")
    return window.wanted.length
}"""
FOCUSED = """() => {
    const now = document.activeElement, style = getComputedStyle(now)
    return [window.wanted.indexOf(now), style.outlineStyle !== "none"]
}"""


@pytest.mark.parametrize("name", ["league", "live football", "team", "standings", "preferences"])
def test_keyboard_alone_reaches_everything_and_shows_where_it_is(visitors, name):
    reached, outlined = set(), set()
    with visitors.visit(PAGES[name]) as page:
        count = page.evaluate(REACHABLE)
        for _ in range(count + 10):  # a date field takes some more presses than one
            page.keyboard.press("Tab")
            number, is_outlined = page.evaluate(FOCUSED)
            reached.add(number)
            if is_outlined:
                outlined.add(number)
        missing = page.evaluate(
            "reached => wanted.filter((_, n) => !reached.includes(n)).map((e) => e.outerHTML)",
            list(reached),
        )
    assert count > 10
    assert missing == []
    assert reached - outlined <= {-1}


def test_skip_links_come_first_and_lead_to_the_games_and_the_main_part(visitors):
    with visitors.visit() as page:
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Skip to games")
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Skip to content")
        page.keyboard.press("Enter")
        assert page.url.endswith("#main")


def test_nothing_comes_from_another_origin_and_requests_are_few(visitors, site):
    for path in PAGES.values():
        with visitors.context() as context:
            page = context.new_page()
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto(path)
            page.wait_for_timeout(100)
            assert context.cookies() == []
        asked = [one for one in asked if "/static/push.js" not in one or path != "/preferences"]
        assert len(asked) <= 4, asked
        assert all(one.startswith(site.url) for one in asked)


def test_browser_reports_no_error_on_any_page(visitors):
    errors: list[str] = []
    with visitors.context(service_workers="allow") as context:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda said: errors.append(said.text) if said.type in ("error", "warning") else None,
        )
        for path in PAGES.values():
            if path != PAGES["not found"]:
                page.goto(path)
    assert errors == []


# ---------------------------------------------------------------- live refresh


def test_score_that_changes_appears_by_itself_without_moving_focus_or_scroll(visitors, site):
    with visitors.watch() as page:
        page.evaluate("(card) => { window.same = document.querySelector(card) }", CARD)
        page.locator("#nhl a").focus()
        page.evaluate("scrollTo(0, 300)")
        points = site.score()
        pass_seconds(page, TICK)
        expect(page.locator(HOME_SCORE)).to_have_text(points)
        assert page.evaluate("document.activeElement === document.querySelector('#nhl a')")
        assert page.evaluate("scrollY") == 300
        assert page.evaluate("window.same.isConnected")


# What is tinted, and for how many milliseconds.
NOTE_TINTS = """() => {
    const animate = Element.prototype.animate
    window.tints = []
    Element.prototype.animate = function (...how) {
        tints.push([this.textContent, animate.apply(this, how).effect.getTiming().duration])
    }
}"""


@pytest.mark.parametrize("path", ["/", f"/nfl/games/{LIVE_NFL}"])
def test_score_that_has_just_changed_is_tinted_each_time(visitors, site, path):
    with visitors.watch(path) as page:
        page.evaluate(NOTE_TINTS)
        expected = []
        # where the ball goes, the nodes of a side change their places
        for holder in (HOME_NFL, AWAY_NFL):
            expected.append([site.score(), 2000])
            ball = {"possession": holder}
            site.edit(update(Game).where(Game.espn_id == LIVE_NFL).values(situation=ball))
            pass_seconds(page, TICK)
            expect(page.locator(".ball")).to_have_count(1)
            assert page.evaluate("tints") == expected


def test_score_that_changes_is_not_tinted_where_less_motion_is_wanted(visitors, site):
    with visitors.watch(reduced_motion="reduce") as page:
        page.evaluate(NOTE_TINTS)
        points = site.score()
        pass_seconds(page, TICK)
        expect(page.locator(HOME_SCORE)).to_have_text(points)
        assert page.evaluate("tints") == []


def test_selected_text_stays_selected_when_a_score_changes(visitors, site):
    with visitors.watch() as page:
        page.evaluate("getSelection().selectAllChildren(document.querySelector('#nba'))")
        points = site.score()
        pass_seconds(page, TICK)
        expect(page.locator(HOME_SCORE)).to_have_text(points)
        assert page.evaluate("String(getSelection())").strip() == "NBA"


def test_game_that_goes_from_live_to_final_moves_down_with_its_focus(visitors, site):
    with visitors.watch("/nba") as page:
        first = page.locator("#main .games li").first
        name = first.get_attribute("id")
        page.locator(f"#{name} > a").focus()
        site.force("nba", name.removeprefix("nba"), status="STATUS_FINAL", detail="Final")
        pass_seconds(page, TICK)
        expect(page.locator(f"#{name} b")).to_have_text("Final")
        expect(page.locator("#main .games li").first).not_to_have_id(name)
        assert page.evaluate("document.activeElement.closest('li').id") == name


# Some digits are a sixty-fourth of a pixel wider than others, which browsers call a shift, too.
MOVES = """shifted.flatMap((one) => one.sources)
    .map((it) => [it.node?.textContent, it.currentRect.x - it.previousRect.x,
                  it.currentRect.y - it.previousRect.y])
    .filter(([, x, y]) => Math.hypot(x, y) >= 0.5)"""


NOTE_SHIFTS = """() => {
    window.shifted = []
    new PerformanceObserver((list) => shifted.push(...list.getEntries()))
        .observe({ type: "layout-shift", buffered: false })
}"""


def test_nothing_shifts_when_a_team_gets_to_a_hundred(visitors, site):
    site.force("nba", HALFTIME_NBA, home_score=99)
    with visitors.watch("/live", width=320) as page:
        page.evaluate(NOTE_SHIFTS)
        site.force("nba", HALFTIME_NBA, home_score=100)
        pass_seconds(page, TICK)
        expect(page.locator(f"#nba{HALFTIME_NBA} .s").last).to_have_text("100")
        painted(page)
        assert page.evaluate(MOVES) == []


@pytest.mark.parametrize("width", [320, 1920])
def test_nothing_shifts_when_scores_change(visitors, site, width):
    with visitors.watch(width=width) as page:
        page.evaluate(NOTE_SHIFTS)
        for _ in range(3):
            points = site.score()
            pass_seconds(page, TICK)
            expect(page.locator(HOME_SCORE)).to_have_text(points)
        painted(page)
        assert page.evaluate(MOVES) == []


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_shifts_on_a_games_page_when_a_score_comes_or_is_corrected(visitors, site, width):
    with visitors.watch(f"/nfl/games/{LIVE_NFL}", width=width) as page:
        page.evaluate("scrollTo(0, 9999)")
        page.evaluate(NOTE_SHIFTS)
        rows = page.locator("#of-timeline tbody tr")
        before = rows.count()
        for more, points in enumerate((site.points + 7, site.points + 5, site.points + 8), 1):
            site.points = points
            site.force("nfl", LIVE_NFL, home_score=points)
            pass_seconds(page, TICK)
            expect(rows).to_have_count(before + more)
        painted(page)
        assert page.evaluate(MOVES) == []


def painted(page: Page) -> None:
    """Wait until what was changed has been painted, and observers have been told."""
    page.screenshot()
    page.clock.run_for(200)
    page.screenshot()


def test_unchanged_page_is_answered_with_304(visitors, site):
    with visitors.watch("/live") as page:
        site.requests.clear()
        answers_after(page, site, TICK, "/live", 1)
        assert [one for one in site.requests if one[0] == "/live"] == [("/live", 304)]


def answers_after(page: Page, site: DemoSite, seconds: int, path: str, count: int) -> None:
    """Let time pass and wait until this address was asked for ``count`` times."""
    pass_seconds(page, seconds)
    until(page, lambda: site.asked(path) >= count)


def until(page: Page, what: Callable[[], bool]) -> None:
    """Wait, as long as for anything else."""
    for _ in range(PATIENCE // 50):
        if what():
            return
        page.wait_for_timeout(50)
    pytest.fail("not true in time")


def test_quiet_page_is_asked_for_every_few_minutes_only(visitors, site):
    with visitors.watch("/nba/2026-10-24") as page:
        site.requests.clear()
        page.clock.run_for(280_000)
        page.wait_for_timeout(200)
        assert site.asked("/nba/2026-10-24") == 0
        answers_after(page, site, 30, "/nba/2026-10-24", 1)


@pytest.mark.parametrize("path", ["/nhl/standings", "/mlb/teams", "/nfl/months/2026-10"])
def test_page_without_games_asks_again_too(visitors, site, path):
    with visitors.watch(path) as page:
        site.requests.clear()
        answers_after(page, site, TICK, path, 1)


def test_page_of_an_unread_day_fills_itself_once_it_was_read(visitors, site):
    with visitors.watch("/nba/2027-01-20") as page:
        expect(page.get_by_text("have not been read from the feed")).to_be_visible()
        site.read("nba", date(2027, 1, 20))
        page.clock.run_for(300_000)
        expect(page.locator(".games .g").first).to_be_visible()
        expect(page.get_by_text("not been read from the feed")).to_have_count(0)


def test_pause_holds_a_score_and_is_remembered(visitors, site):
    with visitors.watch() as page:
        before = page.locator(HOME_SCORE).inner_text()
        page.get_by_role("button", name="Pause").click()
        points = site.score()
        site.requests.clear()
        page.clock.run_for(QUARTER_HOUR)
        page.wait_for_timeout(300)
        assert site.asked("/") == 0
        expect(page.locator(HOME_SCORE)).to_have_text(before)
        page.reload()
        since = re.compile(r"^Paused since 8:45\sPM. Resume$")
        expect(page.locator("#pause")).to_have_text(since)
        expect(page.locator("#ago")).to_be_hidden()
        later = site.score()
        site.requests.clear()
        page.clock.run_for(QUARTER_HOUR)
        page.wait_for_timeout(300)
        assert site.asked("/") == 0
        expect(page.locator(HOME_SCORE)).to_have_text(points)
        page.get_by_role("button", name="Resume").click()
        page.clock.run_for(1)
        expect(page.locator(HOME_SCORE)).to_have_text(later)
        expect(page.locator("#ago")).to_be_visible()
        page.get_by_role("button", name="Pause").click()
        page.context.add_cookies([{"name": "clock", "value": "24", "url": site.url}])
        page.reload()
        expect(page.locator("#pause")).to_have_text(re.compile(r"^Paused since \d\d:\d\d. Resume$"))
        page.clock.pause_at(site.now + timedelta(days=1, minutes=40))
        page.reload()
        expect(page.locator("#pause")).to_have_text("Pause")


HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden })
    document.dispatchEvent(new Event("visibilitychange"))
}"""


def test_hidden_tab_does_not_poll_and_asks_at_once_when_it_is_seen_again(visitors, site):
    with visitors.watch() as page:
        page.evaluate(HIDE, True)
        site.requests.clear()
        points = site.score()
        page.clock.run_for(QUARTER_HOUR)
        page.wait_for_timeout(300)
        assert site.asked("/") == 0
        page.evaluate(HIDE, False)
        page.clock.run_for(1)
        expect(page.locator(HOME_SCORE)).to_have_text(points)


def test_errors_make_it_ask_less_often_down_to_once_a_minute_and_success_ends_that(visitors, site):
    with visitors.watch() as page:
        times: list[int] = []

        def refuse(route: Route) -> None:
            times.append(1)
            route.fulfill(status=503, body="busy")

        page.route(site.url + "/", refuse)
        gaps = [seconds_until(page, lambda n=n: len(times) > n) for n in range(8)]
        ranges = [(12, 15), (3, 6), (6, 10), (12, 18), (24, 34), (48, 61), (60, 61), (60, 61)]
        for gap, (least, most) in zip(gaps, ranges, strict=True):
            assert least <= gap <= most, gaps
        page.unroute(site.url + "/")
        points = site.score()
        assert seconds_until(page, lambda: page.locator(HOME_SCORE).inner_text() == points) <= 62
        site.requests.clear()
        answers_after(page, site, TICK, "/", 1)


def seconds_until(page: Page, what: Callable[[], bool]) -> int:
    """How many of the browser's seconds pass until this is so."""
    for seconds in range(1, 900):
        pass_seconds(page, 1)
        if what():
            return seconds
    pytest.fail("not true in time")


def note_requests(page: Page) -> None:
    """Keep in AWAITED which requests of a page have no answer yet."""
    awaited = AWAITED[page] = set()
    page.on("request", lambda request: awaited.add(request))
    page.on("requestfinished", lambda request: awaited.discard(request))
    page.on("requestfailed", lambda request: awaited.discard(request))


def pass_seconds(page: Page, count: int) -> None:
    """Let so many of the browser's seconds pass, none of them while an answer is awaited."""
    for _ in range(count):
        page.clock.run_for(1000)
        page.wait_for_timeout(10)
        if AWAITED[page]:
            until(page, lambda: not AWAITED[page])
            page.wait_for_timeout(50)


def next_reading(site: DemoSite, seconds: float | None) -> None:
    """The feed is read in so many seconds, by the site's clock, or at an unknown time."""
    at = None if seconds is None else site.now + timedelta(seconds=1 + seconds)
    site.edit(update(LeagueRow).values(next_read_at=at))


@pytest.mark.parametrize(
    ("seconds", "age", "least", "most"),
    [(7, 0, 7, 10), (7, 3, 4, 7), (0, 0, 3, 6), (1, 0, 3, 6), (40, 0, 12, 15), (None, 0, 12, 15)],
)
def test_page_asks_when_the_feed_has_been_read(visitors, site, seconds, age, least, most):
    """Within two seconds after it; not within three seconds; after twelve to see that we are there.

    A shared cache that has kept the answer for some seconds says so in Age.
    """

    times: list[int] = []

    def kept(route: Route) -> None:
        times.append(1)
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "age": str(age)})

    with visitors.watch("/live") as page:
        next_reading(site, seconds)
        page.route(site.url + "/live", kept)
        try:
            gaps = [seconds_until(page, lambda n=n: len(times) > n) for n in range(4)]
        finally:
            next_reading(site, None)
            page.unroute(site.url + "/live")
    assert 12 <= gaps[0] <= 15  # nothing was known the time before
    assert all(least <= gap <= most for gap in gaps[1:]), gaps


def test_page_of_another_day_does_not_follow_the_feed(visitors, site):
    with visitors.watch("/nba/2026-10-24") as page:
        next_reading(site, 7)
        before = site.asked("/nba/2026-10-24")
        page.clock.run_for(280_000)
        page.wait_for_timeout(200)
        assert site.asked("/nba/2026-10-24") == before
        next_reading(site, None)


# ---------------------------------------------------------------- what it shows when nothing comes

MARK = "#main .g.in p b"
COLOURS = """(mark) => {
    const at = document.querySelector(mark), card = at.closest(".g")
    return [getComputedStyle(at).color, getComputedStyle(card, ":before").backgroundColor]
}"""
OFFLINE = "You are offline: scores may be late."
AWAY = "This site cannot be reached: scores may be late."


def test_offline_is_said_at_once_and_back_online_the_page_asks_at_once(visitors, site):
    with visitors.watch() as page:
        note, coloured = page.locator("#offline"), page.evaluate(COLOURS, MARK)
        expect(note).to_have_text("")
        page.clock.run_for(4000)
        page.context.set_offline(True)
        expect(note).to_have_text(OFFLINE)
        assert note.get_attribute("role") == "status"
        grey = page.evaluate(COLOURS, MARK)
        assert all(one != other for one, other in zip(coloured, grey, strict=True))
        points, before = site.score(), site.asked("/")
        page.clock.run_for(60_000)
        page.wait_for_timeout(200)
        assert site.asked("/") == before
        expect(note).to_have_text(OFFLINE)
        page.context.set_offline(False)
        until(page, lambda: page.evaluate("navigator.onLine"))
        page.wait_for_timeout(100)
        page.clock.run_for(3_100)  # it may have tried just before
        expect(page.locator(HOME_SCORE)).to_have_text(points)
        expect(note).to_have_text("")
        assert page.evaluate(COLOURS, MARK) == coloured


@pytest.mark.parametrize("how", ["refuses", "is silent", "is busy"])
def test_site_that_is_away_is_said_so_within_twenty_seconds_until_it_is_back(visitors, site, how):
    def answer(route: Route) -> None:
        if how == "refuses":
            route.abort("connectionrefused")
        elif how == "is busy":
            route.fulfill(status=503, body="busy")

    with visitors.watch() as page:
        note, coloured = page.locator("#offline"), page.evaluate(COLOURS, MARK)
        page.route(site.url + "/", answer)
        if how == "is silent":
            page.clock.run_for(19_000)
        else:
            seconds = seconds_until(page, lambda: note.inner_text() == AWAY)
            assert 15 <= seconds <= 20
        expect(note).to_have_text(AWAY)
        assert page.evaluate(COLOURS, MARK) != coloured
        page.unroute(site.url + "/")
        points = site.score()
        assert seconds_until(page, lambda: page.locator(HOME_SCORE).inner_text() == points) <= 62
        expect(note).to_have_text("")
        assert page.evaluate(COLOURS, MARK) == coloured


def test_one_request_that_fails_is_not_talked_about(visitors, site):
    with visitors.watch() as page:
        page.route(site.url + "/", lambda route: route.abort(), times=1)
        said = set()
        for _ in range(30):
            pass_seconds(page, 1)
            said.add(page.locator("#offline").inner_text())
        assert said == {""}


def test_feed_that_fails_for_two_minutes_is_said_so_until_it_is_read_again(visitors, site):
    with visitors.watch() as page:
        alarm, note = page.locator("#failing"), page.locator("#offline")
        coloured = page.evaluate(COLOURS, MARK)
        expect(alarm).to_have_count(0)
        site.edit(update(LeagueRow).where(LeagueRow.slug == "nfl").values(failing_since=site.now))
        assert seconds_until(page, lambda: alarm.count() == 1) <= 15
        for _ in range(8):  # two minutes
            pass_seconds(page, TICK)
            expect(alarm).to_contain_text("NFL: the feed has been failing since")
            expect(note).to_have_text("")
            assert page.evaluate(COLOURS, MARK) == coloured
        site.edit(update(LeagueRow).where(LeagueRow.slug == "nfl").values(failing_since=None))
        points = site.score()
        assert seconds_until(page, lambda: page.locator(HOME_SCORE).inner_text() == points) <= 15
        expect(alarm).to_have_count(0)


def test_listener_hears_scores_and_states_but_not_the_clock(visitors, site):
    with visitors.watch("/nfl", favourites=f"nfl-{HOME_NFL}") as page:
        said = page.locator("#say")
        site.force("nfl", LIVE_NFL, detail="5:00 - 1st Quarter")
        pass_seconds(page, TICK)
        expect(page.locator(f"{CARD} b")).to_have_text("5:00 - 1st")
        expect(said).to_have_text("")
        points = site.score()
        pass_seconds(page, TICK)
        expect(said).to_have_text(f"Bears 3, Panthers {points}, live")
        assert page.locator("[aria-live]").count() == 1
        assert said.get_attribute("aria-live") == "polite"


def test_age_of_the_data_is_kept_current_although_the_page_is_not_sent_again(visitors, site):
    confirm(site)
    with visitors.watch("/live") as page:
        seconds = int(page.locator("#ago").inner_text().removesuffix(" s ago"))
        page.clock.run_for(7000)
        expect(page.locator("#ago")).to_have_text(f"{seconds + 7} s ago")
        site.now += timedelta(seconds=10)
        confirm(site)
        site.requests.clear()
        answers_after(page, site, 10, "/live", 1)
        assert ("/live", 304) in site.requests
        page.clock.run_for(1000)
        expect(page.locator("#ago")).to_have_text(f"{seconds + 8} s ago")


def confirm(site: DemoSite) -> None:
    """The feed is read well now, and says the same."""
    with site.app.app_context():
        feed_read_at(site.now)


def test_script_puts_pause_in_the_place_of_refresh(visitors):
    with visitors.visit() as page:
        expect(page.locator("#pause")).to_be_visible()
        expect(page.locator("#refresh")).to_be_hidden()


# ---------------------------------------------------------------- without script


def test_every_page_has_the_same_content_without_script(visitors):
    with (
        visitors.context(java_script_enabled=True) as one,
        visitors.context(java_script_enabled=False) as other,
    ):
        with_script, without = one.new_page(), other.new_page()
        for name, path in PAGES.items():
            with_script.goto(path)
            without.goto(path)
            assert content(without) == content(with_script), name


def test_refresh_link_stands_in_for_the_script(visitors, site):
    with visitors.visit(java_script_enabled=False) as page:
        expect(page.locator("#pause")).to_be_hidden()
        points = site.score()
        page.get_by_role("link", name="Refresh").click()
        expect(page.locator(HOME_SCORE)).to_have_text(points)


def test_zone_form_works_without_script(visitors):
    with visitors.visit(f"/nhl/games/{COMING_NHL}", java_script_enabled=False) as page:
        expect(page.locator(".game")).to_contain_text("9:35 PM")
        page.get_by_role("link", name="Preferences").click()
        page.get_by_label("Time zone").fill("America/Los Angeles")
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".game")).to_contain_text("6:35 PM")
        page.get_by_role("link", name="Preferences").click()
        page.get_by_label("Time zone").fill("berlin")
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".game")).to_contain_text("2:35 AM")


def test_favourite_form_works_without_script(visitors):
    with visitors.visit("/nhl/teams/COL", java_script_enabled=False) as page:
        page.get_by_role("button", name="Add Colorado Avalanche to favourites").click()
        expect(page).to_have_url(f"{visitors.site.url}/nhl/teams/COL")
        page.goto("/")
        expect(page.locator(".mine li")).to_contain_text("Avalanche")
        expect(page.locator("h2").nth(1)).to_have_text("NHL")
        expect(page.locator(".games li").first).to_contain_text("Avalanche")
        page.goto("/preferences")
        page.get_by_role("button", name="Remove Colorado Avalanche").click()
        page.goto("/")
        expect(page.locator("h2").first).to_have_text("NFL")


def test_date_field_works_without_script(visitors):
    with visitors.visit("/nba", java_script_enabled=False) as page:
        page.get_by_role("link", name="Month").click()
        page.get_by_label("Day", exact=True).fill("2026-10-24")
        page.get_by_role("button", name="Go").click()
        expect(page).to_have_url(f"{visitors.site.url}/nba/2026-10-24")


def test_search_works_without_script(visitors):
    with visitors.visit(java_script_enabled=False) as page:
        page.get_by_label("Find a team").fill("giants")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Search results")
        page.get_by_role("link", name="San Francisco Giants").click()
        expect(page).to_have_url(f"{visitors.site.url}/mlb/teams/SF")
        page.get_by_label("Find a team").fill("packers")
        page.get_by_role("button", name="Search").click()
        expect(page).to_have_url(f"{visitors.site.url}/nfl/teams/GB")


def test_scores_are_hidden_and_revealed_without_script(visitors):
    with visitors.visit("/preferences", java_script_enabled=False) as page:
        page.get_by_role("button", name="Hide scores").click()
        page.goto("/nfl")
        assert page.locator(".s").count() == 0
        for espn_id in (FINAL_NFL, LIVE_NFL):
            page.locator(f"#nfl{espn_id}").get_by_role("link", name="Show score").click()
        for espn_id in (FINAL_NFL, LIVE_NFL):
            assert page.locator(f"#nfl{espn_id} .s").count() == 2
        assert page.locator(".s").count() == 4


# ---------------------------------------------------------------- spoiler-free


SPOILERS = """() => {
    const marks = [...document.querySelectorAll(".s, .w, .t, .line, #say:not(:empty), [data-say]")]
    return marks.map((one) => one.outerHTML)
}"""
EXTRA = (
    r"- [1-4](?:st|nd|rd|th)|\b(?:OT|SO|Quarter|Period|Shootout)\b"
    r"|\b(?:Top|Bottom|Middle|End) |leads|/1\d\b"
)
RESULT = r"(?<![-\d/.])\b\d{1,3}-\d{1,3}(?:-\d{1,2})?\b(?![-\d])"
TEXT = """() => {
    const hidden = [...document.querySelectorAll("title, script, meta")]
    const said = hidden.map((one) => `${one.textContent} ${one.content ?? ""}`)
    document.querySelector("#of-roster")?.remove()
    return [...said, document.body.innerText].join(" ").replaceAll("2026-27", "")
}"""


@pytest.mark.parametrize("name", PAGES)
def test_spoiler_free_page_tells_no_result(visitors, name):
    with visitors.visit(PAGES[name], hides=True) as page:
        assert page.evaluate(SPOILERS) == []
        assert re.findall(f"{EXTRA}|{RESULT}", page.evaluate(TEXT)) == []


def test_words_that_are_looked_for_are_there_when_scores_are_shown(visitors):
    found = set()
    with visitors.context() as context:
        page = context.new_page()
        for path in PAGES.values():
            page.goto(path)
            found |= set(re.findall(f"{EXTRA}|{RESULT}", page.evaluate(TEXT)))
    assert {"OT", "Quarter", "- 1st", "Top ", "leads", "2-4", "4-2-1", "24-20"} <= found


def test_spoiler_free_page_says_how_games_stand_without_extra_periods(visitors):
    with visitors.visit("/nhl", hides=True) as page:
        expect(page.locator(f"#nhl{OVERTIME_NHL} b")).to_have_text("Final")
        expect(page.locator("#nhl401333139 b")).to_have_text("Live")
    with visitors.visit("/nba", hides=True) as page:
        card = page.locator(f"#nba{POSTPONED_NBA}")
        expect(card.locator("b")).to_have_text("Postponed")
        assert card.get_by_role("link", name="Show score").count() == 0


def test_live_refresh_keeps_scores_hidden_and_a_revealed_one_shown(visitors, site):
    with visitors.watch(f"/nfl?reveal={FINAL_NFL}", hides=True) as page:
        site.score()
        site.requests.clear()
        pass_seconds(page, TICK)
        until(page, lambda: (f"/nfl?reveal={FINAL_NFL}", 200) in site.requests)
        page.wait_for_timeout(200)
        assert page.locator(f"#nfl{FINAL_NFL} .s").count() == 2
        assert page.locator(".s").count() == 2
        expect(page.locator("#say")).to_have_text("")
        page.locator(CARD).get_by_role("link", name="Show score").click()
        points = site.score()
        pass_seconds(page, TICK)
        expect(page.locator(HOME_SCORE)).to_have_text(points)


# ---------------------------------------------------------------- the look


FOR_THE_SCREEN = """() => [...document.querySelectorAll("nav, form, button, input, footer")]
    .filter((one) => one.checkVisibility()).map((one) => one.outerHTML.slice(0, 60))"""
SPLIT = """() => [...document.querySelectorAll(".g, .game, tr, .teams li")]
    .filter((one) => getComputedStyle(one).breakInside !== "avoid").length"""
PAPER = """() => [getComputedStyle(document.body), getComputedStyle(document.querySelector("h1"))]
    .map((style, n) => [style.backgroundColor, style.color][n])"""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_paper_has_dark_ink_and_nothing_to_press_and_no_card_on_two_sheets(visitors, scheme):
    with visitors.context(color_scheme=scheme) as context:
        page = context.new_page()
        page.emulate_media(media="print", color_scheme=scheme)
        for name, path in PAGES.items():
            page.goto(path)
            assert page.evaluate(FOR_THE_SCREEN) == [], name
            assert page.evaluate(SPLIT) == 0, name
            assert page.evaluate(PAPER) == ["rgb(255, 255, 255)", "rgb(20, 26, 36)"], name


# Of each kind of mark: whether it looks different from what lies around it.
MARKS = """() => {
    const style = (which, part) => getComputedStyle(document.querySelector(which), part)
    const border = (which) => style(which).borderBottomColor
    return {
        menu: border("header [aria-current]") !== border("header nav a:not([aria-current])"),
        tab: border(".tabs [aria-current]") !== border(".tabs a:not([aria-current])"),
        day: style(".days [aria-current]").outlineStyle === "solid",
        live: style(".g.in", ":before").backgroundColor !== style(".g.in").backgroundColor,
        dot: style(".in b", ":before").backgroundColor !== style(".g.in").backgroundColor,
    }
}"""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_current_or_live_is_seen_in_forced_colours(visitors, scheme):
    with visitors.visit("/nfl", forced_colors="active", color_scheme=scheme) as page:
        assert [name for name, is_seen in page.evaluate(MARKS).items() if not is_seen] == []
        page.goto("/nfl/months/2026-10")
        expect(page.locator(".month [aria-current]")).to_have_css("outline-style", "solid")


# Lines of text that a box cuts, or that lie upon each other; what slides in a box is no fault.
CROWDED = """() => {
    const faults = [], lines = []
    if (document.documentElement.scrollWidth > innerWidth) faults.push("slides sideways")
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
        const node = walker.currentNode, owner = node.parentElement
        const text = node.data.trim().slice(0, 30)
        const isApart = owner.closest(".skip, .ask, option, #say")
        if (!text || isApart || !owner.checkVisibility()) continue
        const boxes = []
        for (let up = owner; up !== document.body; up = up.parentElement)
            if (getComputedStyle(up).overflowX !== "visible") boxes.push(up)
        if (boxes.some((box) => box.clientWidth <= 1)) continue // for screen readers
        const range = document.createRange()
        range.selectNodeContents(node)
        for (const line of range.getClientRects()) {
            let { left, right, top, bottom } = line
            for (const box of boxes) {
                const edge = box.getBoundingClientRect()
                const isWide = right > edge.right + 2 || left < edge.left - 2
                const isHigh = bottom > edge.bottom + 3 || top < edge.top - 3
                const { overflowX, overflowY } = getComputedStyle(box)
                const slides = overflowX !== "hidden"
                const rolls = overflowY === "auto" && box.scrollHeight > box.clientHeight + 3
                if ((isWide && !slides) || (isHigh && !rolls)) faults.push(`cut: ${text}`)
                left = Math.max(left, edge.left)
                right = Math.min(right, edge.right)
                if (rolls) top = Math.max(top, edge.top)
                if (rolls) bottom = Math.min(bottom, edge.bottom)
            }
            if (right - left <= 1 || bottom <= top) continue
            lines.push({ owner, text, left, right, top, bottom })
        }
    }
    for (const [n, one] of lines.entries())
        for (const other of lines.slice(n + 1)) {
            const x = Math.min(one.right, other.right) - Math.max(one.left, other.left)
            const y = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top)
            if (one.owner !== other.owner && x > 2 && y > 6)
                faults.push(`${one.text} on ${other.text}`)
        }
    return [...new Set(faults)]
}"""
LARGE = """() => {
    document.documentElement.style.fontSize = "200%"
    // what is not in the window yet is laid out, as it is when somebody slides there
    for (const list of document.querySelectorAll(".plays")) list.style.contentVisibility = "visible"
}"""


@pytest.mark.parametrize("hides", [False, True], ids=["shown", "hidden"])
def test_text_of_twice_the_size_is_neither_cut_nor_crowded_on_a_phone(visitors, hides):
    faults = {}
    with visitors.context(width=390, hides=hides, favourites="nfl-3.nba-5.nhl-17") as context:
        page = context.new_page()
        for name, path in PAGES.items():
            page.goto(path)
            page.evaluate(LARGE)
            faults[name] = page.evaluate(CROWDED)
    assert faults == {name: [] for name in PAGES}


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_from_right_to_left_are_mirrored_and_slide_no_way(visitors, width):
    with visitors.context(width=width) as context:
        page = context.new_page()
        for name, path in PAGES.items():
            page.goto(path)
            page.evaluate("document.documentElement.dir = 'rtl'")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        page.goto("/")
        page.evaluate("document.documentElement.dir = 'rtl'")
        name, score = (page.locator(f"{CARD} .{part}").first.bounding_box() for part in "ns")
        assert score["x"] < name["x"]
        mark = page.evaluate(
            "card => getComputedStyle(document.querySelector(card), ':before').right", CARD
        )
        assert mark == "0px"


def test_nothing_moves(visitors):
    with visitors.visit(reduced_motion="reduce") as page:
        moving = page.evaluate(
            """() => [...document.querySelectorAll("*")].filter((one) => {
                const style = getComputedStyle(one)
                return style.animationName !== "none" || style.transitionDuration !== "0s"
            }).length"""
        )
    assert moving == 0


def test_device_zone_is_offered(visitors):
    with visitors.visit("/preferences", timezone_id="Asia/Tokyo") as page:
        page.get_by_role("button", name="Use this device's zone: Asia/Tokyo").click()
        expect(page.locator("footer")).to_contain_text("Times: Asia/Tokyo")


def test_own_zone_is_offered_on_a_score_page_and_taken_with_one_click(visitors):
    with visitors.visit(f"/nhl/games/{COMING_NHL}", timezone_id="Europe/Berlin") as page:
        expect(page.locator(".game")).to_contain_text("9:35 PM")
        page.get_by_role("button", name="Use Europe/Berlin").click()
        expect(page.locator(".game")).to_contain_text("2:35 AM")
        expect(page.locator("h1")).to_be_visible()
        assert page.url.endswith(f"/nhl/games/{COMING_NHL}")
        expect(page.locator("#own")).to_have_count(0)


@pytest.mark.parametrize(
    ("zone", "kick_off"), [("America/New_York", "8:20 PM"), ("Asia/Tokyo", "10:20 AM")]
)
def test_what_people_ask_a_phone_takes_two_taps_at_most(visitors, zone, kick_off):
    phone = {"width": 390, "has_touch": True, "timezone_id": zone}
    with visitors.visit(**phone, favourites="nfl-17") as page:
        if zone != "America/New_York":  # one tap
            page.get_by_role("button", name=f"Use {zone}").tap()
        # star it: two taps and its name
        page.get_by_role("button", name="Search").tap()
        expect(page.get_by_label("Name, city or abbreviation")).to_be_focused()
        page.keyboard.type("bears")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Add Chicago Bears to favourites").tap()
        expect(page.get_by_role("button", name="Remove Chicago Bears")).to_be_visible()
        # how did it do, how does it stand: none
        page.goto("/")
        mine = page.locator(".mine li")
        expect(mine.filter(has_text="Patriots")).to_contain_text("W 23-22")
        expect(mine.filter(has_text="Bears")).to_contain_text("at Panthers")
        # when does it play next, on which channel: one
        mine.get_by_role("link", name="Bears").tap()
        coming = page.locator("#of-next tbody tr").first
        expect(coming).to_contain_text("Commanders")
        expect(coming).to_contain_text(kick_off)
        expect(coming).to_contain_text("FOX")
        # how does the table stand: two
        page.goto("/")
        page.get_by_role("navigation", name="Leagues").get_by_role("link", name="NFL").tap()
        page.get_by_role("link", name="Standings").tap()
        expect(page.get_by_role("row", name="Bears")).to_contain_text(".333")
        # hide scores: two
        page.goto("/")
        page.get_by_role("link", name="Preferences").tap()
        page.get_by_role("button", name="Hide scores").tap()
        expect(page.locator(".mine li").first).to_be_visible()
        assert page.locator(".s").count() == 0


def test_own_zone_is_not_offered_again_once_it_was_declined(visitors):
    with visitors.visit(timezone_id="Europe/Berlin") as page:
        page.get_by_role("button", name="No, thanks").click()
        expect(page.locator("#own")).to_be_hidden()
        for path in ("/", "/nfl"):
            page.goto(visitors.site.url + path)
            expect(page.locator("#pause")).to_be_visible()  # the script has run
            expect(page.locator("#own")).to_be_hidden()


@pytest.mark.parametrize("zone", ["America/New_York", "America/Toronto"])
def test_zone_with_the_same_time_is_not_offered(visitors, zone):
    with visitors.visit(timezone_id=zone) as page:
        expect(page.locator("#pause")).to_be_visible()
        expect(page.locator("#own")).to_be_hidden()


def test_zone_that_is_taken_leaves_scores_hidden(visitors):
    with visitors.context(hides=True, timezone_id="Europe/Berlin") as context:
        page = context.new_page()
        page.goto(visitors.site.url)
        page.get_by_role("button", name="Use Europe/Berlin").click()
        expect(page.locator("footer")).to_contain_text("Times: Europe/Berlin. Scores are hidden.")


def test_own_zone_is_not_offered_without_script(visitors):
    with visitors.visit(timezone_id="Europe/Berlin", java_script_enabled=False) as page:
        expect(page.locator("#own")).to_be_hidden()


# ---------------------------------------------------------------- how much is seen at once


BESIDE = """(which) => {
    const lines = Map.groupBy(document.querySelectorAll(which), (one) => one.offsetTop)
    return [...lines.values()].map((line) => line.length)
}"""


@pytest.mark.parametrize(("width", "leagues", "games"), [(1920, [2, 2], 6), (1280, [1, 2, 1], 4)])
def test_leagues_stand_beside_each_other_where_there_is_room(visitors, width, leagues, games):
    with visitors.visit(width=width) as page:
        assert page.evaluate(BESIDE, "#leagues > section") == leagues
        page.goto("/nfl")
        assert page.evaluate(BESIDE, ".g")[0] == games
        assert page.evaluate(BESIDE, "#days > section") == [2]


@pytest.mark.parametrize(("width", "sections"), [(1920, [2, 1]), (1280, [1, 1, 1])])
def test_teams_of_a_box_score_stand_beside_each_other_where_there_is_room(
    visitors, width, sections
):
    with visitors.visit(f"/nfl/games/{FINAL_NFL}/box", width=width) as page:
        assert page.evaluate(BESIDE, "#box > section") == sections


COLUMNS = """() => [...document.querySelectorAll(".scroll")].map((table) => {
    const heads = [...table.querySelectorAll("thead th")]
    const edge = table.getBoundingClientRect().left
    return heads.map((one) => Math.round(one.getBoundingClientRect().right - edge))
})"""


@pytest.mark.parametrize("width", [1280, 1920])
def test_columns_of_the_divisions_stand_below_each_other(visitors, width):
    with visitors.visit("/nfl/standings", width=width) as page:
        first, *others = page.evaluate(COLUMNS)
        assert len(others) == 7
        for columns in others:
            assert columns == pytest.approx(first, abs=2)


WHOLE = """() => {
    const games = [...document.querySelectorAll("li.g")].map((one) => one.getBoundingClientRect())
    return [Math.round(games[0].top), games.filter((box) => box.bottom <= innerHeight).length]
}"""
CUT = """() => [...document.querySelectorAll("li.g .n, li.g .s, li.g b")]
    .filter((one) => getComputedStyle(one).display !== "inline")
    .filter((one) => one.scrollWidth > one.clientWidth + 1)
    .map((one) => one.textContent)"""


@pytest.mark.parametrize(("width", "height", "least"), [(390, 844, 8), (320, 640, 5)])
@pytest.mark.parametrize("path", ["/", "/nfl", "/nfl/2026-10-18", "/nfl/weeks/2026/2/7"])
def test_first_screen_of_a_phone_has_enough_whole_games(visitors, path, width, height, least):
    with visitors.visit(path, width=width, timezone_id="America/New_York") as page:
        page.set_viewport_size({"width": width, "height": height})
        first, whole = page.evaluate(WHOLE)
        print(f"{path} at {width} x {height}: first game at {first} px, {whole} whole games")
        assert first <= 220
        assert whole >= least
        assert page.evaluate(CUT) == []


@pytest.mark.parametrize("width", [390, 320])
def test_afternoon_of_live_games_is_seen_at_once(visitors, site, width):
    """Eight football games in play, with ball, down and channel."""
    with visitors.visit("/nfl", width=width, timezone_id="America/New_York") as page:
        page.set_viewport_size({"width": width, "height": 844 if width == 390 else 640})
        page.evaluate(
            """() => {
                const list = document.querySelector(".games")
                const live = list.querySelector(".in")
                for (const one of list.querySelectorAll("li:not(.in)"))
                    one.replaceWith(live.cloneNode(true))
            }"""
        )
        first, whole = page.evaluate(WHOLE)
        print(f"live at {width}: first game at {first} px, {whole} whole games")
        assert whole >= (8 if width == 390 else 5)

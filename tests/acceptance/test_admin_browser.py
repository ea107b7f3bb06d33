"""The panel in a real browser: a backfill from form to result; nothing destroyed unconfirmed.

The first tests have a real broker, both consumers and the demo feed; the others a filled ledger.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import select

from demo import DemoState, create_demo_feed, running_feed
from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db, writing
from sportsapp.db.models import AdminUser, DeadLetter, Game, RunState, ScheduleRow, TaskRun
from sportsapp.queue.huey import huey
from tests.acceptance.chromium import CHROMIUM, FLAGS, needs_chromium
from tests.acceptance.conftest import wait_for
from tests.integration.test_admin_data import add_game, add_player, add_team
from tests.loopback import serving
from tests.panel import (
    NAME,
    PASSWORD,
    add_batch,
    add_consumer,
    add_failure,
    add_league,
    add_lines,
    add_run,
    change,
    row,
    runs_of,
    signed_in,
)

TASK = "sync_date_range_task"
VIEWS = (
    "/admin/",
    "/admin/failures/",
    "/admin/runs/",
    "/admin/runs/?state=failed&search=broke",
    "/admin/runs/details/?id=failed",
    "/admin/runs/details/?id=running",
    "/admin/runs/?batch=winter",
    "/admin/runs/details/?id=second",
    "/admin/tasks/sync_all_teams",
    "/admin/backfill/",
    "/admin/backfill/?league=all&preset=season",
    "/admin/stored/",
    "/admin/stored/?league=nfl",
    "/admin/stored/day?league=nfl&day=2026-01-10",
    "/admin/schedule/",
    "/admin/leagues/",
    "/admin/teams/",
    "/admin/players/",
    "/admin/games/",
    "/admin/games/details/?id=1",
    "/admin/accounts/",
    "/admin/activity/",
    "/admin/account/",
)
CUT = """[...document.querySelectorAll(".scroll:not(.newest), table")]
    .filter((box) => box.scrollWidth > box.clientWidth + 1)
    .map((box) => box.outerHTML.slice(0, 300))"""
LONG = "all leagues failed: NFL: the feed refused https://example.org/" + "x" * 200

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    needs_chromium,
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def visit(browser: Browser, url: str, complains: bool = False, **options: Any) -> Iterator[Page]:
    """A signed-in admin's page; an error in the browser's console fails the test."""
    context = browser.new_context(base_url=url, **options)
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.goto("/admin/")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    yield page
    context.close()
    assert bool(complaints) is complains, complaints


# ---------------------------------------------------------------- the real thing


@pytest.fixture
def feed() -> Iterator[Any]:
    """The demo feed stands where the other acceptance tests have the loopback feed."""
    app = create_demo_feed(1.0)
    state: DemoState = app.extensions["demo"]
    with running_feed(app) as url:
        state.url = url  # type: ignore[attr-defined]
        yield state


@pytest.fixture
def at_work(real_app, start_consumer, feed) -> Iterator[str]:
    """The panel's address, with broker and consumers behind it."""
    signed_in(real_app)
    for queue in ("huey", "backfill_huey"):
        start_consumer(queue)
    with serving(real_app) as url:
        yield url


def queue_backfill(page: Page, league: str, start: str, end: str) -> None:
    """Fill in the form, look at what it costs, and queue it."""
    page.goto("/admin/backfill/")
    page.get_by_label("League").select_option(label=league)
    page.get_by_label("First day").fill(start)
    page.get_by_label("Last day").fill(end)
    page.get_by_role("button", name="See what it costs").click()
    expect(page.locator("#plan")).to_contain_text(f"{league} from {start} to {end}")
    page.get_by_role("button", name="Queue it").click()
    expect(page.locator("#list")).to_contain_text(f"{league} {start} {end}")


def line(page: Page, words: str) -> Any:
    """A backfill's line."""
    return page.locator("#list tbody tr", has_text=words)


def test_backfill_from_the_form_to_its_games(browser, at_work, feed):
    feed.fail("latency", league="nba", seconds=4)
    with visit(browser, at_work) as page:
        queue_backfill(page, "NBA", "2026-01-01", "2026-03-01")
        page.evaluate("window.notReloaded = true")
        mine = line(page, "NBA 2026-01-01")
        seen = set()

        def bar_has_moved() -> bool:
            bar = mine.locator("progress")
            if bar.count():
                seen.add(bar.get_attribute("value", timeout=1000))
            page.wait_for_timeout(300)
            return len(seen) >= 2

        wait_for(bar_has_moved, seconds=40)
        expect(mine).to_contain_text("SUCCESS", timeout=60_000)
        assert page.evaluate("window.notReloaded")
        assert sorted(seen) == sorted(seen, key=int)
        (run,) = runs_of(TASK)
        assert run.result["synced"] > 300
        assert run.result["errors"] == []
        expect(mine).to_contain_text(str(run.result["synced"]))
        mine.get_by_role("link").click()
        expect(page.locator("main")).to_contain_text(f'"synced": {run.result["synced"]}')
        db.session.rollback()
        assert db.session.scalar(select(Game.id).where(Game.changed_by_run == run.id).limit(1))


@pytest.mark.long
def test_running_backfill_is_cancelled_and_keeps_what_it_has(browser, at_work, feed):
    feed.fail("latency", league="nba", seconds=2)
    with visit(browser, at_work) as page:
        queue_backfill(page, "NBA", "2025-10-01", "2026-06-30")
        mine = line(page, "NBA 2025-10-01")
        expect(mine).to_contain_text("STARTED", timeout=30_000)
        (run,) = runs_of(TASK)
        wait_for(lambda: row(run.id).progress_done >= 2, 30)
        mine.get_by_role("button", name="Cancel").click()
        expect(page.locator("dialog")).to_contain_text("stops after its current chunk")
        page.get_by_role("button", name="Cancel the run").click()
        expect(page.locator(".note.good")).to_contain_text("will stop after its current chunk")
        expect(mine).to_contain_text("REVOKED", timeout=30_000)
        assert row(run.id).result["synced"] > 0
        assert row(run.id).progress_done < row(run.id).progress_total


@pytest.mark.long
def test_failed_run_shows_its_traceback_and_is_run_again(browser, at_work, feed):
    feed.fail("403", league="nfl")
    with visit(browser, at_work) as page:
        queue_backfill(page, "NFL", "2026-01-01", "2026-01-31")
        expect(line(page, "NFL")).to_contain_text("FAILURE", timeout=30_000)
        line(page, "NFL").get_by_role("link").first.click()
        expect(page.locator("#failure .note")).to_contain_text("403")
        page.get_by_text("Traceback", exact=True).click()
        trace = page.locator("pre.trace")
        expect(trace).to_contain_text("FeedRefusedError")
        assert trace.inner_text().count("\n") > 5
        feed.mend()
        page.get_by_role("button", name="Run again").click()
        expect(page.locator(".note.good")).to_contain_text("was queued again")
        again = wait_for(lambda: len(runs_of(TASK)) == 2 and runs_of(TASK)[1], 10)
        wait_for(lambda: row(again.id).state == RunState.SUCCESS, 30)
        page.goto("/admin/failures/")  # the success has resolved it
        expect(page.locator("article")).to_have_count(0)
        page.get_by_role("link", name="resolved or dismissed").click()
        expect(page.locator("article")).to_contain_text("403")
        expect(page.locator("article")).to_contain_text("resolved")


@pytest.mark.long
def test_dashboard_knows_the_consumers_and_outlives_the_broker(browser, at_work, broker):
    with visit(browser, at_work) as page:
        alive = page.locator("#consumers tbody tr")
        expect(alive).to_have_count(6, timeout=30_000)
        expect(page.locator("#queues")).not_to_contain_text("unreachable")
        broker.kill()
        expect(page.locator("#queues")).to_contain_text("broker unreachable", timeout=20_000)
        expect(page.locator("#health")).to_contain_text("WRONG broker")
        expect(page.locator("#health")).to_contain_text("the broker cannot be reached")
        for view in ("/admin/runs/", "/admin/backfill/", "/admin/schedule/"):
            assert page.goto(view).status == 200
        page.get_by_role("button", name="Sign out").click()
    with visit(browser, at_work) as page:  # signing in counts in memory meanwhile
        broker.start()
        expect(page.locator("#queues")).not_to_contain_text("unreachable", timeout=20_000)


# ---------------------------------------------------------------- all views, on a filled ledger


@pytest.fixture
def site(app, offline) -> Iterator[str]:
    """The panel's address, with something to see on every view."""
    signed_in(app)
    signed_in(app, "ben")
    add_consumer()
    now = utc_now()
    nba = add_league("nba", failing_since=now, failure=LONG)
    teams = [add_team(nba, "BOS", "Boston Celtics"), add_team(nba, "LAL", "Los Angeles Lakers")]
    add_player(nba, teams[0], "Ann Alpha")
    args = {"league": "NBA", "start_date": "2026-01-01", "end_date": "2026-01-31"}
    before = args | {"start_date": "2025-12-01", "end_date": "2025-12-31"}  # no day of "running"
    add_failure(error=LONG, id="failed", task=TASK, args=before)
    add_game(nba, *teams, "401", changed_by_run="failed")
    add_run(
        TASK,
        RunState.STARTED,
        id="running",
        args=args,
        progress_done=1,
        progress_total=3,
        queue="sportsapp-backfill",
        resume={"done": 1, "result": {"synced": 5, "errors": [LONG]}},
    )
    add_batch("winter", "NBA from 2025-10-01 to 2026-04-30", runs=2)
    add_run(TASK, RunState.PENDING, id="waiting", args=args, batch_id="winter", started_at=None)
    add_run("sync_all_leagues", id="first", chain_id="both", chain_place=1)
    add_run("sync_all_teams", RunState.STARTED, id="second", chain_id="both", chain_place=2)
    add_lines("running", "NBA: asked again in 4 s (503)", LONG, first=31)
    add_lines("failed", LONG)
    for n in range(60):
        name = list(huey.periodic_tasks)[n % len(huey.periodic_tasks)]
        add_run(name, ago=timedelta(minutes=20 * n), result={"synced": 3, "errors": [LONG]})
    with writing(db.session):
        message = '{"a message": "' + "y" * 400 + '"}'
        db.session.add(
            DeadLetter(
                queue="sportsapp", message=message, size=len(message), reason=LONG, received_at=now
            )
        )
    with serving(app) as url:
        yield url


@pytest.mark.long
def test_no_view_is_wider_than_the_window_and_axe_finds_nothing_serious(browser, site):
    with visit(browser, site, timezone_id="Asia/Tokyo") as page:
        for view in VIEWS:
            page.goto(view)
            expect(page.locator("h1")).to_have_count(1)
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 800})
                wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wider <= 0, f"{view} at {width}"
                assert page.evaluate(CUT) == [], f"{view} at {width}"
                for scheme in ("light", "dark"):
                    page.emulate_media(color_scheme=scheme)
                    assert faults(page) == [], f"{view} at {width}, {scheme}"


def test_run_is_two_lines_on_a_phone_and_the_first_one_is_on_the_first_screen(browser, site):
    with visit(browser, site, viewport={"width": 390, "height": 844}) as page:
        for view, rows in (("/admin/runs/", "tbody tr"), ("/admin/", "#failures tbody tr")):
            page.goto(view)
            boxes = [row.bounding_box() for row in page.locator(rows).all()]
            assert boxes, view
            assert max(box["height"] for box in boxes) <= 64, view
        page.goto("/admin/runs/")
        assert page.locator("tbody tr").first.bounding_box()["y"] < 422  # half of the screen


def test_what_can_be_done_with_marked_runs_shows_once_one_is_marked(browser, site):
    with visit(browser, site) as page:
        page.goto("/admin/runs/")
        bulk = page.get_by_role("form", name="Many runs at once")
        expect(bulk).to_be_hidden()
        page.locator("tbody").get_by_role("checkbox").first.check()
        expect(bulk).to_be_in_viewport()
        page.locator("tbody").get_by_role("checkbox").first.uncheck()
        expect(bulk).to_be_hidden()
        page.get_by_label("that match").check()
        bulk.get_by_role("button", name="Run again").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Are you sure?")


def test_page_of_a_run_shows_its_new_lines_and_its_end_without_reload(browser, site):
    with visit(browser, site) as page:
        page.goto("/admin/runs/details/?id=running")
        page.evaluate("window.isTheSame = true")
        log = page.locator("#log li")
        expect(log).to_have_count(2)
        add_lines("running", "NBA 2026-01-01 to 2026-01-31: 9 games read, 2 changed", first=33)
        change("running", state=RunState.SUCCESS, finished_at=utc_now(), progress_done=3)
        expect(log.last).to_contain_text("9 games read, 2 changed", timeout=10_000)
        expect(page.locator("#state")).to_contain_text("SUCCESS")
        expect(page.locator("#actions")).to_contain_text("Run again")
        assert page.evaluate("window.isTheSame")


def test_sign_in_page_is_without_fault_too(browser, site):
    page = browser.new_page(base_url=site, viewport={"width": 390, "height": 800})
    page.goto("/admin/")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()


def faults(page: Page) -> list[str]:
    """Violations that axe rates serious or critical."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {[node['html'] for node in fault['nodes']]}"
        for fault in violations
        if fault["impact"] in ("serious", "critical")
    ]


DESTRUCTIVE = (
    ("/admin/", "Cancel"),
    ("/admin/runs/?state=open", "Cancel sync_"),
    ("/admin/runs/details/?id=running", "Cancel"),
    ("/admin/backfill/", "Cancel"),
    ("/admin/failures/", "Run the group again"),
    ("/admin/failures/", "Discard"),
    ("/admin/schedule/", "Pause sync_daily_schedule"),
)


def harm() -> tuple[Any, ...]:
    """All that destructive buttons change."""
    db.session.rollback()
    cancelled = TaskRun.cancel_asked | (TaskRun.state == RunState.REVOKED)
    return (
        db.session.query(TaskRun).filter(cancelled).count(),
        db.session.query(DeadLetter).count(),
        db.session.query(ScheduleRow).filter_by(paused=True).count(),
        db.session.query(AdminUser).filter_by(active=False).count(),
        len(runs_of(TASK)),
    )


@pytest.mark.long
@pytest.mark.parametrize(("view", "button"), DESTRUCTIVE)
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_nothing_is_destroyed_without_its_question(browser, site, view, button, script):
    before = harm()
    with visit(browser, site, java_script_enabled=script) as page:
        page.goto(view)
        press = page.get_by_role("button", name=button, exact=False)
        press.first.click()
        question = page.locator("dialog") if script else page.locator("main")
        expect(question).to_contain_text("?")
        assert harm() == before
        question.get_by_text("No, go back").click()
        if script:
            expect(page.locator("dialog")).to_have_count(0)
        assert harm() == before
        page.goto(view)
        press.first.click()
        question.locator(".yes" if script else "form.danger button").click()
        expect(page.locator(".note.good")).to_be_visible()
        assert harm() != before


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_account_is_deactivated_with_ones_own_password(browser, site, script):
    before = harm()
    with visit(browser, site, java_script_enabled=script) as page:
        for password, note in (("wrong", ".note.bad"), (PASSWORD, ".note.good")):
            assert harm() == before
            page.goto("/admin/accounts/")
            page.locator("summary", has_text="Deactivate ben").click()
            form = page.locator("form[action$=deactivate]")
            form.get_by_label("Your own password").fill(password)
            form.get_by_role("button", name="Deactivate ben").click()
            expect(page.locator(note)).to_be_visible()
        assert harm() != before


def test_passkey_is_made_and_signs_in(browser, site):
    """With Chromium's virtual authenticator; a device that does not know its user opens nothing."""
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    with visit(browser, site.replace("127.0.0.1", "localhost")) as page:
        remote = page.context.new_cdp_session(page)
        remote.send("WebAuthn.enable")
        added = remote.send("WebAuthn.addVirtualAuthenticator", {"options": device})
        this = {"authenticatorId": added["authenticatorId"]}
        for message in ("was added", "has a passkey of yours already"):
            page.goto("/admin/account/")
            page.locator("summary", has_text="Add a passkey").click()
            page.get_by_label("Name of the device").fill("desk")
            page.locator("form[action$=passkey]").get_by_label("password").fill(PASSWORD)
            page.get_by_role("button", name="Go on").click()
            page.get_by_role("button", name="Make the passkey").click()
            expect(page.locator("main")).to_contain_text(message)
        (credential,) = remote.send("WebAuthn.getCredentials", this)["credentials"]
        assert (credential["rpId"], credential["isResidentCredential"]) == ("localhost", True)
        for verified in (False, True):
            page.get_by_role("button", name="Sign out").click()
            page.goto("/admin/sign-in?next=/admin/account/")
            assert faults(page) == []
            remote.send("WebAuthn.setUserVerified", {**this, "isUserVerified": verified})
            page.get_by_role("button", name="Sign in with a passkey").click()
            if not verified:
                expect(page.locator("main")).to_contain_text("No passkey was used")
                page.get_by_label("Name", exact=True).fill(NAME)
                page.get_by_label("Password").fill(PASSWORD)
                page.get_by_role("button", name="Sign in", exact=True).click()
                expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
        expect(page.locator("tr", has_text="desk")).not_to_contain_text("never")
        page.get_by_role("button", name="Remove desk").click()
        page.get_by_role("button", name="Remove the passkey").click()
        expect(page.locator(".note.good")).to_contain_text("the passkey desk was removed")


def test_sign_in_page_says_why_it_has_no_passkeys(browser, site):
    page = browser.new_page(base_url=site)
    page.goto("/admin/sign-in")
    expect(page.locator("main")).to_contain_text("open the panel at http://localhost:")
    assert page.get_by_role("button").all_inner_texts() == ["Sign in"]
    page.close()


def test_other_session_is_ended_and_says_so(browser, site):
    with visit(browser, site) as page, visit(browser, site) as other:
        page.goto("/admin/accounts/")
        rows = page.locator("tr", has=page.get_by_role("button", name="End session"))
        rows.filter(has_not_text="this one").filter(has_text="HeadlessChrome").get_by_role(
            "button"
        ).click()
        expect(page.locator(".note.good")).to_contain_text("was ended")
        other.reload()
        expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_every_destructive_form_has_its_question(browser, site):
    """No form posts to a destructive address without saying what it asks."""
    ends = ("cancel", "cancel-batch", "discard", "pause", "pause-queue", "failures/again")
    with visit(browser, site) as page:
        for view in VIEWS:
            page.goto(view)
            for form in page.locator("form[method=post]").all():
                is_harmful = form.get_attribute("action").endswith(ends)
                assert bool(form.get_attribute("data-ask")) is is_harmful


def test_no_inline_script_runs_under_the_policy(browser, site):
    with visit(browser, site, complains=True) as page:
        page.goto("/admin/")
        assert page.locator("[onclick], [onsubmit], a[href^='javascript:']").count() == 0
        page.evaluate(
            "document.body.insertAdjacentHTML('beforeend',"
            " `<img src=x onerror=\"window.broken='yes'\">`)"
        )
        page.wait_for_timeout(300)
        assert page.evaluate("window.broken") is None


def test_times_are_shown_in_the_browsers_zone(browser, site):
    with visit(browser, site, timezone_id="Asia/Tokyo") as page:
        page.goto("/admin/runs/")
        local = page.locator("time[data-local]").first
        expect(local).to_contain_text("GMT+9")
        expect(local).to_contain_text("UTC")


def test_refreshing_can_be_paused_and_stops_when_signed_out(browser, site):
    with visit(browser, site) as page:
        page.get_by_role("button", name="Pause updates").click()
        expect(page.get_by_role("button", name="Resume updates")).to_be_visible()
        page.context.clear_cookies()
        page.get_by_role("button", name="Resume updates").click()
        expect(page.locator("#fresh")).to_contain_text("You are signed out")

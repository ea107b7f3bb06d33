"""``python -m tests.screenshots FOLDER``: takes the pictures of README and docs, with demo games.

Every picture shows the same evening, so that a new one differs only where we changed something.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.db.migrate import migrate_database
from sportsapp.db.models import RunState, Trigger
from sportsapp.factory import create_app
from sportsapp.services import services_of
from tests.acceptance.chromium import CHROMIUM, FLAGS
from tests.acceptance.conftest import RealBroker
from tests.demosite import LIVE_NFL, DemoSite, demo_site
from tests.panel import NAME, PASSWORD, add_consumer, add_failure, add_run, begin, signed_in

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
DESK = {"viewport": {"width": 1200, "height": 800}}
PICTURES = {
    "home-phone": ("/", PHONE, "light"),
    "home-desktop": ("/", DESK, "dark"),
    "game": (f"/nfl/games/{LIVE_NFL}", DESK, "light"),
    "panel": ("/admin/", DESK, "light"),
}
REFUSED = "all leagues failed: NFL: the feed refused us with 403"


def fill_ledger(site: DemoSite) -> None:
    """Write a day of runs, a backfill in progress, one failure, a schedule, and live consumers."""
    with site.app.app_context():
        signed_in(site.app)
        for name in services_of(site.app).queues[0].periodic_tasks:
            begin(name, timedelta(seconds=5))
        for queue in services_of(site.app).queues:
            for pid, role in enumerate(("worker", "worker", "scheduler"), 41):
                add_consumer(queue.name, role, pid=pid, beat_at=site.now)
        for minutes in range(1, 24 * 60, 10):
            ago, result = timedelta(minutes=minutes), {"synced": 31, "errors": []}
            add_run("sync_all_live_games", ago=ago, result=result)
        for hours in range(24):
            ago, result = timedelta(hours=hours, minutes=45), {"synced": 96, "errors": []}
            add_run("sync_daily_schedule", ago=ago, result=result)
        add_failure(task="sync_all_teams", error=REFUSED, ago=timedelta(hours=5))
        season = {"league": "NBA", "start_date": "2025-10-01", "end_date": "2026-06-30"}
        add_run(
            "sync_date_range_task",
            RunState.STARTED,
            args=season,
            trigger=Trigger.ADMIN,
            asked_by=NAME,
            queue="sportsapp-backfill",
            progress_done=4,
            progress_total=9,
        )
        db.session.remove()


def take(browser: Browser, site: DemoSite, folder: Path, name: str) -> None:
    """Take one picture."""
    path, screen, scheme = PICTURES[name]
    with browser.new_context(base_url=site.url, color_scheme=scheme, **screen) as context:
        page = context.new_page()
        page.clock.set_fixed_time(site.now)
        page.goto(path)
        if path.startswith("/admin"):
            page.get_by_label("Name").fill(NAME)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in", exact=True).click()
            page.wait_for_url(f"**{path}")
        page.screenshot(path=folder / f"{name}.png")


def main(target: Path) -> None:
    """Take all pictures."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(instance_path=Path(folder))
        with create_app(settings).app_context():
            migrate_database()
            db.engine.dispose()
        broker = RealBroker(settings)
        broker.start()
        with demo_site(Path(folder), redis_url="") as site, sync_playwright() as web:
            site.fill_seasons()
            fill_ledger(site)
            broker.forget_everything()  # the feed answered today, and not on the picture's evening
            services_of(site.app).feed_client.clock.offset = None
            browser = web.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for name in PICTURES:
                take(browser, site, target, name)
            browser.close()
        broker.kill()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

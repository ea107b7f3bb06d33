"""No page is wrong whatever the feed changes: each change of 2026 alone, and each pair of them.

On a Sunday with live games the feed changes between two ticks. After each tick, and after all other
syncs, pages are compared with those of a feed that did not change: at that moment and before it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from demo import DemoState, create_demo_feed, running_feed
from demo.changes import CHANGES
from sportsapp.core import clock
from sportsapp.core.errors import TrackerError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db.engine import db, merge_wal
from sportsapp.factory import create_app
from sportsapp.feed.client import FeedClient
from sportsapp.services import services_of
from sportsapp.sync import catalogue, scoreboards
from sportsapp.sync.backfill import sync_range
from sportsapp.sync.catch_up import sync_schedule_and_catch_up
from sportsapp.sync.context import SyncContext
from sportsapp.sync.follow import sync_live
from tests.conftest import NO_BROKER, QUICK

pytestmark = [
    pytest.mark.only_sqlite("each case begins with a copy of the database's file"),
    pytest.mark.xdist_group("changes"),  # they share what an unchanged feed shows
]

NFL, NBA = LEAGUES = [BY_SLUG["nfl"], BY_SLUG["nba"]]
BEFORE = datetime(2026, 11, 22, 20, 23, tzinfo=UTC)  # two minutes before another game begins
TICKS = 4
PAST = date(2026, 2, 1), date(2026, 2, 14)
FAILS = "the feed has been failing since"
LATE = f"{FAILS}|scores may be late|not in the feed since"
UNREAD = f"{FAILS}|no score in the feed|not been read"
PAGES = {
    **dict.fromkeys(["/", "/live", "/nfl", "/nba", "/nfl/weeks/2026/2/11"], LATE),
    "/api/v1/games?league=nfl&date=2026-11-22": r'"missing_since":\s*"',
    **dict.fromkeys(["/nba/2026-11-21", "/nba/2026-10-28", "/nba/2026-02-07"], UNREAD),
    "/nba/standings": FAILS,
}
"""Addresses, and with which words their pages explain that they lack something, or are old."""
STAMPS = re.compile(
    r'<p class="(?:alarm|fresh|asof)".*?</p>|<script.*?</script>|<[^>]*>|'
    r'"(changed_at|updated_at|read_at)":\s*"[^"]*"',
    re.DOTALL,
)
READ_AT = re.compile(r'(?:data-read=|"read_at":\s*)"([^"]*)"')
VERDICTS = ("same", "a tick old", "says when", "says so", "wrong")
CASES = [*((name,) for name in CHANGES), *combinations(CHANGES, 2)]
ALONE = [pytest.param(case, id=case[0]) for case in CASES if len(case) == 1]
PAIRS = [
    pytest.param(case, id=" and ".join(case), marks=pytest.mark.long)
    for case in CASES
    if len(case) == 2
]

Look = dict[str, str]  # the pages at one moment, by address


@dataclass
class Story:
    """A feed that changes on a Sunday, and sites that read it."""

    url: str
    state: DemoState
    now: datetime = BEFORE

    def tell(self, folder: Path, changes: Sequence[str], *, hosts: int = 2) -> list[Look]:
        """The pages before these changes, after each tick with them, and after all other syncs."""
        self.now = BEFORE
        self.state.change(*changes)
        with self.site(folder, hosts) as (sync, look):
            looks = [look()]
            for _ in range(TICKS):
                sync(sync_live)
                looks.append(look())
            sync(sync_schedule_and_catch_up)
            sync(catalogue.sync_leagues)
            sync(lambda context, _: sync_range(context, NBA, *PAST))
            return [*looks, look()]

    @contextmanager
    def site(
        self, folder: Path, hosts: int = 2
    ) -> Iterator[tuple[Callable[..., None], Callable[[], Look]]]:
        """A site on the folder's database: what syncs it, and what looks at its pages."""
        urls = [self.url, self.url.replace("127.0.0.1", "localhost")][:hosts]
        settings = Settings(
            instance_path=folder,
            espn_base_url=",".join(urls),
            redis_url=NO_BROKER,
            leagues=tuple(league.slug for league in LEAGUES),
        )
        client = FeedClient(settings.espn_base_url, settings.user_agent, retry_policy=QUICK)
        app = create_app(settings, client)
        watch = services_of(app).feed_watch

        def sync(service: Callable[[SyncContext, Any], object]) -> None:
            self.now += timedelta(minutes=1)
            context = SyncContext(client, db.session, self.now, watch=watch, scheduled=True)
            try:
                service(context, LEAGUES)
            except TrackerError:
                db.session.rollback()  # as its task does

        def look() -> Look:
            get = app.test_client().get
            return {path: Context().run(get, path).text for path in PAGES}

        with app.app_context():
            yield sync, look
            db.session.remove()
            merge_wal()
        client.close()


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    """The feed, and the clock of the sites."""
    told: Story
    demo = create_demo_feed(now=lambda: told.now, changes=())

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return told.now.astimezone(tz)

    with running_feed(demo) as url, pytest.MonkeyPatch.context() as patch:
        told = Story(url, demo.extensions["demo"])
        patch.setattr(clock, "datetime", Stopped)
        yield told


@pytest.fixture(scope="module")
def filled(story: Story, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a site that has read everything before the feed changes."""
    folder = tmp_path_factory.mktemp("filled")
    shutil.copy(migrated_file, folder / "tracker.db")
    story.now = BEFORE - timedelta(minutes=3)
    story.state.change()
    with story.site(folder) as (sync, _look):
        sync(catalogue.sync_leagues)
        sync(scoreboards.sync_schedule)
        sync(sync_live)
    return folder / "tracker.db"


@pytest.fixture(scope="module")
def unchanged(story: Story, filled: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Look]:
    """The pages where the feed does not change."""
    folder = tmp_path_factory.mktemp("unchanged")
    shutil.copy(filled, folder)
    story.state.forget_requests()
    return story.tell(folder, ())


@cache
def text_of(page: str) -> str:
    """What a page says, without the time at which it was made."""
    return " ".join(STAMPS.sub(" ", page).split())


def read_at(page: str) -> str:
    """The oldest time at which a page says that the feed was read."""
    return min(READ_AT.findall(page), default="")


def verdict(page: str, known: Sequence[str], explanation: str) -> str:
    """What is true of a page, by the pages of the unchanged feed until that moment, in order."""
    ages = [age for age, old in enumerate(reversed(known)) if text_of(old) == text_of(page)]
    if ages and ages[0] < 2:
        return VERDICTS[ages[0]]
    if re.search(explanation, page):
        return "says so"
    if ages and read_at(page) and read_at(page) <= read_at(known[-ages[0]]):
        return "says when"
    return "wrong"


def verdicts(looks: Sequence[Look], unchanged: Sequence[Look]) -> dict[tuple[int, str], str]:
    """The verdict on each page of each look."""
    return {
        (number, path): verdict(page, [old[path] for old in unchanged[: number + 1]], PAGES[path])
        for number, look in enumerate(looks)
        for path, page in look.items()
    }


def documented() -> dict[tuple[str, ...], str]:
    """The table of docs/reliability.md: by changes, the worst that happens to a page."""
    page = (PROJECT_ROOT / "docs" / "reliability.md").read_text()
    table = page.split("## When the feed changes")[1].split("\n\n| | ")[1].split("\n\n")[0]
    rows = [[cell.strip(" `") for cell in line.split("|")[:-1]] for line in table.splitlines()]
    cells = {}
    for _, name, *results in rows[2:]:
        for other, result in zip(rows[0], results, strict=True):
            if result:
                cells[(name,) if name == other else (name, other)] = result
    return cells


@pytest.mark.slow
@pytest.mark.parametrize("changes", [*ALONE, *PAIRS])
def test_no_page_is_wrong_and_the_docs_say_what_happens(
    changes, story, filled, unchanged, tmp_path
):
    shutil.copy(filled, tmp_path)
    seen = verdicts(story.tell(tmp_path, changes), unchanged)
    assert [where for where, result in seen.items() if result == "wrong"] == []
    assert documented()[changes] == max(seen.values(), key=VERDICTS.index)


def test_docs_have_each_pair_once():
    assert sorted(documented()) == sorted(CASES)


def test_feed_that_refuses_us_on_every_host_is_a_line_on_its_pages(
    story, filled, unchanged, tmp_path
):
    shutil.copy(filled, tmp_path)
    looks = story.tell(tmp_path, ["host"], hosts=1)
    seen = verdicts(looks, unchanged)
    assert [where for where, result in seen.items() if result == "wrong"] == []
    for path in ("/", "/live", "/nfl", "/nba"):
        assert "the feed has been failing since" in looks[-1][path]


def test_no_request_has_a_form_that_was_refused_in_2026(story, unchanged):
    boards = [entry for entry in story.state.requests() if entry["path"].endswith("/scoreboard")]
    queries = [parse_qs(entry["query"]) for entry in boards]
    assert {frozenset(query) for query in queries} == {frozenset({"dates", "limit"})}
    assert {len(query["dates"][0]) for query in queries} == {6, 8}
    assert {query["limit"][0] for query in queries} == {"500"}

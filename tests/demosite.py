"""The real app on loopback, with a database synced from the demo feed and a clock that we set.

On that evening all four leagues play: games are live in each, others are final (some after
overtime), to come, or postponed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Executable

from demo import DemoState, create_demo_feed, running_feed
from sportsapp.core import clock
from sportsapp.core.clock import game_day
from sportsapp.core.leagues import BY_SLUG, DEFAULT_LEAGUES
from sportsapp.core.settings import Settings
from sportsapp.db import queries
from sportsapp.db.engine import db, write_connection
from sportsapp.factory import create_app
from sportsapp.feed.client import FeedClient
from sportsapp.services import services_of
from sportsapp.sync.backfill import sync_range
from sportsapp.sync.catalogue import sync_leagues, sync_teams
from sportsapp.sync.context import SyncContext
from sportsapp.sync.games import sync_game
from sportsapp.sync.scoreboards import sync_day, sync_schedule, sync_today
from tests.conftest import NO_BROKER, QUICK
from tests.loopback import serving
from tests.stored import feed_read_at

EVENING = datetime(2026, 10, 26, 0, 45, tzinfo=UTC)  # a quarter to nine in New York, a Sunday
TODAY = "2026-10-25"
HALFTIME_NBA = "401327042"
LIVE_NFL, LIVE_NBA, LIVE_NHL, LIVE_MLB = "401312104", "401327041", "401333139", "401320871"
FINAL_NFL, OVERTIME_NHL, POSTPONED_NBA, COMING_NHL = (
    "401312094",
    "401333135",
    "401327036",
    "401333138",
)
STORED = {"nfl": (date(2026, 9, 1), date(2026, 11, 30)), "mlb": (date(2026, 10, 1), None)}
PAGES = {
    "home": "/",
    "live": "/live",
    "league": "/nfl",
    "month": "/nfl/months/2026-10",
    "day": "/nba/2026-10-24",
    "empty day": "/mlb/2026-12-24",
    "week": "/nfl/weeks/2026/2/7",
    "live football": f"/nfl/games/{LIVE_NFL}",
    "live baseball": f"/mlb/games/{LIVE_MLB}",
    "final": f"/nfl/games/{FINAL_NFL}",
    "overtime": f"/nhl/games/{OVERTIME_NHL}",
    "postponed": f"/nba/games/{POSTPONED_NBA}",
    "coming": f"/nhl/games/{COMING_NHL}",
    "box score": f"/nfl/games/{FINAL_NFL}/box",
    "plays": f"/nfl/games/{FINAL_NFL}/plays",
    "recap": f"/nfl/games/{FINAL_NFL}/recap",
    "live plays": f"/mlb/games/{LIVE_MLB}/plays",
    "box score of hockey": f"/nhl/games/{OVERTIME_NHL}/box",
    "player": "/nhl/players/9440024",
    "team": "/nfl/teams/CHI",
    "roster": "/nfl/teams/CHI/roster",
    "teams": "/mlb/teams",
    "standings": "/nhl/standings",
    "wild card": "/mlb/standings/wild-card",
    "search, hits": "/search?q=giants",
    "search, none": "/search?q=nobody",
    "search, blank": "/search",
    "preferences": "/preferences",
    "API": "/api/v1/",
    "not found": "/nfl/games/1",
}
SCREENS = {
    "frame": "/embed/nfl",
    "frame of a team": "/embed/nfl/teams/CHI",
    "frame of a game": f"/embed/nba/games/{LIVE_NBA}",
    "wall": "/tv",
    "paper": "/eink",
}
"""Pages without the site's menu."""


@dataclass
class DemoSite:
    """The site: ``url`` is its address, ``now`` sets its clock, ``demo`` changes the feed."""

    app: Flask
    demo: DemoState
    url: str = ""
    now: datetime = EVENING
    requests: list[tuple[str, int]] = field(default_factory=list)
    points: int = 20

    def sync(self, *slugs: str) -> None:
        """Sync today's scoreboards again, a second later."""
        self.now += timedelta(seconds=1)
        with self.app.app_context():
            sync_today(self._sync(), [BY_SLUG[slug] for slug in slugs] or DEFAULT_LEAGUES)

    def read(self, slug: str, day: date) -> None:
        """Store a day of a league, whether it is followed or not."""
        with self.app.app_context():
            sync_day(self._sync(), BY_SLUG[slug], day)

    def read_tables(self) -> None:
        """Store the standings of every league there is, followed or not."""
        with self.app.app_context():
            sync_leagues(self._sync(), list(BY_SLUG.values()))

    def score(self) -> str:
        """Let the home team of the live football game score; its points, as a page shows them."""
        self.points += 3
        self.force("nfl", LIVE_NFL, home_score=self.points)
        return str(self.points)

    def asked(self, path: str) -> int:
        """The number of requests for this address so far."""
        return sum(requested == path for requested, _ in self.requests)

    def force(self, slug: str, espn_id: str, **fields: Any) -> None:
        """Set fields of a game in the feed, and sync."""
        self.demo.force_game(slug, espn_id, fields)
        self.sync(slug)

    def fill(self) -> None:
        """Store leagues, teams, rosters, and the games around the evening."""
        self.demo.force_game("nba", POSTPONED_NBA, {"status": "STATUS_POSTPONED"})
        with self.app.app_context():
            sync = self._sync()
            leagues = list(DEFAULT_LEAGUES)
            sync_leagues(sync, leagues)
            sync_teams(sync, leagues)
            for league in leagues:
                first, last = STORED.get(league.slug, (date(2026, 10, 20), date(2026, 10, 31)))
                sync_range(sync, league, first, last or date(2026, 10, 31))
            sync_schedule(sync, leagues)
            for slug, espn_id in (("nfl", FINAL_NFL), ("mlb", LIVE_MLB), ("nhl", OVERTIME_NHL)):
                sync_game(sync, BY_SLUG[slug], espn_id)

    def fill_seasons(self) -> None:
        """Store what the running seasons have had up to the evening."""
        with self.app.app_context():
            today = game_day(self.now)
            for slug, season in queries.season_gaps(db.session, DEFAULT_LEAGUES, self.now).items():
                sync_range(self._sync(), BY_SLUG[slug], season.begins, today)

    def edit(self, statement: Executable) -> None:
        """Execute a statement; a second later every league has been polled again."""
        self.now += timedelta(seconds=1)
        with self.app.app_context(), write_connection() as connection:
            connection.execute(statement)
        with self.app.app_context():
            feed_read_at(self.now)

    def _sync(self) -> SyncContext:
        return SyncContext(services_of(self.app).feed_client, db.session, self.now)


@contextmanager
def demo_site(
    folder: Path, database_url: str = "", redis_url: str = NO_BROKER
) -> Iterator[DemoSite]:
    """A site that is synced into an empty database, and served until the block ends."""
    site: DemoSite
    feed = create_demo_feed(1.0, now=lambda: site.now)
    with running_feed(feed) as feed_url, pytest.MonkeyPatch.context() as patch:
        settings = Settings(
            instance_path=folder,
            database_url=database_url,
            espn_base_url=feed_url,
            redis_url=redis_url,
        )
        client = FeedClient(feed_url, settings.user_agent, retry_policy=QUICK)
        app = create_app(settings, client)
        site = DemoSite(app, feed.extensions["demo"])
        patch.setattr(clock, "datetime", _stopped_at(site))
        _count_requests(site)
        site.fill()
        with serving(app) as site.url:
            yield site
        with app.app_context():
            db.engine.dispose()
        client.close()


def _stopped_at(site: DemoSite) -> type[datetime]:
    """A ``datetime`` class whose ``now`` is the site's."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return site.now.astimezone(tz)

    return Stopped


def _count_requests(site: DemoSite) -> None:
    """Record every request in ``site.requests``, also those that the page cache answers."""
    answer = site.app.wsgi_app

    def counted(environ: Any, start_response: Any) -> Any:
        query = environ.get("QUERY_STRING")
        path = environ["PATH_INFO"] + (f"?{query}" if query else "")

        def start(status: str, *rest: Any) -> Any:
            site.requests.append((path, int(status[:3])))
            return start_response(status, *rest)

        return answer(environ, start)

    site.app.wsgi_app = counted  # type: ignore[method-assign]

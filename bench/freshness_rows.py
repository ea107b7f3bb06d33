"""How old a score on an open page can be: from the feed's change to the text in the browser."""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask

from bench.browser import browser_page
from bench.measure import Figure
from bench.page_rows import served
from bench.running import environment_of, huey_consumer, running_broker, started
from bench.sync_rows import fresh_app
from demo.server import address_of, open_server
from sportsapp.core.clock import day_of, game_day, utc_now
from sportsapp.core.leagues import DEFAULT_LEAGUES
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.feed.client import FeedClient
from sportsapp.services import services_of
from sportsapp.sync import scoreboards
from sportsapp.sync.context import SyncContext
from tests.integration.events import board, event

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHANGES = 60
GOALS = {"p50": 7.0, "p95": 13.0}
TIMEOUT_MS = 180_000
HOME_SCORE = "#nfl401 .r:nth-child(2) .s"
SHOWS = "([place, score]) => document.querySelector(place)?.textContent === score"
CHECK_EVERY_MS = 50


def freshness() -> list[Figure]:
    """Seconds from a change in the feed to the new score on an open page, at the defaults.

    Broker, consumer, web server and Chromium are the real ones; the feed, with one live game, is on
    loopback. Takes about seventeen minutes, most of it waiting.
    """
    with browser_page("freshness", "seconds to the page") as page:
        if page is None:
            return []
        delays = _delays(page)
    hundredths = statistics.quantiles(delays, n=100, method="inclusive")
    what = f"from feed to page, of {len(delays)} changes"
    return [
        *(
            Figure("freshness", f"{name} {what}", value, "s", f"at most {goal:g} s", value <= goal)
            for (name, goal), value in zip(
                GOALS.items(), (hundredths[49], hundredths[94]), strict=True
            )
        ),
        Figure("freshness", f"longest {what}", max(delays), "s"),
    ]


class OneGame:
    """A feed with one live game of today, whose ``score`` can be changed."""

    def __init__(self) -> None:
        now = utc_now()
        starts = (now - timedelta(hours=hours) for hours in (1, 5))  # 5 when it is late at night
        start = next(start for start in starts if day_of(start) == game_day(now))
        self.start = start.strftime("%Y-%m-%dT%H:%MZ")
        self.score = 20

    def app(self) -> Flask:
        """The feed as a WSGI app."""
        feed = Flask("one game")

        @feed.get("/apis/site/v2/sports/<_sport>/<league>/scoreboard")
        def scoreboard(_sport: str, league: str) -> dict[str, Any]:
            game = event(start=self.start, state="in", home=self.score)
            return board(game) if league == "nfl" else board()

        return feed


def _delays(page: Page) -> list[float]:
    """The seconds that each change took.

    Changes come at random moments: within two readings' time after the one before was shown, so
    that each moment between two readings is as likely as another.
    """
    game, chance, delays = OneGame(), random.Random(), []  # noqa: S311 - no secret
    with _followed(game) as (settings, port):
        page.goto(f"http://127.0.0.1:{port}/")
        _wait_for_score(page, game.score)
        page.wait_for_timeout(settings.live_sync_seconds * 1000)  # until it is followed
        for _ in range(CHANGES):
            page.wait_for_timeout(chance.uniform(0, 2 * settings.live_read_seconds) * 1000)
            began = time.monotonic()
            game.score += 1
            _wait_for_score(page, game.score)
            delays.append(time.monotonic() - began)
    return delays


def _wait_for_score(page: Page, score: int) -> None:
    wanted = [HOME_SCORE, str(score)]
    page.wait_for_function(SHOWS, arg=wanted, polling=CHECK_EVERY_MS, timeout=TIMEOUT_MS)


@contextmanager
def _followed(game: OneGame) -> Iterator[tuple[Settings, int]]:
    """An instance that has stored this game and follows its feed; the web server's port."""
    with ExitStack() as stack:
        feed = stack.enter_context(_serving(game.app()))
        app = stack.enter_context(fresh_app())
        _sync_once(app, feed)
        folder = services_of(app).settings.instance_path
        settings = Settings(instance_path=folder, espn_base_url=feed)
        environment = environment_of(settings)
        stack.enter_context(running_broker(settings))
        consumer = huey_consumer("huey_config.huey")
        stack.enter_context(started(consumer, environment, folder / "consumer.log"))
        bare = {"REDIS_URL": "", "DATABASE_URL": ""}  # the instance's own
        yield settings, stack.enter_context(served("wsgi:app", environment | bare))


@contextmanager
def _serving(feed: Flask) -> Iterator[str]:
    """Serve a feed on loopback, and yield its URL."""
    server = open_server(feed, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield address_of(server)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _sync_once(app: Flask, feed: str) -> None:
    client = FeedClient(feed, services_of(app).settings.user_agent)
    done = scoreboards.sync_today(SyncContext(client, db.session, utc_now()), list(DEFAULT_LEAGUES))
    assert done.synced == 1, done
    client.close()

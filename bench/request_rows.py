"""How many requests the feed gets on a heavy Sunday, all of it played through."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from bench.measure import Figure
from bench.sync_rows import fresh_app
from demo.app import create_demo_feed
from demo.script import ends_at
from demo.seasons import games_on
from demo.server import running_feed
from sportsapp.core.clock import EASTERN
from sportsapp.core.leagues import DEFAULT_LEAGUES
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.feed.client import FeedClient
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.follow import Follow, sync_live
from sportsapp.sync.scoreboards import sync_schedule

MOST = 12_000
SLOT = timedelta(seconds=60)
SUNDAYS = [date(2025, 9, 7) + timedelta(weeks=number) for number in range(18)]


def _hours(day: date) -> float:
    """How long each of the leagues has a live game on this day, in all; 0 if one has no game."""
    minutes = []
    for league in DEFAULT_LEAGUES:
        games = [game for game in games_on(league.feed_slug, day) if game.fate == "played"]
        spans = [
            (game.start.timestamp() // 60, ends_at(game, 1.0).timestamp() // 60) for game in games
        ]
        minutes.append({minute for begin, end in spans for minute in range(int(begin), int(end))})
    return sum(map(len, minutes)) / 60 if all(minutes) else 0


def requests() -> list[Figure]:
    """Requests of the live ticks, at the defaults, of the heaviest Sunday of all four leagues.

    The demo's clock and ours are moved from slot to slot and from reading to reading. The floor is
    one reading a minute. Takes about five minutes.
    """
    day = max(SUNDAYS, key=_hours)
    moment = datetime(day.year, day.month, day.day, 4, tzinfo=EASTERN).astimezone(UTC)
    midnight = moment + timedelta(days=1)
    demo = create_demo_feed(now=lambda: moment)
    count = at_ticks = 0
    after_first: list[int] = []
    leagues = list(DEFAULT_LEAGUES)

    def count_one(_outcome: str) -> None:
        nonlocal count
        count += 1

    def wait(seconds: float) -> bool:
        nonlocal moment
        moment += timedelta(seconds=seconds)
        return True

    with running_feed(demo) as url, fresh_app() as app:
        services = services_of(app)
        client = FeedClient(url, services.settings.user_agent, count_outcome=count_one)

        def context() -> SyncContext:
            return SyncContext(
                client, db.session, moment, None, services.feed_watch, True, lambda: moment
            )

        sync_schedule(context(), leagues)
        count = 0
        follow = Follow(
            seconds=SLOT.total_seconds(),
            every=Settings().live_read_seconds,
            wait=wait,
            timer=lambda: moment.timestamp(),
        )
        while moment < midnight:
            slot, at_slot = moment, count
            done = sync_live(context(), leagues, lambda: after_first.append(count), follow)
            assert not done.errors, done
            at_ticks += after_first[-1] - at_slot
            moment = slot + SLOT
        client.close()
    goal = f"at most {MOST:,}"
    what = f"on {day}, when leagues have a live game for {_hours(day):.0f} hours in all"
    return [
        Figure("requests", what, count, "requests", goal, count <= MOST, at_ticks),
        Figure("requests", "the same day with one reading a minute", at_ticks, "requests"),
    ]

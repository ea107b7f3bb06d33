"""Checks of the feed and of what it sends: it answers, and what is stored is current and right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, select

from sportsapp.core.clock import CLOCK_TOLERANCE, duration, game_day, iso_utc
from sportsapp.core.errors import FeedError, FeedRefusedError, FeedUnavailableError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db import queries
from sportsapp.db.engine import AnySession
from sportsapp.db.models import LeagueRow
from sportsapp.db.queries import GameSummary
from sportsapp.db.queries.freshness import MOVING, OLDEST_READ, moving_times
from sportsapp.feed import parse
from sportsapp.feed.fetch import fetch_all
from sportsapp.feed.hosts import FeedHosts
from sportsapp.monitoring.checks.check import Finding, Look, check, ok, warn, wrong
from sportsapp.monitoring.checks.texts import short
from sportsapp.monitoring.problems import Kind, active_texts
from sportsapp.runs import reports

STALE_AFTER = timedelta(minutes=5)
POLLED_WITHIN = timedelta(hours=2, minutes=15)
"""Every league is polled once an hour, in its off-season too: two polls were missed."""
GAMES_NAMED = 2


# ---------------------------------------------------------------- the feed, its leagues

Faults = dict[str, tuple[str, str]]
"""By league: what is wrong with its answers, and what to do."""


@check("feed", "the feed cannot be read", needs=("database",), well="the feed answers again")
def check_feed(look: Look) -> Iterator[Finding]:
    """The feed answers for a league at least, in a shape that we know.

    A thorough look requests every league's day; others go by what the last ticks have met.
    """
    hosts = look.feed_client.hosts
    faults = _requested(look) if look.thorough else _stored(look)
    if faults and len(faults) == len(look.settings.leagues):
        text, do = faults[look.settings.leagues[0]]
        yield wrong(f"no league can be read; {text}", do)
        return
    moved = hosts.moved() or {}
    for kind, state in moved.items():
        text = f"{state.host} answers requests ({kind}) since {state.since:%Y-%m-%d %H:%M} UTC"
        again = f"{hosts.urls[0]} is tried again at {state.again_at:%H:%M} UTC"
        yield ok(f"{text}: {state.reason}", again)
    base = moved["day"].host if "day" in moved else hosts.urls[0]
    yield ok(f"{base} answers" if look.thorough else f"{base} answered when it was last asked")


@check("leagues", "a league cannot be read", needs=("feed",), patience=timedelta(minutes=10))
def check_leagues(look: Look) -> Iterator[Finding]:
    """Every league can be read, and is polled."""
    faults = _stored(look) | (_requested(look) if look.thorough else {})
    for slug, (text, do) in faults.items():
        yield warn(text, do, subject=slug.upper())
    if not faults:
        yield ok(f"every league can be read{_elsewhere(look.feed_client.hosts.urls)}")


def _elsewhere(urls: Sequence[str]) -> str:
    """Where else than at ESPN's addresses the feed is: `` at URL, which is not ESPN's``, or ""."""
    others = [url for url in urls if not _is_espns(url)]
    verb = "is" if len(others) == 1 else "are"
    return f" at {' and '.join(others)}, which {verb} not ESPN's" if others else ""


def _is_espns(url: str) -> bool:
    return f".{urlsplit(url).hostname}".endswith(".espn.com")


def _stored(look: Look) -> Faults:
    """The leagues that failed when they were last polled, or are not polled for a while."""
    faults: Faults = {}
    elsewhere = _elsewhere(look.feed_client.hosts.urls)
    for row in reports.leagues(look.session, look.settings.leagues):
        is_paused = row.paused_until and row.paused_until > look.now
        pause = f"not polled until {row.paused_until:%H:%M} UTC" if is_paused else ""
        since = row.failing_since and f"{iso_utc(row.failing_since)}{elsewhere}"
        failing = since and f"failing since {since}: {row.failure}"
        if failing or pause:
            text = "; ".join(part for part in (failing, pause) if part)
            do = "it is asked again by itself; `flask doctor` asks now; a good answer ends a pause"
            faults[row.slug] = f"{row.slug.upper()} is {text}", do
    return faults


def _requested(look: Look) -> Faults:
    """The leagues whose day cannot be read now: one request each, once a look."""
    if look.requested is None:
        day = game_day(look.now)
        leagues = [BY_SLUG[slug] for slug in look.settings.leagues]
        look.requested = {}
        for league, future in fetch_all(
            {league: partial(look.feed_client.scoreboard, league, day) for league in leagues}
        ):
            try:
                future.result().parsed(parse.parse_scoreboard, league)
            except FeedError as error:
                look.requested[league.slug] = _fault(league.label, look.feed_client.hosts, error)
    return look.requested


def _fault(label: str, hosts: FeedHosts, error: FeedError) -> tuple[str, str]:
    base = next((url for url in hosts.urls if error.url.startswith(url)), hosts.urls[0])
    base += "" if _is_espns(base) else ", which is not ESPN's,"
    if isinstance(error, FeedRefusedError):
        text = f"{base} refuses us for the {label}: {error.status}"
        return text, "set ESPN_CONTACT_URL to an address of yours, check ESPN_BASE_URL, poll less"
    if isinstance(error, FeedUnavailableError) and error.status == 429:
        text = f"{base} limits us for the {label}: 429"
        return text, "wait, and lower FEED_REQUESTS_PER_MINUTE"
    if isinstance(error, FeedUnavailableError):
        text = f"{base} does not answer for the {label}: {short(error)}"
        return text, "check this machine's network and ESPN_BASE_URL; the last good data stays"
    text = f"{base} answers for the {label} in a shape that we do not know: {short(error)}"
    return text, "update this app; such answers are in the instance folder's samples/"


# ---------------------------------------------------------------- what is stored


@dataclass(frozen=True)
class StaleLeague:
    """A league with so many games that should be moving, the oldest read at ``read_at``."""

    slug: str
    read_at: datetime
    games: int


def stale_leagues(
    connection: Connection | AnySession, slugs: Sequence[str], now: datetime
) -> list[StaleLeague]:
    """Those of these leagues with games that should be moving, read over five minutes ago, by slug.

    What was read while a clock was ahead counts as old.
    """
    leagues = select(LeagueRow.slug, OLDEST_READ, MOVING).where(LeagueRow.slug.in_(slugs))
    times = moving_times(now, STALE_AFTER)
    rows = connection.execute(leagues.order_by(LeagueRow.slug), times).all()
    fresh = now - STALE_AFTER, now + CLOCK_TOLERANCE
    return [StaleLeague(*row) for row in rows if row[1] and not fresh[0] <= row[1] <= fresh[1]]


@check(
    "data",
    "scores are old",
    needs=("database",),
    unready=True,
    kind="stale",
    patience=timedelta(0),
    well="data is current",
)
def check_data(look: Look) -> Iterator[Finding]:
    """Each league was polled lately, and its games that should be moving were read."""
    slugs = look.settings.leagues
    polls = {row.slug: row.polled_at for row in reports.leagues(look.session, slugs)}
    stale = {league.slug: league for league in stale_leagues(look.session, slugs, look.now)}
    is_well = True
    for slug in slugs:
        polled_at, label = polls.get(slug), slug.upper()
        details: dict[str, Any] = {"league": label}
        if polled_at is None:
            text = f"{label} was never polled"
        elif polled_at > look.now + CLOCK_TOLERANCE:
            text = f"{label} was polled while the clock was ahead"
        elif polled_at < look.now - POLLED_WITHIN:
            minutes = (look.now - polled_at) // timedelta(minutes=1)
            text = f"{label} was polled {minutes} minutes ago"
        elif league := stale.get(slug):
            age, games = look.now - league.read_at, league.games
            old = f"{duration(age)} old" if age > timedelta(0) else "of an unknown time"
            plural = "" if games == 1 else "s"
            text = f"{label} data is {old}, with {games} game{plural} live or past the start"
            details |= {"read_at": iso_utc(league.read_at), "live": games}
            still = queries.games_standing_still(
                look.session, slug, look.now, STALE_AFTER, GAMES_NAMED + 1
            )
            if still:
                text += f"; {_named(still)}"
                details["day"] = still[0].day.isoformat()
        else:
            continue
        is_well = False
        do = "the lines above on scheduler, feed or leagues say why; `flask sync live` asks at once"
        yield wrong(text, do, public=text, subject=label, details=details)
    if is_well:
        yield ok("every league was polled, and live games were read")


def _named(still: Sequence[GameSummary]) -> str:
    """At most GAMES_NAMED of these games, which stand still: ``BET at ALP stands still``."""
    names = [
        " at ".join(
            team.abbreviation if team else "TBD" for team in (game.away_team, game.home_team)
        )
        for game in still[:GAMES_NAMED]
    ]
    if len(still) > GAMES_NAMED:
        return f"{', '.join(names)} and others stand still"
    return f"{' and '.join(names)} stand{'s' if len(names) == 1 else ''} still"


@check("fields", "the feed leaves fields out", needs=("database",), kind="")
def check_fields(look: Look) -> Iterator[Finding]:
    """The feed sends every field that we read."""
    yield from _reported(look, Kind.DRIFT, "see its samples in samples/; update this app")


@check("audit", "what is stored contradicts itself", needs=("database",), kind="")
def check_audit(look: Look) -> Iterator[Finding]:
    """The last audit found nothing that cannot be true."""
    yield from _reported(look, Kind.BREACH, "`flask audit` checks again, and names the games")


def _reported(look: Look, kind: Kind, do: str) -> Iterator[Finding]:
    """What was reported of this kind, and is not over; its own alerts were sent then."""
    texts = active_texts(look.session, kind)
    for text in texts:
        yield warn(text, do)
    if not texts:
        yield ok("nothing was reported")

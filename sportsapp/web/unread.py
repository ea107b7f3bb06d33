"""What a page may state about days: read and empty, read and known, or not read.

The first two differ by the games that the page has. A page about days that were not read requests
them for its visitor and is made anew each time, so that it fills itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from flask import g

from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import League
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game
from sportsapp.db.queries import Span
from sportsapp.tasks.visitors import request_days, want_summary


class Reading(NamedTuple):
    """Whether days were read, each to its end; if not, whether they are being fetched."""

    is_read: bool
    is_coming: bool = False


def are_read(spans: Sequence[Span]) -> list[bool]:
    """Whether all days of each of these spans were read; without a day there is nothing to read."""
    times = queries.spans_read_at(db.session, spans, utc_now())
    return [
        read_at is not None or span.first > span.last
        for span, read_at in zip(spans, times, strict=True)
    ]


def days_between(slug: str, one: date, other: date) -> Span:
    """The days between these two, without them."""
    return Span(slug, one + timedelta(days=1), other - timedelta(days=1))


def reading_of(league: League, first: date, last: date) -> Reading:
    """The reading of these days; those that were not read are requested."""
    days = queries.unread_days(db.session, Span(league.slug, first, last), utc_now())
    return requested(league, days[0], days[-1]) if days else Reading(is_read=True)


def requested(league: League, first: date, last: date) -> Reading:
    """The reading of days that were not read: requests them for the visitor of this page."""
    is_coming = request_days(league, first, last)
    g.unread = g.get("unread", False) or is_coming
    g.pop("etag", None)
    return Reading(is_read=False, is_coming=is_coming)


def is_summary_coming(game: Game) -> bool:
    """For a view that shows a game: whether its summary, which was not read, is being fetched.

    The page is then made anew each time, until it is there. A live game is marked as watched. Call
    it in the view, not while a page is rendered: the page cache asks the view once a second.
    """
    is_coming = want_summary(game)
    if is_coming:
        g.unread = True
        g.pop("etag", None)
    return is_coming

"""Fixtures of the page tests: events stored by a real sync, a visitor, a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import Context
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.http import kept
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from tests.integration.events import board
from tests.loopback import LoopbackFeed
from tests.webhook_receiver import Receiver, running_receiver

DAY = date(2026, 1, 15)
Synced = Callable[..., None]


@pytest.fixture
def synced(app: Flask, feed: LoopbackFeed) -> Synced:
    """Stores events by a sync of their day."""

    def put(
        slug: str, *events: dict[str, Any], day: date = DAY, at: datetime | None = None
    ) -> None:
        feed.say(slug, board(*events))
        sync_day(
            SyncContext(services_of(app).feed_client, db.session, at or utc_now()),
            BY_SLUG[slug],
            day,
        )

    return put


class Visitor(FlaskClient):
    """A client whose requests share no context with the test, as behind a web server."""

    def open(self, *args: Any, **options: Any) -> TestResponse:
        """One request."""
        return Context().run(super().open, *args, **options)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """/readyz and /metrics check anew for each request."""
    monkeypatch.setattr(kept, "KEEP_SECONDS", 0)


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    """A client that sends only the cookies which a test sets as a header."""
    return Visitor(app, app.response_class, use_cookies=False)


class FixedClock(datetime):
    """A ``datetime`` class whose ``now`` is ``shown``."""

    shown = datetime(2026, 1, 15, 21, 0, tzinfo=UTC)

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        """``shown``, in this time zone."""
        return cls.shown.astimezone(tz)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[FixedClock]:
    """Stops the app's clock during the games of January 15; set ``shown`` to move it."""
    monkeypatch.setattr("sportsapp.core.clock.datetime", FixedClock)
    monkeypatch.setattr(FixedClock, "shown", FixedClock.shown)
    return FixedClock


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of webhooks."""
    with running_receiver() as receiver:
        yield receiver

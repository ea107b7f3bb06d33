"""Subscriptions in the panel: added, tested, paused, removed; their addresses are never shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.notify.subscriptions import all_subscriptions
from tests.webhook_receiver import SECRET

pytestmark = pytest.mark.slow

PAGE = "/admin/notifications/"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, notify_private=True)


def only():
    db.session.rollback()
    (row,) = all_subscriptions(db.session)
    return row


def test_subscription_from_its_form_to_its_end(panel, receiver):
    assert "Nobody is told anything yet" in panel.get(PAGE)
    panel.post(
        f"{PAGE}add", name="phone", address=receiver.url, league="nfl", event="final",
        hides_scores="1", quiet="22:00-07:00", zone="Europe/Berlin", delay="30",
    )  # fmt: skip
    row = only()
    assert (row.leagues, row.events, row.hides_scores) == (["nfl"], ["final"], True)
    assert (row.quiet_from, row.zone, row.delay_seconds) == ("22:00", "Europe/Berlin", 30)
    page = panel.get(PAGE)
    assert "told final of NFL, without scores, quiet 22:00-07:00 Europe/Berlin, 30 s late" in page
    assert receiver.url.partition("#")[0] not in page
    assert SECRET not in page
    panel.post(f"{PAGE}test", name="phone")
    assert receiver.taken[0]["title"] == "Sports Game Tracker"
    panel.post(f"{PAGE}pause", name="phone")
    assert only().paused
    assert ">paused<" in panel.get(PAGE)
    panel.post(f"{PAGE}resume", name="phone")
    assert not only().paused
    panel.post(f"{PAGE}remove", name="phone")  # asks first
    assert only().name == "phone"
    panel.post(f"{PAGE}remove", name="phone", sure="yes")
    db.session.rollback()
    assert all_subscriptions(db.session) == []


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"address": "syslog://x"}, "has to begin with"),
        ({"delay": "soon"}, "a delay has 0 to 600 seconds"),
        ({"teams": "nfl/Chelsea"}, "no team is called"),
        ({"league": "xfl"}, "xfl"),
    ],
)
def test_form_that_cannot_be_says_why(panel, receiver, form, words):
    panel.post(f"{PAGE}add", **{"name": "phone", "address": receiver.url} | form)
    assert words in panel.get(PAGE)
    assert all_subscriptions(db.session) == []

"""Recorded scoreboards of the real feed, on our pages: every game as the feed itself tells it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from tests.conftest import RECORDED

NOW = datetime(2026, 10, 4, 18, 0, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
FILES = sorted(
    f"{slug}/{path.name}"
    for slug in BY_SLUG
    for kind in ("scoreboard", "series")
    for path in (RECORDED / slug).glob(f"{kind}-*.json")
)
NEVER_PLAYED = ("STATUS_POSTPONED", "STATUS_CANCELED")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Every league is followed."""
    return replace(settings, leagues=tuple(BY_SLUG))


class Cards(HTMLParser):
    """The cards of a day page: by id their scores, sides and the words on how they stand."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cards: dict[str, dict[str, list[str]]] = {}
        self.card: dict[str, list[str]] = {}
        self.kind = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "li":
            self.card = self.cards.setdefault(said.get("id") or "", {})
        self.kind = {"i": "side", "b": "state", "time": "state"}.get(tag, "")
        if said.get("class") == "s":
            self.kind = "score"

    def handle_endtag(self, tag: str) -> None:
        self.kind = ""
        if tag == "li":
            self.card = {}

    def handle_data(self, data: str) -> None:
        if self.kind:
            self.card.setdefault(self.kind, []).append(data)


def expected_card(competition: dict[str, Any]) -> dict[str, list[str]]:
    """What a card has to show of a game, away side first."""
    kind = competition["status"]["type"]
    sides = {one["homeAway"]: one for one in competition["competitors"]}
    both = [sides["away"], sides["home"]]
    card = {"side": [side["team"]["abbreviation"] for side in both]}
    if kind["state"] == "pre":
        start = datetime.fromisoformat(competition["date"]).astimezone(NEW_YORK)
        is_set = competition.get("timeValid", True)
        card["state"] = [f"{start:%I:%M %p}".lstrip("0") if is_set else "Time not set"]
    else:
        card["state"] = [re.sub(" (Quarter|Period)$", "", kind["detail"])]
        if kind["name"] not in NEVER_PLAYED:
            card["score"] = [side["score"] for side in both]
    return card


def test_there_are_recorded_scoreboards(recorded):
    assert len(FILES) >= 20


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("name", FILES)
def test_day_pages_show_every_game_with_the_feeds_own_scores_and_words(app, client, feed, name):
    slug = name.split("/")[0]
    body = (RECORDED / name).read_bytes()
    feed.say(slug, body)
    expected: dict[str, dict[str, Any]] = {}
    for event in json.loads(body)["events"]:
        start = datetime.fromisoformat(event["date"]).astimezone(NEW_YORK)
        card = expected_card(event["competitions"][0])
        expected.setdefault(f"{start:%Y-%m-%d}", {})[f"{slug}{event['id']}"] = card
    any_day = datetime.fromisoformat(min(expected, default="2025-07-01")).date()
    sync_day(SyncContext(services_of(app).feed_client, db.session, NOW), BY_SLUG[slug], any_day)
    for day, cards in expected.items():
        assert Cards(client.get(f"/{slug}/{day}").text).cards == cards

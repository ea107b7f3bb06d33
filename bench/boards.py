"""The scoreboards that are synced: recorded real ones if they are here, else the demo feed's."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any

from demo.app import create_demo_feed
from sportsapp.core.leagues import BY_SLUG, League
from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.feed.client import Answer

RECORDED = PROJECT_ROOT.parent / "shared" / "espn"
LIVE = {
    "nfl": "scoreboard-live-2022-week1",
    "nba": "scoreboard-final-20241201",
    "mlb": "scoreboard-live-20220917",
    "nhl": "scoreboard-live-preseason-20220925",
}
NOW = datetime(2026, 10, 4, 18, 0, tzinfo=UTC)
CHANGES = 10


def four_boards() -> dict[str, bytes]:
    """A scoreboard of each league, by the league's slug."""
    if RECORDED.is_dir():
        return {
            slug: (RECORDED / slug / f"{name}.json").read_bytes() for slug, name in LIVE.items()
        }
    feed = create_demo_feed(now=lambda: NOW).test_client()
    agent = {"User-Agent": "Bench/1 (+https://example.org)"}
    boards = {}
    for slug in LIVE:
        league = BY_SLUG[slug]
        path = f"/apis/site/v2/sports/{league.sport}/{league.slug}/scoreboard?dates=20261004"
        boards[slug] = feed.get(path, headers=agent).data
    return boards


def games_in(boards: dict[str, bytes]) -> int:
    """The number of games on these scoreboards."""
    return sum(len(json.loads(body)["events"]) for body in boards.values())


def with_changes(boards: dict[str, bytes], step: int) -> dict[str, bytes]:
    """The same scoreboards, with the score of one team raised by ``step`` in ten games."""
    left = CHANGES
    changed = {}
    for slug, body in boards.items():
        document = json.loads(body)
        for event in document["events"]:
            competitor = _first_with_score(event)
            if left and competitor:
                competitor["score"] = str(int(competitor["score"]) + step)
                left -= 1
        changed[slug] = json.dumps(document, separators=(",", ":")).encode()
    return changed


def _first_with_score(event: dict[str, Any]) -> dict[str, Any] | None:
    if event["status"]["type"]["state"] == "pre":
        return None
    competitors: list[dict[str, Any]] = event["competitions"][0]["competitors"]
    return next((team for team in competitors if team.get("score", "").isdigit()), None)


def digest_of(body: bytes) -> str:
    """The digest by which the client recognises an equal answer."""
    return hashlib.sha256(body).hexdigest()


class ConstantClient:
    """Replaces the feed's client where only the work after the answer is measured."""

    def __init__(self, boards: dict[str, bytes]) -> None:
        self.boards = boards

    def scoreboard(self, league: League, _day: date) -> Answer:
        """The league's scoreboard, for any day, with the digest that the real client computes."""
        body = self.boards[league.slug]
        return Answer("", body, digest_of(body))

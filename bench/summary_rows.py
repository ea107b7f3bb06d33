"""What one game with box score and plays costs: a summary of each sport, parsed and stored."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from itertools import count, cycle
from typing import Any

import msgspec
from sqlalchemy import select, update

from bench.boards import NOW, RECORDED, four_boards
from bench.measure import Figure, at_most, cpu_ms, in_turns
from bench.sync_rows import fresh_app, sync_boards
from demo.events import FeedView
from demo.seasons import season_of
from demo.summaries import summary_json
from sportsapp.core.leagues import BY_SLUG, League
from sportsapp.db.engine import db
from sportsapp.db.models import Game
from sportsapp.feed.client import Answer
from sportsapp.sync.context import SyncContext
from sportsapp.sync.games import sync_game
from sportsapp.sync.store import league_ref

LEAGUES = ("nfl", "nba", "mlb", "nhl")
AFTER = timedelta(hours=12)


class SummaryClient:
    """Replaces the feed's client: these bodies in turns, each as if it were another one."""

    def __init__(self, *bodies: bytes) -> None:
        self.bodies, self.answers = cycle(bodies), count()

    def summary(self, _league: League, _espn_id: str) -> Answer:
        """The summary."""
        return Answer("", next(self.bodies), str(next(self.answers)))


def summaries() -> list[Figure]:
    """A final of each sport, beside decoding the same bytes without any shape."""
    with fresh_app():
        sync_boards(four_boards())
        return [_figure(BY_SLUG[slug], summary_of(slug)) for slug in LEAGUES]


def _figure(league: League, body: bytes) -> Figure:
    crowd = re.compile(rb'"attendance": ?\d+')
    assert crowd.search(body), "the two summaries would be the same"
    client: Any = SummaryClient(body, crowd.sub(b'"attendance":1', body))
    context = SyncContext(client, db.session, NOW)
    espn_id = json.loads(body)["header"]["id"]
    place_game(context, league, espn_id)
    measured = in_turns(
        lambda: cpu_ms(lambda: sync_game(context, league, espn_id), 10),
        lambda: cpu_ms(lambda: msgspec.json.decode(body), 10),
    )
    what = f"{league.label}, {len(body) // 1000} KB, parsed and stored, CPU"
    return at_most("summaries", what, "ms", measured, 3)


def place_game(context: SyncContext, league: League, espn_id: str) -> None:
    """Make the first stored game the one that the summary is of."""
    first = select(Game.id).order_by(Game.id).limit(1).scalar_subquery()
    values = {"league_id": league_ref(context, league).id, "espn_id": espn_id}
    db.session.execute(update(Game).where(Game.id == first).values(values))
    db.session.commit()


def summary_of(slug: str) -> bytes:
    """A recorded summary of a final, else the demo feed's."""
    for path in sorted((RECORDED / slug).glob("summary-final-*.json")):
        return path.read_bytes()
    games = season_of(BY_SLUG[slug].feed_slug, 2026).games
    game = next(game for game in games if game.fate == "played")
    return json.dumps(summary_json(game, FeedView(game.start + AFTER))).encode()

"""What the pages of a game's box score and plays cost, and what a season of them takes on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from msgspec.structs import replace
from sqlalchemy import select, text, update

from bench.boards import NOW, four_boards
from bench.browser import browser_page
from bench.measure import Figure, at_least, in_turns, median_and_spread
from bench.page_rows import ROUNDS, add_history, costs_of, load, served_by
from bench.summary_rows import LEAGUES, SummaryClient, place_game, summary_of
from bench.sync_rows import fresh_app, sync_boards
from sportsapp.core.leagues import BY_SLUG, League
from sportsapp.core.records import State, Status
from sportsapp.core.summary import PlayGroupRecord, pack
from sportsapp.db import queries
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import Game, LeagueRow, SummaryRow
from sportsapp.sync.context import SyncContext
from sportsapp.sync.games import sync_game

COLD_MS, PAINT_MS, GROWTH_MB = 10, 100, 60
AT_BATS = 390
PAINTS = 15
GAMES = 1_230
"""Of a regular season of the NBA."""
FINAL = {"state": State.POST, "status": Status.FINAL, "result_at": NOW}
# Milliseconds from the last byte of the page to the second frame after its DOM is there.
TWO_FRAMES = """
addEventListener("DOMContentLoaded", () => requestAnimationFrame(() => requestAnimationFrame(() => {
  const [page] = performance.getEntriesByType("navigation")
  window.painted = performance.now() - page.responseEnd
})))
"""


@contextmanager
def stored_final(league: League) -> Iterator[tuple[Flask, str]]:
    """An app with a final of this league and its summary; and the address of the game."""
    body = summary_of(league.slug)
    espn_id = json.loads(body)["header"]["id"]
    client: Any = SummaryClient(body)
    with fresh_app() as app:
        sync_boards(four_boards())
        context = SyncContext(client, db.session, NOW)
        place_game(context, league, espn_id)
        with write_connection() as connection:
            connection.execute(update(Game).where(Game.espn_id == espn_id).values(FINAL))
        db.session.rollback()
        assert sync_game(context, league, espn_id).synced == 1
        yield app, f"/{league.slug}/games/{espn_id}"


def cold() -> list[Figure]:
    """A box score of each sport that must be rendered, since its league's data has changed."""
    figures = []
    for league in (BY_SLUG[slug] for slug in LEAGUES):
        with stored_final(league) as (app, address):
            value, spread = median_and_spread(costs_of(app, f"{address}/box"))
        what = f"{league.label}, first render after a change, CPU"
        goal, is_met = f"at most {COLD_MS} ms", value <= COLD_MS
        figures.append(Figure("box-cold", what, value, "ms", goal, is_met, spread=spread))
    return figures


def warm() -> list[Figure]:
    """A box score from the cache; its floor is the home page of that app from the cache."""
    with stored_final(BY_SLUG["nba"]) as (app, address), served_by(app) as port:
        measured = in_turns(
            lambda: load(port, path=f"{address}/box")[0], lambda: load(port)[0], ROUNDS
        )
    return [at_least("box-warm", "NBA, requests a second, 32 connections", "/s", measured, 0.5)]


def paint() -> list[Figure]:
    """A play-by-play of baseball in Chromium; its floor is a page with next to nothing on it."""
    with (
        browser_page("plays-paint", "milliseconds") as page,
        stored_final(BY_SLUG["mlb"]) as (app, address),
        served_by(app) as port,
    ):
        if page is None:
            return []
        _lengthen(AT_BATS)
        page.add_init_script(TWO_FRAMES)
        cpu = page.context.new_cdp_session(page)
        cpu.send("Performance.enable", {"timeDomain": "threadTicks"})
        busy: dict[str, list[float]] = {"plays": [], "search": []}

        def painted(name: str, path: str) -> float:
            page.goto("about:blank")
            before = _busy_ms(cpu)
            page.goto(f"http://127.0.0.1:{port}{path}")
            milliseconds = float(page.wait_for_function("window.painted").json_value())
            busy[name].append(_busy_ms(cpu) - before)
            return milliseconds

        value, spread, floor = in_turns(
            lambda: painted("plays", f"{address}/plays"),
            lambda: painted("search", "/search"),
            PAINTS,
        )
        page.goto(f"http://127.0.0.1:{port}{address}/plays")
        assert page.locator(".plays li").count() == AT_BATS
    what = f"{AT_BATS} at-bats, from the page's last byte to two frames after its DOM"
    goal, is_met = f"at most {PAINT_MS} ms", value <= PAINT_MS
    own, its_spread = median_and_spread(busy["plays"])
    least, _ = median_and_spread(busy["search"])
    return [
        Figure("plays-paint", what, value, "ms", goal, is_met, floor, spread),
        Figure("plays-paint", "CPU of its main thread", own, "ms", floor=least, spread=its_spread),
    ]


def _busy_ms(session: Any) -> float:
    """CPU milliseconds of all tasks of the page's main thread so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration")) * 1000


def _lengthen(number: int) -> None:
    """Let the one stored game have so many at-bats: its own, again and again."""
    game_id = db.session.scalars(select(SummaryRow.game_id)).one()
    summary = queries.summary_of_game(db.session, game_id)
    assert summary
    groups: list[PlayGroupRecord] = []
    while (left := number - sum(len(group.plays) for group in groups)) > 0:
        own = summary.groups[len(groups) % len(summary.groups)]
        plays = [play for play in own.plays if play.text]
        groups.append(replace(own, plays=tuple(plays[:left])))
    document = pack(replace(summary, groups=tuple(groups)))
    with write_connection() as connection:
        connection.execute(update(SummaryRow).values(document=document))
    db.session.rollback()


def growth() -> list[Figure]:
    """What a season of the NBA adds to an SQLite file: its games, box scores and plays.

    The games are copies of others, the summaries all one recorded game's with another id each.
    """
    league, body = BY_SLUG["nba"], summary_of("nba")
    own_id = json.loads(body)["header"]["id"].encode()
    with fresh_app() as app:
        sync_boards(four_boards())
        sizes = [_size(app)]
        league_id = db.session.scalars(select(LeagueRow.id).where(LeagueRow.slug == "nba")).one()
        espn_ids = _season_of_finals(league_id)
        sizes.append(_size(app))
        for espn_id in espn_ids:
            client: Any = SummaryClient(body.replace(own_id, espn_id.encode()))
            done = sync_game(SyncContext(client, db.session, NOW), league, espn_id)
            assert done.synced == 1, done
        sizes.append(_size(app))
    games, whole = (size - sizes[0] for size in sizes[1:])
    what = f"a season of the NBA, {GAMES:,} games"
    goal, is_met = f"at most {GROWTH_MB} MB", whole <= GROWTH_MB
    return [
        Figure("box-growth", what, games, "MB"),
        Figure("box-growth", f"{what} with box scores and plays", whole, "MB", goal, is_met),
    ]


def _season_of_finals(league_id: int) -> list[str]:
    """Store so many finals of a league; their ids."""
    add_history(db.session.query(Game).count() + GAMES)
    copies = db.session.scalars(select(Game.id).where(Game.espn_id.startswith("h"))).all()
    db.session.rollback()
    espn_ids = [f"9{number:08}" for number in copies]
    with write_connection() as connection:
        for number, espn_id in zip(copies, espn_ids, strict=True):
            values = FINAL | {"league_id": league_id, "espn_id": espn_id}
            connection.execute(update(Game).where(Game.id == number).values(values))
    return espn_ids


def _size(app: Flask) -> float:
    """Megabytes of the SQLite file, with all that is in its log."""
    with db.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    path = app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
    return Path(path).stat().st_size / 1e6

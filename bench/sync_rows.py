"""What syncs cost: a tick with and without changes, the first sync, SQL statements, a backfill."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from flask import Flask
from sqlalchemy import event, func, select, text

from bench.boards import NOW, ConstantClient, digest_of, four_boards, games_in, with_changes
from bench.measure import ROUNDS, Figure, at_most, cpu_ms, in_turns, median_and_spread
from demo.app import create_demo_feed
from demo.server import running_feed
from sportsapp.core.leagues import BY_SLUG, DEFAULT_LEAGUES
from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db.engine import db
from sportsapp.db.migrate import migrate_database
from sportsapp.db.models import Game
from sportsapp.factory import create_app
from sportsapp.feed.client import FeedClient
from sportsapp.feed.shapes import EventShape, ScoreboardShape
from sportsapp.services import services_of
from sportsapp.sync import scoreboards
from sportsapp.sync.backfill import sync_range
from sportsapp.sync.context import SyncContext

LATENCY = 0.1
SEASON = (date(2025, 3, 1), date(2025, 11, 30))
SYNCED = (
    "leagues",
    "teams",
    "players",
    "games",
    "scoreboards",
    "game_doubts",
    "score_events",
)


@contextmanager
def fresh_app(**more: Any) -> Iterator[Flask]:
    """An app on an empty, migrated SQLite file, inside its context."""
    with tempfile.TemporaryDirectory(prefix="sgt-bench-") as folder:
        nowhere = f"unix://{folder}/no-broker.sock"
        ours: dict[str, Any] = {"redis_url": nowhere, "api_requests_per_minute": 100_000}
        settings = Settings(instance_path=Path(folder), **(ours | more))
        app = create_app(settings)
        with app.app_context():
            migrate_database()
            yield app
            db.session.remove()
            db.engine.dispose()


def sync_boards(boards: dict[str, bytes]) -> int:
    """Sync these scoreboards once, without HTTP. Returns the number of games."""
    client: Any = ConstantClient(boards)
    leagues = [league for league in DEFAULT_LEAGUES if league.slug in boards]
    done = scoreboards.sync_today(SyncContext(client, db.session, NOW), leagues)
    assert not done.errors, done.errors
    return done.synced


def tick() -> list[Figure]:
    """A tick in which nothing has changed."""
    boards = four_boards()
    with fresh_app():
        games = sync_boards(boards)
        assert games == games_in(boards)
        measured = in_turns(
            lambda: cpu_ms(lambda: sync_boards(boards), 20),
            lambda: cpu_ms(lambda: [digest_of(body) for body in boards.values()], 20),
        )
    whole, spread = median_and_spread(_whole_ticks())
    return [
        at_most("tick", f"{games} games, nothing changed, CPU", "ms", measured, 3),
        Figure("tick", "the whole tick, with HTTP, CPU", whole, "ms", spread=spread),
    ]


def _whole_ticks() -> list[float]:
    """CPU milliseconds of ticks with HTTP. The feed is another process, which is not counted."""
    command = [sys.executable, "-m", "bench.feed"]
    with (
        fresh_app() as app,
        subprocess.Popen(  # noqa: S603
            command, cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as feed,
    ):
        assert feed.stdin is not None
        assert feed.stdout is not None
        with _client_of(app, f"http://127.0.0.1:{int(feed.stdout.readline())}") as client:
            sync = SyncContext(client, db.session, NOW)

            def tick_once() -> None:
                assert not scoreboards.sync_today(sync, list(DEFAULT_LEAGUES)).errors

            tick_once()
            milliseconds = [cpu_ms(tick_once, 10) for _ in range(ROUNDS)]
        feed.stdin.close()
    return milliseconds


def tick_changed() -> list[Figure]:
    """A tick in which ten scores have changed."""
    boards = four_boards()
    versions = [with_changes(boards, step) for step in range(1, 200)]
    with fresh_app() as app:
        sync_boards(boards)
        changed = iter(versions)
        path = app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
        measured = in_turns(
            lambda: cpu_ms(lambda: sync_boards(next(changed)), 5),
            lambda: cpu_ms(lambda: _decode_and_update(boards, path), 5),
        )
    return [at_most("tick-changed", "10 of the games changed, CPU", "ms", measured, 3)]


def _decode(boards: dict[str, bytes]) -> list[EventShape]:
    scoreboard, event = msgspec.json.Decoder(ScoreboardShape), msgspec.json.Decoder(EventShape)
    raws = [raw for body in boards.values() for raw in scoreboard.decode(body).events or ()]
    return [event.decode(raw) for raw in raws]


def _decode_and_update(boards: dict[str, bytes], path: str) -> None:
    events = _decode(boards)
    connection = sqlite3.connect(path)
    with connection:
        for game in events[:10]:
            connection.execute("UPDATE games SET attendance = 1 WHERE espn_id = ?", (str(game.id),))
    connection.close()


def first_sync() -> list[Figure]:
    """The same scoreboards into an empty database."""
    boards = four_boards()
    with fresh_app():
        sync_boards(boards)
        columns, rows = _stored_games()

        def sync_anew() -> float:
            _empty_tables()
            return cpu_ms(lambda: sync_boards(boards), 1)

        measured = in_turns(
            sync_anew, lambda: cpu_ms(lambda: _bulk_insert(boards, columns, rows), 1)
        )
    return [at_most("first-sync", "into an empty database, CPU", "ms", measured, 4)]


def _stored_games() -> tuple[list[str], list[tuple[Any, ...]]]:
    games = db.session.execute(text("SELECT * FROM games"))
    return list(games.keys()), [tuple(row) for row in games]


def _empty_tables() -> None:
    for table in reversed(SYNCED):
        db.session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - our own names
    db.session.commit()


def _bulk_insert(boards: dict[str, bytes], columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    _decode(boards)
    with tempfile.NamedTemporaryFile(suffix=".db") as file:
        connection = sqlite3.connect(file.name)
        connection.execute(f"CREATE TABLE games ({', '.join(columns)})")
        marks = ", ".join("?" * len(columns))
        with connection:
            connection.executemany(f"INSERT INTO games VALUES ({marks})", rows)  # noqa: S608
        connection.close()


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count statements by their first word, and the rows written to each table."""
    count: Counter[str] = Counter()

    def note(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        words = statement.split()
        kind = words[0].upper()
        count[kind] += 1
        if kind in ("INSERT", "UPDATE", "DELETE"):
            table = words[1] if kind == "UPDATE" else words[2]
            count[f"rows of {table}"] += max(cursor.rowcount, 0)

    event.listen(db.engine, "after_cursor_execute", note)
    try:
        yield count
    finally:
        event.remove(db.engine, "after_cursor_execute", note)


def statements() -> list[Figure]:
    """SQL statements and written rows of a tick."""
    boards = four_boards()
    figures = []
    with fresh_app():
        sync_boards(boards)
        for what, body in (("nothing changed", boards), ("10 changed", with_changes(boards, 1))):
            with counted() as count:
                sync_boards(body)
            sent = sum(count[kind] for kind in ("SELECT", "INSERT", "UPDATE", "DELETE"))
            rows = {name[8:]: n for name, n in count.items() if name.startswith("rows of ")}
            written = ", ".join(f"{table} {n}" for table, n in sorted(rows.items())) or "none"
            is_quiet = not any(rows.get(table) for table in ("games", "teams", "players"))
            is_met = (sent <= 2 * len(boards) and is_quiet) if what == "nothing changed" else None
            goal = "at most 2 a league, no game written" if is_met is not None else ""
            label = f"{what}; rows written: {written}"
            figures.append(Figure("statements", label, sent, "statements", goal, is_met))
    return figures


def backfill() -> list[Figure]:
    """One MLB season with 100 ms of latency, then the memory of ten."""
    league = BY_SLUG["mlb"]
    demo = create_demo_feed(now=lambda: NOW)
    slow_feed = demo.wsgi_app = _SlowFeed(demo.wsgi_app)  # type: ignore[method-assign]
    with running_feed(demo) as url, fresh_app() as app:
        with _client_of(app, url) as client:
            for month in range(SEASON[0].month, SEASON[1].month + 1):
                client.month(league, SEASON[0].replace(month=month))
        slow_feed.requests = 0
        with _client_of(app, url) as client:
            began = time.perf_counter()
            done = sync_range(SyncContext(client, db.session, NOW), league, *SEASON)
            seconds = time.perf_counter() - began
        requests = slow_feed.requests
        floor = requests * LATENCY
        games = db.session.scalar(select(func.count()).select_from(Game)) or 0
        assert done.synced == games, (done.synced, games)
    return [
        Figure(
            "backfill",
            f"requests for {games} games",
            requests,
            "requests",
            "at most 10",
            requests <= 10,
        ),
        Figure(
            "backfill",
            f"{games / seconds:.0f} games a second, 100 ms latency",
            seconds,
            "s",
            "at most 2 x",
            seconds <= 2 * floor,
            floor,
        ),
        *_memory_of_ten_seasons(),
    ]


class _SlowFeed:
    """A feed that answers after LATENCY, from memory where it has answered the request before."""

    def __init__(self, feed: Any) -> None:
        self.feed = feed
        self.answers: dict[str, tuple[Any, ...]] = {}
        self.requests = 0

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        self.requests += 1
        time.sleep(LATENCY)
        address = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        if address not in self.answers:
            started: list[Any] = []
            body = b"".join(self.feed(environ, lambda *start: started.extend(start)))
            self.answers[address] = (*started, body)
        *start, body = self.answers[address]
        start_response(*start)
        return [body]


@contextmanager
def _client_of(app: Flask, url: str) -> Iterator[FeedClient]:
    client = FeedClient(url, services_of(app).settings.user_agent)
    try:
        yield client
    finally:
        client.close()


def _memory_of_ten_seasons() -> list[Figure]:
    league = BY_SLUG["mlb"]
    peaks = []
    with running_feed(create_demo_feed(now=lambda: NOW)) as url, fresh_app() as app:
        client = FeedClient(url, services_of(app).settings.user_agent)
        for year in range(2016, 2026):
            tracemalloc.start()
            span = SEASON[0].replace(year=year), SEASON[1].replace(year=year)
            worker = threading.Thread(target=_range_in, args=(app, client, league, span))
            worker.start()
            worker.join()
            peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
            tracemalloc.stop()
        client.close()
    grows = max(peaks[5:]) / max(peaks[:5])
    what = f"peak of Python's memory, last of ten seasons (first {peaks[0]:.0f} MB)"
    return [Figure("backfill", what, peaks[-1], "MB", "flat: at most 1.2 x", grows <= 1.2)]


def _range_in(app: Flask, client: FeedClient, league: Any, span: tuple[date, date]) -> None:
    with app.app_context():
        sync_range(SyncContext(client, db.session, NOW), league, *span)
        db.session.remove()

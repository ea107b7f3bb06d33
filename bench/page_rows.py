"""What pages cost: cached, unchanged (304), rendered, and with a long history in the database."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select, text, update

from bench.boards import ConstantClient
from bench.measure import Figure, at_least, at_most, cpu_ms, in_turns, median_and_spread
from bench.sync_rows import fresh_app
from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.leagues import DEFAULT_LEAGUES
from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import Game, LeagueRow, Team
from sportsapp.services import services_of
from sportsapp.sync import scoreboards
from sportsapp.sync.context import SyncContext
from tests.busiest import busiest_boards
from tests.integration.events import board
from tests.stored import mark_read

CONNECTIONS = 32
SECONDS = 3.0
ROUNDS = 5
COLD = 40
HISTORY = (1_000, 100_000)
_numbers = itertools.count()
FROM_SERVER = {"server", "date", "content-length"}


def fill_busiest_day() -> None:
    """Store 58 games of today."""
    boards = {
        slug: json.dumps(board(*events)).encode()
        for slug, events in busiest_boards(game_day(utc_now())).items()
    }
    client: Any = ConstantClient(boards)
    scoreboards.sync_today(SyncContext(client, db.session, utc_now()), list(DEFAULT_LEAGUES))


# ---------------------------------------------------------------- through the server


@contextmanager
def served(target: str, environment: dict[str, str]) -> Iterator[int]:
    """Run the production web server, and yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "bench.serving", target, str(port)]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=os.environ | environment)  # noqa: S603
    try:
        _wait_for(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"no server on port {port}")


class _Visitor(asyncio.Protocol):
    """One connection that sends the next request as soon as it has the answer."""

    def __init__(self, request: bytes, latencies: list[float]) -> None:
        self.request, self.latencies, self.buffer, self.missing = request, latencies, b"", -1

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._send()

    def _send(self) -> None:
        self.began = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if self.missing < 0:
            self.buffer += data
            head, is_whole, rest = self.buffer.partition(b"\r\n\r\n")
            if not is_whole:
                return
            self.missing, self.buffer = _length(head) - len(rest), b""
        else:
            self.missing -= len(data)
        if self.missing <= 0:
            self.latencies.append(time.perf_counter() - self.began)
            self.missing = -1
            self._send()


def _length(head: bytes) -> int:
    status = head.split(b" ", 2)[1]
    if status == b"304":
        return 0
    assert status == b"200", head
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError(f"no length: {head!r}")


def load(
    port: int, headers: str = "", connections: int = CONNECTIONS, path: str = "/"
) -> tuple[float, float]:
    """Requests a second, and the 99th percentile of the latency in ms."""
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: gzip\r\n{headers}\r\n"
    )
    latencies: list[float] = []

    async def visit() -> None:
        loop = asyncio.get_running_loop()
        connected = [
            await loop.create_connection(
                lambda: _Visitor(request.encode(), latencies), "127.0.0.1", port
            )
            for _ in range(connections)
        ]
        await asyncio.sleep(SECONDS)
        for transport, _ in connected:
            transport.abort()

    asyncio.run(visit())
    return len(latencies) / SECONDS, statistics.quantiles(latencies, n=100)[98] * 1000


def _answer_of(port: int) -> tuple[dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/", headers={"Accept-Encoding": "gzip"})
    response = connection.getresponse()
    return dict(response.getheaders()), response.read()


@contextmanager
def running_page() -> Iterator[int]:
    """Serve the application on its busiest day, and yield its port."""
    with fresh_app() as app:
        fill_busiest_day()
        with served_by(app) as port:
            yield port


@contextmanager
def served_by(app: Flask) -> Iterator[int]:
    """Serve what this app has stored, from a process of its own, and yield its port."""
    instance = str(services_of(app).settings.instance_path)
    broker = f"unix://{instance}/no-broker.sock"
    with served("wsgi:app", {"INSTANCE_PATH": instance, "REDIS_URL": broker}) as port:
        yield port


@contextmanager
def _both_servers() -> Iterator[tuple[int, int, str]]:
    """Ports of the application on its busiest day and of the constant; and the page's ETag."""
    with running_page() as port, tempfile.TemporaryDirectory(prefix="sgt-bench-") as folder:
        headers, body = _answer_of(port)
        file = Path(folder) / "page.json"
        lower = {name.lower(): value for name, value in headers.items()}
        ours = {name: value for name, value in lower.items() if name not in FROM_SERVER}
        file.write_text(json.dumps({"headers": ours, "body": body.hex()}))
        with served("bench.constant:app", {"BENCH_PAGE": str(file)}) as floor_port:
            yield port, floor_port, lower["etag"]


def warm() -> list[Figure]:
    """The page of the busiest day, from the cache."""
    p99s: list[float] = []

    def rate_of(port: int) -> float:
        rate, p99 = load(port)
        p99s.append(p99)
        return rate

    with _both_servers() as (port, floor_port, _):
        measured = in_turns(lambda: rate_of(port), lambda: load(floor_port)[0], ROUNDS)
    p99, spread = median_and_spread(p99s)
    what = f"requests a second, {CONNECTIONS} connections"
    return [
        at_least("page-warm", what, "/s", measured, 0.5),
        Figure("page-warm", "p99 latency", p99, "ms", spread=spread),
    ]


def not_modified() -> list[Figure]:
    """Conditional requests for a page that has not changed."""
    with _both_servers() as (port, floor_port, etag):
        header = f"If-None-Match: {etag}\r\n"
        measured = in_turns(
            lambda: load(port, header)[0], lambda: load(floor_port, header)[0], ROUNDS
        )
    what = f"304 responses a second, {CONNECTIONS} connections"
    return [at_least("page-304", what, "/s", measured, 0.5)]


# ---------------------------------------------------------------- in this process


def cold() -> list[Figure]:
    """A page that must be rendered, since its data has changed."""
    with fresh_app() as app:
        fill_busiest_day()
        values = costs_of(app, "/")
    value, spread = median_and_spread(values)
    what = "58 games, first render after a change, CPU"
    return [Figure("page-cold", what, value, "ms", "at most 8 ms", value <= 8, spread=spread)]


def costs_of(app: Flask, path: str) -> list[float]:
    """CPU milliseconds of COLD renders of a page, each after its leagues' data has changed."""
    visitor, values, tags = app.test_client(), [], set()

    def visit(address: str) -> None:
        answer = visitor.get(address)
        assert answer.status_code == 200, answer.text
        tags.add(answer.headers["ETag"])

    visit(path)
    for n in range(COLD):
        _touch(n)
        # at the same address the page is cached until the second ends
        values.append(cpu_ms(partial(visit, f"{path}?n={n}"), 1))
    assert len(tags) == COLD + 1, "a page came from the cache"
    return values


def _touch(n: int) -> None:
    with write_connection() as connection:
        moment = utc_now() + timedelta(microseconds=n)
        connection.execute(update(LeagueRow).values(changed_at=moment))
    db.session.rollback()  # the requests here share this session, which must read again


def history() -> list[Figure]:
    """The same pages with a thousand stored games, and with a hundred thousand.

    Both databases have the same games this season, so the pages are the same.
    """
    day = game_day(utc_now()) - timedelta(days=40)
    with fresh_app() as short, fresh_app() as long:
        for app, count in zip((short, long), HISTORY, strict=True):
            with app.app_context():
                fill_busiest_day()
                add_history(count)
        paths = ["/", f"/nba/{day}", f"/nba/teams/{_some_team()}", "/api/v1/games"]
        return [_history_of(path, short, long) for path in paths]


def _history_of(path: str, short: Flask, long: Flask) -> Figure:
    measured = in_turns(lambda: _p50(long, path), lambda: _p50(short, path), ROUNDS)
    what = f"p50 of {path} with {HISTORY[1]:,} games; floor: with {HISTORY[0]:,}"
    return at_most("history", what, "ms", measured, 1.2)


def _some_team() -> str:
    teams = select(Team.abbreviation).join(Team.league_row).where(LeagueRow.slug == "nba")
    return db.session.scalars(teams.order_by(Team.id)).first() or ""


def _p50(app: Flask, path: str) -> float:
    visitor = app.test_client()
    latencies, answers = [], []
    with app.app_context():
        for _ in range(COLD):
            # an address that was never requested before, so that no page comes from the cache
            address = path if path.startswith("/api/") else f"{path}?n={next(_numbers)}"
            began = time.perf_counter()
            answers.append(visitor.get(address))
            latencies.append((time.perf_counter() - began) * 1000)
    assert {answer.status_code for answer in answers} == {200}, path
    tags = {answer.headers.get("ETag") for answer in answers}
    assert len(tags) == COLD or path.startswith("/api/"), "a page came from the cache"
    return statistics.median(latencies)


def add_history(count: int) -> None:
    """Store copies of the busiest day's games on earlier days, up to ``count`` games in all.

    The first thousand are of this season, all others of earlier seasons.
    """
    have = db.session.query(Game).count()
    columns = [column.name for column in Game.__table__.columns if column.name != "id"]
    models = [
        dict(row) for row in db.session.execute(text("SELECT * FROM games LIMIT 58")).mappings()
    ]
    chance = random.Random(1)  # noqa: S311 - no secret
    today = game_day(utc_now())
    rows = []
    for n in range(have, count):
        model = chance.choice(models)
        is_now = n < HISTORY[0]
        day = today - timedelta(days=30 + n // 40 if is_now else 400 + n // 40)
        row = {name: model[name] for name in columns}
        row |= {"espn_id": f"h{n}", "state": "post", "status": "final"}
        row |= {"day": str(day), "start_at": f"{day} 20:00:00.000000"}
        row["season_year"] = today.year if is_now else day.year
        rows.append(row)
    marks = ", ".join(f":{name}" for name in columns)
    with write_connection() as connection:
        names = ", ".join(columns)
        connection.execute(text(f"INSERT INTO games ({names}) VALUES ({marks})"), rows)  # noqa: S608
        connection.execute(text("ANALYZE"))
    for league in DEFAULT_LEAGUES:  # pages about days that were not read are kept by nobody
        mark_read(league.slug, today - timedelta(days=400), today + timedelta(days=400))
    db.session.rollback()

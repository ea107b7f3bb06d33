"""What pages cost: kept, unchanged, made anew, and with a long history behind them."""

from __future__ import annotations

import asyncio
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
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from bench.boards import BytesAtHand
from bench.measure import Figure, at_least, cpu_ms, median_and_spread, side_by_side
from bench.sync_rows import fresh_app
from sportsapp.clock import game_day, utc_now
from sportsapp.database import db, write_connection
from sportsapp.leagues import ALL_LEAGUES
from sportsapp.models import Game, Team
from sportsapp.models import League as LeagueRow
from sportsapp.settings import PROJECT_ROOT
from sportsapp.sync import service
from sportsapp.sync.service import Sync
from tests.busiest import busiest_boards
from tests.integration.events import board

CONNECTIONS = 32
SECONDS = 3.0
ROUNDS = 5
SERVER_CPUS, CLIENT_CPUS = {0}, {1}
HISTORY = (1_000, 100_000)


def fill_busiest_day() -> None:
    """Today with 58 games."""
    boards = {
        slug: json.dumps(board(*events)).encode()
        for slug, events in busiest_boards(game_day(utc_now())).items()
    }
    client: Any = BytesAtHand(boards)
    service.sync_today(Sync(client, db.session, utc_now()), list(ALL_LEAGUES))


# ---------------------------------------------------------------- through the server


@contextmanager
def served(target: str, environment: dict[str, str]) -> Iterator[int]:
    """The production server with one worker; the port it listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port",
        str(port), "--workers", "1", "--blocking-threads", "4", "--no-ws", "--no-access-log",
        "--log-level", "error", target,
    ]  # fmt: skip
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
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes, waits: list[float]) -> None:
        self.request, self.waits, self.buffer, self.missing = request, waits, b"", -1

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._ask()

    def _ask(self) -> None:
        self.began = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if self.missing < 0:
            self.buffer += data
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self.missing, self.buffer = _length(head) - len(rest), b""
        else:
            self.missing -= len(data)
        if self.missing <= 0:
            self.waits.append(time.perf_counter() - self.began)
            self.missing = -1
            self._ask()


def _length(head: bytes) -> int:
    status = head.split(b" ", 2)[1]
    if status == b"304":
        return 0
    assert status == b"200", head
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError(f"no length: {head!r}")


def load(port: int, headers: str = "") -> tuple[float, float]:
    """Requests a second, and the 99th percentile of the waits in ms, with 32 connections."""
    request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: gzip\r\n{headers}\r\n"
    waits: list[float] = []

    async def visit() -> None:
        loop = asyncio.get_running_loop()
        made = [
            await loop.create_connection(
                lambda: _Visitor(request.encode(), waits), "127.0.0.1", port
            )
            for _ in range(CONNECTIONS)
        ]
        await asyncio.sleep(SECONDS)
        for transport, _ in made:
            transport.abort()

    asyncio.run(visit())
    return len(waits) / SECONDS, statistics.quantiles(waits, n=100)[98] * 1000


def _answer_of(port: int) -> tuple[dict[str, str], bytes]:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/", headers={"Accept-Encoding": "gzip"})
    response = connection.getresponse()
    return dict(response.getheaders()), response.read()


@contextmanager
def _both_servers() -> Iterator[tuple[int, int, str]]:
    """Ports of the application on its busiest day and of the constant; the page's ETag."""
    with fresh_app() as app:
        fill_busiest_day()
        instance = str(app.extensions["settings"].instance_path)
        broker = f"unix://{instance}/no-broker.sock"
        with served("wsgi:app", {"INSTANCE_PATH": instance, "REDIS_URL": broker}) as port:
            headers, body = _answer_of(port)
            kept = Path(tempfile.mkdtemp(prefix="sgt-bench-")) / "page.json"
            names = ("Content-Type", "Content-Encoding", "ETag", "Cache-Control", "Vary")
            lower = {name.lower(): value for name, value in headers.items()}
            told = {name: lower[name.lower()] for name in names if name.lower() in lower}
            kept.write_text(json.dumps({"headers": told, "body": body.hex()}))
            with served("bench.constant:app", {"BENCH_PAGE": str(kept)}) as floor_port:
                yield port, floor_port, lower["etag"]


def warm() -> list[Figure]:
    """The busiest day's page again and again."""
    waits: list[float] = []

    def measured(port: int) -> float:
        rate, worst = load(port)
        waits.append(worst)
        return rate

    with _both_servers() as (port, floor_port, _):
        sides = side_by_side(lambda: measured(port), lambda: load(floor_port)[0], ROUNDS)
    p99, spread = median_and_spread(waits)
    what = f"requests a second, {CONNECTIONS} connections"
    return [
        at_least("page-warm", what, "/s", sides, 0.6),
        Figure("page-warm", "p99 of the wait", p99, "ms", spread=spread),
    ]


def not_modified() -> list[Figure]:
    """Conditional requests for a page that has not changed."""
    with _both_servers() as (port, floor_port, etag):
        ask = f"If-None-Match: {etag}\r\n"
        sides = side_by_side(lambda: load(port, ask)[0], lambda: load(floor_port, ask)[0], ROUNDS)
    what = f"304 a second, {CONNECTIONS} connections"
    return [at_least("page-304", what, "/s", sides, 0.6)]


# ---------------------------------------------------------------- in this process


def cold() -> list[Figure]:
    """A page that must be made anew."""
    with fresh_app() as app:
        fill_busiest_day()
        visitor = app.test_client()
        values = []
        for n in range(20):
            visitor.get("/")
            _touch(n)
            values.append(cpu_ms(lambda: visitor.get("/"), 1))
    value, spread = median_and_spread(values)
    what = "58 games, first render after a change, CPU"
    return [Figure("page-cold", what, value, "ms", "at most 8 ms", value <= 8, spread=spread)]


def _touch(n: int) -> None:
    with write_connection() as connection:
        moment = utc_now() + timedelta(microseconds=n)
        connection.execute(
            text("UPDATE leagues SET changed_at = :at"), {"at": moment.isoformat(" ")}
        )


def history() -> list[Figure]:
    """The same pages with a thousand games behind them, and with a hundred thousand."""
    figures = []
    with fresh_app() as app:
        fill_busiest_day()
        medians: dict[int, dict[str, float]] = {}
        for count in HISTORY:
            _add_history(count)
            medians[count] = _medians(app)
    for path, value in medians[HISTORY[1]].items():
        floor = medians[HISTORY[0]][path]
        what = f"{path} at {HISTORY[1]:,} games beside {HISTORY[0]:,}"
        figures.append(
            Figure("history", what, value, "ms", "at most 1.2 x", value <= 1.2 * floor, floor)
        )
    return figures


def _medians(app: Flask) -> dict[str, float]:
    day = game_day(utc_now()) - timedelta(days=40)
    team = db.session.scalars(select(Team.abbreviation).join(Team.league).where(
        LeagueRow.slug == "nba").order_by(Team.id)).first()  # fmt: skip
    visitor = app.test_client()
    paths = ["/", f"/nba/{day}", f"/nba/teams/{team}", "/api/v1/games?league=nba"]
    return {path: _p50(visitor, path) for path in paths}


def _p50(visitor: FlaskClient, path: str) -> float:
    waits = []
    for n in range(40):
        _touch(n)  # a page that is kept would hide what reading costs
        began = time.perf_counter()
        answer = visitor.get(path)
        waits.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, path
    return statistics.median(waits)


def _add_history(count: int) -> None:
    """Games of earlier seasons, made of those of the busiest day, up to this many in all."""
    have = db.session.query(Game).count()
    columns = [column.name for column in Game.__table__.columns if column.name != "id"]
    models = [
        dict(row) for row in db.session.execute(text("SELECT * FROM games LIMIT 58")).mappings()
    ]
    chance = random.Random(1)  # noqa: S311 - no secret
    newest = game_day(utc_now()) - timedelta(days=30)
    rows = []
    for n in range(count - have):
        model = chance.choice(models)
        day = newest - timedelta(days=(have + n) // 40)
        row = {name: model[name] for name in columns}
        row |= {
            "espn_id": f"h{have + n}", "day": str(day), "state": "post", "status": "final",
            "start_at": f"{day} 20:00:00.000000", "season_year": day.year,
        }  # fmt: skip
        rows.append(row)
    marks = ", ".join(f":{name}" for name in columns)
    with write_connection() as connection:
        names = ", ".join(columns)
        connection.execute(text(f"INSERT INTO games ({names}) VALUES ({marks})"), rows)  # noqa: S608
        connection.execute(text("ANALYZE"))
    db.session.rollback()

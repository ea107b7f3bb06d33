"""How long viewers of a live page wait for their answers, when all ask after the same reading."""

from __future__ import annotations

import asyncio
import http.client
import random
import statistics
import time
from typing import Any

from bench.measure import Figure
from bench.page_rows import running_page
from sportsapp.core.settings import Settings

VIEWERS, SHARE = 100_000, 20
READINGS = 6
JITTER_SECONDS = 2.0
GOAL_MS = 50
LAST_SECONDS = 10.0


def viewers() -> list[Figure]:
    """The 99th percentile of the latency, as viewers ask: within two seconds of each reading.

    Requests begin when they are due, whether earlier ones were answered or not (open loop), and
    their latency counts from then. One of ``SHARE`` viewers is simulated, on connections that are
    kept, straight at the web server: client and server share the machine. All have the page, as
    after a reading without news. Takes about a minute.
    """
    count, every = VIEWERS // SHARE, Settings().live_read_seconds
    chance = random.Random(1)  # noqa: S311 - no secret
    due = sorted(
        reading * every + chance.uniform(0, JITTER_SECONDS)
        for reading in range(READINGS)
        for _ in range(count)
    )
    with running_page() as port:
        latencies = asyncio.run(_visit(port, due, _etag(port)))
    assert len(latencies) == len(due), f"{len(due) - len(latencies)} requests without an answer"
    percentiles = statistics.quantiles(latencies, n=100)
    p99 = percentiles[98] * 1000
    what = f"of {count:,} viewers, one of {SHARE} of {VIEWERS:,}, {count / JITTER_SECONDS:,.0f}/s"
    return [
        Figure("viewers", f"p99 {what}", p99, "ms", f"at most {GOAL_MS} ms", p99 <= GOAL_MS),
        Figure("viewers", f"median {what}", percentiles[49] * 1000, "ms"),
    ]


def _etag(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/")
    response = connection.getresponse()
    response.read()
    return response.headers["ETag"]


class _Connection(asyncio.Protocol):
    """A connection that carries one request at a time; it is in ``free`` when it carries none."""

    def __init__(self, free: list[_Connection], latencies: list[float]) -> None:
        self.free, self.latencies = free, latencies

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        if self in self.free:
            self.free.remove(self)

    def ask(self, request: bytes, due: float) -> None:
        self.due, self.buffer = due, b""
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.buffer.endswith(b"\r\n\r\n"):  # a 304 has no body
            assert self.buffer.startswith(b"HTTP/1.1 304"), self.buffer[:200]
            self.latencies.append(time.perf_counter() - self.due)
            self.free.append(self)


async def _visit(port: int, due: list[float], etag: str) -> list[float]:
    """The latencies of requests that begin when they are due, in seconds from now."""
    loop = asyncio.get_running_loop()
    request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nIf-None-Match: {etag}\r\n\r\n".encode()
    free: list[_Connection] = []
    latencies: list[float] = []
    opening: set[asyncio.Task[None]] = set()

    async def on_new_connection(moment: float) -> None:
        _, connection = await loop.create_connection(
            lambda: _Connection(free, latencies), "127.0.0.1", port
        )
        connection.ask(request, moment)

    began = time.perf_counter()
    for moment in due:
        wait = began + moment - time.perf_counter()
        if wait > 0.001:
            await asyncio.sleep(wait)
        else:
            await asyncio.sleep(0)  # answers are read meanwhile
        if free:
            free.pop().ask(request, began + moment)
        else:
            task = loop.create_task(on_new_connection(began + moment))
            opening.add(task)
            task.add_done_callback(opening.discard)
    deadline = time.perf_counter() + LAST_SECONDS
    while len(latencies) < len(due) and time.perf_counter() < deadline:
        await asyncio.sleep(0.01)
    return latencies

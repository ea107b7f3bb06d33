"""The feed client over real HTTP: what it asks, how it waits, when it gives up."""

from __future__ import annotations

import gzip
import hashlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from itertools import chain, repeat
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from sportsapp.core.errors import FeedRefusedError, FeedUnavailableError, PayloadError
from sportsapp.core.leagues import ALL_LEAGUES, BY_SLUG
from sportsapp.feed.client import OUTCOMES, FeedClient, RetryPolicy
from tests.loopback import LoopbackFeed, serving

AGENT = "SportsGameTracker/9.9 (+https://example.org/me)"
NFL, COLLEGE = BY_SLUG["nfl"], BY_SLUG["ncaaf"]
DAY = date(2026, 10, 4)
POLICY = RetryPolicy(connect=2, read=2, deadline=5, retries=2, first_wait=1, longest_wait=8)
HASTE = replace(POLICY, retries=0, deadline=0.4)


@pytest.fixture
def waits() -> list[float]:
    """The waits that the client asked for, instead of waiting."""
    return []


@pytest.fixture
def make_client(waits: list[float]) -> Iterator[Callable[..., FeedClient]]:
    made: list[FeedClient] = []

    def make(url: str, policy: RetryPolicy = POLICY, **more: Any) -> FeedClient:
        client = FeedClient(url, AGENT, retry_policy=policy, sleep=waits.append, **more)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def feed_client(feed: LoopbackFeed, make_client: Callable[..., FeedClient]) -> FeedClient:
    return make_client(feed.url)


def in_turn(*answers: Response) -> Callable[[Request], Response]:
    """Give these answers one after the other, the last one for ever."""
    turn = chain(answers, repeat(answers[-1]))
    return lambda _request: next(turn)


def refusal(status: int, text: str = "no", **headers: str) -> Response:
    return Response(text, status, {name.replace("_", "-"): v for name, v in headers.items()})


GOOD = Response(b'{"events": []}', mimetype="application/json")


@contextmanager
def raw_feed(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A feed that treats each connection as ``talk`` does; its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept_all, args=(server, talk), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def accept_all(server: socket.socket, talk: Callable[[socket.socket], None]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            try:
                connection.recv(65_536)
                talk(connection)
            except OSError:
                continue


def drip(data: bytes, at_once: int = 0) -> Callable[[socket.socket], None]:
    """Send byte by byte, with gaps that no read time-out notices; the first few at once."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(data[:at_once])
        for n in range(at_once, len(data)):
            connection.sendall(data[n : n + 1])
            time.sleep(0.05)

    return talk


def reset(connection: socket.socket) -> None:
    """Hang up without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# ---------------------------------------------------------------- what it asks


def test_it_introduces_itself_honestly(feed, feed_client):
    feed_client.scoreboard(NFL, DAY)
    assert feed.requests[0].headers["User-Agent"] == AGENT
    assert feed.requests[0].headers["Accept"] == "application/json"
    assert "gzip" in feed.requests[0].headers["Accept-Encoding"]


@pytest.mark.parametrize("league", ALL_LEAGUES, ids=lambda league: league.slug)
def test_scoreboard_is_asked_for_one_day_of_one_league(feed, feed_client, league):
    feed_client.scoreboard(league, DAY)
    (request,) = feed.requests
    assert request.path == f"/apis/site/v2/sports/{league.sport}/{league.feed_slug}/scoreboard"
    division = {"groups": str(league.group)} if league.group else {}
    assert request.args.to_dict() == {"dates": "20261004", "limit": "500"} | division


def test_month_is_asked_for_without_a_range(feed, feed_client):
    feed_client.month(NFL, date(2026, 2, 28))
    assert feed.requests[0].args.to_dict() == {"dates": "202602", "limit": "500"}


@pytest.mark.parametrize(
    ("ask", "path", "arguments"),
    [
        (lambda c: c.teams(NFL), "/apis/site/v2/sports/football/nfl/teams", {"limit": "500"}),
        (lambda c: c.roster(NFL, "12"), "/apis/site/v2/sports/football/nfl/teams/12/roster", {}),
        (lambda c: c.standings(NFL), "/apis/v2/sports/football/nfl/standings", {"level": "3"}),
        (
            lambda c: c.month(COLLEGE, DAY),
            "/apis/site/v2/sports/football/college-football/scoreboard",
            {"dates": "202610", "limit": "500", "groups": "80"},
        ),
        (
            lambda c: c.teams(COLLEGE),
            "/apis/site/v2/sports/football/college-football/teams",
            {"limit": "1000", "groups": "80"},
        ),
        (
            lambda c: c.standings(COLLEGE),
            "/apis/v2/sports/football/college-football/standings",
            {"group": "80"},
        ),
    ],
)
def test_other_answers_have_their_addresses(feed, feed_client, ask, path, arguments):
    for league in ("nfl", "ncaaf"):
        feed.answers[league, path.rsplit("/", 1)[-1], ""] = GOOD
    ask(feed_client)
    assert (feed.requests[0].path, feed.requests[0].args.to_dict()) == (path, arguments)


def test_rate_limiter_is_waited_for_before_each_request(feed, make_client):
    feed.say("nfl", in_turn(refusal(500), GOOD))
    paced: list[int] = []
    limiter = SimpleNamespace(wait=lambda: paced.append(len(feed.requests)))
    client = make_client(feed.url, rate_limiter=limiter)
    client.scoreboard(NFL, DAY)
    assert paced == [0, 1]


def test_cookies_are_not_kept(feed, feed_client):
    feed.say("nfl", refusal(200, "{}", Set_Cookie="who=me; Path=/"))
    feed_client.scoreboard(NFL, DAY)
    feed_client.scoreboard(NFL, DAY)
    assert "Cookie" not in feed.requests[1].headers


def test_connection_is_used_again(make_client):
    connections = []

    def talk(connection: socket.socket) -> None:
        connections.append(connection.getpeername())
        said = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        connection.sendall(said)
        while connection.recv(65_536):
            connection.sendall(said)

    with raw_feed(talk) as url:
        client = make_client(url)
        for _ in range(3):
            client.scoreboard(NFL, DAY)
        client.close()
    assert len(connections) == 1


def test_it_may_be_used_from_several_threads(feed, feed_client):
    leagues = ALL_LEAGUES * 4
    threads = [threading.Thread(target=feed_client.scoreboard, args=(x, DAY)) for x in leagues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(feed.asked()) == sorted(f"{league.slug} 20261004" for league in leagues)


# ---------------------------------------------------------------- good answers


def test_answer_is_the_body_and_its_digest(feed, feed_client):
    feed.say("nfl", b'{"events": [1]}', dates="20261004")
    feed.say("nfl", b'{"events": [2]}', dates="20261005")
    first, again = feed_client.scoreboard(NFL, DAY), feed_client.scoreboard(NFL, DAY)
    other = feed_client.scoreboard(NFL, DAY + timedelta(days=1))
    assert first == again
    assert first.body == b'{"events": [1]}'
    assert first.digest == hashlib.sha256(first.body).hexdigest()
    assert first.digest != other.digest
    assert first.url.endswith("/scoreboard?dates=20261004&limit=500")


@pytest.mark.parametrize("body", [b"", b"<html>Sorry</html>", b"{", b"\x00\xff"])
def test_body_is_not_judged_here(feed, feed_client, body):
    feed.say("nfl", Response(body, mimetype="text/html"))
    assert feed_client.scoreboard(NFL, DAY).body == body


def test_compressed_body_is_unpacked(feed, feed_client):
    packed = Response(gzip.compress(b'{"events": []}'), headers={"Content-Encoding": "gzip"})
    feed.say("nfl", packed)
    assert feed_client.scoreboard(NFL, DAY).body == b'{"events": []}'


# ---------------------------------------------------------------- asking again


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_it_asks_again_when_the_feed_is_unwell(feed, feed_client, waits, status):
    feed.say("nfl", in_turn(refusal(status), refusal(status), GOOD))
    assert feed_client.scoreboard(NFL, DAY).body == b'{"events": []}'
    assert len(waits) == 2


def test_waits_grow_and_are_jittered(feed, make_client, waits):
    feed.fail("nfl", 500)
    policy = replace(POLICY, retries=6)
    for _ in range(5):
        with pytest.raises(FeedUnavailableError):
            make_client(feed.url, policy).scoreboard(NFL, DAY)
    rounds = [waits[n : n + 6] for n in range(0, 30, 6)]
    for longest, each in zip([1, 2, 4, 8, 8, 8], zip(*rounds, strict=True), strict=True):
        assert all(longest / 2 <= wait <= longest for wait in each)
        assert len(set(each)) == 5


def test_it_gives_up_after_the_last_retry(feed, feed_client, waits):
    feed.fail("nfl", 503)
    with pytest.raises(FeedUnavailableError, match="the feed answered 503") as caught:
        feed_client.scoreboard(NFL, DAY)
    assert (len(feed.requests), len(waits)) == (3, 2)
    assert (caught.value.status, caught.value.retryable) == (503, True)
    assert "scoreboard?dates=20261004" in caught.value.url


@pytest.mark.parametrize("status", [300, 304, 400, 401, 403, 404, 410, 451])
def test_refusal_is_not_asked_again(feed, feed_client, waits, status):
    feed.fail("nfl", status)
    with pytest.raises(FeedRefusedError, match=f"refused us with {status}") as caught:
        feed_client.scoreboard(NFL, DAY)
    assert (len(feed.requests), waits) == (1, [])
    assert (caught.value.status, caught.value.retryable) == (status, False)


def test_refusal_quotes_what_the_feed_said(feed, feed_client):
    feed.say("nfl", refusal(400, '{"code":400,\n"message":"Failed to get events endpoint."}'))
    with pytest.raises(FeedRefusedError, match='"message":"Failed to get events endpoint'):
        feed_client.scoreboard(NFL, DAY)


@pytest.mark.parametrize(("said", "wait"), [("3", 3.0), (" 8 ", 8.0), ("0", 0.0)])
def test_retry_after_is_honoured(feed, feed_client, waits, said, wait):
    feed.say("nfl", in_turn(refusal(429, Retry_After=said), GOOD))
    feed_client.scoreboard(NFL, DAY)
    assert waits == [wait]


def test_retry_after_may_be_a_date(feed, feed_client, waits):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=6), usegmt=True)
    long_ago = "Thu, 01 Jan 1970 00:00:00 GMT"
    feed.say(
        "nfl", in_turn(refusal(503, Retry_After=soon), refusal(429, Retry_After=long_ago), GOOD)
    )
    feed_client.scoreboard(NFL, DAY)
    assert 3 < waits[0] <= 6
    assert waits[1] == 0


@pytest.mark.parametrize("said", ["9", "3600", "9" * 400])
def test_too_long_a_retry_after_is_left_to_the_caller(feed, feed_client, waits, said):
    feed.say("nfl", refusal(429, Retry_After=said))
    with pytest.raises(FeedUnavailableError) as caught:
        feed_client.scoreboard(NFL, DAY)
    assert (len(feed.requests), waits) == (1, [])
    assert caught.value.retry_after == float(said)


FAR_OFF = f"Mon, 01 Jan 2026 00:00:00 +{'9' * 20}"


@pytest.mark.parametrize(
    "said", ["soon", "-1", "1.5", "\u00b2", "Mon, 99 Foo 2026", "1e3", FAR_OFF]
)
def test_odd_retry_after_is_no_retry_after(feed, feed_client, waits, said):
    feed.say("nfl", in_turn(refusal(429, Retry_After=said), GOOD))
    feed_client.scoreboard(NFL, DAY)
    assert 0.5 <= waits[0] <= 1


# ---------------------------------------------------------------- connections that fail


def test_refused_connection_is_worth_retrying(make_client, waits):
    with pytest.raises(FeedUnavailableError, match=r"cannot be reached: .*Connection refused"):
        make_client("http://127.0.0.1:1").scoreboard(NFL, DAY)
    assert len(waits) == 2


def test_unknown_host_is_named(make_client):
    with pytest.raises(FeedUnavailableError, match=r"cannot be reached: http://feed\.invalid"):
        make_client("http://feed.invalid", HASTE).scoreboard(NFL, DAY)


@pytest.mark.parametrize("url", ["http://.org", "http://*.org", "http://", "feed"])
def test_address_that_is_none_is_refused(make_client, waits, url):
    with pytest.raises(FeedRefusedError, match="address cannot be used"):
        make_client(url).scoreboard(NFL, DAY)
    assert waits == []


def test_connection_that_is_reset_is_asked_again(make_client, waits):
    with raw_feed(reset) as url, pytest.raises(FeedUnavailableError, match="cannot be reached"):
        make_client(url).scoreboard(NFL, DAY)
    assert len(waits) == 2


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf an answer",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        b"this is not HTTP\r\n\r\n",
    ],
)
def test_answer_that_is_cut_off_or_garbled_is_worth_retrying(make_client, said):
    with raw_feed(lambda connection: connection.sendall(said)) as url:
        client = make_client(url, replace(POLICY, retries=0))
        with pytest.raises(FeedUnavailableError):
            client.scoreboard(NFL, DAY)


def test_redirects_do_not_go_on_for_ever(feed, make_client):
    feed.say("nfl", lambda request: refusal(302, Location=request.url))
    with pytest.raises(FeedUnavailableError):
        make_client(feed.url, replace(POLICY, retries=0)).scoreboard(NFL, DAY)
    assert len(feed.requests) == 4


# ---------------------------------------------------------------- time-outs and sizes


def test_silent_feed_times_out(make_client):
    policy = replace(HASTE, read=0.1, deadline=30)
    hush = threading.Event()
    with raw_feed(lambda _connection: hush.wait(30) and None) as url:
        began = time.monotonic()
        with pytest.raises(FeedUnavailableError, match="did not answer in time"):
            make_client(url, policy).scoreboard(NFL, DAY)
        hush.set()
    assert time.monotonic() - began < 10


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n"


@pytest.mark.parametrize(
    "talk",
    [
        drip(HEAD + b"x" * 4000, at_once=len(HEAD)),
        drip(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 4000, at_once=19),
        drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 4000, at_once=19),
        drip(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n" + b"x" * 400, at_once=4),
    ],
    ids=["body", "body without length", "headers", "redirect"],
)
def test_slow_drip_is_cut_off_at_the_deadline(make_client, talk):
    with raw_feed(talk) as url:
        began = time.monotonic()
        with pytest.raises(FeedUnavailableError, match=r"no complete answer within 0\.4 s"):
            make_client(url, HASTE).scoreboard(NFL, DAY)
        assert 0.35 < time.monotonic() - began < 10


def test_slow_drip_through_a_proxy_is_cut_off_too(make_client, monkeypatch):
    with raw_feed(drip(HEAD + b"x" * 4000, at_once=len(HEAD))) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        began = time.monotonic()
        with pytest.raises(FeedUnavailableError, match="no complete answer"):
            make_client("http://feed.invalid", HASTE).scoreboard(NFL, DAY)
        assert time.monotonic() - began < 10


def test_proxy_of_the_environment_is_used_and_not_kept(feed, make_client, monkeypatch):
    client = make_client("http://feed.invalid", replace(POLICY, retries=0))
    monkeypatch.setenv("http_proxy", feed.url)
    assert client.scoreboard(NFL, DAY).body
    assert feed.requests[0].headers["Host"] == "feed.invalid"
    monkeypatch.delenv("http_proxy")
    with pytest.raises(FeedUnavailableError):
        client.scoreboard(NFL, DAY)


def test_deadline_that_passes_while_the_connection_is_made_holds(feed, make_client, monkeypatch):
    connect = socket.socket.connect

    def connect_late(self: socket.socket, address: Any) -> None:
        time.sleep(0.6)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_late)
    feed.say("nfl", GOOD)
    with pytest.raises(FeedUnavailableError, match="no complete answer"):
        make_client(feed.url, HASTE).scoreboard(NFL, DAY)


def test_deadline_holds_over_a_redirect(feed, make_client):
    def slow_redirect(request: Request) -> Response:
        time.sleep(0.3)
        return refusal(302, Location=request.url) if len(feed.requests) == 1 else GOOD

    feed.say("nfl", slow_redirect)
    with pytest.raises(FeedUnavailableError, match="no complete answer"):
        make_client(feed.url, HASTE).scoreboard(NFL, DAY)
    assert len(feed.requests) == 2


def test_client_answers_again_after_a_deadline(make_client, feed):
    def once_slow(_request: Request) -> Response:
        if len(feed.requests) == 1:
            time.sleep(0.8)
        return GOOD

    feed.say("nfl", once_slow)
    client = make_client(feed.url, HASTE)
    with pytest.raises(FeedUnavailableError):
        client.scoreboard(NFL, DAY)
    client.retry_policy = POLICY
    assert client.scoreboard(NFL, DAY).body == b'{"events": []}'


LIMITS = [
    (lambda client: client.scoreboard(NFL, DAY), "scoreboard", 10_000_000),
    (lambda client: client.month(NFL, DAY), "scoreboard", 30_000_000),
    (lambda client: client.teams(NFL), "teams", 8_000_000),
    (lambda client: client.roster(NFL, "12"), "roster", 2_000_000),
    (lambda client: client.standings(NFL), "standings", 8_000_000),
]


@pytest.mark.parametrize(("ask", "kind", "limit"), LIMITS)
def test_body_up_to_its_limit_is_taken_and_a_larger_one_refused(
    feed, feed_client, waits, ask, kind, limit
):
    feed.say("nfl", b"x" * limit, kind=kind)
    assert len(ask(feed_client).body) == limit
    feed.say("nfl", b"x" * (limit + 1), kind=kind)
    with pytest.raises(PayloadError, match=f"larger than {limit:,} bytes") as caught:
        ask(feed_client)
    assert (len(feed.requests), waits, caught.value.status) == (2, [], 200)


def test_small_body_that_unpacks_to_a_large_one_is_refused(feed, make_client):
    packed = gzip.compress(b"\x00" * 50_000_000)
    feed.say("nfl", Response(packed, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(PayloadError, match="larger than"):
        make_client(feed.url).scoreboard(NFL, DAY)


# ---------------------------------------------------------------- outcomes


def test_serving_ends_with_its_test():
    with serving(LoopbackFeed()) as url:
        port = int(url.rsplit(":", 1)[1])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


@pytest.mark.parametrize(
    ("status", "outcomes"),
    [(200, ["ok"]), (503, ["unavailable"] * 3), (429, ["limited"] * 3), (403, ["refused"])],
)
def test_each_request_is_counted_by_how_it_turned_out(feed, make_client, status, outcomes):
    counted: list[str] = []
    client = make_client(feed.url, count_outcome=counted.append)
    feed.fail("nfl", status) if status != 200 else feed.say("nfl", {"events": []})
    with suppress(FeedRefusedError, FeedUnavailableError):
        client.scoreboard(NFL, DAY)
    assert counted == outcomes
    assert set(counted) <= set(OUTCOMES)


def test_no_answer_and_one_that_is_too_large_are_counted_too(feed, make_client):
    counted: list[str] = []
    feed.say("nfl", {"events": ["x" * 10_000_000]})
    with pytest.raises(PayloadError):
        make_client(feed.url, count_outcome=counted.append).scoreboard(NFL, DAY)
    with pytest.raises(FeedUnavailableError):
        make_client("http://127.0.0.1:1", HASTE, count_outcome=counted.append).scoreboard(NFL, DAY)
    assert counted == ["too_large", "unavailable"]

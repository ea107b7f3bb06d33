"""A cached page stands for the clock second in which it was made, and for its own visitors."""

from __future__ import annotations

import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import flask
import pytest
from sqlalchemy import update

from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import Game, LeagueRow
from sportsapp.http import page_cache
from tests.integration.events import event
from tests.stored import feed_read_at, statements

READ_AT = datetime(2026, 1, 15, 20, 59, 50, tzinfo=UTC)
START = "2026-01-15T20:00Z"
PATHS = ("/", "/nfl", "/nfl/games/401", "/nfl/standings", "/search?q=alp", "/nfl/scores.atom")

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("clock")]


@pytest.fixture(autouse=True)
def live_game(synced):
    """A game that is live, read ten seconds ago."""
    synced("nfl", event(start=START, state="in", home=20), at=READ_AT)


@pytest.fixture
def rendered(monkeypatch):
    """Every template rendered since, by name."""
    seen = []
    original = flask.templating._render

    def render(app, template, context):
        seen.append(template.name)
        return original(app, template, context)

    monkeypatch.setattr(flask.templating, "_render", render)
    return seen


def change_score(points):
    with write_connection() as connection:
        connection.execute(update(Game).values(home_score=points))
        moment = READ_AT + timedelta(microseconds=points)
        connection.execute(update(LeagueRow).values(changed_at=moment))


# ---------------------------------------------------------------- when a page is made


@pytest.mark.parametrize("path", PATHS)
def test_page_in_the_same_second_costs_nothing(visitor, path, rendered):
    first = visitor.get(path)
    rendered.clear()
    with statements() as count:
        second = visitor.get(path)
        unchanged = visitor.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (rendered, sum(count.values())) == ([], 0)
    assert (second.status_code, second.data) == (200, first.data)
    assert dict(second.headers) == dict(first.headers)
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    assert "Content-Type" not in unchanged.headers


def test_cached_page_counts_the_seconds_until_the_next_reading_when_it_is_sent(visitor, clock):
    """Within its second, and when it is taken over into a later one, in which the reading moved."""
    with write_connection() as connection:
        at = clock.shown + timedelta(seconds=7.4)
        connection.execute(update(LeagueRow).values(next_read_at=at))
    told = []
    for milliseconds in (0, 300, 600):
        clock.shown += timedelta(milliseconds=milliseconds)
        with statements() as count:
            told.append(visitor.get("/nfl").headers.get_all("X-Next-Read"))
        assert (sum(count.values()) > 0) == (milliseconds == 0)
    assert told == [["7.4"], ["7.1"], ["6.5"]]
    with write_connection() as connection:
        at += timedelta(seconds=10)
        connection.execute(update(LeagueRow).values(next_read_at=at))
    clock.shown += timedelta(milliseconds=500)
    assert visitor.get("/nfl").headers.get_all("X-Next-Read") == ["16.0"]


@pytest.mark.parametrize("path", PATHS)
def test_page_in_a_later_second_costs_a_query_and_is_not_made_again(visitor, clock, path, rendered):
    first = visitor.get(path)
    rendered.clear()
    clock.shown += timedelta(seconds=1)
    with statements() as count:
        second = visitor.get(path)
    assert rendered == []
    assert 1 <= count["SELECT"] <= 2  # a game's own page first looks whether there is such a game
    assert second.data == first.data
    with statements() as count:
        visitor.get(path)
    assert sum(count.values()) == 0


def test_changed_score_is_shown_after_one_second(visitor, clock):
    for points in (21, 28, 35):
        before = visitor.get("/nfl").data
        change_score(points)
        with statements() as count:
            assert visitor.get("/nfl").data == before
        assert sum(count.values()) == 0
        clock.shown += timedelta(seconds=1)
        assert f">{points}<" in visitor.get("/nfl").text


def test_page_is_made_again_when_the_second_ends_and_not_a_second_after_it_was_made(visitor, clock):
    clock.shown += timedelta(milliseconds=999)
    visitor.get("/nfl")
    change_score(21)
    clock.shown += timedelta(milliseconds=1)
    assert ">21<" in visitor.get("/nfl").text


def test_clock_that_is_set_back_keeps_no_page_for_longer(visitor, clock):
    visitor.get("/nfl")
    change_score(21)
    clock.shown -= timedelta(hours=1)
    assert ">21<" in visitor.get("/nfl").text


def test_change_that_is_not_committed_is_not_shown(visitor, clock):
    visitor.get("/nfl")
    with db.engine.connect() as connection, connection.begin() as transaction:
        connection.execute(update(Game).values(home_score=77))
        clock.shown += timedelta(seconds=1)
        assert ">77<" not in visitor.get("/nfl").text
        transaction.rollback()
    clock.shown += timedelta(seconds=1)
    assert ">77<" not in visitor.get("/nfl").text


def test_page_that_was_polled_again_says_so_a_second_later(visitor, clock):
    etag = visitor.get("/nfl").headers["ETag"]
    feed_read_at(READ_AT + timedelta(seconds=5))
    clock.shown += timedelta(seconds=1)
    answer = visitor.get("/nfl")
    assert answer.headers["X-Feed-Read"] == "2026-01-15T20:59:55Z"
    assert 'data-read="2026-01-15T20:59:55Z"' in answer.text
    assert answer.headers["ETag"] == etag


def test_visitors_who_have_the_page_cost_one_query_together_and_no_rendering(
    visitor, clock, rendered
):
    """Also where it is not in the cache, as after a restart."""
    page = visitor.get("/nfl")
    known = {"If-None-Match": page.headers["ETag"]}
    visitor.application.wsgi_app = page_cache.PageCache(visitor.application.wsgi_app.app._app)
    for _ in range(2):
        rendered.clear()
        clock.shown += timedelta(seconds=1)
        with statements() as count:
            answers = [visitor.get("/nfl", headers=known) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [304] * 3
        assert (count["SELECT"], rendered) == (1, [])
    assert visitor.get("/nfl").data == page.data


@pytest.mark.timeout(60)
@pytest.mark.parametrize("is_cached", [False, True])
def test_many_visitors_at_once_ask_the_database_once(app, clock, rendered, is_cached):
    visitor = app.test_client(use_cookies=False)
    if is_cached:
        visitor.get("/nfl")
        change_score(21)
        clock.shown += timedelta(seconds=1)
        rendered.clear()
    together = threading.Barrier(8)

    def ask(_number):
        together.wait()
        return app.test_client(use_cookies=False).get("/nfl").data

    with ThreadPoolExecutor(8) as threads:
        pages = set(threads.map(ask, range(8)))
    assert len(pages) == 1
    assert rendered == ["day.html"]


def test_request_does_not_wait_for_ever_for_another_one(app, visitor, monkeypatch):
    monkeypatch.setattr(page_cache, "WAIT_SECONDS", 0.01)
    for lock in app.wsgi_app.app._request_locks:
        lock.acquire()
    assert visitor.get("/nfl").status_code == 200


# ---------------------------------------------------------------- whose page it is


@pytest.mark.parametrize(
    "other",
    [
        {"headers": {"Cookie": "zone=Europe/Berlin"}},
        {"headers": {"Cookie": "scores=hide"}},
        {"query_string": "reveal=401"},
    ],
)
def test_visitors_who_chose_differently_get_different_pages(visitor, other):
    plain = visitor.get("/nfl").data
    theirs = visitor.get("/nfl", **other).data
    assert plain != theirs
    assert visitor.get("/nfl").data == plain
    assert visitor.get("/nfl", **other).data == theirs


def test_addresses_in_a_calendar_are_those_of_the_host_that_was_asked(visitor):
    for host in ("one.localhost", "two.localhost", "one.localhost"):
        answer = visitor.get("/nfl/scores.atom", base_url=f"http://{host}/")
        assert f"http://{host}/nfl" in answer.text


def test_https_has_pages_of_its_own(visitor):
    for _ in range(2):
        plain = visitor.get("/nfl")
        secure = visitor.get("/nfl", headers={"X-Forwarded-Proto": "https"})
        assert "Strict-Transport-Security" not in plain.headers
        assert "Strict-Transport-Security" in secure.headers


@pytest.mark.parametrize(
    "path", ["/xyz", "/nfl/games/999", "/healthz", "/preferences", "/api/v1/games"]
)
def test_nothing_else_is_cached(app, visitor, path):
    for _ in range(2):
        visitor.get(path)
    assert app.wsgi_app.app.size == 0


def test_head_has_the_headers_of_the_page_and_no_body(visitor):
    page = visitor.get("/nfl")
    head = visitor.head("/nfl")
    assert head.data == b""
    assert head.headers["ETag"] == page.headers["ETag"]


def test_answer_that_sets_a_cookie_is_not_cached(app, visitor):
    @app.after_request
    def remember(response):
        response.set_cookie("who", "ana")
        return response

    visitor.get("/nfl")
    assert app.wsgi_app.app.size == 0


# ---------------------------------------------------------------- how it is sent


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, zstd", "br;q=0, gzip;q=0.2"])
def test_compressed_for_visitors_who_accept_it(visitor, accepted):
    plain = visitor.get("/nfl")
    for _ in range(2):
        answer = visitor.get("/nfl", headers={"Accept-Encoding": accepted})
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.data) == plain.data
        assert int(answer.headers["Content-Length"]) == len(answer.data) < len(plain.data) / 2
        assert answer.headers["ETag"] == plain.headers["ETag"]


@pytest.mark.parametrize("accepted", ["", "identity", "zstd", "gzip;q=0", "*;q=0", "x" * 5000])
def test_plain_for_all_others(visitor, accepted):
    visitor.get("/nfl", headers={"Accept-Encoding": "gzip"})
    answer = visitor.get("/nfl", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.text.startswith("<!doctype html>")
    assert {"Accept-Encoding", "Cookie"} <= set(answer.vary)


@pytest.mark.parametrize("known", ["*", '"a", {}', "{}", "{strong}"])
def test_every_form_of_if_none_match_is_a_304(visitor, known):
    etag = visitor.get("/nfl").headers["ETag"]
    known = known.format(etag, strong=etag.removeprefix("W/"))
    assert visitor.get("/nfl", headers={"If-None-Match": known}).status_code == 304


# ---------------------------------------------------------------- how much is cached


def test_least_recently_requested_pages_are_dropped_at_capacity(
    app, visitor, clock, monkeypatch, rendered
):
    visitor.get("/nfl?n=0")
    monkeypatch.setattr(page_cache, "CAPACITY", 3 * app.wsgi_app.app.size + page_cache.OVERHEAD)
    for n in (1, 2, 0, 3):
        clock.shown += timedelta(seconds=1)
        visitor.get(f"/nfl?n={n}")
    assert app.wsgi_app.app.size <= page_cache.CAPACITY
    rendered.clear()
    for n in (0, 2, 3):
        visitor.get(f"/nfl?n={n}")
    assert rendered == []
    visitor.get("/nfl?n=1")
    assert len(rendered) == 1


def test_any_number_of_addresses_takes_no_more_than_the_capacity(app, visitor, monkeypatch):
    monkeypatch.setattr(page_cache, "CAPACITY", 100_000)
    for n in range(40):
        visitor.get(f"/nfl?n={n}")
    assert 50_000 < app.wsgi_app.app.size <= 100_000


@pytest.mark.parametrize("where", ["cookie", "query"])
def test_page_with_a_long_address_or_cookie_is_made_and_not_cached(app, visitor, where):
    long = "x" * page_cache.KEY_LIMIT
    headers = {"Cookie": f"a={long}"} if where == "cookie" else {}
    answer = visitor.get(f"/nfl?{long}" if where == "query" else "/nfl", headers=headers)
    assert answer.status_code == 200
    assert app.wsgi_app.app.size == 0


@pytest.mark.parametrize("path", ["/healthz", "/static/style.css"])
def test_health_and_assets_need_neither_the_database_nor_a_turn(app, visitor, path):
    for lock in app.wsgi_app.app._request_locks:
        lock.acquire()
    with statements() as count:
        assert visitor.get(path, buffered=True).status_code == 200
    assert sum(count.values()) == 0

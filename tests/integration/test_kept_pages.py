"""Finished pages are sent again without being made again, and never after they are out of date."""

from __future__ import annotations

import gzip
import re
import threading
from datetime import UTC, datetime, timedelta

import flask
import pytest
from sqlalchemy import update

from sportsapp.core.clock import utc_now
from sportsapp.db.data_version import DataVersion
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import Game, LeagueRow
from sportsapp.http import page_cache as kept
from tests.integration.events import event
from tests.stored import statements

READ_AT = datetime(2026, 1, 15, 20, 59, 50, tzinfo=UTC)
START = "2026-01-15T20:00Z"
PATHS = ("/", "/nfl", "/nfl/games/401", "/nfl/standings", "/search?q=alp", "/nfl/scores.atom")

pytestmark = pytest.mark.usefixtures("clock")


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


def any_commit():
    """Something that no page shows."""
    with write_connection() as connection:
        connection.execute(update(LeagueRow).values(updated_at=utc_now()))


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


@pytest.mark.parametrize("path", PATHS)
def test_page_in_a_later_second_is_looked_after_and_not_made_again(visitor, clock, path, rendered):
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


def test_commit_that_changes_no_page_costs_one_query(visitor, rendered):
    first = visitor.get("/nfl")
    rendered.clear()
    any_commit()
    with statements() as count:
        second = visitor.get("/nfl")
    assert (rendered, count["SELECT"]) == ([], 1)
    assert second.data == first.data


def test_changed_score_is_shown_in_the_same_second(visitor):
    shown = []
    for points in (21, 28, 35):
        visitor.get("/nfl")
        change_score(points)
        shown.append(f">{points}<" in visitor.get("/nfl").text)
    assert shown == [True, True, True]


def test_change_that_is_not_committed_is_not_shown(visitor):
    visitor.get("/nfl")
    with db.engine.connect() as connection, connection.begin() as transaction:
        connection.execute(update(Game).values(home_score=77))
        assert ">77<" not in visitor.get("/nfl").text
        transaction.rollback()
    assert ">77<" not in visitor.get("/nfl").text


def test_page_read_again_later_says_so(visitor):
    visitor.get("/nfl")
    with write_connection() as connection:
        connection.execute(update(LeagueRow).values(polled_at=READ_AT + timedelta(seconds=5)))
    answer = visitor.get("/nfl")
    assert answer.headers["X-Feed-Read"] == "2026-01-15T20:59:55Z"


@pytest.mark.timeout(60)
def test_no_visitor_sees_what_is_older_than_the_last_commit(app):
    """Eight visitors ask all the time while the score climbs; none may see an older one."""
    committed, old, seen, is_over = [20], [], set(), threading.Event()

    def ask():
        visitor = app.test_client(use_cookies=False)
        while not is_over.is_set():
            at_least = committed[0]
            points = max(map(int, re.findall(r">(20|1\d\d)<", visitor.get("/nfl").text)))
            seen.add(points)
            if points < at_least:
                old.append((points, at_least))

    visitors = [threading.Thread(target=ask) for _ in range(8)]
    for one in visitors:
        one.start()
    for points in range(100, 180):
        change_score(points)
        committed[0] = points
    is_over.set()
    for one in visitors:
        one.join()
    assert old == []
    assert len(seen) > 5


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
    for host in ("one.example", "two.example", "one.example"):
        answer = visitor.get("/nfl/scores.atom", base_url=f"http://{host}/")
        assert f"http://{host}/nfl" in answer.text


def test_https_is_remembered_apart(visitor):
    for _ in range(2):
        plain = visitor.get("/nfl")
        secure = visitor.get("/nfl", headers={"X-Forwarded-Proto": "https"})
        assert "Strict-Transport-Security" not in plain.headers
        assert "Strict-Transport-Security" in secure.headers


@pytest.mark.parametrize(
    "path", ["/xyz", "/nfl/games/999", "/healthz", "/preferences", "/api/v1/games"]
)
def test_nothing_else_is_kept(app, visitor, path):
    for _ in range(2):
        visitor.get(path)
    assert app.wsgi_app.size == 0


def test_head_has_the_headers_of_the_page_and_no_body(visitor):
    page = visitor.get("/nfl")
    head = visitor.head("/nfl")
    assert head.data == b""
    assert head.headers["ETag"] == page.headers["ETag"]


def test_answer_with_a_cookie_is_nobody_elses(app, visitor):
    @app.after_request
    def remember(response):
        response.set_cookie("who", "ana")
        return response

    visitor.get("/nfl")
    assert app.wsgi_app.size == 0


# ---------------------------------------------------------------- how it is sent


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br, zstd", "br;q=1, gzip;q=0.2", "*"])
def test_compressed_for_who_takes_it(visitor, accepted):
    plain = visitor.get("/nfl")
    for _ in range(2):
        answer = visitor.get("/nfl", headers={"Accept-Encoding": accepted})
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.data) == plain.data
        assert int(answer.headers["Content-Length"]) == len(answer.data) < len(plain.data) / 2
        assert answer.headers["ETag"] == plain.headers["ETag"]


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip;q=0, *", "x" * 5000])
def test_plain_for_all_others(visitor, accepted):
    visitor.get("/nfl", headers={"Accept-Encoding": "gzip"})
    answer = visitor.get("/nfl", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.text.startswith("<!doctype html>")
    assert {"Accept-Encoding", "Cookie"} <= set(answer.vary)


@pytest.mark.parametrize("known", ["*", '"a", {}', "{}", "{strong}"])
def test_every_form_of_knowing_the_page_is_a_304(visitor, known):
    etag = visitor.get("/nfl").headers["ETag"]
    known = known.format(etag, strong=etag.removeprefix("W/"))
    assert visitor.get("/nfl", headers={"If-None-Match": known}).status_code == 304


# ---------------------------------------------------------------- how much is kept


def test_least_recently_asked_pages_go_when_there_is_no_room(app, visitor, monkeypatch, rendered):
    visitor.get("/nfl?n=0")
    monkeypatch.setattr(kept, "ROOM", 3 * app.wsgi_app.size + kept.OVERHEAD)
    for n in (1, 2, 0, 3):
        visitor.get(f"/nfl?n={n}")
    assert app.wsgi_app.size <= kept.ROOM
    rendered.clear()
    for n in (0, 2, 3):
        visitor.get(f"/nfl?n={n}")
    assert rendered == []
    visitor.get("/nfl?n=1")
    assert len(rendered) == 1


def test_any_number_of_addresses_takes_no_more_than_the_room(app, visitor, monkeypatch):
    monkeypatch.setattr(kept, "ROOM", 100_000)
    for n in range(40):
        visitor.get(f"/nfl?n={n}")
    assert 50_000 < app.wsgi_app.size <= 100_000


@pytest.mark.parametrize("where", ["cookie", "query"])
def test_page_that_was_asked_for_at_length_is_made_and_not_kept(app, visitor, where):
    long = "x" * kept.KEY_LIMIT
    headers = {"Cookie": f"a={long}"} if where == "cookie" else {}
    answer = visitor.get(f"/nfl?{long}" if where == "query" else "/nfl", headers=headers)
    assert answer.status_code == 200
    assert app.wsgi_app.size == 0


@pytest.mark.parametrize("path", ["/healthz", "/static/style.css"])
def test_what_needs_no_database_does_not_wait_for_one(visitor, monkeypatch, path):
    def ask(_self: DataVersion) -> object:
        pytest.fail("the database was asked")

    monkeypatch.setattr(DataVersion, "now", ask)
    assert visitor.get(path, buffered=True).status_code == 200


def test_database_that_cannot_be_asked_makes_no_page_wrong(visitor, monkeypatch, rendered):
    def fail(version):
        raise version._engine.dialect.loaded_dbapi.OperationalError("disk I/O error")

    monkeypatch.setattr(DataVersion, "_connect", fail)
    for points in (50, 51):
        change_score(points)
        assert f">{points}<" in visitor.get("/nfl").text
        rendered.clear()
        assert visitor.get("/nfl").status_code == 200
        assert rendered == []

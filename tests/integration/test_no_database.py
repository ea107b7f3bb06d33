"""A database that is away or not migrated: visitors are asked to come back, the log says why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.factory import create_app
from tests.conftest import MakeDatabase

AWAY = "postgresql://someone:hush@127.0.0.1:1/scores"
CLUB = "https://club.example.org"
PAGES = ("/", "/live", "/nfl", "/nfl/2026-01-15", "/nfl/games/1", "/nfl/teams", "/search?q=giants")


@pytest.fixture(params=["away", "empty"])
def visitor(
    request, settings: Settings, tmp_path, make_database: MakeDatabase
) -> Iterator[FlaskClient]:
    """A visitor of a site that has no tables to read."""
    with make_database(tmp_path, tables=False) as empty:
        empty = empty or f"sqlite:///{tmp_path / 'empty.db'}"
        url = AWAY if request.param == "away" else empty
        app = create_app(replace(settings, database_url=url, embed_origins=(CLUB,)))
        yield app.test_client()
        with app.app_context():
            db.engine.dispose()


@pytest.mark.parametrize("path", PAGES)
def test_page_asks_to_try_again(visitor, path, caplog):
    answer = visitor.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "Try again in a few seconds" in answer.text
    assert "the database cannot be used" in caplog.text
    assert "Traceback" not in caplog.text
    assert "hush" not in caplog.text + answer.text


@pytest.mark.parametrize("path", ["/tv", "/eink", "/embed/nfl", "/embed/nfl/teams/DAL"])
def test_screen_that_nobody_stands_at_loads_itself_again(visitor, path):
    answer = visitor.get(path)
    assert (answer.status_code, answer.headers["Refresh"], answer.mimetype) == (
        503,
        "10",
        "text/plain",
    )
    framed_by = CLUB if path.startswith("/embed/") else "'none'"
    assert f"frame-ancestors {framed_by}" in answer.headers["Content-Security-Policy"]


def test_api_says_it_in_its_own_words(visitor):
    answer = visitor.get("/api/v1/games")
    assert answer.status_code == 503
    assert answer.json["error"]["code"] == "unavailable"


@pytest.mark.parametrize("path", ["/healthz", "/static/style.css", "/api/v1/openapi.json"])
def test_what_needs_no_database_answers(visitor, path):
    assert visitor.get(path, buffered=True).status_code == 200

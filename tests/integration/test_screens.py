"""Scores on other screens: frames of other sites, a wall, electronic paper."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sportsapp.core import setting_values as read
from sportsapp.db.engine import db
from sportsapp.factory import create_app
from sportsapp.http.page_cache import SHARED
from tests.integration.events import event
from tests.integration.test_spoiler_free import game

READ_AT = datetime(2026, 1, 15, 20, 59, 50, tzinfo=UTC)
FRAMES = ("/embed/nfl", "/embed/nfl/teams/ALP", "/embed/nfl/games/401")
SCREENS = (*FRAMES, "/tv", "/eink")
CLUB = "https://club.example.org"

pytestmark = pytest.mark.usefixtures("clock")


def test_every_screen_has_the_live_game(visitor, synced):
    synced("nfl", event(state="in"), at=READ_AT)
    for path in SCREENS:
        answer = visitor.get(path)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert all(
            part in answer.text
            for part in ("Beta", "<b>17</b>", "Alpha", "<b>20</b>", "9:03 - 3rd")
        ), path


def test_team_has_its_last_and_its_next_game_while_none_is_live(visitor, synced):
    for n, start in enumerate(("2026-01-14T20:00Z", "2026-01-13T20:00Z")):
        synced("nfl", event(f"40{n}", start, home=30 + n), at=READ_AT)
    for n, start in enumerate(("2026-01-17T20:00Z", "2026-01-18T20:00Z")):
        synced("nfl", event(f"41{n}", start, state="pre"), at=READ_AT)
    page = visitor.get("/embed/nfl/teams/ALP").text
    assert [one in page for one in ("nfl401", "nfl400", "nfl410", "nfl411")] == [
        False,
        True,
        True,
        False,
    ]
    assert "Sat, Jan 17" in page


def test_game_of_a_day_gone_by_is_not_the_next_one(visitor, synced):
    synced("nfl", event("401", "2026-01-13T20:00Z", state="pre"), at=READ_AT)
    synced("nfl", event("402", "2026-01-18T20:00Z", state="pre"), at=READ_AT)
    page = visitor.get("/embed/nfl/teams/ALP").text
    assert ["nfl401" in page, "nfl402" in page] == [False, True]


def test_wall_has_live_games_and_favourites_or_else_all(visitor, synced):
    final = event("402", state="post", home=3)
    synced("nfl", event(state="in"), final, at=READ_AT)
    assert ["nfl401" in visitor.get("/tv").text, "nfl402" in visitor.get("/tv").text] == [
        True,
        False,
    ]
    page = visitor.get("/tv", headers={"Cookie": "favourites=nfl-1"}).text
    assert "nfl402" in page
    synced("nfl", event(state="post"), final, at=READ_AT)
    page = visitor.get("/tv?league=nfl").text
    assert "nfl401" in page
    assert "nfl402" in page


def test_no_game_is_told_from_not_read(visitor, synced):
    assert "have not been read" in visitor.get("/embed/nfl").text
    synced("nfl", at=READ_AT)
    assert "No games today" in visitor.get("/embed/nfl?theme=dark").text


def test_paper_has_no_script_and_is_loaded_again_where_that_is_asked_for(visitor, synced):
    synced("nfl", event(state="in"), at=READ_AT)
    page = visitor.get("/eink").text
    assert not any(part in page for part in ("<script", "http-equiv"))
    page = visitor.get("/eink?refresh=60").text
    assert '<meta http-equiv="refresh" content="60">' in page
    assert visitor.get("/eink?refresh=1").status_code == 400


def test_frame_is_the_same_for_everybody(visitor, synced):
    """It would otherwise be another one on this site than in a frame, which gets no cookies."""
    synced("nfl", event(state="pre", start="2026-01-15T22:00Z"), at=READ_AT)
    answer = visitor.get("/embed/nfl")
    mine = visitor.get("/embed/nfl", headers={"Cookie": "zone=Asia/Tokyo; scores=hide"})
    assert (answer.headers["Cache-Control"], "5:00 PM" in answer.text) == (SHARED, True)
    assert mine.data == answer.data
    assert "7:00 AM" in visitor.get("/embed/nfl?zone=Asia/Tokyo").text
    assert visitor.get("/embed/nfl?zone=nowhere").status_code == 400
    answer = visitor.get("/embed/nfl?theme=pink")
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")
    assert answer.text == "Unknown theme. There are light, dark, transparent."
    assert "Refresh" not in answer.headers
    assert 'class="embed dark"' in visitor.get("/embed/nfl?theme=dark").text


def test_screens_of_our_own_hide_scores(visitor, synced):
    synced("nfl", game(), game("in", "4:00 - OT") | {"id": "402"}, at=READ_AT)
    for path in ("/tv", "/eink"):
        page = visitor.get(path, headers={"Cookie": "scores=hide"}).text
        assert "Alpha" in page
        assert not any(told in page for told in ("<b>", "OT", "won")), path


def test_only_frames_may_be_framed_and_only_by_whom_we_name(settings, synced, app):
    synced("nfl", event(state="in"), at=READ_AT)
    named = create_app(replace(settings, embed_origins=(CLUB, "https://*.example.com")))
    for path in (*SCREENS, "/nfl", "/admin/", "/embed/nfx", "/api/v1/leagues"):
        headers = named.test_client().get(path).headers
        policy = headers["Content-Security-Policy"]
        if path.startswith("/embed/"):  # also the line that says that there is no such league
            assert f"frame-ancestors {CLUB} https://*.example.com" in policy
            assert "X-Frame-Options" not in headers
        else:
            assert "frame-ancestors 'none'" in policy, path
            assert headers["X-Frame-Options"] == "DENY"
    with named.app_context():
        db.engine.dispose()
    headers = app.test_client().get("/embed/nfl").headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "value",
    [
        "club.example.org",
        "https://club.example.org/",
        "https://a.example; script-src *",
        "*",
        "https:",
    ],
)
def test_what_is_no_origin_is_refused(value):
    with pytest.raises(ValueError, match="no origin"):
        read.origins(f"{CLUB},{value}")

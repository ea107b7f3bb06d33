"""Pages as text: ``curl``, ``Accept: text/plain`` and ``flask scores``."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sportsapp.core.clock import game_day, iso_utc, utc_now
from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.http.page_cache import SHARED
from tests.integration.events import event
from tests.integration.test_spoiler_free import game
from tests.integration.test_terminal import HIDDEN, SHOWN, interrupted

CURL = {"User-Agent": "curl/8.16.0", "Accept": "*/*"}
TEXT = {"Accept": "text/plain"}
READ_AT = datetime(2026, 1, 15, 20, 59, 50, tzinfo=UTC)
DAY = "/nfl/2026-01-15"
SCORES = """\
NFL, today, Thursday, January 15, 2026
  Beta  17  at  Alpha  20  9:03 - 3rd  TV One
  Beta   7  vs  Alpha   3  9:03 - 3rd  TV One

Updated Thu, Jan 15, 3:59 PM EST or later.
"""
GAME = """\
Beta 17, Alpha 20, 3rd quarter, 9:03 left
NFL, Thursday, January 15, 2026

          1  2  3  4  Total
  Beta   14  3           17
  Alpha  17  3           20

Timeline, newest first
  9:03 - 3rd  17  20  First reading

Start: Thu, Jan 15, 3:00 PM EST
Venue: The Ground, Springfield
Channel: TV One
Updated Thu, Jan 15, 3:59 PM EST or later.
"""


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


@pytest.mark.usefixtures("clock")
def test_terminal_gets_a_league_and_a_game_in_columns(visitor, synced):
    neutral = event("402", state="in", home=3, away=7, neutralSite=True)
    synced("nfl", event(state="in"), neutral, at=READ_AT)
    answer = visitor.get("/nfl", headers=CURL)
    assert (answer.status_code, answer.text) == (200, SCORES)
    assert answer.content_type == "text/plain; charset=utf-8"
    assert visitor.get("/nfl/games/401", headers=CURL).text == GAME


def test_docs_show_what_a_terminal_gets():
    examples = (PROJECT_ROOT / "docs" / "screens.md").read_text().split("```")
    texts = [text.removeprefix("text\n") for text in examples if text.startswith("text\n")]
    assert texts[:2] == [SCORES, GAME]


@pytest.mark.usefixtures("clock")
def test_every_page_of_scores_has_its_text(visitor, synced):
    made = event(state="in") | {"season": {"year": 2026, "type": 2}, "week": {"number": 1}}
    synced("nfl", made, at=READ_AT)
    game_line = "  Beta  17  at  Alpha  20  9:03 - 3rd  TV One"
    paths = ("/", "/2026-01-15", "/live", "/nfl", DAY, "/nfl/weeks/2026/2/1")
    texts = {path: visitor.get(path, headers=TEXT).text for path in paths}
    assert [path for path in paths if lines(texts[path]).count(game_line) != 1] == []
    assert [path for path, text in texts.items() if "<" in text or "\n\n\n" in text] == []
    assert "No games: NBA, MLB, NHL." not in texts["/"]  # they were not read
    not_read = "Games today have not been read from the feed this week: NBA, MLB, NHL."
    assert lines(texts["/"]).count(not_read) == 1


@pytest.mark.usefixtures("clock")
def test_browser_and_terminal_never_get_each_others_page(visitor, synced):
    synced("nfl", event(state="in"), at=READ_AT)
    html, text = visitor.get("/nfl"), visitor.get("/nfl", headers=CURL)
    assert (html.mimetype, text.mimetype) == ("text/html", "text/plain")
    assert html.headers["ETag"] != text.headers["ETag"]
    assert (html.headers["Cache-Control"], html.headers["Vary"]) == (
        SHARED,
        "Accept-Encoding, Cookie",
    )
    assert text.headers["Cache-Control"] == "private, no-cache"
    for headers, first in (({}, html), (CURL, text)):
        known = {"If-None-Match": first.headers["ETag"]}
        assert visitor.get("/nfl", headers=headers).data == first.data
        assert visitor.get("/nfl", headers=headers | known).status_code == 304
    page_without_text = visitor.get("/nfl/standings", headers=CURL)
    assert page_without_text.mimetype == "text/html"
    assert page_without_text.headers["Cache-Control"] == SHARED


def test_colour_is_for_who_asks(visitor, synced):
    synced("nfl", game(), event("402", state="in"), at=READ_AT)
    assert "\x1b" not in visitor.get(DAY, headers=CURL).text
    page = visitor.get(f"{DAY}?color=1", headers=CURL).text
    assert "\x1b[1mAlpha\x1b[0m" in page
    assert "\x1b[1;32m9:03 - 3rd\x1b[0m" in page


def test_feed_cannot_steer_a_terminal(visitor, synced):
    made = event(state="in")
    competition = made["competitions"][0]
    competition["broadcasts"][0]["names"] = ["TV\x1b[2J"]
    competition["venue"]["fullName"] = "The\x1b]0;x\x07Ground"
    competition["notes"] = [{"headline": "Final\u202e"}]
    competition["situation"] = {"lastPlay": {"text": "A\x9bplay"}}
    competition["competitors"][0]["team"]["displayName"] = "Al\x1bpha"
    synced("nfl", made, at=READ_AT)
    for path in (DAY, "/nfl/games/401"):
        text = visitor.get(path, headers=CURL).text
        assert text.replace("\n", "").isprintable()
        assert "Final\\u202e" in text


def test_hidden_scores_are_hidden_in_a_terminal(visitor, synced):
    synced("nfl", game(), game("in", "4:00 - OT") | {"id": "402"}, at=READ_AT)
    for path in ("/2026-01-15", "/live", DAY, "/nfl/games/401", "/nfl/games/402"):
        text = visitor.get(f"{path}?color=1", headers=CURL | {"Cookie": "scores=hide"}).text
        assert "Alpha" in text
        assert not any(told in text for told in ("41", "38", "OT", "leads", "\x1b[1m", "Total")), (
            path
        )


def test_error_is_one_line_for_a_terminal(visitor):
    answer = visitor.get("/nfx", headers=CURL)
    assert (answer.status_code, answer.mimetype) == (404, "text/plain")
    assert lines(answer.text) == [
        "Not Found: League 'nfx' not found. This site has NFL, NBA, MLB, NHL."
    ]


def test_shell_prints_what_a_terminal_gets(runner, visitor, synced):
    synced("nfl", event(state="in"), at=READ_AT)
    done = runner.invoke(args=["scores", "NFL", "--day", "2026-01-15"])
    assert (done.exit_code, done.output) == (0, visitor.get(DAY, headers=CURL).text)
    wrong = runner.invoke(args=["scores", "nfx"])
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert wrong.stderr == "unknown league 'nfx': known are NFL, NBA, MLB, NHL\n"
    for args in (["--day", "2026-02-30"], ["tv"], ["nfl/teams"], ["nfl?color=1"]):
        wrong = runner.invoke(args=["scores", *args])
        assert (wrong.exit_code, wrong.stdout, args[-1] in wrong.stderr) == (2, "", True)


def test_watched_scores_are_drawn_from_the_corner_until_ctrl_c(settings, app, synced):
    synced("nfl", event(state="in", start=iso_utc(utc_now()), home=21), day=game_day(utc_now()))
    written = interrupted(settings, "scores NFL --watch", b"\x1b[J", status=0)
    assert written.startswith(HIDDEN + b"\x1b[H")
    assert b"NFL, today, " in written
    assert b"\x1b[1;32m9:03 - 3rd\x1b[0m" in written
    assert written.rstrip().endswith(SHOWN)

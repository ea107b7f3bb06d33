"""Games that the feed's answers lack: what the site says of them, and when they are given up."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.wrappers import Response

from sportsapp.core.leagues import BY_SLUG
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game
from sportsapp.services import services_of
from sportsapp.sync import backfill, catalogue, scoreboards
from sportsapp.sync.context import SyncContext
from tests.integration.events import board, event
from tests.stored import all_rows, mark_read, statements, writes

NFL = BY_SLUG["nfl"]
DAY = date(2026, 1, 15)
NOW = datetime(2026, 1, 15, 20, 38, tzinfo=UTC)  # 3:38 PM, Eastern
LATER = "2026-01-20T20:00Z"
OTHER = event("402", "2026-01-15T23:00Z", "pre")


@pytest.fixture
def sync(app, clock) -> SyncContext:
    clock.shown = NOW
    for slug in ("nba", "mlb", "nhl"):
        mark_read(slug, DAY, DAY, NOW)
    return SyncContext(services_of(app).feed_client, db.session, NOW)


@pytest.fixture
def answers(sync, feed, clock):
    """The day's answers, a minute apart; of the last one the result is returned."""

    def give(*events: Any, times: int = 1, day: date = DAY) -> Any:
        season = {"season": {"year": 2026, "type": 2}}
        feed.say("nfl", board(*(one | season for one in events)), dates=f"{day:%Y%m%d}")
        for _ in range(times):
            clock.shown += timedelta(minutes=1)
            result = scoreboards.sync_day(replace(sync, now=clock.shown), NFL, day)
        return result

    return give


def game(espn_id: str = "401") -> Game:
    db.session.expire_all()
    return db.session.scalars(select(Game).where(Game.espn_id == espn_id)).one()


def ahead(page: str) -> list[str]:
    """The ids of a team's live and next games."""
    return re.findall('<(?:li class="g in" id="nfl|tr id="next)([^"]+)', page)


def said_of(visitor, espn_id: str = "401") -> dict[str, Any]:
    return visitor.get(f"/api/v1/games/nfl/{espn_id}").json


# ---------------------------------------------------------------- games to come


def test_game_that_is_dropped_is_no_longer_listed_after_the_patience_of_doubts(
    answers, feed, visitor
):
    dropped = event("401", "2026-01-15T22:00Z", "pre")
    answers(dropped, OTHER)
    answers(OTHER, times=5)
    assert game().listed
    assert ahead(visitor.get("/nfl/teams/ALP").text) == ["401", "402"]
    assert feed.asked("summary") == []
    changed_at = game().updated_at
    answers(OTHER)
    assert ahead(visitor.get("/nfl/teams/ALP").text) == ["402"]
    assert "nfl401" not in visitor.get("/nfl/2026-01-15").text
    assert "No longer listed" in visitor.get("/nfl/games/401").text
    assert "No longer listed" in visitor.get("/nfl/teams/ALP").text
    assert "EventCancelled" in visitor.get("/nfl/games/401").text
    assert [r.args["event"] for r in feed.requests if r.path.endswith("summary")] == ["401"]
    said = said_of(visitor)
    assert (said["listed"], said["state"], said["status"]) == (False, "pre", "scheduled")
    assert game().updated_at > changed_at
    calendar = visitor.get("/nfl/teams/ALP.ics").text.replace("\r\n ", "")
    first, second = calendar.split("BEGIN:VEVENT")[1:]
    assert "STATUS:CANCELLED" in first
    assert "SUMMARY:No longer listed: Beta at Alpha" in first
    assert "STATUS:CONFIRMED" in second


def test_game_that_is_listed_again_is_back_at_once(answers, visitor):
    first = event("401", "2026-01-15T22:00Z", "pre")
    answers(first, OTHER)
    answers(OTHER, times=6)
    assert not game().listed
    answers(first, OTHER)
    assert ahead(visitor.get("/nfl/teams/ALP").text) == ["401", "402"]
    assert "nfl401" in visitor.get("/nfl/2026-01-15").text
    assert said_of(visitor)["listed"]
    answers(OTHER, times=5)  # and has all patience again
    assert game().listed


def test_same_answer_as_before_the_lacking_one_brings_the_game_back(answers):
    first = event("401", "2026-01-15T22:00Z", "pre")
    for _ in range(8):
        answers(first, OTHER)
        answers(OTHER)
    answers(first, OTHER)
    assert (game().listed, game().missing_since, game().missing_answers) == (True, None, 0)


def test_next_day_skips_a_game_that_is_no_longer_listed(answers, visitor):
    day = date(2026, 1, 17)
    answers(event("401", "2026-01-17T20:00Z", "pre"), day=day)
    answers(event("402", LATER, "pre"), day=date(2026, 1, 20))
    assert queries.next_days(db.session, ["nfl"], DAY)["nfl"].day == day
    answers(day=day, times=6)
    assert queries.next_days(db.session, ["nfl"], DAY)["nfl"].day == date(2026, 1, 20)
    assert 'games: <a href="/nfl/2026-01-20">' in visitor.get("/nfl/2026-01-15").text


def test_answers_without_any_game_are_doubted_too(answers):
    answers(event("401", "2026-01-15T22:00Z", "pre"), OTHER)
    answers(times=5)
    assert (game("401").listed, game("402").listed) == (True, True)
    answers()
    assert (game("401").listed, game("402").listed) == (False, False)


def test_after_it_was_given_up_the_same_answer_writes_its_stamps_alone(answers):
    answers(event("401", "2026-01-15T22:00Z", "pre"), OTHER)
    answers(OTHER, times=7)
    before = all_rows()["games"]
    with statements() as count:
        answers(OTHER)
    assert (writes(count), all_rows()["games"]) == (2, before)  # the day's and the league's


def test_answer_with_a_broken_event_takes_no_game_away(answers):
    first = event("401", "2026-01-15T22:00Z", "pre")
    answers(first, OTHER)
    broken = event("401", home=99_999)
    answers(OTHER, broken, times=20)
    assert (game().listed, game().missing_answers) == (True, 0)
    assert game().missing_since is not None
    answers(first, OTHER)
    assert game().missing_since is None


def test_answer_that_may_be_cut_off_takes_no_game_away(answers):
    many = [event(str(n), "2026-01-15T23:00Z", "pre") for n in range(26)]
    answers(*many)
    answers(*many[1:], times=20)
    assert (game("0").listed, game("0").missing_answers) == (True, 0)


def test_finals_and_postponed_games_that_are_dropped_stay(answers, feed):
    answers(event("401"), event("403", state="postponed"), OTHER)
    answers(OTHER, times=10)
    assert game("401").missing_since is game("403").missing_since is None
    assert feed.asked("summary") == []


# ---------------------------------------------------------------- looked for by its id


def summary(start: str) -> dict[str, Any]:
    return {"header": {"id": "401", "competitions": [{"id": "401", "date": start}]}}


def test_game_that_moved_far_is_found_by_its_id_and_read_on_its_new_day(answers, feed, visitor):
    answers(event("401", "2026-01-15T22:00Z", "pre"), OTHER)
    feed.say("nfl", board(event("401", "2026-03-26T20:00Z", "pre")), dates="20260326")
    feed.say("nfl", summary("2026-03-26T20:00Z"), kind="summary")
    feed.requests.clear()
    answers(OTHER, times=6)
    assert (game().day, game().listed, game().missing_since) == (date(2026, 3, 26), True, None)
    assert feed.asked("summary") == ["nfl "]
    assert feed.asked().count("nfl 20260326") == 1
    assert "nfl401" not in visitor.get("/nfl/2026-01-15").text
    assert "nfl401" in visitor.get("/nfl/2026-03-26").text


def test_game_that_moved_to_a_day_that_cannot_be_read_is_off_its_old_day(answers, feed, visitor):
    answers(event("401", "2026-01-15T22:00Z", "pre"), OTHER)
    feed.say("nfl", b"<html>", dates="20260326")
    feed.say("nfl", summary("2026-03-26T20:00Z"), kind="summary")
    answers(OTHER, times=6)
    assert not game().listed
    assert "nfl401" not in visitor.get("/nfl/2026-01-15").text


def test_game_that_the_feed_still_has_on_its_day_is_kept(answers, feed):
    answers(event("401", "2026-01-15T22:00Z", "pre"), OTHER)
    feed.say("nfl", summary("2026-01-15T22:00Z"), kind="summary")
    answers(times=12)
    assert game().listed
    assert 2 <= len(feed.asked("summary")) <= 8


def test_game_is_not_given_up_while_it_cannot_be_looked_for(answers, feed):
    answers(event("401", "2026-01-15T22:00Z", "pre"), OTHER)
    feed.fail("nfl", 503, kind="summary")
    (line,) = answers(OTHER, times=6).errors
    assert line.startswith("NFL game 401 of 2026-01-15: the feed answered 503")
    assert game().listed
    feed.say("nfl", {"header": {}}, kind="summary")
    answers(OTHER)
    assert not game().listed


def test_game_that_the_feed_refuses_to_look_up_is_given_up_after_a_day(
    answers, feed, clock, visitor
):
    answers(event("401", "2026-01-15T20:00Z", "in"), OTHER)
    feed.fail("nfl", 500, kind="summary")
    answers(OTHER, times=6)
    clock.shown += timedelta(hours=23)
    answers(OTHER)
    assert game().listed
    clock.shown += timedelta(hours=1)
    (line,) = answers(OTHER).errors
    assert "the feed answered 500" in line
    assert not game().listed
    assert "nfl401" not in visitor.get("/live").text
    answers(event("401", "2026-01-15T20:00Z", "in"), OTHER)
    assert game().listed


def test_few_games_are_looked_for_after_each_answer(answers, feed):
    many = [event(str(n), "2026-01-15T23:00Z", "pre") for n in range(5)]
    answers(*many)
    answers(times=6)
    assert len(feed.asked("summary")) == 2
    answers(times=2)
    assert len(feed.asked("summary")) == 5
    assert not any(game(str(n)).listed for n in range(5))


def test_game_that_moves_by_a_few_days_is_simply_on_the_new_one(answers, feed):
    answers(event("401", "2026-01-15T22:00Z", "pre"), OTHER)
    answers(OTHER)
    answers(event("401", LATER, "pre"), day=date(2026, 1, 20))
    answers(OTHER, times=9)
    assert (game().day, game().listed, game().missing_since) == (date(2026, 1, 20), True, None)
    assert feed.asked("summary") == []


# ---------------------------------------------------------------- months


def test_months_that_are_read_ahead_cover_their_days_to_come(sync, feed):
    dropped = event("401", "2026-01-29T20:00Z", "pre")
    today = event("402", "2026-01-15T23:00Z", "pre")
    feed.say("nfl", {"children": []}, kind="standings")
    feed.say("nfl", board(dropped, today), dates="202601")
    feed.say("nfl", board(today), dates="20260115")
    scoreboards.sync_day(sync, NFL, DAY)
    catalogue.sync_leagues(sync, [NFL])
    feed.say("nfl", board(), dates="202601")
    for n in range(6):
        catalogue.sync_leagues(replace(sync, now=NOW + timedelta(minutes=1 + n)), [NFL])
    assert not game("401").listed
    assert game("402").missing_since is None


def test_range_covers_the_days_of_its_chunks_alone(sync, feed):
    events = [event(str(day), f"2026-01-{day}T20:00Z", "pre") for day in (18, 19, 25, 26)]
    feed.say("nfl", board(*events), dates="202601")
    backfill.sync_range(sync, NFL, date(2026, 1, 18), date(2026, 1, 26))
    feed.say("nfl", board(events[0]), dates="202601")
    backfill.sync_range(sync, NFL, date(2026, 1, 18), date(2026, 1, 25))
    lacking = select(Game.espn_id).where(Game.missing_since.is_not(None))
    assert sorted(db.session.scalars(lacking)) == ["19", "25"]


def test_day_of_a_missing_game_is_read_with_the_schedule(answers, sync, feed, clock):
    day = date(2026, 1, 29)
    answers(event("401", "2026-01-29T20:00Z", "pre"), day=day)
    answers(day=day)
    feed.requests.clear()
    scoreboards.sync_schedule(replace(sync, now=clock.shown + timedelta(minutes=1)), [NFL])
    assert sorted(feed.asked()) == [f"nfl 202601{day}" for day in (14, 15, 16, 29)]


# ---------------------------------------------------------------- live games

LIVE = event("401", "2026-01-15T20:00Z", "in")


def test_live_game_that_vanishes_is_not_in_the_feed_since_then(answers, visitor):
    words = "9:03 - 3rd Quarter, not in the feed since 3:40 PM"
    answers(LIVE, OTHER)
    answers(OTHER, times=2)
    for path in ("/", "/live", "/nfl", "/nfl/games/401"):
        assert "not in the feed" not in visitor.get(path).text
    answers(OTHER)
    for path in ("/", "/live", "/nfl", "/nfl/teams/ALP"):
        assert words.replace(" Quarter", "") in visitor.get(path).text
    assert words in visitor.get("/nfl/games/401").text
    assert said_of(visitor)["missing_since"] == "2026-01-15T20:40:00Z"
    hidden = visitor.get("/nfl", headers={"Cookie": "scores=hide"}).text
    assert "Live, not in the feed since 3:40 PM" in hidden


def test_live_game_that_was_given_up_is_live_no_longer_and_keeps_its_score(answers, sync, visitor):
    answers(LIVE)
    answers(times=6)
    assert not game().listed
    assert "No game is live now" in visitor.get("/live").text
    page = visitor.get("/nfl/2026-01-15").text
    assert "not in the feed since 3:40 PM" in page
    assert '<span class="s">20</span>' in page
    assert scoreboards.live_days(sync, [NFL]) == {}
    answers(LIVE)
    assert "not in the feed" not in visitor.get("/live").text
    assert "nfl401" in visitor.get("/live").text


@pytest.mark.parametrize("is_same", [True, False])
def test_resumed_game_that_another_day_lists_never_shows_as_missing(answers, is_same):
    """The answer of the day on which it goes on is the same each time, its own day's may differ."""
    resumed = event("401", "2026-01-14T20:00Z", "in")
    for number in range(8):
        others = [] if is_same else [event(f"50{number}", "2026-01-14T22:00Z")]
        answers(*others, day=date(2026, 1, 14))
        answers(resumed)
        assert game().missing_since is None
    answers(OTHER)
    answers(event("509", "2026-01-14T22:00Z"), day=date(2026, 1, 14))
    assert game().missing_since


# ---------------------------------------------------------------- what users ran into


@pytest.mark.parametrize(
    ("name", "slug", "day", "team", "gone"),
    [
        ("game-moved-ten-weeks", "nfl", date(2017, 9, 10), "MIA", "7101"),
        ("if-necessary-removed", "nba", date(2023, 4, 25), "PHI", "7205"),
    ],
)
def test_games_of_the_cases_are_gone(app, feed, clock, visitor, cases, name, slug, day, team, gone):
    clock.shown = datetime.combine(day, datetime.min.time(), UTC) - timedelta(days=3)
    before, after = (json.loads((cases / f"{name}-{n}.json").read_text()) for n in (1, 2))
    after["events"] = [one for one in after["events"] if one["id"] != gone]  # not on its old day
    first, last = day.replace(day=1), day.replace(day=28)
    feed.say(slug, before, dates=f"{day:%Y%m}")
    context = SyncContext(services_of(app).feed_client, db.session, clock.shown)
    backfill.sync_range(context, BY_SLUG[slug], first, last)
    assert gone in ahead(visitor.get(f"/{slug}/teams/{team}").text)
    feed.say(slug, after, dates=f"{day:%Y%m}")
    for _ in range(6):
        clock.shown += timedelta(minutes=1)
        backfill.sync_range(replace(context, now=clock.shown), BY_SLUG[slug], first, last)
    assert gone not in ahead(visitor.get(f"/{slug}/teams/{team}").text)
    assert f"{slug}{gone}" not in visitor.get(f"/{slug}/{day}").text
    assert "STATUS:CANCELLED" in visitor.get(f"/{slug}/teams/{team}.ics").text


def test_feed_that_refuses_summaries_does_not_keep_phantoms(answers, feed):
    answers(event("401", "2026-01-15T22:00Z", "pre"), OTHER)
    feed.say("nfl", Response("no", 400), kind="summary")
    answers(OTHER, times=6)
    assert not game().listed


def test_next_games_are_of_no_past_day_but_for_one_that_is_live(answers, visitor, clock):
    answers(event("400", "2026-01-14T20:00Z", "pre"), day=date(2026, 1, 14))
    answers(LIVE, OTHER)
    assert ahead(visitor.get("/nfl/teams/ALP").text) == ["401", "402"]
    clock.shown += timedelta(days=1)
    assert ahead(visitor.get("/nfl/teams/ALP").text) == ["401"]  # it is still live

"""Ranges of many months: what the feed does not have is left out, and what failed is summed up."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from werkzeug.wrappers import Response

from sportsapp.core.errors import DateRangeError, FeedRefusedError
from sportsapp.core.leagues import ALL_LEAGUES, BY_SLUG
from sportsapp.db.engine import db
from sportsapp.db.models import RunState
from sportsapp.queue.huey import backfill_huey
from sportsapp.services import services_of
from sportsapp.sync.backfill import FRUITLESS_MONTHS, summary_of, sync_range
from sportsapp.sync.context import SyncContext
from sportsapp.sync.ranges import within_seasons
from sportsapp.tasks import sync_date_range_task
from tests.integration.events import board, event
from tests.panel import row, runs_of

pytestmark = pytest.mark.slow

NBA, NFL, WNBA, MLB = (BY_SLUG[slug] for slug in ("nba", "nfl", "wnba", "mlb"))
NOW = datetime(2026, 10, 4, 18, 0, tzinfo=UTC)
TASK = "sync_date_range_task"


@pytest.fixture
def sync(app) -> SyncContext:
    return SyncContext(services_of(app).feed_client, db.session, NOW)


@pytest.fixture
def command(runner):
    """Call ``flask sync range``."""
    return lambda *words, **more: runner.invoke(args=["sync", "range", *words], **more)


def has_games(feed, month: str, league: str = "nba") -> None:
    start = f"{month[:4]}-{month[4:]}-10T20:00Z"
    feed.say(league, board(event(f"9{month}", start)), dates=month)


def months(feed) -> list[str]:
    return [asked.split(" ")[1] for asked in feed.asked()]


# ---------------------------------------------------------------- months without games


def test_rest_of_a_season_is_left_out_after_eight_months_without_a_game(sync, feed, caplog):
    caplog.set_level(logging.INFO)
    seen: list[Any] = []
    context = replace(sync, progress=lambda *step: seen.append(step[:2]))
    result = sync_range(context, NBA, date(1999, 7, 1), date(2000, 6, 30))
    line = "NBA 2000-03-01 to 2000-06-30 left out: 8 months in a row had no games"
    assert result.as_dict() == {"synced": 0, "errors": [], "left_out": [line]}
    assert (months(feed)[0], months(feed)[-1], len(months(feed))) == ("199907", "200002", 8)
    assert seen[-1] == (8, 8)
    assert line in caplog.text


def test_season_that_begins_in_its_eighth_month_is_read(sync, feed):
    has_games(feed, "199902")
    result = sync_range(sync, NBA, date(1998, 7, 1), date(1999, 6, 30))
    assert (result.synced, result.left_out, len(feed.asked())) == (1, [], 12)


def test_next_season_is_read_after_one_that_was_left_out(sync, feed):
    has_games(feed, "200010")
    result = sync_range(sync, NBA, date(1999, 7, 1), date(2001, 6, 30))
    assert (result.synced, len(result.left_out)) == (1, 1)
    assert months(feed)[8] == "200007"
    assert len(feed.asked()) == 8 + 12


def test_months_of_two_seasons_are_not_counted_together(sync, feed):
    assert sync_range(sync, NBA, date(2025, 1, 1), date(2025, 12, 31)).left_out == []
    assert len(feed.asked()) == 12


def test_month_with_games_or_broken_ones_begins_the_count_anew(sync, feed):
    has_games(feed, "202601", "mlb")
    feed.say("mlb", board({"id": "9"}), dates="202602")
    result = sync_range(sync, MLB, date(2026, 1, 1), date(2026, 12, 31))
    assert (result.synced, len(result.errors)) == (1, 1)
    assert [line[:25] for line in result.left_out] == ["MLB 2026-11-01 to 2026-12"]


# ---------------------------------------------------------------- months that are refused


@pytest.mark.parametrize("status", [400, 403])
def test_range_ends_after_eight_months_that_are_refused_and_keeps_what_it_has(sync, feed, status):
    feed.fail("nba", status)
    has_games(feed, "199907")
    result = sync_range(sync, NBA, date(1999, 7, 1), date(2005, 6, 30))
    assert (result.synced, len(result.errors)) == (1, FRUITLESS_MONTHS)
    assert result.left_out == [
        "NBA 2000-04-01 to 2005-06-30 left out: 8 months in a row were refused"
    ]
    assert {month for month in months(feed) if len(month) == 6} == {
        *(f"1999{number:02}" for number in range(7, 13)),
        *("200001", "200002", "200003"),
    }


def test_range_of_which_all_is_refused_fails_and_names_the_months(sync, feed):
    feed.fail("nba", 403)
    with pytest.raises(FeedRefusedError) as failure:
        sync_range(sync, NBA, date(1999, 7, 1), date(2005, 6, 30))
    assert failure.value.__notes__[0].count("\n") == FRUITLESS_MONTHS - 1
    assert "NBA 1999-07-01 to 1999-07-31: the feed refused us" in failure.value.__notes__[0]


def test_feed_that_is_away_ends_no_range(sync, feed):
    feed.fail("nba", 503)
    has_games(feed, "199907")
    feed.say("nba", Response("{}", 503), dates="199908")
    result = sync_range(sync, NBA, date(1999, 7, 1), date(2000, 6, 30))
    assert (result.synced, len(result.errors), result.left_out) == (1, 11, [])


def test_what_was_left_out_survives_an_interruption(sync, feed):
    has_games(feed, "200011")
    points: list[Any] = []

    def stop(done: int, _total: int, resume: Any) -> None:
        points.append(json.loads(json.dumps(resume)))
        if done == 10:
            raise KeyboardInterrupt

    days = date(1999, 7, 1), date(2001, 6, 30)
    with pytest.raises(KeyboardInterrupt):
        sync_range(replace(sync, progress=stop), NBA, *days)
    feed.requests.clear()
    result = sync_range(replace(sync, resume=points[-1]), NBA, *days)
    assert (result.synced, len(result.left_out), months(feed)[0]) == (1, 1, "200009")


# ---------------------------------------------------------------- before the first season


def test_days_before_the_first_season_are_left_out(sync, feed):
    result = sync_range(sync, WNBA, date(1996, 11, 1), date(1997, 2, 28))
    assert months(feed) == ["199701", "199702"]
    assert result.left_out == [
        "WNBA 1996-11-01 to 1996-12-31 left out: the first season begins in 1997"
    ]


def test_ranges_are_cut_league_by_league():
    kept, lines = within_seasons(
        [
            (NBA, date(1946, 6, 1), date(1946, 7, 31)),
            (WNBA, date(1946, 6, 1), date(1946, 7, 31)),
            (MLB, date(1946, 6, 1), date(1946, 7, 31)),
        ]
    )
    assert kept == [
        (NBA, date(1946, 7, 1), date(1946, 7, 31)),
        (MLB, date(1946, 6, 1), date(1946, 7, 31)),
    ]
    assert lines == [
        "NBA 1946-06-01 to 1946-06-30 left out: the first season begins in 1946",
        "WNBA 1946-06-01 to 1946-07-31 left out: the first season begins in 1997",
    ]


def test_first_seasons_are_years_of_the_past():
    years = {league.slug: league.first_season for league in ALL_LEAGUES if league.first_season}
    assert {"nba": 1946, "wnba": 1997, "ncaaf": 2001}.items() <= years.items()
    assert all(1900 < year < 2010 for year in years.values())


def test_command_says_what_is_left_out_and_refuses_what_is_all_before(command, feed):
    done = command("NBA", "1946-06-01", "1946-07-31", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"synced": 0, "errors": []})
    assert "NBA 1946-06-01 to 1946-06-30 left out: the first season" in done.stderr
    assert months(feed) == ["194607"]
    done = command("NBA", "1940-01-01", "1941-12-31")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_panel_plans_from_the_first_season_on(panel):
    form = {"league": "nba", "start": "1946-01-01", "end": "1947-06-30"}
    page = panel.open("/admin/backfill/", query_string=form).text
    assert "NBA 1946-01-01 to 1946-06-30 left out" in page
    assert "<strong>12</strong> feed requests" in page
    panel.post("/admin/backfill/", **form)
    assert [run.args["start_date"] for run in runs_of(TASK)] == ["1946-07-01"]
    answer = panel.post("/admin/backfill/", **(form | {"end": "1946-02-01"}))
    assert answer.status_code == 422


# ---------------------------------------------------------------- in a shell and on the record


def test_many_requests_are_stated_and_not_asked_about_without_a_terminal(command, offline):
    words = ["NBA", "1980-01-01", "2025-12-31", "--queue"]
    done = command(*words)
    assert (done.exit_code, len(runs_of(TASK))) == (0, 47)
    assert done.stderr == "this takes 16,802 days in 552 requests to the feed, about 13 min\n"
    for run in runs_of(TASK):
        row(run.id)
    assert "this takes" not in command("NFL", *words[1:], "--yes").stderr
    assert "this takes" not in command("MLB", "1990-01-01", "2025-12-31", "--queue").stderr


@pytest.mark.parametrize(("answer", "count"), [("n\n", 0), ("y\n", 47)])
def test_many_requests_are_asked_about_on_a_terminal(command, offline, monkeypatch, answer, count):
    monkeypatch.setattr("sportsapp.commands.sync.on_terminal", lambda: True)
    done = command("NBA", "1980-01-01", "2025-12-31", "--queue", input=answer)
    assert "This takes 16,802 days in 552 requests to the feed, about 13 min. Go on?" in done.stderr
    assert done.exit_code == (0 if count else 1)
    assert len(runs_of(TASK)) == count


def test_command_sums_up_what_failed(command, feed):
    feed.fail("nba", 403)
    has_games(feed, "202510")
    feed.say("nba", Response("{}", 404), dates="202512")
    done = command("NBA", "2025-10-01", "2026-03-31")
    failed = [line for line in done.stderr.splitlines() if "refused us" in line]
    assert done.exit_code == 1
    assert [line.partition(": ")[0] for line in failed] == ["NBA 2025-11-01 to 2026-03-31"]
    assert done.stdout == "1 synced, 5 errors\n"


def test_command_sums_up_what_failed_when_all_did(command, feed):
    feed.fail("nba", 403)
    done = command("NBA", "2025-10-01", "2026-03-31", "--json")
    assert len(json.loads(done.stdout)["errors"]) == 6
    assert "NBA 2025-10-01 to 2026-03-31: the feed refused us with 403" in done.stderr


def test_errors_of_one_reason_are_one_line():
    assert summary_of(
        [
            "NBA 2026-01-01 to 2026-01-31: refused with 403: https://x/?dates=202601",
            "NBA 2026-02-01 to 2026-02-28: refused with 403: https://x/?dates=202602",
            "NBA 2026-04-03: refused with 403: https://x/?dates=20260403",
            "all leagues failed",
            "NBA 2026-03-01: away",
            "NFL 2026-02-01: away",
        ]
    ) == [
        "NBA 2026-01-01 to 2026-02-28, 2026-04-03: refused with 403: https://x/?dates=202601",
        "NBA 2026-03-01: away",
        "NFL 2026-02-01: away",
        "all leagues failed",
    ]


def test_run_that_left_months_out_succeeds_and_says_so(panel, feed):
    run_id = sync_date_range_task("NBA", "1999-07-01", "2000-06-30").id
    backfill_huey.execute(backfill_huey.dequeue())
    assert row(run_id).state == RunState.SUCCESS
    assert row(run_id).result["left_out"]
    page = panel.get("/admin/runs/")
    assert "0 synced, NBA 2000-03-01 to 2000-06-30 left out" in page
    assert "<li>NBA 2000-03-01 to 2000-06-30 left out" in panel.get("/admin/backfill/live")


def test_whole_range_before_the_first_season_is_an_error_of_the_command_alone(sync, feed):
    result = sync_range(sync, NBA, date(1940, 1, 1), date(1940, 12, 31))
    assert (result.synced, len(result.left_out), feed.requests) == (0, 1, [])
    with pytest.raises(DateRangeError):
        sync_range(sync, NBA, date(1899, 1, 1), date(1940, 12, 31))

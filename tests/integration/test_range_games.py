"""Ranges with box scores: their finals' summaries after their days, once, and what it costs."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select
from werkzeug.wrappers import Request, Response

from sportsapp.core.errors import FeedError, FeedUnavailableError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.db.models import RunState, SummaryRow
from sportsapp.queue.huey import backfill_huey
from sportsapp.services import services_of
from sportsapp.sync import backfill
from sportsapp.sync.backfill import MOST_STEPS, games_steps, sync_range
from sportsapp.sync.context import SyncContext
from sportsapp.sync.games import expected_finals
from sportsapp.sync.ranges import cost_of, estimate
from sportsapp.tasks import sync as sync_tasks
from sportsapp.tasks import sync_date_range_task
from sportsapp.tasks.repeats import overlap, same_work
from tests.integration.events import board, event
from tests.integration.test_sync_game import said
from tests.panel import row, runs_of

NBA = BY_SLUG["nba"]
NOW = datetime(2026, 10, 4, 18, 0, tzinfo=UTC)
JANUARY = date(2026, 1, 1), date(2026, 1, 31)
TASK = "sync_date_range_task"


@pytest.fixture
def sync(app) -> SyncContext:
    return SyncContext(services_of(app).feed_client, db.session, NOW)


@pytest.fixture
def january(feed):
    """The feed has so many finals on each of three days of January, and their summaries.

    Those in ``broken`` are answered with 500. Returns the set, which a test can change.
    """
    broken: set[str] = set()
    summary = said()

    def put(each: int = 1) -> set[str]:
        days = [(day, n) for day in (10, 11, 20) for n in range(each)]
        games = [event(f"{day}{n}", f"2026-01-{day}T20:00Z") for day, n in days]
        games += [event(str(n), "2026-01-25T20:00Z", "postponed") for n in (1, 2)]
        feed.say("nba", board(*games), dates="202601")

        def answer(request: Request) -> Response:
            summary["header"]["id"] = request.args["event"]
            status = 500 if request.args["event"] in broken else 200
            return Response(json.dumps(summary), status, mimetype="application/json")

        feed.say("nba", answer, kind="summary")
        return broken

    return put


def asked(feed) -> list[str]:
    """The games whose summary was asked for, one line a time."""
    return [one.args["event"] for one in feed.requests if one.path.endswith("/summary")]


def stored() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(SummaryRow)) or 0


def test_finals_are_read_after_the_days_and_nothing_twice(sync, feed, january):
    january()
    steps = []
    context = replace(sync, progress=lambda *step: steps.append(step[:2]))
    result = sync_range(context, NBA, *JANUARY, games=True)
    assert result.as_dict() == {"synced": 5, "errors": [], "box_scores": 3}
    assert asked(feed) == ["100", "110", "200"]
    assert (steps[0], steps[-1]) == ((0, 32), (32, 32))  # a month, and its days
    again = sync_range(sync, NBA, *JANUARY, games=True)
    assert (again.box_scores, len(asked(feed)), stored()) == (3, 3, 3)


def test_range_without_games_asks_for_none(sync, feed, january):
    january()
    assert sync_range(sync, NBA, *JANUARY).as_dict() == {"synced": 5, "errors": []}
    assert asked(feed) == []


def test_failure_of_one_game_is_an_error_and_the_range_goes_on(sync, feed, january):
    broken = january()
    broken.add("110")
    result = sync_range(sync, NBA, *JANUARY, games=True)
    (line,) = result.errors
    assert line.startswith("NBA game 110: the feed answered 500")
    assert (result.box_scores, stored()) == (2, 2)
    broken.clear()
    feed.requests.clear()
    assert sync_range(sync, NBA, *JANUARY, games=True).box_scores == 3
    assert asked(feed) == ["110"]


def test_feed_that_fails_ends_the_range_which_goes_on_from_there(sync, feed, january, monkeypatch):
    monkeypatch.setattr(backfill, "DOWN_AFTER", 3)
    broken = january(each=3)
    broken.update(("110", "111", "112"))
    points = []
    context = replace(sync, progress=lambda *step: points.append(step[2]))
    with pytest.raises(FeedUnavailableError):
        sync_range(context, NBA, *JANUARY, games=True)
    assert stored() == 3
    assert not any(espn_id.startswith("20") for espn_id in asked(feed))
    broken.clear()
    feed.requests.clear()
    result = sync_range(replace(sync, resume=points[-1]), NBA, *JANUARY, games=True)
    assert (result.box_scores, result.errors, feed.asked()) == (9, [], [])
    assert len(asked(feed)) == 6


@pytest.mark.parametrize("read", [0, 1])
def test_failures_in_a_row_within_a_day_end_the_range(sync, feed, january, monkeypatch, read):
    monkeypatch.setattr(backfill, "DOWN_AFTER", 3)
    january(each=30).update(f"10{n}" for n in range(read, 30))
    with pytest.raises(FeedUnavailableError) as failed:
        sync_range(sync, NBA, *JANUARY, games=True)
    assert stored() == read
    assert len(set(asked(feed))) <= 6  # two parts
    assert len("".join(failed.value.__notes__).splitlines()) >= 3


def test_days_that_cannot_be_read_end_the_range_before_its_games(sync, feed, january):
    january()
    sync_range(sync, NBA, *JANUARY)
    feed.answers.pop(("nba", "scoreboard", "202601"))
    feed.fail("nba", 500)
    with pytest.raises(FeedUnavailableError):
        sync_range(sync, NBA, *JANUARY, games=True)
    assert asked(feed) == []


def test_long_range_has_a_bounded_number_of_steps():
    thirty_years = games_steps([(NBA, date(1996, 1, 1), date(2026, 12, 31))], NOW.date())
    assert len(thirty_years) <= MOST_STEPS
    assert (thirty_years[0][1], thirty_years[-1][2]) == ("1996-01-01", "2026-10-04")
    assert games_steps([(NBA, date(2026, 12, 1), date(2026, 12, 31))], NOW.date()) == []


# ---------------------------------------------------------------- what it costs


def test_cost_of_stored_days_is_counted_and_that_of_others_guessed(sync, january):
    ranges = [(NBA, *JANUARY)]
    january(each=2)
    sync_range(sync, NBA, *JANUARY)
    assert expected_finals(db.session, ranges, NOW) == 6
    sync_range(sync, NBA, *JANUARY, games=True)
    assert expected_finals(db.session, ranges, NOW) == 0
    season = [(NBA, date(2024, 7, 1), date(2025, 6, 30))]
    assert expected_finals(db.session, season, NOW) == NBA.season_games
    assert 0 < expected_finals(db.session, [(NBA, date(2025, 1, 1), date(2025, 1, 31))], NOW) < 300
    assert expected_finals(db.session, [(NBA, date(2026, 11, 1), date(2026, 11, 30))], NOW) == 0


def test_cost_is_requests_and_minutes():
    season = [(NBA, date(2024, 7, 1), date(2025, 6, 30))]
    assert (estimate(season, 1230).requests, estimate(season, 1230).games) == (1242, 1230)
    text = "365 days and 1,230 games in 1,242 requests to the feed, about 20 min"
    assert cost_of(season, 1230) == text


def test_command_says_the_cost_before_and_the_count_after(runner, january):
    january()
    words = ["sync", "range", "NBA", "2026-01-01", "2026-01-31"]
    assert runner.invoke(args=words).exit_code == 0
    done = runner.invoke(args=[*words, "--games"])
    assert done.stdout == "5 synced, 3 box scores\n"
    assert "this takes 31 days and 3 games in 4 requests to the feed, about 4 s" in done.stderr
    newest = runs_of(TASK)[-1]
    assert newest.args["games"] is True


@pytest.mark.slow
def test_command_queues_seasons_with_games(runner, offline):
    words = ["sync", "range", "NBA", "2024-01-01", "2025-01-31", "--games", "--queue", "--json"]
    ids = json.loads(runner.invoke(args=words).stdout)["task_ids"]
    assert [row(run_id).args.get("games") for run_id in ids] == [True, True]


# ---------------------------------------------------------------- the task


def test_message_of_the_release_before_still_runs(offline, feed, january):
    january()
    run_id = sync_date_range_task("NBA", "2026-01-01", "2026-01-31").id
    assert row(run_id).args.keys() == {"league", "start_date", "end_date"}
    backfill_huey.execute(backfill_huey.dequeue())
    assert (row(run_id).state, row(run_id).result) == (
        RunState.SUCCESS,
        {"synced": 5, "errors": []},
    )
    assert asked(feed) == []


def test_resume_point_of_the_release_before_goes_on(sync, feed, january):
    january()
    point = {"done": 1, "todo": [["2026-01-01", "2026-01-31", True]], "failures": {}, "kept": {}}
    point |= {"result": {"synced": 5, "errors": []}}
    result = sync_range(replace(sync, resume=point), NBA, date(2025, 12, 1), JANUARY[1])
    assert result.as_dict() == {"synced": 10, "errors": []}


@pytest.mark.parametrize(("status", "state"), [(500, RunState.RETRY), (403, RunState.FAILURE)])
def test_run_is_retried_unless_the_feed_refuses(offline, feed, january, monkeypatch, status, state):
    monkeypatch.setattr(backfill, "DOWN_AFTER", 3)
    january()
    feed.fail("nba", status, kind="summary")
    run_id = sync_date_range_task("NBA", "2026-01-01", "2026-01-31", games=True).id
    with suppress(FeedError):
        backfill_huey.execute(backfill_huey.dequeue())
    assert (row(run_id).state, stored()) == (state, 0)


def test_run_near_its_time_limit_goes_on_as_another_attempt(offline, feed, january, monkeypatch):
    january()
    monkeypatch.setattr(sync_tasks, "TIME_SHARE", 0)
    run_id = sync_date_range_task("NBA", "2026-01-10", "2026-01-13", games=True).id
    task = backfill_huey.dequeue()
    while row(run_id).state == RunState.PENDING:
        attempt, task.eta = row(run_id).attempt, None  # its time has come
        backfill_huey.execute(task)
        assert row(run_id).attempt == attempt + 1
    run = row(run_id)
    assert (run.state, run.attempt, run.retries_left) == (RunState.SUCCESS, 5, 2)
    assert (run.result, len(feed.asked())) == ({"synced": 2, "errors": [], "box_scores": 2}, 1)


NAMES = ("league", "start_date", "end_date")
PLAIN = dict(zip(NAMES, ("NBA", "2026-01-01", "2026-01-31"), strict=True))
OTHER = dict(zip(NAMES, ("nba", "2026-01-31", "2026-02-10"), strict=True))


@pytest.mark.parametrize(
    ("queued", "new", "is_same"),
    [
        (PLAIN, OTHER, True),
        (PLAIN, OTHER | {"games": False}, True),
        (PLAIN, OTHER | {"games": True}, False),
        (PLAIN | {"games": True}, OTHER, True),
        (PLAIN | {"games": True}, OTHER | {"games": True}, True),
        (PLAIN | {"every": True}, OTHER, False),
    ],
)
def test_range_with_games_does_what_one_without_does_and_more(queued, new, is_same):
    assert (overlap(queued, new), same_work(queued, new)) == (is_same, is_same)

"""Backfills: estimate, queue, refusal of an overlap, progress, cancel."""

from __future__ import annotations

import logging
from datetime import date, timedelta

import pytest

from sportsapp.admin.backfill import preset_days, ranges_of
from sportsapp.core.leagues import BY_SLUG, DEFAULT_LEAGUES
from sportsapp.db.models import RunState, Trigger
from sportsapp.queue.huey import backfill_huey
from sportsapp.sync.ranges import estimate
from tests.panel import add_consumer, add_run, counted, messages_of, row, runs_of

pytestmark = pytest.mark.slow

PAGE = "/admin/backfill/"
TASK = "sync_date_range_task"
JANUARY = {"league": "nba", "start": "2026-01-01", "end": "2026-01-31"}
ARGS = {"league": "NBA", "start_date": "2026-01-01", "end_date": "2026-01-31"}
MONDAY = date(2026, 11, 23)


def preview(panel, **form: str):
    """The page with the estimate for a filled-in form."""
    return panel.open(PAGE, query_string=form)


def test_form_has_leagues_dates_and_presets(panel):
    page = panel.get(PAGE)
    for message in (
        'value="all"',
        ">NBA</option>",
        'type="date" name="start"',
        'type="date" name="end"',
        "This week",
        "This month",
        "This season",
        "Last season",
    ):
        assert message in page
    assert "This would be queued" not in page


def test_preview_shows_the_cost_and_queues_nothing(panel):
    page = preview(panel, league="nba", start="2026-01-01", end="2026-03-02").text
    assert "NBA from 2026-01-01 to 2026-03-02" in page
    assert "<strong>4</strong> feed requests" in page
    assert "<strong>6.0 s</strong>" in page
    assert runs_of(TASK) == []


def test_preview_of_all_leagues_names_each(panel):
    page = preview(panel, league="all", start="2026-01-01", end="2026-01-31").text
    assert "<strong>4</strong> runs" in page
    for league in DEFAULT_LEAGUES:
        assert f"{league.label} from 2026-01-01 to 2026-01-31" in page


def test_range_over_several_seasons_is_shown_and_queued_as_one_run_a_season(panel):
    form = {"league": "nba", "start": "2025-06-01", "end": "2025-07-31"}
    page = preview(panel, **form).text
    assert "NBA from 2025-06-01 to 2025-06-30" in page
    assert "NBA from 2025-07-01 to 2025-07-31" in page
    assert panel.post(PAGE, **form).status_code == 303
    assert len(runs_of(TASK)) == 2


@pytest.mark.parametrize(
    ("preset", "slug", "days"),
    [
        ("week", "nba", (date(2026, 11, 23), date(2026, 11, 29))),
        ("month", "nba", (date(2026, 11, 1), date(2026, 11, 30))),
        ("season", "nba", (date(2026, 7, 1), date(2027, 6, 30))),
        ("season", "mlb", (date(2026, 1, 1), date(2026, 12, 31))),
        ("season", "nfl", (date(2026, 4, 1), date(2027, 3, 31))),
        ("season", "wnba", (date(2026, 1, 1), date(2026, 12, 31))),
        ("season", "ncaaf", (date(2026, 4, 1), date(2027, 3, 31))),
        ("season", "ncaam", (date(2026, 7, 1), date(2027, 6, 30))),
        ("season", "ncaaw", (date(2026, 7, 1), date(2027, 6, 30))),
        ("season", "mls", (date(2026, 1, 1), date(2026, 12, 31))),
        ("season", "epl", (date(2026, 7, 1), date(2027, 6, 30))),
        ("last-season", "nba", (date(2025, 7, 1), date(2026, 6, 30))),
        ("last-season", "mlb", (date(2025, 1, 1), date(2025, 12, 31))),
    ],
)
def test_presets(preset, slug, days):
    assert preset_days(preset, BY_SLUG[slug], MONDAY) == days


@pytest.mark.parametrize(("today", "last"), [(date(2026, 12, 5), 31), (date(2028, 2, 29), 29)])
def test_month_ends_when_it_ends(today, last):
    assert preset_days("month", BY_SLUG["nba"], today)[1].day == last


def test_preset_of_all_leagues_has_each_leagues_own_season(app):
    values = {"league": "all", "preset": "season", "start": "", "end": ""}
    ranges = ranges_of(values, MONDAY)
    assert len({(start, end) for _, start, end in ranges}) == 3
    assert estimate(ranges).runs == 4
    assert estimate(ranges).requests == 12 * len(DEFAULT_LEAGUES)


def test_preset_is_queued(panel):
    assert panel.post(PAGE, league="nba", preset="last-season").status_code == 303
    (run,) = runs_of(TASK)
    assert run.args["start_date"].endswith("-07-01")
    assert run.args["end_date"].endswith("-06-30")


def test_queued_runs_are_on_the_record(panel, caplog):
    caplog.set_level(logging.INFO)
    answer = panel.post(PAGE, **JANUARY)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}#runs")
    (run,) = runs_of(TASK)
    assert (run.args, run.trigger, run.asked_by) == (ARGS, Trigger.ADMIN, "maria")
    assert backfill_huey.pending_count() == 1
    assert f"maria: queued 1 backfills: {run.id}" in caplog.text


@pytest.mark.parametrize("state", [RunState.PENDING, RunState.STARTED, RunState.RETRY])
def test_overlap_is_refused_with_a_link_to_that_run(panel, state):
    first = add_run(TASK, state, args=ARGS, queue="sportsapp-backfill")
    form = {"league": "nba", "start": "2026-01-31", "end": "2026-02-10"}
    answer = panel.post(PAGE, **form)
    assert answer.status_code == 409
    assert f"/admin/runs/details/?id={first}" in messages_of(answer.text)
    assert "NBA from 2026-01-01 to 2026-01-31" in messages_of(answer.text)
    assert len(runs_of(TASK)) == 1


def test_overlap_of_one_leagues_season_queues_none(panel):
    panel.post(PAGE, league="nhl", preset="season")
    assert panel.post(PAGE, league="all", preset="season").status_code == 409
    assert len(runs_of(TASK)) == 1


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"league": "nba", "start": "2026-02-01", "end": "2026-01-01"}, "comes after the end"),
        ({"league": "nba", "start": "2026-02-31", "end": "2026-03-01"}, "is not a day"),
        ({"league": "nba", "start": "", "end": "2026-03-01"}, "choose the start"),
        ({"league": "nba", "start": "2026-03-01", "end": ""}, "choose the end"),
        ({"league": "nba", "start": "1850-01-01", "end": "2026-03-01"}, "too early"),
        ({"league": "nba", "start": "2026-01-01", "end": "2090-01-01"}, "too far ahead"),
        ({"league": "cricket", "start": "2026-01-01", "end": "2026-01-01"}, "unknown league"),
        ({"league": "nba", "preset": "decade"}, "choose the start"),
    ],
)
def test_invalid_form_is_refused_with_its_fault(panel, form, message):
    for answer in (preview(panel, **form), panel.post(PAGE, **form)):
        assert answer.status_code == 422
        assert message in messages_of(answer.text)
    assert runs_of(TASK) == []


def test_form_keeps_what_was_filled_in(panel):
    page = preview(panel, league="nba", start="2026-02-01", end="2026-01-01").text
    assert 'value="nba" selected' in page
    assert 'name="start" value="2026-02-01"' in page


def test_without_a_broker_nothing_is_queued_and_an_error_is_shown(app, panel, monkeypatch):
    monkeypatch.undo()
    answer = panel.post(PAGE, **JANUARY)
    assert answer.status_code == 422
    assert "the broker cannot be reached" in messages_of(answer.text)


# ---------------------------------------------------------------- watching


def test_running_backfill_shows_its_bar_games_and_errors(panel):
    resume = {"done": 2, "result": {"synced": 1234, "errors": ["2026-01-02: no answer"]}}
    add_run(
        TASK,
        RunState.STARTED,
        args=ARGS,
        queue="sportsapp-backfill",
        progress_done=2,
        progress_total=5,
        resume=resume,
    )
    page = panel.get(f"{PAGE}live")
    assert "2 of 5 (40 %)" in page
    assert "1,234" in page
    assert "2026-01-02: no answer" in page
    assert "runs/cancel" in page
    assert "<html" not in page


def test_ended_backfill_shows_what_it_stored_and_old_ones_are_gone(panel):
    add_run(TASK, args=ARGS, result={"synced": 77, "errors": []})
    add_run(TASK, args=ARGS, result={"synced": 99, "errors": []}, ago=timedelta(days=2))
    page = panel.get(f"{PAGE}live")
    assert ">77 games stored<" in page
    assert "99 games" not in page


def test_waiting_backfill_shows_why_it_waits(panel):
    add_run(TASK, RunState.PENDING, args=ARGS, started_at=None)
    assert "No consumer is running for the backfill queue" in panel.get(PAGE)
    add_consumer("sportsapp-backfill")
    page = panel.get(PAGE)
    assert "No consumer is running" not in page
    assert "waiting for a worker for" in page


def test_backfill_is_cancelled_from_here(panel):
    panel.post(PAGE, **JANUARY)
    (run,) = runs_of(TASK)
    assert f'value="{run.id}"' in panel.get(f"{PAGE}live")
    answer = panel.post("/admin/runs/cancel", id=run.id, sure="yes", back=PAGE)
    assert answer.headers["Location"] == PAGE
    assert row(run.id).state == RunState.REVOKED


def test_watching_takes_a_bounded_number_of_queries(panel):
    counts = []
    for _ in range(2):
        with counted() as statements:
            panel.get(f"{PAGE}live")
        counts.append(len(statements))
        for _ in range(40):
            add_run(TASK, args=ARGS)
    assert counts[0] == counts[1] <= 5


def test_choice_of_box_scores_is_in_the_estimate_and_in_the_run(panel):
    season = {"league": "nba", "start": "2024-07-01", "end": "2025-06-30"}
    plain = preview(panel, **season).text
    assert 'name="games" value="games">' in plain
    assert "<strong>12</strong> feed requests, about" in plain
    page = preview(panel, **season, games="games").text
    assert 'name="games" value="games" checked>' in page
    assert "<strong>1,412</strong> feed requests, of them <strong>1,400</strong> for games" in page
    assert '<input type="hidden" name="games" value="games">' in page
    assert panel.post(PAGE, **season, games="games").status_code == 303
    (run,) = runs_of(TASK)
    assert run.args["games"] is True
    assert "NBA 2024-07-01 2025-06-30 games" in panel.get(f"{PAGE}live")

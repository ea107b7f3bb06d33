"""Finals get their box score by themselves: which, how many in a run, and after failures."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update
from werkzeug.wrappers import Request, Response

from sportsapp.core.clock import iso_utc, utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.db.models import Game, RunState, SummaryFailure, SummaryRow, TaskRun
from sportsapp.queue.huey import huey
from sportsapp.runs.turns import is_worker_wanted
from sportsapp.services import services_of
from sportsapp.sync import games
from sportsapp.sync.context import SyncContext
from sportsapp.sync.games import sync_finals
from sportsapp.tasks import sync_final_games
from tests.integration.events import event
from tests.integration.test_sync_game import said
from tests.panel import add_run

NBA, NFL = BY_SLUG["nba"], BY_SLUG["nfl"]
LEAGUES = [NFL, NBA]


@pytest.fixture
def context(app) -> SyncContext:
    services = services_of(app)
    watch = services.feed_watch
    return SyncContext(
        services.feed_client, db.session, utc_now(), "run-1", watch, True, clock=utc_now
    )


@pytest.fixture
def finals(synced, feed):
    """Stores finals of a league that began so many hours ago, of which the feed has summaries."""

    def put(count: int = 1, hours: float = 3, league: str = "nba", first: int = 401) -> None:
        start = iso_utc(utc_now() - timedelta(hours=hours))
        synced(league, *(event(str(first + number), start) for number in range(count)))
        summary = said()

        def answer(request: Request) -> Response:
            summary["header"]["id"] = request.args["event"]
            return Response(json.dumps(summary), mimetype="application/json")

        feed.say(league, answer, kind="summary")

    return put


def later(context: SyncContext, **span: float) -> SyncContext:
    now = context.now + timedelta(**span)
    return replace(context, now=now, clock=lambda: now)


def stored() -> list[str]:
    db.session.rollback()
    ids = select(Game.espn_id).join(SummaryRow, SummaryRow.game_id == Game.id)
    return sorted(db.session.scalars(ids))


def test_final_is_read_once(context, finals, feed):
    finals()
    assert sync_finals(context, LEAGUES).as_dict() == {"synced": 1, "errors": []}
    assert stored() == ["401"]
    assert sync_finals(later(context, minutes=5), LEAGUES).synced == 0
    assert len(feed.asked("summary")) == 1


def test_game_that_is_no_recent_final_of_a_followed_league_is_not_asked_for(
    context, finals, synced, feed
):
    finals(hours=49)
    now = iso_utc(utc_now())
    synced("nfl", event("501", now, "in"), event("502", now, "pre"), event("503", now, "postponed"))
    finals(league="nhl", first=601)
    assert sync_finals(context, LEAGUES).as_dict() == {"synced": 0, "errors": []}
    assert feed.asked("summary") == []


def test_a_run_reads_a_few_and_the_newest_first(context, finals, feed, monkeypatch):
    monkeypatch.setattr(games, "IN_A_RUN", 2)
    finals(count=3, hours=20)
    finals(league="nfl", first=501)
    assert sync_finals(context, LEAGUES).synced == 2
    assert stored() == ["401", "501"]
    assert sync_finals(context, LEAGUES).synced == 2
    assert stored() == ["401", "402", "403", "501"]


@pytest.mark.long
def test_sixty_that_end_together_are_read_in_two_runs(context, finals):
    finals(60)
    assert sync_finals(context, LEAGUES).errors == []
    sync_finals(later(context, minutes=5), LEAGUES)
    assert len(stored()) == 60


def test_what_was_read_while_the_game_was_live_is_read_again_once(context, finals, feed):
    finals()
    sync_finals(context, LEAGUES)
    db.session.execute(update(Game).values(result_at=context.now + timedelta(minutes=1)))
    db.session.commit()
    after = later(context, minutes=2)
    assert sync_finals(after, LEAGUES).synced == 1  # although the answer is the same
    assert sync_finals(later(context, minutes=7), LEAGUES).synced == 0


def test_summary_of_another_release_is_read_anew(context, finals):
    finals()
    sync_finals(context, LEAGUES)
    db.session.execute(update(SummaryRow).values(version=0, document=b"?"))
    db.session.commit()
    assert sync_finals(context, LEAGUES).synced == 1


def test_final_whose_summary_fails_is_asked_for_ever_more_rarely(context, finals, feed):
    finals()
    feed.fail("nba", 404, kind="summary")
    asked = []
    for minute in range(0, 120, 5):
        errors = sync_finals(later(context, minutes=minute), LEAGUES).errors
        asked += [minute] if errors else []
        assert all("NBA game 401: " in line and "404" in line for line in errors)
    assert asked == [0, 5, 10, 15, 25, 45, 80]
    finals()
    assert sync_finals(later(context, days=1), LEAGUES).synced == 1
    assert db.session.scalar(select(func.count()).select_from(SummaryFailure)) == 0


def test_league_that_does_not_answer_is_left_to_the_next_run(context, finals, feed):
    finals(count=3)
    finals(league="nfl", first=501)
    feed.fail("nba", 403, kind="summary")
    result = sync_finals(context, LEAGUES)
    assert (result.synced, len(result.errors), stored()) == (1, 1, ["501"])


def test_paused_league_is_not_asked(context, finals, feed):
    finals()
    services_watch = context.watch
    services_watch.pause(NBA, context.now + timedelta(minutes=10))
    assert sync_finals(context, LEAGUES).synced == 0
    assert sync_finals(replace(context, scheduled=False), LEAGUES).synced == 1


def test_run_goes_on_with_the_game_that_its_worker_lost(context, finals, feed):
    finals(count=3)
    points = []
    sync_finals(
        replace(context, progress=lambda done, total, resume: points.append((done, total, resume))),
        LEAGUES,
    )
    assert [(done, total) for done, total, _ in points] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    db.session.execute(delete(SummaryRow))
    db.session.commit()
    resumed = sync_finals(replace(context, resume=points[2][2]), LEAGUES)
    assert (resumed.synced, len(stored())) == (3, 1)


def test_task_reads_and_gives_way(immediate, finals):
    finals()
    assert sync_final_games().get(blocking=True, timeout=10) == {"synced": 1, "errors": []}
    task = sync_final_games.s()
    assert (task.priority, task.is_long) == (0, True)


def test_run_that_waits_makes_no_tick_end_early(app):
    add_run("sync_all_live_games", RunState.STARTED, heartbeat_at=utc_now())
    add_run("sync_final_games", RunState.PENDING, due_at=utc_now() - timedelta(minutes=1))
    with db.engine.connect() as connection:
        assert not is_worker_wanted(connection, huey, utc_now())
    add_run("sync_daily_schedule", RunState.PENDING, due_at=utc_now() - timedelta(minutes=1))
    with db.engine.connect() as connection:
        assert is_worker_wanted(connection, huey, utc_now())


def test_slots_are_apart_from_those_of_the_hourly_schedule():
    slots = huey.periodic_tasks["sync_final_games"].schedule
    hour = utc_now().replace(minute=0, second=0, microsecond=0)
    assert slots.next_slot(hour) == hour + timedelta(minutes=2)
    assert slots.next_slot(hour + timedelta(minutes=2)) == hour + timedelta(minutes=7)


def test_command_reads_the_finals(runner, finals):
    finals()
    done = runner.invoke(args=["sync", "finals"])
    assert (done.exit_code, done.stdout) == (0, "1 synced\n")
    assert db.session.scalars(select(TaskRun.task)).one() == "sync_final_games"

"""Long syncs go on with the step that they lost: the same result, and one step at most repeated."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from sqlalchemy import delete, update

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import AllLeaguesFailedError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db, writing
from sportsapp.db.models import Game, RunState
from sportsapp.db.types import Base
from sportsapp.queue.huey import huey
from sportsapp.runs import recovery
from sportsapp.runs.rows import RESULT_LIMIT, stored_result
from sportsapp.services import services_of
from sportsapp.sync import catalogue
from sportsapp.sync.auditor import audit_leagues
from sportsapp.sync.backfill import sync_range
from sportsapp.sync.catalogue import sync_leagues, sync_teams
from sportsapp.sync.catch_up import sync_schedule_and_catch_up
from sportsapp.sync.context import SyncContext, SyncResult
from sportsapp.sync.steps import Steps
from sportsapp.tasks import sync_all_teams
from tests.answers import make_team, make_team_list
from tests.integration.events import board, event
from tests.panel import change, row

NOW = datetime(2026, 3, 10, 18, tzinfo=UTC)
LEAGUES = [BY_SLUG[slug] for slug in ("nfl", "nba", "mlb", "nhl", "wnba", "epl")]
HALF_A_YEAR = date(2025, 10, 1), date(2026, 3, 10)
TEAMS = 9
SEASON = {
    "name": "A League",
    "season": {"year": 2026, "type": {"type": 2, "name": "Regular"}},
    "calendarStartDate": "2025-12-20T08:00Z",
    "calendar": [],
}


class Killed(BaseException):
    """Stands for kill -9: nothing on the way may handle it."""


@pytest.fixture
def sync(app, feed) -> SyncContext:
    """A sync of six leagues, one of which cannot be read."""
    for league in LEAGUES:
        slug = league.slug
        feed.say(slug, {"events": [], "leagues": [SEASON]})
        feed.say(slug, {"children": []}, kind="standings")
        feed.say(slug, make_team_list(*(make_team(str(n)) for n in range(TEAMS))), kind="teams")
        feed.say(slug, {"athletes": []}, kind="roster")
        game = event(f"{slug}-2", "2026-02-05T23:00Z") | {"season": {"year": 2026, "type": 2}}
        month = board(game)
        feed.say(slug, month | {"leagues": [SEASON]}, dates="202602")
        feed.say(slug, month | {"leagues": [SEASON]}, dates="20260205")
    for kind in ("scoreboard", "teams"):
        feed.fail("mlb", 404, kind=kind)
    return SyncContext(services_of(app).feed_client, db.session, NOW)


def nothing(_sync: SyncContext) -> None:
    """A database without a row."""


def seasons(sync: SyncContext) -> None:
    """The leagues, whose days so far were all missed."""
    sync_leagues(sync, LEAGUES)


def games(sync: SyncContext) -> None:
    """The leagues, and a game of each that can be read."""
    seasons(sync)
    for league in LEAGUES:
        if league.slug != "mlb":
            sync_range(sync, league, date(2026, 2, 1), date(2026, 2, 28))


def wrong_games(sync: SyncContext) -> None:
    """The same, and two of the games have a score that the feed does not have."""
    games(sync)
    with writing(db.session) as session:
        wrong = Game.espn_id.in_(("nba-2", "nhl-2"))
        session.execute(update(Game).where(wrong).values(home_score=99))


@dataclass(frozen=True)
class Case:
    """A sync, on which database, in how many steps."""

    before: Callable[[SyncContext], None]
    call: Callable[[SyncContext], Any]
    steps: int


CASES = {
    # seasons, standings and weeks to come, each of four leagues and of two
    "leagues": Case(nothing, lambda sync: sync_leagues(sync, LEAGUES), 6),
    # lists, then rosters
    "teams": Case(nothing, lambda sync: sync_teams(sync, LEAGUES), 6 + 5 * 3),
    # the days around today of four leagues and of two, then the missed months of five leagues:
    # from December on, and from January where the season turns then
    "schedule": Case(
        seasons, lambda sync: sync_schedule_and_catch_up(sync, LEAGUES), 2 + 4 * 4 + 3
    ),
    "audit": Case(games, lambda sync: audit_leagues(sync, LEAGUES), 6),
    # of two leagues a day is read again, and then the season is looked at again
    "breaches": Case(wrong_games, lambda sync: audit_leagues(sync, LEAGUES), 6 + 2 * 2),
    "range": Case(nothing, lambda sync: sync_range(sync, LEAGUES[0], *HALF_A_YEAR), 6),
}


def begin(case: Case, sync: SyncContext, feed: Any) -> None:
    """Empty the database, and fill it as the case has it."""
    with writing(db.session) as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(delete(table))
    case.before(sync)
    feed.requests.clear()


@pytest.mark.long
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_sync_that_is_killed_in_any_step_repeats_that_step_alone(sync, feed, case):
    points: list[Any] = []
    sent: list[list[str]] = []

    def note(*step: Any) -> None:
        points.append(json.loads(json.dumps(stored_result(step))))
        sent.append([request.full_path for request in feed.requests])
        feed.requests.clear()

    begin(case, sync, feed)
    whole = case.call(replace(sync, progress=note)).as_dict()
    assert [done for done, _, _ in points] == list(range(case.steps + 1))
    assert points[-1][0] == points[-1][1]
    assert all(sent[1:]) or case.before in (games, wrong_games)  # nothing is stored of one league
    assert whole.get("audited", 5) == 5
    if case.before is wrong_games:
        assert {breach["mended"] for breach in whole["breaches"]} == {True}
    for killed in range(1, case.steps + 1, -(-case.steps // 8)):
        calls = iter(range(killed))

        def kill(*_: object, calls: Any = calls) -> None:
            if next(calls, None) is None:
                raise Killed

        begin(case, sync, feed)
        with pytest.raises(Killed):
            case.call(replace(sync, progress=kill))
        resume = points[killed - 1][2]
        again = case.call(replace(sync, resume=resume)).as_dict()
        assert stored_result(again) == stored_result(whole)
        made = Counter(request.full_path for request in feed.requests)
        assert made - Counter(chain.from_iterable(sent)) == Counter(sent[killed])


def test_run_that_loses_a_worker_in_each_step_ends_well(sync, offline, feed, monkeypatch):
    """As each step is progress, it is never taken for the cause of its workers' death."""
    run_id = sync_all_teams().id
    original = catalogue._sync_rosters

    def die(*arguments: Any) -> list[str]:
        original(*arguments)
        raise Killed

    monkeypatch.setattr(recovery, "WATCHED_FOR", timedelta(0))
    with monkeypatch.context() as killing:
        killing.setattr(catalogue, "_sync_rosters", die)
        for lost in range(1, 6):
            with pytest.raises(Killed):
                huey.dequeue().execute()
            change(run_id, heartbeat_at=utc_now() - timedelta(minutes=2), host="elsewhere")
            huey.tracker.recover(huey)
            run = row(run_id)
            assert (run.state, run.recoveries) == (RunState.PENDING, lost)
            change(run_id, resume=run.resume | {"todo": run.resume["todo"][1:], "done": 4 + lost})
    huey.execute(huey.dequeue())
    assert row(run_id).state == RunState.SUCCESS


# ---------------------------------------------------------------- the point


def test_point_of_another_release_begins_anew(sync):
    older = {"done": ["nfl"], "failed": [], "rosters": [["1", "T1"]], "result": {"synced": 7}}
    assert sync_teams(replace(sync, resume=older), LEAGUES).synced == 5 * TEAMS
    count = {"done": 3, "of": 4, "result": {"synced": 9, "errors": []}}
    assert sync_range(replace(sync, resume=count), LEAGUES[0], *HALF_A_YEAR).synced == 1


def test_league_that_is_not_followed_any_more_is_left_out(sync, feed):
    points: list[Any] = []
    sync_teams(replace(sync, progress=lambda *step: points.append(step[2])), LEAGUES)
    feed.requests.clear()
    sync_teams(replace(sync, resume=points[3]), LEAGUES[:1])
    assert {request.path.split("/")[-3] for request in feed.requests} <= {"nfl", "teams"}


def test_failures_of_an_earlier_attempt_count(sync, feed):
    """The last league's failure was recorded before its worker died."""
    for league in LEAGUES:
        feed.fail(league.slug, 500, kind="teams")
    points: list[Any] = []
    for kept in (sync, None):
        context = replace(
            sync,
            resume=None if kept else points[len(LEAGUES)][2],
            progress=lambda *step: points.append(step),
        )
        with pytest.raises(AllLeaguesFailedError, match="NFL: the feed answered 500") as failed:
            sync_teams(context, LEAGUES)
        assert failed.value.retryable
        assert points[-1][2] is None  # a retry begins anew


def test_point_that_is_too_long_for_its_row_keeps_its_steps(sync):
    steps = Steps(sync, [["rosters", "nfl", str(n)] for n in range(2_000)], SyncResult())
    steps.result.errors = ["no answer" * 20] * 1_000
    stored: list[Any] = []
    steps.context = replace(sync, progress=lambda *step: stored.append(stored_result(step[2])))
    next(iter(steps))
    assert len(json.dumps(stored[0])) < 1.1 * RESULT_LIMIT
    again = Steps(replace(sync, resume=stored[0]), [], SyncResult())
    assert again.todo == [["rosters", "nfl", str(n)] for n in range(2_000)]
    assert again.result.errors[-1].endswith("more")

"""However long the history is, a page reads no more of it than it shows: SQLite's own plans."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from sportsapp.core.leagues import DEFAULT_LEAGUES
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game, Team, Trigger
from sportsapp.runs import reports
from sportsapp.services import services_of
from sportsapp.sync import store
from sportsapp.sync.context import SyncContext
from sportsapp.tasks import actions
from tests.panel import add_failure

pytestmark = pytest.mark.only_sqlite("its own plans are read")

DAY = date(2026, 1, 15)
SINCE = datetime(2026, 1, 15, tzinfo=UTC)
PAIR = Game(home_team_id=1, away_team_id=2, season_year=2025, season_type=2, start_at=SINCE)


def plans_of(ask: Callable[[], object]) -> list[str]:
    """How SQLite means to read what each statement of a function asks for, a line a step."""
    said: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            said.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    ask()
    event.remove(db.engine, "before_cursor_execute", note)
    plans = []
    for statement, parameters in said:
        explain = f"EXPLAIN QUERY PLAN {statement}"
        steps = db.session.connection().exec_driver_sql(explain, parameters)
        plans.append("\n".join(step.detail for step in steps))
    return plans


def plan_of(name: str, *arguments: Any) -> str:
    """How SQLite means to read the last thing that this query asks for."""
    return plans_of(lambda: getattr(queries, name)(db.session, *arguments))[-1]


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (("games_on", DAY, ["nba"]), "(league_id=? AND day=?)"),
        (("games_on", DAY, ["nba", "nfl"]), "day=?)"),
        (("live_games", ["nba", "nfl"]), "(league_id=? AND state=?)"),
        (("game_list", ["nba"], None, None, 9), "COVERING INDEX ix_games_league_id_start_at "),
        (("game_list", ["nba", "nfl"], None, None, 9), "INDEX ix_games_league_id_start_at "),
        (("game_list", ["nba"], None, "pre", 9), "COVERING INDEX ix_games_league_id_state_"),
        (("game_list", ["nba"], DAY, "post", 9), "day=?)"),
        (("games_in_week", "nfl", 2025, 2, 1), "season_year=? AND season_type=? AND week=?)"),
        (("weeks_of", "nfl", 2025), "(league_id=? AND season_year=?"),
        (("day_before", "nba", DAY), "(league_id=? AND day<?)"),
        (("next_days", ["nba", "nfl"], DAY), "(league_id=? AND day>?)"),
        (("games_around", ["nba", "nfl"], DAY), "(league_id=? AND day<?)"),
        (("games_around", ["nba", "nfl"], DAY), "(league_id=? AND day>?)"),
        (("games_of_team", Team(id=1), 2025), "(home_team_id=? AND season_year=?)"),
        (("games_of_team", Team(id=1), 2025), "(away_team_id=? AND season_year=?)"),
        (("games_before", PAIR, 5), "(home_team_id=? AND season_year=?)"),
        (("games_before", PAIR, 5), "(away_team_id=? AND season_year=?)"),
        (("games_before", PAIR, 5), "_team_id=? AND season_year>? AND season_year<?)"),
        (("meetings_of_season", PAIR), "_team_id=? AND season_year=?)"),
        (("latest_finals", "nba", 9), "(league_id=? AND state=?)\n"),
        (("find_player", "nba", "7"), "SEARCH player_lines USING INDEX ix_player_lines_espn_id ("),
        (("seasons_of_player", "nba", "7"), "SEARCH player_lines USING INDEX ix_player_lines_"),
        (("lines_of_player", "nba", "7", 2025), "SEARCH player_lines USING INDEX ix_player_"),
        (("box_scores_of_team", Team(id=1), 2025), "SEARCH player_lines USING COVERING INDEX "),
        (("box_scores_of_team", Team(id=1), 2025), "(away_team_id=? AND season_year=?)"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_games_are_found_by_an_index(asked, wanted):
    plan = plan_of(*asked)
    assert wanted in plan
    assert "SCAN games" not in plan


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (("event_list", ["nba", "nfl"], None, 5, 9), "ix_score_events_league_id (league_id=? AND"),
        (("event_list", ["nba"], Team(id=1), None, 9), "ix_score_events_league_id (league_id=?"),
        (("events_of", 7, 9), "ix_score_events_game_id (game_id=?)"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_score_events_are_read_in_the_order_of_an_index(asked, wanted):
    plan = plan_of(*asked)
    assert wanted in plan
    assert "SCAN score_events" not in plan
    assert "USE TEMP B-TREE" not in plan


@pytest.mark.usefixtures("app")
def test_map_of_a_season_reads_its_days_alone():
    span = queries.Span("nba", DAY, DAY)
    plan = plan_of("stored_days", [span], SINCE, timedelta(minutes=5))
    wanted = (
        "SEARCH scoreboards USING INDEX sqlite_autoindex_scoreboards_1 (league_id=? AND day>? AND",
        "SEARCH failed_days USING INDEX sqlite_autoindex_failed_days_1 (league_id=? AND day>? AND",
        "SEARCH games USING INDEX ix_games_league_id_day (league_id=? AND day=?)",
    )
    assert [step for step in wanted if step not in plan] == []
    assert "SCAN games" not in plan
    assert "SCAN scoreboards" not in plan


@pytest.mark.usefixtures("app")
def test_gaps_of_the_running_seasons_read_no_games():
    plan = plan_of("season_gaps", DEFAULT_LEAGUES, SINCE)
    assert plan.count("SEARCH scoreboards USING INDEX sqlite_autoindex_scoreboards_1") >= 4
    assert "games" not in plan
    assert "SCAN scoreboards" not in plan
    assert "SCAN failed_days" not in plan


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("state", [None, "post"])
def test_a_leagues_first_games_are_read_in_their_order(state):
    before_merging, _, _ = plan_of("game_list", ["nba", "nfl"], None, state, 9).partition(
        "UNION ALL"
    )
    assert "USE TEMP B-TREE" not in before_merging


def test_a_tick_looks_for_doubts_without_reading_all_games(app):
    context = SyncContext(services_of(app).feed_client, db.session, SINCE)
    unchanged = {
        (store.LeagueRef(1, "NBA", SINCE, None), DAY): store.KnownAnswer("a", ["1"], SINCE)
    }
    (plan,) = plans_of(lambda: store.confirm_answers(context, unchanged))
    assert "SCAN game_doubts" in plan
    assert "SCAN games" not in plan


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("ask", "wanted"),
    [
        (
            lambda: reports.failure_groups(db.session, 9),
            "COVERING INDEX ix_task_runs_fingerprint_finished_at (fingerprint>?)",
        ),
        (
            lambda: actions.run_group_again("one", Trigger.COMMAND, ""),
            "SEARCH task_runs USING INDEX ix_task_runs_fingerprint_finished_at (fingerprint=?)",
        ),
        (
            lambda: reports.failures_since(db.session, SINCE, 9),
            "SEARCH task_runs USING COVERING INDEX ix_task_runs_state_finished_at "
            "(state=? AND finished_at>?)",
        ),
        (
            lambda: reports.hours(db.session, SINCE),
            "SEARCH task_runs USING COVERING INDEX ix_task_runs_finished_at "
            "(finished_at>? AND finished_at<?)",
        ),
    ],
    ids=["groups", "again", "since", "hours"],
)
def test_ended_runs_are_found_by_the_indexes_that_hold_only_them(ask, wanted):
    assert wanted in plans_of(ask)[0]


@pytest.mark.usefixtures("app")
def test_the_newest_failure_of_a_group_is_found_by_the_index_of_ended_runs():
    add_failure()
    _, newest, *_ = plans_of(lambda: reports.failure_groups(db.session, 9))
    wanted = "SEARCH task_runs USING INDEX ix_task_runs_fingerprint_finished_at (fingerprint=?)"
    assert wanted in newest

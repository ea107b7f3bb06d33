"""One game with its summary: what ``sync_game`` stores, as service, command and task."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from demo.events import FeedView
from demo.script import tempo, timeline
from demo.seasons import season_of
from demo.summaries import summary_json
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import FeedRefusedError, PayloadError, UnknownGameError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.summary import SummaryRecord
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game, LeagueRow, PlayerLine, RunState, SummaryRow, TaskRun
from sportsapp.queue.huey import huey
from sportsapp.runs import turns
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.games import sync_game as sync_one
from sportsapp.tasks import sync_game
from tests.conftest import RECORDED
from tests.integration.events import event
from tests.panel import add_run
from tests.stored import statements, writes

NBA = BY_SLUG["nba"]
STORED_BYTES = 30_000


def said(played: float = 1.0, espn_id: str = "401") -> dict[str, Any]:
    """A summary of the demo feed, of a game of which so much was played."""
    game = season_of("nba", 2026).games[100]
    seconds = sum(stretch.seconds for stretch in timeline(game)) * tempo(game)
    summary = summary_json(game, FeedView(game.start + timedelta(seconds=seconds * played + 1)))
    summary["header"]["id"] = espn_id
    return summary


@pytest.fixture
def context(app) -> SyncContext:
    return SyncContext(services_of(app).feed_client, db.session, utc_now(), "run-1")


@pytest.fixture
def final(synced, feed) -> None:
    """A final of the NBA, of which the feed has the summary."""
    synced("nba", event())
    feed.say("nba", said(), kind="summary")


def stored() -> SummaryRecord | None:
    db.session.rollback()
    game_id = db.session.scalar(select(Game.id).where(Game.espn_id == "401"))
    return queries.summary_of_game(db.session, game_id)


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


# ---------------------------------------------------------------- what is stored


def test_summary_is_stored_beside_the_game(context, final):
    assert sync_one(context, NBA, "401").as_dict() == {"synced": 1, "errors": []}
    summary = stored()
    assert (summary.espn_id, summary.is_completed) == ("401", True)
    assert [box.side for box in summary.box] == ["away", "home"]
    assert summary.scoring[-1].home_score == summary.home.score
    row = db.session.scalars(select(SummaryRow)).one()
    assert (row.read_at, row.read_by_run) == (context.now, "run-1")
    lines = [line for box in summary.box for table in box.tables for line in table.players]
    own = {(line.espn_id, line.name, line.note, line.stats) for line in lines}
    columns = PlayerLine.espn_id, PlayerLine.name, PlayerLine.note, PlayerLine.stats
    rows = db.session.execute(select(*columns)).all()
    assert len(rows) == len(own) == len(lines) > 20
    assert {(*row[:3], tuple(row[3])) for row in rows} == own


def test_same_answer_writes_nothing_and_another_one_replaces(context, final, feed):
    feed.say("nba", said(0.5), kind="summary")
    db.session.execute(update(Game).values(status="live", state="in"))
    db.session.commit()
    sync_one(context, NBA, "401")
    first = stored()
    with statements() as counted:
        assert sync_one(context, NBA, "401").synced == 1
    assert writes(counted) == 0
    feed.say("nba", said(), kind="summary")
    assert sync_one(context, NBA, "401").synced == 1
    assert stored().is_completed > first.is_completed
    assert count(SummaryRow) == 1


def test_old_copy_is_refused_though_it_is_what_is_stored(context, final, feed):
    feed.say("nba", said(0.5), kind="summary")
    db.session.execute(update(Game).values(status="live", state="in"))
    db.session.commit()
    sync_one(context, NBA, "401")
    db.session.execute(update(Game).values(status="final", state="post"))
    db.session.commit()
    with pytest.raises(PayloadError, match="older than the result"):
        sync_one(context, NBA, "401")


def test_game_of_another_release_is_unknown_until_it_is_read_again(context, final):
    sync_one(context, NBA, "401")
    db.session.execute(update(SummaryRow).values(version=0, document=b"?"))
    db.session.commit()
    assert stored() is None
    sync_one(context, NBA, "401")
    assert stored() is not None


def test_game_that_has_not_begun_is_left_out_with_a_line(context, synced, feed):
    synced("nba", event(state="pre"))
    feed.say("nba", said(-1.0), kind="summary")
    result = sync_one(context, NBA, "401")
    assert (result.synced, result.errors) == (0, [])
    assert result.left_out == ["NBA game 401 has not begun, or was called off"]
    assert count(SummaryRow) == 0


def test_game_that_was_called_off_is_left_out_too(context, synced, feed):
    synced("nba", event(state="postponed"))
    summary = said(-1.0)
    kind = {"name": "STATUS_POSTPONED", "state": "post", "completed": False}
    summary["header"]["competitions"][0]["status"] = {"type": kind}
    feed.say("nba", summary, kind="summary")
    assert sync_one(context, NBA, "401").left_out == [
        "NBA game 401 has not begun, or was called off"
    ]
    assert count(SummaryRow) == 0


def test_what_a_person_requests_is_stored_again(context, final):
    sync_one(context, NBA, "401")
    later = replace(context, now=context.now + timedelta(seconds=5), thorough=True)
    sync_one(later, NBA, "401")
    db.session.rollback()
    assert db.session.scalars(select(SummaryRow.read_at)).one() == later.now


def test_broken_part_is_a_line_and_the_rest_is_stored(context, final, feed):
    feed.say("nba", said() | {"injuries": "none"}, kind="summary")
    result = sync_one(context, NBA, "401")
    (line,) = result.errors
    assert line.startswith("NBA game 401: injuries: ")
    assert stored().groups


@pytest.mark.parametrize("espn_id", ["402", "", "4\x00", 401, None])
def test_unknown_game_is_not_asked_for(context, final, feed, espn_id):
    with pytest.raises(UnknownGameError, match="sync its day first"):
        sync_one(context, NBA, espn_id)
    assert feed.asked("summary") == []


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (lambda: said(espn_id="402"), "of another game: '402'"),
        (lambda: said(0.5), "older than the result"),
        (lambda: {"header": {"id": "401"}, "boxscore": {}}, "has no state"),
        (lambda: {"code": 400}, "not a summary"),
    ],
)
def test_summary_that_cannot_be_right_replaces_nothing(context, final, feed, answer, fault):
    sync_one(context, NBA, "401")
    before = stored()
    feed.say("nba", answer(), kind="summary")
    with pytest.raises(PayloadError, match=fault):
        sync_one(context, NBA, "401")
    assert stored() == before


def test_later_reading_is_not_replaced_by_an_earlier_one(context, final, feed):
    sync_one(context, NBA, "401")
    later = stored()
    feed.say("nba", said() | {"injuries": []}, kind="summary")
    sync_one(replace(context, now=context.now - timedelta(seconds=5)), NBA, "401")
    assert stored() == later


def test_every_recorded_summary_takes_little_room(context, synced, feed, recorded):
    paths = sorted(Path(RECORDED).glob("*/summary-final-*.json"))
    assert len(paths) >= 4
    for path in paths:
        slug, espn_id = path.parent.name, path.stem.rpartition("-")[2]
        synced(slug, event(espn_id))
        feed.say(slug, path.read_bytes(), kind="summary")
        assert sync_one(context, BY_SLUG[slug], espn_id).synced == 1
    sizes = db.session.scalars(select(func.length(SummaryRow.document))).all()
    assert len(sizes) == len(paths)
    assert max(sizes) < STORED_BYTES


def version() -> datetime:
    db.session.rollback()
    return db.session.scalars(select(LeagueRow.changed_at).where(LeagueRow.slug == "nba")).one()


def test_summary_that_says_something_new_makes_the_league_s_pages_new(context, final, feed):
    before = version()
    context = replace(context, now=utc_now())  # since the game's result
    sync_one(context, NBA, "401")
    first = version()
    assert first > before
    feed.say("nba", said() | {"news": {}}, kind="summary")  # other bytes, nothing that is kept
    sync_one(replace(context, now=context.now + timedelta(seconds=5)), NBA, "401")
    assert version() == first
    feed.say("nba", said() | {"injuries": []}, kind="summary")
    sync_one(replace(context, now=context.now + timedelta(seconds=6)), NBA, "401")
    assert version() > first


def test_lines_that_are_missing_are_made_when_a_person_requests_the_game(context, final):
    context = replace(context, now=utc_now())
    sync_one(context, NBA, "401")
    lines, first = count(PlayerLine), version()
    db.session.execute(delete(PlayerLine))
    db.session.commit()
    later = context.now + timedelta(seconds=5)
    sync_one(replace(context, now=later, thorough=True), NBA, "401")
    assert count(PlayerLine) == lines > 0
    assert version() > first


def test_same_summary_read_after_the_result_makes_the_league_s_pages_new(context, final):
    sync_one(context, NBA, "401")
    first = version()
    db.session.execute(update(Game).values(result_at=context.now + timedelta(seconds=3)))
    db.session.commit()
    sync_one(replace(context, now=context.now + timedelta(seconds=5)), NBA, "401")
    assert version() > first


# ---------------------------------------------------------------- the command


@pytest.fixture
def command(runner):
    """Run ``flask sync game ...``."""
    return lambda *words: runner.invoke(args=["sync", "game", *words])


def test_command_stores_a_game_and_is_in_the_ledger(command, final):
    done = command("nba", "401")
    assert (done.exit_code, done.stdout) == (0, "1 synced\n")
    run = db.session.scalars(select(TaskRun)).one()
    assert (run.task, run.state) == ("sync_game", RunState.SUCCESS)
    assert run.args == {"league": "NBA", "espn_id": "401"}


def test_command_has_a_line_for_a_game_that_has_not_begun(command, synced, feed):
    synced("nba", event(state="pre"))
    feed.say("nba", said(-1.0), kind="summary")
    done = command("NBA", "401")
    assert (done.exit_code, done.stdout) == (0, "0 synced\n")
    assert done.stderr == "NBA game 401 has not begun, or was called off\n"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["NBA", "402"], "no NBA game '402' is stored"),
        (["NBA", "402", "--queue"], "no NBA game '402' is stored"),
        (["XFL", "401"], "known are NFL, NBA, MLB, NHL"),
    ],
)
def test_unknown_game_is_misuse_and_touches_nothing(command, final, feed, words, line):
    done = command(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
    assert (feed.asked("summary"), count(TaskRun)) == ([], 0)


def test_failure_is_status_one(command, final, feed):
    feed.fail("nba", 404, kind="summary")
    done = command("NBA", "401", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["synced"] == 0
    assert "404" in done.stderr


def test_command_can_queue(command, final, feed, monkeypatch):
    monkeypatch.setattr(huey, "storage", huey.get_immediate_storage())
    done = command("NBA", "401", "--queue")
    (waiting,) = huey.pending()
    assert (done.stdout.strip(), waiting.name) == (waiting.id, "sync_game")
    assert waiting.kwargs == {"league": "NBA", "espn_id": "401"}
    assert feed.asked("summary") == []


# ---------------------------------------------------------------- the task


def test_task_returns_what_it_promises(immediate, final):
    result = sync_game("NBA", "401").get(blocking=True, timeout=10)
    assert result == {"synced": 1, "errors": []}


def test_task_has_a_low_priority_and_its_limits():
    task = sync_game.s("NBA", "401")
    assert (task.priority, task.retries, task.retry_delay, task.timeout) == (5, 2, 30, 60)
    assert task.at_once == 1


@pytest.mark.parametrize("args", [("XFL", "401"), ("NBA", "402"), ("NBA", 401), (7, "401")])
def test_bad_arguments_fail_at_once(offline, final, args):
    run_id = sync_game(*args).id
    huey.execute(huey.dequeue())
    db.session.rollback()
    assert db.session.get(TaskRun, run_id).state == RunState.FAILURE


def test_feed_that_is_away_is_asked_again_after_half_a_minute(offline, final, feed, monkeypatch):
    feed.fail("nba", 503, kind="summary")
    run_id = sync_game("NBA", "401").id
    huey.execute(huey.dequeue())
    db.session.rollback()
    run = db.session.get(TaskRun, run_id)
    assert (run.state, run.retries_left) == (RunState.RETRY, 1)
    assert run.due_at - run.heartbeat_at > timedelta(seconds=29)


@pytest.mark.parametrize(("others", "state"), [(0, RunState.SUCCESS), (1, RunState.PENDING)])
def test_second_run_waits_for_its_turn(offline, final, feed, others, state):
    for _ in range(others):
        add_run("sync_game", RunState.STARTED, heartbeat_at=utc_now())
    run_id = sync_game("NBA", "401").id
    asked_at = utc_now()
    huey.execute(huey.dequeue())
    db.session.rollback()
    run = db.session.get(TaskRun, run_id)
    assert run.state == state
    assert len(huey.pending()) == others
    if state == RunState.PENDING:
        assert asked_at + turns.TRY_AGAIN <= run.due_at <= utc_now() + turns.TRY_AGAIN


def test_refusal_is_not_tried_again_and_pauses_nothing(context, final, feed, app):
    feed.fail("nba", 404, kind="summary")
    watched = replace(context, watch=services_of(app).feed_watch)
    with pytest.raises(FeedRefusedError):
        sync_one(watched, NBA, "401")
    assert services_of(app).feed_watch.paused([NBA], utc_now(), live=False) == {}

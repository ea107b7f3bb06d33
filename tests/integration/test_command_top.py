"""``flask tasks top``: a live screen on a terminal, plain text elsewhere."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from sportsapp.core.clock import utc_now
from sportsapp.db.models import RunState
from tests.integration.test_terminal import HIDDEN, SHOWN, interrupted
from tests.panel import add_league, add_run


@pytest.fixture
def begun(app, offline) -> str:
    """The id of a run that has done one of three chunks."""
    return add_run("sync_all_teams", RunState.STARTED, progress_done=1, progress_total=3)


def test_once_is_plain_text_of_problems_queues_runs_and_leagues(runner, begun):
    add_league("nba", polled_at=utc_now() - timedelta(minutes=4))
    failed = add_run("sync_all_leagues", RunState.FAILURE, error="it broke\nhere")
    done = runner.invoke(args=["tasks", "top", "--once"])
    lines = done.output.splitlines()

    assert (done.exit_code, "\x1b" in done.output) == (0, False)
    assert lines[0].endswith(" UTC")
    assert any(line.startswith("WRONG   consumers: ") for line in lines)
    assert "sportsapp: 0 waiting, 0 workers" in lines
    assert any(line.startswith(f"STARTED  {begun[:8]}  sync_all_teams 1/3  for") for line in lines)
    assert any(line.startswith(f"FAILURE  {failed[:8]}  sync_all_leagues") for line in lines)
    assert any(line.startswith("NBA     read 4 min ago") for line in lines)
    assert not any("here" in line for line in lines)


def test_as_json_it_has_the_same(runner, begun):
    document = json.loads(runner.invoke(args=["tasks", "top", "--json"]).stdout)
    assert list(document) == ["problems", "active", "newest", "leagues"]
    assert [run["id"] for run in document["active"]] == [begun]


def test_screen_is_drawn_from_its_corner_and_the_cursor_comes_back(settings, begun):
    written = interrupted(settings, "tasks top", b"\x1b[J", status=0)
    assert written.startswith(HIDDEN + b"\x1b[H")
    assert begun[:8].encode() in written
    assert written.rstrip().endswith(SHOWN)


@pytest.mark.slow
def test_dumb_terminal_gets_it_once(settings, begun):
    written = interrupted(settings, "tasks top", b"\0", status=0, TERM="dumb")
    assert b"\x1b" not in written
    assert written.count(begun[:8].encode()) == 1

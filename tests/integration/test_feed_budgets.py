"""Small answers of the feed that would take all memory: each costs its own league a line."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import undefer
from werkzeug.wrappers import Response

from sportsapp.core.errors import ArgumentsError
from sportsapp.db.engine import db
from sportsapp.db.models import TaskRun
from sportsapp.queue.huey import backfill_huey
from sportsapp.runs.local import record_local_run
from sportsapp.runs.progress import report_progress
from sportsapp.sync.context import SyncResult
from sportsapp.sync.table import LIVE
from sportsapp.tasks import sync_all_live_games
from tests.integration.events import board, event
from tests.loopback import LoopbackFeed

pytestmark = pytest.mark.slow

PEAK_MB = 300
SECONDS = 20
ROW_BYTES = 250_000

# A child that may use three gigabytes runs a flask command and prints how much memory it took.
MEASURED = """
import json, re, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
from app import app
with app.app_context():
    done = app.test_cli_runner().invoke(args=sys.argv[1:])
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
print(json.dumps({"output": done.stdout, "code": done.exit_code, "peak": int(peak) // 1024}))
"""

A_BROKEN_EVENT = '{"id":"7","date":5,"competitions":[{"competitors":[%s]}]}'


@dataclass
class Measured:
    """A flask command in a process of its own."""

    output: str
    code: int
    peak: int
    seconds: float


@pytest.fixture
def flask(settings):
    """Run a flask command in a process of its own, and measure it."""

    def run(*words: str) -> Measured:
        environ = {
            "DATABASE_URL": settings.database_url,
            "ESPN_BASE_URL": settings.espn_base_url,
            "INSTANCE_PATH": str(settings.instance_path),
            "LEAGUES": "NFL,NBA",
            "REDIS_URL": settings.redis_url,
        }
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, *words],
            env=os.environ | environ,
            check=True,
            capture_output=True,
            text=True,
        )
        return Measured(**json.loads(done.stdout), seconds=time.monotonic() - began)

    return run


def packed(body: str, times: int = 1) -> Response:
    """The body as gzip, compressed so often."""
    data = body.encode()
    for _ in range(times):
        data = gzip.compress(data)
    encoding = ", ".join(["gzip"] * times)
    return Response(data, headers={"Content-Encoding": encoding}, mimetype="application/json")


def rows(row: str, count: int) -> str:
    return f"[{f'{row},' * count}{row}]"


BOMBS = {
    "13 million events": (
        lambda: packed(f'{{"events":{rows("{}", 13_000_000)}}}'),
        "the answer is larger than 10,000,000 bytes",
    ),
    "packed twice": (
        lambda: packed(f'{{"events":{rows("{}", 13_000_000)}}}', times=2),
        "the answer is larger than 10,000,000 bytes",
    ),
    "3 million events": (
        lambda: packed(f'{{"events":{rows("{}", 3_000_000)}}}'),
        "this scoreboard has more than 1,500,000 values",
    ),
    "3 million seasons": (
        lambda: packed(f'{{"events":[],"leagues":{rows("{}", 3_000_000)}}}'),
        "this scoreboard has more than 1,500,000 values",
    ),
    "1 million events": (
        lambda: packed(f'{{"events":{rows("{}", 1_000_000)}}}'),
        "it has 1,000,001 events; the most that are read is 1,000",
    ),
    "a million lists in an event": (
        lambda: packed(f'{{"events":[{A_BROKEN_EVENT % rows("[]", 1_000_000)}]}}'),
        "event 7: it is larger than 250,000 bytes",
    ),
    "lists in lists": (
        lambda: packed(f'{{"events":{"[" * 4_000_000}{"]" * 4_000_000}}}'),
        "maximum recursion depth exceeded",
    ),
    "half characters": (
        lambda: packed(f'{{"events":["{chr(92)}ud800{"a" * 5}{(chr(92) + "n") * 4_000_000}"]}}'),
        "this scoreboard has more than 1,500,000 values",
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("bomb", BOMBS)
def test_small_answer_that_unpacks_to_a_large_one_costs_its_league_alone(flask, feed, bomb):
    make, line = BOMBS[bomb]
    feed.say("nfl", make())
    feed.say("nba", board(event()))
    done = flask("sync", "--json")
    result = json.loads(done.output)
    assert result["synced"] == 1
    assert [error for error in result["errors"] if error.startswith("NFL") and line in error]
    assert len(done.output) < 2_000
    assert done.peak < PEAK_MB
    assert done.seconds < SECONDS


@pytest.mark.long
@pytest.mark.parametrize("kind", ["teams", "roster", "standings"])
def test_other_answers_have_their_limits_too(flask, feed, kind):
    teams = [{"team": {"id": "1", "displayName": "Town"}}]
    feed.say("nfl", {"sports": [{"leagues": [{"teams": teams}]}]}, kind="teams")
    row = {"teams": "{}", "roster": '{"items":[{}]}', "standings": '{"children":[]}'}[kind]
    name = {"teams": "sports", "roster": "athletes", "standings": "children"}[kind]
    feed.say("nfl", packed(f'{{"{name}":{rows(row, 3_000_000)}}}'), kind=kind)
    done = flask("sync", "leagues" if kind == "standings" else "teams", "--json")
    errors = "\n".join(json.loads(done.output)["errors"])
    assert "the answer is larger than" in errors
    assert done.peak < PEAK_MB
    assert done.seconds < SECONDS


def test_line_for_each_broken_event_ends_after_fifty(flask, feed: LoopbackFeed):
    broken = [{"id": str(number)} for number in range(1_000)]
    feed.say("nfl", {"events": broken})
    done = flask("sync", "--json")
    errors = [line for line in json.loads(done.output)["errors"] if line.startswith("NFL")]
    assert len(errors) == 51
    assert errors[-1].endswith(": and 950 more")


# ---------------------------------------------------------------- what one row of the ledger holds

LINES = [f"NFL: event {number}: it has no date" for number in range(100_000)]


def row_bytes() -> int:
    """The size of the largest row of the ledger, whatever its columns."""
    db.session.rollback()
    everything = db.session.scalars(select(TaskRun).options(undefer("*")))
    columns = TaskRun.__table__.columns
    return max(sum(len(str(getattr(run, c.key))) for c in columns) for run in everything)


@pytest.mark.parametrize(
    "value",
    [
        {"synced": 5, "errors": LINES},
        "x" * 5_000_000,
        [["y" * 100] * 10_000] * 3,
        {f"key {number}": number for number in range(100_000)},
        {"k" * 5_000_000: 1},
    ],
    ids=["lines", "text", "lists", "object", "name"],
)
def test_result_of_a_run_is_cut_to_what_its_row_may_hold(app, value):
    with app.app_context(), record_local_run("sync_day", {}) as local:
        report_progress(1, 1, {"done": 1, "result": value})
        assert row_bytes() < ROW_BYTES
        local.result = value
    assert row_bytes() < ROW_BYTES


def test_result_of_a_queued_run_is_cut_too(immediate, monkeypatch):
    large = replace(LIVE, run=lambda *_: SyncResult(5, LINES))
    monkeypatch.setattr("sportsapp.tasks.sync.LIVE", large)
    sync_all_live_games()
    assert row_bytes() < ROW_BYTES


def test_result_that_was_cut_keeps_its_shape_and_counts_the_rest(app):
    with app.app_context(), record_local_run("sync_day", {}) as local:
        local.result = {"synced": 5, "errors": LINES}
    result = db.session.scalars(select(TaskRun)).one().result
    kept = len(result["errors"]) - 1
    assert result["synced"] == 5
    assert result["errors"] == [*LINES[:kept], f"and {len(LINES) - kept:,} more"]
    assert kept > 1_000


def test_error_of_a_run_is_cut_to_what_its_row_may_hold(app):
    with (
        app.app_context(),
        pytest.raises(ValueError, match="zzz"),
        record_local_run("sync_day", {}),
    ):
        raise ValueError("z" * 5_000_000)
    assert row_bytes() < ROW_BYTES


def test_run_whose_arguments_its_row_cannot_hold_is_refused(app):
    task = backfill_huey.task_class("sync_date_range_task")
    with (
        app.app_context(),
        pytest.raises(ArgumentsError, match=r"take 5,\d{3},\d{3} characters, at most 10,000 fit"),
    ):
        backfill_huey.enqueue(task(("N" * 5_000_000, "2026-01-01", "2026-01-02")))
    assert db.session.scalar(select(func.count()).select_from(TaskRun)) == 0

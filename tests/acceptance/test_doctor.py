"""``flask doctor`` as a program, against set-ups that are broken for real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from sportsapp.core.clock import utc_now
from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db.engine import db
from sportsapp.db.models import ConsumerProcess, ScheduleRow, TaskRun
from sportsapp.monitoring.checks import CHECKS
from sportsapp.queue.huey import huey
from tests.acceptance import harm
from tests.acceptance.conftest import wait_for
from tests.panel import add_league

pytestmark = pytest.mark.long

FLASK = Path(sys.executable).with_name("flask")


def doctor(settings: Settings, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FLASK, "doctor", *words],
        cwd=PROJECT_ROOT,
        env={**harm.environ_of(settings), **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )


def wrong(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines that say that something is wrong; there is an exit status for it."""
    lines = [line for line in done.stdout.splitlines() if line.startswith("WRONG")]
    assert done.returncode == (1 if lines else 0), done.stderr
    assert all(" -> " in line for line in lines)
    return lines


@pytest.fixture
def running(real_app, start_consumer):
    """Both consumers at work, the first slots claimed."""
    for slug in ("nfl", "nba", "mlb", "nhl"):  # before a first tick would
        add_league(slug)
    db.session.rollback()
    consumers = [start_consumer(), start_consumer("backfill_huey")]

    def is_up() -> bool:
        db.session.rollback()
        beating = db.session.scalars(select(ConsumerProcess.role)).all()
        scheduled = db.session.scalars(select(ScheduleRow.task)).all()
        return len(beating) == 6 and set(scheduled) == set(huey.periodic_tasks)

    wait_for(is_up)
    return consumers


def test_all_is_well(running, real_settings):
    done = doctor(real_settings)
    assert wrong(done) == []
    assert len(done.stdout.splitlines()) == len(CHECKS) + 1  # two queues have consumers
    assert json.loads(doctor(real_settings, "--json").stdout)["ok"] is True


def test_broker_that_is_down(running, real_settings, broker):
    broker.kill()
    (line,) = wrong(doctor(real_settings))
    assert line.split()[1] == "broker"
    assert "flask up" in line


def test_database_that_is_not_migrated(running, real_settings, tmp_path, make_database):
    with make_database(tmp_path, tables=False) as url:
        (tmp_path / "empty.db").touch()
        empty = url or f"sqlite:///{tmp_path / 'empty.db'}"
        found = wrong(doctor(real_settings, DATABASE_URL=empty))
    assert [line.split()[1] for line in found] == ["database"]
    assert "not migrated -> run `flask db upgrade`" in found[0]


def test_consumer_that_is_not_there(running, real_settings):
    running[1].stop()
    line, other = wrong(doctor(real_settings))
    assert "no worker of sportsapp-backfill" in line
    assert "no scheduler of sportsapp-backfill" in other
    running[0].stop()
    assert len(wrong(doctor(real_settings))) == 4


def test_feed_that_refuses_us(running, real_settings, feed):
    for slug in ("nfl", "nba", "mlb", "nhl"):
        feed.fail(slug, 403)
    (line,) = wrong(doctor(real_settings))
    assert line.split()[1] == "feed"
    assert "refuses us for the NFL: 403" in line
    assert "ESPN_CONTACT_URL" in line


def test_scheduler_that_hangs(running, real_settings):
    db.session.rollback()
    found = select(ConsumerProcess.pid).where(
        ConsumerProcess.role == "scheduler", ConsumerProcess.queue == "sportsapp"
    )
    os.kill(db.session.scalars(found).one(), signal.SIGSTOP)
    time.sleep(0.2)  # a claim that was under way is done
    with db.engine.begin() as connection:
        connection.execute(delete(TaskRun))
        overdue = update(ScheduleRow).where(ScheduleRow.task == "sync_all_live_games")
        connection.execute(overdue.values(since_at=utc_now() - timedelta(minutes=10)))
    (line,) = wrong(doctor(real_settings))
    assert line.split()[1] == "scheduler"
    assert "sync_all_live_games is overdue" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIVE_SYNC_SECONDS", "5"),
        ("DATABASE_URL", "nonsense"),
        ("REDIS_URL", "http://x"),
        ("LEAGUES", "NFL,XFL"),
    ],
)
def test_bad_setting_is_named_in_one_line(real_settings, name, value):
    done = doctor(real_settings, **{name: value})
    assert done.returncode != 0
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{name}: ")
    assert "for example" in line

"""Results and old rows go, on a real broker and with a real consumer; the ledger's word stays."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from sportsapp.core.clock import utc_now
from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.db.engine import db
from sportsapp.db.models import RunState, TaskRun
from sportsapp.factory import create_app
from sportsapp.queue.huey import backfill_huey, huey
from sportsapp.services import services_of
from sportsapp.tasks import run_of, sync_all_live_games, sync_date_range_task
from tests.acceptance import harm
from tests.acceptance.conftest import wait_for
from tests.acceptance.test_consumer import slow_months

pytestmark = pytest.mark.long

FLASK = Path(sys.executable).with_name("flask")


@pytest.fixture
def short_lived(real_settings, broker) -> Iterator[Flask]:
    """The app with results that are kept for one second."""
    app = create_app(replace(real_settings, result_ttl_seconds=1))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
        for queue in services_of(app).queues:
            queue.disconnect()
    services_of(app).feed_client.close()


def test_result_expires_on_the_broker_and_stays_in_the_ledger(short_lived):
    result = sync_all_live_games()
    huey.execute(huey.dequeue())
    assert huey.result_count() == 1
    time.sleep(1.2)
    assert huey.result_count() == 0
    assert result.get() is None
    assert run_of(result).result == {"synced": 0, "errors": []}


def test_result_that_was_waited_for_is_kept_as_long_as_the_setting_says(real_app, start_consumer):
    start_consumer()
    result = sync_all_live_games()
    assert result.get(blocking=True, timeout=10, preserve=True)["synced"] == 0
    storage = huey.storage
    key = storage.result_key(result.id) if hasattr(storage, "result_key") else None
    keys = [key] if key else [one for one in storage.conn.scan_iter() if result.id.encode() in one]
    assert [86_000 < storage.conn.ttl(one) <= 86_400 for one in keys] == [True]


def test_consumer_prunes_old_rows_as_it_starts(real_app, start_consumer):
    old, young = (sync_all_live_games().id for _ in range(2))
    huey.storage.flush_queue()
    with db.engine.begin() as connection:
        done = {"state": RunState.SUCCESS, "finished_at": utc_now()}
        connection.execute(update(TaskRun).values(**done))
        ended = update(TaskRun).where(TaskRun.id == old)
        connection.execute(ended.values(finished_at=utc_now() - timedelta(days=31)))
    start_consumer()
    wait_for(lambda: db.session.rollback() or db.session.get(TaskRun, old) is None)
    assert db.session.get(TaskRun, young) is not None


# ---------------------------------------------------------------- flask tasks, as a program


def on_a_terminal(
    real_app: Flask, *words: str, once_drawn: Callable[[], object]
) -> tuple[int, str]:
    """Run a command on a terminal of its own; its exit status and all that was drawn.

    ``once_drawn`` is called when something was.
    """
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [FLASK, "tasks", *words],
        cwd=PROJECT_ROOT,
        env={**harm.environ_of(services_of(real_app).settings), "TERM": "xterm"},
        stdout=slave,
        stderr=slave,
        stdin=slave,
    )
    os.close(slave)
    drawn = b""
    while True:
        try:
            more = os.read(master, 65_536)
        except OSError:  # the program has ended, and the terminal with it
            break
        if not drawn:
            once_drawn()
        drawn += more
    os.close(master)
    return process.wait(10), drawn.decode()


def test_wait_draws_a_bar_on_a_terminal(real_app, start_consumer, feed):
    slow_months(feed, 0.5)
    run_id = sync_date_range_task("NBA", "2025-01-01", "2025-12-31").id
    with db.engine.begin() as connection:  # a bar needs a length: as of a run that was put back
        waits = update(TaskRun).where(TaskRun.id == run_id)
        connection.execute(waits.values(progress_total=12))
    status, drawn = on_a_terminal(
        real_app, "wait", run_id, once_drawn=lambda: start_consumer("backfill_huey")
    )
    assert status == 0
    assert "SUCCESS sync_date_range_task" in drawn
    shares = list(dict.fromkeys(map(int, re.findall(r"(\d+)%", drawn))))
    assert shares == sorted(shares), drawn
    assert (shares[0], shares[-1]) == (0, 100), drawn
    assert len(shares) > 3, drawn


def test_run_that_another_process_made_can_be_asked_for_from_a_bare_shell(real_app):
    run_id = sync_all_live_games().id
    imports = "import huey_config\nfrom sportsapp.tasks import run_of"
    code = f"{imports}\nprint(run_of({run_id!r}))"
    environ = harm.environ_of(services_of(real_app).settings)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environ, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "state='PENDING', ready=False, failed=False" in done.stdout, done.stderr


def test_purge_empties_both_queues(real_app):
    ids = [sync_all_live_games().id, sync_date_range_task("NBA", "2026-01-01", "2026-01-02").id]
    huey.add_schedule(sync_all_live_games.s(delay=60))
    done = real_app.test_cli_runner().invoke(args=["tasks", "purge", "--yes"])
    assert done.output == "2 runs dropped\n"
    assert {run_of(one).state for one in ids} == {"REVOKED"}
    for queue in (huey, backfill_huey):
        assert (queue.pending_count(), queue.scheduled_count()) == (0, 0)

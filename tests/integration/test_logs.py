"""What the log says: whose run and which league a line is about, in both formats."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sportsapp.core.logs import set_up_logging
from sportsapp.core.processes import PROCESS_NAME
from sportsapp.db.engine import db
from sportsapp.monitoring import webhook
from sportsapp.runs.lines import lines_of
from sportsapp.tasks import sync_daily_schedule, sync_date_range_task
from tests.integration.events import board
from tests.integration.test_client import raw_feed


@pytest.fixture
def log(request, settings, tmp_path) -> Iterator[Path]:
    """A file that everything is logged to, in the format that the test asks for."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    path = tmp_path / "scores.log"
    form, _, log_level = request.param.partition(" ")
    set_up_logging(replace(settings, log_file=path, log_format=form, log_level=log_level or "INFO"))
    yield path
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def usual_umask() -> Iterator[None]:
    """The umask of most systems, with which new files are readable for all."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def lines_about(log: Path, words: str) -> list[str]:
    return [line for line in log.read_text().splitlines() if words in line]


@pytest.mark.parametrize("log", ["plain"], indirect=True)
def test_line_names_run_task_and_league(app, immediate, feed, log):
    feed.fail("nba", 500)
    feed.fail("mlb", 500)
    result = sync_daily_schedule()
    for league in ("NBA", "MLB"):
        # three days failed, each was asked for twice
        (again,) = lines_about(log, f"{league}: asked again in ")
        assert "(500)" in again
        assert again.endswith(f"[run={result.id} task=sync_daily_schedule league={league}]")


@pytest.mark.parametrize("log", ["plain"], indirect=True)
def test_line_that_belongs_to_no_run_has_nothing_behind_it(app, log):
    logging.getLogger("sportsapp").warning("it rains")
    (line,) = lines_about(log, "it rains")
    assert line.endswith("WARNING sportsapp: it rains")


@pytest.mark.parametrize("log", ["json"], indirect=True)
def test_backfills_lines_have_the_same_as_fields(app, immediate, feed, log):
    feed.fail("nba", 500, kind="scoreboard")
    feed.say("nba", board(), dates="20260102")
    feed.say("nba", board(), dates="20260103")
    result = sync_date_range_task("nba", "2026-01-01", "2026-01-03")
    said = [json.loads(line) for line in log.read_text().splitlines()]
    mine = [one for one in said if one.get("run") == result.id]
    assert {(one["task"], one["league"]) for one in mine} == {("sync_date_range_task", "NBA")}
    assert any("asked again in" in one["message"] for one in mine)
    assert {"time", "level", "logger", "message"} <= set(mine[0])


@pytest.mark.parametrize("log", ["plain"], indirect=True)
def test_file_that_was_moved_away_is_opened_anew(app, log):
    log.rename(log.with_suffix(".log.1"))
    logging.getLogger("sportsapp").warning("after the rotation")
    assert lines_about(log, "after the rotation")


@pytest.mark.parametrize("log", ["plain"], indirect=True)
def test_line_under_flask_up_names_its_process(app, log, monkeypatch):
    monkeypatch.setenv(PROCESS_NAME, "web")
    logging.getLogger("sportsapp").warning("it rains")
    (line,) = lines_about(log, "it rains")
    assert line.endswith("Z web      WARNING sportsapp: it rains")


@pytest.mark.parametrize("log", ["json"], indirect=True)
def test_process_is_a_field_under_flask_up_alone(app, log, monkeypatch):
    logging.getLogger("sportsapp").warning("before")
    monkeypatch.setenv(PROCESS_NAME, "consumer")
    logging.getLogger("sportsapp").warning("after")
    before, after = (json.loads(line) for line in log.read_text().splitlines()[-2:])
    assert "process" not in before
    assert after["process"] == "consumer"


@pytest.mark.parametrize("log", ["plain"], indirect=True)
def test_log_file_is_for_its_owner_alone_also_after_it_was_moved(usual_umask, log):
    for rotated in ("scores.log.1", "scores.log.2"):
        logging.getLogger("sportsapp").warning("it rains")
        assert lines_about(log, "it rains")
        assert log.stat().st_mode & 0o777 == 0o600
        log.rename(log.with_name(rotated))


@pytest.mark.parametrize("log", ["plain"], indirect=True)
def test_log_file_keeps_the_mode_that_somebody_gave_it(usual_umask, log):
    log.rename(log.with_name("scores.log.1"))
    log.touch()
    log.chmod(0o640)  # logrotate's `create`
    logging.getLogger("sportsapp").warning("it rains")
    assert lines_about(log, "it rains")
    assert log.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("log", ["plain WARNING"], indirect=True)
def test_run_keeps_lines_that_the_log_leaves_out(app, immediate, feed, log):
    feed.say("nba", board())
    result = sync_daily_schedule()
    assert lines_about(log, "NBA") == []
    kept = lines_of(db.session, result.id, 100)
    assert "NBA: 0 games read, 0 changed" in [line.text for line in kept]


@pytest.mark.parametrize("log", ["plain DEBUG"], indirect=True)
def test_answer_with_odd_headers_puts_no_webhook_in_the_log(log):
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n")

    with raw_feed(talk) as url:
        webhook.deliver(f"{url}/t0ken", {"text": "hello"})
    logging.getLogger("sportsapp").warning("this is logged")
    assert "this is logged" in log.read_text()
    assert "t0ken" not in log.read_text()

"""``flask tasks`` and ``flask settings``."""

from __future__ import annotations

import json

import pytest

from sportsapp.commands.tasks import tasks_group
from sportsapp.tasks import sync_all_leagues, sync_all_live_games, sync_date_range_task


def test_no_runs_are_said_in_words(runner):
    assert runner.invoke(args=["tasks", "runs"]).output == "No task has run yet.\n"


def test_runs_as_json_have_the_promised_fields_newest_first(runner, immediate):
    sync_all_live_games()
    sync_date_range_task("NBA", "2026-01-01", "2026-01-02")
    done = runner.invoke(args=["tasks", "runs", "--json"])
    newest, oldest = json.loads(done.output)["runs"]
    assert list(newest) == [
        "id", "task", "state", "trigger", "args", "progress", "result", "error", "attempt",
        "recoveries", "queued_at", "started_at", "finished_at",
    ]  # fmt: skip
    assert newest["task"] == "sync_date_range_task"
    assert newest["args"]["league"] == "NBA"
    assert newest["progress"] == {"done": 1, "total": 1}
    assert (oldest["task"], oldest["state"]) == ("sync_all_live_games", "SUCCESS")
    assert oldest["error"] is None
    assert oldest["queued_at"].endswith("Z")


def test_runs_can_be_narrowed(runner, immediate):
    sync_all_live_games()
    sync_all_leagues()
    words = ["tasks", "runs", "--json", "--task", "sync_all_leagues", "--state", "success"]
    (run,) = json.loads(runner.invoke(args=words).output)["runs"]
    assert run["task"] == "sync_all_leagues"


def test_plain_list_shows_state_task_and_result(runner, immediate):
    run_id = sync_all_live_games().id
    line = runner.invoke(args=["tasks", "runs"]).output
    assert all(part in line for part in ("SUCCESS", "sync_all_live_games", '"synced": 0', run_id))


@pytest.mark.parametrize("limit", ["0", "1001", "x"])
def test_limit_out_of_bounds_is_misuse(runner, limit):
    assert runner.invoke(tasks_group, ["runs", "--limit", limit]).exit_code == 2


def test_unknown_task_is_misuse_and_lists_the_known_ones(runner):
    done = runner.invoke(args=["tasks", "runs", "--task", "nope"])
    assert done.exit_code == 2
    assert "unknown task 'nope': known are " in done.output
    assert "sync_all_leagues" in done.output


def test_known_task_that_has_not_run_yet_is_no_misuse(runner):
    done = runner.invoke(args=["tasks", "runs", "--task", "sync_all_leagues"])
    assert (done.exit_code, done.output) == (0, "No task has run yet.\n")


def test_speed_of_the_demo_without_the_demo_is_misuse(runner):
    done = runner.invoke(args=["up", "--demo-speed", "20"])
    assert (done.exit_code, done.output) == (
        2, "--demo-speed is for the made-up feed: add --demo\n",
    )  # fmt: skip


def test_settings_show_value_and_source_and_hide_secrets(runner, settings, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://:secret@localhost/0")
    lines = runner.invoke(args=["settings"]).output.splitlines()
    by_name = {line.split()[0]: line for line in lines}
    assert by_name["REDIS_URL"].split()[1:] == ["environment", "(hidden)"]
    assert by_name["PORT"].split()[1:] == ["default", "5000"]
    assert str(settings.instance_path) in by_name["INSTANCE_PATH"]

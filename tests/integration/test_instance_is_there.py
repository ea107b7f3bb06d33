"""Commands that only read create nothing; those that bring an instance into being make it whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.factory import create_app
from tests.quick import first_quick

FLASK = [sys.executable, "-m", "flask"]
READING = [
    "tasks runs", "tasks stats", "tasks registered", "tasks show 0123", "admin list", "doctor",
    "db current", "audit", "db-copy sqlite:////nowhere/copy.db",
]  # fmt: skip
MAKING = ["prepare", "db upgrade", "sync leagues"]


def run(folder: Path, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "INSTANCE_PATH": str(folder), "ESPN_BASE_URL": "http://127.0.0.1:1"}
    given |= {"REDIS_URL": "redis://127.0.0.1:1/0", **environ}
    return subprocess.run(
        command, cwd=PROJECT_ROOT, env=given, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("words", first_quick(READING, others=pytest.mark.long))
def test_reading_command_names_an_instance_that_is_not_there(tmp_path, words):
    done = run(tmp_path / "misspelt", *FLASK, *words.split())
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert last.startswith(f"INSTANCE_PATH: there is no {tmp_path / 'misspelt'}; ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_folder_without_a_database_stays_without_one(tmp_path):
    done = run(tmp_path, *FLASK, "tasks", "runs")
    assert done.returncode == 2
    assert done.stderr.startswith(f"INSTANCE_PATH: there is no {tmp_path / 'tracker.db'}; ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_settings_and_help_need_no_instance(tmp_path):
    for words in ("settings", "--help", "tasks --help", "db heads", "routes"):
        done = run(tmp_path / "none", *FLASK, *words.split())
        assert (done.returncode, done.stderr) == (0, ""), words
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.parametrize("words", first_quick(MAKING))
def test_making_command_makes_the_instance(tmp_path, words):
    run(tmp_path / "new", *FLASK, *words.split())
    made = {path.name for path in (tmp_path / "new").iterdir()}
    assert {"secret_key", "tracker.db"} <= made
    assert (tmp_path / "new").stat().st_mode & 0o77 == 0


@pytest.mark.long
@pytest.mark.parametrize("words", first_quick([*MAKING, "serve", "up", "restore app.py"]))
def test_folder_that_cannot_be_made_is_misuse(words):
    done = run(Path("/dev/null/folder"), *FLASK, *words.split())
    assert done.returncode == 2
    assert done.stderr.startswith("INSTANCE_PATH: the folder /dev/null/folder cannot be written")
    assert len(done.stderr.splitlines()) == 1


def test_reading_command_uses_the_key_that_is_there(tmp_path):
    settings = Settings(instance_path=tmp_path / "new")
    assert not create_app(settings, makes_instance=False).secret_key
    assert not settings.instance_path.exists()
    key = create_app(settings).secret_key
    assert key
    assert create_app(settings, makes_instance=False).secret_key == key


@pytest.mark.parametrize("door", first_quick(["app", "huey_config"]))
def test_other_doors_make_the_instance(tmp_path, door):
    done = run(tmp_path / "new", sys.executable, "-c", f"import {door}")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"secret_key", "tracker.db"}


@pytest.mark.long
def test_database_elsewhere_needs_no_instance_folder(tmp_path):
    run(tmp_path / "old", *FLASK, "db", "upgrade")
    elsewhere = f"sqlite:///{tmp_path / 'old' / 'tracker.db'}"
    done = run(tmp_path / "none", *FLASK, "tasks", "runs", DATABASE_URL=elsewhere)
    assert (done.returncode, done.stdout) == (0, "No task has run yet.\n")
    assert not (tmp_path / "none").exists()
    missing = f"sqlite:///{tmp_path / 'none.db'}"
    done = run(tmp_path / "none", *FLASK, "tasks", "runs", DATABASE_URL=missing)
    assert done.returncode == 2
    assert done.stderr.startswith(f"DATABASE_URL: there is no {tmp_path / 'none.db'}; ")

"""Where settings come from: the environment, a `flask up` that runs, .env beside app.py."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sportsapp.core.errors import SettingsError
from sportsapp.core.processes import process_start
from sportsapp.core.running import announce, running_settings
from sportsapp.core.settings import PROJECT_ROOT, describe_settings, load_settings
from sportsapp.core.sources import setting_sources, variable

pytestmark = pytest.mark.slow

PORT = "from sportsapp.services import services_of; print(services_of(app).settings.port)"
DOORS = {
    "flask": ["-m", "flask", "settings"],
    "app": ["-c", f"from app import app; {PORT}"],
    "wsgi": ["-c", f"from wsgi import app; {PORT}"],
    "consumer": ["-c", f"from huey_config import app; {PORT}"],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with a .env."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(PROJECT_ROOT / "sportsapp", root / "sportsapp")
    for name in ("app.py", "wsgi.py", "huey_config.py"):
        shutil.copy(PROJECT_ROOT / name, root)
    for name in ("migrations", "templates", "static"):
        (root / name).symlink_to(PROJECT_ROOT / name)
    (root / ".env").write_text("PORT=6001\nLOG_LEVEL=ERROR\nREDIS_URL=redis://127.0.0.1:1/0\n")
    return root


def run(project: Path, words: list[str], cwd: Path | None = None, **environ: str) -> str:
    """What a Python program prints in the copy of the project, with only ``environ`` set."""
    names = ("PATH", "HOME", "COVERAGE_PROCESS_START")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    done = subprocess.run(
        [sys.executable, *words], cwd=cwd or project, env=kept | environ, capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.parametrize("door", DOORS)
def test_every_door_reads_the_same_env_file(project, door):
    assert "6001" in run(project, DOORS[door])


@pytest.mark.slow
def test_environment_wins_over_the_env_file_and_the_listing_names_sources(project):
    lines = run(project, DOORS["flask"], PORT="6002", LEAGUES="nfl").splitlines()
    shown = {line.split()[0]: line.split()[1:] for line in lines}
    assert shown["PORT"] == ["environment", "6002"]
    assert shown["LOG_LEVEL"] == [".env", "ERROR"]
    assert shown["HOST"] == ["default", "127.0.0.1"]


@pytest.mark.long
def test_empty_variable_hides_the_env_file(project):
    assert "default      5000" in run(project, DOORS["flask"], PORT="")


@pytest.mark.slow
def test_env_file_of_the_working_folder_is_not_ours(project, tmp_path):
    (tmp_path / ".env").write_text("HOST=10.0.0.1\nPORT=7777\n")
    said = run(project, DOORS["flask"], tmp_path, FLASK_APP=str(project / "app.py"))
    assert "10.0.0.1" not in said
    assert ".env         6001" in said


@pytest.mark.slow
def test_env_file_is_left_out_where_flask_leaves_it_out(project):
    assert "5000" in run(project, DOORS["flask"], FLASK_SKIP_DOTENV="1")


def test_fault_in_the_env_file_names_it(tmp_path, monkeypatch):
    monkeypatch.delenv("FLASK_SKIP_DOTENV")
    monkeypatch.setattr("sportsapp.core.settings.PROJECT_ROOT", tmp_path)
    (tmp_path / ".env").write_text("PORT=many\n")
    with pytest.raises(SettingsError, match=r"^PORT \(from \.env\): 'many' is not a whole number"):
        load_settings()
    (tmp_path / ".env").write_bytes(b"PORT=\xff\n")
    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        load_settings()


def test_dollar_signs_in_the_env_file_are_text(tmp_path, monkeypatch):
    monkeypatch.delenv("FLASK_SKIP_DOTENV")
    (tmp_path / ".env").write_text("ADMIN_PASSWORD='pa$${HOME}ss'\n")
    assert variable("ADMIN_PASSWORD", setting_sources(tmp_path)) == ("pa$${HOME}ss", ".env")


# ---------------------------------------------------------------- what runs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The instance folder of this process."""
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path))
    return tmp_path


def test_commands_use_what_flask_up_runs_with(folder):
    file = announce(folder, {"ESPN_BASE_URL": "http://127.0.0.1:7", "PORT": "7001"})
    settings = load_settings()
    assert (settings.espn_base_url, settings.port) == ("http://127.0.0.1:7", 7001)
    assert ("PORT", "7001", "flask up") in describe_settings(settings)
    assert list(folder.iterdir()) == [file]
    assert file.stat().st_mode & 0o77 == 0


def test_environment_wins_over_what_runs(folder, monkeypatch):
    monkeypatch.setenv("PORT", "7002")
    announce(folder, {"PORT": "7001"})
    assert load_settings().port == 7002


def test_file_of_a_process_that_is_gone_is_ignored(folder):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    start = process_start(child.pid)
    running = {"pid": child.pid, "start": start, "settings": {"PORT": "7001"}}
    (folder / "running.json").write_text(json.dumps(running))
    assert load_settings().port == 7001
    child.communicate()
    assert load_settings().port == 5000


def test_file_of_an_earlier_process_with_this_id_is_ignored(folder):
    running = {"pid": os.getpid(), "start": "long ago", "settings": {"PORT": "7001"}}
    (folder / "running.json").write_text(json.dumps(running))
    assert load_settings().port == 5000


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": 1, "start": "", "settings": 3}', "null"])
def test_file_that_is_not_ours_is_ignored(folder, text):
    (folder / "running.json").write_text(text)
    assert running_settings(folder) == {}

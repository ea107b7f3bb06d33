"""docs/your-first-change.md, followed in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sportsapp.core.settings import PROJECT_ROOT

pytestmark = pytest.mark.long

PAGE = (PROJECT_ROOT / "docs" / "your-first-change.md").read_text()
PARTS = ("sportsapp", "demo", "migrations", "templates", "static", "tests")
TEST_FILE = "tests/integration/test_pages.py"
ATTENDANCE = re.compile(r"^( *)(?=attendance[:=]|\{% if game\.attendance)", re.MULTILINE)


def additions() -> dict[str, str]:
    """The lines to add, by file."""
    rows = re.findall(r"^\| `([\w/.]+)` \| `(.+?)` \| .*\|$", PAGE, re.MULTILINE)
    return {file: line.replace(r"\|", "|") for file, line in rows}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for part in PARTS:
        shutil.copytree(PROJECT_ROOT / part, tmp_path / part)
    for file in ("app.py", "huey_config.py", "pyproject.toml"):
        shutil.copy(PROJECT_ROOT / file, tmp_path)
    return tmp_path


def run(project: Path, *command: str) -> tuple[int, str]:
    """The exit status of a Python program in the project, and what it prints."""
    environ = {**os.environ, "INSTANCE_PATH": str(project / "instance")}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project, env=environ, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.timeout(240)  # eight programs, each with an import of everything
def test_conference_game_from_the_test_to_the_page(project):
    test = re.search(r"```text\n(def test_.*?)```", PAGE, re.DOTALL)[1]
    with (project / TEST_FILE).open("a") as file:
        file.write(f"\n\n{test}")
    this_test = ("pytest", TEST_FILE, "-k", "conference", "-p", "no:cacheprovider")
    status, output = run(project, *this_test)
    assert status == 1, output  # seen to fail

    assert len(additions()) == 5
    for name, line in additions().items():
        path = project / name
        text, count = ATTENDANCE.subn(rf"\1{line}\n\1", path.read_text())
        assert count == 1, name
        path.write_text(text)
    for command in re.findall(r"^    flask (.*)$", PAGE, re.MULTILINE):
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', command)]
        status, output = run(project, "flask", *words)
        assert status == 0, output
    (migration,) = (project / "migrations" / "versions").glob("*_conference_games.py")
    steps = re.findall(r"^    op\.(\w+)\(", migration.read_text(), re.MULTILINE)
    assert steps == ["add_column", "drop_column"]

    status, output = run(project, *this_test)
    assert status == 0, output
    for command in (("db", "upgrade"), ("db", "downgrade")):
        status, output = run(project, "flask", *command)
        assert status == 0, output

"""The doors as programs: `flask db` finds the migrations."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sportsapp.core.settings import PROJECT_ROOT


def outcome(folder: Path, *words: str) -> str:
    """What a Python program on an instance folder of its own prints."""
    environ = {**os.environ, "INSTANCE_PATH": str(folder)}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=PROJECT_ROOT, env=environ, stdout=subprocess.PIPE, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.slow
def test_flask_db_finds_the_migrations(tmp_path):
    heads = outcome(tmp_path / "instance", "-m", "flask", "db", "heads")
    outcome(tmp_path / "instance", "-m", "flask", "db", "upgrade")
    assert heads.endswith("(head)\n")
    assert outcome(tmp_path / "instance", "-m", "flask", "db", "current") == heads

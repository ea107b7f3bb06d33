"""What the doors load stays in memory for as long as the app runs, in every process of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sportsapp.commands.up.command import SHARED
from sportsapp.core.settings import PROJECT_ROOT

DOORS = ("wsgi", "huey_config", *SHARED)
ONLY_FOR_MIGRATIONS = {"alembic", "mako", "pygments"}


def outcome(folder: Path, *words: str) -> str:
    """What a Python program on an instance folder of its own prints."""
    environ = {**os.environ, "INSTANCE_PATH": str(folder)}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=PROJECT_ROOT, env=environ, stdout=subprocess.PIPE, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout


def test_no_door_loads_what_only_migrations_need(tmp_path):
    program = f"import {', '.join(DOORS)}, sys; print(*{{n.split('.')[0] for n in sys.modules}})"
    loaded = set(outcome(tmp_path / "instance", "-c", program).split())
    assert "sqlalchemy" in loaded
    assert not loaded & ONLY_FOR_MIGRATIONS


def test_flask_db_finds_the_migrations_all_the_same(tmp_path):
    heads = outcome(tmp_path / "instance", "-m", "flask", "db", "heads")
    outcome(tmp_path / "instance", "-m", "flask", "db", "upgrade")
    assert heads.endswith("(head)\n")
    assert outcome(tmp_path / "instance", "-m", "flask", "db", "current") == heads

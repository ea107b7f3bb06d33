"""What is kept out of memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sportsapp.settings import PROJECT_ROOT

LOADED = "import app, sys; print('psycopg' in sys.modules, 'icalendar' in sys.modules)"


@pytest.mark.parametrize(
    ("database", "loaded"),
    [("", "False False"), ("postgresql://nobody@127.0.0.1:1/none", "True False")],
)
def test_driver_of_postgresql_is_loaded_for_postgresql_only(tmp_path: Path, database, loaded):
    environ = {**os.environ, "INSTANCE_PATH": str(tmp_path), "DATABASE_URL": database}
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=PROJECT_ROOT, env=environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == loaded.split()

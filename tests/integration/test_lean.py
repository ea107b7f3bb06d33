"""What is kept out of memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sportsapp.settings import PROJECT_ROOT

LOADED = """
import app, sys
names = ("psycopg", "icalendar", "prometheus_client", "valkey")
print(*(name for name in names if name in sys.modules))
"""


@pytest.mark.parametrize(
    ("database", "loaded"),
    [("", []), ("postgresql://nobody@127.0.0.1:1/none", ["psycopg"])],
)
def test_nothing_is_loaded_before_it_is_needed(tmp_path: Path, database, loaded):
    environ = {**os.environ, "INSTANCE_PATH": str(tmp_path), "DATABASE_URL": database}
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=PROJECT_ROOT, env=environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == loaded

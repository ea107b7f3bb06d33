"""The audit of pinned packages: what it could not look up is never taken for harmless."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sportsapp.core.settings import PROJECT_ROOT

HARMLESS = {"name": "flask", "version": "3.1.3", "vulns": []}
VULNERABLE = {**HARMLESS, "vulns": [{"id": "CVE-1", "fix_versions": ["3.1.4"]}]}
UNKNOWN = {"name": "huey", "skip_reason": "not found"}
NOT_AUDITED = "NOT AUDITED: 1 of 2 packages are not in the database"


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def audit_after(folder: Path, answer: str) -> tuple[int, str]:
    """Run .ci/audit with a pip-audit that prints this. Returns exit status and last line."""
    python = folder / "python"
    python.symlink_to(sys.executable)
    script(folder / "pip-audit", f"cat <<'EOF'\n{answer}\nEOF")
    done = subprocess.run(
        [python, PROJECT_ROOT / ".ci" / "audit", "requirements.txt"], capture_output=True, text=True
    )
    return done.returncode, done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("packages", "status", "last"),
    [
        ([HARMLESS], 0, "1 packages looked up, 0 known vulnerabilities"),
        ([HARMLESS, UNKNOWN], 1, NOT_AUDITED),
        ([VULNERABLE, UNKNOWN], 1, "1 known vulnerabilities in requirements.txt"),
        ([], 1, "NOT AUDITED: 0 of 0 packages are not in the database"),
    ],
)
def test_audit_succeeds_only_when_every_package_was_looked_up(tmp_path, packages, status, last):
    assert audit_after(tmp_path, json.dumps({"dependencies": packages})) == (status, last)


def test_audit_fails_when_its_database_cannot_be_reached():
    done = subprocess.run(
        [sys.executable, PROJECT_ROOT / ".ci" / "audit", PROJECT_ROOT / "requirements-pip.txt"],
        env={**os.environ, "HTTPS_PROXY": "http://127.0.0.1:1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.startswith("NOT AUDITED: the database of vulnerabilities gave no answer: ")


@pytest.mark.parametrize(
    ("audit", "tests", "status", "last"),
    [
        ("true", "true", 0, "the tests"),
        (f"echo '{NOT_AUDITED}'; exit 2", "true", 0, NOT_AUDITED),
        (f"echo '{NOT_AUDITED}'; exit 2", "exit 2", 2, NOT_AUDITED),
        ("echo '1 known vulnerabilities'; exit 2", "true", 1, "1 known vulnerabilities"),
    ],
)
def test_last_line_of_ci_says_that_nothing_was_audited(tmp_path, audit, tests, status, last):
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "dirname", "grep", "mktemp", "rm", "tee"):
        (programs / name).symlink_to(shutil.which(name))
    script(programs / "id", "echo 1000")  # so that nothing is installed
    script(programs / "make", f'case $1 in audit) {audit};; test) echo "the tests"; {tests};; esac')
    done = subprocess.run(
        [PROJECT_ROOT / ".ci" / "run"], env={"PATH": str(programs)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (status, last), done.stderr

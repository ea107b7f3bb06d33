"""What `make` installs is what the lists of requirements say, to the byte."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from sportsapp.core.settings import PROJECT_ROOT


def wheel(folder: Path, name: str) -> str:
    """A package without code in a folder of wheels. Returns the digest of its file."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.timeout(120)
def test_file_whose_digest_is_not_listed_is_not_installed(tmp_path):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    pip, app = (f"{name}==1.0 --hash=sha256:{wheel(wheels, name)}" for name in ("first", "second"))
    shutil.copy(PROJECT_ROOT / "Makefile", tmp_path)
    environ = {
        **os.environ,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_CONFIG_FILE": os.devnull,
    }

    def install(pip: str, app: str) -> tuple[int, str]:
        (tmp_path / "requirements-pip.txt").write_text(f"{pip}\n")
        (tmp_path / "requirements.txt").write_text(f"{app}\n")
        done = subprocess.run(
            ["make", "--always-make", "--assume-old=.venv/bin/pip", ".venv/.installed"],
            cwd=tmp_path, env=environ, capture_output=True, text=True,
        )  # fmt: skip
        return done.returncode, done.stderr

    subprocess.run(["make", ".venv/bin/pip"], cwd=tmp_path, check=True, capture_output=True)
    for one, other in (("first==1.0", app), (pip, "second==1.0")):
        status, error = install(one, other)
        assert (status, "Hashes are required" in error) == (2, True), error
    status, error = install(pip, f"second==1.0 --hash=sha256:{'0' * 64}")
    assert (status, "DO NOT MATCH THE HASHES" in error) == (2, True), error
    packages = tmp_path / ".venv" / "lib"
    assert not list(packages.rglob("second-1.0*"))
    assert install(pip, app)[0] == 0
    assert len(list(packages.rglob("second-1.0.dist-info"))) == 1
    assert not list(packages.glob("*/site-packages/setuptools*"))

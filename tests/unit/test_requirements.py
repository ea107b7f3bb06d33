"""Every package we ask for by name says what it is for."""

from __future__ import annotations

import re

import pytest

from sportsapp.core.settings import PROJECT_ROOT


@pytest.mark.parametrize("name", ["requirements.in", "requirements-dev.in"])
def test_every_direct_requirement_has_its_reason(name):
    lines = (PROJECT_ROOT / name).read_text().splitlines()
    named = [line for line in lines if line.strip() and not line.startswith(("#", "-r"))]
    assert len(named) > 10
    assert [line for line in named if not line.partition("#")[2].strip()] == []


@pytest.mark.parametrize("name", ["requirements-pip", "requirements", "requirements-dev"])
def test_every_pin_has_the_digests_of_its_files_and_no_address(name):
    text = (PROJECT_ROOT / f"{name}.txt").read_text()
    pins = re.findall(
        r"^([^\s#].*?) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M
    )
    assert [pin for pin, _ in pins] == re.findall(r"^[^\s#].*==[^\s]+", text, re.MULTILINE)
    assert [
        line for line in text.splitlines() if re.match(r"[^\s#]", line) and "==" not in line
    ] == []
    assert "://" not in text
    named = re.findall(r"^[\w-]+", (PROJECT_ROOT / f"{name}.in").read_text(), re.MULTILINE)
    assert {one for one in named if one != "-r"} <= {re.split(r"[=\[]", pin)[0] for pin, _ in pins}

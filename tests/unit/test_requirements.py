"""Every package we ask for by name says what it is for."""

from __future__ import annotations

import pytest

from sportsapp.core.settings import PROJECT_ROOT


@pytest.mark.parametrize("name", ["requirements.in", "requirements-dev.in"])
def test_every_direct_requirement_has_its_reason(name):
    lines = (PROJECT_ROOT / name).read_text().splitlines()
    named = [line for line in lines if line.strip() and not line.startswith(("#", "-r"))]
    assert len(named) > 10
    assert [line for line in named if not line.partition("#")[2].strip()] == []

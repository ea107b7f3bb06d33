"""What the docs name exists. Their commands: tests/acceptance/test_documented_commands.py."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import pytest

from sportsapp.core.settings import PROJECT_ROOT

PAGES = sorted((PROJECT_ROOT / "docs").rglob("*.md"))
NAMES = [str(path.relative_to(PROJECT_ROOT)) for path in PAGES]


def named(path: Path, pattern: str) -> set[str]:
    return set(re.findall(pattern, path.read_text()))


def test_there_are_pages():
    assert "docs/coming-from-celery.md" in NAMES


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_file_it_leads_to_exists(page):
    for target in named(page, r"\]\(([^)#:]+)\)"):
        assert (page.parent / target).exists(), target
    for target in named(page, r"`((?:tests|sportsapp|bench|deploy|docs|static)/[\w./-]+)`"):
        assert (PROJECT_ROOT / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_name_of_ours_can_be_imported(page):
    for name in named(page, r"`(sportsapp(?:\.\w+){2,})`"):
        assert pkgutil.resolve_name(name), name

"""docs/security.md: the standard's requirements are all there, and so are the tests it names."""

from __future__ import annotations

import re

import pytest

from sportsapp.core.settings import PROJECT_ROOT

PAGE = (PROJECT_ROOT / "docs" / "security.md").read_text("utf-8")
TESTS = sorted(set(re.findall(r"`(tests/[\w/.]+)`", PAGE)))
NUMBER = r"\d+\.\d+\.\d+"

# The requirements of levels 1 and 2 of ASVS 5.0.0, by section. Those of level 3 are not counted.
REQUIREMENTS = {
    "1.1": "1 2", "1.2": "1 2 3 4 5 6 7 8 9", "1.3": "1 2 3 4 5 6 7 8 9 10 11", "1.4": "1 2 3",
    "1.5": "1 2", "2.1": "1 2 3", "2.2": "1 2 3", "2.3": "1 2 3 4", "2.4": "1", "3.2": "1 2",
    "3.3": "1 2 3 4", "3.4": "1 2 3 4 5 6", "3.5": "1 2 3 4 5", "3.7": "1 2", "4.1": "1 2 3",
    "4.2": "1", "4.3": "1 2", "4.4": "1 2 3 4", "5.1": "1", "5.2": "1 2 3", "5.3": "1 2",
    "5.4": "1 2 3", "6.1": "1 2 3", "6.2": "1 2 3 4 5 6 7 8 9 10 11 12", "6.3": "1 2 3 4",
    "6.4": "1 2 3 4", "6.5": "1 2 3 4 5", "6.6": "1 2 3", "6.8": "1 2 3 4", "7.1": "1 2 3",
    "7.2": "1 2 3 4", "7.3": "1 2", "7.4": "1 2 3 4 5", "7.5": "1 2", "7.6": "1 2", "8.1": "1 2",
    "8.2": "1 2 3", "8.3": "1", "8.4": "1", "9.1": "1 2 3", "9.2": "1 2 3 4", "11.1": "1 2",
    "11.2": "1 2 3", "11.3": "1 2 3", "11.4": "1 2 3 4", "11.5": "1", "11.6": "1", "12.1": "1 2 3",
    "12.2": "1 2", "12.3": "1 2 3 4", "13.1": "1", "13.2": "1 2 3 4 5", "13.3": "1 2",
    "13.4": "1 2 3 4 5", "14.1": "1 2", "14.2": "1 2 3 4", "14.3": "1 2 3", "15.1": "1 2 3",
    "15.2": "1 2 3", "15.3": "1 2 3 4 5 6 7", "16.1": "1", "16.2": "1 2 3 4 5", "16.3": "1 2 3 4",
    "16.4": "1 2 3", "16.5": "1 2 3",
}  # fmt: skip
WHOLE_CHAPTERS = {"10", "17"}


def items_of_page() -> list[str]:
    """The requirements that the page has rows for, in its order."""
    rows = re.findall(rf"^\| ((?:{NUMBER}(?: to |, )?)+) \|", PAGE, re.MULTILINE)
    found: list[str] = []
    for text in rows:
        for first, last in re.findall(rf"({NUMBER})(?: to ({NUMBER}))?", text):
            section, start = first.rsplit(".", 1)
            is_chapter = first.split(".")[0] in WHOLE_CHAPTERS
            end = last.rsplit(".", 1)[1] if last and not is_chapter else start
            found += [f"{section}.{n}" for n in range(int(start), int(end) + 1)]
    return [item for item in found if item.split(".")[0] not in WHOLE_CHAPTERS]


def test_every_requirement_of_levels_1_and_2_is_there_once():
    wanted = [f"{section}.{n}" for section, last in REQUIREMENTS.items() for n in last.split()]
    assert sorted(items_of_page()) == sorted(wanted)


@pytest.mark.parametrize("path", TESTS)
def test_test_that_is_named_exists(path):
    assert (PROJECT_ROOT / path).is_file()

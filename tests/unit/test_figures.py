"""The code keeps what docs/architecture.md says of it in figures: ``make figures``."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from bench import figures
from bench.figures import Figure, Module
from sportsapp.core.settings import PROJECT_ROOT

SAMPLE = Module(
    PROJECT_ROOT / "sportsapp" / "sample.py",
    textwrap.dedent('''
        """A module.

        Two lines.
        """
        import ctypes

        LIMIT = 3
        """What it means."""


        def shown(queue):  # a comment
            """What it does."""
            return _once(queue._registry) + _twice() + _twice()


        def _once(value):
            # why
            return (
                value
            )


        def _twice():
            return self._own


        class Holder:
            def __init__(self):
                self._own = 1
        '''),
)


@pytest.fixture(scope="module")
def counted() -> list[Figure]:
    """The figures of the code as it is."""
    return figures.figures()


def test_goals_are_met(counted):
    with_goal = [figure for figure in counted if figure.goal is not None]
    assert len(with_goal) > 3
    missed = [
        f"{one.name}: {one.value:,g}, not {one.goal:,g}" for one in with_goal if not one.is_met
    ]
    assert missed == []


def test_lines_of_code_leave_out_blank_lines_comments_and_docstrings():
    assert SAMPLE.code_lines() == 13


def test_private_function_with_one_caller_is_found():
    assert figures.private_with_one_caller([SAMPLE]) == ["sportsapp/sample.py:_once"]


def test_private_name_of_a_library_is_found_and_our_own_is_not():
    found = figures.private_names_of_libraries([SAMPLE])
    assert found == {"sportsapp/sample.py": ["_registry"]}


def test_ctypes_is_found():
    assert figures.uses_ctypes(SAMPLE)
    assert not figures.uses_ctypes(Module(Path("other.py"), "import json\n"))


def test_table_of_the_docs_has_these_figures(counted):
    page = (PROJECT_ROOT / "docs" / "architecture.md").read_text()
    for figure in counted:
        assert f"| {figure.name} |" in page

"""Which cases of a parametrized test are in the quick set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def first_quick(cases: Iterable[Any], others: pytest.MarkDecorator = pytest.mark.slow) -> list[Any]:
    """The cases, all but the first with the mark of the ``others``."""
    first, *rest = cases
    return [first, *(pytest.param(case, marks=others) for case in rest)]

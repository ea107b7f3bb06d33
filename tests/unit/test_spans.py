"""Which share of wide screens each section of a page has, by its cards."""

from __future__ import annotations

import pytest

from sportsapp.web.filters import spans


@pytest.mark.parametrize(
    ("cards", "four", "six"),
    [
        ([], [], []),
        ([1], [4], [6]),
        ([11, 7, 1, 8], [4, 3, 1, 4], [3, 3, 1, 5]),
        ([1, 1, 1, 1, 1], [1, 1, 1, 1, 4], [2, 1, 1, 1, 1]),
        ([0, 2], [1, 3], [1, 5]),
    ],
)
def test_sections_fill_each_line_in_their_order(cards, four, six):
    expected = [f"--four:{a};--six:{b}" for a, b in zip(four, six, strict=True)]
    assert spans(cards) == expected

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
        ([1, 1], [1, 1], [1, 1]),
        ([1, 1, 1, 1, 1], [1, 1, 1, 1, 4], [1, 1, 1, 1, 1]),
        ([0, 2], [1, 2], [1, 2]),
    ],
)
def test_sections_stand_beside_each_other_and_widen_only_where_they_have_cards(cards, four, six):
    expected = [f"--four:{a};--six:{b}" for a, b in zip(four, six, strict=True)]
    assert spans(cards) == expected

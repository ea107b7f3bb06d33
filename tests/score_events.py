"""Score events of tests: read again from nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def replayed(events: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """The score (home, away) that a game's events add up to.

    The first one says how far the game was; a score that is None (called off) begins anew. Raises
    AssertionError where points and the score after an event differ.
    """
    score: dict[str, int] = {}
    for event in events:
        after = {side: event[f"{side}_score"] or 0 for side in ("home", "away")}
        if event["points"]:
            score[event["side"]] += event["points"]
        elif not score or event["home_score"] is None:
            score = after
        assert score == after, event
    return score["home"], score["away"]

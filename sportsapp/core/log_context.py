"""Which league the code at hand works for, so that each line of the log can say so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sportsapp.core.leagues import League

_league: ContextVar[str] = ContextVar("league", default="")


def league_at_hand() -> str:
    """The label of the league that this thread works for, "" for none."""
    return _league.get()


@contextmanager
def working_for(league: League) -> Iterator[None]:
    """What is logged in here is about this league. Decorates a function, too."""
    before = _league.set(league.label)
    try:
        yield
    finally:
        _league.reset(before)

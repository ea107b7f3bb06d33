"""An app context for whoever has none: tasks called in a bare Python shell."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, has_app_context

from sportsapp.queue.huey import huey

P = ParamSpec("P")
T = TypeVar("T")


def with_app_context(func: Callable[P, T]) -> Callable[P, T]:
    """Give a function an app context of its own where the caller has none."""

    @wraps(func)
    def inner(*args: P.args, **kwargs: P.kwargs) -> T:
        if has_app_context():
            return func(*args, **kwargs)
        app: Flask = huey.tracker.app  # type: ignore[attr-defined]  # the ledger has it
        with app.app_context():
            return func(*args, **kwargs)

    return inner

"""An app context for code that is called without one: tasks in a bare Python shell."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import has_app_context

from sportsapp.queue.huey import huey

P = ParamSpec("P")
T = TypeVar("T")


def with_app_context(func: Callable[P, T]) -> Callable[P, T]:
    """Run a function in the app context of its caller, or else in one of the app made last."""

    @wraps(func)
    def inner(*args: P.args, **kwargs: P.kwargs) -> T:
        if has_app_context():
            return func(*args, **kwargs)
        with huey.tracker.app_context():
            return func(*args, **kwargs)

    return inner

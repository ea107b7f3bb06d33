"""A check in a forked child, which exits without running the other tests."""

from __future__ import annotations

import os
from collections.abc import Callable

from flask import Flask


def holds_in_a_child(app: Flask, check: Callable[[], bool]) -> bool:
    """Whether ``check`` is true in a forked child, inside the app's context, and raises nothing."""
    child = os.fork()
    if child == 0:
        status = 2
        try:
            with app.app_context():
                status = 0 if check() else 1
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0

"""What ``create_app`` leaves behind."""

from __future__ import annotations

import gc
import weakref

from sportsapp.core.settings import Settings
from sportsapp.factory import create_app


def test_app_that_nobody_uses_leaves_memory(settings: Settings):
    unused = weakref.ref(create_app(settings))
    create_app(settings)  # the queues use the ledger of the app made last

    gc.collect()

    assert unused() is None

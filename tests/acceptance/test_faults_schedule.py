"""Three schedulers and a clock that runs fast: every tick comes once, whoever is killed."""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from sportsapp.db.models import TaskRun
from tests.acceptance.conftest import wait_for
from tests.acceptance.harm import runs

pytestmark = pytest.mark.long

MINUTES = 10
SPEED = 24
SECONDS = MINUTES * 60 / SPEED

# A consumer whose minutes are short: its clock and that of all the others began together.
FAST = (
    "-c",
    f"""
import os, time
from datetime import UTC, datetime
import sportsapp.core.clock
began = float(os.environ["CLOCK_BEGAN"])
sportsapp.core.clock.utc_now = lambda: datetime.fromtimestamp(
    began + (time.time() - began) * {SPEED}, UTC
)
from sportsapp.queue import consumer
consumer.BEAT_SECONDS = 10 / {SPEED}
from huey.bin.huey_consumer import consumer_main
consumer_main()
""",
)
EXECUTED = re.compile(r"Executing \S+: (sync_all_live_games@\S+)")


def ticks() -> list[TaskRun]:
    """The live ticks that have succeeded, by their slot."""
    done = [one for one in runs("sync_all_live_games") if one.slot and one.state == "SUCCESS"]
    return sorted(done, key=lambda one: one.slot)


@pytest.mark.timeout(240)
def test_tick_comes_once_a_minute_from_three_schedulers_of_which_one_is_killed(
    real_app, start_consumer, monkeypatch
):
    monkeypatch.setenv("CLOCK_BEGAN", str(time.time()))
    consumers = [start_consumer(door=FAST) for _ in range(3)]
    wait_for(lambda: len(ticks()) == 4, SECONDS)
    killed = ticks()[-1].slot
    consumers[0].kill_all()
    wait_for(lambda: len(ticks()) > MINUTES, 2 * SECONDS)
    slots = [one.slot for one in ticks()]
    assert {after - before for before, after in pairwise(slots)} == {timedelta(minutes=1)}
    assert sum(slot > killed for slot in slots) >= MINUTES - 4
    executed = Counter(EXECUTED.findall(consumers[0].log.read_text()))
    assert set(executed.values()) == {1}
    assert {one.id for one in ticks()} <= set(executed)
    print(f"{len(slots)} minutes, {len(executed)} ticks executed once, 3 schedulers, 1 killed")

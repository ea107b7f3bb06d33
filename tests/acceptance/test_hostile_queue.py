"""Whoever can write to the broker: a real consumer runs nothing of it and goes on."""

from __future__ import annotations

import json
import pickle
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from sportsapp.db.engine import db
from sportsapp.db.models import DeadLetter, RunState, TaskRun, Trigger
from sportsapp.queue.huey import TrackerHuey, backfill_huey, huey
from sportsapp.queue.messages import MESSAGE_LIMIT
from sportsapp.runs.rows import find_run
from sportsapp.tasks import sync_all_live_games, sync_date_range_task
from tests.acceptance import harm
from tests.acceptance.conftest import wait_for

pytestmark = pytest.mark.long

ALERT = "sportsapp.tasks.alerts.send_alert"
TASK = "sportsapp.tasks.sync.sync_date_range_task"
ENDED = (RunState.SUCCESS, RunState.FAILURE, RunState.TIMEOUT)


class Harm:
    """Pickled, it is a program that leaves a file behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, tuple[list[str]]]:
        return subprocess.check_call, (["touch", f"{self.folder}/harm"],)


def message(name: str = TASK, run_id: Any = "forged", attempt: Any = 0, **fields: Any) -> bytes:
    """A message as a producer of ours writes it, with whatever a forger puts in."""
    usual = {
        "id": run_id, "name": name, "eta": None, "retries": 0, "retry_delay": 0, "priority": None,
        "args": {"!tuple": ["NBA", "2026-01-01", "2026-01-01"]}, "kwargs": {}, "on_complete": None,
        "on_error": None, "expires": None, "expires_resolved": None, "timeout": None,
        "retry_backoff": None, "chord_config": None,
    }  # fmt: skip
    return json.dumps({"attempt": attempt, "task": {"!message": usual | fields}}).encode()


FOLLOWER = json.loads(message(ALERT, "follower", args={"!tuple": [{"text": "forged"}]}))["task"]


def unreadable(folder: Path) -> list[bytes]:
    """Pickles, noise, JSON of other shapes, unknown tasks, forged fields, large ones."""
    return [
        *(pickle.dumps(Harm(folder), protocol) for protocol in range(6)),
        b"c__builtin__\neval\n(S'open(\"harm\",\"w\")'\ntR.", b"\x00", b"", b"\xff\xfe{}", b"{",
        b"[", b"null", b"true", b"7", b'"text"', b"[]", b"{}", b"[[[[]]]]", b'{"task":1}',
        b'{"attempt":0}', b'{"attempt":0,"task":null}', b'{"attempt":0,"task":{"!error":{}}}',
        b'{"attempt":0,"task":{"!skipped":1}}',
        b'{"attempt":0,"task":{"!datetime":"x"}}', b'{"attempt":0,"task":{"!seconds":1e999}}',
        b"[" * 200_000, b'{"a":' * 200_000,
        message("os.system", args={"!tuple": ["touch harm"]}), message("sportsapp.nothing"),
        message("builtins.eval"), message("__import__"), message(""), message(None), message([]),
        message(run_id=None), message(run_id=[]), message(run_id="x" * 5000), message(run_id=""),
        message(run_id="a\x00b"), message(run_id="\ud800"), message(run_id="a\nb"),
        message(attempt=10**30), message(attempt=-1), message(attempt=1.5),
        message("sportsapp.tasks.nothing", on_error={}), message(on_complete="os.system"),
        message(on_complete={"!message": {"name": "os.system", "id": "y"}}),
        message(on_error="text"), message(chord_config="x"), message(chord_config={"a": 1}),
        message(attempt="0"), message(attempt=None), message(args="text"), message(kwargs=[]),
        message(retries="many"), message(retry_delay=-1), message(priority=1e300),
        *(
            message(**{name: {"!datetime": moment}})
            for name in ("eta", "expires_resolved")
            for moment in ("2026-01-01T00:00:00+00:00", "0001-01-01T00:00:00")
        ),
        message(eta="now"), message(eta=0), message(timeout="long"), message(expires_resolved=1),
        message(timeout=-1, retries=1), message(timeout=0), message(timeout=1e9),
        message(on_complete=FOLLOWER), message(on_error=FOLLOWER),
        message(chord_config={"!tuple": ["a", 1, 0, FOLLOWER]}),
        message("a\x00b"), message("a\nb\x1b[31m"), message(args={"!tuple": ["\ud800"]}),
        message(**{"k\x00": 1}), message(colour="red"), message()[:-2], message() + b"x",
        b"x" * (MESSAGE_LIMIT + 1), b"x" * 10_000_000, b" " * 10_000_000 + message(),
        message(args={"!tuple": ["x" * 10_000_000]}),
    ]  # fmt: skip


IDS = (
    "forged", "' OR 1=1 --", "<script>", "x" * 200, "%", "00000000-0000-4000-8000-000000000000",
)  # fmt: skip


def unasked(queue: TrackerHuey) -> list[bytes]:
    """Sound messages for runs that nobody has asked for, which the ledger does not have."""
    days = ["NBA", "2026-01-01", "2026-01-01"]
    name, args = (ALERT, [{"text": "forged"}]) if queue is huey else (TASK, days)
    sound = partial(message, name, args={"!tuple": args})
    soon = (datetime.now(UTC) + timedelta(seconds=2)).replace(tzinfo=None).isoformat()
    return [
        *(sound(run_id=run_id) for run_id in IDS),
        sound(run_id="later", eta={"!datetime": soon}),
        sound(run_id="again", retries=3),
    ]


def ended(run_id: str) -> TaskRun:
    """The run once it has ended."""

    def find() -> TaskRun | None:
        db.session.rollback()
        run = find_run(run_id)
        return run if run.state in ENDED else None

    return wait_for(find, 30)


def letters() -> list[DeadLetter]:
    db.session.rollback()
    return list(db.session.scalars(select(DeadLetter).order_by(DeadLetter.id)))


@pytest.fixture
def said(tmp_path: Path) -> Callable[[], str]:
    """What the consumer has logged."""
    return lambda: (tmp_path / "consumer.log").read_text()


def harmed(folder: Path) -> bool:
    return any(path.name == "harm" for place in (folder, Path.cwd()) for path in place.iterdir())


@pytest.mark.parametrize("queue", [huey, backfill_huey], ids=["live", "backfill"])
def test_nothing_that_cannot_be_read_is_run_and_all_of_it_is_counted(
    real_app, real_settings, start_consumer, feed, said, queue: TrackerHuey
):
    consumer = start_consumer("huey" if queue is huey else "backfill_huey")
    workers = consumer.children()
    hostile = unreadable(real_settings.instance_path)
    for data in hostile:
        queue.storage.enqueue(data, 200)
    good = good_run(queue)
    assert ended(good).state == RunState.SUCCESS
    kept = wait_for(lambda: found if len(found := letters()) == len(hostile) else None)
    assert sorted(letter.size for letter in kept) == sorted(len(data) for data in hostile)
    assert all(letter.reason and letter.queue == queue.name for letter in kept)
    assert said().count("a message could not be read") == len(hostile)
    assert "Traceback" not in said()
    asked_for = select(TaskRun.id).where(TaskRun.trigger != Trigger.SCHEDULE)  # a minute may begin
    assert list(db.session.scalars(asked_for)) == [good]
    assert not harmed(real_settings.instance_path)
    assert consumer.has_lost_nobody(workers)


def test_hostile_messages_in_the_schedule_end_there_too(
    real_app, real_settings, start_consumer, said
):
    hostile = [data for data in unreadable(real_settings.instance_path) if data]
    connection = huey.storage.conn
    connection.zadd(huey.storage.schedule_key, dict.fromkeys(hostile, 0))
    consumer = start_consumer()
    workers = consumer.children()
    assert ended(good_run(huey)).state == RunState.SUCCESS
    wait_for(lambda: len(letters()) == len(set(hostile)))
    assert not harmed(real_settings.instance_path)
    assert consumer.has_lost_nobody(workers)


@pytest.mark.parametrize("queue", [huey, backfill_huey], ids=["live", "backfill"])
@pytest.mark.parametrize("place", ["queue", "schedule"])
def test_run_that_nobody_asked_for_is_not_run(
    real_app, start_consumer, feed, said, queue: TrackerHuey, place: str
):
    consumer = start_consumer("huey" if queue is huey else "backfill_huey")
    workers = consumer.children()
    for data in unasked(queue):
        if place == "queue":
            queue.storage.enqueue(data, 200)
        else:
            queue.storage.conn.zadd(queue.storage.schedule_key, {data: 0})
    wait_for(
        lambda: said().count("has been taken or has ended: message dropped") == len(unasked(queue))
    )
    good = good_run(queue)
    assert ended(good).state == RunState.SUCCESS
    assert not queue.storage.enqueued_items()
    assert not queue.storage.scheduled_items()
    assert letters() == []
    assert "Traceback" not in said()
    db.session.rollback()
    asked_for = select(TaskRun.id).where(TaskRun.trigger != Trigger.SCHEDULE)  # a minute may begin
    assert list(db.session.scalars(asked_for)) == [good]
    if queue is backfill_huey:
        assert len(feed.requests) == 1
    assert consumer.has_lost_nobody(workers)


FORGED: tuple[dict[str, Any], ...] = (
    *(
        {"args": {"!tuple": args}}
        for args in (
            ["NBA", "1990-01-01", "2025-12-31"], ["NFL", "2026-02-03", "2026-02-03"],
            ["NBA", "2026-01-01"], ["NBA", "x", "y"], ["' OR 1=1", "2026-01-01", "2026-01-02"],
            [["NBA"], {}, None], ["NBA", 10**30, "2026-01-01"], [1, 2, 3, 4, 5],
            ["\ud83c\udfc8", "a\x00b", "é"], ["{{7*7}}", "2026-01-01", "2026-01-02"],
        )
    ),
    {"kwargs": {"league": "NFL"}},
)  # fmt: skip


def test_forged_message_is_not_run_and_what_was_asked_for_is(real_app, start_consumer, feed, said):
    asked = [forge(day, fields) for day, fields in enumerate(FORGED, 3)]
    consumer = start_consumer("backfill_huey", door=harm.HURRY)
    workers = consumer.children()
    runs = [ended(run_id) for run_id in asked]
    assert [(run.state, run.attempt) for run in runs] == [(RunState.SUCCESS, 1)] * len(asked)
    assert sorted(feed.asked()) == [f"nba 202602{day:02}" for day in range(3, 3 + len(asked))]
    assert [letter.reason for letter in letters()] == [
        "the message differs from the run that it names"
    ] * len(asked)
    assert "Traceback" not in said()
    assert consumer.has_lost_nobody(workers)


def test_message_that_names_another_task_is_not_run(real_app, start_consumer, feed, said):
    run_id = sync_all_live_games().id
    (data,) = huey.storage.enqueued_items()
    huey.storage.flush_queue()
    huey.storage.enqueue(data.replace(b"sync_all_live_games", b"sync_all_teams"), 100)
    start_consumer(door=harm.HURRY)
    assert ended(run_id).state == RunState.SUCCESS
    assert feed.asked("teams") == []
    assert len(letters()) == 1


def test_message_that_says_it_has_expired_drops_no_run(real_app, start_consumer, feed):
    run_id = forge(3, {"expires_resolved": {"!datetime": "2020-01-01T00:00:00"}})
    start_consumer("backfill_huey", door=harm.HURRY)
    assert ended(run_id).state == RunState.SUCCESS


def forge(day: int, fields: dict[str, Any]) -> str:
    """Asks for a backfill of a day, and replaces fields of its message; its id."""
    run_id = sync_date_range_task("NBA", f"2026-02-{day:02}", f"2026-02-{day:02}").id
    *before, data = backfill_huey.storage.enqueued_items()
    document = json.loads(data)
    assert document["task"]["!message"]["id"] == run_id
    document["task"]["!message"] |= fields
    backfill_huey.storage.flush_queue()
    for one in (*before, json.dumps(document).encode()):
        backfill_huey.storage.enqueue(one, 10)
    return run_id


def good_run(queue: TrackerHuey) -> str:
    """Asks for a run that goes well, and is no more urgent than what waits; its id."""
    if queue is huey:
        return sync_all_live_games().id
    return sync_date_range_task("NBA", "2026-01-02", "2026-01-02").id

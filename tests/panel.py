"""A signed-in admin's requests to the panel; and rows for the ledger, as a test needs them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import event, insert, select, update
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db, write_connection, writing
from sportsapp.db.models import (
    AdminUser,
    Batch,
    ConsumerProcess,
    LeagueRow,
    RunLine,
    RunState,
    ScheduleRow,
    TaskRun,
    Trigger,
)
from sportsapp.queue.huey import backfill_huey, huey
from sportsapp.runs.rows import find_run

NAME, PASSWORD = "maria", "a long pass phrase"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class PanelVisitor:
    """A browser at the panel, without a window."""

    client: FlaskClient

    def open(self, path: str, method: str = "GET", **more: Any) -> TestResponse:
        """Request in an app context of its own, as a server does: ``g`` keeps who is signed in."""
        with self.client.application.app_context():
            return self.client.open(path, method=method, buffered=True, **more)

    def get(self, path: str, status: int = 200) -> str:
        """A page's text, after its redirects."""
        answer = self.open(path, follow_redirects=True)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.text

    def token(self, path: str = "/admin/sign-in") -> str:
        """The CSRF token of a page's form."""
        return TOKEN.search(self.open(path, follow_redirects=True).text)[1]

    def sign_in(self, name: str = NAME, password: str = PASSWORD, **more: str) -> TestResponse:
        """Send the sign-in form."""
        form = {"username": name, "password": password, "csrf_token": self.token(), **more}
        return self.open("/admin/sign-in", "POST", data=form)

    def post(self, path: str, /, **form: Any) -> TestResponse:
        """Send a form with a token, without following where it leads."""
        own = {"your_password": PASSWORD} if path.startswith("/admin/account") else {}
        form = {"csrf_token": self.token("/admin/accounts/"), **own, **form}
        return self.open(path, "POST", data=form)

    def message_after(self, path: str, /, **form: Any) -> str:
        """Send a form; the messages on the page that it leads back to."""
        answer = self.post(path, **form)
        assert answer.status_code == 303, f"{answer.status_code} {answer.text[:300]}"
        return messages_of(self.get("/admin/accounts/"))


def messages_of(page: str) -> str:
    """The messages on a page, one a line."""
    return "\n".join(
        unescape(message) for message in re.findall(r'<p class="note[^>]*>(.*?)</p>', page)
    )


def signed_in(app: Any, name: str = NAME) -> PanelVisitor:
    """A new account, signed in. Its hash is a cheap one: many tests start with it."""
    visitor = PanelVisitor(app.test_client())
    hashed = generate_password_hash(PASSWORD, "pbkdf2:sha256:1")
    account = AdminUser(username=name, password_hash=hashed, created_at=utc_now())
    with writing(db.session):
        db.session.add(account)
    assert visitor.sign_in(name).status_code == 303
    return visitor


def row(run_id: str) -> TaskRun:
    """A run as the database has it now."""
    db.session.rollback()
    return find_run(run_id)


def change(run_id: str, **values: object) -> None:
    """Set columns of a run, past the ledger."""
    with write_connection() as connection:
        connection.execute(update(TaskRun).where(TaskRun.id == run_id).values(**values))


def runs_of(task: str) -> list[TaskRun]:
    """A task's runs, oldest first."""
    db.session.rollback()
    statement = select(TaskRun).where(TaskRun.task == task).order_by(TaskRun.queued_at)
    return list(db.session.scalars(statement))


def add_lines(run_id: str, *said: str, attempt: int = 1, first: int = 1) -> None:
    """Write log lines of a run, numbered from ``first`` on."""
    rows = [
        {
            "run_id": run_id,
            "attempt": attempt,
            "number": number,
            "at": utc_now(),
            "level": "INFO",
            "text": text,
        }
        for number, text in enumerate(said, first)
    ]
    with write_connection() as connection:
        connection.execute(insert(RunLine), rows)


def add_run(task: str = "sync_daily_schedule", state: str = RunState.SUCCESS, **values: Any) -> str:
    """Write a run into the ledger; its id. ``ago`` is how long ago it was queued."""
    at = utc_now() - values.pop("ago", timedelta(minutes=5))
    run_id = values.pop("id", str(uuid.uuid4()))
    is_over = state not in (RunState.PENDING, RunState.RETRY, RunState.STARTED)
    row = {
        "queue": "sportsapp",
        "args": {},
        "trigger": Trigger.SCHEDULE,
        "queued_at": at,
        "due_at": at,
        "started_at": at,
        "heartbeat_at": at,
        "attempt": 1,
        "host": "box",
        "pid": 7,
        "finished_at": at + timedelta(seconds=2) if is_over else None,
    }
    row |= values
    if row["started_at"] and row["finished_at"]:
        took = (row["finished_at"] - row["started_at"]).total_seconds()
        row.setdefault("took_seconds", took)
    with writing(db.session):
        db.session.add(TaskRun(id=run_id, task=task, state=state, **row))
    return run_id


def add_failure(fingerprint: str = "abc123", error: str = "it broke", **values: Any) -> str:
    """A run that failed for good."""
    trace = 'Traceback (most recent call last):\n  File "feed.py", line 1\nValueError: it broke\n'
    more = {"error": error, "fingerprint": fingerprint, "traceback": trace, **values}
    return add_run(state=RunState.FAILURE, **more)


def add_batch(batch_id: str = "b1", name: str = "NBA from 2016", **values: object) -> str:
    """A batch; its id. Its runs are those with this id as ``batch_id``."""
    rows = {"trigger": "admin", "asked_by": "maria", "made_at": utc_now(), "runs": 3, **values}
    with writing(db.session):
        db.session.add(Batch(id=batch_id, name=name, **rows))
    return batch_id


def add_consumer(queue: str = "sportsapp", role: str = "worker", **values: Any) -> None:
    """A live process of a consumer."""
    now = utc_now()
    row = {"host": "box", "pid": 41, "started_at": now, "beat_at": now, **values}
    with writing(db.session):
        db.session.add(ConsumerProcess(queue=queue, role=role, **row))


def add_league(slug: str = "nba", **values: Any) -> int:
    """A league; its id."""
    now = utc_now()
    row = {"name": slug.upper(), "created_at": now, "updated_at": now, "polled_at": now, **values}
    league = LeagueRow(slug=slug, **row)
    with writing(db.session):
        db.session.add(league)
    return league.id


def begin(task: str, ago: timedelta) -> None:
    """A scheduler has known this task for so long."""
    with writing(db.session):
        db.session.merge(ScheduleRow(task=task, paused=False, since_at=utc_now() - ago))


def make_well() -> None:
    """Give an instance what it needs to be well: live consumers, a schedule, polled leagues."""
    for queue in (huey, backfill_huey):
        add_consumer(queue.name)
        add_consumer(queue.name, "scheduler", pid=42)
    for name in huey.periodic_tasks:
        begin(name, timedelta(seconds=5))
    for slug in ("nfl", "nba", "mlb", "nhl"):
        add_league(slug)
    db.session.rollback()


@dataclass
class Statements:
    """The SQL statements that were sent within ``counted``."""

    texts: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)


@contextmanager
def counted() -> Iterator[Statements]:
    """Counts statements, those that begin and end transactions left out."""
    seen = Statements()

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            seen.texts.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)

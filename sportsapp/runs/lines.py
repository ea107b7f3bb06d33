"""The log lines of runs: kept while a run is at work, the newest of each attempt, and read.

A logging handler for each attempt collects the lines whose context names its run. It never waits
for the database: a thread writes what has come, a second after the first of it, and the end of the
attempt writes the rest.
"""

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask import current_app
from sqlalchemy import Engine, Row, Table, delete, insert, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.clock import iso_utc
from sportsapp.core.log_context import log_fields
from sportsapp.core.outages import WRITES, reason_of
from sportsapp.core.printable import printable
from sportsapp.core.secrets import scrub
from sportsapp.db.engine import AnySession, write_connection
from sportsapp.db.models.run import RunLine
from sportsapp.runs.progress import CurrentRun

logger = logging.getLogger(__name__)

KEPT = 200
"""Lines of one attempt; the oldest are dropped."""
EVERY_SECONDS = 1.0
TEXT_LIMIT = 2_000
SECRETS = "HIDDEN_VALUES"
"""The app's config has under this name what no line may contain."""

LINES: Table = RunLine.__table__


@contextmanager
def keep_lines(engine: Engine, run: CurrentRun) -> Iterator[None]:
    """Keep the lines that the block logs for this run. Needs an app context.

    Lines that the database does not take are lost, which is one line of the log; the block goes on.
    """
    handler = LineKeeper(engine, run, current_app.config[SECRETS])
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.write()


class LineKeeper(logging.Handler):
    """Collects the lines of one attempt, in any thread, and writes them."""

    def __init__(self, engine: Engine, run: CurrentRun, secrets: Sequence[str]) -> None:
        super().__init__()
        self._engine = engine
        self._key = {"run_id": run.row.id, "attempt": run.row.attempt}
        self._secrets = secrets
        self._count = 0
        self._new: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._is_writing = threading.Lock()
        self._timer: threading.Timer | None = None
        self._is_lost = False

    def emit(self, record: logging.LogRecord) -> None:
        """Collect a line; the caller holds this handler's lock, and may hold any of SQLAlchemy."""
        if log_fields().get("run") != self._key["run_id"]:
            return
        try:
            text = record.getMessage()
            if record.exc_info and (error := record.exc_info[1]):
                text += f" {type(error).__name__}: {error}"
        except Exception:  # noqa: BLE001 - as every handler: a malformed line must not fail the run
            self.handleError(record)
            return
        self._count += 1
        self._new.append(
            self._key
            | {
                "number": self._count,
                "at": datetime.fromtimestamp(record.created, UTC),
                "level": record.levelname,
                "text": printable(scrub(text, self._secrets))[:TEXT_LIMIT],
            }
        )
        if self._timer is None:
            self._timer = threading.Timer(EVERY_SECONDS, self.write)
            self._timer.daemon = True
            self._timer.start()

    def write(self) -> None:
        """Write what has come since the last time, in one transaction; nothing for no line."""
        with self._is_writing:  # in the order in which they came
            with self.lock:  # type: ignore[union-attr]  # typed as one that may be missing
                rows = list(self._new)
                self._new.clear()
                if self._timer:
                    self._timer.cancel()
                    self._timer = None
            if not rows:
                return
            dropped = rows[-1]["number"] - KEPT
            mine = LINES.c.run_id == self._key["run_id"], LINES.c.attempt == self._key["attempt"]
            try:
                with write_connection(self._engine) as connection:
                    connection.execute(insert(LINES), rows)
                    if dropped > 0:
                        connection.execute(delete(LINES).where(*mine, LINES.c.number <= dropped))
            except SQLAlchemyError as error:
                if not self._is_lost:
                    self._is_lost = True
                    text = "run %s: lines of its log are lost: %s"
                    logger.warning(text, self._key["run_id"], reason_of(error), extra=WRITES.lines)


# ---------------------------------------------------------------- reading


def lines_of(
    session: AnySession, run_id: str, limit: int, after: tuple[int, int] = (0, 0)
) -> Sequence[Row[Any]]:
    """The oldest lines of a run after this attempt and number, in order: the columns of RunLine."""
    later = tuple_(LINES.c.attempt, LINES.c.number) > after
    rows = select(LINES).where(LINES.c.run_id == run_id, later)
    order = LINES.c.attempt, LINES.c.number
    return session.execute(rows.order_by(*order).limit(limit)).all()


def newest_lines(session: AnySession, run_id: str, limit: int) -> Sequence[Row[Any]]:
    """The newest lines of a run, in order."""
    order = LINES.c.attempt.desc(), LINES.c.number.desc()
    rows = select(LINES).where(LINES.c.run_id == run_id).order_by(*order).limit(limit)
    return session.execute(rows).all()[::-1]


def line_as_json(line: Row[Any]) -> dict[str, Any]:
    """A line as ``flask tasks logs --json`` prints it."""
    names = ("attempt", "number", "at", "level", "text")
    return {name: getattr(line, name) for name in names} | {"at": iso_utc(line.at)}

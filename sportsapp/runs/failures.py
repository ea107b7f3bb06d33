"""Failures that need nobody any more: a later success without errors has resolved them, or a person
has dismissed them. They stay in the ledger.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, cast, exists, literal_column, select, update

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import DismissalError
from sportsapp.db.engine import write_connection
from sportsapp.db.models.run import OUTSTANDING, has_failed
from sportsapp.runs.rows import RUNS

WORD_LIMIT = 100

_failure, _success = RUNS.alias("failure"), RUNS.alias("success")

# RETURNING has it in the statement that starts a run, so that no run needs another one to know it.
# The run's own columns are literal: after RETURNING SQLAlchemy leaves the table out on SQLite.
HAS_UNRESOLVED = (
    exists()
    .where(has_failed(_failure.c), _failure.c.resolved_at.is_(None))
    .where(_failure.c.task == literal_column(f"{RUNS.name}.task"))
    .where(cast(_failure.c.args, Text) == cast(literal_column(f"{RUNS.name}.args"), Text))
    .label("has_unresolved")
)
"""Whether a run's task has failed with the same arguments, and not succeeded since."""


def resolve_failures(connection: Connection, run: Any, now: datetime) -> None:
    """Resolve the failures of the same task and arguments as this run, which has succeeded
    without errors.

    ``run`` is its row, with ``id`` and ``task``.
    """
    args = select(cast(_success.c.args, Text)).where(_success.c.id == run.id).scalar_subquery()
    same_work = RUNS.c.task == run.task, cast(RUNS.c.args, Text) == args
    failures = update(RUNS).where(has_failed(RUNS.c), RUNS.c.resolved_at.is_(None), *same_work)
    connection.execute(failures.values(resolved_at=now))


def dismiss_failures(which: ColumnElement[bool], word: str, by: str) -> int:
    """Dismiss the outstanding failures that meet a condition; how many those were.

    ``word`` says why, ``by`` who does it. Raises DismissalError for a bad word.
    """
    values = {"dismissed_at": utc_now(), "dismissed_by": by, "dismissed_word": checked_word(word)}
    with write_connection() as connection:
        return connection.execute(update(RUNS).where(OUTSTANDING, which).values(values)).rowcount


def checked_word(text: str) -> str:
    """The word without the spaces around it. Raises DismissalError for none, and for a long one."""
    word = text.strip()
    if not 0 < len(word) <= WORD_LIMIT or not word.isprintable():
        raise DismissalError(f"a dismissal needs a word that says why: 1 to {WORD_LIMIT} letters")
    return word

"""What a check is, what it finds, and what it looks at.

A check is a function that yields what it found. Another one is such a function, a place in
``CHECKS`` (``__init__.py``: causes before consequences) and a row in docs/operating.md; everything
that shows checks then has it::

    @check("letters", "messages could not be read", needs=("database",))
    def check_letters(look: Look) -> Iterator[Finding]:
        if count := reports.dead_letters(look.session, 0)[0]:
            yield warn(f"{count} messages could not be read", "see Failures in the panel")
        else:
            yield ok("every message could be read")
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from sportsapp.core.settings import Settings
from sportsapp.db.engine import AnySession
from sportsapp.feed.client import FeedClient
from sportsapp.queue.huey import TrackerHuey

PATIENCE = timedelta(minutes=2)


class State(StrEnum):
    """OK; WARN can wait until the morning; WRONG needs somebody now; UNKNOWN: not checked."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARN = "WARN"
    WRONG = "WRONG"

    @property
    def level(self) -> int:
        """0 for OK, 1 for WARN, 2 for WRONG; -1 for UNKNOWN."""
        return {State.OK: 0, State.WARN: 1, State.WRONG: 2}.get(self, -1)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found, for operators, and what to do about it, "" for nothing.

    ``public`` is what strangers may read of it, without hosts, paths and errors, "" for the
    check's ``fault``.
    ``subject`` is the task or league it is about, "" for the check itself; ``details`` are further
    fields of its alert.
    """

    state: State
    text: str
    do: str = ""
    public: str = ""
    subject: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def _finding(state: State, text: str, do: str = "", **more: Any) -> Finding:
    return Finding(state=state, text=text, do=do, **more)


ok = partial(_finding, State.OK)
warn = partial(_finding, State.WARN)
wrong = partial(_finding, State.WRONG)


@dataclass
class Look:
    """What the checks look at, at the moment ``now``; needs an app context.

    A ``thorough`` look may take a minute: it asks the feed, and reads all of the database's file.
    Others go by what ticks and nightly runs have stored.
    """

    settings: Settings
    queues: Sequence[TrackerHuey]
    feed_client: FeedClient
    session: AnySession
    now: datetime
    thorough: bool = False
    requested: dict[str, tuple[str, str]] | None = None
    """What the feed answered to this look, see ``feed.py``; None while it was not asked."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check. ``fault`` is what is wrong when it is not OK, for strangers.

    It is not run while one of the checks in ``needs`` is WRONG. A check that makes the host
    ``unready`` does so while it is WRONG. ``kind`` is that of its alerts, "" for none, which begin
    when it has been WRONG for ``patience``, and end with ``well``. An ``is_local`` check is about
    this machine.
    """

    name: str
    fault: str
    run: Callable[[Look], Iterator[Finding]]
    needs: tuple[str, ...] = ()
    unready: bool = False
    is_local: bool = False
    kind: str = ""
    patience: timedelta = PATIENCE
    well: str = "it is well again"


def check(name: str, fault: str, **more: Any) -> Callable[[Callable[[Look], Any]], Check]:
    """Make a function a Check; its alerts are of the kind ``name`` unless ``kind`` says otherwise.

    ``more`` are further fields of Check.
    """
    more.setdefault("kind", name)
    return lambda run: Check(name=name, fault=fault, run=run, **more)


@dataclass(frozen=True)
class Result:
    """What a check found: one finding or more, in its order."""

    check: Check
    findings: tuple[Finding, ...]

    @property
    def state(self) -> State:
        """The worst state of the findings."""
        states = (finding.state for finding in self.findings)
        return max(states, key=lambda state: state.level, default=State.OK)

    @property
    def is_unready(self) -> bool:
        """Whether this makes the host unready; unknown is, since what it needs is WRONG."""
        return self.check.unready and self.state in (State.WRONG, State.UNKNOWN)

    @property
    def problems(self) -> list[Finding]:
        """The findings that are WARN or WRONG, the worst first."""
        problems = [finding for finding in self.findings if finding.state.level > 0]
        return sorted(problems, key=lambda finding: -finding.state.level)

    @property
    def public(self) -> str:
        """What was found, as strangers may read it."""
        if self.state == State.UNKNOWN:
            return self.findings[0].text
        texts = [finding.public or self.check.fault for finding in self.problems]
        return ", ".join(dict.fromkeys(texts)) or State.OK

"""What every sync is handed, and what it returns.

Serves the syncs beside it. Callers (tasks, commands, tests) pass in the client, the session and
the time; nothing below them looks for a global.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from sportsapp.core.errors import TrackerError
from sportsapp.core.leagues import League
from sportsapp.core.log_context import add_log_fields
from sportsapp.db.engine import AnySession
from sportsapp.feed.client import Answer, FeedClient
from sportsapp.sync.fields import Notes
from sportsapp.sync.tally import Tally
from sportsapp.sync.watch import FeedWatch, handle

Progress = Callable[[int, int, dict[str, Any] | None], None]


def no_progress(_done: int, _total: int, _resume: dict[str, Any] | None = None) -> None:
    """The progress callback of a caller who does not follow a sync."""


@dataclass(frozen=True)
class SyncContext:
    """What every sync needs.

    ``now`` is the time of the sync, aware and in UTC; ``clock`` gives the current one, for a sync
    that takes long. ``run_id`` is the task run that changed games are marked with. ``watch`` gets
    each league's errors. A ``scheduled`` sync keeps to the watch's pauses; one that a person
    requested does not. It is ``thorough``: it decodes every answer, also one whose digest is
    stored.

    ``progress`` is called with the steps done, the steps in all and, where the sync can be resumed,
    the point to resume from. It may raise to stop the sync there. ``resume`` is the point that an
    earlier attempt of the run has left. ``tally`` counts what the sync does to each league, for the
    log. ``is_stopping`` returns whether a live sync is to wait for no answer any more.
    """

    client: FeedClient
    session: AnySession
    now: datetime
    run_id: str | None = None
    watch: FeedWatch | None = None
    scheduled: bool = False
    clock: Callable[[], datetime] | None = None
    progress: Progress = no_progress
    thorough: bool = False
    resume: Mapping[str, Any] | None = None
    tally: Tally = field(default_factory=Tally)
    is_stopping: Callable[[], bool] = lambda: False

    def with_current_time(self) -> SyncContext:
        """This context with ``now`` moved on to the clock's time; itself without a clock."""
        return replace(self, now=self.clock()) if self.clock else self

    def report(self, league: League, error: TrackerError) -> None:
        """Call the handler of a league's error, when there is a watch."""
        if self.watch is not None:
            handle(error, self.watch, league, self.now)

    def count_fields(
        self, league: League, league_id: int, kind: str, notes: Notes, body: bytes
    ) -> None:
        """Count the fields of an answer that was decoded, when there is a watch. Commits.

        ``kind`` is scoreboard, teams, standings or roster.
        """
        if self.watch is not None:
            self.watch.count_fields(league, league_id, kind, notes, body, self.now)


def league_call(
    request: Callable[..., Answer], league: League, *arguments: object
) -> Callable[[], Answer]:
    """A request of the client for ``fetch_all``; its log lines name the league."""
    return add_log_fields(league=league.label)(partial(request, league, *arguments))


@dataclass
class SyncResult:
    """``synced`` games (or teams): those that the feed listed and that are stored now.

    They count whether they changed or not. ``errors`` has a line for each part that failed,
    ``left_out`` for each that was not asked for, since the feed has nothing there. ``box_scores``
    are the finals of a range whose summaries are stored now.
    """

    synced: int = 0
    errors: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    box_scores: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The task's return value, as docs/reference.md promises it: what is empty is left out."""
        always = "synced", "errors"
        return {name: value for name, value in asdict(self).items() if value or name in always}


@dataclass
class LeaguesResult:
    """Leagues stored for the first time (``created``) and again (``updated``), changed or not."""

    created: int = 0
    updated: int = 0
    errors: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The task's return value, as docs/reference.md promises it."""
        return asdict(self)

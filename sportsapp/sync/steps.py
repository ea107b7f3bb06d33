"""Steps of a sync that takes long: after whatever kills its worker it goes on with the lost one.

A step is one request, or a few at the same time, and what they store. The steps that are left are
written down before each of them, with the result so far; so one step at most is done twice, which
changes nothing. Every sync that may take over a minute is made of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from sportsapp.core.errors import AllLeaguesFailedError, TrackerError
from sportsapp.core.leagues import League
from sportsapp.sync.context import SyncContext

Step = list[Any]
"""Values that JSON holds: by our custom the kind of the step, and what it is about."""

R = TypeVar("R", bound=Any)
T = TypeVar("T")


def parts_of(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """These items in their order, in parts of so many, of which the last may be smaller."""
    return [items[start : start + size] for start in range(0, len(items), size)]


class Steps(Generic[R]):
    """The steps of a sync, and its result, over all attempts of its run.

    ::

        steps = Steps(context, [["teams", "nfl"], ["teams", "nba"]], SyncResult())
        for context, (kind, slug) in steps:
            ...
            steps.result.synced += 1
            steps.todo.append(["rosters", slug])

    Goes on from ``context.resume`` if that is a point of steps, and else begins with ``first`` and
    an empty ``result``. ``todo`` are the steps that follow the current one; the loop may change
    them. ``failures`` are the errors of leagues, by slug; ``kept`` is whatever else the next
    attempt needs, as JSON.
    """

    def __init__(self, context: SyncContext, first: Iterable[Step], result: R) -> None:
        point = context.resume or {}
        if not isinstance(point.get("todo"), list):  # there is none, or it is of another release
            point = {"done": 0, "todo": list(first), "failures": {}, "kept": {}, "result": {}}
        self.context = context
        self.done: int = point["done"]
        self.todo: list[Step] = list(point["todo"])
        self.kept: dict[str, Any] = dict(point["kept"])
        self.result: R = type(result)(**point["result"])
        self.failures: dict[str, TrackerError] = {}
        for slug, (text, retryable) in point["failures"].items():
            self.failures[slug] = error = TrackerError(text)
            error.retryable = retryable

    def __iter__(self) -> Iterator[tuple[SyncContext, Step]]:
        """Each step, with the context of its time.

        Calls ``context.progress`` before the first and after each, which may raise to stop there.
        """
        while self.todo:
            self._report()
            step = self.todo.pop(0)
            yield self.context.with_current_time(), step
            self.done += 1
        self._report()

    def begin_anew(self) -> None:
        """Let a retry begin with the first step: nothing could be read."""
        self.context.progress(0, self.done, None)

    def raise_if_all_failed(self, leagues: Iterable[League]) -> None:
        """Raise AllLeaguesFailedError if each of these leagues failed; a retry begins anew then."""
        slugs = [league.slug for league in leagues]
        if slugs and all(slug in self.failures for slug in slugs):
            self.begin_anew()
            raise AllLeaguesFailedError({slug: self.failures[slug] for slug in slugs})

    def _report(self) -> None:
        failures = {slug: [str(error), error.retryable] for slug, error in self.failures.items()}
        # the result comes last: a point that is too long for its row is cut at the end
        point = {"done": self.done, "todo": [*self.todo], "failures": failures, "kept": self.kept}
        point["result"] = self.result.as_dict()
        self.context.progress(self.done, self.done + len(self.todo), point)

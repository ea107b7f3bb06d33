"""Several requests to the feed at the same time."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextvars import copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

from sportsapp.core.errors import PayloadError, TrackerError
from sportsapp.feed.client import Answer

K = TypeVar("K")

PARALLEL = 4


@dataclass(frozen=True, slots=True)
class Fetched(Generic[K]):
    """One request that has ended: the key it was made for, and its answer or its error."""

    key: K
    answer: Answer | None = None
    error: TrackerError | None = None

    def result(self) -> Answer:
        """The answer. Raises the request's error when there is none."""
        if self.answer is None:
            raise self.error or PayloadError("no answer")
        return self.answer


def fetch_all(calls: Mapping[K, Callable[[], Answer]]) -> Iterator[Fetched[K]]:
    """Make the calls, at most PARALLEL at a time, and yield each in the order they end.

    A TrackerError of a call is in its Fetched; anything else is raised here. A task's time
    limit can interrupt this at any moment: calls that have not started are then dropped, and
    those in progress are not waited for.
    """
    pool = ThreadPoolExecutor(max_workers=PARALLEL, thread_name_prefix="feed")
    try:
        # each call in a copy of this context, so that its log lines name the run and the league
        futures: dict[Future[Answer], K] = {
            pool.submit(copy_context().run, call): key for key, call in calls.items()
        }
        for future in as_completed(futures):
            key = futures[future]
            try:
                fetched = Fetched(key, answer=future.result())
            except TrackerError as error:
                fetched = Fetched(key, error=error)
            yield fetched
    finally:
        pool.shutdown(wait=False, cancel_futures=True)

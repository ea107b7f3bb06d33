"""Several requests to the feed at the same time."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextvars import copy_context
from typing import TypeVar

from sportsapp.feed.client import Answer

K = TypeVar("K")

PARALLEL = 4


def fetch_all(calls: Mapping[K, Callable[[], Answer]]) -> Iterator[tuple[K, Future[Answer]]]:
    """Make the calls, at most PARALLEL at a time, and yield each with its key as it ends.

    The future's ``result()`` returns the answer or raises the error of the call. A task's time
    limit can interrupt this at any moment: calls that have not started are then dropped, and
    those in progress are not waited for.
    """
    pool = ThreadPoolExecutor(max_workers=PARALLEL, thread_name_prefix="feed")
    try:
        # each call in a copy of this context, so that its log lines name the run and the league
        futures = {pool.submit(copy_context().run, call): key for key, call in calls.items()}
        for future in as_completed(futures):
            yield futures.pop(future), future  # and keep its answer no longer
    finally:
        pool.shutdown(wait=False, cancel_futures=True)

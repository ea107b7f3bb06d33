"""Several requests to the feed at the same time."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextvars import Context, copy_context
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from sportsapp.core.errors import FeedUnavailableError
from sportsapp.core.outgoing import time_left

K = TypeVar("K")
T = TypeVar("T")

PARALLEL = 4
LOOK_SECONDS = 0.5
"""How often whoever waits for an answer looks whether to stop."""
LATEST = 1.0
"""How long after their time limit the calls are given to end by themselves."""


class FetchStopped(Exception):
    """Answers are not waited for any more, since ``is_stopping`` was true."""


def fetch_all(
    calls: Mapping[K, Callable[[], T]], is_stopping: Callable[[], bool] = lambda: False
) -> Iterator[tuple[K, Future[T]]]:
    """Make the calls, at most PARALLEL at a time, and yield each with its key as it ends.

    The future's ``result()`` returns the answer or raises the error of the call:
    FeedUnavailableError for one that has not ended when the ``time_limit`` of the block is over.
    A task's time limit, or FetchStopped, can interrupt this at any moment: calls that have not
    started are then dropped, and those in progress are waited for neither here nor at the end of
    the process.
    """
    # each call in a copy of this context, so that its log lines name the run and the league
    waiting = [(key, copy_context(), call) for key, call in calls.items()]
    waiting.reverse()
    left = set(calls)
    ended: SimpleQueue[tuple[K, Future[T]]] = SimpleQueue()
    for _ in range(min(PARALLEL, len(waiting))):
        Thread(target=_make_calls, args=(waiting, ended), name="feed", daemon=True).start()
    try:
        while left:
            try:
                key, future = ended.get(timeout=LOOK_SECONDS)
            except Empty:
                if is_stopping():
                    raise FetchStopped from None
                if time_left() > -LATEST:
                    continue
                key, future = next(iter(left)), Future()
                future.set_exception(FeedUnavailableError("no answer in time", url=""))
            if key in left:
                left.remove(key)
                yield key, future
            del future  # and keep its answer no longer
    finally:
        waiting.clear()


def fetch(call: Callable[[], T], is_stopping: Callable[[], bool]) -> T:
    """The answer to one call. Raises its error, and FetchStopped."""
    ((_, future),) = fetch_all({"": call}, is_stopping)
    return future.result()


def _make_calls(
    waiting: list[tuple[Any, Context, Callable[[], Any]]], ended: SimpleQueue[Any]
) -> None:
    while True:
        try:
            key, context, call = waiting.pop()
        except IndexError:
            return
        future: Future[Any] = Future()
        try:
            future.set_result(context.run(call))
        except BaseException as error:  # noqa: BLE001 - whoever reads the future gets it
            future.set_exception(error)
        ended.put((key, future))
        del future  # the next call may take long

"""Every error this project raises on purpose.

::

    TrackerError
      UnknownLeagueError (also LookupError)    a league that is not followed
      DateRangeError (also ValueError)         a day or a range of days that makes no sense
      SettingsError                            a setting that cannot be read
      BrokerUnavailableError                   Redis cannot be reached
      RunNotFoundError (also LookupError)      a task run that the ledger does not have
      UnknownTaskError (also LookupError)      a name that no task has
      OverlapError                             a backfill that waits or runs already: its run_id
      DeadLetterError                          a message that cannot be put back
      ForgedMessageError                       a message that differs from the run it names
      CopyError                                a database that cannot be copied into another
      AccountError                             an admin account that cannot be made or changed so
      WebhookError                             an alert that its receiver did not take
      PollingPausedError                       a league that is not asked by itself for a while
      FeedError                                carries url and status
        FeedUnavailableError                   time-out, connection, 429, 5xx: worth retrying
        FeedRefusedError                       403 and other 4xx: not worth retrying
        PayloadError                           not the JSON we know: carries the path to the field
      AllLeaguesFailedError                    carries the error of each league

``retryable`` says whether the same call may succeed later; the tasks go by it.
"""

from __future__ import annotations

from collections.abc import Sequence


class TrackerError(Exception):
    """Base of all errors that this project raises on purpose."""

    retryable = False


class UnknownLeagueError(TrackerError, LookupError):
    """A league name that is not in the table of leagues, or not followed here."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown league {name!r}: known are {', '.join(known)}")
        self.name = name
        self.known = tuple(known)


class DateRangeError(TrackerError, ValueError):
    """A day or a range of days that is malformed, reversed or out of bounds."""


class SettingsError(TrackerError):
    """A setting whose value cannot be used; the message names it and gives an example."""


class BrokerUnavailableError(TrackerError):
    """Redis did not answer, so nothing could be queued."""

    retryable = True


class RunNotFoundError(TrackerError, LookupError):
    """The ledger has no task run of this id."""


class ForgedMessageError(TrackerError):
    """A message whose task or arguments are not those that the ledger has for its run."""


class UnknownTaskError(TrackerError, LookupError):
    """No task has this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown task {name!r}: known are {', '.join(known)}")


class OverlapError(TrackerError):
    """A backfill of an overlapping range waits or runs already; ``run_id`` is that run's."""

    def __init__(self, message: str, run_id: str) -> None:
        super().__init__(message)
        self.run_id = run_id


class DeadLetterError(TrackerError):
    """A dead letter that was not kept whole, or whose queue is gone, cannot be put back."""


class WebhookError(TrackerError):
    """ALERT_WEBHOOK_URL did not accept a message. The message never contains that URL."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


class PollingPausedError(TrackerError):
    """Scheduled polling leaves this league alone until a moment; what people ask for does not."""


class CopyError(TrackerError):
    """The database to copy into is not empty, or a row in it is not what was copied."""


class AccountError(TrackerError):
    """An admin account that is missing, taken, the last one, or has too short a password."""


class FeedError(TrackerError):
    """Something went wrong between us and the feed.

    ``url`` is what was asked; ``status`` is the HTTP status, None when no answer came.
    """

    def __init__(self, message: str, *, url: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.url = url
        self.status = status


class FeedUnavailableError(FeedError):
    """Time-out, broken connection, 429 or 5xx. ``retry_after`` is in seconds, from a 429 or 503."""

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        url: str = "",
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, url=url, status=status)
        self.retry_after = retry_after


class FeedRefusedError(FeedError):
    """The feed answered 403 or another 4xx: it does not want this request."""


class PayloadError(FeedError):
    """The answer is not the JSON we know. ``path`` leads to the field, such as ``$.events``.

    Retryable: a truncated or an edge server's answer is usually gone a minute later.
    """

    retryable = True

    def __init__(
        self, message: str, *, url: str = "", status: int | None = None, path: str = "$"
    ) -> None:
        super().__init__(message, url=url, status=status)
        self.path = path


class AllLeaguesFailedError(TrackerError):
    """A sync in which not one league could be brought up to date.

    ``failures`` maps the league's slug to its error. Retryable when one of them is.
    """

    def __init__(self, failures: dict[str, TrackerError]) -> None:
        lines = "; ".join(f"{slug.upper()}: {error}" for slug, error in failures.items())
        super().__init__(f"all leagues failed: {lines}")
        self.failures = failures
        self.retryable = any(error.retryable for error in failures.values())

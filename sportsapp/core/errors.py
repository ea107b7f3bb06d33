"""Every error this project raises on purpose.

::

    TrackerError
      UnknownLeagueError (also LookupError)    a league that is not known or not followed
      UnknownGameError (also LookupError)      a game that is not stored
      UnknownSeasonError (also LookupError)    a season of which no game is stored
      DateRangeError (also ValueError)         a day or a range of days that is not valid
      SettingsError                            a setting that is malformed
      BrokerUnavailableError                   Redis cannot be reached
        ForeignBrokerError                     Redis is another database's
      RunNotFoundError (also LookupError)      a task run that is not in the ledger
      UnknownTaskError (also LookupError)      a task name that is not registered
      OverlapError                             the same work is open already: its run_id
      DeadLetterError                          a dead letter that cannot be queued again
      DismissalError                           a failure that cannot be dismissed, or without a word
      ArgumentsError (also ValueError)         arguments that a run's row cannot hold
      CopyError                                a database that cannot be copied into another
      RestoreError                             a backup that cannot be put in place
      AccountError                             an admin account that cannot be created or changed
        PasswordsBusyError                     other passwords are being hashed: worth retrying
      AlertError                             an alert that its receiver did not accept
      PollingPausedError                       a league that is not polled for a while
      FeedError                                carries url and status
        FeedUnavailableError                   time-out, connection, 429, 5xx: worth retrying
        FeedRefusedError                       403 and other 4xx: not worth retrying
        PayloadError                           not the expected JSON: carries path and body
      AllLeaguesFailedError                    carries the error of each league

``retryable`` is whether the same call may succeed later; tasks decide by it whether to retry.
"""

from collections.abc import Sequence
from typing import Any


class TrackerError(Exception):
    """Base of all errors that this project raises on purpose."""

    retryable = False


class UnknownLeagueError(TrackerError, LookupError):
    """A league name that is not in the table of leagues, or not followed here."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown league {name!r}: known are {', '.join(known)}")
        self.name = name
        self.known = tuple(known)


class UnknownGameError(TrackerError, LookupError):
    """A game that is not stored."""

    def __init__(self, league: str, espn_id: object) -> None:
        super().__init__(f"no {league} game {espn_id!r} is stored: sync its day first")


class UnknownSeasonError(TrackerError, LookupError):
    """A season of which no game is stored."""


class DateRangeError(TrackerError, ValueError):
    """A day or a range of days that is malformed, reversed or out of bounds."""


class SettingsError(TrackerError):
    """A malformed setting; the message names it and gives an example."""


class BrokerUnavailableError(TrackerError):
    """Redis did not answer, so nothing could be queued."""

    retryable = True


class ForeignBrokerError(BrokerUnavailableError):
    """The broker is another database's, so nothing was queued, and nothing may be taken from it."""

    retryable = False


class RunNotFoundError(TrackerError, LookupError):
    """The ledger has no task run with this id."""


class NoInstanceError(SettingsError):
    """There is no instance here to read from, and a command that only reads makes none."""


class WrongFeedError(SettingsError):
    """The database holds made-up games, and the real feed would be read into it."""


class UnknownTaskError(TrackerError, LookupError):
    """No task has this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown task {name!r}: known are {', '.join(known)}")


class OverlapError(TrackerError):
    """The same work, or a range that overlaps, waits or is in progress; ``run_id`` is its run."""

    def __init__(self, message: str, run_id: str) -> None:
        super().__init__(message)
        self.run_id = run_id


class QueueFullError(TrackerError):
    """As many runs of this task as may wait do wait already."""


class DeadLetterError(TrackerError):
    """A dead letter cannot be queued again: it was not stored whole, or its queue is gone."""


class DismissalError(TrackerError):
    """A run that is no outstanding failure, or a dismissal without a word that says why."""


class AlertError(TrackerError):
    """A receiver did not accept an alert. The message never contains its address."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


class SubscriptionError(TrackerError, ValueError):
    """A subscription that cannot be: its name is taken or unknown, or a choice is none."""


class SealError(TrackerError):
    """A secret of the database cannot be read with this instance's SECRET_KEY."""


class TargetError(TrackerError, ValueError):
    """No address of a target: its kind is unknown or not offered, or a part is missing.

    The message never contains the address, which is a secret.
    """


class NotifyError(TrackerError):
    """A target did not take a message. The message never contains the target's address."""


class TargetGoneError(NotifyError):
    """A browser does not take messages any more: its visitor switched them off."""


class PollingPausedError(TrackerError):
    """Scheduled polling of this league is paused. Syncs that a person starts are not."""


class ArgumentsError(TrackerError, ValueError):
    """The arguments of a run are larger than its row in the ledger may hold."""


class CopyError(TrackerError):
    """The target database is not empty, or a row in it differs from the source's."""


class RestoreError(TrackerError):
    """A file that is no backup of ours, or a database that is in use; the message names it."""


class AccountError(TrackerError):
    """An admin account that is missing, taken, the last one, or has too short a password."""


class PasswordsBusyError(AccountError):
    """This process computes as many password hashes as it may; worth retrying in a second."""

    retryable = True


class TooManyAttemptsError(AccountError):
    """Too many wrong passwords; worth retrying after ``wait_seconds``."""

    retryable = True

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(f"too many wrong passwords: try again in {wait_seconds} s")
        self.wait_seconds = wait_seconds


class FeedError(TrackerError):
    """A request to the feed failed.

    ``url`` is the request's; ``status`` is the HTTP status, None when there was no answer.
    """

    def __init__(self, message: str, *, url: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.url = url
        self.status = status


class FeedUnavailableError(FeedError):
    """Time-out, broken connection, 429 or 5xx. ``retry_after`` is in seconds, from a 429 or 503."""

    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None, **request: Any) -> None:
        super().__init__(message, **request)
        self.retry_after = retry_after


class FeedRefusedError(FeedError):
    """The feed answered 403 or another 4xx: the same request would be refused again."""


class PayloadError(FeedError):
    """The answer is not the expected JSON. ``path`` leads to the field, such as ``$.events``.

    ``body`` is the answer, None for one that was not read to its end or has too many rows.
    Retryable: a truncated answer, or an edge server's, is usually gone a minute later.
    """

    retryable = True

    def __init__(
        self, message: str, *, path: str = "$", body: bytes | None = None, **request: Any
    ) -> None:
        super().__init__(message, **request)
        self.path, self.body = path, body


class AllLeaguesFailedError(TrackerError):
    """A sync in which every league failed.

    ``failures`` maps the league's slug to its error. Retryable when any of them is. ``is_pause`` is
    whether nothing was requested, since polling of all of them is paused.
    """

    def __init__(self, failures: dict[str, TrackerError]) -> None:
        self.is_pause = all(isinstance(error, PollingPausedError) for error in failures.values())
        lines = "; ".join(f"{slug.upper()}: {error}" for slug, error in failures.items())
        super().__init__(lines if self.is_pause else f"all leagues failed: {lines}")
        self.failures = failures
        self.retryable = any(error.retryable for error in failures.values())

"""When periodic tasks are due: every so many seconds, or at the minutes of a crontab.

A slot is a moment at which a task is due: aware, in UTC, in whole seconds.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from huey import crontab

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


class Every:
    """Due at every whole multiple of some seconds.

    ``seconds`` is called each time, since settings are loaded after the tasks are defined.
    """

    def __init__(self, seconds: Callable[[], int]) -> None:
        self.seconds = seconds

    @property
    def label(self) -> str:
        """The schedule for people, such as "every 60 s"."""
        return f"every {self.seconds()} s"

    def newest_slot(self, after: datetime, now: datetime) -> datetime | None:
        """The newest slot later than ``after`` and not later than ``now``, or None."""
        slot = self._floor(now)
        return slot if slot > after else None

    def next_slot(self, now: datetime) -> datetime:
        """The first slot later than ``now``."""
        return self._floor(now) + timedelta(seconds=self.seconds())

    def _floor(self, moment: datetime) -> datetime:
        seconds = int(moment.timestamp())
        return datetime.fromtimestamp(seconds - seconds % self.seconds(), UTC)


class Cron:
    """Due at the minutes of a crontab, in UTC; ``fields`` are those of Huey's ``crontab``."""

    LONGEST = timedelta(days=8 * 366)
    """No schedule has slots further apart: February 29 is left out in 2100."""

    def __init__(self, label: str, **fields: str) -> None:
        """Raises ValueError for a schedule that is never due, such as one of February 30."""
        self.label = label
        self._is_due = crontab(strict=True, **fields)
        self._is_in_hour = crontab(strict=True, **fields | {"minute": "*"})
        self._is_on = crontab(strict=True, **fields | {"hour": "*", "minute": "*"})
        self._searched_from = datetime.max.replace(tzinfo=UTC)
        self._next_slot = datetime.min.replace(tzinfo=UTC)
        self.next_slot(datetime(2096, 3, 1, tzinfo=UTC))

    def newest_slot(self, after: datetime, now: datetime) -> datetime | None:
        """The newest slot later than ``after`` and not later than ``now``, or None."""
        oldest = max(after, now - self.LONGEST)
        minute = now.astimezone(UTC).replace(second=0, microsecond=0)
        while minute > oldest:
            if self._is_due(minute):
                return minute
            if not self._is_in_hour(minute):  # there may be years between slots
                hour = minute.hour if self._is_on(minute) else 0
                minute = minute.replace(hour=hour, minute=0)
            minute -= MINUTE
        return None

    def next_slot(self, now: datetime) -> datetime:
        """The first slot later than ``now``.

        It is remembered until it has passed, since pages show it.
        """
        if self._searched_from <= now < self._next_slot:
            return self._next_slot
        minute = now.astimezone(UTC).replace(second=0, microsecond=0) + MINUTE
        latest = now + self.LONGEST
        while not self._is_due(minute):
            if minute > latest:
                raise ValueError(f"not due within eight years: {self.label}")
            is_on = self._is_on(minute)
            minute = minute + MINUTE if is_on else minute.replace(hour=0, minute=0) + DAY
        self._searched_from, self._next_slot = now, minute
        return minute


Schedule = Every | Cron
"""When a periodic task is due."""

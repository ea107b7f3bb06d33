"""When periodic tasks are due: every so many seconds, or at the minutes of a crontab.

A slot is a moment at which a task is due: aware, in UTC, in whole seconds.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from huey import crontab

MINUTE = timedelta(minutes=1)


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

    LONGEST = timedelta(days=8)
    """No schedule has slots further apart."""

    def __init__(self, label: str, **fields: str) -> None:
        self.label = label
        self._is_due = crontab(strict=True, **fields)
        self._searched_from = datetime.max.replace(tzinfo=UTC)
        self._next_slot = datetime.min.replace(tzinfo=UTC)

    def newest_slot(self, after: datetime, now: datetime) -> datetime | None:
        """The newest slot later than ``after`` and not later than ``now``, or None.

        Not one from more than eight days ago.
        """
        oldest = max(after, now - self.LONGEST)
        minute = now.astimezone(UTC).replace(second=0, microsecond=0)
        while minute > oldest:
            if self._is_due(minute):
                return minute
            minute -= MINUTE
        return None

    def next_slot(self, now: datetime) -> datetime:
        """The first slot later than ``now``.

        It is remembered until it has passed: pages show it, and to try a week's minutes takes
        as long as to render a page. Raises ValueError if there is no slot within eight days.
        """
        if self._searched_from <= now < self._next_slot:
            return self._next_slot
        minute = now.astimezone(UTC).replace(second=0, microsecond=0)
        for _ in range(self.LONGEST // MINUTE):
            minute += MINUTE
            if self._is_due(minute):
                self._searched_from, self._next_slot = now, minute
                return minute
        raise ValueError(f"no slot within {self.LONGEST.days} days: {self.label}")


Schedule = Every | Cron
"""When a periodic task is due."""

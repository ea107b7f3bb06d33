"""When periodic tasks are due: every so many seconds, or at the minutes of a crontab."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from huey import crontab


class Schedule(Protocol):
    """When a periodic task is due. Slots are aware UTC moments, whole seconds."""

    @property
    def words(self) -> str:
        """The schedule for people."""

    def __call__(self, moment: datetime) -> bool:
        """Whether the task is due at this moment (Huey's ``validate_datetime``)."""

    def newest_slot(self, after: datetime, now: datetime) -> datetime | None:
        """The newest slot later than ``after`` and not later than ``now``."""

    def next_slot(self, now: datetime) -> datetime:
        """The first slot later than ``now``."""


class Every:
    """Due at every whole multiple of some seconds; ``seconds`` is asked for each time."""

    def __init__(self, seconds: Callable[[], int]) -> None:
        self.seconds = seconds

    @property
    def words(self) -> str:
        """The schedule for people."""
        return f"every {self.seconds()} s"

    def __call__(self, moment: datetime) -> bool:
        return self._floor(moment) == moment.replace(microsecond=0)

    def newest_slot(self, after: datetime, now: datetime) -> datetime | None:
        slot = self._floor(now)
        return slot if slot > after else None

    def next_slot(self, now: datetime) -> datetime:
        return self._floor(now) + timedelta(seconds=self.seconds())

    def _floor(self, moment: datetime) -> datetime:
        seconds = int(moment.timestamp())
        return datetime.fromtimestamp(seconds - seconds % self.seconds(), UTC)


class Cron:
    """Due at the minutes of a crontab, in UTC."""

    LONGEST = timedelta(days=8)

    def __init__(self, words: str, **fields: str) -> None:
        self.words = words
        self._matches = crontab(strict=True, **fields)
        self._kept = (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))

    def __call__(self, moment: datetime) -> bool:
        return bool(self._matches(moment))

    def newest_slot(self, after: datetime, now: datetime) -> datetime | None:
        oldest = max(after, now - self.LONGEST)
        minute = now.astimezone(UTC).replace(second=0, microsecond=0)
        while minute > oldest:
            if self(minute):
                return minute
            minute -= timedelta(minutes=1)
        return None

    def next_slot(self, now: datetime) -> datetime:
        """The first slot later than ``now``. A week's search takes a while, so it is kept."""
        since, slot = self._kept
        if not since <= now < slot:
            slot = self._search(now)
            self._kept = (now, slot)
        return slot

    def _search(self, now: datetime) -> datetime:
        minute = now.astimezone(UTC).replace(second=0, microsecond=0)
        for _ in range(int(self.LONGEST.total_seconds() // 60)):
            minute += timedelta(minutes=1)
            if self(minute):
                return minute
        raise ValueError(f"no slot within {self.LONGEST.days} days: {self.words}")

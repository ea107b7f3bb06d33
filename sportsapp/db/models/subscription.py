"""Subscriptions: who is told what about games, and how far the telling is."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from sportsapp.db.types import Base, Json, UtcDateTime

BROWSER = "browser"
"""The kind of a visitor's browser, which the visitor has subscribed: no operator made it."""


class Subscription(Base):
    """A target, and what it is told.

    ``kind`` may be shown; ``address`` is a secret, sealed with the instance's key
    (``core.sealing``). ``leagues`` are slugs and ``teams`` names like ``nfl-12``: an event is told
    that is in one of the leagues or of one of the teams, any event where both are empty.
    ``events`` are ``notify.choices.CHOICES``. Nothing is sent from ``quiet_from`` to ``quiet_to``,
    "HH:MM" of ``zone``, both None without quiet hours, nor before an event is ``delay_seconds``
    old.

    One of a visitor's browser has the kind "browser" and a digest of its ``network``; it is None
    for all others.

    ``event_id`` is the id of the last score event that was told, left out or given up: the next
    message begins after it. ``failures`` are the sendings in a row that were not taken,
    ``failing_since`` the time of the first, ``again_at`` when the next one is due and ``error`` why
    the last one failed; None and empty after one that was taken. ``sent_at`` is when one was taken
    last.
    """

    __tablename__ = "subscriptions"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    address: Mapped[str]
    network: Mapped[str | None]
    leagues: Mapped[list[str]] = mapped_column(Json)
    teams: Mapped[list[str]] = mapped_column(Json)
    events: Mapped[list[str]] = mapped_column(Json)
    hides_scores: Mapped[bool]
    quiet_from: Mapped[str | None]
    quiet_to: Mapped[str | None]
    zone: Mapped[str]
    delay_seconds: Mapped[int]
    paused: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    event_id: Mapped[int]
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    again_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str] = mapped_column(default="")
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

"""Leagues, teams and players. Feed ids are unique within a league, never across leagues."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, and_, column, exists, or_, table
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from sportsapp.core.leagues import BY_SLUG, League
from sportsapp.db.types import Base, Json, UtcDateTime


class LeagueRow(Base):
    """A league that is or was followed: its season, and the state of its feed.

    ``season_begins`` is the first day of the season that the feed's calendar is about.

    ``polled_at`` is when the feed was last read with success, by an answer that covers that day;
    ``failing_since`` is when it began to fail (None while it works) and ``failure`` the text of the
    last error. ``changed_at`` moves whenever anything a reader can see of the league changes.

    Scheduled tasks do not poll the league before ``paused_until`` (the feed refused a request,
    or asked us to wait), and live syncs also not before ``backoff_until``, which grows with the
    number of ``failures`` in a row. One success resets all three.

    ``next_read_at`` is when a league with a live game is read next, as the run that follows it last
    had it: a time a little past is that of a reading in progress, an older one means nothing.

    ``teams_lost_since`` is when the list of its teams began to lack many of them at once, and
    ``teams_lost_answers`` counts such lists in a row (see ``sync.lists``).
    """

    __tablename__ = "leagues"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    season_year: Mapped[int | None]
    season_type: Mapped[int | None]
    season_name: Mapped[str] = mapped_column(default="")
    season_begins: Mapped[date | None]
    polled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failure: Mapped[str] = mapped_column(default="")
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    backoff_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    standings_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    teams_lost_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    teams_lost_answers: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


_other = table(
    "teams", column("id"), column("league_id"), column("abbreviation"), column("listed")
).alias("other")


CALLED = ("abbreviation", "display_name", "short_name")
"""The names of a team that a game shows."""


class Team(Base):
    """A team. ``espn_id`` is unique within its league only.

    ``named_on`` is the day of the newest game or list that named it (None: before this was kept);
    older ones leave its names alone. ``search_words`` are the folded words under which the
    search finds it (``core.folding``).

    ``listed`` is False for a team that is in no list of the league's teams and was stored because
    it is in a game: a guest or an all-star team. ``standing`` maps the feed's names of statistics
    (wins, streak) to their text; ``standing_group`` is the conference, and
    ``standing_position`` counts from 1 within it; ``standing_division`` and
    ``standing_division_position`` likewise, None where there are no divisions.

    ``is_namesake`` is True when another team of the league has the same abbreviation and
    precedence over this one: listed teams precede others, and lower ids higher ones. A team
    without namesakes, or with precedence, has its abbreviation as its address.
    """

    __tablename__ = "teams"
    __table_args__ = (
        UniqueConstraint("league_id", "espn_id"),
        Index("ix_teams_league_id_abbreviation", "league_id", "abbreviation"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    league_id: Mapped[int] = mapped_column(ForeignKey("leagues.id"))
    espn_id: Mapped[str]
    abbreviation: Mapped[str] = mapped_column()
    location: Mapped[str]
    name: Mapped[str]
    display_name: Mapped[str]
    short_name: Mapped[str]
    color: Mapped[str]
    alternate_color: Mapped[str]
    named_on: Mapped[date | None]
    search_words: Mapped[str] = mapped_column(server_default="")
    listed: Mapped[bool] = mapped_column(default=False)
    record: Mapped[str] = mapped_column(default="")
    standing_group: Mapped[str] = mapped_column(default="")
    standing_position: Mapped[int | None]
    standing_division: Mapped[str | None]
    standing_division_position: Mapped[int | None]
    standing: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    is_namesake: Mapped[bool] = column_property(
        exists().where(
            _other.c.league_id == league_id,
            _other.c.abbreviation == abbreviation,
            or_(
                and_(_other.c.listed, listed.is_(False)),
                and_(_other.c.listed == listed, _other.c.id < id),
            ),
        )
    )

    league_row: Mapped[LeagueRow] = relationship(lazy="raise")
    players: Mapped[list[Player]] = relationship(lazy="raise", back_populates="team")

    @property
    def league(self) -> League:
        """The league of ``core.leagues``. ``league_row`` must be loaded."""
        return BY_SLUG[self.league_row.slug]

    def called(self, names: dict[str, str] | None) -> Team:
        """This team under names that it had, for reading only; itself without."""
        if not names:
            return self
        kept = ("espn_id", "location", "name", "color", "alternate_color")
        return Team(**{name: getattr(self, name) for name in kept}, **names)

    @property
    def address(self) -> str:
        """The team's part of a URL: ``MIA``, or ``MIA_193`` for a namesake of another team.

        A team without an abbreviation has ``_193``. No abbreviation contains an underscore, so
        the two forms are never confused.
        """
        if self.abbreviation and not self.is_namesake:
            return self.abbreviation
        return f"{self.abbreviation}_{self.espn_id}"


class FormerAbbreviation(Base):
    """An abbreviation that a team had: its old addresses lead to it, unless another has it now."""

    __tablename__ = "former_abbreviations"

    league_id: Mapped[int] = mapped_column(ForeignKey("leagues.id"), primary_key=True)
    abbreviation: Mapped[str] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))


class Player(Base):
    """A player. ``espn_id`` is unique within the league, so that he keeps his row between teams.

    ``roster_group`` is his part of the roster (offense, Pitchers). ``status`` is that of his injury
    (Questionable), else the feed's word for him (active, suspended). ``active`` is False once no
    roster lists him.
    """

    __tablename__ = "players"
    __table_args__ = (
        UniqueConstraint("league_id", "espn_id"),
        Index("ix_players_team_id", "team_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    league_id: Mapped[int] = mapped_column(ForeignKey("leagues.id"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))
    espn_id: Mapped[str]
    name: Mapped[str]
    jersey: Mapped[str]
    position: Mapped[str]
    position_name: Mapped[str]
    roster_group: Mapped[str]
    status: Mapped[str]
    height: Mapped[str]
    weight: Mapped[str]
    born_on: Mapped[date | None]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    team: Mapped[Team | None] = relationship(lazy="raise", back_populates="players")

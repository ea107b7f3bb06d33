"""Games, and the state of the scoreboards that they are read from."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, case, text, true
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from sportsapp.core.leagues import BY_SLUG, League
from sportsapp.core.records import VANISHED_AFTER
from sportsapp.db.models.league import LeagueRow, Team
from sportsapp.db.types import Base, Json, UtcDateTime

_MISSING: Any = dict.fromkeys(
    ("sqlite_where", "postgresql_where"), text("missing_since IS NOT NULL")
)


class Game(Base):
    """One game. ``espn_id`` is unique within its league only.

    ``day`` is the US Eastern date of the start. ``state`` and ``status`` hold the values of
    ``records.State`` and ``records.Status``; ``detail`` is the feed's own text ("Q3 4:12").

    A team is None while it is not known who will play ("TBD"); a score is None before the start,
    a rank unless the team is among the ranked 25. ``time_set`` is False while only the day is
    known. ``clock_left`` is in seconds of the period, None without a clock. ``linescores`` are
    points by period, from the first.

    ``home_called`` and ``away_called`` are the names (``league.CALLED``) that a team had at the
    time of the game, None where it still has them.

    ``missing_since`` is since when the answers of its day lack the game, or could not be read where
    they have it; None while they list it. ``missing_answers`` counts the whole answers among them,
    and ``vanished_since`` is the same time from the third on, which is when pages show it.
    ``listed`` is False once the game was given up (see ``sync.listed``): its state stays as it was.

    ``updated_at`` moves only when something a reader can see has changed, ``result_at`` when the
    score, the winner or the status has. ``revision`` counts how often the appointment has changed:
    teams, start, place, called off or not. ``changed_by_run`` is the id of the task run that
    changed the game.
    """

    __tablename__ = "games"
    __table_args__ = (
        UniqueConstraint("league_id", "espn_id"),
        Index("ix_games_league_id_day", "league_id", "day"),
        Index("ix_games_day", "day"),
        # A list of the first games reads these two in their order and stops at its limit.
        Index("ix_games_league_id_start_at", "league_id", "start_at", "espn_id"),
        Index("ix_games_league_id_state_start_at", "league_id", "state", "start_at", "espn_id"),
        Index("ix_games_league_id_week", "league_id", "season_year", "season_type", "week"),
        Index("ix_games_home_team_id_season_year", "home_team_id", "season_year"),
        Index("ix_games_away_team_id_season_year", "away_team_id", "season_year"),
        Index("ix_games_missing_since", "missing_since", **_MISSING),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    league_id: Mapped[int] = mapped_column(ForeignKey("leagues.id"))
    espn_id: Mapped[str]
    day: Mapped[date]
    start_at: Mapped[datetime] = mapped_column(UtcDateTime)
    time_set: Mapped[bool]
    season_year: Mapped[int | None]
    season_type: Mapped[int | None]
    week: Mapped[int | None]
    state: Mapped[str]
    status: Mapped[str]
    detail: Mapped[str]
    period: Mapped[int]
    clock: Mapped[str]
    clock_left: Mapped[float | None]
    home_team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))
    away_team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))
    home_score: Mapped[int | None]
    away_score: Mapped[int | None]
    home_record: Mapped[str]
    away_record: Mapped[str]
    home_linescores: Mapped[list[int | None]] = mapped_column(Json)
    away_linescores: Mapped[list[int | None]] = mapped_column(Json)
    home_winner: Mapped[bool | None]
    away_winner: Mapped[bool | None]
    home_hits: Mapped[int | None]
    away_hits: Mapped[int | None]
    home_errors: Mapped[int | None]
    away_errors: Mapped[int | None]
    home_rank: Mapped[int | None]
    away_rank: Mapped[int | None]
    venue: Mapped[str]
    city: Mapped[str]
    neutral_site: Mapped[bool]
    attendance: Mapped[int | None]
    broadcast: Mapped[str]
    note: Mapped[str]
    series: Mapped[str]
    situation: Mapped[dict[str, Any]] = mapped_column(Json)
    leaders: Mapped[list[dict[str, str]]] = mapped_column(Json)
    about: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default="{}")
    home_called: Mapped[dict[str, str] | None] = mapped_column(Json)
    away_called: Mapped[dict[str, str] | None] = mapped_column(Json)
    missing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    missing_answers: Mapped[int] = mapped_column(default=0, server_default="0")
    listed: Mapped[bool] = mapped_column(default=True, server_default=true())
    changed_by_run: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    result_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revision: Mapped[int] = mapped_column(server_default="0")

    vanished_since: Mapped[datetime | None] = column_property(
        case((missing_answers >= VANISHED_AFTER, missing_since))
    )

    league_row: Mapped[LeagueRow] = relationship(lazy="raise")
    home_team_row: Mapped[Team | None] = relationship(lazy="raise", foreign_keys=[home_team_id])
    away_team_row: Mapped[Team | None] = relationship(lazy="raise", foreign_keys=[away_team_id])

    @property
    def home_team(self) -> Team | None:
        """The home team by its name of then. ``home_team_row`` must be loaded."""
        return self.home_team_row and self.home_team_row.called(self.home_called)

    @property
    def away_team(self) -> Team | None:
        """The away team by its name of then. ``away_team_row`` must be loaded."""
        return self.away_team_row and self.away_team_row.called(self.away_called)

    @property
    def league(self) -> League:
        """The league of ``core.leagues``. ``league_row`` must be loaded."""
        return BY_SLUG[self.league_row.slug]


class SummaryRow(Base):
    """The summary of a game as it was last read: box score, plays and the rest in one document.

    It is read and written as a whole, and no query looks inside: a row for each play would be
    hundreds of rows a game, for nothing. What is asked for across games, the players' lines, is
    also in rows (``PlayerLine``); with these a game of which the feed sends 350 to 860 KB takes
    about 20. ``document`` is what ``core.summary.pack`` makes; ``version`` is the VERSION with
    which it was made. ``digest`` is of the feed's bytes, ``read_at`` when they were asked for, and
    ``read_by_run`` the id of the task run that asked, None where no run did.
    """

    __tablename__ = "summaries"

    game_id: Mapped[int] = mapped_column(ForeignKey("games.id"), primary_key=True)
    version: Mapped[int]
    digest: Mapped[str]
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_by_run: Mapped[str | None]
    document: Mapped[bytes] = mapped_column(LargeBinary)


class SummaryFailure(Base):
    """A game whose summary could not be read: how often in a row, and when it is asked for again.

    Only a person's request asks for it before. A summary that is read removes the row.
    """

    __tablename__ = "summary_failures"

    game_id: Mapped[int] = mapped_column(ForeignKey("games.id"), primary_key=True)
    failures: Mapped[int]
    again_at: Mapped[datetime] = mapped_column(UtcDateTime)


class GameDoubt(Base):
    """A stored game of which the feed now gives an earlier state, such as a lower period.

    The feed's servers sometimes return an old copy, so the stored game stays as it is at first.
    ``answers`` counts such answers in a row and ``since_at`` is the time of the first; when they
    go on, the feed's state is stored (see ``sync.doubts``). One good answer removes the row.
    """

    __tablename__ = "game_doubts"

    game_id: Mapped[int] = mapped_column(ForeignKey("games.id"), primary_key=True)
    since_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answers: Mapped[int]


class ScoreEvent(Base):
    """One change in a game between two readings; rows are added and pruned, never changed.

    A higher ``id`` was committed later (docs/decisions/events.md), so it is a reader's cursor.
    ``kind`` holds the values of ``records.EventKind``. ``side`` is "home" or "away" where it is
    one side's; ``points`` is by how much its score went up, below zero where it was corrected.
    ``read_at`` is when the answer that showed the change was asked for, ``detail`` the feed's text
    in it ("Q3 4:12"). The scores are those after the event, None while there are none.
    """

    __tablename__ = "score_events"
    __table_args__ = (
        Index("ix_score_events_league_id", "league_id", "id"),
        Index("ix_score_events_game_id", "game_id", "id"),
        {"sqlite_autoincrement": True},  # else SQLite gives the ids of pruned rows again
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    league_id: Mapped[int] = mapped_column(ForeignKey("leagues.id"))
    game_id: Mapped[int] = mapped_column(ForeignKey("games.id"))
    kind: Mapped[str]
    side: Mapped[str | None]
    points: Mapped[int | None]
    period: Mapped[int]
    detail: Mapped[str]
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)
    home_score: Mapped[int | None]
    away_score: Mapped[int | None]


class Scoreboard(Base):
    """What was last read of one league's day; all of them are the map of what was read.

    ``read_at`` is when the last whole answer that covers the day was asked for, without an error;
    None for a day that was never read to its end. A day without a row was never read at all.

    ``digest`` is of the bytes of the day's own answer: one with the same digest need not be
    decoded. It is empty when the day was read from a month's answer, or not to its end.
    ``game_ids`` are the feed's ids of its games; one that an answer no longer has was moved or
    removed. ``stored_at`` is when the row was last written, or the day last tried as a missed one;
    not when an answer was the same again. ``read_by_run`` is the id of the task run that
    asked for this answer, None where no run did.
    """

    __tablename__ = "scoreboards"

    league_id: Mapped[int] = mapped_column(ForeignKey("leagues.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    digest: Mapped[str]
    game_ids: Mapped[list[str]] = mapped_column(Json)
    stored_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_by_run: Mapped[str | None]


class FailedDay(Base):
    """The last sync of a league's day that failed: when, in which task run, and why.

    The day counts as failed until it is read later than that (``Scoreboard.read_at``). What could
    be read in an answer with an error is stored all the same.
    """

    __tablename__ = "failed_days"

    league_id: Mapped[int] = mapped_column(ForeignKey("leagues.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    failed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    run_id: Mapped[str | None]
    error: Mapped[str]

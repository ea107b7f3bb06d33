"""The rows in the database, and the statements sent to it, without the models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import event, select, text, update

from sportsapp.core.clock import each_day, utc_now
from sportsapp.core.summary import (
    VERSION,
    LineupRecord,
    SideRecord,
    SummaryRecord,
    TeamBoxRecord,
    pack,
)
from sportsapp.db.engine import db, write_connection, writing
from sportsapp.db.models import Game, LeagueRow, Scoreboard, SummaryRow
from sportsapp.db.upsert import insert_ignoring, insert_replacing
from sportsapp.sync.lines import store_lines

SYNCED_TABLES = (
    "leagues",
    "teams",
    "players",
    "games",
    "scoreboards",
    "failed_days",
    "game_doubts",
    "score_events",
    "summaries",
    "stat_tables",
    "player_lines",
)


@contextmanager
def statements() -> Iterator[Counter[str]]:
    """Count SQL statements by their first word."""
    count: Counter[str] = Counter()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        count[statement.split()[0].upper()] += 1

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield count
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def writes(count: Counter[str]) -> int:
    """The number of counted statements that write."""
    return count["INSERT"] + count["UPDATE"] + count["DELETE"]


def query(sql: str, **values: Any) -> list[dict[str, Any]]:
    """The rows of a query, as mappings."""
    return [dict(row) for row in db.session.execute(text(sql), values).mappings()]


def all_rows() -> dict[str, list[str]]:
    """Every row of the tables that a sync writes."""
    return {
        table: sorted(str(row) for row in query(f"SELECT * FROM {table}"))  # noqa: S608
        for table in SYNCED_TABLES
    }


def feed_read_at(moment: datetime) -> None:
    """All leagues and days were last read then, and answered the same as before."""
    with write_connection() as connection:
        connection.execute(update(LeagueRow).values(polled_at=moment))
        connection.execute(update(Scoreboard).values(read_at=moment, stored_at=moment))


def forget_everything() -> None:
    """Empty the tables that a sync writes."""
    for table in reversed(SYNCED_TABLES):
        db.session.execute(text(f"DELETE FROM {table}"))  # noqa: S608
    db.session.commit()


def store_box(
    espn_id: str,
    *boxes: TeamBoxRecord,
    lineups: Sequence[LineupRecord] = (),
    read_at: datetime | None = None,
) -> None:
    """Store a game's summary with its players' lines, read now or at that time."""
    game = db.session.execute(select(Game.id, Game.league_id).where(Game.espn_id == espn_id)).one()
    db.session.rollback()
    side = SideRecord("", None, ())
    summary = SummaryRecord(
        espn_id, "post", True, "", side, side, box=boxes, lineups=tuple(lineups)
    )
    row = {"game_id": game.id, "version": VERSION, "digest": "", "document": pack(summary)}
    row |= {"read_at": read_at or utc_now(), "read_by_run": None}
    with writing(db.session) as session:
        insert_replacing(session, SummaryRow.__table__, [row], ["game_id"])
        store_lines(session, game.league_id, game.id, summary)
        session.execute(update(LeagueRow).values(changed_at=utc_now()))


def mark_read(slug: str, first: date, last: date, at: datetime | None = None) -> None:
    """Store that a league's days were read to their end, now or at that time."""
    now = at or utc_now()
    league = {"slug": slug, "name": slug, "season_name": "", "created_at": now, "updated_at": now}
    with write_connection() as connection:
        insert_ignoring(connection, LeagueRow.__table__, [league], ["slug"])
        ids = select(LeagueRow.id).where(LeagueRow.slug == slug)
        common: dict[str, Any] = {"league_id": connection.scalar(ids), "digest": "", "game_ids": []}
        common |= {"stored_at": now, "read_at": now}
        rows = [common | {"day": day} for day in each_day(first, last)]
        insert_ignoring(connection, Scoreboard.__table__, rows, ["league_id", "day"])

"""The players' lines of a summary, each a row of its own beside the whole document."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, select

from sportsapp.core.summary import LineupPlayerRecord, PlayerLineRecord, SummaryRecord
from sportsapp.db.engine import AnySession
from sportsapp.db.models import PlayerLine, StatTable

LINES: Table = PlayerLine.__table__
TABLES: Table = StatTable.__table__
# Built once: that takes longer than to execute them.
_TABLES = select(TABLES).where(TABLES.c.league_id == bindparam("league_id"))
_OLD_LINES = delete(LINES).where(LINES.c.game_id == bindparam("of_game"))
_NEW_LINES = insert(LINES)
LINEUP = "lineup"
"""The name of soccer's table, which has no columns."""

Head = tuple[str, tuple[str, ...], tuple[str, ...]]
"""A table's name, labels and keys."""


def store_lines(session: AnySession, league_id: int, game_id: int, summary: SummaryRecord) -> None:
    """Put the lines of a game's summary in the place of those that are stored. Does not commit.

    The league must be locked. Of a player without an id there is no line, and of one who is twice
    in a table the last.
    """
    known = _tables_of(session, league_id)
    rows = {}
    for head, side, line in _lines_in(summary):
        if head not in known:
            name, labels, keys = head
            values = {"league_id": league_id, "name": name, "labels": labels, "keys": keys}
            new = insert(TABLES).values(values).returning(TABLES.c.id)
            known[head] = session.execute(new).scalar_one()
        rows[line.espn_id, known[head]] = {
            "game_id": game_id,
            "espn_id": line.espn_id,
            "table_id": known[head],
            "side": side,
            "name": line.name,
            "jersey": line.jersey,
            "position": line.position,
            "note": line.note,
            "stats": line.stats,
        }
    session.execute(_OLD_LINES, {"of_game": game_id})
    if rows:
        session.execute(_NEW_LINES, list(rows.values()))


def _tables_of(session: AnySession, league_id: int) -> dict[Head, Any]:
    """The ids of the league's tables."""
    rows = session.execute(_TABLES, {"league_id": league_id})
    return {(row.name, tuple(row.labels), tuple(row.keys)): row.id for row in rows}


def _lines_in(summary: SummaryRecord) -> Iterator[tuple[Head, str, PlayerLineRecord]]:
    """Each line of the box score and of the lineups, with its table and side."""
    for box in summary.box:
        for table in box.tables:
            head = table.name, table.labels, table.keys
            yield from ((head, box.side, line) for line in table.players if line.espn_id)
    for lineup in summary.lineups:
        head = LINEUP, (), ()
        for player in lineup.players:
            if player.espn_id:
                yield head, lineup.side, _line_of(player)


def _line_of(player: LineupPlayerRecord) -> PlayerLineRecord:
    began = "Started" if player.is_starter else "Came on" if player.came_on else "Did not play"
    return PlayerLineRecord(
        player.espn_id,
        player.name,
        player.jersey,
        player.position,
        player.is_starter,
        f"{began}, went off" if player.went_off else began,
        (),
    )

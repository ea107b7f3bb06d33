"""Migrations up and down, from every earlier revision, on SQLite and PostgreSQL: data is kept."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import check, downgrade, upgrade

from sportsapp.core.settings import Settings
from sportsapp.db import migrate as migrations
from sportsapp.db.engine import db
from sportsapp.factory import create_app
from tests.conftest import NO_BROKER

pytestmark = pytest.mark.slow

REVISIONS = [one.revision for one in ScriptDirectory(migrations.FOLDER).walk_revisions()][::-1]
HEAD = REVISIONS[-1]
OLD_REVISIONS = [
    pytest.param(
        revision, marks=pytest.mark.long if len(REVISIONS) - place > 3 and place % 8 else ()
    )
    for place, revision in enumerate(REVISIONS[:-1])
]
"""Every eighth one, and the newest, is upgraded in every run."""
ROWS = 3
RENAMED = {  # the newest name of a column that had another one
    "alerts": {
        "told_at": "notified_at",
        "is_told": "notified",
        "swallowed": "suppressed_count",
        "words": "text",
    },
}
DROPPED = {"task_runs": {"chain": []}}  # a column that is gone, and what a downgrade puts there

Content = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def empty(request, tmp_path: Path) -> Iterator[Flask]:
    """The app, inside its context, on a database without tables."""
    if request.param == "sqlite":
        yield from app_on("", tmp_path)
        return
    with request.getfixturevalue("postgres").empty_database() as url:
        yield from app_on(url, tmp_path)


def app_on(url: str, folder: Path) -> Iterator[Flask]:
    app = create_app(Settings(instance_path=folder, redis_url=NO_BROKER, database_url=url))
    with app.app_context():
        migrations.init_app(app)
        yield app
        db.session.remove()
        db.engine.dispose()


def tables() -> dict[str, sa.Table]:
    """The tables that the database has now, in the order of their foreign keys."""
    found = sa.MetaData()
    found.reflect(db.engine)
    return {one.name: one for one in found.sorted_tables if one.name != "alembic_version"}


def value_for(column: sa.Column[Any], n: int) -> Any:
    """Some value that the column can hold, another one for each row."""
    if column.foreign_keys:
        return n
    kind = column.type
    if isinstance(kind, sa.Boolean):
        return bool(n % 2)
    if isinstance(kind, sa.DateTime):
        return datetime(2026, 1, n, 20, 30, 15, 1000 * n, tzinfo=UTC if kind.timezone else None)
    if isinstance(kind, sa.Date):
        return date(2026, 2, n)
    if isinstance(kind, sa.JSON):
        return {"b": [n, None, "é"], "a": {}}
    if isinstance(kind, sa.Integer):
        return n
    if isinstance(kind, sa.Float):
        return n + 0.25
    if isinstance(kind, sa.LargeBinary):
        return bytes([n, 0, 255])
    assert isinstance(kind, sa.String), f"{column} is of a kind that this test does not know"
    return f"{column.name} {n}"


def fill() -> Content:
    """Rows in every table there is; what they hold."""
    found = tables()
    with db.engine.begin() as connection:
        for table in found.values():
            rows = [
                {one.name: value_for(one, n) for one in table.columns} for n in range(1, ROWS + 1)
            ]
            connection.execute(sa.insert(table), rows)
    return content(found)


def content(there: dict[str, sa.Table] | None = None) -> Content:
    """What the tables hold; they are looked up unless the caller has them."""
    with db.engine.connect() as connection:
        found = {}
        for name, table in (there or tables()).items():
            order = [table.c[one.name] for one in table.primary_key.columns]
            rows = connection.execute(sa.select(table).order_by(*order)).mappings()
            found[name] = [dict(row) for row in rows]
        return found


def shape() -> dict[str, Any]:
    """Columns, indexes and constraints, by table."""
    db.engine.dispose()  # a connection of SQLite may still know the indexes of before
    inspector = sa.inspect(db.engine)
    columns, indexes = inspector.get_multi_columns(), inspector.get_multi_indexes()
    unique, foreign = inspector.get_multi_unique_constraints(), inspector.get_multi_foreign_keys()
    return {
        name: {
            "columns": {
                one["name"]: (str(one["type"]), one["nullable"]) for one in columns[schema, name]
            },
            "indexes": sorted(
                (one["name"], tuple(one["column_names"]), bool(one["unique"]))
                for one in indexes[schema, name]
            ),
            "unique": sorted(tuple(one["column_names"]) for one in unique[schema, name]),
            "foreign": sorted(
                (tuple(one["constrained_columns"]), one["referred_table"])
                for one in foreign[schema, name]
            ),
        }
        for schema, name in columns
        if name != "alembic_version"
    }


def kept(before: Content, after: Content) -> Content:
    """Of what is there after, what was there before: the same tables, rows and columns.

    Columns that were renamed since are there under their old names.
    """

    def with_old_names(name: str, columns: list[str], row: dict[str, Any]) -> dict[str, Any]:
        newest = RENAMED.get(name, {})
        return {old: row[newest.get(old, old)] for old in columns if newest.get(old, old) in row}

    return {
        name: [with_old_names(name, list(rows[0]), row) for row in after[name]]
        for name, rows in before.items()
    }


def without_dropped(before: Content) -> Content:
    """What an upgrade keeps of this."""
    return {
        name: [{key: row[key] for key in row if key not in DROPPED.get(name, {})} for row in rows]
        for name, rows in before.items()
    }


def after_a_downgrade(before: Content) -> Content:
    """What an upgrade and a downgrade leave of this."""
    return {
        name: [
            row | {key: blank for key, blank in DROPPED.get(name, {}).items() if key in row}
            for row in rows
        ]
        for name, rows in before.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("revision", OLD_REVISIONS)
def test_upgrade_from_every_revision_and_back_keeps_the_data(empty, revision):
    upgrade(revision=revision)
    old_shape, old = shape(), fill()
    assert all(len(rows) == ROWS for rows in old.values())
    upgrade()
    assert kept(old, content()) == without_dropped(old)
    check()  # raises when a column or an index is not what its model says
    downgrade(revision=revision)
    assert content() == after_a_downgrade(old)
    assert shape() == old_shape


FIRST_AS_IT_WAS = (
    "DROP INDEX ix_games_league_id_state_start_at",
    "CREATE INDEX ix_games_state_start_at ON games (state, start_at)",
)
FOURTH_AS_IT_WAS = (
    "ALTER TABLE task_runs ALTER earlier DROP DEFAULT",
    "ALTER TABLE task_runs ALTER earlier TYPE json USING earlier::json",
    "ALTER TABLE task_runs ALTER args TYPE jsonb USING args::jsonb",
    "ALTER TABLE task_runs ALTER result TYPE jsonb USING result::jsonb",
)
"""What two migrations did otherwise before they were rewritten."""


@pytest.mark.long
@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004"])
def test_database_of_the_first_days_is_upgraded(empty, revision):
    upgrade(revision=revision)
    statements = list(FIRST_AS_IT_WAS)
    if revision == "0004" and db.engine.dialect.name == "postgresql":
        statements += FOURTH_AS_IT_WAS
    with db.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    old = fill()
    upgrade()
    assert kept(old, content()) == without_dropped(old)
    check()
    upgraded = shape()
    downgrade(revision="base")
    upgrade()
    assert upgraded == shape()


def test_every_migration_can_be_taken_back_to_nothing(empty):
    upgrade()
    fill()
    downgrade(revision="base")
    assert tables() == {}
    upgrade()
    assert migrations.newest_revision() == HEAD
    check()


def put_row(table: sa.Table, **values: Any) -> None:
    """Insert a row: these values, and something for each other column that needs a value."""
    required = [one for one in table.columns if not one.nullable]
    filled = {one.name: value_for(one, 1) for one in required} | values
    with db.engine.begin() as connection:
        connection.execute(sa.insert(table), filled)


def test_days_count_as_read_when_that_is_proven(empty):
    """On a database of the release before: by its answers, its backfills, and its games."""
    upgrade(revision="0012")
    table = tables()

    def at(day: int, hour: int = 0) -> datetime:
        return datetime(2026, 1, day, hour, tzinfo=UTC)

    def put(name: str, **values: Any) -> None:
        put_row(table[name], **values)

    def ended(first: str, last: str, **values: Any) -> None:
        args = {"league": "nfl", "start_date": first, "end_date": last}
        values = {"state": "SUCCESS", "attempt": 1, "result": {"errors": []}} | values
        times = {"queued_at": at(20), "started_at": at(20, 1)}
        run = {"id": f"{first} {last}", "task": "sync_date_range_task", "args": args}
        put("task_runs", **run | times | values)

    for number, slug in enumerate(("nfl", "nba"), 1):
        put("leagues", id=number, slug=slug)
    put("teams", id=1, league_id=1)
    for number, (day, updated_at) in enumerate([(1, at(2)), (1, at(3)), (2, at(2)), (11, at(12))]):
        key = {"id": number, "espn_id": f"{number}", "league_id": 1, "day": date(2026, 1, day)}
        put("games", **key, updated_at=updated_at, home_team_id=1, away_team_id=1)
    for day, digest in ((2, "abc"), (3, ""), (5, "def")):
        key = {"league_id": 1, "day": date(2026, 1, day), "digest": digest}
        put("scoreboards", **key, game_ids=["7"], stored_at=at(6))
    ended("2026-01-05", "2026-01-05")
    failed = ["NFL 2026-01-11 to 2026-01-12: no answer", "NFL 2026-01-14: event 3: no date"]
    ended("2026-01-10", "2026-01-15", attempt=2, result={"errors": failed})
    ended("2026-01-16", "2026-01-17", state="FAILURE", result=None)
    ended("2026-01-18", "2026-01-19", result={"errors": ["and 1,234 more"]})
    upgrade()

    boards = tables()["scoreboards"]
    with db.engine.connect() as connection:
        rows = connection.execute(sa.select(boards).order_by(boards.c.day)).all()
    read = {row.day.day: row.read_at and row.read_at.replace(tzinfo=UTC) for row in rows}
    assert read == {
        1: at(3),  # its newest game
        2: at(6),  # its answer
        3: None,  # an answer that was not whole
        5: at(20, 1),  # a backfill after its answer
        **{day: at(20) for day in (10, 13, 15)},  # a backfill that was resumed
        11: at(12),  # its game; the backfill failed there, and on 12 and 14
    }
    ids = {row.day.day: row.game_ids for row in rows}
    assert ids == {1: ["0", "1"], 2: ["7"], 3: ["7"], 5: ["7"], 10: [], 11: ["3"], 13: [], 15: []}
    assert {row.league_id for row in rows} == {1}
    downgrade(revision="0012")
    boards = tables()["scoreboards"]
    with db.engine.connect() as connection:
        days = connection.scalars(sa.select(boards.c.day).order_by(boards.c.day)).all()
    assert [day.day for day in days] == [2, 5]


def test_games_that_were_read_long_after_they_ended_lose_their_records(empty):
    upgrade(revision="0016")
    table = tables()
    start = datetime(2026, 1, 1, 20, tzinfo=UTC)
    put_row(table["leagues"], id=1)
    put_row(table["teams"], id=1, league_id=1)
    for number, (state, hours) in enumerate(
        [("post", -9), ("post", 24), ("post", 25), ("pre", 25)]
    ):
        key = {"id": number, "espn_id": f"{number}", "league_id": 1, "state": state}
        times = {"start_at": start, "created_at": start + timedelta(hours=hours)}
        records = {"home_record": "9-1", "away_record": "0-9"}
        put_row(table["games"], **key, **times, **records, home_team_id=1, away_team_id=1)
    upgrade()
    games = tables()["games"]
    with db.engine.connect() as connection:
        query = sa.select(games.c.home_record, games.c.away_record).order_by(games.c.id)
        assert [*connection.execute(query)] == [("9-1", "0-9")] * 2 + [("", "")] + [("9-1", "0-9")]


def test_waiting_chains_become_runs_that_wait_and_back(empty):
    """On a database of the release before: a run of a chain named the tasks to run after it."""
    upgrade(revision="0022")  # chains' base
    at = datetime(2026, 1, 1, tzinfo=UTC)
    following = ["sync_all_teams", "sync_daily_schedule"]
    for number, (state, chain) in enumerate(
        [("STARTED", following), ("RETRY", following[1:]), ("PENDING", []), ("FAILURE", following)]
    ):
        run = {"id": f"{number}", "task": f"task {number}", "state": state, "chain": chain}
        put_row(tables()["task_runs"], **run, queue="q", asked_by="maria", queued_at=at, due_at=at)
    upgrade()
    runs = tables()["task_runs"]
    with db.engine.connect() as connection:
        rows = connection.execute(sa.select(runs).order_by(runs.c.id, runs.c.chain_place)).all()
    old = {row.id: (row.chain_id, row.chain_place) for row in rows if row.id in "0123"}
    assert [place for _, place in old.values()] == [1, 1, None, None]
    assert old["0"][0] != old["1"][0]
    for run_id, names in (("0", following), ("1", following[1:])):
        links = [row for row in rows if row.chain_id == old[run_id][0] and row.id != run_id]
        links.sort(key=lambda row: row.chain_place)
        assert [(row.task, row.chain_place) for row in links] == list(
            zip(names, (2, 3), strict=False)
        )
        for row in links:
            assert (row.state, row.due_at, row.queue) == ("PENDING", None, "q")
            assert (row.asked_by, row.trigger, row.args) == ("maria", "chain", {})
            assert row.retries_left == {"sync_all_teams": 2, "sync_daily_schedule": 3}[row.task]
    check()
    downgrade(revision="0022")  # chains' base
    runs = tables()["task_runs"]
    with db.engine.connect() as connection:
        rows = connection.execute(sa.select(runs.c.id, runs.c.chain).order_by(runs.c.id)).all()
    assert [tuple(row) for row in rows] == [
        ("0", following),
        ("1", following[1:]),
        ("2", []),
        ("3", []),
    ]


def test_failures_before_a_success_are_resolved_and_errors_are_counted(empty):
    """On a database of the release before: by its runs."""
    upgrade(revision="0024")
    runs = tables()["task_runs"]

    def at(hour: int) -> datetime:
        return datetime(2026, 1, 1, hour, tzinfo=UTC)

    def put(run_id: str, state: str, hour: int, league: str = "NBA", **values: Any) -> None:
        args = {"league": league, "start_date": "2026-01-01"}
        times = {"slot": at(hour), "queued_at": at(hour), "finished_at": at(hour)}
        task = {"task": "sync", "args": args, "result": None, "fingerprint": "abc"}
        put_row(runs, id=run_id, state=state, **(task | times | values))

    put("early success", "SUCCESS", 1)
    put("resolved", "FAILURE", 2)
    put("timed out", "TIMEOUT", 3, args={"start_date": "2026-01-01", "league": "NBA"})
    put("first success", "SUCCESS", 4, result={"synced": 1, "errors": ["a", "b"]})
    put("later success", "SUCCESS", 5, result={"synced": 1, "errors": []})
    put("late", "FAILURE", 6)
    put("of another", "FAILURE", 2, "NFL", slot=at(7))
    put("of another task", "FAILURE", 2, task="other")
    put("cancelled", "REVOKED", 2, slot=at(8), result={"errors": ["a"]})
    put("open", "RETRY", 2, slot=at(9), finished_at=None)
    put("cut", "SUCCESS", 10, "MLB", result={"errors": ["a", "b", "and 1,234 more"]})
    put("odd", "SUCCESS", 11, "MLB", result=["errors"])
    put("text", "SUCCESS", 12, "MLB", result='"errors": [')
    upgrade()

    runs = tables()["task_runs"]
    with db.engine.connect() as connection:
        rows = connection.execute(sa.select(runs)).all()
    resolved = {row.id: row.resolved_at.replace(tzinfo=UTC) for row in rows if row.resolved_at}
    assert resolved == {"resolved": at(4), "timed out": at(4)}
    counts = {row.id: row.error_count for row in rows if row.error_count}
    assert counts == {"first success": 2, "cut": 1236}
    assert {(row.dismissed_at, row.dismissed_by, row.dismissed_word) for row in rows} == {
        (None, "", "")
    }
    downgrade(revision="0024")
    assert "resolved_at" not in tables()["task_runs"].columns
    upgrade()


def test_how_long_runs_took_is_filled_in(empty):
    upgrade(revision="0028")  # finding runs' base
    start = datetime(2026, 1, 1, 23, 59, 58, 250_000, tzinfo=UTC)
    for number, took in enumerate((None, 0, -5, 3.5, 90_000)):
        end = None if took is None else start + timedelta(seconds=took)
        times = {"queued_at": start, "started_at": start, "finished_at": end}
        put_row(tables()["task_runs"], id=f"{number}", task=f"{number}", **times)
    put_row(tables()["task_runs"], id="5", task="5", queued_at=start, finished_at=start)
    upgrade()
    runs = tables()["task_runs"]
    with db.engine.connect() as connection:
        seconds = connection.scalars(sa.select(runs.c.took_seconds).order_by(runs.c.id)).all()
    assert seconds == pytest.approx([0, 0, 0, 3.5, 90_000, 0], abs=0.001)


def test_stored_box_scores_get_their_players_lines(empty):
    """As documents of version 1 are; one that cannot be read is left alone."""
    upgrade(revision="0039")
    put_row(tables()["leagues"], id=1, slug="nba", name="NBA")
    line = ["7", "Ann", "9", "G", True, "", ["11", "5-8"]]
    table = ["", ["PTS", "FG"], ["points", "made-tried"], [line, ["", "Bo", "", "", False, "", []]]]
    document = ["401", "post", True, "Final", [], [], [["home", "1", [], [[*table, []]], []]]]
    packed = zlib.compress(json.dumps(document).encode())
    for number, (version, content) in enumerate([(1, packed), (2, packed), (1, b"?"), (1, packed)]):
        at = datetime(2026, 1, 1, tzinfo=UTC)
        put_row(tables()["games"], id=number, espn_id=f"{number}", league_id=1, start_at=at)
        put_row(
            tables()["summaries"], game_id=number, version=version, document=content, read_at=at
        )
    upgrade()
    lines, heads = tables()["player_lines"], tables()["stat_tables"]
    with db.engine.connect() as connection:
        (head,) = connection.execute(sa.select(heads)).all()
        rows = connection.execute(sa.select(lines).order_by(lines.c.game_id)).all()
    assert (head.league_id, head.name, head.labels) == (1, "", ["PTS", "FG"])
    values = ("7", head.id, "home", "Ann", "9", "G", "", ["11", "5-8"])
    assert [tuple(row) for row in rows] == [(0, *values), (3, *values)]

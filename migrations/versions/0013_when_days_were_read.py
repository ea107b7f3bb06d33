"""when each day was read, filled from what is proven"""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
TIME = sa.DateTime(timezone=True)
DAYS_OF_A_LINE = re.compile(r'\S+ (\d{4}-\d\d-\d\d)(?: to (\d{4}-\d\d-\d\d))?: ')

Day = tuple[int, date]  # the id of its league, and the day

boards = sa.table(
    'scoreboards',
    sa.column('league_id', sa.Integer),
    sa.column('day', sa.Date),
    sa.column('digest', sa.String),
    sa.column('game_ids', JSON),
    sa.column('stored_at', TIME),
    sa.column('read_at', TIME),
)
games = sa.table(
    'games',
    sa.column('league_id', sa.Integer),
    sa.column('day', sa.Date),
    sa.column('espn_id', sa.String),
    sa.column('updated_at', TIME),
)
leagues = sa.table('leagues', sa.column('id', sa.Integer), sa.column('slug', sa.String))
runs = sa.table(
    'task_runs',
    sa.column('task', sa.String),
    sa.column('state', sa.String),
    sa.column('args', sa.JSON),
    sa.column('result', sa.JSON),
    sa.column('attempt', sa.Integer),
    sa.column('queued_at', TIME),
    sa.column('started_at', TIME),
)


def upgrade() -> None:
    op.add_column('scoreboards', sa.Column('read_at', TIME))
    connection = op.get_bind()
    read: dict[Day, datetime] = {}
    ids: dict[Day, list[str]] = {}
    for game in connection.execute(sa.select(games).order_by(games.c.espn_id)):
        day = game.league_id, game.day
        read[day] = max(game.updated_at, read.get(day, game.updated_at))
        ids.setdefault(day, []).append(game.espn_id)
    stored = connection.execute(sa.select(boards)).all()
    proven = [*days_of_runs(connection)]
    proven += [((row.league_id, row.day), row.stored_at) for row in stored if row.digest]
    for day, read_at in proven:
        read[day] = max(read_at, read.get(day, read_at))
    known = {(row.league_id, row.day) for row in stored}
    rows = [
        {
            'league_id': league_id,
            'day': day,
            'digest': '',
            'game_ids': ids.get((league_id, day), []),
            'stored_at': read_at,
            'read_at': read_at,
        }
        for (league_id, day), read_at in sorted(read.items())
        if (league_id, day) not in known
    ]
    if rows:
        connection.execute(sa.insert(boards), rows)
    this_day = boards.c.league_id == sa.bindparam('of_league'), boards.c.day == sa.bindparam('on')
    stamps = [{'of_league': day[0], 'on': day[1], 'at': read[day]} for day in known & read.keys()]
    if stamps:
        at = sa.bindparam('at', type_=TIME)
        connection.execute(sa.update(boards).where(*this_day).values(read_at=at), stamps)


def days_of_runs(connection: sa.Connection) -> Iterator[tuple[Day, datetime]]:
    """The days that backfills have read, and when: not those that their errors name."""
    ids = {slug: league_id for league_id, slug in connection.execute(sa.select(leagues))}
    ended = runs.c.task == 'sync_date_range_task', runs.c.state == 'SUCCESS'
    for run in connection.execute(sa.select(runs).where(*ended)):
        league_id = ids.get(str(run.args['league']).strip().lower())
        if league_id is None:
            continue
        # what was resumed had read its first days before it was started for the last time
        read_at = run.started_at if run.attempt == 1 else run.queued_at
        unread: set[date] = set()
        for line in run.result['errors']:
            match = DAYS_OF_A_LINE.match(line)
            if match is None:  # "and 20 more": it is unknown which days failed
                break
            unread.update(each_day(match[1], match[2] or match[1]))
        else:
            for day in each_day(run.args['start_date'], run.args['end_date']):
                if day not in unread:
                    yield (league_id, day), read_at


def each_day(first: Any, last: Any) -> Iterator[date]:
    """Every day from the first to the last, both included, which may be texts of times."""
    start, end = (date.fromisoformat(str(day)[:10]) for day in (first, last))
    for number in range((end - start).days + 1):
        yield start + timedelta(days=number)


def downgrade() -> None:
    op.execute("DELETE FROM scoreboards WHERE digest = ''")
    op.drop_column('scoreboards', 'read_at')

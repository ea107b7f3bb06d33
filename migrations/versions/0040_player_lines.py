"""players' lines of box scores"""

import json
import zlib

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
AT_ONCE = 200

summaries = sa.table(
    'summaries',
    sa.column('game_id', sa.Integer),
    sa.column('version', sa.Integer),
    sa.column('document', sa.LargeBinary),
)
games = sa.table('games', sa.column('id', sa.Integer), sa.column('league_id', sa.Integer))


def upgrade() -> None:
    tables = op.create_table(
        'stat_tables',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('league_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('labels', JSON, nullable=False),
        sa.Column('keys', JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ['league_id'], ['leagues.id'], name='fk_stat_tables_league_id_leagues'
        ),
        sa.PrimaryKeyConstraint('id', name='pk_stat_tables'),
    )
    op.create_index('ix_stat_tables_league_id', 'stat_tables', ['league_id'])
    lines = op.create_table(
        'player_lines',
        sa.Column('game_id', sa.Integer(), nullable=False),
        sa.Column('espn_id', sa.String(), nullable=False),
        sa.Column('table_id', sa.Integer(), nullable=False),
        sa.Column('side', sa.String(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('jersey', sa.String(), nullable=False),
        sa.Column('position', sa.String(), nullable=False),
        sa.Column('note', sa.String(), nullable=False),
        sa.Column('stats', JSON, nullable=False),
        sa.ForeignKeyConstraint(['game_id'], ['games.id'], name='fk_player_lines_game_id_games'),
        sa.ForeignKeyConstraint(
            ['table_id'], ['stat_tables.id'], name='fk_player_lines_table_id_stat_tables'
        ),
        sa.PrimaryKeyConstraint('game_id', 'espn_id', 'table_id', name='pk_player_lines'),
    )
    op.create_index('ix_player_lines_espn_id', 'player_lines', ['espn_id', 'game_id'])
    fill(op.get_bind(), tables, lines)


def fill(connection, tables, lines) -> None:
    """Take the lines out of the box scores that are stored, which takes 1 to 2 ms each.

    A document that cannot be read has none. Lineups get theirs when they are read again.
    """
    documents = sa.select(summaries.c.game_id, games.c.league_id).join(
        games, games.c.id == summaries.c.game_id
    )
    stored = connection.execute(documents.where(summaries.c.version == 1)).all()
    ids = {}
    for start in range(0, len(stored), AT_ONCE):
        rows = {}
        for game_id, league_id in stored[start : start + AT_ONCE]:
            document = sa.select(summaries.c.document).where(summaries.c.game_id == game_id)
            for side, name, labels, keys, line in lines_in(connection.scalar(document)):
                head = league_id, name, tuple(labels), tuple(keys)
                if head not in ids:
                    values = {'league_id': league_id, 'name': name, 'labels': labels, 'keys': keys}
                    inserted = connection.execute(tables.insert().values(values))
                    ids[head] = inserted.inserted_primary_key[0]
                espn_id, player, jersey, position, _, note, stats = line
                if espn_id:
                    row = {'game_id': game_id, 'espn_id': espn_id, 'table_id': ids[head]}
                    row |= {'side': side, 'name': player, 'jersey': jersey, 'position': position}
                    rows[game_id, espn_id, ids[head]] = row | {'note': note, 'stats': stats}
        if rows:
            connection.execute(lines.insert(), list(rows.values()))


def lines_in(document):
    """Side, table's name, labels and keys, and the line, as documents of version 1 have them."""
    try:
        box = json.loads(zlib.decompress(document))[6]
    except (zlib.error, ValueError, IndexError):
        return
    for side, _, _, tables, _ in box:
        for name, labels, keys, players, _ in tables:
            for line in players:
                yield side, name, labels, keys, line


def downgrade() -> None:
    op.drop_table('player_lines')
    op.drop_table('stat_tables')

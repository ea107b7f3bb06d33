"""missing games: since when answers lack a game, and games that are no longer listed"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

MISSING = sa.text('missing_since IS NOT NULL')


def upgrade() -> None:
    op.add_column('games', sa.Column('missing_since', sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        'games', sa.Column('missing_answers', sa.Integer(), server_default='0', nullable=False)
    )
    op.add_column(
        'games', sa.Column('listed', sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.create_index(
        'ix_games_missing_since',
        'games',
        ['missing_since'],
        sqlite_where=MISSING,
        postgresql_where=MISSING,
    )
    # the next answer of a day whose games have not ended is decoded: it may lack some of them
    op.execute(
        "UPDATE scoreboards SET digest = '' WHERE EXISTS (SELECT 1 FROM games "
        'WHERE games.league_id = scoreboards.league_id AND games.day = scoreboards.day '
        "AND games.state IN ('pre', 'in'))"
    )


def downgrade() -> None:
    op.drop_index('ix_games_missing_since', 'games')
    op.drop_column('games', 'listed')
    op.drop_column('games', 'missing_answers')
    op.drop_column('games', 'missing_since')

"""score events"""

import sqlalchemy as sa
from alembic import op

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'score_events',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('league_id', sa.Integer(), nullable=False),
        sa.Column('game_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('side', sa.String(), nullable=True),
        sa.Column('points', sa.Integer(), nullable=True),
        sa.Column('period', sa.Integer(), nullable=False),
        sa.Column('detail', sa.String(), nullable=False),
        sa.Column('read_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('home_score', sa.Integer(), nullable=True),
        sa.Column('away_score', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ['game_id'], ['games.id'], name='fk_score_events_game_id_games'
        ),
        sa.ForeignKeyConstraint(
            ['league_id'], ['leagues.id'], name='fk_score_events_league_id_leagues'
        ),
        sa.PrimaryKeyConstraint('id', name='pk_score_events'),
        sqlite_autoincrement=True,
    )
    op.create_index('ix_score_events_league_id', 'score_events', ['league_id', 'id'])
    op.create_index('ix_score_events_game_id', 'score_events', ['game_id', 'id'])


def downgrade() -> None:
    op.drop_table('score_events')

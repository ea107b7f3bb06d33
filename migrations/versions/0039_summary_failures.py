"""summaries that could not be read"""

import sqlalchemy as sa
from alembic import op

revision = '0039'
down_revision = '0038'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'summary_failures',
        sa.Column('game_id', sa.Integer(), nullable=False),
        sa.Column('failures', sa.Integer(), nullable=False),
        sa.Column('again_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['game_id'], ['games.id'], name='fk_summary_failures_game_id_games'
        ),
        sa.PrimaryKeyConstraint('game_id', name='pk_summary_failures'),
    )


def downgrade() -> None:
    op.drop_table('summary_failures')

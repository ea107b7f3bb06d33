"""summaries of games"""

import sqlalchemy as sa
from alembic import op

revision = '0037'
down_revision = '0034'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'summaries',
        sa.Column('game_id', sa.Integer(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('digest', sa.String(), nullable=False),
        sa.Column('read_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('read_by_run', sa.String(), nullable=True),
        sa.Column('document', sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(['game_id'], ['games.id'], name='fk_summaries_game_id_games'),
        sa.PrimaryKeyConstraint('game_id', name='pk_summaries'),
    )


def downgrade() -> None:
    op.drop_table('summaries')

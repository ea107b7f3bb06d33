"""stamps of games for subscribers: of the result, and how often the appointment changed"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('games', sa.Column('result_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('games', sa.Column('revision', sa.Integer(), server_default='0', nullable=False))
    op.execute('UPDATE games SET result_at = updated_at')


def downgrade() -> None:
    op.drop_column('games', 'revision')
    op.drop_column('games', 'result_at')

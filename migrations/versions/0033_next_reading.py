"""when each league with a live game is read next"""

import sqlalchemy as sa
from alembic import op

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('leagues', sa.Column('next_read_at', sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column('leagues', 'next_read_at')

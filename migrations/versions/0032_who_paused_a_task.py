"""since when and by whom a task is paused"""

import sqlalchemy as sa
from alembic import op

revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('schedules', sa.Column('paused_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        'schedules', sa.Column('paused_by', sa.String(), server_default='', nullable=False)
    )


def downgrade() -> None:
    for name in ('paused_by', 'paused_at'):
        op.drop_column('schedules', name)

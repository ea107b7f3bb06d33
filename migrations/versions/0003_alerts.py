"""alerts, and the pauses of a league's polling"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('alerts',
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('active_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_told', sa.Boolean(), nullable=False),
    sa.Column('swallowed', sa.Integer(), nullable=False),
    sa.Column('words', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('subject', 'kind', name=op.f('pk_alerts'))
    )
    op.add_column('leagues', sa.Column('failures', sa.Integer(), server_default='0', nullable=False))
    op.add_column('leagues', sa.Column('paused_until', sa.DateTime(timezone=True), nullable=True))
    op.add_column('leagues', sa.Column('backoff_until', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('leagues', 'backoff_until')
    op.drop_column('leagues', 'paused_until')
    op.drop_column('leagues', 'failures')
    op.drop_table('alerts')

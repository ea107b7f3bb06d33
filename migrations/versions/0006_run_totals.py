"""run totals: what the ledger has forgotten is still counted"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'run_totals',
        sa.Column('task', sa.String(), nullable=False),
        sa.Column('state', sa.String(), nullable=False),
        sa.Column('count', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('task', 'state', name=op.f('pk_run_totals')),
    )


def downgrade() -> None:
    op.drop_table('run_totals')

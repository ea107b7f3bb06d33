"""which run read each day last, and days whose last sync failed"""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('scoreboards', sa.Column('read_by_run', sa.String()))
    op.create_table(
        'failed_days',
        sa.Column('league_id', sa.Integer(), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('failed_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('run_id', sa.String()),
        sa.Column('error', sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ['league_id'], ['leagues.id'], name=op.f('fk_failed_days_league_id_leagues')
        ),
        sa.PrimaryKeyConstraint('league_id', 'day', name=op.f('pk_failed_days')),
    )


def downgrade() -> None:
    op.drop_table('failed_days')
    op.drop_column('scoreboards', 'read_by_run')

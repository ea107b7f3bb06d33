"""the activity log: who did what to what, when"""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'activities',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ('who', 'address', 'via', 'action', 'subject', 'detail')
        ),
        sa.PrimaryKeyConstraint('id', name='pk_activities'),
    )
    op.create_index('ix_activities_at', 'activities', ['at'])
    op.create_index('ix_activities_who_at', 'activities', ['who', 'at'])
    op.create_index('ix_activities_action_at', 'activities', ['action', 'at'])


def downgrade() -> None:
    op.drop_table('activities')

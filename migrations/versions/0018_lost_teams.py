"""since when a league's list of teams lacks many of them, and in how many answers"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('leagues', sa.Column('teams_lost_since', sa.DateTime(timezone=True)))
    answers = sa.Column('teams_lost_answers', sa.Integer(), server_default='0', nullable=False)
    op.add_column('leagues', answers)


def downgrade() -> None:
    op.drop_column('leagues', 'teams_lost_answers')
    op.drop_column('leagues', 'teams_lost_since')

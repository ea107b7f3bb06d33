"""divisions in the standings"""

import sqlalchemy as sa
from alembic import op

revision = '0038'
down_revision = '0037'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('teams', sa.Column('standing_division', sa.String()))
    op.add_column('teams', sa.Column('standing_division_position', sa.Integer()))


def downgrade() -> None:
    for name in ('standing_division_position', 'standing_division'):
        op.drop_column('teams', name)

"""the first day of each league's running season"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('leagues', sa.Column('season_begins', sa.Date()))


def downgrade() -> None:
    op.drop_column('leagues', 'season_begins')

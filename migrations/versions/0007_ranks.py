"""ranks: the place of a game's teams among the ranked 25"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('games', sa.Column('home_rank', sa.Integer(), nullable=True))
    op.add_column('games', sa.Column('away_rank', sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column('games', 'away_rank')
    op.drop_column('games', 'home_rank')

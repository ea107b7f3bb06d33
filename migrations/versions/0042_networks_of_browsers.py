"""networks of browsers that are told of games"""

import sqlalchemy as sa
from alembic import op

revision = '0042'
down_revision = '0041'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('subscriptions', sa.Column('network', sa.String(), nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM subscriptions WHERE kind = 'browser'")  # which no code before can send to
    op.drop_column('subscriptions', 'network')

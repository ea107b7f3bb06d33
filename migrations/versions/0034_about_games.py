"""weather, headline and players of a game"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.add_column('games', sa.Column('about', JSON, server_default='{}', nullable=False))


def downgrade() -> None:
    op.drop_column('games', 'about')

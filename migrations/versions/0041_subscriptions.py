"""subscriptions to what happens in games"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0041'
down_revision = '0040'
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        'subscriptions',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('address', sa.String(), nullable=False),
        sa.Column('leagues', JSON, nullable=False),
        sa.Column('teams', JSON, nullable=False),
        sa.Column('events', JSON, nullable=False),
        sa.Column('hides_scores', sa.Boolean(), nullable=False),
        sa.Column('quiet_from', sa.String(), nullable=True),
        sa.Column('quiet_to', sa.String(), nullable=True),
        sa.Column('zone', sa.String(), nullable=False),
        sa.Column('delay_seconds', sa.Integer(), nullable=False),
        sa.Column('paused', sa.Boolean(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('event_id', sa.Integer(), nullable=False),
        sa.Column('failures', sa.Integer(), nullable=False),
        sa.Column('failing_since', sa.DateTime(timezone=True), nullable=True),
        sa.Column('again_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('error', sa.String(), nullable=False),
        sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('id', name='pk_subscriptions'),
        sa.UniqueConstraint('name', name='uq_subscriptions_name'),
    )


def downgrade() -> None:
    op.drop_table('subscriptions')

"""which fields the feed's answers had lately"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        'field_shares',
        sa.Column('league_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('counted', JSON, nullable=False),
        sa.Column('before', JSON, nullable=False),
        sa.Column('fallen', JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ['league_id'], ['leagues.id'], name=op.f('fk_field_shares_league_id_leagues')
        ),
        sa.PrimaryKeyConstraint('league_id', 'kind', name=op.f('pk_field_shares')),
    )


def downgrade() -> None:
    op.drop_table('field_shares')

"""passwords that were printed have to be changed at the first sign-in"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'admin_users',
        sa.Column(
            'must_change_password', sa.Boolean(), server_default=sa.false(), nullable=False
        ),
    )


def downgrade() -> None:
    op.drop_column('admin_users', 'must_change_password')

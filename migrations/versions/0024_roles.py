"""accounts have roles: those that exist are admins"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'admin_users', sa.Column('role', sa.String(), server_default='admin', nullable=False)
    )


def downgrade() -> None:
    op.drop_column('admin_users', 'role')

"""the earlier attempts of a task run; arguments and results keep the order of their names"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.add_column(
        'task_runs',
        sa.Column('earlier', JSON, server_default='[]', nullable=False),
    )
    if op.get_bind().dialect.name == 'postgresql':
        for column in ('args', 'result'):
            op.alter_column(
                'task_runs', column, type_=sa.JSON(), postgresql_using=f'{column}::json'
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        for column in ('args', 'result'):
            op.alter_column(
                'task_runs', column, type_=postgresql.JSONB(), postgresql_using=f'{column}::jsonb'
            )
    op.drop_column('task_runs', 'earlier')

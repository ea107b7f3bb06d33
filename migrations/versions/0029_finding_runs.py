"""how long runs took, and an index of the runs whose arguments and errors a search reads"""

import sqlalchemy as sa
from alembic import op

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None

HAS_TEXT = sa.text("CAST(args AS TEXT) <> '{}' OR error <> ''")
TOOK = {
    'sqlite': '(julianday(finished_at) - julianday(started_at)) * 86400',
    'postgresql': 'EXTRACT(EPOCH FROM finished_at - started_at)',
}


def upgrade() -> None:
    op.add_column(
        'task_runs', sa.Column('took_seconds', sa.Double(), server_default='0', nullable=False)
    )
    took = TOOK[op.get_bind().dialect.name]
    op.execute(f'UPDATE task_runs SET took_seconds = {took} WHERE finished_at > started_at')
    op.create_index('ix_task_runs_took_seconds', 'task_runs', ['took_seconds'])
    op.create_index(
        'ix_task_runs_queued_at_with_text',
        'task_runs',
        ['queued_at'],
        sqlite_where=HAS_TEXT,
        postgresql_where=HAS_TEXT,
    )


def downgrade() -> None:
    op.drop_index('ix_task_runs_queued_at_with_text', 'task_runs')
    op.drop_index('ix_task_runs_took_seconds', 'task_runs')
    op.drop_column('task_runs', 'took_seconds')

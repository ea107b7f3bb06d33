"""batches of runs, and queues that are paused"""

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

IN_BATCH = sa.text('batch_id IS NOT NULL')


def upgrade() -> None:
    op.create_table(
        'batches',
        sa.Column('id', sa.String(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('trigger', sa.String(), nullable=False),
        sa.Column('asked_by', sa.String(), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('runs', sa.Integer(), nullable=False),
        sa.Column('requests', sa.Integer(), nullable=True),
        sa.Column('seconds', sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint('id', name='pk_batches'),
    )
    op.create_index('ix_batches_made_at', 'batches', ['made_at'])
    op.create_table(
        'paused_queues',
        sa.Column('queue', sa.String(), nullable=False),
        sa.Column('paused_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('paused_by', sa.String(), nullable=False),
        sa.PrimaryKeyConstraint('queue', name='pk_paused_queues'),
    )
    op.add_column('task_runs', sa.Column('batch_id', sa.String(), nullable=True))
    op.create_index(
        'ix_task_runs_batch_id_state',
        'task_runs',
        ['batch_id', 'state', 'finished_at'],
        sqlite_where=IN_BATCH,
        postgresql_where=IN_BATCH,
    )


def downgrade() -> None:
    op.drop_index('ix_task_runs_batch_id_state', 'task_runs')
    op.drop_column('task_runs', 'batch_id')
    op.drop_table('paused_queues')
    op.drop_table('batches')

"""indexes of the panel: runs by state, by end, and failures by fingerprint"""

from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('task_runs', schema=None) as batch_op:
        batch_op.drop_index('ix_task_runs_fingerprint')
        batch_op.create_index('ix_task_runs_finished_at', ['finished_at'], unique=False)
        batch_op.create_index(
            'ix_task_runs_fingerprint_finished_at',
            ['fingerprint', 'finished_at', 'state'],
            unique=False,
        )
        batch_op.create_index(
            'ix_task_runs_state_finished_at', ['state', 'finished_at'], unique=False
        )
        batch_op.create_index('ix_task_runs_state_queued_at', ['state', 'queued_at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('task_runs', schema=None) as batch_op:
        batch_op.drop_index('ix_task_runs_state_queued_at')
        batch_op.drop_index('ix_task_runs_state_finished_at')
        batch_op.drop_index('ix_task_runs_fingerprint_finished_at')
        batch_op.drop_index('ix_task_runs_finished_at')
        batch_op.create_index('ix_task_runs_fingerprint', ['fingerprint'], unique=False)

"""indexes of ended runs: what has not ended or failed is left out, so that it is written faster"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

INDEXES = {
    'ix_task_runs_state_finished_at': (['state', 'finished_at'], 'finished_at IS NOT NULL'),
    'ix_task_runs_finished_at': (['finished_at'], 'finished_at IS NOT NULL'),
    'ix_task_runs_fingerprint_finished_at': (
        ['fingerprint', 'finished_at', 'state'],
        "fingerprint > ''",
    ),
}


def upgrade() -> None:
    for name, (columns, condition) in INDEXES.items():
        only = sa.text(condition)
        op.drop_index(name, 'task_runs')
        op.create_index(name, 'task_runs', columns, sqlite_where=only, postgresql_where=only)


def downgrade() -> None:
    for name, (columns, _) in INDEXES.items():
        op.drop_index(name, 'task_runs')
        op.create_index(name, 'task_runs', columns)

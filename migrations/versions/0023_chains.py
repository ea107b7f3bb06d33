"""chains: every link is a run, from the start"""

import uuid

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
TEXTS = ('id', 'task', 'queue', 'state', 'trigger', 'asked_by', 'host', 'error', 'fingerprint')
COUNTS = ('attempt', 'retries_left', 'recoveries', 'stalls', 'progress_done', 'progress_total')
MOMENTS = ('queued_at', 'due_at')
OPEN = ('PENDING', 'RETRY', 'STARTED')
RETRIES = {'sync_all_teams': 2, 'sync_daily_schedule': 3}

runs = sa.table(
    'task_runs',
    *(sa.column(name, sa.String) for name in (*TEXTS, 'traceback')),
    *(sa.column(name, sa.Integer) for name in COUNTS),
    *(sa.column(name, sa.DateTime(timezone=True)) for name in MOMENTS),
    sa.column('args', sa.JSON),
    sa.column('earlier', JSON),
    sa.column('cancel_asked', sa.Boolean),
    sa.column('chain', JSON),
    sa.column('chain_id', sa.String),
    sa.column('chain_place', sa.Integer),
)
IS_LINK = sa.and_(runs.c.chain_id.is_not(None), runs.c.state == 'PENDING', runs.c.due_at.is_(None))


def upgrade() -> None:
    op.add_column('task_runs', sa.Column('chain_id', sa.String(), nullable=True))
    op.add_column('task_runs', sa.Column('chain_place', sa.Integer(), nullable=True))
    connection = op.get_bind()
    open_runs = sa.select(runs).where(runs.c.state.in_(OPEN))
    for run in connection.execute(open_runs).all():
        if not run.chain:
            continue
        key = {'chain_id': str(uuid.uuid4())}
        first = sa.update(runs).where(runs.c.id == run.id)
        connection.execute(first.values(key | {'chain_place': 1}))
        for place, task in enumerate(run.chain, 2):
            texts = dict.fromkeys((*TEXTS, 'traceback'), '') | {
                'id': str(uuid.uuid4()), 'task': task, 'queue': run.queue, 'state': 'PENDING',
                'trigger': 'chain', 'asked_by': run.asked_by,
            }
            counts = dict.fromkeys(COUNTS, 0) | {'retries_left': RETRIES.get(task, 0)}
            others = {
                'args': {}, 'earlier': [], 'chain': [], 'cancel_asked': False,
                'queued_at': run.queued_at, 'chain_place': place,
            }
            connection.execute(sa.insert(runs).values(key | texts | counts | others))
    op.drop_column('task_runs', 'chain')
    partial = sa.text('chain_id IS NOT NULL')
    op.create_index(
        'ix_task_runs_chain_id_chain_place',
        'task_runs',
        ['chain_id', 'chain_place'],
        unique=True,
        sqlite_where=partial,
        postgresql_where=partial,
    )


def downgrade() -> None:
    op.add_column('task_runs', sa.Column('chain', JSON, server_default='[]', nullable=False))
    connection = op.get_bind()
    links = sa.select(runs).where(IS_LINK).order_by(runs.c.chain_place)
    following: dict[str, list[str]] = {}
    for link in connection.execute(links).all():
        following.setdefault(link.chain_id, []).append(link.task)
    connection.execute(sa.delete(runs).where(IS_LINK))
    for chain_id, tasks in following.items():
        current = sa.update(runs).where(runs.c.chain_id == chain_id, runs.c.state.in_(OPEN))
        connection.execute(current.values(chain=tasks))
    op.drop_index('ix_task_runs_chain_id_chain_place', 'task_runs')
    op.drop_column('task_runs', 'chain_place')
    op.drop_column('task_runs', 'chain_id')

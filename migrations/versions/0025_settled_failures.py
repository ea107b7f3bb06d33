"""settled failures: what resolved or dismissed them; how many errors a success has"""

import json
import re
from bisect import bisect_right
from collections import defaultdict

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
WIDENED = {
    'ix_task_runs_state_finished_at': (['state', 'finished_at'], 'finished_at IS NOT NULL'),
    'ix_task_runs_fingerprint_finished_at': (
        ['fingerprint', 'finished_at', 'state'],
        "fingerprint > ''",
    ),
}
NEW = {
    'ix_task_runs_unresolved': (
        ['task', 'fingerprint', 'state'],
        "fingerprint > '' AND resolved_at IS NULL",
    ),
    'ix_task_runs_with_errors': (['queued_at'], 'error_count > 0'),
}

runs = sa.table(
    'task_runs',
    *(sa.column(name, sa.String) for name in ('id', 'task', 'args', 'state', 'result')),
    *(sa.column(name, TIME) for name in ('finished_at', 'resolved_at')),
    sa.column('error_count', sa.Integer),
)
args = sa.cast(runs.c.args, sa.Text)
result = sa.cast(runs.c.result, sa.Text)


def create_index(name, columns, condition):
    only = sa.text(condition)
    op.create_index(name, 'task_runs', columns, sqlite_where=only, postgresql_where=only)


def upgrade() -> None:
    for name in ('resolved_at', 'dismissed_at'):
        op.add_column('task_runs', sa.Column(name, TIME, nullable=True))
    for name in ('dismissed_by', 'dismissed_word'):
        op.add_column('task_runs', sa.Column(name, sa.String(), server_default='', nullable=False))
    op.add_column(
        'task_runs', sa.Column('error_count', sa.Integer(), server_default='0', nullable=False)
    )
    resolve_failures(op.get_bind())
    count_errors(op.get_bind())
    for name, (columns, condition) in WIDENED.items():
        op.drop_index(name, 'task_runs')
        create_index(name, [*columns, 'resolved_at', 'dismissed_at'], condition)
    for name, (columns, condition) in NEW.items():
        create_index(name, columns, condition)


def resolve_failures(connection) -> None:
    """A failure is resolved by the first success after it, of the same task and arguments."""
    columns = sa.select(runs.c.id, runs.c.task, args.label('args'), runs.c.finished_at)
    ended = columns.where(runs.c.finished_at.is_not(None)).order_by(runs.c.finished_at)
    failed = connection.execute(ended.where(runs.c.state.in_(('FAILURE', 'TIMEOUT')))).all()
    tasks = {run.task for run in failed}
    succeeded = ended.where(runs.c.state == 'SUCCESS', runs.c.task.in_(tasks))
    successes = defaultdict(list)
    for run in connection.execute(succeeded):
        successes[work_of(run)].append(run.finished_at)
    values = []
    for run in failed:
        times = successes[work_of(run)]
        later = times[bisect_right(times, run.finished_at) :]
        if later:
            values.append({'run': run.id, 'at': later[0]})
    if values:
        this = runs.c.id == sa.bindparam('run')
        connection.execute(sa.update(runs).where(this).values(resolved_at=sa.bindparam('at')), values)


def work_of(run):
    """Task and arguments; earlier releases wrote these in another order."""
    return run.task, json.dumps(json.loads(run.args), sort_keys=True)


def count_errors(connection) -> None:
    """A result that was cut to its length states how many errors it lacks."""
    some = sa.select(runs.c.id, result).where(
        runs.c.state == 'SUCCESS', result.contains('"errors": ['), ~result.contains('"errors": []')
    )
    values = []
    for run_id, text in connection.execute(some):
        stored = json.loads(text)
        errors = stored.get('errors') if isinstance(stored, dict) else None
        if isinstance(errors, list) and errors:
            more = re.fullmatch(r'and ([\d,]+) more', str(errors[-1]))
            count = len(errors) - 1 + int(more[1].replace(',', '')) if more else len(errors)
            values.append({'run': run_id, 'count': count})
    if values:
        this = runs.c.id == sa.bindparam('run')
        counted = sa.update(runs).where(this).values(error_count=sa.bindparam('count'))
        connection.execute(counted, values)


def downgrade() -> None:
    for name in NEW:
        op.drop_index(name, 'task_runs')
    for name, (columns, condition) in WIDENED.items():
        op.drop_index(name, 'task_runs')
        create_index(name, columns, condition)
    for name in ('error_count', 'dismissed_word', 'dismissed_by', 'dismissed_at', 'resolved_at'):
        op.drop_column('task_runs', name)

"""names of alerts: notified, notified_at, suppressed_count, text"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

NAMES = {
    'told_at': 'notified_at',
    'is_told': 'notified',
    'swallowed': 'suppressed_count',
    'words': 'text',
}
# the row that is no problem: when the last check was
RENAME_CHECK = sa.text("UPDATE alerts SET kind = :new WHERE subject = '' AND kind = :old")


def upgrade() -> None:
    with op.batch_alter_table('alerts', schema=None) as batch_op:
        for old, new in NAMES.items():
            batch_op.alter_column(old, new_column_name=new)
    op.execute(RENAME_CHECK.bindparams(old='look', new='check'))


def downgrade() -> None:
    op.execute(RENAME_CHECK.bindparams(old='check', new='look'))
    with op.batch_alter_table('alerts', schema=None) as batch_op:
        for old, new in NAMES.items():
            batch_op.alter_column(new, new_column_name=old)

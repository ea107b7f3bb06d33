"""games that were first read a day or more after their start lose records of later"""

from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

LATER = {
    'sqlite': 'julianday(created_at) > julianday(start_at) + 1',
    'postgresql': "created_at > start_at + interval '1 day'",
}


def upgrade() -> None:
    is_late = LATER[op.get_bind().dialect.name]
    op.execute(
        f"UPDATE games SET home_record = '', away_record = '' WHERE state = 'post' AND {is_late}"
    )


def downgrade() -> None:
    pass  # what they were at the time is not known

"""names of teams: those of then, those that are searched for"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
NAMES = ('display_name', 'location', 'name', 'short_name', 'abbreviation')

teams = sa.table(
    'teams',
    sa.column('id', sa.Integer),
    *(sa.column(name, sa.String) for name in NAMES),
    sa.column('updated_at', sa.DateTime(timezone=True)),
    sa.column('named_on', sa.Date),
    sa.column('search_words', sa.String),
)


def upgrade() -> None:
    op.create_table(
        'former_abbreviations',
        sa.Column('league_id', sa.Integer(), nullable=False),
        sa.Column('abbreviation', sa.String(), nullable=False),
        sa.Column('team_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ['league_id'], ['leagues.id'], name='fk_former_abbreviations_league_id_leagues'
        ),
        sa.ForeignKeyConstraint(
            ['team_id'], ['teams.id'], name='fk_former_abbreviations_team_id_teams'
        ),
        sa.PrimaryKeyConstraint('league_id', 'abbreviation', name='pk_former_abbreviations'),
    )
    op.add_column('games', sa.Column('home_called', JSON, nullable=True))
    op.add_column('games', sa.Column('away_called', JSON, nullable=True))
    op.add_column('teams', sa.Column('named_on', sa.Date(), nullable=True))
    op.add_column('teams', sa.Column('search_words', sa.String(), server_default='', nullable=False))
    connection = op.get_bind()
    for team in connection.execute(sa.select(teams)).all():
        # nicknames come with the next list of teams
        text = unicodedata.normalize('NFKD', ' '.join(getattr(team, name) for name in NAMES))
        letters = ''.join(char for char in text.casefold() if not unicodedata.combining(char))
        words = re.sub(r'[^\w]+|_', ' ', re.sub("['.&\u2019]", '', letters)).split()
        values = {'search_words': ' '.join(dict.fromkeys(words)), 'named_on': team.updated_at.date()}
        connection.execute(sa.update(teams).where(teams.c.id == team.id).values(values))


def downgrade() -> None:
    op.drop_column('teams', 'search_words')
    op.drop_column('teams', 'named_on')
    op.drop_column('games', 'away_called')
    op.drop_column('games', 'home_called')
    op.drop_table('former_abbreviations')

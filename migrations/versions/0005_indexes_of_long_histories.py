"""indexes of long histories: a league's games by start, state and week, a team's by season"""

from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

BY_STATE = ['league_id', 'state', 'start_at']
BY_WEEK = ['league_id', 'season_year', 'season_type', 'week']


def upgrade() -> None:
    with op.batch_alter_table('games', schema=None) as batch_op:
        batch_op.drop_index('ix_games_league_id_state_start_at')
        batch_op.drop_index('ix_games_home_team_id_day')
        batch_op.drop_index('ix_games_away_team_id_day')
        batch_op.create_index('ix_games_league_id_start_at', ['league_id', 'start_at', 'espn_id'])
        batch_op.create_index('ix_games_league_id_state_start_at', [*BY_STATE, 'espn_id'])
        batch_op.create_index('ix_games_league_id_week', BY_WEEK)
        batch_op.create_index('ix_games_home_team_id_season_year', ['home_team_id', 'season_year'])
        batch_op.create_index('ix_games_away_team_id_season_year', ['away_team_id', 'season_year'])


def downgrade() -> None:
    with op.batch_alter_table('games', schema=None) as batch_op:
        batch_op.drop_index('ix_games_away_team_id_season_year')
        batch_op.drop_index('ix_games_home_team_id_season_year')
        batch_op.drop_index('ix_games_league_id_week')
        batch_op.drop_index('ix_games_league_id_state_start_at')
        batch_op.drop_index('ix_games_league_id_start_at')
        batch_op.create_index('ix_games_away_team_id_day', ['away_team_id', 'day'])
        batch_op.create_index('ix_games_home_team_id_day', ['home_team_id', 'day'])
        batch_op.create_index('ix_games_league_id_state_start_at', BY_STATE)

"""A league's standings, group by group, as the feed has them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp import queries
from sportsapp.database import db
from sportsapp.models import Team
from sportsapp.web.page import Freshness, answer
from sportsapp.web.preferences import preferences
from sportsapp.web.scores import wanted_league

blueprint = Blueprint("standings", __name__)

# What a table may show: heading, what it stands for, the feed's name. Absent ones are left out.
COLUMNS = (
    ("GP", "Games played", "gamesPlayed"),
    ("W", "Wins", "wins"),
    ("L", "Losses", "losses"),
    ("T", "Ties", "ties"),
    ("OTL", "Overtime losses", "otLosses"),
    ("PTS", "Points", "points"),
    ("PCT", "Share of games won", "winPercent"),
    ("GB", "Games behind", "gamesBehind"),
    ("STRK", "Streak", "streak"),
)
POINTS_SPORTS = ("hockey", "soccer")


@blueprint.get("/<league_name>/standings")
def standings(league_name: str) -> ResponseReturnValue:
    """The standings of a league."""
    league = wanted_league(league_name)
    if league_name != league.slug:
        return redirect(url_for("standings.standings", league_name=league.slug), 301)

    def render(fresh: Freshness) -> str:
        teams = queries.standings_of(db.session, league.slug)
        groups = {name: list(rows) for name, rows in groupby(teams, key=lambda t: t.standing_group)}
        row = queries.leagues_by_slug(db.session, [league.slug]).get(league.slug)
        return render_template(
            "standings.html",
            league=league, groups=groups, row=row, fresh=fresh,
            columns=columns_of(teams, league.sport),
            shut=preferences().hides_scores and request.args.get("reveal") != "all",
        )  # fmt: skip

    return answer([league.slug], render)


def columns_of(teams: Sequence[Team], sport: str) -> list[tuple[str, str, str]]:
    """The columns that any of these teams has; points or games behind, as the sport ranks."""
    by_points = sport in POINTS_SPORTS
    unused = {"winPercent", "gamesBehind"} if by_points else {"points", "gamesPlayed"}
    known = {name for team in teams for name in team.standing}
    return [column for column in COLUMNS if column[2] in known - unused]

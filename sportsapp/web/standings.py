"""A league's standings, group by group, as the feed has them."""

from collections.abc import Sequence
from itertools import groupby

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.leagues import League
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Team
from sportsapp.web.lookup import league_or_404
from sportsapp.web.page import Freshness, answer
from sportsapp.web.preferences import preferences

blueprint = Blueprint("standings", __name__)

# By the feed's name of a statistic: the heading of its column, and its meaning.
HEADINGS = {
    "gamesPlayed": ("GP", "Games played"),
    "wins": ("W", "Wins"),
    "losses": ("L", "Losses"),
    "ties": ("T", "Ties"),
    "otLosses": ("OTL", "Overtime losses"),
    "pointDifferential": ("GD", "Goal difference"),
    "points": ("PTS", "Points"),
    "winPercent": ("PCT", "Winning percentage"),
    "gamesBehind": ("GB", "Games behind"),
    "vs. Conf.": ("CONF", "Record within the conference"),
    "streak": ("STRK", "Streak"),
}
WITH_DRAWS = {"gamesPlayed": ("P", "Played"), "ties": ("D", "Draws")}


@blueprint.get("/<league_name>/standings")
def standings(league_name: str) -> ResponseReturnValue:
    """The standings of a league."""
    league = league_or_404(league_name)
    if league_name != league.slug:
        return redirect(url_for("standings.standings", league_name=league.slug), 301)

    def render(fresh: Freshness) -> str:
        teams = queries.standings_of(db.session, league.slug)
        by_group = groupby(teams, key=lambda team: team.standing_group)
        return render_template(
            "standings.html",
            league=league,
            groups={group: list(members) for group, members in by_group},
            row=queries.league_rows(db.session, [league.slug]).get(league.slug),
            fresh=fresh,
            columns=columns_of(teams, league),
            is_hidden=preferences().hides_scores and request.args.get("reveal") != "all",
        )

    return answer([league.slug], render)


def columns_of(teams: Sequence[Team], league: League) -> list[tuple[str, str, str]]:
    """The league's columns that any of these teams has, as (heading, meaning, feed's name)."""
    headings = HEADINGS | (WITH_DRAWS if league.draws else {})
    known = {name for team in teams for name in team.standing}
    return [(*headings[name], name) for name in league.standings if name in known]

"""A league's standings, group by group, as the feed has them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.leagues import League
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Team
from sportsapp.web.page import Freshness, answer
from sportsapp.web.preferences import preferences
from sportsapp.web.scores import wanted_league

blueprint = Blueprint("standings", __name__)

# By the feed's name, what a table may show: heading, and what it stands for.
HEADINGS = {
    "gamesPlayed": ("GP", "Games played"),
    "wins": ("W", "Wins"),
    "losses": ("L", "Losses"),
    "ties": ("T", "Ties"),
    "otLosses": ("OTL", "Overtime losses"),
    "pointDifferential": ("GD", "Goal difference"),
    "points": ("PTS", "Points"),
    "winPercent": ("PCT", "Share of games won"),
    "gamesBehind": ("GB", "Games behind"),
    "vs. Conf.": ("CONF", "Record within the conference"),
    "streak": ("STRK", "Streak"),
}
WITH_DRAWS = {"gamesPlayed": ("P", "Played"), "ties": ("D", "Draws")}


@blueprint.get("/<league_name>/standings")
def standings(league_name: str) -> ResponseReturnValue:
    """The standings of a league."""
    league = wanted_league(league_name)
    if league_name != league.slug:
        return redirect(url_for("standings.standings", league_name=league.slug), 301)

    def render(fresh: Freshness) -> str:
        teams = queries.standings_of(db.session, league.slug)
        groups = {name: list(rows) for name, rows in groupby(teams, key=lambda t: t.standing_group)}
        row = queries.league_rows(db.session, [league.slug]).get(league.slug)
        return render_template(
            "standings.html",
            league=league, groups=groups, row=row, fresh=fresh,
            columns=columns_of(teams, league),
            shut=preferences().hides_scores and request.args.get("reveal") != "all",
        )  # fmt: skip

    return answer([league.slug], render)


def columns_of(teams: Sequence[Team], league: League) -> list[tuple[str, str, str]]:
    """Of the league's columns those that any of these teams has: heading, meaning, feed's name."""
    headings = HEADINGS | (WITH_DRAWS if league.draws else {})
    known = {name for team in teams for name in team.standing}
    return [(*headings[name], name) for name in league.standings if name in known]

"""A league's standings: group by group as the feed has them, all in one, or the wild cards."""

import math
from collections.abc import Sequence
from itertools import groupby

from flask import Blueprint, abort, redirect, render_template, request, url_for
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
    "pointDifferential": ("DIFF", "Scored less allowed"),
    "points": ("PTS", "Points"),
    "deductions": ("DED", "Points deducted"),
    "winPercent": ("PCT", "Winning percentage"),
    "gamesBehind": ("GB", "Games behind"),
    "vs. Conf.": ("CONF", "Record within the conference"),
    "Home": ("HOME", "Record at home"),
    "Road": ("AWAY", "Record away"),
    "Last Ten Games": ("L10", "Last ten games"),
    "streak": ("STRK", "Streak"),
}
WITH_DRAWS = {
    "gamesPlayed": ("P", "Played"),
    "ties": ("D", "Draws"),
    "pointDifferential": ("GD", "Goal difference"),
}
DECIDING = ("points", "winPercent", "vs. Conf.", "wins")
"""What tables go by; the first of these that is a column decides."""

Tables = dict[str, list[tuple[int, Team]]]
"""By a table's name: its lines as (place, team)."""


@blueprint.get("/<league_name>/standings", defaults={"table": ""})
@blueprint.get("/<league_name>/standings/<table>")
def standings(league_name: str, table: str) -> ResponseReturnValue:
    """The standings of a league."""
    league = league_or_404(league_name)
    if league_name != league.slug:
        return redirect(url_for("standings.standings", league_name=league.slug, table=table), 301)
    if table not in ("", "all", *(["wild-card"] if league.leaders else [])):
        abort(404, f"{league.label} standings have no table {table[:20]!r}.")

    def render(fresh: Freshness) -> str:
        teams = queries.standings_of(db.session, league.slug)
        columns = columns_of(teams, league, table)
        shown = [name for _, _, name in columns]
        decides = next((name for name in DECIDING if name in shown), "")
        marks = {team.standing.get("clincher") for team in teams}
        return render_template(
            "standings.html",
            league=league,
            table=table,
            has_groups=len({team.standing_group for team in teams}) > 1,
            tables=tables_of(teams, league, table, decides),
            row=queries.league_rows(db.session, [league.slug]).get(league.slug),
            fresh=fresh,
            columns=columns,
            decides=decides,
            marks={mark: text for mark, text in league.clinched if mark in marks},
            zones={
                team.standing["note"]: team.standing["noteColor"]
                for team in teams
                if team.standing.get("note")
            },
            is_hidden=preferences().hides_scores and request.args.get("reveal") != "all",
        )

    return answer([league.slug], render)


def columns_of(teams: Sequence[Team], league: League, table: str) -> list[tuple[str, str, str]]:
    """The league's columns that any of these teams has, as (heading, meaning, feed's name).

    Games behind count from the first of a group, so that only the tables of groups have them.
    """
    headings = HEADINGS | (WITH_DRAWS if league.draws else {})
    known = {name for team in teams for name, text in team.standing.items() if text}
    if table:
        known.discard("gamesBehind")
    return [(*headings[name], name) for name in league.standings if name in known]


def tables_of(teams: Sequence[Team], league: League, table: str, decides: str) -> Tables:
    """The groups in the feed's order; or those of their teams that play for wild cards; or all.

    Among all of a league teams with the same figure share a place.
    """
    if table == "all":
        figures = sorted((figure_of(team, decides) for team in teams), reverse=True)
        ordered = sorted(teams, key=lambda team: -figure_of(team, decides))
        lines = [(1 + figures.index(figure_of(team, decides)), team) for team in ordered]
        return {league.name: lines} if lines else {}
    leaders = league.leaders if table else 0
    return {
        group: [
            (place, team) for team in members if (place := team.standing_position or 0) > leaders
        ]
        for group, members in groupby(teams, key=lambda team: team.standing_group)
    }


def figure_of(team: Team, name: str) -> float:
    """What the team has in this column, by which it is ordered; below all where it has none."""
    try:
        figure = float(team.standing.get(name, ""))
    except ValueError:
        return -1.0
    return figure if math.isfinite(figure) else -1.0

"""A league's standings: by division, by conference, who plays for wild cards, or all in one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.leagues import League
from sportsapp.core.standings import deciding, figure_of, games_behind
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


@dataclass(frozen=True)
class Table:
    """Teams in order. Above the line are the first ``cut``, which play on after the season.

    Teams have their place in the table, or that of ``places``. Games behind count from the first
    team, in a race for wild cards from the last one above the line.
    """

    name: str
    teams: Sequence[Team]
    cut: int = 0
    is_race: bool = False
    places: Sequence[int] = ()

    def lines(self) -> Iterator[tuple[int, str, Team]]:
        """Place, games behind and team of each line."""
        last_in = min(self.cut, len(self.teams)) - 1 if self.is_race else 0
        places = self.places or range(1, len(self.teams) + 1)
        for place, team in zip(places, self.teams, strict=True):
            yield place, games_behind(team.standing, self.teams[last_in].standing), team


@blueprint.get("/<league_name>/standings", defaults={"table": ""})
@blueprint.get("/<league_name>/standings/<table>")
def standings(league_name: str, table: str) -> ResponseReturnValue:
    """The standings of a league."""
    league = league_or_404(league_name)
    usual = league.tables[0]
    if league_name != league.slug or table == usual:
        table = "" if table == usual else table
        return redirect(url_for("standings.standings", league_name=league.slug, table=table), 301)
    if table not in ("", *league.tables):
        abort(404, f"{league.label} standings have no table {table[:20]!r}.")

    def render(fresh: Freshness) -> str:
        teams = queries.standings_of(db.session, league.slug)
        known = known_tables(teams, league)
        shown = table or usual
        if shown not in known:
            shown = "conference"
        columns = columns_of(teams, league)
        decides = deciding([name for _, _, name in columns])
        marks = {team.standing.get("clincher") for team in teams}
        return render_template(
            "standings.html",
            league=league,
            shown=shown,
            names=known if len({team.standing_group for team in teams}) > 1 else (),
            tables=tables_of(teams, league, shown, decides),
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


def known_tables(teams: Sequence[Team], league: League) -> tuple[str, ...]:
    """The league's tables, less those that need divisions while no team has one."""
    if any(team.standing_division for team in teams):
        return league.tables
    return tuple(name for name in league.tables if name not in ("division", "wild-card"))


def columns_of(teams: Sequence[Team], league: League) -> list[tuple[str, str, str]]:
    """The league's columns that any of these teams has, as (heading, meaning, feed's name)."""
    headings = HEADINGS | (WITH_DRAWS if league.draws else {})
    known = {name for team in teams for name, text in team.standing.items() if text}
    return [(*headings[name], name) for name in league.standings if name in known]


def tables_of(teams: Sequence[Team], league: League, shown: str, decides: str) -> list[Table]:
    """The tables of one of the league's ways to divide the teams, by name.

    Among all of a league teams with the same figure share a place.
    """
    if shown == "all":
        ordered = sorted(teams, key=lambda team: -figure_of(team.standing, decides))
        figures = [figure_of(team.standing, decides) for team in ordered]
        places = [1 + figures.index(figure) for figure in figures]
        return [Table(league.name, ordered, places=places)] if teams else []
    if shown == "division":
        return divisions_of(teams)
    tables = []
    for group, members in groupby(teams, key=lambda team: team.standing_group):
        if shown == "wild-card":
            tables += race_of(group, list(members), league, decides)
        else:
            tables.append(Table(group, list(members), league.seeds))
    return tables


def divisions_of(teams: Sequence[Team]) -> list[Table]:
    """The divisions of each group; the teams of a group that have none are a table of their own."""

    def division(team: Team) -> tuple[str, str]:
        return team.standing_group, team.standing_division or ""

    def order(team: Team) -> tuple[tuple[str, str], int]:
        return division(team), team.standing_division_position or 0

    by_division = groupby(sorted(teams, key=order), key=division)
    return [Table(name or group, list(members)) for (group, name), members in by_division]


def race_of(group: str, teams: Sequence[Team], league: League, decides: str) -> list[Table]:
    """The leaders of a group's divisions, then the other teams, which play for wild cards."""

    def order(team: Team) -> tuple[float, int]:
        return -figure_of(team.standing, decides), team.standing_position or 0

    places = {team: team.standing_division_position or league.leaders + 1 for team in teams}
    leaders = [team for team in teams if places[team] <= league.leaders]
    others = [team for team in teams if places[team] > league.leaders]
    race = Table(f"{group} wild card", sorted(others, key=order), league.wild_cards, is_race=True)
    if league.leaders > 1:
        return [*divisions_of(leaders), race]
    return [Table(f"{group} division leaders", sorted(leaders, key=order)), race]

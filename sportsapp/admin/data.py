"""What the feed told us, to look at: leagues, teams, players, games. Nothing to change."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import url_for
from markupsafe import Markup
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload

from sportsapp.admin import words
from sportsapp.admin.runs import league_options
from sportsapp.admin.table import Choice, Condition, Table
from sportsapp.core.clock import game_day, parse_day, utc_now
from sportsapp.core.errors import DateRangeError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.records import State
from sportsapp.db.models import Game, LeagueRow, Player, Team

SEASONS_SHOWN = 12


def _in_league(model: Any) -> Choice:
    def condition(slug: str) -> Condition | None:
        if slug not in BY_SLUG:
            return None
        wanted = select(LeagueRow.id).where(LeagueRow.slug == slug).scalar_subquery()
        found: Condition = model.league_id == wanted
        return found

    return Choice("league", "League", condition, league_options)


def _yes_no(name: str, label: str, condition: Any) -> Choice:
    options = {"yes": condition, "no": ~condition}
    return Choice(name, label, options.get, lambda: [(value, value) for value in options])


def _on_day(text: str) -> Condition | None:
    try:
        return Game.day == parse_day(text, utc_now())
    except DateRangeError:
        return None


def _in_season(text: str) -> Condition | None:
    is_year = text.isascii() and text.isdecimal() and len(text) == 4
    return Game.season_year == int(text) if is_year else None


def _seasons() -> list[tuple[str, str]]:
    next_year = game_day(utc_now()).year + 1
    return [(str(year), str(year)) for year in range(next_year, next_year - SEASONS_SHOWN, -1)]


def _in_state(value: str) -> Condition | None:
    return Game.state == value if value in set(State) else None


def _team_ids(text: str) -> Any:
    named = Team.display_name.icontains(text, autoescape=True)
    return select(Team.id).where(or_(named, Team.abbreviation == text.upper()))


def _team(team: Team | None) -> str:
    return team.display_name if team else "TBD"


def _team_link(_view: Table, _context: Any, row: Any, _name: str) -> Markup:
    """A team with its page on the site."""
    team = row if isinstance(row, Team) else row.team
    if team is None:
        return words.moment(None)
    address = f"/{team.league.slug}/teams/{quote(team.address, safe='')}"
    return words.link(address, team.display_name)


def _league(_view: Table, _context: Any, row: Any, _name: str) -> str:
    label: str = row.league.slug.upper()
    return label


def _row_link(view: Table, _context: Any, row: Any, name: str) -> Markup:
    """A value that leads to the row's details."""
    return words.link(url_for(f"{view.endpoint}.details_view", id=row.id), getattr(row, name))


def _game_link(_view: Table, _context: Any, row: Game, _name: str) -> Markup:
    """A game with its page on the site."""
    address = f"/{row.league.slug}/games/{quote(row.espn_id, safe='')}"
    return words.link(address, f"{_team(row.away_team)} at {_team(row.home_team)}")


def _score(_view: Table, _context: Any, row: Game, _name: str) -> str:
    return "" if row.home_score is None else f"{row.away_score}-{row.home_score}"


def _run_link(_view: Table, _context: Any, row: Game, _name: str) -> Markup:
    """The run that last changed a game; its row may have been pruned since."""
    if not row.changed_by_run:
        return words.moment(None)
    address = url_for("admin_runs.details_view", id=row.changed_by_run)
    return words.link(address, row.changed_by_run.partition("@")[0][:20])


class Leagues(Table):
    """Leagues, at /admin/leagues/."""

    of, title, address = LeagueRow, "Leagues", "leagues"
    column_formatters = {"name": _row_link}
    column_list = ("name", "season_name", "polled_at", "changed_at", "failing_since", "failure")
    column_labels = {
        "polled_at": "Last read (UTC)", "changed_at": "Last changed (UTC)",
        "failing_since": "Failing since (UTC)", "season_name": "Season",
    }  # fmt: skip
    sorts = {
        "name": LeagueRow.name,
        "polled_at": LeagueRow.polled_at,
        "changed_at": LeagueRow.changed_at,
    }
    searched = (LeagueRow.name, LeagueRow.slug)
    search_label = "Search leagues"
    newest_first = (LeagueRow.slug,)
    choices = (_yes_no("failing", "Failing", LeagueRow.failing_since.is_not(None)),)


class Teams(Table):
    """Teams, at /admin/teams/."""

    of, title, address = Team, "Teams", "teams"
    column_formatters = {"display_name": _team_link, "league": _league, "abbreviation": _row_link}
    column_list = ("display_name", "abbreviation", "league", "record", "standing_group", "listed")
    column_labels = {"display_name": "Team", "standing_group": "Stands in"}
    sorts = {"display_name": Team.display_name, "abbreviation": Team.abbreviation}
    searched = (Team.display_name, Team.abbreviation, Team.espn_id)
    search_label = "Search teams"
    newest_first = (Team.league_id, Team.display_name, Team.id)
    loads = (joinedload(Team.league_row),)
    choices = (_in_league(Team), _yes_no("listed", "Listed", Team.listed.is_(True)))


class Players(Table):
    """Players, at /admin/players/."""

    of, title, address = Player, "Players", "players"
    column_formatters = {"name": _row_link, "team": _team_link}
    column_details_list = (
        "name", "team", "espn_id", "jersey", "position_name", "group", "status", "height",
        "weight", "born_on", "active", "created_at", "updated_at",
    )  # fmt: skip
    column_list = ("name", "team", "jersey", "position", "status", "born_on", "active")
    column_labels = {"born_on": "Born", "jersey": "No."}
    sorts = {"name": Player.name, "position": Player.position, "born_on": Player.born_on}
    searched = (Player.name,)
    search_label = "Search players and teams"
    newest_first = (Player.name, Player.id)
    loads = (joinedload(Player.team).joinedload(Team.league_row),)
    choices = (_in_league(Player), _yes_no("active", "On a roster", Player.active.is_(True)))

    def search(self, found: Select[Any], text: str) -> Select[Any]:
        named = Player.name.icontains(text, autoescape=True)
        return found.where(named | Player.team_id.in_(_team_ids(text)))


class Games(Table):
    """Games, at /admin/games/."""

    of, title, address = Game, "Games", "games"
    column_formatters = {
        "day": _row_link, "league": _league, "game": _game_link, "score": _score,
        "changed_by_run": _run_link,
    }  # fmt: skip
    column_list = ("day", "league", "game", "score", "detail", "updated_at", "changed_by_run")
    column_labels = {
        "detail": "State", "updated_at": "Changed (UTC)", "changed_by_run": "Changed by run",
    }  # fmt: skip
    column_export_list = (
        "league", "espn_id", "day", "start_at", "state", "status", "detail", "away_team",
        "away_score", "home_team", "home_score", "updated_at", "changed_by_run",
    )  # fmt: skip
    sorts = {"day": (Game.day, Game.start_at), "updated_at": Game.updated_at}
    searched = (Game.espn_id,)
    search_label = "Search teams or ESPN's id"
    newest_first = (Game.day.desc(), Game.start_at.desc(), Game.id.desc())
    loads = (joinedload(Game.league_row), joinedload(Game.home_team), joinedload(Game.away_team))
    column_details_list = (
        "game", "league", "score", "espn_id", "day", "start_at", "season_year", "week", "state",
        "status", "detail", "period", "clock", "home_linescores", "away_linescores",
        "home_rank", "away_rank", "venue", "city", "broadcast", "note", "series", "situation",
        "changed_by_run", "created_at", "updated_at",
    )  # fmt: skip
    choices = (
        _in_league(Game),
        Choice("state", "State", _in_state, lambda: [(s.value, s.value) for s in State]),
        Choice("season", "Season", _in_season, _seasons),
        Choice("day", "Day (US Eastern)", _on_day),
    )

    def search(self, found: Select[Any], text: str) -> Select[Any]:
        teams = _team_ids(text)
        sides = Game.home_team_id.in_(teams) | Game.away_team_id.in_(teams)
        return found.where(sides | (Game.espn_id == text))

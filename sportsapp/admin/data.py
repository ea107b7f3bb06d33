"""What the database holds: leagues, teams, players, games. Nothing can be changed here."""

from typing import Any

from flask import url_for
from markupsafe import Markup
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload

from sportsapp.admin import formatting
from sportsapp.admin.table import Condition, Filter, TableView, choice, day_filter, league_filter
from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.records import State
from sportsapp.db.models import Game, LeagueRow, Player, Team

SEASONS_SHOWN = 12


# ---------------------------------------------------------------- filters


def _by_league(model: Any) -> Filter:
    id_of = select(LeagueRow.id)
    return league_filter(
        lambda slug: model.league_id == id_of.where(LeagueRow.slug == slug).scalar_subquery()
    )


def _yes_or_no(name: str, label: str, condition: Condition) -> Filter:
    return choice(name, label, {"yes": condition, "no": ~condition})


def _in_season(text: str) -> Condition | None:
    is_year = text.isascii() and text.isdecimal() and len(text) == 4
    return Game.season_year == int(text) if is_year else None


def _season_options() -> list[tuple[str, str]]:
    next_year = game_day(utc_now()).year + 1
    return [(str(year), str(year)) for year in range(next_year, next_year - SEASONS_SHOWN, -1)]


def _team_ids(text: str) -> Any:
    """The ids of teams whose name contains the text, or whose abbreviation it is."""
    named = Team.display_name.icontains(text, autoescape=True)
    return select(Team.id).where(or_(named, Team.abbreviation == text.upper()))


# ---------------------------------------------------------------- cells


def _record_link(name: str) -> Any:
    """A formatter that links a column's value to the row's details."""
    return lambda row: formatting.link(url_for(".details_view", id=row.id), getattr(row, name))


def _league(row: Any) -> str:
    label: str = row.league.slug.upper()
    return label


def _team_link(team: Team | None) -> Markup | None:
    """A team, linked to its public page."""
    if team is None:
        return None
    address = url_for("teams.team", league_name=team.league.slug, address=team.address)
    return formatting.link(address, team.display_name)


# ---------------------------------------------------------------- views


class LeaguesView(TableView):
    """Leagues, at /admin/leagues/."""

    model, title, address, group = LeagueRow, "Leagues", "leagues", "Data"
    columns = ("name", "season_name", "polled_at", "changed_at", "failing_since", "failure")
    labels = {
        "polled_at": "Last good answer",
        "changed_at": "Last changed",
        "season_name": "Season",
    }
    formatters = {"name": _record_link("name")}
    default_order = (LeagueRow.slug,)
    sorts = {name: (getattr(LeagueRow, name),) for name in ("name", "polled_at", "changed_at")}
    filters = (_yes_or_no("failing", "Failing", LeagueRow.failing_since.is_not(None)),)
    searched = (LeagueRow.name, LeagueRow.slug)
    search_label = "Search leagues"


class TeamsView(TableView):
    """Teams, at /admin/teams/."""

    model, title, address, group = Team, "Teams", "teams", "Data"
    columns = ("display_name", "abbreviation", "league", "record", "standing_group", "listed")
    labels = {"display_name": "Team", "espn_id": "ESPN id", "standing_group": "Standings group"}
    formatters = {
        "display_name": _team_link,
        "league": _league,
        "abbreviation": _record_link("abbreviation"),
    }
    default_order = (Team.league_id, Team.display_name, Team.id)
    sorts = {"display_name": (Team.display_name,), "abbreviation": (Team.abbreviation,)}
    filters = (_by_league(Team), _yes_or_no("listed", "Listed", Team.listed.is_(True)))
    searched = (Team.display_name, Team.abbreviation, Team.espn_id)
    search_label = "Search teams"
    loads = (joinedload(Team.league_row),)


class PlayersView(TableView):
    """Players, at /admin/players/."""

    model, title, address, group = Player, "Players", "players", "Data"
    columns = ("name", "team", "jersey", "position", "status", "born_on", "active")
    record_columns = (
        *("name", "team", "espn_id", "jersey", "position_name", "roster_group", "status", "height"),
        *("weight", "born_on", "active", "created_at", "updated_at"),
    )
    labels = {"born_on": "Born", "jersey": "No.", "espn_id": "ESPN id"}
    formatters = {"name": _record_link("name"), "team": lambda player: _team_link(player.team)}
    default_order = (Player.name, Player.id)
    sorts = {name: (getattr(Player, name),) for name in ("name", "position", "born_on")}
    filters = (_by_league(Player), _yes_or_no("active", "On a roster", Player.active.is_(True)))
    searched = (Player.name,)
    search_label = "Search players and teams"
    loads = (joinedload(Player.team).joinedload(Team.league_row),)

    def search(self, rows: Select[Any], text: str) -> Select[Any]:
        """Players with this name, or of a team with it."""
        named = Player.name.icontains(text, autoescape=True)
        return rows.where(named | Player.team_id.in_(_team_ids(text)))


class GamesView(TableView):
    """Games, at /admin/games/."""

    model, title, address, group = Game, "Games", "games", "Data"
    columns = ("day", "league", "game", "score", "detail", "updated_at", "changed_by_run")
    record_columns = (
        *("game", "league", "score", "espn_id", "day", "start_at", "season_year", "week", "state"),
        *("status", "detail", "period", "clock", "home_linescores", "away_linescores"),
        *("home_rank", "away_rank", "venue", "city", "broadcast", "note", "series", "about"),
        *("situation", "listed", "missing_since", "changed_by_run", "created_at", "updated_at"),
    )
    export_columns = (
        *("league", "espn_id", "day", "start_at", "state", "status", "detail", "away_team"),
        *("away_score", "home_team", "home_score", "updated_at", "changed_by_run"),
    )
    labels = {"espn_id": "ESPN id", "start_at": "Starts", "updated_at": "Changed"}
    formatters = {
        "day": _record_link("day"),
        "league": _league,
        "game": formatting.game_link,
        "score": formatting.score,
        "changed_by_run": lambda game: formatting.run_link(game.changed_by_run),
    }
    default_order = (Game.day.desc(), Game.start_at.desc(), Game.id.desc())
    sorts = {"day": (Game.day, Game.start_at), "updated_at": (Game.updated_at,)}
    filters = (
        _by_league(Game),
        choice("state", "State", {state: Game.state == state for state in State}),
        _yes_or_no("listed", "Listed", Game.listed.is_(True)),
        Filter("season", "Season", _in_season, _season_options),
        day_filter("Day (US Eastern)", lambda day: Game.day == day),
    )
    search_label = "Search teams or ESPN's id"
    loads = (
        joinedload(Game.league_row),
        joinedload(Game.home_team_row),
        joinedload(Game.away_team_row),
    )

    def search(self, rows: Select[Any], text: str) -> Select[Any]:
        """Games of teams with this name, or the game with this ESPN id."""
        teams = _team_ids(text)
        played = Game.home_team_id.in_(teams) | Game.away_team_id.in_(teams)
        return rows.where(played | (Game.espn_id == text))

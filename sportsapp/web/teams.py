"""A league's teams, one team, and the search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.leagues import League
from sportsapp.core.records import State, Status
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import LeagueRow, Player, Team
from sportsapp.db.queries import GameSummary
from sportsapp.web.page import Freshness, answer, settings
from sportsapp.web.preferences import preferences
from sportsapp.web.scores import wanted_league

blueprint = Blueprint("teams", __name__)

LAST_RESULTS = 5
NEXT_GAMES = 5
LONGEST_SEARCH = 100
LONGEST_ADDRESS = 60
OVER = (Status.FINAL, Status.FORFEIT)
PLAIN_ENDINGS = ("Final", "FT")


@blueprint.get("/<league_name>/teams")
def teams(league_name: str) -> ResponseReturnValue:
    """The teams of a league."""
    league = wanted_league(league_name)
    if league_name != league.slug:
        return redirect(url_for("teams.teams", league_name=league.slug), 301)

    def render(fresh: Freshness) -> str:
        rows = queries.teams_of(db.session, [league.slug])
        return render_template("teams.html", league=league, teams=rows, fresh=fresh)

    return answer([league.slug], render)


@blueprint.get("/<league_name>/teams/<address>")
def team(league_name: str, address: str) -> ResponseReturnValue:
    """One team: record, last results, next games, season, roster."""
    league = wanted_league(league_name)
    row, *others = wanted_teams(league_name, address)
    if (league_name, address) != (league.slug, row.address):
        target = url_for("teams.team", league_name=league.slug, address=row.address)
        # who has an abbreviation to itself may change, so a browser must not keep what it led to
        return redirect(target, 302 if "_" in address else 301)

    def render(fresh: Freshness) -> str:
        season = row.league_row.season_year
        games = queries.games_of_team(db.session, row, season)
        over = [game for game in games if game.status in OVER]
        ahead = [game for game in games if game.state != State.POST]
        return render_template(
            "team.html",
            league=league, team=row, others=others, games=games, fresh=fresh.watching(games),
            season=f"Season {season_label(row.league_row)}" if season else "All games",
            last=over[-LAST_RESULTS:][::-1],
            ahead=ahead[:NEXT_GAMES],
            roster=_by_group(queries.roster_of(db.session, row)),
            is_favourite=preferences().has(league.slug, row.espn_id),
        )  # fmt: skip

    return answer([league.slug], render)


@blueprint.get("/search")
def search() -> ResponseReturnValue:
    """Teams by name. One hit leads straight to its page."""
    words = request.args.get("q", "").strip()
    if len(words) > LONGEST_SEARCH:
        abort(400, f"A search has at most {LONGEST_SEARCH} signs.")
    slugs = settings().leagues

    def render(fresh: Freshness) -> str:
        found = queries.search_teams(db.session, slugs, words) if words else []
        return render_template("search.html", words=words, teams=found, fresh=fresh)

    if words:
        hits = queries.search_teams(db.session, slugs, words)
        if len(hits) == 1:
            slug, address = hits[0].league.slug, hits[0].address
            return redirect(url_for("teams.team", league_name=slug, address=address), 303)
    return answer(slugs, render)


def wanted_teams(league_name: str, address: str) -> list[Team]:
    """The team at this address, then others of its abbreviation; ends in 404 when there is none."""
    league = wanted_league(league_name)
    rows = queries.teams_at(db.session, league.slug, address[:LONGEST_ADDRESS])
    if not rows:
        abort(404, f"The {league.label} has no team {address[:20]!r}.")
    return rows


def result_of(game: GameSummary, team: Team) -> str:
    """A finished game from a team's side: W, L or T (a draw: D), and the score, its own first."""
    home, away = (game.home_score, game.home_winner), (game.away_score, game.away_winner)
    ours, theirs = (home, away) if game.home_team_id == team.id else (away, home)
    if ours[0] is None or theirs[0] is None or game.status not in OVER:
        return ""
    return f"{_letter(game.league, ours, theirs)} {ours[0]}-{theirs[0]}"


def _letter(league: League, ours: tuple[Any, Any], theirs: tuple[Any, Any]) -> str:
    """How it ended for us: by score, by who is the winner where that is level (penalties)."""
    if ours[0] != theirs[0]:
        return "W" if ours[0] > theirs[0] else "L"
    if ours[1] or theirs[1]:
        return "W" if ours[1] else "L"
    return "D" if league.draws else "T"


def ending(game: GameSummary) -> str:
    """How a game ended, in the feed's words; nothing where it just ended."""
    return "" if game.detail in PLAIN_ENDINGS else game.detail


def season_label(league: LeagueRow) -> str:
    """A season as its league calls it: 2026-27 where the feed's name of it says so."""
    first = league.season_name.partition(" ")[0]
    return first if first[:4].isdigit() else str(league.season_year)


def _by_group(players: Sequence[Player]) -> dict[str, list[Player]]:
    """Players by the roster's groups, or by position where it has none (NBA)."""
    groups: dict[str, list[Player]] = {}
    for player in players:
        name = player.group or player.position_name or "Players"
        groups.setdefault(_in_words(name), []).append(player)
    return groups


def _in_words(name: str) -> str:
    """A group's name for people: "injuredReserveOrOut" becomes "Injured reserve or out"."""
    if " " in name or not name[:1].islower():
        return name
    return "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in name).capitalize()

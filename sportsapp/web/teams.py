"""A league's teams, one team, and the search."""

from collections.abc import Sequence
from datetime import timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.leagues import League, season_of
from sportsapp.core.records import State
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Player, Team
from sportsapp.db.queries import GameSummary, Span
from sportsapp.services import services
from sportsapp.web.box import words_of
from sportsapp.web.labels import OVER, part_label, record_label, season_label
from sportsapp.web.lookup import league_or_404, teams_or_404
from sportsapp.web.page import Freshness, answer
from sportsapp.web.unread import are_read, reading_of

blueprint = Blueprint("teams", __name__)

LAST_RESULTS = 3
NEXT_GAMES = 3
NOT_IN_THE_TEAM = ("Injured", "Practice", "Suspended")
LONGEST_SEARCH = 100


@blueprint.get("/<league_name>/teams")
def teams(league_name: str) -> ResponseReturnValue:
    """The teams of a league."""
    league = league_or_404(league_name)
    if league_name != league.slug:
        return redirect(url_for("teams.teams", league_name=league.slug), 301)

    def render(fresh: Freshness) -> str:
        rows = queries.teams_of(db.session, [league.slug])
        return render_template("teams.html", league=league, teams=rows, fresh=fresh)

    return answer([league.slug], render)


@blueprint.get("/<league_name>/teams/<address>")
def team(league_name: str, address: str) -> ResponseReturnValue:
    """One team: record, live game, last results, next games, season."""
    league, team, *namesakes = team_at(league_name, address)

    def render(fresh: Freshness) -> str:
        season = queries.season_of_team(db.session, team)
        games = queries.games_of_team(db.session, team, season)
        over = [game for game in games if game.status in OVER]
        today = game_day(utc_now())
        ahead = [game for game in games if game.state == State.PRE and game.listed]
        parts: dict[str, list[GameSummary]] = {}
        for game in games:
            parts.setdefault(part_label(game), []).append(game)
        first, last = season_of(league, today)
        reading = reading_of(league, first, last)
        # what is to come need not be known, but every day that is over
        past = Span(league.slug, first, today - timedelta(days=1))
        is_running = season is not None and season == team.league_row.season_year
        is_whole = is_running and (reading.is_read or are_read([past])[0])
        played = [game for game in parts.get("Season", []) if is_whole and not game.neutral_site]
        return render_template(
            "team.html",
            league=league,
            team=team,
            namesakes=namesakes,
            games=games,
            reading=reading,
            at_home=record_label([game for game in played if game.home_team_id == team.id], team),
            on_road=record_label([game for game in played if game.home_team_id != team.id], team),
            fresh=fresh.watching(games),
            years=season_label(team.league_row, season) if season else "",
            parts=parts,
            playing=[game for game in games if game.state == State.IN and game.listed],
            last=over[-LAST_RESULTS:][::-1],
            ahead=[game for game in ahead if game.day >= today][:NEXT_GAMES],
            addresses=addresses_of_opponents(games, team),
        )

    return answer([league.slug], render)


@blueprint.get("/<league_name>/teams/<address>/roster")
def roster(league_name: str, address: str) -> ResponseReturnValue:
    """A team's players, by the feed's groups or by position."""
    league, team, *namesakes = team_at(league_name, address)

    def render(fresh: Freshness) -> str:
        groups: dict[str, list[Player]] = {}
        for player in queries.roster_of(db.session, team):
            # the NBA's rosters have no groups
            group = player.roster_group or player.position_name or "Players"
            groups.setdefault(words_of(group), []).append(player)
        away_last = sorted(groups, key=lambda name: name.startswith(NOT_IN_THE_TEAM))
        return render_template(
            "roster.html",
            league=league,
            team=team,
            namesakes=namesakes,
            fresh=fresh.watching([]),
            groups={name: groups[name] for name in away_last},
        )

    return answer([league.slug], render)


def team_at(league_name: str, address: str) -> tuple[League, Team, *tuple[Team, ...]]:
    """The league and the team of this page's address, then the others of its abbreviation.

    Another form of the address redirects to the same page at the team's own.
    """
    league = league_or_404(league_name)
    team, *namesakes = teams_or_404(league, address)
    if (league_name, address) != (league.slug, team.address):
        target = url_for(str(request.endpoint), league_name=league.slug, address=team.address)
        # an address with an id can change when a namesake goes, so a browser must not cache it
        is_former = address.upper() != team.abbreviation.upper()
        abort(redirect(target, 302 if "_" in address else 308 if is_former else 301))
    return league, team, *namesakes


def addresses_of_opponents(games: Sequence[GameSummary], team: Team) -> dict[str, str]:
    """The addresses of those who play this team in these games, by the feed's id."""
    slug = team.league.slug
    sides = {side.espn_id for game in games for side in (game.home_team, game.away_team) if side}
    names = [f"{slug}-{espn_id}" for espn_id in sides - {team.espn_id}]
    return {other.espn_id: other.address for other in queries.teams_named(db.session, names)}


@blueprint.get("/search")
def search() -> ResponseReturnValue:
    """Teams by name. A single match redirects to the team's page, unless it is a guess."""
    text = request.args.get("q", "").strip()
    if len(text) > LONGEST_SEARCH:
        abort(400, f"A search can have at most {LONGEST_SEARCH} characters.")
    slugs = services().settings.leagues
    matches, is_guess = queries.search_teams(db.session, slugs, text)
    if len(matches) == 1 and not is_guess:
        slug, address = matches[0].league.slug, matches[0].address
        return redirect(url_for("teams.team", league_name=slug, address=address), 303)

    def render(fresh: Freshness) -> str:
        return render_template(
            "search.html", text=text, teams=matches, is_guess=is_guess, fresh=fresh
        )

    return answer(slugs, render)

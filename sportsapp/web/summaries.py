"""What a game's stored summary holds, each part at an address: box score, plays, recap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.records import State
from sportsapp.core.summary import SummaryRecord
from sportsapp.core.summary_faults import summary_faults
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game
from sportsapp.db.queries import StoredSummary
from sportsapp.web import plays
from sportsapp.web.box import has_box, player_tables, side_name, team_figures
from sportsapp.web.earlier import meetings_in
from sportsapp.web.labels import full_time
from sportsapp.web.lookup import game_or_404, league_or_404
from sportsapp.web.page import Freshness, answer
from sportsapp.web.spoilers import is_revealed
from sportsapp.web.text import render_page
from sportsapp.web.unread import is_summary_coming

blueprint = Blueprint("summaries", __name__)


@blueprint.get("/<league_name>/games/<espn_id>/box")
def box(league_name: str, espn_id: str) -> ResponseReturnValue:
    """The box score of a game: figures of both teams, then the players of each."""

    def parts(game: Game, summary: SummaryRecord) -> dict[str, Any]:
        figures, sport = team_figures(summary), game.league.sport
        boxes = [(one, player_tables(one, sport)) for one in summary.box]
        boxes = [(one, tables) for one, tables in boxes if tables or one.notes]
        names = [side_name(game, one.side) for one, _ in boxes]
        lineups = [f"{side_name(game, one.side)}: lineup" for one in summary.lineups]
        return {
            "figures": figures,
            "boxes": boxes,
            "lineups": summary.lineups,
            "sections": [
                *((f"side{number}", name or "Team") for number, name in enumerate(names, start=1)),
                *([("teams", "Teams")] if figures else []),
                *((f"lineup{number}", name) for number, name in enumerate(lineups, start=1)),
            ],
        }

    return _part("box", "box score", league_name, espn_id, parts)


@blueprint.get("/<league_name>/games/<espn_id>/plays")
def plays_of(league_name: str, espn_id: str) -> ResponseReturnValue:
    """The plays of a game in their groups, newest first while it is live."""
    only_scoring = request.args.get("scoring") == "1"

    def parts(game: Game, summary: SummaryRecord) -> dict[str, Any]:
        is_live = game.state == State.IN
        groups = plays.groups_of(game, summary, only_scoring=only_scoring, newest_first=is_live)
        return {
            "groups": groups,
            # periods are few; drives and half innings have a note, and are many
            "sections": [group[:2] for group in groups if not group.note],
            "chance": plays.chance_of(game, summary),
            "only_scoring": only_scoring,
        }

    return _part("plays", "plays", league_name, espn_id, parts)


@blueprint.get("/<league_name>/games/<espn_id>/recap")
def recap(league_name: str, espn_id: str) -> ResponseReturnValue:
    """How a game came about: its scores in order, its officials, who was injured, the series."""

    def parts(game: Game, summary: SummaryRecord) -> dict[str, Any]:
        # in basketball those are a hundred: the plays show them
        is_short = game.league.sport != "basketball"
        scoring = plays.scoring_of(game, summary) if is_short else []
        return {"scoring": scoring, "meetings": meetings_in(game, summary)}

    return _part("recap", "recap", league_name, espn_id, parts)


def _part(
    name: str,
    title: str,
    league_name: str,
    espn_id: str,
    parts: Callable[[Game, SummaryRecord], dict[str, Any]],
) -> ResponseReturnValue:
    league = league_or_404(league_name)
    if league_name != league.slug:
        endpoint = str(request.endpoint)
        return redirect(url_for(endpoint, league_name=league.slug, espn_id=espn_id), 301)
    game = game_or_404(league, espn_id)
    is_summary_coming(game)

    def render(fresh: Freshness) -> str:
        stored = queries.stored_summary(db.session, game.id) if is_revealed(game) else None
        return render_page(
            name,
            game=game,
            league=league,
            fresh=fresh.watching([game]),
            part=title,
            stored=stored,
            tabs=tabs_of(game, stored),
            moment=moment_of(game, stored) if stored else "",
            kept=kept,
            faults=summary_faults(stored.summary) if stored else [],
            **(parts(game, stored.summary) if stored else {}),
        )

    return answer([league.slug], render, has_text=True)


def tabs_of(game: Game, stored: StoredSummary | None) -> list[tuple[str, str]]:
    """Name and address of the pages of this game; none besides its own without a summary."""
    if stored is None:
        return []
    home = f"/{game.league.slug}/games/{game.espn_id}"
    known = {
        "Game": "",
        "Box score": "/box" if has_box(stored.summary) else None,
        "Plays": "/plays" if stored.summary.groups else None,
        "Recap": "/recap",
    }
    return [
        (name, kept(f"{home}{path}" if path else home))
        for name, path in known.items()
        if path is not None
    ]


def kept(path: str, **more: str) -> str:
    """This address with the games that the visitor has asked to see, and with ``more``."""
    revealed = request.args.get("reveal", "")
    query = urlencode(({"reveal": revealed} if revealed else {}) | more)
    return f"{path}?{query}" if query else path


def moment_of(game: Game, stored: StoredSummary) -> str:
    """Of which moment a summary is, where that is not the one of the score above; else empty."""
    summary = stored.summary
    header = summary.away.score, summary.home.score
    score = header if summary.is_completed else plays.last_score(summary) or header
    is_same = None in score or score == (game.away_score, game.home_score)
    is_over = game.state == State.POST
    if is_same and (summary.is_completed or not is_over):
        return "" if summary.is_completed else f"As of {full_time(stored.read_at)}."
    then = "" if is_same else f", when the score was {score[0]}-{score[1]}"
    words = "" if summary.is_completed or not is_over else " It is not the whole game."
    return f"As of {full_time(stored.read_at)}{then}.{words}"

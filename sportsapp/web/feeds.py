"""News of finals as Atom: a league's and a team's."""

import re

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import League
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Team
from sportsapp.web.lookup import league_or_404, teams_or_404
from sportsapp.web.page import Freshness, answer
from sportsapp.web.preferences import preferences

blueprint = Blueprint("feeds", __name__)

FINALS = 50
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@blueprint.get("/<league_name>/scores.atom")
def league(league_name: str) -> ResponseReturnValue:
    """A league's latest finals; with ``?scores=hide`` without their scores."""
    return _atom(league_or_404(league_name))


@blueprint.get("/<league_name>/teams/<address>.atom")
def team(league_name: str, address: str) -> ResponseReturnValue:
    """A team's latest finals; with ``?scores=hide`` without their scores."""
    league = league_or_404(league_name)
    return _atom(league, teams_or_404(league, address)[0])


def _atom(league: League, team: Team | None = None) -> ResponseReturnValue:
    """The finals as Atom (RFC 4287).

    The ids (RFC 4151) name neither host nor scheme, and an entry's stamp moves with its score and
    status alone, so that nothing is new to a reader but results.
    """
    hides = preferences().hides_scores or request.args.get("scores") == "hide"

    def render(_fresh: Freshness) -> str:
        games = queries.latest_finals(db.session, league.slug, FINALS, team)
        stamps = [game.result_at for game in games if game.result_at]
        page = render_template(
            "atom.xml",
            league=league,
            team=team,
            games=games,
            hides=hides,
            updated=max(stamps, default=utc_now()),
        )
        return NOT_XML.sub("", page)

    response = answer([league.slug], render)
    response.content_type = "application/atom+xml; charset=utf-8"
    return response

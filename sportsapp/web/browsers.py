"""Whether this browser is told of the visitor's favourites: a signed cookie names its row."""

from types import MappingProxyType

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.db.models import Subscription
from sportsapp.http import cookies
from sportsapp.notify import browsers
from sportsapp.notify.choices import USUAL
from sportsapp.services import services

COOKIE = "push"
EVENTS = MappingProxyType(
    {
        "start": "a game that begins",
        "score": "each score",
        "lead": "another side that leads",
        "close": "a close game in its last minutes, and overtime",
        "period": "a period that ends",
        "final": "how a game ends",
        "postponed": "a game that is postponed or delayed",
    }
)
"""What may be chosen, in words."""


def this_browser() -> Subscription | None:
    """The row of the browser that sent this request, None where it is told nothing."""
    if not (value := request.cookies.get(COOKIE)):
        return None
    try:
        name = _signer().loads(value)
    except BadSignature:
        return None
    return browsers.find_browser(db.session, str(name))


def remember(answer: Response, name: str) -> None:
    """Set the cookie that names the browser's row."""
    cookies.keep(answer, COOKIE, _signer().dumps(name))


def forget(answer: Response) -> None:
    """Delete it."""
    cookies.drop(answer, COOKIE)


def key() -> str:
    """The key that browsers subscribe with; empty where none are told (PUSH_BROWSERS=0)."""
    most = services().settings.push_browsers
    return browsers.public_key(str(current_app.secret_key)) if most else ""


def first_events(teams: tuple[str, ...]) -> list[str]:
    """What is told of these teams before anything was chosen: no score of a basketball game."""
    sports = {BY_SLUG[team.partition("-")[0]].sport for team in teams}
    return [event for event in USUAL if event != "score" or "basketball" not in sports]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="browser")

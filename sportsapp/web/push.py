"""Messages on a visitor's own phone or computer: switched on, changed, switched off (Web Push)."""

from flask import Blueprint, Response, abort, current_app, redirect, request
from flask.typing import ResponseReturnValue

from sportsapp.core.errors import SubscriptionError
from sportsapp.db.engine import db
from sportsapp.http.limits import client_network
from sportsapp.notify.browsers import NO_SUBSCRIPTION, add_browser, follow, tell
from sportsapp.notify.subscriptions import remove
from sportsapp.services import services
from sportsapp.web import browsers
from sportsapp.web.preferences import check_origin, preferences

blueprint = Blueprint("push", __name__)

PAGE = "/preferences#messages"


@blueprint.post("/push")
def switch_on() -> ResponseReturnValue:
    """Tell a browser of its visitor's favourites; the body is its PushSubscription as JSON."""
    check_origin()
    if not services().push_visitors.admits_visitor():
        abort(429, "Messages cannot be switched on just now. Try again in a minute.")
    chosen, before = preferences(), browsers.this_browser()
    events = before.events if before else browsers.first_events(chosen.favourites)
    old = (before.id, before.name) if before else None
    try:
        name = add_browser(
            db.session,
            request.get_json(silent=True),
            events,
            network=client_network(),
            most=services().settings.push_browsers,
            secret_key=str(current_app.secret_key),
        )
    except SubscriptionError as error:
        abort(400, str(error))
    except RecursionError:  # of JSON that is lists within lists
        abort(400, NO_SUBSCRIPTION)
    follow(db.session, name, chosen.favourites, hides_scores=chosen.hides_scores)
    if old and old[1] != name:  # its address has changed
        remove(db.session, old[0])
    answer = Response(status=204)
    browsers.remember(answer, name)
    return answer


@blueprint.post("/push/events")
def choose_events() -> ResponseReturnValue:
    """What this browser is told."""
    check_origin()
    if row := browsers.this_browser():
        try:
            tell(db.session, row.name, request.form.getlist("event"))
        except SubscriptionError as error:
            abort(400, str(error))
    return redirect(PAGE, 303)


@blueprint.post("/push/off")
def switch_off() -> ResponseReturnValue:
    """Tell this browser nothing any more, and forget its address."""
    check_origin()
    if row := browsers.this_browser():
        remove(db.session, row.id)
    answer = redirect(PAGE, 303)
    browsers.forget(answer)
    return answer

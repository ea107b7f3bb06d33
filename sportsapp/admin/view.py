"""What the views of the panel share: who may see them, how forms act, what templates get."""

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from flask import abort, make_response, request
from flask.typing import ResponseReturnValue
from flask_admin import BaseView

from sportsapp.accounts.sessions import current_admin, is_signed_in
from sportsapp.admin import formatting
from sportsapp.admin.security import form_origin, go_back
from sportsapp.admin.signin import require_sign_in
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import TrackerError
from sportsapp.db.engine import db
from sportsapp.db.models.run import OPEN
from sportsapp.monitoring.checks import late_slots
from sportsapp.runs import reports
from sportsapp.runs.reports import PeriodicState
from sportsapp.services import services

logger = logging.getLogger("sportsapp.admin")

View = TypeVar("View")


class PanelMixin:
    """To be named before Flask-Admin's class in a view's bases."""

    def is_accessible(self) -> bool:
        return is_signed_in()

    def inaccessible_callback(self, _name: str, **_: Any) -> ResponseReturnValue:
        return require_sign_in()

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call the view once: Flask-Admin's own calls it again after a TypeError inside of it.

        Flask-Admin documents this method as one to override, in spite of its name.
        """
        return fn(self, *args, **kwargs)

    def render(self, template: str, **kwargs: Any) -> str:
        """The page; templates also get the values below, unless ``kwargs`` has others.

        ``back`` is where forms lead back to: this page, unless it is a fragment of another.
        """
        shared = {
            "formatting": formatting,
            "now": utc_now(),
            "current_admin": current_admin(),
            "back": request.full_path.rstrip("?"),
            "open_states": OPEN,
        }
        page: str = super().render(  # type: ignore[misc]  # Flask-Admin's class has it
            template, **(shared | kwargs)
        )
        return page

    def confirm(self, question: str, yes: str) -> None:
        """Continue if the form was confirmed; else respond with a page that asks the question.

        The panel's script asks in a dialog before it sends the form; this page is for browsers
        without JavaScript. ``yes`` is the label of the button that confirms.
        """
        if request.form.get("sure") == "yes":
            return
        fields = [(name, value) for name, value in request.form.items() if name != "csrf_token"]
        page = self.render(
            "admin/question.html", question=question, yes=yes, fields=fields, origin=form_origin()
        )
        abort(make_response(page))


class PanelView(PanelMixin, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """A view with pages and forms of its own."""


def form_action(action: Callable[[View], str]) -> Callable[[View], ResponseReturnValue]:
    """Decorates a view that changes something and returns what it did, in a sentence.

    Logs the sentence with the admin's name, and redirects to the form's page, which shows it.
    A TrackerError is logged and shown in the same way.
    """

    @functools.wraps(action)
    def respond(view: View) -> ResponseReturnValue:
        try:
            outcome = action(view)
        except TrackerError as error:
            logger.info("%s: %s failed: %s", current_admin(), request.path, error)
            return go_back(str(error), ok=False)
        logger.info("%s: %s", current_admin(), outcome)
        return go_back(outcome)

    return respond


def periodic_states() -> list[PeriodicState]:
    """The state of each periodic task; overdue ones are those that the alerts report as late."""
    queue = services().queues[0]
    now = utc_now()
    overdue = {late.task: late.due_at for late in late_slots(db.session, queue, now)}
    return reports.periodic_states(db.session, queue.periodic_tasks.values(), overdue, now)

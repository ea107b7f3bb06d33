"""What the views of the panel share: how forms act, and what templates get."""

import functools
import logging
from collections.abc import Callable
from typing import Any

from flask import abort, flash, make_response, redirect, request
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from sportsapp.accounts.activity import record_activity
from sportsapp.accounts.sessions import current_admin, is_viewer
from sportsapp.admin import formatting
from sportsapp.admin.security import panel_path
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import TrackerError
from sportsapp.db.engine import db
from sportsapp.db.models import Via
from sportsapp.db.models.run import FAILED, OPEN
from sportsapp.monitoring.checks.work import late_slots
from sportsapp.runs import reports
from sportsapp.runs.failures import WORD_LIMIT, checked_word
from sportsapp.runs.reports import PeriodicState
from sportsapp.services import services

logger = logging.getLogger("sportsapp.admin")


class PanelView(BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """A page of the panel with its forms. The guard in ``signin.py`` keeps strangers out."""

    title: str
    address: str  # below /admin/
    group: str | None = None  # the entry of the menu that it shares with others

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
            "may_change": not is_viewer(),
            "back": request.full_path.rstrip("?"),
            "open_states": OPEN,
            "failed_states": FAILED,
            "longest_word": WORD_LIMIT,
        }
        page: str = super().render(template, **(shared | kwargs))
        return page

    def confirm(self, question: str, yes: str) -> None:
        """Continue if the form was confirmed; else respond with a page that asks the question.

        The panel's script asks in a dialog before it sends the form; this page is for browsers
        without JavaScript. ``yes`` is the label of the button that confirms.
        """
        if request.form.get("sure") == "yes":
            return
        given = request.form.items(multi=True)
        fields = [(name, value) for name, value in given if name != "csrf_token"]
        page = self.render(
            "admin/question.html", question=question, yes=yes, fields=fields, origin=_form_origin()
        )
        abort(make_response(page))

    def confirm_word(self, what: str) -> str:
        """The form's word with which something is dismissed, once that is confirmed.

        Raises DismissalError for a bad word.
        """
        word = checked_word(request.form.get("word", ""))
        self.confirm(
            f"Dismiss {what} with the word \u201c{word}\u201d? What is dismissed is hidden in "
            "Failures, and stays in the ledger with your name.",
            "Dismiss",
        )
        return word


def form_action(path: str, field: str) -> Callable[[Callable[[Any, str], str]], Any]:
    """Decorates a method that changes something and returns what it did, in a sentence.

    A POST to ``path`` calls it with the form's ``field``, without the spaces around it. The
    sentence is logged, recorded as the admin's activity and shown on the page that holds the form;
    the message of a TrackerError is logged and shown.
    """

    def decorate(action: Callable[[Any, str], str]) -> Any:
        @functools.wraps(action)
        def respond(view: Any) -> ResponseReturnValue:
            subject = request.form.get(field, "").strip()
            try:
                outcome = action(view, subject)
                record_action(view, path, subject, outcome)
                flash(outcome, "good")
            except TrackerError as error:
                logger.info("%s: %s failed: %s", current_admin(), request.path, error)
                flash(str(error), "bad")
            return redirect(_form_origin(), 303)

        return expose(path, methods=("POST",))(respond)

    return decorate


def record_action(view: PanelView, path: str, subject: str, outcome: str) -> None:
    """Log what the signed-in admin did, and record it; ``path`` is the form's, below the view."""
    logger.info("%s: %s", current_admin(), outcome)
    action = f"{view.address}{path}".replace("/", " ")
    record_activity(current_admin(), Via.PANEL, action, subject, outcome)


def _form_origin() -> str:
    """The page that holds the form which was sent, by its field ``back``."""
    return panel_path(request.form.get("back", ""))


def row_number(text: str) -> int:
    """An integer primary key; 0, which no row has, for any other text."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def periodic_states() -> list[PeriodicState]:
    """The state of each periodic task; overdue ones are those that the alerts report as late."""
    queue = services().queues[0]
    now = utc_now()
    overdue = {late.task: late.due_at for late in late_slots(db.session, queue, now)}
    return reports.periodic_states(db.session, queue, overdue, now)

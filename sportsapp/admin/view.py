"""What all views of the panel share: who may see them, how they act, what templates get."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from flask_admin import BaseView

from sportsapp.admin import words
from sportsapp.admin.security import go_back
from sportsapp.admin.signin import is_signed_in, turn_away, who
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import TrackerError
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.monitoring.checks import late_slots
from sportsapp.runs import reports as activity
from sportsapp.runs.reports import PeriodicState
from sportsapp.services import services

logger = logging.getLogger("sportsapp.admin")


class Panel:
    """A mixin, written before Flask-Admin's class."""

    def is_accessible(self) -> bool:
        return is_signed_in()

    def inaccessible_callback(self, _name: str, **_: Any) -> ResponseReturnValue:
        return turn_away()

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Once: Flask-Admin would call a view again that raised a TypeError half-way."""
        return fn(self, *args, **kwargs)

    def render(self, template: str, **kwargs: Any) -> str:
        """A page with the words and the time that every template uses.

        ``back`` is where its forms lead back to: the page itself, unless it is a fragment.
        """
        usual = {"words": words, "now": utc_now(), "back": request.full_path.rstrip("?")}
        page: str = super().render(template, **(usual | kwargs))  # type: ignore[misc]
        return page

    def question(self, text: str, yes: str) -> ResponseReturnValue | None:
        """A page that asks, unless the form says that it has been asked.

        The panel's script asks in a dialog and then says so; without it, this page does.
        """
        if request.form.get("sure") == "yes":
            return None
        fields = [(name, value) for name, value in request.form.items() if name != "csrf_token"]
        return self.render("admin/question.html", text=text, yes=yes, fields=fields)


class PanelView(Panel, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """A view of our own making."""


def act(what: Callable[[], str]) -> ResponseReturnValue:
    """Do something that changes the world: log who did it, return with what came of it.

    ``what`` returns the outcome in words; its TrackerError is shown instead.
    """
    try:
        outcome = what()
    except TrackerError as error:
        logger.info("%s asked for %s: %s", who(), request.path, error)
        return go_back(f"{error}", went_well=False)
    logger.info("%s: %s", who(), outcome)
    return go_back(outcome)


def settings() -> Settings:
    """This app's settings."""
    found: Settings = services().settings
    return found


def periodic_states() -> list[PeriodicState]:
    """How each periodic task stands; which are overdue is the alerts' to say."""
    queue = services().queues[0]
    now = utc_now()
    overdue = {late.task: late.due_at for late in late_slots(db.session, queue, now)}
    return activity.periodic_states(db.session, queue.periodic_tasks.values(), overdue, now)

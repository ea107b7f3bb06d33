"""Failures by kind, with one example each; and messages that could not be read."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue
from flask_admin import expose

from sportsapp.admin.signin import who
from sportsapp.admin.view import PanelView, act
from sportsapp.db.engine import db
from sportsapp.db.models import Trigger
from sportsapp.runs import reports as activity
from sportsapp.tasks import control

GROUPS_SHOWN = 50
LETTERS_SHOWN = 50


class Failures(PanelView):
    """At /admin/failures/."""

    def __init__(self) -> None:
        super().__init__(name="Failures", endpoint="admin_failures", url="failures")

    @expose("/")
    def index(self) -> str:
        """Kinds of failure, newest first, and dead letters."""
        kinds, groups = activity.failure_groups(db.session, GROUPS_SHOWN)
        count, letters = activity.dead_letters(db.session, LETTERS_SHOWN)
        return self.render(
            "admin/failures.html", groups=groups, kinds=kinds, letters=letters, letter_count=count
        )

    @expose("/again", methods=("POST",))
    def again(self) -> ResponseReturnValue:
        """Queue all runs of one kind again."""
        fingerprint = request.form.get("fingerprint", "")
        asks = "Run the whole group again? Each set of arguments is queued once."
        if page := self.question(asks, "Run the group again"):
            return page

        def do() -> str:
            ids = control.run_group_again(fingerprint, Trigger.ADMIN, who())
            return f"{len(ids)} runs of failure {fingerprint} were queued again"

        return act(do)

    @expose("/letters/put-back", methods=("POST",))
    def put_back(self) -> ResponseReturnValue:
        """Give a dead letter back to its queue."""
        letter = _letter_id()

        def do() -> str:
            control.put_back(letter)
            return f"dead letter {letter} was put back on its queue"

        return act(do)

    @expose("/letters/discard", methods=("POST",))
    def discard(self) -> ResponseReturnValue:
        """Forget a dead letter."""
        letter = _letter_id()
        if page := self.question("Discard this message? It cannot be brought back.", "Discard it"):
            return page

        def do() -> str:
            control.discard(letter)
            return f"dead letter {letter} was discarded"

        return act(do)


def _letter_id() -> int:
    return request.form.get("id", 0, type=int)

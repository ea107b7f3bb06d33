"""Failed runs grouped by error, with one example each; and dead letters."""

from flask import request
from flask_admin import expose

from sportsapp.accounts.sessions import current_admin
from sportsapp.admin.view import PanelView, form_action
from sportsapp.db.engine import db
from sportsapp.db.models import Trigger
from sportsapp.runs import reports
from sportsapp.tasks import actions

GROUPS_SHOWN = 50
LETTERS_SHOWN = 50


class FailuresView(PanelView):
    """At /admin/failures/."""

    def __init__(self) -> None:
        super().__init__(name="Failures", endpoint="admin_failures", url="failures")

    @expose("/")
    def index(self) -> str:
        """Groups of failed runs, the newest failure first, and dead letters, newest first."""
        group_count, groups = reports.failure_groups(db.session, GROUPS_SHOWN)
        letter_count, letters = reports.dead_letters(db.session, LETTERS_SHOWN)
        return self.render(
            "admin/failures.html",
            group_count=group_count,
            groups=groups,
            letter_count=letter_count,
            letters=letters,
        )

    @expose("/again", methods=("POST",))
    @form_action
    def again(self) -> str:
        """Queue all runs of a group again."""
        fingerprint = request.form.get("fingerprint", "")
        self.confirm(
            "Run the whole group again? Each set of arguments is queued once.",
            "Run the group again",
        )
        ids = actions.run_group_again(fingerprint, Trigger.ADMIN, current_admin())
        return f"{len(ids)} runs of failure {fingerprint} were queued again"

    @expose("/letters/put-back", methods=("POST",))
    @form_action
    def put_back(self) -> str:
        """Put a dead letter back on its queue."""
        letter_id = _letter_id()
        actions.put_back(letter_id)
        return f"dead letter {letter_id} was put back on its queue"

    @expose("/letters/discard", methods=("POST",))
    @form_action
    def discard(self) -> str:
        """Delete a dead letter."""
        letter_id = _letter_id()
        self.confirm("Discard this message? This cannot be undone.", "Discard")
        actions.discard(letter_id)
        return f"dead letter {letter_id} was discarded"


def _letter_id() -> int:
    return request.form.get("id", 0, type=int)

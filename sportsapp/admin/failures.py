"""Failed runs grouped by error, with one example each; and dead letters."""

from flask import request
from flask_admin import expose

from sportsapp.accounts.sessions import current_admin
from sportsapp.admin.view import PanelView, form_action, row_number
from sportsapp.db.engine import db
from sportsapp.db.models import Trigger
from sportsapp.runs import reports
from sportsapp.tasks import actions

GROUPS_SHOWN = 50
LETTERS_SHOWN = 50


class FailuresView(PanelView):
    """At /admin/failures/."""

    title, address = "Failures", "failures"

    @expose("/")
    def index(self) -> str:
        """Groups of failed runs, the newest failure first, and dead letters, newest first.

        What is resolved or dismissed is left out, unless ``show`` is ``all``.
        """
        show_all = request.args.get("show") == "all"
        group_count, groups = reports.failure_groups(db.session, GROUPS_SHOWN, settled=show_all)
        letter_count, letters = reports.dead_letters(db.session, LETTERS_SHOWN)
        return self.render(
            "admin/failures.html",
            group_count=group_count,
            groups=groups,
            show_all=show_all,
            settled_count=reports.settled_failures(db.session),
            letter_count=letter_count,
            letters=letters,
        )

    @form_action("/again", "fingerprint")
    def again(self, fingerprint: str) -> str:
        """Queue all runs of a group again."""
        self.confirm(
            "Run the whole group again? Each set of arguments is queued once.",
            "Run the group again",
        )
        ids = actions.run_group_again(fingerprint, Trigger.ADMIN, current_admin())
        why = "" if ids else ": what is resolved, or waits or runs already, is left out"
        return f"{len(ids)} runs of failure {fingerprint} were queued again{why}"

    @form_action("/dismiss", "fingerprint")
    def dismiss(self, fingerprint: str) -> str:
        """Dismiss all runs of a group."""
        word = self.confirm_word("all outstanding failures of this error")
        count = actions.dismiss_group(fingerprint, word, current_admin())
        return f"{count} runs of failure {fingerprint} were dismissed: {word}"

    @form_action("/letters/put-back", "id")
    def put_back(self, letter: str) -> str:
        """Put a dead letter back on its queue."""
        actions.put_back(row_number(letter))
        return f"dead letter {letter} was put back on its queue"

    @form_action("/letters/discard", "id")
    def discard(self, letter: str) -> str:
        """Delete a dead letter."""
        self.confirm("Discard this message? This cannot be undone.", "Discard")
        actions.discard(row_number(letter))
        return f"dead letter {letter} was discarded"

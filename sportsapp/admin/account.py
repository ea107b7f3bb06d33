"""One's own account: password and sessions. The only view whose forms a viewer may send."""

from flask import request
from flask_admin import expose

from sportsapp.accounts import accounts, passwords
from sportsapp.accounts.sessions import (
    current_admin,
    current_session,
    end_session,
    live_sessions,
    sign_in_as,
)
from sportsapp.admin.signin import OWN_ACCOUNT, check_own_password
from sportsapp.admin.view import PanelView, form_action
from sportsapp.core.errors import AccountError


class AccountView(PanelView):
    """At /admin/account/."""

    title, address = "Your account", OWN_ACCOUNT

    @expose("/")
    def index(self) -> str:
        """The account of who is signed in."""
        account = accounts.find_account(current_admin())
        return self.render(
            "admin/account.html",
            account=account,
            sessions=[row for row in live_sessions() if row.account_id == account.id],
            current_session=current_session(),
            passwords=passwords,
        )

    @form_action("/password", "username")
    def password(self, username: str) -> str:
        """Change one's own password. Every other session of the account ends."""
        check_own_password()
        if username != current_admin():
            raise AccountError("nothing was changed: this is the form for your own password")
        accounts.set_password(username, request.form.get("password", ""))
        sign_in_as(accounts.find_account(username))
        return "your password was changed, and your other sessions have ended"

    @form_action("/end-session", "session")
    def end_session(self, session_id: str) -> str:
        """End a session of one's own."""
        if not end_session(session_id, of=current_admin()):
            raise AccountError("this session has ended already")
        return f"session {session_id[:8]} was ended"

"""Accounts: add, change password and role, deactivate, activate; sessions: list, end.

Who changes an account has to give the own password again: a session may be stolen.
"""

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
from sportsapp.admin.signin import check_own_password
from sportsapp.admin.view import PanelView, form_action
from sportsapp.core.errors import AccountError
from sportsapp.db.models import Role


class AccountsView(PanelView):
    """At /admin/accounts/."""

    title, address, group = "Accounts", "accounts", "Accounts"

    @expose("/")
    def index(self) -> str:
        """All accounts with their sessions, and a form to add one."""
        return self.render(
            "admin/accounts.html",
            accounts=accounts.all_accounts(),
            sessions=live_sessions(),
            current_session=current_session(),
            passwords=passwords,
            roles=list(Role),
            longest_username=accounts.LONGEST_USERNAME,
        )

    @form_action("/add", "username")
    def add(self, username: str) -> str:
        """Add an account."""
        check_own_password()
        role = request.form.get("role", Role.ADMIN)
        accounts.add_account(username, request.form.get("password", ""), role)
        return f"account {username} was added, as {role}"

    @form_action("/password", "username")
    def password(self, username: str) -> str:
        """Change a password. Every session of the account ends, except the one that changed it."""
        check_own_password()
        is_own = username == current_admin()
        accounts.set_password(username, request.form.get("password", ""), is_own=is_own)
        if is_own:
            sign_in_as(accounts.find_account(username))
            return f"the password of {username} was changed, and its sessions have ended"
        return f"the password of {username} was changed; its sessions and passkeys have ended"

    @form_action("/role", "username")
    def role(self, username: str) -> str:
        """Change a role; never one's own."""
        check_own_password()
        if username == current_admin():
            raise AccountError("you cannot change your own role: another admin has to do it")
        accounts.set_role(username, role := request.form.get("role", ""))
        return f"account {username} has the role {role} now"

    @form_action("/deactivate", "username")
    def deactivate(self, username: str) -> str:
        """Deactivate an account; never one's own."""
        check_own_password()
        if username == current_admin():
            raise AccountError("you cannot deactivate yourself: another admin has to do it")
        accounts.deactivate(username)
        return f"account {username} was deactivated"

    @form_action("/activate", "username")
    def activate(self, username: str) -> str:
        """Activate a deactivated account."""
        check_own_password()
        accounts.activate(username)
        return f"account {username} was activated"

    @form_action("/end-session", "session")
    def end_session(self, session_id: str) -> str:
        """End a session of any account."""
        if not end_session(session_id):
            raise AccountError("this session has ended already")
        return f"session {session_id[:8]} was ended"

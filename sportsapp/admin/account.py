"""One's own account: password, passkeys, sessions. The only view whose forms a viewer may send."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose

from sportsapp.accounts import accounts, passkeys, passwords
from sportsapp.accounts.sessions import (
    current_admin,
    current_session,
    end_session,
    live_sessions,
    sign_in_as,
)
from sportsapp.admin.signin import OWN_ACCOUNT, check_own_password
from sportsapp.admin.view import PanelView, form_action, row_number
from sportsapp.core.errors import AccountError, TrackerError


class AccountView(PanelView):
    """At /admin/account/."""

    title, address, group = "Your account", OWN_ACCOUNT, "Accounts"

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
            passkeys=passkeys.passkeys_of(account.username),
            no_passkeys=passkeys.why_unavailable(),
            longest_name=passkeys.LONGEST_NAME,
        )

    @form_action("/password", "username")
    def password(self, username: str) -> str:
        """Change one's own password. Every other session of the account ends."""
        check_own_password()
        if username != current_admin():
            raise AccountError("nothing was changed: this is the form for your own password")
        accounts.set_password(username, request.form.get("password", ""), is_own=True)
        sign_in_as(accounts.find_account(username))
        return "your password was changed, and your other sessions have ended"

    @expose("/passkey", methods=("POST",))
    def passkey(self) -> ResponseReturnValue:
        """The page on which the device makes a passkey, after one's own password; stores nothing.

        What it makes is registered by ``add_passkey``, which needs the challenge of this page.
        """
        name = request.form.get("name", "").strip()
        try:
            check_own_password()
            if reason := passkeys.why_unavailable():
                raise AccountError(reason)
            options = passkeys.creation_options(accounts.find_account(current_admin()), name)
        except TrackerError as error:
            flash(str(error), "bad")
            return redirect(url_for(".index"), 303)
        return self.render("admin/passkey.html", options=options, passkey_name=name)

    @form_action("/add-passkey", "name")
    def add_passkey(self, name: str) -> str:
        """Register a passkey that the device has made."""
        account = accounts.find_account(current_admin())
        passkeys.add_passkey(account, name, request.form.get("credential", ""))
        return f"the passkey {name} was added"

    @form_action("/remove-passkey", "passkey")
    def remove_passkey(self, passkey: str) -> str:
        """Remove a passkey of one's own."""
        self.confirm("Remove this passkey? It cannot sign in any more.", "Remove the passkey")
        name = passkeys.remove_passkey(current_admin(), row_number(passkey))
        return f"the passkey {name} was removed"

    @form_action("/end-session", "session")
    def end_session(self, session_id: str) -> str:
        """End a session of one's own."""
        if not end_session(session_id, of=current_admin()):
            raise AccountError("this session has ended already")
        return f"session {session_id[:8]} was ended"

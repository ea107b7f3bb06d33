"""Admin accounts: add, change the password, deactivate, activate."""

from flask import request
from flask_admin import expose

from sportsapp.accounts import accounts
from sportsapp.accounts.sessions import current_admin, sign_in_as
from sportsapp.admin.view import PanelView, form_action
from sportsapp.core.errors import AccountError


class AccountsView(PanelView):
    """At /admin/accounts/."""

    def __init__(self) -> None:
        super().__init__(name="Accounts", endpoint="admin_accounts", url="accounts")

    @expose("/")
    def index(self) -> str:
        """All accounts, and a form to add one."""
        return self.render(
            "admin/accounts.html",
            accounts=accounts.all_accounts(),
            shortest_password=accounts.SHORTEST_PASSWORD,
            longest_password=accounts.LONGEST_PASSWORD,
            longest_username=accounts.LONGEST_USERNAME,
        )

    @expose("/add", methods=("POST",))
    @form_action
    def add(self) -> str:
        """Add an account."""
        username = _username()
        accounts.add_account(username, request.form.get("password", ""))
        return f"account {username} was added"

    @expose("/password", methods=("POST",))
    @form_action
    def password(self) -> str:
        """Change a password. Every session of the account ends, except the one that changed it."""
        username = _username()
        accounts.set_password(username, request.form.get("password", ""))
        if username == current_admin():
            sign_in_as(accounts.find_account(username))
        return f"the password of {username} was changed, and its sessions have ended"

    @expose("/deactivate", methods=("POST",))
    @form_action
    def deactivate(self) -> str:
        """Deactivate an account; never one's own."""
        username = _username()
        self.confirm(
            f"Deactivate {username}? Its sessions end at once, and it can no longer sign in.",
            "Deactivate",
        )
        if username == current_admin():
            raise AccountError("you cannot deactivate yourself: another admin has to do it")
        accounts.deactivate(username)
        return f"account {username} was deactivated"

    @expose("/activate", methods=("POST",))
    @form_action
    def activate(self) -> str:
        """Activate a deactivated account."""
        username = _username()
        accounts.activate(username)
        return f"account {username} was activated"


def _username() -> str:
    return request.form.get("username", "").strip()

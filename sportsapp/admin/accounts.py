"""Admin accounts: add, change a password, shut out, let in again."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue
from flask_admin import expose

from sportsapp.accounts import accounts
from sportsapp.admin.signin import let_in, who
from sportsapp.admin.view import PanelView, act
from sportsapp.core.errors import AccountError


class Accounts(PanelView):
    """At /admin/accounts/."""

    def __init__(self) -> None:
        super().__init__(name="Accounts", endpoint="admin_accounts", url="accounts")

    @expose("/")
    def index(self) -> str:
        """All accounts, and a form for one more."""
        return self.render(
            "admin/accounts.html", accounts=accounts.accounts(), who=who(),
            shortest=accounts.SHORTEST, longest=accounts.LONGEST,
        )  # fmt: skip

    @expose("/add", methods=("POST",))
    def add(self) -> ResponseReturnValue:
        """One more admin."""
        name, password = _name(), request.form.get("password", "")

        def do() -> str:
            accounts.add_account(name, password)
            return f"account {name} was added"

        return act(do)

    @expose("/password", methods=("POST",))
    def password(self) -> ResponseReturnValue:
        """A new password; every session of the account ends, but for the one that asks."""
        name = _name()

        def do() -> str:
            accounts.set_password(name, request.form.get("password", ""))
            if name == who():
                let_in(accounts.find_account(name))
            return f"the password of {name} was changed, and its sessions have ended"

        return act(do)

    @expose("/deactivate", methods=("POST",))
    def deactivate(self) -> ResponseReturnValue:
        """Shut an account out, but not one's own."""
        name = _name()
        asks = f"Deactivate {name}? Its sessions end at once, and it cannot sign in."
        if page := self.question(asks, "Deactivate it"):
            return page

        def do() -> str:
            if name == who():
                raise AccountError("you cannot shut yourself out: another admin has to")
            accounts.deactivate(name)
            return f"account {name} was deactivated"

        return act(do)

    @expose("/activate", methods=("POST",))
    def activate(self) -> ResponseReturnValue:
        """Let an account in again."""
        name = _name()

        def do() -> str:
            accounts.activate(name)
            return f"account {name} was activated"

        return act(do)


def _name() -> str:
    return request.form.get("username", "").strip()

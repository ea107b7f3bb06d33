"""``flask admin``: the accounts of the panel, from a shell."""

import click

from sportsapp.accounts import accounts
from sportsapp.accounts.passwords import generate_password
from sportsapp.commands.shell import OneLineGroup, json_option, print_answer, recorded
from sportsapp.core.clock import iso_utc
from sportsapp.db.models import Role

admin_group = OneLineGroup("admin", help="Accounts of the admin panel.")
password_option = click.option("--password", help="You are asked for it when it is left out.")
generate_option = click.option("--generate", is_flag=True, help="Generate a password and print it.")


@admin_group.command("create")
@click.argument("username")
@password_option
@generate_option
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.ADMIN.value,
    show_default=True,
)
@recorded
def create(username: str, password: str | None, generate: bool, role: str) -> str:
    """Add an account."""
    chosen, shown = _choose_password(password, generate)
    accounts.add_account(username, chosen, role)
    click.echo(f"Account {username} was added.{shown}")
    return f"as {role}"


@admin_group.command("role")
@click.argument("username")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@recorded
def change_role(username: str, role: str) -> None:
    """Make an account an admin, or a viewer, who sees everything and changes nothing."""
    accounts.set_role(username, role)
    click.echo(f"Account {username} has the role {role} now.")


@admin_group.command("list")
@json_option
def list_accounts(as_json: bool) -> None:
    """List the accounts."""
    rows = accounts.all_accounts()
    document = [
        {
            "username": row.username,
            "role": row.role,
            "active": row.active,
            "created_at": iso_utc(row.created_at),
            "signed_in_at": iso_utc(row.signed_in_at) if row.signed_in_at else None,
        }
        for row in rows
    ]
    lines = []
    for row in rows:
        last = f"{row.signed_in_at:%Y-%m-%d %H:%M} UTC" if row.signed_in_at else "never"
        state = " (viewer)" if row.role == Role.VIEWER else ""
        state += "" if row.active else " (deactivated)"
        lines.append(f"{row.username}{state}, signed in: {last}")
    lines = lines or ["There is no account yet: flask admin create NAME"]
    print_answer({"accounts": document}, lines, as_json)


@admin_group.command("password")
@click.argument("username")
@password_option
@generate_option
@recorded
def change_password(username: str, password: str | None, generate: bool) -> None:
    """Change a password. Every session and passkey of the account ends."""
    accounts.find_account(username)  # an unknown name is refused before the prompt
    chosen, shown = _choose_password(password, generate)
    accounts.set_password(username, chosen)
    click.echo(f"The password of {username} was changed.{shown}")


@admin_group.command("deactivate")
@click.argument("username")
@recorded
def deactivate(username: str) -> None:
    """Bar an account from signing in and end its sessions, at once; not the last admin."""
    accounts.deactivate(username)
    click.echo(f"Account {username} was deactivated.")


@admin_group.command("activate")
@click.argument("username")
@recorded
def activate(username: str) -> None:
    """Allow an account to sign in again."""
    accounts.activate(username)
    click.echo(f"Account {username} was activated.")


def _choose_password(given: str | None, generate: bool) -> tuple[str, str]:
    """The password, and what to print about it: one that was generated is shown."""
    if generate:
        password = generate_password()
        return password, f" Its password is {password}"
    if given is None:
        given = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return given, ""

"""``flask admin``: the accounts of the panel, from a shell."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable

import click

from sportsapp.accounts import accounts
from sportsapp.commands.shell import OneLineGroup
from sportsapp.core.clock import iso_utc
from sportsapp.core.errors import AccountError

admin_group = OneLineGroup("admin", help="Accounts of the admin panel.")

FAILED = 1


@admin_group.command("create")
@click.argument("username")
@click.option("--password", help="Asked for when it is left out.")
@click.option("--generate", is_flag=True, help="Make a password up and print it.")
def create(username: str, password: str | None, generate: bool) -> None:
    """Add an account."""
    chosen = _password(password, generate)
    _do(lambda: accounts.add_account(username, chosen))
    click.echo(f"Account {username} was added.{_shown(chosen, generate)}")


@admin_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_accounts(as_json: bool) -> None:
    """List the accounts."""
    rows = accounts.all_accounts()
    if as_json:
        shown = [
            {
                "username": row.username,
                "active": row.active,
                "created_at": iso_utc(row.created_at),
                "signed_in_at": iso_utc(row.signed_in_at) if row.signed_in_at else None,
            }
            for row in rows
        ]
        click.echo(json.dumps({"accounts": shown}))
        return
    if not rows:
        click.echo("There is no account yet: flask admin create NAME")
    for row in rows:
        seen = f"{row.signed_in_at:%Y-%m-%d %H:%M} UTC" if row.signed_in_at else "never"
        click.echo(f"{row.username}{'' if row.active else ' (deactivated)'}, signed in: {seen}")


@admin_group.command("password")
@click.argument("username")
@click.option("--password", help="Asked for when it is left out.")
@click.option("--generate", is_flag=True, help="Make a password up and print it.")
def change_password(username: str, password: str | None, generate: bool) -> None:
    """Change a password. Every session of the account ends."""
    _do(lambda: accounts.find_account(username))
    chosen = _password(password, generate)
    _do(lambda: accounts.set_password(username, chosen))
    click.echo(f"The password of {username} was changed.{_shown(chosen, generate)}")


@admin_group.command("deactivate")
@click.argument("username")
def deactivate(username: str) -> None:
    """Shut an account out, at once; not the last one."""
    _do(lambda: accounts.deactivate(username))
    click.echo(f"Account {username} was deactivated.")


@admin_group.command("activate")
@click.argument("username")
def activate(username: str) -> None:
    """Let an account in again."""
    _do(lambda: accounts.activate(username))
    click.echo(f"Account {username} was activated.")


def _password(given: str | None, generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(12)
    if given is not None:
        return given
    prompted: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return prompted


def _shown(password: str, generate: bool) -> str:
    return f" Its password is {password}" if generate else ""


def _do(what: Callable[[], object]) -> None:
    try:
        what()
    except AccountError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)

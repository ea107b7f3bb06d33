"""``flask notify``: who is told what happens in games, and where."""

import sys
from typing import Any

import click
from flask import current_app

from sportsapp.commands.shell import (
    OneLineGroup,
    on_terminal,
    print_answer,
    print_line,
    recorded,
    user_name,
)
from sportsapp.core.clock import iso_utc
from sportsapp.db.engine import db
from sportsapp.db.models import Subscription
from sportsapp.notify.browsers import count_browsers, forget_browsers
from sportsapp.notify.choices import CHOICES, USUAL
from sportsapp.notify.message import Message
from sportsapp.notify.subscriptions import (
    Wish,
    add_subscription,
    all_subscriptions,
    named,
    pause,
    remove,
    told_of,
)
from sportsapp.services import services
from sportsapp.tasks.notifications import send

notify_group = OneLineGroup("notify", help="Messages about games to phones, chats and programs.")


@notify_group.command("add")
@click.argument("name")
@click.option("--league", "leagues", multiple=True, help="Told of this league; may be repeated.")
@click.option("--team", "teams", multiple=True, help="Told of this team, like nfl/KC.")
@click.option(
    "--event",
    "events",
    multiple=True,
    type=click.Choice(list(CHOICES)),
    help=f"What is told; may be repeated. Without it: {', '.join(USUAL)}.",
)
@click.option("--hide-scores", is_flag=True, help="The messages tell no score.")
@click.option("--quiet", default="", help="Nothing is sent in these hours, like 22:00-07:00.")
@click.option("--zone", default="UTC", show_default=True, help="The time zone of the quiet hours.")
@click.option("--delay", default=0, help="Seconds to wait, for those who watch a late stream.")
@recorded
def add_command(
    name: str,
    leagues: tuple[str, ...],
    teams: tuple[str, ...],
    events: tuple[str, ...],
    hide_scores: bool,
    quiet: str,
    zone: str,
    delay: int,
) -> None:
    """Add a subscription called NAME; the target's address is read from standard input.

    On a terminal it is asked for and not shown, since it is a secret. Without --league and --team
    everything is told.
    """
    wish = Wish(
        name=name,
        address=_read_address(),
        leagues=leagues,
        teams=teams,
        events=events or USUAL,
        hides_scores=hide_scores,
        quiet=quiet,
        zone=zone,
        delay_seconds=delay,
    )
    slugs = services().settings.leagues
    row = add_subscription(db.session, wish, slugs, str(current_app.secret_key))
    print_line(f"{row.name} is told {', '.join(row.events)} by {row.kind}")


def _read_address() -> str:
    if on_terminal():
        return str(click.prompt("Address of the target", hide_input=True, err=True)).strip()
    return sys.stdin.readline().strip()


@notify_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(as_json: bool) -> None:
    """List the subscriptions. Their addresses are never shown."""
    rows, (browsers, failing) = all_subscriptions(db.session), count_browsers(db.session)
    document = {"subscriptions": [_document(row) for row in rows], "browsers": browsers}
    lines = [_line(row) for row in rows]
    if browsers:
        lines.append(
            f"and {browsers} {'browser' if browsers == 1 else 'browsers'} of visitors"
            f"{f', {failing} failing' if failing else ''}"
        )
    print_answer(document, lines or ["nobody is told anything"], as_json)


@notify_group.command("test")
@click.argument("name")
@recorded
def test_command(name: str) -> None:
    """Send a test message to NAME, here and now. Exit status 1 if it was not taken."""
    row = named(db.session, name)
    kind = row.kind
    text = f"A test, sent by {user_name() or 'nobody known'}"
    send(row, Message("Sports Game Tracker", text))
    print_line(f"{name}: {kind} took the message")


@notify_group.command("remove")
@click.argument("name")
@recorded
def remove_command(name: str) -> None:
    """Remove the subscription NAME, with its address."""
    remove(db.session, named(db.session, name).id)
    print_line(f"{name} is removed")


@notify_group.command("forget-browsers")
@recorded
def forget_browsers_command() -> None:
    """Remove all visitors' browsers, which then have to switch messages on again."""
    count, _ = count_browsers(db.session)
    forget_browsers(db.session)
    print_line(f"{count} {'browser is' if count == 1 else 'browsers are'} forgotten")


@notify_group.command("pause")
@click.argument("name")
@recorded
def pause_command(name: str) -> None:
    """Send NAME nothing until it is resumed."""
    pause(db.session, named(db.session, name), paused=True)
    print_line(f"{name} is paused")


@notify_group.command("resume")
@click.argument("name")
@recorded
def resume_command(name: str) -> None:
    """Tell NAME what happens from now on. What happened during the pause is not told."""
    pause(db.session, named(db.session, name), paused=False)
    print_line(f"{name} is resumed")


def _line(row: Subscription) -> str:
    whose = told_of(db.session, row)
    words = [f"{row.name}: {row.kind}, {whose}: {', '.join(row.events)}"]
    if row.hides_scores:
        words.append("no scores")
    if row.quiet_from:
        words.append(f"quiet {row.quiet_from}-{row.quiet_to} {row.zone}")
    if row.delay_seconds:
        words.append(f"{row.delay_seconds} s late")
    if row.paused:
        words.append("paused")
    if row.failing_since:
        words.append(f"failing since {iso_utc(row.failing_since)}: {row.error}")
    elif row.sent_at:
        words.append(f"last sent {iso_utc(row.sent_at)}")
    return "; ".join(words)


def _document(row: Subscription) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": row.kind,
        "leagues": row.leagues,
        "teams": row.teams,
        "events": row.events,
        "hides_scores": row.hides_scores,
        "quiet": f"{row.quiet_from}-{row.quiet_to}" if row.quiet_from else None,
        "zone": row.zone,
        "delay_seconds": row.delay_seconds,
        "paused": row.paused,
        "failing_since": iso_utc(row.failing_since) if row.failing_since else None,
        "error": row.error or None,
        "sent_at": iso_utc(row.sent_at) if row.sent_at else None,
    }

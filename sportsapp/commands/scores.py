"""``flask scores``: the score pages in a terminal, as ``curl`` gets them from the web server."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from sportsapp.commands.shell import OneLineCommand, draw_anew, draws, fail
from sportsapp.core.clock import parse_day, utc_now
from sportsapp.core.leagues import find_league
from sportsapp.services import services

EVERY_SECONDS = 5.0


@click.command("scores", cls=OneLineCommand)
@click.argument("league", default="")
@click.option("--day", default="", help="A day, as YYYY-MM-DD; without it, today.")
@click.option("--watch", is_flag=True, help="Draw them anew every five seconds until Ctrl-C.")
@with_appcontext
def scores_command(league: str, day: str, watch: bool) -> None:
    """Print today's scores of all leagues, or of one.

    They are what the pages show: what is stored. A day that was not read is asked for, as for a
    visitor, and is there a moment later.
    """
    names = [find_league(league, services().settings.leagues).slug] if league else []
    days = [str(parse_day(day, utc_now()))] if day else []
    address = "/" + "/".join(names + days)
    has_colour = sys.stdout.isatty() and draws()
    if not (watch and has_colour):
        click.echo(_text_of(address, has_colour), nl=False)
        return
    draw_anew(lambda: _text_of(address, has_colour).splitlines(), EVERY_SECONDS)


def _text_of(address: str, has_colour: bool) -> str:
    """The text of the page at this address. Ends the command where there is none."""
    answer = current_app.test_client().get(
        address,
        query_string={"color": "1"} if has_colour else None,
        headers={"Accept": "text/plain"},
    )
    text = answer.get_data(as_text=True)
    if answer.status_code != 200:
        fail(text.partition("\n")[0])
    return text

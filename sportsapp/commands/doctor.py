"""``flask doctor``: what is wrong with this instance, in the order in which to correct it.

One line or more for each of ``monitoring.checks``: its state, what it found, what to do. A setting
that cannot be read stops the app before any command of it runs; the line that names the setting
then comes from app.py.
"""

import json
import sys

import click
from flask.cli import with_appcontext

from sportsapp.commands.shell import FAILED, OneLineCommand, json_option, print_line
from sportsapp.monitoring.checks import run_checks
from sportsapp.monitoring.checks.check import State
from sportsapp.services import services


@click.command("doctor", cls=OneLineCommand)
@json_option
@with_appcontext
def doctor_command(as_json: bool) -> None:
    """Check this instance and print what to do. Exit status 1 when anything is wrong."""
    is_ok, rows = True, []
    for result in run_checks(services().look(thorough=True)):
        name = result.check.name
        for finding in result.findings:
            is_ok &= finding.state != State.WRONG
            rows.append(
                {"name": name, "state": finding.state, "says": finding.text, "do": finding.do}
            )
            if not as_json:  # each line as soon as it is known: a check may take a while
                line = f"{finding.state:<7}  {name:<10}  {finding.text}"
                print_line(f"{line} -> {finding.do}" if finding.do else line)
        if name == "damage" and result.state != State.UNKNOWN:  # others go by what is stored
            services().alerts.report_damage(" ".join(one.text for one in result.problems))
    if as_json:
        click.echo(json.dumps({"ok": is_ok, "checks": rows}))
    if not is_ok:
        sys.exit(FAILED)

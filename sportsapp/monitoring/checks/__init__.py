"""What is right and wrong with an instance: one list of checks, and all that show them.

The panel's first page, ``flask doctor``, /readyz, alerts, /metrics and Prometheus' rules draw from
``CHECKS`` and from nothing else. ``check.py`` says how to add one.
"""

from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from sportsapp.db.engine import database_reason
from sportsapp.monitoring.checks import broker, database, feed, host, work
from sportsapp.monitoring.checks.check import Check, Finding, Look, Result, State, wrong

CHECKS: tuple[Check, ...] = (
    host.check_settings,
    host.check_disk,
    database.check_database,
    database.check_damage,
    broker.check_broker,
    broker.check_policy,
    work.check_consumers,
    work.check_scheduler,
    work.check_paused,
    work.check_queues,
    feed.check_feed,
    feed.check_leagues,
    host.check_clock,
    feed.check_data,
    feed.check_fields,
    feed.check_audit,
    work.check_runs,
    work.check_letters,
    work.check_notify,
)
"""Every check, causes before consequences: mend the first problem first."""


def run_checks(look: Look) -> Iterator[Result]:
    """Every check's result, in the order of CHECKS, each as soon as it is known."""
    failed: set[str] = set()
    for check in CHECKS:
        if missing := [name for name in check.needs if name in failed]:
            text = f"unknown without the {missing[0]}"
            findings: tuple[Finding, ...] = (Finding(state=State.UNKNOWN, text=text),)
        else:
            try:
                findings = tuple(check.run(look))
            except SQLAlchemyError as error:
                look.session.rollback()
                do = "look at the line of the database, and at the database's own log"
                findings = (wrong(f"cannot be read: {database_reason(error)}", do),)
        result = Result(check, findings)
        if result.state in (State.WRONG, State.UNKNOWN):
            failed.add(check.name)
        yield result

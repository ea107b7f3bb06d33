"""``flask doctor``: what is wrong with this instance, in the order in which to mend it.

One line a check: what is, and what to do. A setting that cannot be read stops the app before any
command of it runs; the line that says so comes from app.py and names the setting too.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import click
import redis
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.commands.shell import FAILED
from sportsapp.commands.up.broker import place_of
from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.errors import (
    BrokerUnavailableError,
    FeedError,
    FeedRefusedError,
    FeedUnavailableError,
)
from sportsapp.core.settings import Settings, describe_settings
from sportsapp.db import migrate
from sportsapp.db.engine import db
from sportsapp.db.models import ConsumerProcess, LeagueRow, ScheduleRow
from sportsapp.feed import parse
from sportsapp.feed.client import FeedClient
from sportsapp.monitoring.checks import late_slots
from sportsapp.monitoring.webhook import scrub
from sportsapp.queue.broker import broker_errors
from sportsapp.queue.huey import TrackerHuey
from sportsapp.runs.rows import LOST_AFTER
from sportsapp.services import services_of

OK, NOTE, WRONG = "ok", "note", "WRONG"
CLOCK_OFF = timedelta(seconds=30)
DISK_WRONG, DISK_NOTE = 200_000_000, 1_000_000_000
ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104  # compared, not bound  # nosec B104
OPTIONS = "-k process -w 2 -g TERM -t 25 -m 1"
CONSUMERS = {
    "sportsapp": f"huey_consumer huey_config.huey {OPTIONS}",
    "sportsapp-backfill": f"huey_consumer huey_config.backfill_huey {OPTIONS}",
}


@dataclass(frozen=True)
class Finding:
    """What one check found, and what to do about it where there is something to do."""

    name: str
    state: str
    says: str
    do: str = ""


@dataclass
class Patient:
    """What the checks look at, and what earlier ones found out for later ones."""

    app: Flask
    settings: Settings
    queues: tuple[TrackerHuey, ...]
    client: FeedClient
    now: datetime
    has_tables: bool = False


Check = Callable[[Patient], Iterator[Finding]]


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def doctor_command(as_json: bool) -> None:
    """Check this instance, and say what to do. Exit status 1 when anything is wrong."""
    findings = []
    for finding in examine(patient_here()):
        findings.append(finding)
        if not as_json:
            click.echo(_line(finding))
    is_well = all(finding.state != WRONG for finding in findings)
    if as_json:
        document = {"ok": is_well, "checks": [asdict(finding) for finding in findings]}
        click.echo(json.dumps(document))
    if not is_well:
        sys.exit(FAILED)


def patient_here() -> Patient:
    """This app, now."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a local proxy
    parts = services_of(app)
    return Patient(app, parts.settings, parts.queues, parts.feed_client, utc_now())


def examine(patient: Patient) -> Iterator[Finding]:
    """All checks, in order; each finding comes as soon as it is known."""
    for check in CHECKS:
        yield from check(patient)


def _line(finding: Finding) -> str:
    words = f"{finding.state:<5}  {finding.name:<10}  {finding.says}"
    return f"{words} -> {finding.do}" if finding.do else words


# ---------------------------------------------------------------- settings, database


def check_settings(patient: Patient, environ: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """They could be read, or we would not be here; some go together badly."""
    settings = patient.settings
    rows = describe_settings(settings, environ)
    named = [name for name, _, source in rows if source == "environment"]
    says = f"all can be read; set here: {', '.join(named) or 'none'}"
    if not os.access(settings.instance_path, os.W_OK | os.X_OK):
        yield Finding(
            "settings", WRONG, f"INSTANCE_PATH: {settings.instance_path} cannot be written",
            "give the folder to the user who runs the app, or name another one",
        )  # fmt: skip
    elif settings.host in ANYWHERE and not settings.trusted_hosts:
        yield Finding(
            "settings", NOTE, f"{says}; HOST is {settings.host}, but TRUSTED_HOSTS is empty",
            "set TRUSTED_HOSTS to the names that visitors use, or they get an error",
        )  # fmt: skip
    else:
        yield Finding("settings", OK, says)


def check_database(patient: Patient) -> Iterator[Finding]:
    """Does it answer, and has it our tables?"""
    kind = db.engine.dialect.name
    newest = migrate.newest_revision()
    try:
        with db.engine.connect() as connection:
            found = migrate.revision_of(connection)
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        do = "correct DATABASE_URL, or start the database"
        yield Finding("database", WRONG, f"{kind} cannot be used: {reason}", do)
        return
    patient.has_tables = found == newest
    if patient.has_tables:
        yield Finding("database", OK, f"{kind}, migrated to {found}")
    elif found is None:
        yield Finding("database", WRONG, f"{kind} is empty: not migrated", "run `flask db upgrade`")
    elif migrate.is_known(found):
        says = f"{kind} is not migrated: it is at {found}, the code at {newest}"
        yield Finding("database", WRONG, says, "run `flask db upgrade`, then restart everything")
    else:
        says = f"{kind} is at {found}, which this code does not know"
        yield Finding("database", WRONG, says, "run the version that made it, or restore a backup")


# ---------------------------------------------------------------- broker, consumers, scheduler


def check_broker(patient: Patient) -> Iterator[Finding]:
    """Does it answer, and take work?"""
    settings = patient.settings
    place = settings.broker_socket if settings.broker_is_embedded else place_of(settings.broker)
    try:
        with broker_errors():
            waiting = sum(queue.pending_count() for queue in patient.queues)
    except (BrokerUnavailableError, redis.RedisError) as error:
        do = "correct REDIS_URL, or start the broker it names"
        if settings.broker_is_embedded:
            do = "start it with `flask up`, or `flask broker` where consumers are started by hand"
        yield Finding("broker", WRONG, f"{place}: {_short(error)}", do)
    else:
        yield Finding("broker", OK, f"{place} answers; {waiting} messages wait")


def _short(error: Exception) -> str:
    words = " ".join(str(scrub(str(error), ())).split())
    return words[:200].rstrip(".")


def check_consumers(patient: Patient) -> Iterator[Finding]:
    """Is there a live worker on each queue?"""
    if not patient.has_tables:
        yield _untold("consumers")
        return
    rows = list(db.session.scalars(select(ConsumerProcess)))
    for queue in patient.queues:
        workers = [one for one in rows if (one.queue, one.role) == (queue.name, "worker")]
        alive = [one for one in workers if one.beat_at > patient.now - LOST_AFTER]
        if alive:
            places = sorted({f"{one.host}, process {one.pid}" for one in alive})
            says = f"{queue.name}: {len(alive)} workers ({'; '.join(places)})"
            yield Finding("consumers", OK, says)
        else:
            last = max((one.beat_at for one in workers), default=None)
            when = f"; the last one was seen {_ago(patient.now - last)} ago" if last else ""
            do = f"start `flask up`, or {CONSUMERS[queue.name]}"
            yield Finding("consumers", WRONG, f"{queue.name}: no worker is alive{when}", do)


def check_scheduler(patient: Patient) -> Iterator[Finding]:
    """Is every slot claimed when its time comes?"""
    if not patient.has_tables:
        yield _untold("scheduler")
        return
    queue = patient.queues[0]
    rows = list(db.session.scalars(select(ScheduleRow)))
    late = late_slots(db.session, queue, patient.now)
    paused = sorted(row.task for row in rows if row.paused)
    do = f"restart the consumer of {queue.name} and look at its log"
    if len(rows) < len(queue.periodic_tasks):
        do = f"start `flask up`, or {CONSUMERS[queue.name]}"
        yield Finding("scheduler", WRONG, "it has never ticked: nothing is scheduled", do)
    elif late:
        words = ", ".join(f"{one.task} since {_ago(patient.now - one.due_at)}" for one in late)
        yield Finding("scheduler", WRONG, f"the schedule is stale: overdue are {words}", do)
    elif paused:
        says = f"ticks; paused are {', '.join(paused)}"
        yield Finding("scheduler", NOTE, says, "resume with `flask tasks resume NAME`")
    else:
        yield Finding("scheduler", OK, "ticks: every slot was claimed in time")


def _untold(name: str) -> Finding:
    return Finding(name, NOTE, "cannot be told without the database's tables", "mend that first")


# ---------------------------------------------------------------- feed, clock, disk


def check_feed(patient: Patient) -> Iterator[Finding]:
    """Does it answer, and does it want us? One request for each league, until one fails."""
    base = place_of(patient.settings.espn_base_url)
    for league in services_of(patient.app).leagues:
        try:
            answer = patient.client.scoreboard(league, game_day(patient.now))
            parse.parse_scoreboard(answer.body, league)
        except FeedError as error:
            yield _feed_fault(league.label, base, error)
            return
    paused = _paused_leagues(patient)
    if paused:
        do = "wait, or read it by hand with `flask sync`: a good answer ends the pause"
        yield Finding("feed", NOTE, f"{base} answers; polling is paused for {paused}", do)
    else:
        yield Finding("feed", OK, f"{base} answers for every league")


def _feed_fault(label: str, base: str, error: FeedError) -> Finding:
    if isinstance(error, FeedRefusedError):
        says = f"{base} refuses us for the {label}: {error.status}"
        do = "set ESPN_CONTACT_URL to an address of yours, check ESPN_BASE_URL, and poll less"
    elif isinstance(error, FeedUnavailableError) and error.status == 429:
        says = f"{base} limits us for the {label}: 429"
        do = "wait, and lower FEED_REQUESTS_PER_MINUTE"
    elif isinstance(error, FeedUnavailableError):
        says = f"{base} does not answer for the {label}: {_short(error)}"
        do = "check this machine's network and ESPN_BASE_URL; the last good data stays"
    else:
        says = f"{base} answers for the {label} in a shape that we do not know: {_short(error)}"
        do = "update this app; samples of such answers are in the instance folder's samples/"
    return Finding("feed", WRONG, says, do)


def _paused_leagues(patient: Patient) -> str:
    if not patient.has_tables:
        return ""
    found = select(LeagueRow).where(LeagueRow.paused_until > patient.now).order_by(LeagueRow.slug)
    return ", ".join(
        f"{row.slug.upper()} until {row.paused_until:%H:%M} UTC"
        for row in db.session.scalars(found)
    )


def check_clock(patient: Patient) -> Iterator[Finding]:
    """Does our clock agree with the feed's?"""
    off = patient.client.clock_offset
    if off is None:
        says = "the feed did not say what time it is: not compared"
        yield Finding("clock", NOTE, says, "see that this machine's clock is kept by NTP")
    elif abs(off) > CLOCK_OFF:
        side = "behind" if off > timedelta(0) else "ahead of"
        says = f"this machine is {_ago(abs(off))} {side} the feed"
        do = 'set the clock (NTP): schedules and "today" go by it'
        yield Finding("clock", WRONG, says, do)
    else:
        yield Finding("clock", OK, "agrees with the feed's")


def check_disk(patient: Patient) -> Iterator[Finding]:
    """Is there room for the database and the broker's file?"""
    path = patient.settings.instance_path
    free = shutil.disk_usage(path).free
    says = f"{free / 1e9:.1f} GB free for {path}"
    do = "make room, or set INSTANCE_PATH to a larger disk (and lower TASK_RUN_RETENTION_DAYS)"
    if free < DISK_WRONG:
        yield Finding("disk", WRONG, says, do)
    elif free < DISK_NOTE:
        yield Finding("disk", NOTE, says, do)
    else:
        yield Finding("disk", OK, says)


def _ago(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h"


CHECKS: tuple[Check, ...] = (
    check_settings, check_database, check_broker, check_consumers, check_scheduler, check_feed,
    check_clock, check_disk,
)  # fmt: skip

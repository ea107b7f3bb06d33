"""``flask doctor``: what is wrong with this instance, in the order in which to correct it.

One line for each check: its state, what it found, what to do. A setting that cannot be read stops
the app before any command of it runs; the line that names the setting then comes from app.py.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import click
import redis
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.commands.shell import FAILED, database_reason, json_option, print_line
from sportsapp.core.clock import CLOCK_TOLERANCE, game_day, utc_now
from sportsapp.core.errors import (
    BrokerUnavailableError,
    FeedError,
    FeedRefusedError,
    FeedUnavailableError,
)
from sportsapp.core.settings import describe_settings, public_url
from sportsapp.db import migrate
from sportsapp.db.engine import damage_in, db
from sportsapp.db.models import ConsumerProcess, LeagueRow, ScheduleRow
from sportsapp.feed import parse
from sportsapp.monitoring.checks import late_slots
from sportsapp.monitoring.webhook import scrub
from sportsapp.queue.broker import broker_errors
from sportsapp.runs.rows import LOST_AFTER
from sportsapp.services import Services, services

OK, NOTE, WRONG = "ok", "note", "WRONG"
FEED_CLOCK_TOLERANCE = timedelta(seconds=30)
DISK_WRONG, DISK_NOTE = 200_000_000, 1_000_000_000  # bytes
ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104  # compared, not bound  # nosec B104
OPTIONS = "-k process -w 2 -g TERM -t 25 -m 1"
START = {
    "sportsapp": f"start `flask up`, or huey_consumer huey_config.huey {OPTIONS}",
    "sportsapp-backfill": f"start `flask up`, or huey_consumer huey_config.backfill_huey {OPTIONS}",
}


@dataclass(frozen=True)
class Finding:
    """What one check found (``says``), and what to do about it, "" for nothing to do.

    ``state`` is OK, NOTE or WRONG. The fields are keys of the JSON, beside the check's name.
    """

    state: str
    says: str
    do: str = ""


UNCHECKED = Finding(
    NOTE, "cannot be checked without the database's tables", "correct the database first"
)


@dataclass
class CheckContext:
    """What the checks read, and what an earlier check found out for later ones."""

    services: Services
    now: datetime
    has_tables: bool = False


@click.command("doctor")
@json_option
@with_appcontext
def doctor_command(as_json: bool) -> None:
    """Check this instance and print what to do. Exit status 1 when anything is wrong."""
    context = CheckContext(services(), utc_now())
    is_ok, findings = True, []
    for name, check in CHECKS.items():
        for finding in check(context):
            is_ok &= finding.state != WRONG
            findings.append({"name": name, **asdict(finding)})
            if not as_json:  # each line as soon as it is known: a check may take a while
                line = f"{finding.state:<5}  {name:<10}  {finding.says}"
                print_line(f"{line} -> {finding.do}" if finding.do else line)
    if as_json:
        click.echo(json.dumps({"ok": is_ok, "checks": findings}))
    if not is_ok:
        sys.exit(FAILED)


# ---------------------------------------------------------------- settings, database


def check_settings(context: CheckContext) -> Iterator[Finding]:
    """Every value is valid, or the app would not have started; some do not go together."""
    settings = context.services.settings
    rows = describe_settings(settings)
    from_environment = [name for name, _, source in rows if source == "environment"]
    says = f"all can be read; set here: {', '.join(from_environment) or 'none'}"
    if not os.access(settings.instance_path, os.W_OK | os.X_OK):
        says = f"INSTANCE_PATH: {settings.instance_path} cannot be written"
        do = "give the folder to the user who runs the app, or name another one"
        yield Finding(WRONG, says, do)
    elif not settings.trusted_hosts:
        says = f"{says}; HOST is {settings.host} and TRUSTED_HOSTS is empty"
        do = "set TRUSTED_HOSTS to the names that visitors use, or they get an error"
        yield Finding(NOTE, says, do) if settings.host in ANYWHERE else Finding(OK, says)
    else:
        yield Finding(OK, says)


def check_database(context: CheckContext) -> Iterator[Finding]:
    """The database works and has this version's tables."""
    kind = db.engine.dialect.name
    newest = migrate.newest_revision()
    try:
        with db.engine.connect() as connection:
            revision = migrate.revision_of(connection)
            damage = damage_in(connection)
    except SQLAlchemyError as error:
        says = f"{kind} cannot be used: {database_reason(error)}"
        yield Finding(WRONG, says, "correct DATABASE_URL, or start the database")
        return
    if damage:
        says = f"{kind}'s file is damaged: {damage}"
        yield Finding(WRONG, says, "stop everything and restore a backup, see docs/operating.md")
        return
    context.has_tables = revision == newest
    if context.has_tables:
        yield Finding(OK, f"{kind}, migrated to {revision}")
    elif revision is None:
        yield Finding(WRONG, f"{kind} is empty: not migrated", "run `flask db upgrade`")
    elif migrate.is_known(revision):
        says = f"{kind} is not migrated: it is at {revision}, the code at {newest}"
        yield Finding(WRONG, says, "run `flask db upgrade`, then restart everything")
    else:
        says = f"{kind} is at {revision}, which this code does not know"
        yield Finding(WRONG, says, "run the version that made it, or restore a backup")


# ---------------------------------------------------------------- broker, consumers, scheduler


def check_broker(context: CheckContext) -> Iterator[Finding]:
    """The broker answers and has its queues."""
    settings = context.services.settings
    place = public_url(settings.broker)
    do = "correct REDIS_URL, or start the broker it names"
    if settings.broker_is_embedded:
        place = str(settings.broker_socket)
        do = "start it with `flask up`, or `flask broker` where consumers are started by hand"
    try:
        with broker_errors():
            waiting = sum(queue.pending_count() for queue in context.services.queues)
    except (BrokerUnavailableError, redis.RedisError) as error:
        yield Finding(WRONG, f"{place}: {_short(error)}", do)
    else:
        yield Finding(OK, f"{place} answers; {waiting} messages wait")


def check_consumers(context: CheckContext) -> Iterator[Finding]:
    """Each queue has a live worker."""
    if not context.has_tables:
        yield UNCHECKED
        return
    for queue in context.services.queues:
        of_queue = select(ConsumerProcess).filter_by(queue=queue.name, role="worker")
        workers = db.session.scalars(of_queue).all()
        first, last_beat = context.now - LOST_AFTER, context.now + CLOCK_TOLERANCE
        alive = [worker for worker in workers if first < worker.beat_at <= last_beat]
        if alive:
            places = sorted({f"{worker.host}, process {worker.pid}" for worker in alive})
            yield Finding(OK, f"{queue.name}: {len(alive)} workers ({'; '.join(places)})")
        else:
            last = max((worker.beat_at for worker in workers), default=None)
            when = f"; the last one was seen {_duration(context.now - last)} ago" if last else ""
            yield Finding(WRONG, f"{queue.name}: no worker is alive{when}", START[queue.name])


def check_scheduler(context: CheckContext) -> Iterator[Finding]:
    """Every slot of the schedule is claimed when its time comes."""
    if not context.has_tables:
        yield UNCHECKED
        return
    queue = context.services.queues[0]
    rows = db.session.scalars(select(ScheduleRow)).all()
    late = late_slots(db.session, queue, context.now)
    paused = sorted(row.task for row in rows if row.paused)
    if len(rows) < len(queue.periodic_tasks):
        yield Finding(WRONG, "it has never ticked: nothing is scheduled", START[queue.name])
    elif late:
        overdue = [f"{slot.task} since {_duration(context.now - slot.due_at)}" for slot in late]
        says = f"the schedule is stale: overdue are {', '.join(overdue)}"
        yield Finding(WRONG, says, f"restart the consumer of {queue.name} and look at its log")
    elif paused:
        says = f"ticks; paused are {', '.join(paused)}"
        yield Finding(NOTE, says, "resume with `flask tasks resume NAME`")
    else:
        yield Finding(OK, "ticks: every slot was claimed in time")


# ---------------------------------------------------------------- feed, clock, disk


def check_feed(context: CheckContext) -> Iterator[Finding]:
    """The feed answers us, in a shape that we know, and its first host answers everything.

    One request for each league, until one fails.
    """
    parts = context.services
    hosts = parts.feed_client.hosts
    base = hosts.urls[0]
    for league in parts.leagues:
        try:
            answer = parts.feed_client.scoreboard(league, game_day(context.now))
            base = answer.host
            answer.parsed(parse.parse_scoreboard, league)
        except FeedError as error:
            base = next((url for url in hosts.urls if error.url.startswith(url)), base)
            yield _feed_fault(league.label, base, error)
            return
    for kind, state in (hosts.moved() or {}).items():
        says = f"{state.host} answers requests ({kind}) since {state.since:%Y-%m-%d %H:%M} UTC"
        again = f"{hosts.urls[0]} is tried again at {state.again_at:%H:%M} UTC"
        yield Finding(NOTE, f"{says}: {state.reason}", again)
    paused = select(LeagueRow).where(LeagueRow.paused_until > context.now).order_by(LeagueRow.slug)
    rows = db.session.scalars(paused).all() if context.has_tables else []
    if rows:
        pauses = ", ".join(f"{row.slug.upper()} until {row.paused_until:%H:%M} UTC" for row in rows)
        says = f"{base} answers; polling is paused for {pauses}"
        do = "wait, or sync by hand with `flask sync`: a good answer ends the pause"
        yield Finding(NOTE, says, do)
    else:
        yield Finding(OK, f"{base} answers for every league")


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
    return Finding(WRONG, says, do)


def check_clock(context: CheckContext) -> Iterator[Finding]:
    """Our clock agrees with the feed's, as far as an answer of ``check_feed`` had a time."""
    offset = context.services.feed_client.clock_offset
    if offset is None:
        do = "check that NTP keeps this machine's clock"
        yield Finding(NOTE, "not compared: the feed sent no time", do)
    elif abs(offset) > FEED_CLOCK_TOLERANCE:
        side = "behind" if offset > timedelta(0) else "ahead of"
        says = f"this machine is {_duration(abs(offset))} {side} the feed"
        do = 'set the clock (NTP): schedules and "today" go by it'
        yield Finding(WRONG, says, do)
    else:
        yield Finding(OK, "agrees with the feed's")


def check_disk(context: CheckContext) -> Iterator[Finding]:
    """The disk has room for the database and the broker's file."""
    path = context.services.settings.instance_path
    free = shutil.disk_usage(path).free
    says = f"{free / 1e9:.1f} GB free for {path}"
    if free < DISK_NOTE:
        state = WRONG if free < DISK_WRONG else NOTE
        do = "make room, or set INSTANCE_PATH to a larger disk (and lower TASK_RUN_RETENTION_DAYS)"
        yield Finding(state, says, do)
    else:
        yield Finding(OK, says)


CHECKS = {
    "settings": check_settings,
    "database": check_database,
    "broker": check_broker,
    "consumers": check_consumers,
    "scheduler": check_scheduler,
    "feed": check_feed,
    "clock": check_clock,
    "disk": check_disk,
}


def _short(error: Exception) -> str:
    """An error's message in one line, without credentials."""
    text = " ".join(str(scrub(str(error), ())).split())
    return text[:200].rstrip(".")


def _duration(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h"

"""Checks of this machine: its settings, its disk, its clock."""

import os
import shutil
import socket
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select

from sportsapp.core.clock import duration
from sportsapp.core.settings import describe_settings
from sportsapp.db.engine import sqlite_path
from sportsapp.db.models import ConsumerProcess
from sportsapp.monitoring.checks.check import Finding, Look, check, ok, warn, wrong

CLOCK_TOLERANCE = timedelta(seconds=30)
DISK_WRONG, DISK_WARN = 200_000_000, 1_000_000_000  # bytes
ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104  # compared, not bound  # nosec B104


@check("settings", "the instance folder, or a setting, needs attention", is_local=True)
def check_settings(look: Look) -> Iterator[Finding]:
    """Every value is valid, or the app would not have started; some do not go together."""
    settings = look.settings
    rows = describe_settings(settings)
    given = [name for name, _, source in rows if source != "default"]
    text = f"all can be read; set here: {', '.join(given) or 'none'}"
    if not os.access(settings.instance_path, os.W_OK | os.X_OK):
        text = f"INSTANCE_PATH: {settings.instance_path} cannot be written"
        yield wrong(text, "give the folder to the user who runs the app, or name another one")
    elif not settings.trusted_hosts and settings.host in ANYWHERE:
        text = f"HOST is {settings.host} and TRUSTED_HOSTS is empty"
        yield warn(text, "set TRUSTED_HOSTS to the names that visitors use, or they get an error")
    else:
        yield ok(text)


@check("disk", "little room is left", unready=True, is_local=True)
def check_disk(look: Look) -> Iterator[Finding]:
    """There is room for the database, the broker's file and samples."""
    file = sqlite_path(look.settings.database)
    folders = [look.settings.instance_path, *([file.parent] if file else [])]
    there = [folder for folder in folders if folder.is_dir()]
    if not there:
        yield wrong(f"{folders[0]} is gone", "stop everything and restore a backup")
        return
    usages = ((shutil.disk_usage(folder), folder) for folder in there)
    free, total, folder = min((usage.free, usage.total, folder) for usage, folder in usages)
    room = f"{free // 10**6} MB of {total // 10**6:,} MB"
    if free >= 1e9:
        room = f"{free / 1e9:,.1f} GB of {total / 1e9:,.1f} GB"
    text = f"{room} free for {folder}"
    do = "make room; nothing can be written on a full disk, and consumers cannot say that they run"
    if free < DISK_WARN:
        yield wrong(text, do) if free < DISK_WRONG else warn(text, do)
    else:
        yield ok(text)


@check("clock", "a machine's clock is wrong", needs=("database", "broker"))
def check_clock(look: Look) -> Iterator[Finding]:
    """Our machines' clocks agree with the feed's, by the last answer that each of them got."""
    processes = select(ConsumerProcess.host).distinct()
    hosts = {socket.gethostname(), *look.session.scalars(processes)}
    offsets = look.feed_client.clock.offsets(sorted(hosts))
    if not offsets:
        yield ok("not compared: no answer of the feed with a time came in the last hours")
        return
    for host, offset in offsets.items():
        if abs(offset) > CLOCK_TOLERANCE:
            side = "behind" if offset > timedelta(0) else "ahead of"
            text = f"{host} is {duration(abs(offset))} {side} the feed"
            yield wrong(text, 'set the clock (NTP): schedules and "today" go by it', subject=host)
        else:
            yield ok(f"{host} agrees with the feed")

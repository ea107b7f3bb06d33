"""`flask up`: the whole app with one command - broker, consumers, web server, and their end.

It checks what can be checked before anything runs, brings the database up to date, starts one
part after the other and stays until somebody stops it or one of them ends; a broker that ends is
started again. Consumers and web server are stopped first and together, then broker and demo feed
(``stop_rank`` of a child).
Nothing is left behind, not even when it is killed with SIGKILL.

Consumers and web server are forked when all that they need is loaded, so that it is in memory
once (docs/decisions/copies.md).
"""

import contextlib
import importlib
import json
import os
import shlex
import socket
import sys

import click
from flask.cli import with_appcontext
from setproctitle import getproctitle

from sportsapp.commands.shell import FAILED, bind, fail_for, make_instance, misuse
from sportsapp.commands.up import children
from sportsapp.commands.up.broker import BROKER_SECONDS, broker_child, wait_for_broker
from sportsapp.commands.up.prepare import announce_first_admin
from sportsapp.commands.up.supervisor import ChildFailedError, Supervisor
from sportsapp.core.errors import SettingsError, TrackerError, WrongFeedError
from sportsapp.core.instance import hold_instance
from sportsapp.core.output import nonblocking
from sportsapp.core.processes import freeze_memory
from sportsapp.core.running import announce
from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db.engine import db, merge_wal
from sportsapp.db.identity import mark_as_demo, require_feed
from sportsapp.db.migrate import database_errors, migrate_database
from sportsapp.services import services
from sportsapp.tasks.chains import start_first_sync

DEMO_PORT = "SPORTSAPP_DEMO_PORT"
SHARED = ("huey.consumer_options", "huey_config")
"""What consumers have in memory beside what is loaded already."""


@click.command("up")
@click.option("--demo", is_flag=True, help="Serve a made-up feed and follow that one.")
@click.option(
    "--demo-speed",
    type=click.FloatRange(min=0, min_open=True),
    help="How many times faster than life the made-up games are played; with --demo.",
)
@with_appcontext
def up_command(demo: bool, demo_speed: float | None) -> None:
    """Start everything: broker, consumers and web server. Ctrl-C stops it."""
    if demo_speed and not demo:
        misuse("--demo-speed is for the made-up feed: add --demo")
    settings = services().settings
    sys.stdout = nonblocking(sys.stdout)
    if demo and DEMO_PORT not in os.environ:
        start_again_for_demo()
    demo_port = int(os.environ.pop(DEMO_PORT)) if demo else None
    try:
        if demo and settings.database_url:
            raise SettingsError(
                "DATABASE_URL: is set, but made-up games stay in a database of their own; "
                "unset it for the demo, for example with env -u DATABASE_URL"
            )
        run_until_stopped(settings, demo_port, demo_speed or 1)
    except ChildFailedError as failure:
        line = f"stopped: {failure}"
        if settings.log_format == "json":
            line = json.dumps({"message": line, "process": "up"})
        with contextlib.suppress(OSError):  # nobody may read the log any more
            click.echo(line, err=True)
        sys.exit(FAILED)
    except TrackerError as error:
        fail_for(error)


def run_until_stopped(settings: Settings, demo_port: int | None, demo_speed: float) -> None:
    """Check, prepare, start everything in order, and exit (0) after a stop signal.

    Raises ChildFailedError when a part ends by itself, SettingsError or BrokerUnavailableError
    when one cannot be started. Nothing that was started is left when it returns or raises.
    """
    # 1. What can be wrong is checked before anything runs.
    make_instance()
    with bind(settings.host, settings.port) as probe:
        address = str(probe.getsockname()[0])
    enter_project(settings)
    with hold_instance(settings), database_errors(), contextlib.ExitStack() as last:
        broker = broker_child(settings) if settings.broker_is_embedded else None
        if not broker:
            wait_for_broker(settings.broker, BROKER_SECONDS)
        with Supervisor() as supervisor:
            # 2. The database is brought up to date while no part uses it.
            migrate_database()
            if not demo_port:
                require_feed(db.engine, settings)
            elif not mark_as_demo(db.engine):
                raise WrongFeedError(
                    f"INSTANCE_PATH: {settings.instance_path} has games, and no mark that they are "
                    "the demo's; name another folder, or remove it if an older demo made it"
                )
            last.callback(merge_wal)  # when no part uses it any more
            if not broker:
                services().queues[0].check_broker()
            announce_first_admin(settings)
            # 3. Demo feed and broker are started before the consumers, which need them.
            if demo_port:
                supervisor.start(children.demo_child(demo_port, demo_speed))
            if broker:
                supervisor.start(broker)
            # 4. Consumers and web server are forked from a process that has everything loaded.
            start_first_sync()
            shared = {"ESPN_BASE_URL": settings.espn_base_url, "PORT": str(settings.port)}
            if demo_port:
                shared["DATABASE_URL"] = ""
            last.callback(announce(settings.instance_path, shared).unlink, missing_ok=True)
            make_ready_to_fork()
            for name in children.CONSUMERS:
                supervisor.start(children.consumer_child(settings, name))
            supervisor.start(children.web_child(settings, address))
            host = children.LOOPBACK.get(address, address)
            shown = f"[{host}]" if ":" in host else host
            click.echo(f"Sports Game Tracker is at http://{shown}:{settings.port}/")
            if demo_port:
                words = f"INSTANCE_PATH={shlex.quote(os.path.relpath(settings.instance_path))}"
                click.echo(f"Commands for this demo begin with {words} .venv/bin/flask")
            supervisor.wait()


def start_again_for_demo() -> None:
    """Run this very command line again with the made-up feed's settings, so that the app has them.

    The demo has an instance folder of its own unless INSTANCE_PATH names one.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    folder = os.environ.get("INSTANCE_PATH", "").strip() or str(PROJECT_ROOT / "instance-demo")
    os.environ |= {DEMO_PORT: str(port), "INSTANCE_PATH": folder}
    os.environ["ESPN_BASE_URL"] = f"http://127.0.0.1:{port}"
    os.environ.setdefault("DATABASE_URL", "")  # what .env has is not for the demo
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - no shell


def enter_project(settings: Settings) -> None:
    """Go to the project's folder, where `python -m` finds our modules, with paths in full.

    Whatever we and our children write from now on is for its owner alone.
    """
    getproctitle()  # setproctitle finds the title's place before the environment changes, not after
    os.environ["INSTANCE_PATH"] = str(settings.instance_path)
    if settings.log_file:
        os.environ["LOG_FILE"] = str(settings.log_file)
    os.chdir(PROJECT_ROOT)
    os.umask(0o077)


def make_ready_to_fork() -> None:
    """Load what the copies share, and close every connection: a copy opens its own."""
    if children.CAN_COPY:
        for name in SHARED:  # huey_config imports this package, so not at the top of the file
            importlib.import_module(name)
    for queue in services().queues:
        queue.disconnect()
    db.session.remove()
    db.engine.dispose()
    freeze_memory()

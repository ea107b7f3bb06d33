"""`flask up`: the whole app with one command - broker, consumers, web server, and their end.

It checks what can be checked before anything runs, brings the database up to date, and then
supervises: one stream of logs, consumers stopped first and the broker last, and nothing left
behind, not even after kill -9.

Consumers and web server are copies of this process, forked when all that they need is loaded, so
that it is in memory once. Where a fork of a loaded process is not safe (macOS), and for broker and
demo feed, which share nothing with us, they are programs of their own.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import http.client
import importlib
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from setproctitle import getproctitle, setproctitle

from sportsapp.commands.up.broker import Broker, broker_answers, prepare_broker, wait_for_broker
from sportsapp.commands.up.prepare import announce_first_admin, migrate_database
from sportsapp.commands.up.supervisor import Child, Supervisor
from sportsapp.core.errors import SettingsError, TrackerError
from sportsapp.core.processes import SUPERVISED, die_with_parent, freeze_memory
from sportsapp.core.settings import PROJECT_ROOT, Settings, load_settings, make_instance_folder
from sportsapp.db.engine import db
from sportsapp.services import services_of
from sportsapp.tasks.chain import start_first_sync

BROKER_SECONDS = 10.0
WEB_SECONDS = 60.0
PROBE_SECONDS = 1.0
BLOCKING_THREADS = 4
FIRST, LAST = 0, 1
CONSUMERS = {"consumer": "huey_config.huey", "backfill": "huey_config.backfill_huey"}
CONSUMER_OPTIONS = ["-k", "process", "-w", "2", "-g", "TERM", "-t", "8", "-m", "1", "-c", "1"]
DEMO_PORT = "SPORTSAPP_DEMO_PORT"
SHARED = (
    "huey.bin.huey_consumer",
    "huey_config",
    "granian.cli",
    "granian.server",
    "multiprocessing.popen_fork",
)
"""What consumers and web server need in memory."""
CAN_COPY = sys.platform == "linux"
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # reached, not bound  # nosec B104


@dataclass(frozen=True, slots=True)
class Program:
    """A Python program: its name, what `python -m` calls it, and its main function."""

    name: str
    module: str
    entry_module: str
    entry: str


CONSUMER_PROGRAM = Program(
    "huey_consumer", "huey.bin.huey_consumer", "huey.bin.huey_consumer", "consumer_main"
)
WEB_PROGRAM = Program("granian", "granian", "granian.cli", "entrypoint")


@dataclass(frozen=True, slots=True)
class Plan:
    """What this `flask up` is to run: the settings and what the children see of them."""

    settings: Settings
    environ: Mapping[str, str]
    address: str
    demo_port: int | None = None
    demo_speed: float = 1.0


@click.command("up")
@click.option("--demo", is_flag=True, help="Serve a made-up feed and follow that one.")
@click.option(
    "--demo-speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="How many times faster than life the made-up games are played.",
)
@with_appcontext
def up_command_line(demo: bool, demo_speed: float) -> None:
    """Start everything: broker, consumers and web server. Ctrl-C stops it."""
    if demo and DEMO_PORT not in os.environ:
        port = _free_port()
        folder = os.environ.get("INSTANCE_PATH", "").strip() or str(PROJECT_ROOT / "instance-demo")
        feed = f"http://127.0.0.1:{port}"
        start_again(**{DEMO_PORT: str(port), "INSTANCE_PATH": folder, "ESPN_BASE_URL": feed})
    try:
        status = bring_up(current_app._get_current_object(), make_plan(demo, demo_speed))  # type: ignore[attr-defined]
    except TrackerError as error:
        click.echo(str(error), err=True)
        status = 1
    raise SystemExit(status)


def start_again(**variables: str) -> None:
    """Run this very command line again with more in the environment, so that the app sees it."""
    arguments = [sys.executable, *sys.orig_argv[1:]]
    os.execve(sys.executable, arguments, {**os.environ, **variables})  # noqa: S606 - no shell


def make_plan(demo: bool, demo_speed: float = 1.0) -> Plan:
    """Read the settings and check them, the instance folder and the port.

    Raises SettingsError: one line for people.
    """
    environ = dict(os.environ)
    demo_port = int(environ.pop(DEMO_PORT)) if demo else None
    settings = load_settings(environ)
    if demo and settings.database_url:
        raise SettingsError(
            "DATABASE_URL: is set, but made-up games stay in a database of their own; "
            "unset it for the demo, for example with env -u DATABASE_URL"
        )
    make_instance_folder(settings)
    address = check_port(settings.host, settings.port)
    return Plan(settings, child_environment(settings, environ), address, demo_port, demo_speed)


def child_environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of the children, who run in the project's folder: paths in full."""
    paths = {"INSTANCE_PATH": str(settings.instance_path)}
    if settings.log_file:
        paths["LOG_FILE"] = str(settings.log_file)
    return {**environ, **paths, "PYTHONUNBUFFERED": "1", SUPERVISED: "1"}


def check_port(host: str, port: int) -> str:
    """The address that HOST stands for, if the port is free there. Raises SettingsError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise SettingsError(_port_fault(host, port, error)) from None
    return str(address[0])


def _port_fault(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"PORT: {host}:{port} is already in use; choose another, for example {_next(port)}"
    if error.errno == errno.EACCES:
        return f"PORT: {host}:{port} is not open to this user; for example 5000"
    return f"HOST: {host!r} is no address of this machine ({error.strerror}); for example 127.0.0.1"


def _next(port: int) -> int:
    return port + 1 if port < 65535 else 5000


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def bring_up(app: Flask, plan: Plan) -> int:
    """Run everything until it is stopped. The exit status: 0 on request, 1 when a child ended."""
    os.umask(0o077)  # whatever we and our children write is for the owner alone
    with hold_instance(plan.settings):
        broker = None
        if plan.settings.broker_is_embedded:
            broker = prepare_broker(plan.settings, verbose=plan.settings.log_level == "DEBUG")
        else:
            wait_for_broker(plan.settings.broker, BROKER_SECONDS)
        children = list(planned_children(app, plan, broker))
        with Supervisor(children, as_json=plan.settings.log_format == "json") as supervisor:
            prepare_database(app, plan)
            if broker is None:
                prepare_copies(app)
            return supervisor.run()


def prepare_copies(app: Flask) -> None:
    """Queue the first sync, and have in memory what the copies need, but nothing open.

    What is done here once has not to be done, nor kept, by each copy: what Python and SQLAlchemy
    build for a heartbeat and for a recovery is built when both have been done.
    """
    with app.app_context():
        start_first_sync()
        for queue in services_of(app).queues:
            queue.tracker.beat(queue.name, "supervisor")
            queue.tracker.recover(queue)
            queue.tracker.leave(queue.name, "supervisor")
            queue.disconnect()
        if CAN_COPY:
            _load(SHARED)
        db.session.remove()
        db.engine.dispose()
    getproctitle()  # finds the place of the title, before copies change their environment
    freeze_memory()


def _load(names: Sequence[str]) -> None:
    if str(PROJECT_ROOT) not in sys.path:
        sys.path.insert(0, str(PROJECT_ROOT))
    for name in names:
        importlib.import_module(name)


@contextlib.contextmanager
def hold_instance(settings: Settings) -> Iterator[None]:
    """Keep every other `flask up` off this instance folder. Raises SettingsError if one has it."""
    with (settings.instance_path / "up.lock").open("w") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a copy of us does not hold it
        except (BlockingIOError, PermissionError):
            raise SettingsError(
                f"INSTANCE_PATH: another `flask up` is running on {settings.instance_path}; "
                "stop it or name another folder, for example /srv/scores"
            ) from None
        yield


def prepare_database(app: Flask, plan: Plan) -> None:
    """Bring the tables up to date and make the first admin account."""
    with app.app_context():
        if CAN_COPY:
            in_a_copy(migrate_database)
        else:
            migrate_database()
        announce_first_admin(plan.settings)


def in_a_copy(work: Callable[[], object]) -> None:
    """Have a copy of this process do it, so that what it takes of memory ends with it."""
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, mp_context=fork, initializer=die_with_parent) as copies:
        copies.submit(work).result()


def planned_children(app: Flask, plan: Plan, broker: Broker | None) -> Iterator[Child]:
    """The children in the order of their start: feed, broker, consumers, web server."""
    if plan.demo_port:
        yield demo_child(plan, plan.demo_port)
    if broker:
        yield broker_child(app, plan, broker)
    for name, queue in CONSUMERS.items():
        yield consumer_child(plan, name, queue)
    yield web_child(plan)


def demo_child(plan: Plan, port: int) -> Child:
    """The made-up feed; it has to answer before the first tick asks it."""
    options = f"--host 127.0.0.1 --port {port} --speed {plan.demo_speed:g}".split()
    return Child(
        name="demo",
        argv=[sys.executable, "-m", "demo", *options],
        env=plan.environ,
        cwd=PROJECT_ROOT,
        stop_rank=LAST,
        ready=lambda: _accepts(port),
    )


def broker_child(app: Flask, plan: Plan, broker: Broker) -> Child:
    """The embedded broker; when we are killed it may still close its file properly."""

    def after_start() -> None:
        os.close(broker.lock)
        prepare_copies(app)

    return Child(
        name="broker",
        argv=broker.argv,
        env=plan.environ,
        cwd=PROJECT_ROOT,
        stop_rank=LAST,
        death_signal=signal.SIGTERM,
        pass_fds=(broker.lock,),
        ready=lambda: broker_answers(plan.settings.broker),
        ready_seconds=BROKER_SECONDS,
        then=after_start,
    )


def consumer_child(plan: Plan, name: str, queue: str) -> Child:
    """A consumer of one of the queues."""
    return program_child(plan, name, CONSUMER_PROGRAM, [queue, *CONSUMER_OPTIONS])


def program_child(
    plan: Plan, name: str, program: Program, arguments: Sequence[str], **options: Any
) -> Child:
    """A Python program, in a copy of this process where that can be."""
    return Child(
        name=name,
        argv=[sys.executable, "-m", program.module, *arguments],
        body=partial(run_program, plan, program, arguments) if CAN_COPY else None,
        env=plan.environ,
        cwd=PROJECT_ROOT,
        stop_rank=FIRST,
        **options,
    )


def run_program(plan: Plan, program: Program, arguments: Sequence[str]) -> None:
    """Do in this process what `python -m module arguments` would do in another."""
    os.register_at_fork(
        after_in_child=die_with_parent
    )  # the web server's workers know no other way
    setproctitle(f"{program.name} {arguments[0]} ({plan.settings.instance_path})")
    module = importlib.import_module(program.entry_module)
    sys.argv = [str(module.__file__), *arguments]
    getattr(module, program.entry)()


def web_child(plan: Plan) -> Child:
    """The web server; once it answers, the address is printed."""
    settings = plan.settings
    options = {
        "interface": "wsgi",
        "host": plan.address,
        "port": str(settings.port),
        "workers": "1",
        "blocking-threads": str(BLOCKING_THREADS),
        "workers-kill-timeout": "5",
        "log-level": settings.log_level.lower(),
        "process-name": f"granian wsgi:app ({settings.instance_path})",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    access_log = "--access-log" if settings.log_level == "DEBUG" else "--no-access-log"
    return program_child(
        plan,
        "web",
        WEB_PROGRAM,
        ["wsgi:app", *words, "--no-ws", access_log],
        ready=lambda: _answers(plan.address, settings.port),
        ready_seconds=WEB_SECONDS,
        then=lambda: click.echo(f"Sports Game Tracker is at {address_of(plan)}"),
    )


def address_of(plan: Plan) -> str:
    """The address for the browser on this machine."""
    host = LOOPBACK.get(plan.address, plan.address)
    return f"http://{f'[{host}]' if ':' in host else host}:{plan.settings.port}/"


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PROBE_SECONDS).close()
    except OSError:
        return False
    return True


def _answers(address: str, port: int) -> bool:
    """Whether the web server answers, whatever it says: how well it is, is not asked here."""
    host = LOOPBACK.get(address, address)
    connection = http.client.HTTPConnection(host, port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True

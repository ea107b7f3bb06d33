"""Two instances on one broker: the second is refused with one line, until it adopts the broker."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from sportsapp.core.errors import ForeignBrokerError
from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db.engine import db
from sportsapp.db.identity import database_id
from sportsapp.db.migrate import database_at
from sportsapp.queue.broker import OWNER_KEY
from sportsapp.queue.huey import huey
from sportsapp.tasks import sync_all_leagues
from tests.acceptance import harm
from tests.acceptance.conftest import app_on, wait_for
from tests.conftest import MakeDatabase

pytestmark = pytest.mark.long

SHORT = ("-k", "process", "-w", "1", "-m", "1")
CONSUMER = ("-m", "huey.bin.huey_consumer", "huey_config.huey", *SHORT)


@pytest.fixture
def first(real_settings: Settings, broker) -> Settings:
    """An instance whose REDIS_URL names the broker."""
    return replace(real_settings, redis_url=broker.settings.broker)


@pytest.fixture
def second(first: Settings, tmp_path: Path, make_database: MakeDatabase) -> Iterator[Settings]:
    """Another instance, with a database of its own and the same REDIS_URL."""
    with make_database(tmp_path) as url:
        yield replace(first, instance_path=tmp_path, database_url=url)


def id_of(settings: Settings) -> str:
    with database_at(settings.database, settings.instance_path) as engine:
        return database_id(engine)


def run(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT_ROOT,
        env=harm.environ_of(settings) | {"REDIS_URL": settings.redis_url},
        capture_output=True,
        text=True,
        timeout=60,
    )


def owner(settings: Settings) -> str:
    with redis.Redis.from_url(settings.broker) as connection:
        return (connection.get(OWNER_KEY) or b"").decode()


def test_second_instance_is_refused_until_it_adopts_the_broker(first, second, start_consumer):
    with app_on(first):
        run_id = sync_all_leagues().id
    ids = id_of(first), id_of(second)
    assert ids[0] != ids[1]
    assert owner(first) == ids[0]
    programs = {
        "consumer": CONSUMER,
        "web server": ("-c", "import wsgi"),
        "flask sync": ("-m", "flask", "sync", "schedule", "--queue"),
        "flask purge": ("-m", "flask", "tasks", "purge", "--yes"),
        "flask prepare": ("-m", "flask", "prepare"),
        "flask up": ("-m", "flask", "up"),
    }
    for name, arguments in programs.items():
        refused = run(second, *arguments)
        *_, line = refused.stderr.splitlines()
        assert refused.returncode == 1, (name, refused.stderr)
        assert all(words in line for words in (*ids, "flask broker adopt")), (name, refused.stderr)
        assert "Traceback" not in refused.stderr, name
    with app_on(first):
        assert huey.message_ids() == {run_id}

    consumer = start_consumer(door=harm.HURRY, redis_url=first.redis_url)
    with app_on(first):
        assert harm.ended(run_id).attempt == 1
    adopted = run(second, "-m", "flask", "broker", "adopt")
    assert (adopted.returncode, adopted.stderr) == (0, "")
    assert owner(second) == ids[1]
    wait_for(lambda: consumer.process.poll() is not None, 20)
    assert f"is the database {ids[0]}" in consumer.log.read_text()
    assert run(first, *CONSUMER).returncode == 1
    assert run(second, "-m", "flask", "sync", "schedule", "--queue").returncode == 0


def test_broker_without_an_owner_is_adopted(first, broker):
    with app_on(first):
        sync_all_leagues()
        huey.disconnect()
        broker.forget_everything()
        sync_all_leagues()
    assert owner(first) == id_of(first)


def test_embedded_broker_belongs_to_its_instance_whatever_it_held(real_settings, broker):
    with redis.Redis.from_url(broker.settings.broker) as connection:
        connection.set(OWNER_KEY, "another")
    with app_on(real_settings):
        sync_all_leagues()
        assert owner(real_settings) == database_id(db.engine)


def test_connection_made_after_an_adoption_takes_no_message(first, second):
    with app_on(first):
        run_id = sync_all_leagues().id
    assert run(second, "-m", "flask", "broker", "adopt").returncode == 0
    with app_on(first), pytest.raises(ForeignBrokerError, match="belongs to the database"):
        huey.dequeue()
    with app_on(second):
        assert huey.message_ids() == {run_id}


def test_copies_keep_the_id(first, tmp_path):
    copy = replace(first, database_url=f"sqlite:///{tmp_path}/copy.db")
    name = id_of(first)
    copied = run(first, "-m", "flask", "db-copy", copy.database_url)
    assert copied.returncode == 0, copied.stderr
    assert id_of(copy) == name

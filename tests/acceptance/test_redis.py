"""Brokers that people have already: Redis over TLS, and servers that are restarted or refuse."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import redis
import trustme

from sportsapp.commands.up.broker import broker_answers, wait_for_broker
from sportsapp.core.errors import BrokerUnavailableError
from sportsapp.db.models import RunState
from sportsapp.queue.huey import huey
from sportsapp.services import services_of
from sportsapp.tasks import sync_daily_schedule
from tests.acceptance import harm
from tests.acceptance.conftest import app_on, wait_for
from tests.acceptance.test_up import free_port

PASSWORD = "secret"


@contextmanager
def running(*argv: object) -> Iterator[subprocess.Popen[bytes]]:
    """A server of the test's own; killed at the end."""
    process = subprocess.Popen([str(word) for word in argv], stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def counts_visitors(connection: redis.Redis) -> bool:
    """Whether the API's limit is counted on this server, not in memory."""
    return any(b"sportsapp-api" in key for key in connection.keys("*"))


@pytest.fixture
def tls_url(tmp_path: Path) -> Iterator[str]:
    """A Redis that speaks TLS alone and wants a password; the embedded Valkey has no TLS."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server here (Debian's package redis-server)")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    files = f"--tls-cert-file {tmp_path}/server.pem --tls-key-file {tmp_path}/server.pem"
    port = free_port()
    options = f"--port 0 --tls-port {port} --bind 127.0.0.1 --tls-auth-clients no {files}"
    folder = f"--tls-ca-cert-file {tmp_path}/ca.pem --dir {tmp_path}"
    with running(program, *options.split(), *folder.split(), "--requirepass", PASSWORD):
        url = f"rediss://:{PASSWORD}@127.0.0.1:{port}/0?ssl_ca_certs={tmp_path}/ca.pem"
        wait_for_broker(url, 10)
        yield url


def test_redis_over_tls_serves_everything(tls_url, real_settings, feed, start_consumer):
    settings = replace(real_settings, redis_url=tls_url)
    start_consumer(redis_url=tls_url)
    with app_on(settings) as app:
        result = sync_daily_schedule()
        assert result.get(blocking=True, timeout=20) == {"synced": 0, "errors": []}
        assert harm.run_of(result.id).state == RunState.SUCCESS
        assert services_of(app).feed_outcomes.counts()["ok"] == len(feed.asked())
        assert app.test_client().get("/api/v1/leagues").status_code == 200
    with redis.Redis.from_url(tls_url) as connection:
        assert counts_visitors(connection)


def test_certificate_that_nobody_vouches_for_is_refused(tls_url):
    assert broker_answers(tls_url)
    with pytest.raises(BrokerUnavailableError, match="certificate verify failed") as caught:
        wait_for_broker(tls_url.partition("?")[0], 0.5)
    assert PASSWORD not in str(caught.value)


def test_connection_that_the_broker_closed_is_opened_again(real_app, broker):
    huey.storage.enqueue(b"before")
    huey.storage.conn.waitaof(1, 0, 5000)  # a disk that is busy keeps it in memory for a while
    broker.kill()
    broker.start()
    huey.storage.enqueue(b"after")
    assert huey.storage.enqueued_items() == [b"before", b"after"]


def test_command_whose_connection_the_broker_closes_is_sent_again(real_app, real_settings):
    with redis.Redis.from_url(real_settings.broker) as other, ThreadPoolExecutor(1) as threads:
        taken = threads.submit(huey.storage.dequeue)
        wait_for(lambda: other.info("clients")["blocked_clients"] == 1, 5)
        assert other.client_kill_filter(_type="normal", skipme=True) > 0
        assert taken.result(5) is None


def test_broker_that_is_away_is_a_clear_error(real_app, broker):
    broker.kill()
    with pytest.raises(BrokerUnavailableError, match="cannot be reached"):
        sync_daily_schedule()


def test_broker_that_refuses_is_a_clear_error(real_app):
    huey.storage.conn.set(huey.storage.queue_key, "no queue")
    with pytest.raises(BrokerUnavailableError, match="the broker refuses: WRONGTYPE"):
        sync_daily_schedule()
    huey.storage.conn.delete(huey.storage.queue_key)
    sync_daily_schedule()
    assert huey.pending_count() == 1


def test_queue_that_is_disconnected_connects_again_with_the_next_command(real_app, real_settings):
    huey.storage.enqueue(b"one")
    huey.disconnect()
    with redis.Redis.from_url(real_settings.broker) as other:
        assert len(other.client_list()) == 1
    assert huey.storage.dequeue() == b"one"

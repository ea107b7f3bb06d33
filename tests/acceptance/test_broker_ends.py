"""The embedded broker ends by itself, is killed, or cannot load its files: it comes back."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from sportsapp.commands.up import broker
from sportsapp.commands.up.supervisor import Child, ChildFailedError, Supervisor
from sportsapp.core.settings import PROJECT_ROOT, Settings
from tests.acceptance import harm
from tests.acceptance.conftest import RealBroker, wait_for
from tests.acceptance.test_up import Running, Up, up  # noqa: F401 - a fixture, asked for by name

pytestmark = pytest.mark.long

KEYS = 300


def part_of(folder: Path, name: str) -> Path:
    return next((folder / "broker" / broker.FILES).glob(f"*{name}*"))


def write(path: Path, place: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(data)


def add_zeros(folder: Path) -> None:
    with part_of(folder, ".incr.").open("ab") as file:
        file.write(bytes(4096))


def cut_base(folder: Path) -> None:
    base = part_of(folder, ".base.")
    os.truncate(base, base.stat().st_size // 2)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "zeros at the end": add_zeros,
    "zeros in the middle": lambda folder: write(part_of(folder, ".incr."), 4096, bytes(4096)),
    "garbage in the middle": lambda folder: write(part_of(folder, ".incr."), 5000, b"\xff" * 300),
    "empty manifest": lambda folder: os.truncate(part_of(folder, ".manifest"), 0),
    "manifest of zeros": lambda folder: write(part_of(folder, ".manifest"), 0, bytes(88)),
    "cut base": cut_base,
    "no base": lambda folder: part_of(folder, ".base.").unlink(),
    "garbage that crashes it": lambda folder: write(
        part_of(folder, ".incr."), 0, b"*1\r\n$999999999999\r\n"
    ),
}


@pytest.fixture(scope="module")
def good() -> Iterator[Path]:
    """An instance folder whose broker has a base, an append-only file, and keys in both."""
    folder = Path(tempfile.mkdtemp(prefix="sgt-"))
    real = RealBroker(Settings(instance_path=folder))
    real.start()
    with redis.Redis.from_url(real.settings.broker) as client:
        client.mset({f"early {number}": "x" * 40 for number in range(KEYS)})
        client.bgrewriteaof()
        wait_for(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
        for number in range(KEYS):
            client.set(f"late {number}", "x" * 40)
        client.shutdown()
    real.process.wait()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def settings(good: Path) -> Iterator[Settings]:
    folder = Path(tempfile.mkdtemp(prefix="sgt-"))
    shutil.copytree(good, folder, dirs_exist_ok=True)
    yield Settings(instance_path=folder)
    shutil.rmtree(folder)


def keys(settings: Settings) -> int:
    with redis.Redis.from_url(settings.broker) as client:
        return client.dbsize()


def pid_of_broker(settings: Settings) -> int:
    with redis.Redis.from_url(settings.broker) as client:
        return client.info("server")["process_id"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def moved_aside(settings: Settings) -> list[Path]:
    return sorted(broker.data_folder(settings).glob(f"{broker.FILES}-*"))


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == broker.__name__]


@pytest.mark.parametrize("harmed", DAMAGE.values(), ids=DAMAGE)
def test_files_that_cannot_be_loaded_are_kept_aside_and_it_starts_empty(settings, caplog, harmed):
    harmed(settings.instance_path)
    before = contents(broker.data_folder(settings) / broker.FILES)
    with caplog.at_level(logging.INFO), Supervisor() as supervisor:
        supervisor.start(broker.broker_child(settings))
        assert keys(settings) == 0
    (aside,) = moved_aside(settings)
    assert contents(aside) == before
    (line,) = messages(caplog)
    assert str(aside) in line


@pytest.mark.parametrize("cut", [0, 7])
def test_files_that_it_can_load_stay(settings, caplog, cut):
    """A line that the end of the machine has cut is no damage: Valkey leaves it out."""
    last = part_of(settings.instance_path, ".incr.")
    os.truncate(last, last.stat().st_size - cut)
    with Supervisor() as supervisor:
        supervisor.start(broker.broker_child(settings))
        assert keys(settings) == 2 * KEYS - bool(cut)
    assert moved_aside(settings) == messages(caplog) == []


def is_not_started(settings: Settings, how: str) -> None:
    with pytest.raises(ChildFailedError, match=how), Supervisor() as supervisor:
        supervisor.start(broker.broker_child(settings))


def test_files_are_put_back_when_something_else_keeps_it_from_starting(settings, caplog):
    before = contents(broker.data_folder(settings) / broker.FILES)
    settings.broker_socket.mkdir()  # so it cannot make its socket
    is_not_started(settings, "broker ended with exit code 1")
    assert contents(broker.data_folder(settings) / broker.FILES) == before
    assert moved_aside(settings) == []
    assert "put back" in messages(caplog)[-1]


def test_files_are_put_back_when_the_disk_is_full(settings):
    folder = broker.data_folder(settings)
    add_zeros(settings.instance_path)
    before = contents(folder / broker.FILES)
    kept = settings.instance_path / "kept"
    folder.rename(kept)
    folder.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k,mode=700", "none", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk is a mount, and that needs root")
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        subprocess.run(
            ["dd", "if=/dev/zero", f"of={folder / 'fill'}", "bs=1k"], capture_output=True
        )
        is_not_started(settings, "broker ended with exit code 1")
        assert contents(folder / broker.FILES) == before
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_broker_that_is_killed_while_it_loads_keeps_its_files(settings, monkeypatch, tmp_path):
    """As by the kernel, when memory is short: the next start would not be killed."""
    killed = tmp_path / "killed"
    again = f'[ -e {tmp_path}/again ] && exec {broker._binary()} "$@"'
    killed.write_text(f"#!/bin/sh\n{again}\ntouch {tmp_path}/again\nkill -9 $$\n")
    killed.chmod(0o700)
    monkeypatch.setattr(broker, "_binary", lambda: str(killed))
    is_not_started(settings, "broker was ended by SIGKILL")
    assert moved_aside(settings) == []


def test_folder_that_cannot_be_moved_is_one_line(settings, monkeypatch):
    add_zeros(settings.instance_path)

    def refuse(_self: Path, _target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(broker.BrokerUnavailableError, match="cannot be moved"), Supervisor() as one:
        one.start(broker.broker_child(settings))


def test_last_two_are_kept(settings, monkeypatch):
    for second in range(4):
        moment = datetime(2026, 1, 1, second=second, tzinfo=UTC)
        monkeypatch.setattr(broker, "utc_now", lambda moment=moment: moment)
        os.truncate(part_of(settings.instance_path, ".manifest"), 0)
        with Supervisor() as supervisor:
            supervisor.start(broker.broker_child(settings))
    assert [path.name[-3:] for path in moved_aside(settings)] == ["02Z", "03Z"]


def test_broker_that_ends_at_once_again_stops_everything(settings, monkeypatch):
    monkeypatch.setattr(broker, "AGAIN_AFTER", 1)
    with Supervisor() as supervisor:
        supervisor.start(broker.broker_child(settings))
        first = pid_of_broker(settings)
        time.sleep(1.1)
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        supervisor.start(Child(name="other", argv=["sleep", "60"]))
        assert keys(settings) == 2 * KEYS
        os.kill(pid_of_broker(settings), signal.SIGKILL)
        with pytest.raises(ChildFailedError, match="broker was ended by SIGKILL"):
            supervisor.wait()


def test_command_starts_with_damaged_files_too(settings):
    add_zeros(settings.instance_path)
    with subprocess.Popen(
        [sys.executable, "-m", "flask", "broker"],
        cwd=PROJECT_ROOT,
        stderr=subprocess.PIPE,
        env={**os.environ, "INSTANCE_PATH": str(settings.instance_path), "REDIS_URL": ""},
        text=True,
    ) as process:
        try:
            said = next(line for line in process.stderr if "starts empty" in line)
            assert str(moved_aside(settings)[0]) in said
            broker.wait_for_broker(settings.broker, 10)
            assert keys(settings) == 0
            process.terminate()
            assert process.wait(5) == 0
        finally:
            process.kill()


# ---------------------------------------------------------------- under `flask up`


@pytest.mark.timeout(180)
@pytest.mark.parametrize("is_damaged", [False, True], ids=["killed", "damaged"])
def test_flask_up_starts_it_again_and_loses_nothing(up: Up, feed, is_damaged):  # noqa: F811
    harm.serve_months(feed, 0.5)
    harm.serve_live(feed)
    running = up(LIVE_SYNC_SECONDS="10")
    running.page_with("/readyz", '"status":"ok"', 60)
    time.sleep(broker.AGAIN_AFTER)
    years = range(1980, 1984)
    for year in years:
        queue = ("sync", "range", "NBA", f"{year}-01-01", f"{year}-06-30", "--queue")
        subprocess.run(running.command(*queue), cwd=PROJECT_ROOT, env=running.environ, check=True)
    first = pid_of_broker(Settings(instance_path=running.folder))
    if is_damaged:
        add_zeros(running.folder)
    killed_at = f"{datetime.now(UTC):%FT%TZ}"
    os.kill(first, signal.SIGKILL)

    def pages_answer_and_all_has_run() -> bool:
        answers = [running.get(path) for path in ("/", "/nfl", "/nba/standings", "/healthz") * 5]
        assert [answer is not None and answer.status_code for answer in answers] == [200] * 20
        states = [run["state"] for run in running.runs() if run["task"] == "sync_date_range_task"]
        return states == ["SUCCESS"] * len(years)

    wait_for(pages_answer_and_all_has_run, 90)
    assert pid_of_broker(Settings(instance_path=running.folder)) != first
    asked = Counter(line for line in feed.asked() if "nba 1980" <= line < "nba 1991")
    assert (len(asked), set(asked.values())) == (6 * len(years), {1})

    def has_ticked_since() -> bool:
        ticks = [run for run in running.runs() if run["task"] == "sync_all_live_games"]
        return any(run["state"] == "SUCCESS" and run["queued_at"] > killed_at for run in ticks)

    wait_for(has_ticked_since, 15, 0.5)
    assert ("starts empty" in running.said()) == is_damaged
    assert running.said().count("is started again") == 1
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(15) == 0
    assert running.processes() == []

"""The embedded broker, run for real: its socket, its folders, its memory over a kill."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from sportsapp.commands.up import broker
from sportsapp.core.errors import BrokerUnavailableError, SettingsError
from sportsapp.core.settings import PROJECT_ROOT, Settings

COMMAND = "from sportsapp.commands.up.broker import broker_command as run; run()"

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a short name, which is where sockets of long instance paths go as well."""
    path = Path(tempfile.mkdtemp(prefix="sgt-"))
    runtime = path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def settings(folder: Path) -> Settings:
    return Settings(instance_path=folder / "instance")


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the embedded broker as `flask up` does and waits for it."""
    started: list[subprocess.Popen[bytes]] = []

    def start_broker(settings: Settings, *more: str) -> subprocess.Popen[bytes]:
        argv, lock = broker.prepare_broker(settings)
        process = subprocess.Popen([*argv, *more], pass_fds=(lock,), stdout=subprocess.DEVNULL)
        os.close(lock)
        started.append(process)
        if not more:
            broker.wait_for_broker(settings.broker, 10)
        return process

    yield start_broker
    for process in started:
        process.kill()
        process.wait()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def listening_ports(pid: int) -> list[str]:
    """The TCP sockets on which the process listens, as the kernel lists them."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists this folder
            inodes.add(str(entry.readlink()).removeprefix("socket:[").rstrip("]"))
    found = []
    for table in ("tcp", "tcp6"):
        rows = [row.split() for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()]
        found += [row[1] for row in rows[1:] if row[3] == "0A" and row[9] in inodes]
    return found


def test_it_answers_on_its_socket(settings: Settings, start: Start) -> None:
    assert not broker.broker_answers(settings.broker)
    start(settings)
    assert broker.broker_answers(settings.broker)
    assert settings.broker_socket == settings.instance_path / "broker" / "broker.sock"


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_it_listens_on_no_port(settings: Settings, start: Start) -> None:
    process = start(settings)
    assert listening_ports(process.pid) == []
    with socket.create_server(("127.0.0.1", 0)):
        assert listening_ports(os.getpid())  # the way of looking does find a port


def test_socket_and_folders_are_for_their_owner_alone(settings: Settings, start: Start) -> None:
    before = os.umask(0)
    try:
        start(settings)
    finally:
        os.umask(before)
    assert mode(settings.instance_path) == 0o700
    assert mode(settings.broker_socket.parent) == 0o700
    assert mode(settings.broker_socket) == 0o700


def test_a_long_instance_path_has_its_socket_elsewhere(folder: Path, start: Start) -> None:
    settings = Settings(instance_path=folder / ("long" * 30))
    start(settings)
    assert settings.broker_socket.is_relative_to(folder / "run")
    assert mode(settings.broker_socket.parent) == 0o700
    assert (settings.instance_path / "broker" / "appendonlydir").is_dir()


def test_a_path_with_odd_signs_works(folder: Path, start: Start) -> None:
    settings = Settings(instance_path=folder / 'it\'s a "söme" #1%20\\')
    start(settings)
    with redis.Redis.from_url(settings.broker) as client:
        assert client.config_get("dir")["dir"] == str(settings.instance_path / "broker")


def test_what_was_queued_survives_kill_9_and_a_stale_socket(
    settings: Settings, start: Start
) -> None:
    first = start(settings)
    with redis.Redis.from_url(settings.broker) as client:
        client.set("queued", "a task")
    first.kill()
    first.wait()
    assert settings.broker_socket.exists()
    assert not broker.broker_answers(settings.broker)
    start(settings)
    with redis.Redis.from_url(settings.broker) as client:
        assert client.get("queued") == b"a task"


def test_a_second_broker_on_the_same_folder_is_refused(
    settings: Settings, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(settings)
    monkeypatch.setattr(broker, "LAST_BROKER_SECONDS", 0.2)
    with pytest.raises(BrokerUnavailableError, match="another `flask up`"):
        broker.prepare_broker(settings)


def test_a_broker_that_holds_no_lock_is_noticed_too(settings: Settings, start: Start) -> None:
    start(settings)
    (broker.data_folder(settings) / "lock").unlink()
    with pytest.raises(BrokerUnavailableError, match="another `flask up`"):
        broker.prepare_broker(settings)


def test_a_broker_that_is_just_ending_is_waited_for(settings: Settings, start: Start) -> None:
    first = start(settings)
    ending = threading.Timer(0.5, first.terminate)
    ending.start()
    second = start(settings)
    ending.join()
    assert (first.wait(), second.poll()) == (0, None)


def test_a_folder_that_others_can_enter_is_refused(settings: Settings) -> None:
    settings.broker_socket.parent.mkdir(parents=True)
    settings.broker_socket.parent.chmod(0o750)
    with pytest.raises(SettingsError, match="open to other users"):
        broker.prepare_broker(settings)


def test_a_folder_of_somebody_else_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.broker_socket.parent.mkdir(parents=True, mode=0o700)
    stranger = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: stranger)
    with pytest.raises(SettingsError, match="not a folder of this user"):
        broker.prepare_broker(settings)


def test_a_link_in_the_folders_place_is_refused(settings: Settings, folder: Path) -> None:
    target = folder / "target"
    target.mkdir(mode=0o700)
    settings.instance_path.mkdir()
    settings.broker_socket.parent.symlink_to(target)
    with pytest.raises(SettingsError, match="not a folder of this user"):
        broker.prepare_broker(settings)


def test_waiting_ends_with_one_line_without_the_password() -> None:
    with pytest.raises(BrokerUnavailableError) as caught:
        broker.wait_for_broker("redis://:geheim@127.0.0.1:1/0", 0.3)
    assert str(caught.value).startswith(
        "REDIS_URL: no broker answered at redis://127.0.0.1:1/0 within 0.3 s"
    )
    assert "geheim" not in str(caught.value)


def test_a_wrong_password_is_told_at_once(settings: Settings, start: Start) -> None:
    start(settings, "--requirepass", "geheim")
    right = settings.broker.replace("unix://", "unix://:geheim@")
    broker.wait_for_broker(right, 10)
    for wrong in (settings.broker, settings.broker.replace("unix://", "unix://:falsch@")):
        with pytest.raises(BrokerUnavailableError, match="refuses us") as caught:
            broker.wait_for_broker(wrong, 10)
        assert "falsch" not in str(caught.value)


@pytest.mark.parametrize("package", ["none such", "click"])  # click holds no server
def test_a_machine_without_a_binary_is_told_what_to_set(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setattr(broker, "PACKAGE", package)
    with pytest.raises(BrokerUnavailableError, match="REDIS_URL: there is no embedded broker"):
        broker.prepare_broker(settings)


def is_locked(path: Path) -> bool:
    with path.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def run_command(settings: Settings, **environ: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "INSTANCE_PATH": str(settings.instance_path), **environ},
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_runs_until_it_is_asked_to_stop(settings: Settings, number: int) -> None:
    with run_command(settings, REDIS_URL="") as process:
        try:
            broker.wait_for_broker(settings.broker, 10)
            assert is_locked(broker.data_folder(settings) / "lock")
            process.send_signal(number)
            assert process.wait(5) == 0
        finally:
            process.kill()
    assert not settings.broker_socket.exists()


def test_the_command_refuses_when_another_broker_is_named(settings: Settings) -> None:
    with run_command(settings, REDIS_URL="redis://localhost/0") as process:
        try:
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 1
    assert output.startswith(b"REDIS_URL: is set")
    assert output.count(b"\n") == 1

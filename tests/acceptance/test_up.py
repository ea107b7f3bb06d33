"""`flask up` for real: everything starts, everything stops, and faults are one line."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.settings import PROJECT_ROOT
from tests.acceptance.conftest import is_alive, wait_for
from tests.conftest import MakeDatabase
from tests.integration.events import board, event
from tests.loopback import LoopbackFeed

Up = Callable[..., "Running"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Running:
    """A `flask up` on an instance folder and a port of its own."""

    def __init__(
        self, folder: Path, *options: str, output: int | None = None, **environ: str
    ) -> None:
        self.port = free_port()
        self.folder = folder
        self.environ = {
            **os.environ,
            "INSTANCE_PATH": str(folder),
            "PORT": str(self.port),
            **environ,
        }
        self.log = folder.parent / f"{folder.name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command("up", *options),
                cwd=PROJECT_ROOT,
                env=self.environ,
                stdout=output or log,
                stderr=output or log,
                start_new_session=True,
            )

    @staticmethod
    def command(*words: str) -> list[str]:
        return [sys.executable, "-m", "flask", *words]

    def said(self) -> str:
        return self.log.read_text()

    def get(self, path: str) -> requests.Response | None:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=2)
        except requests.ConnectionError:
            return None

    def page_with(self, path: str, words: str, seconds: float = 30) -> str:
        """The page at this path, once it has these words."""

        def look() -> str | None:
            answer = self.get(path)
            return answer.text if answer is not None and words in answer.text else None

        return str(wait_for(look, seconds, 0.2))

    def runs(self) -> list[dict]:
        done = subprocess.run(
            self.command("tasks", "runs", "--json", "--limit", "100"),
            cwd=PROJECT_ROOT, env=self.environ, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(done.stdout)["runs"]

    def processes(self) -> list[int]:
        """Everything that runs on this instance folder, by environment or command line."""
        entries = [one for one in Path("/proc").iterdir() if one.name.isdigit()]
        pids = [int(one.name) for one in entries if self._is_ours(one)]
        return [pid for pid in pids if pid != os.getpid() and is_alive(pid)]

    def _is_ours(self, entry: Path) -> bool:
        needle = str(self.folder).encode()
        try:
            return any(needle in (entry / name).read_bytes() for name in ("environ", "cmdline"))
        except OSError:
            return False

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(15)


@pytest.fixture
def up(feed, make_database: MakeDatabase) -> Iterator[Up]:
    """Starts `flask up` against the loopback feed; stops it at the end."""
    started: list[Running] = []
    with tempfile.TemporaryDirectory(prefix="sgt-") as text, ExitStack() as stack:
        folder = Path(text) / "instance"
        url = stack.enter_context(make_database(folder, tables=False))

        def start(*options: str, **environ: str) -> Running:
            environ = {"ESPN_BASE_URL": feed.url, "DATABASE_URL": url, **environ}
            started.append(Running(folder, *options, **environ))
            return started[-1]

        yield start
        for one in started:
            one.end()


def assert_is_watched(running: Running, feed: LoopbackFeed) -> None:
    """A watcher sees that all is well, and Prometheus what was done for it."""
    ready = running.get("/readyz")
    assert ready is not None
    assert (ready.status_code, ready.json()["status"]) == (200, "ok"), ready.text

    def samples() -> dict[tuple[str, ...], float]:
        families = text_string_to_metric_families(running.get("/metrics").text)
        found = [sample for family in families for sample in family.samples]
        return {(one.name, *one.labels.values()): one.value for one in found}

    def has_counted_everything() -> bool:
        asked = {name[1]: value for name, value in samples().items() if "requests" in name[0]}
        return asked["ok"] > 0 and sum(asked.values()) == len(feed.requests)

    wait_for(has_counted_everything)
    seen = samples()
    for queue in ("sportsapp", "sportsapp-backfill", "sportsapp-notify"):
        assert seen["sportsapp_consumers", queue, "worker"] == 2
        assert seen["sportsapp_queue_depth", queue] == 0
    assert seen["sportsapp_task_runs_total", "SUCCESS", "sync_all_teams"] == 1
    assert seen["sportsapp_broker_up",] == seen["sportsapp_database_up",] == 1


def test_everything_starts_syncs_and_stops(up, feed):
    team = {"team": {"id": "1", "displayName": "Alpha", "abbreviation": "ALP"}}
    for slug in ("nfl", "nba", "mlb", "nhl"):
        feed.say(slug, board(event(start=f"{game_day(utc_now())}T17:00Z")))
        feed.say(slug, {"sports": [{"leagues": [{"teams": [team]}]}]}, kind="teams")
        feed.say(slug, {"athletes": []}, kind="roster")
        feed.say(slug, {"children": []}, kind="standings")
    running = up()
    running.page_with("/", "Alpha")
    said = running.said()
    assert f"Sports Game Tracker is at http://127.0.0.1:{running.port}/" in said
    assert "Admin account, shown this once: admin / " in said
    logged = set(re.findall(r"Z (\w+) +INFO ", said))
    assert logged >= {"consumer", "backfill", "notify"}

    def chain_is_done() -> bool:
        states = {run["task"]: run["state"] for run in running.runs() if run["trigger"] == "chain"}
        chain = ("sync_all_leagues", "sync_all_teams", "sync_daily_schedule")
        return states == dict.fromkeys(chain, "SUCCESS")

    wait_for(chain_is_done, 30, 0.5)
    assert len(running.processes()) >= 13
    assert_is_watched(running, feed)
    began = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(15) == 0
    assert time.monotonic() - began < 10
    assert running.processes() == []


def test_second_start_makes_no_second_account(up):
    first = up()
    first.page_with("/healthz", "ok")
    first.end()
    assert first.said().count("Admin account") == 1
    again = up()
    again.page_with("/healthz", "ok")
    assert again.said().count("Admin account") == 1  # the log goes on in the same file


def test_without_internet_pages_come_up_and_say_since_when(up):
    running = up(ESPN_BASE_URL="http://127.0.0.1:1", LIVE_SYNC_SECONDS="10")
    running.page_with("/", "No league can be read: the feed has been failing since")

    def failed_runs() -> list[dict]:
        return [run for run in running.runs() if run["error"]]

    runs = wait_for(failed_runs, 20, 0.5)
    assert any("cannot be reached" in run["error"] for run in runs)


def test_kill_leaves_nothing_running(up):
    running = up()
    running.page_with("/healthz", "ok")
    wait_for(lambda: len(running.processes()) >= 13)
    running.process.kill()
    running.process.wait()
    wait_for(lambda: running.processes() == [], 10)


def test_child_that_dies_stops_everything_and_is_named(up):
    running = up()
    running.page_with("/healthz", "ok")
    pids = subprocess.run(
        ["pgrep", "-f", "huey_config.backfill_huey"], capture_output=True, text=True
    ).stdout.split()
    ours = set(running.processes())
    master = min(int(pid) for pid in pids if int(pid) in ours)
    os.kill(master, signal.SIGKILL)
    assert running.process.wait(15) != 0
    assert running.said().strip().splitlines()[-1].startswith("stopped: backfill")
    assert running.processes() == []


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"LIVE_SYNC_SECONDS": "5"}, "LIVE_SYNC_SECONDS: '5' is not between 10 and 60"),
        ({"LEAGUES": "NFL,XFL"}, "LEAGUES: 'NFL,XFL' has unknown leagues xfl"),
        ({"REDIS_URL": "http://x"}, "REDIS_URL: its value does not begin with redis://"),
        ({"INSTANCE_PATH": "/dev/null/scores"}, "INSTANCE_PATH: the folder /dev/null/scores"),
        ({"DATABASE_URL": "sqlite:////dev/null/x.db"}, "DATABASE_URL: "),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL: its value is not a SQLAlchemy URL"),
        ({"HOST": "not a host"}, "HOST: 'not a host'"),
    ],
)
def test_fault_in_a_setting_is_one_line_and_ends_the_start(up, environ, said):
    running = up(**environ)
    assert running.process.wait(60) != 0
    lines = running.said().strip().splitlines()
    assert len(lines) == 1, lines
    assert said in lines[0]
    assert "for example" in lines[0]


def test_port_in_use_is_one_line(up):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        running = up(PORT=str(taken.getsockname()[1]))
        assert running.process.wait(60) != 0
    (line,) = running.said().strip().splitlines()
    assert "is already in use" in line


def test_commands_know_what_the_demo_runs_with():
    with tempfile.TemporaryDirectory(prefix="sgt-") as text:
        folder = Path(text) / "instance"
        running = Running(folder, "--demo")
        try:
            wait_for(lambda: "Commands for this demo begin with" in running.said(), 60, 0.2)
            environ = {**os.environ, "INSTANCE_PATH": str(folder)}
            done = subprocess.run(
                running.command("settings"), cwd=PROJECT_ROOT, env=environ, capture_output=True,
                text=True, check=True,
            )  # fmt: skip
            shown = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
            assert shown["PORT"] == ["flask", "up", str(running.port)]
            assert shown["ESPN_BASE_URL"][2].startswith("http://127.0.0.1:")
        finally:
            running.end()
        assert not (folder / "running.json").exists()

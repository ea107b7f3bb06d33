"""The supervisor with real processes: how it starts and stops, what it never leaves behind."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sportsapp.commands.up.supervisor import (
    STOP_SECONDS,
    Child,
    ChildFailedError,
    Supervisor,
)
from sportsapp.core import processes
from sportsapp.core.settings import PROJECT_ROOT

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]

TOKEN_NAME = "SUPERVISOR_TEST"

PROGRAM = """
import dataclasses, functools, json, sys
from sportsapp.commands.up import supervisor

spec = json.loads(sys.argv[1])
if not spec["kernel"]:
    supervisor.has_parent_death_signal = lambda: False
children = [supervisor.Child(**each) for each in spec["children"]]
if spec["copies"]:
    children = [
        dataclasses.replace(
            each, argv=[], body=functools.partial(exec, each.argv[-1], {"__name__": "__main__"})
        )
        for each in children
    ]
try:
    with supervisor.Supervisor(**spec["options"]) as running:
        for child in children:
            running.start(child)
        running.wait()
except supervisor.ChildFailedError as failure:
    sys.exit(f"stopped: {failure}")
"""

NAME = "import os; name = os.environ['SPORTSAPP_PROCESS']"

SLEEPS = f"{NAME}; import time; print(name, 'up', flush=True); time.sleep(60)"

SAYS_BYE = """
import os, signal, sys, time
def end(*_):
    time.sleep({seconds})
    print(os.environ["SPORTSAPP_PROCESS"], "bye")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up")
time.sleep(60)
"""

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up")
time.sleep(60)
"""

LEAVES_A_CHILD = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("up")
time.sleep(60)
"""

LOGS = """
import logging, os, time
from sportsapp.core.logs import set_up_logging
from sportsapp.core.settings import Settings
set_up_logging(Settings(log_format=os.environ.get("FORMAT", "plain")))
{0}
"""

NOISY = LOGS.format("while True: logging.error('x' * 1000)")

CHATTERS = LOGS.format(
    """
for number in range(400):
    logging.error("%04d", number)
time.sleep(60)
"""
)


def python(name: str, code: str, **more: object) -> dict[str, object]:
    return {"name": name, "argv": [sys.executable, "-u", "-c", code], **more}


@pytest.fixture(autouse=True)
def hangup_is_heard() -> Iterator[None]:
    """Whoever runs the tests may ignore it, and a child would inherit that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def eventually(claim: Callable[[], object], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.02)
    return False


def alive_with(token: str) -> list[int]:
    """The processes, zombies aside, whose environment carries the token."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            marked = folder.name.isdigit() and token.encode() in (folder / "environ").read_bytes()
            if marked and " Z " not in (folder / "stat").read_text().rpartition(")")[2][:4]:
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@dataclass
class Run:
    """A supervisor of its own process, with its log in a file."""

    process: subprocess.Popen[bytes]
    log: Path
    token: str

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def says(self, text: str, times: int = 1) -> bool:
        return eventually(lambda: self.log.read_text().count(text) >= times)

    def others(self) -> list[int]:
        return [pid for pid in alive_with(self.token) if pid != self.process.pid]

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


Supervise = Callable[..., Run]


@pytest.fixture(params=[False, True], ids=["programs", "copies"])
def supervise(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Supervise]:
    """Starts a supervisor with these children: as programs, then as copies of itself."""
    runs: list[Run] = []

    def start(
        *children: dict[str, object], kernel: bool = True, piped: bool = False, **options: object
    ) -> Run:
        token, log = uuid.uuid4().hex, tmp_path / f"log-{len(runs)}"
        spec = {"children": children, "options": options, "kernel": kernel}
        spec["copies"] = request.param and all("-c" in child["argv"] for child in children)
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, json.dumps(spec)],
                cwd=PROJECT_ROOT,
                stderr=subprocess.PIPE if piped else file,
                env={**os.environ, TOKEN_NAME: token},
            )
        runs.append(Run(process, log, token))
        return runs[-1]

    yield start
    for run in runs:
        for pid in alive_with(run.token):
            os.kill(pid, signal.SIGKILL)
        run.process.wait()
        if run.process.stderr:
            run.process.stderr.close()


def test_every_child_has_its_name_in_its_environment(supervise: Supervise) -> None:
    run = supervise(python("web", SLEEPS), python("consumer", SLEEPS))
    assert run.says("up", 2)
    assert sorted(run.lines()) == ["consumer up", "web up"]


def test_log_lines_of_several_processes_stay_whole_and_named(supervise: Supervise) -> None:
    run = supervise(*(python(name, CHATTERS) for name in ("aa", "bb", "cc")))
    assert run.says("root: 0399", 3)
    assert run.end() == 0
    lines = [re.fullmatch(r"\S+Z (..)       ERROR   root: (\d{4})", line) for line in run.lines()]
    assert all(lines)
    said = [match.groups() for match in lines if match]
    wanted = [(name, f"{number:04}") for name in ("aa", "bb", "cc") for number in range(400)]
    assert sorted(said) == wanted


def test_json_lines_are_objects_that_name_their_process(
    supervise: Supervise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORMAT", "json")
    run = supervise(*(python(name, CHATTERS) for name in ("aa", "bb")))
    assert run.says('"0399"', 2)
    assert run.end() == 0
    objects = [json.loads(line) for line in run.lines()]
    assert {(line["process"], line["message"]) for line in objects} == {
        (name, f"{number:04}") for name in ("aa", "bb") for number in range(400)
    }


def test_what_a_child_prints_goes_to_standard_error(supervise: Supervise) -> None:
    run = supervise(python("web", "print('goodbye', end='')"))
    assert run.process.wait(60) == 1
    assert run.log.read_text() == "goodbyestopped: web ended with exit code 0\n"


def test_a_child_that_dies_stops_everything_and_is_named_last(supervise: Supervise) -> None:
    dies = "import sys, time; time.sleep(0.5); print('oh no', file=sys.stderr); sys.exit(3)"
    run = supervise(python("broker", SLEEPS, stop_rank=1), python("web", dies))
    assert run.process.wait(60) == 1
    assert run.lines()[-2:] == ["oh no", "stopped: web ended with exit code 3"]
    assert run.others() == []


def test_a_child_that_was_killed_is_named_with_its_signal(supervise: Supervise) -> None:
    kills_itself = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    run = supervise(python("web", kills_itself))
    assert run.process.wait(60) == 1
    assert run.lines() == ["stopped: web was ended by SIGKILL"]


def test_a_program_that_is_not_there_is_named(supervise: Supervise) -> None:
    run = supervise(python("broker", SLEEPS), {"name": "web", "argv": ["/nowhere/at/all"]})
    assert run.process.wait(60) == 1
    assert run.lines()[-1].startswith("stopped: web could not be started")
    assert run.others() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_all_with_success(supervise: Supervise, number: int) -> None:
    run = supervise(*(python(name, SLEEPS) for name in ("web", "consumer", "broker")))
    assert run.says("up", 3)
    assert run.end(number) == 0
    assert run.others() == []


def test_a_hangup_that_nohup_ignores_stays_ignored(supervise: Supervise) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run = supervise(python("web", SLEEPS))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert run.says("up")
    run.process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        run.process.wait(0.7)


def test_children_are_out_of_reach_of_the_terminals_ctrl_c(supervise: Supervise) -> None:
    run = supervise(python("web", SLEEPS), python("broker", SLEEPS))
    assert run.says("up", 2)
    sessions = {os.getsid(pid) for pid in run.others()}
    assert sessions == set(run.others())


def test_a_child_that_ignores_sigterm_is_killed_in_time(supervise: Supervise) -> None:
    run = supervise(
        python("web", STUBBORN), python("broker", STUBBORN, stop_rank=1), stop_seconds=2
    )
    assert run.says("up", 2)
    began = time.monotonic()
    assert run.end() == 0
    assert 1.5 < time.monotonic() - began < STOP_SECONDS - 2  # the usual limit would take longer
    assert run.others() == []


def test_the_usual_limit_leaves_room_within_ten_seconds() -> None:
    assert STOP_SECONDS < 10


def test_children_stop_in_the_order_of_their_ranks(supervise: Supervise) -> None:
    run = supervise(
        python("broker", SAYS_BYE.format(seconds=0), stop_rank=1),
        python("web", SAYS_BYE.format(seconds=0.2)),
        python("consumer", SAYS_BYE.format(seconds=0.8)),
    )
    assert run.says("up", 3)
    assert run.end() == 0
    assert run.lines()[-3:] == ["web bye", "consumer bye", "broker bye"]


def test_what_a_child_started_ends_with_it(supervise: Supervise) -> None:
    run = supervise(python("web", LEAVES_A_CHILD))
    assert run.says("up")
    assert len(run.others()) == 2
    assert run.end() == 0
    assert eventually(lambda: run.others() == [], 1)


def test_a_second_ctrl_c_stops_at_once(supervise: Supervise) -> None:
    run = supervise(python("web", STUBBORN))
    assert run.says("up")
    run.process.send_signal(signal.SIGINT)
    time.sleep(0.6)
    began = time.monotonic()
    assert run.end(signal.SIGINT) == 0
    assert time.monotonic() - began < STOP_SECONDS - 4
    assert run.others() == []


def test_one_ctrl_c_that_arrives_twice_is_still_one(supervise: Supervise) -> None:
    run = supervise(python("web", SAYS_BYE.format(seconds=0.5)))
    assert run.says("up")
    run.process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    assert run.end(signal.SIGINT) == 0
    assert run.lines()[-1] == "web bye"


@pytest.mark.parametrize("kernel", [True, False], ids=["kernel", "guard"])
def test_kill_9_of_the_supervisor_leaves_nothing(supervise: Supervise, kernel: bool) -> None:
    names = ("web", "consumer", "broker")
    run = supervise(*(python(name, STUBBORN) for name in names), kernel=kernel)
    assert run.says("up", 3)
    run.process.kill()
    assert eventually(lambda: run.others() == [], 3)


def test_a_child_may_save_when_the_supervisor_is_killed(
    supervise: Supervise, tmp_path: Path
) -> None:
    saved = tmp_path / "saved"
    saves = SAYS_BYE.format(seconds=0).replace(
        'print(os.environ["SPORTSAPP_PROCESS"], "bye")', f"open({str(saved)!r}, 'w').close()"
    )
    run = supervise(python("broker", saves, death_signal=signal.SIGTERM))
    assert run.says("up")
    run.process.kill()
    assert eventually(saved.exists, 3)


def test_a_reader_that_does_not_read_cannot_keep_it_from_stopping(supervise: Supervise) -> None:
    run = supervise(python("web", NOISY), piped=True, stop_seconds=2)
    assert run.process.stderr
    assert select.select([run.process.stderr], [], [], 30)[0], "nothing was said"
    time.sleep(1)  # now the pipe is full
    began = time.monotonic()
    assert run.end() == 0
    assert time.monotonic() - began < 6


def test_a_reader_that_has_gone_stops_nothing(supervise: Supervise) -> None:
    run = supervise(python("web", NOISY), piped=True)
    assert run.process.stderr
    run.process.stderr.readline()
    run.process.stderr.close()
    with pytest.raises(subprocess.TimeoutExpired):
        run.process.wait(0.7)
    assert run.end() == 0


def run_here(*children: Child) -> None:
    with Supervisor() as supervisor:
        for child in children:
            supervisor.start(child)
        supervisor.wait()


def test_a_child_starts_only_when_the_one_before_is_ready(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    first = f"import time; time.sleep(0.4); open({str(flag)!r}, 'w').close(); time.sleep(60)"
    second = f"import os, sys; sys.exit(7 if os.path.exists({str(flag)!r}) else 8)"
    broker = Child(name="broker", argv=[sys.executable, "-c", first], ready=flag.exists)
    web = Child(name="web", argv=[sys.executable, "-c", second])
    with pytest.raises(ChildFailedError, match="web ended with exit code 7"):
        run_here(broker, web)


def test_a_child_that_never_gets_ready_is_named() -> None:
    sleeps = [sys.executable, "-c", SLEEPS]
    broker = Child(name="broker", argv=sleeps, ready=lambda: False, ready_seconds=0.3)
    with pytest.raises(ChildFailedError, match=r"broker was not ready within 0\.3 s"):
        run_here(broker)


def test_a_child_that_ends_while_another_gets_ready_is_named() -> None:
    ends = [sys.executable, "-c", "import time; time.sleep(0.3); raise SystemExit(5)"]
    web = Child(name="web", argv=[sys.executable, "-c", SLEEPS], ready=lambda: False)
    with pytest.raises(ChildFailedError, match="consumer ended with exit code 5"):
        run_here(Child(name="consumer", argv=ends), web)


def test_a_stop_signal_while_children_start_ends_with_success() -> None:
    def stop() -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        return False

    web = Child(name="web", argv=[sys.executable, "-c", SLEEPS], ready=stop)
    with pytest.raises(SystemExit) as stopped:
        run_here(web)
    assert stopped.value.code == 0
    assert children_of(os.getpid()) == []


def test_a_stop_signal_that_nobody_waits_for_is_not_lost() -> None:
    def start_and_go_on() -> None:
        with Supervisor() as supervisor:
            supervisor.start(Child(name="idle", argv=["sleep", "60"]))
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit) as stopped:
        start_and_go_on()
    assert stopped.value.code == 0


def test_an_error_on_the_way_leaves_no_child_and_gives_the_signals_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    started: list[str] = []

    def fails() -> bool:
        started.extend(children_of(os.getpid()))
        raise RuntimeError("no database")

    web = Child(name="web", argv=[sys.executable, "-c", SLEEPS], ready=fails)
    with pytest.raises(RuntimeError, match="no database"):
        run_here(web)
    assert len(started) == 1
    assert not Path(f"/proc/{started[0]}").exists()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


PARENT_AND_CHILD = """
import os, sys, time
from sportsapp.core import processes
if sys.argv[1] == "thread":
    processes._libc = None
    processes.CHECK_EVERY = 0.1
parent = os.getpid()
if os.fork() == 0:
    if sys.argv[2] == "late":
        while os.getppid() == parent:
            time.sleep(0.01)
    processes.die_with_parent(parent if sys.argv[3] == "told" else None)
    processes.die_with_parent(parent if sys.argv[3] == "told" else None)
    os.write(1, b"ready\\n")
    time.sleep(60)
os.write(1, b"forked\\n")
time.sleep(60)
"""


@pytest.mark.parametrize("told", ["told", "untold"])
@pytest.mark.parametrize("when", ["early", "late"])
@pytest.mark.parametrize("how", ["kernel", "thread"])
def test_a_forked_process_dies_with_its_parent(how: str, when: str, told: str) -> None:
    token = uuid.uuid4().hex
    with subprocess.Popen(
        [sys.executable, "-c", PARENT_AND_CHILD, how, when, told],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, TOKEN_NAME: token},
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout
            awaited = {b"forked\n", b"ready\n"} if when == "early" else {b"forked\n"}
            assert {process.stdout.readline() for _ in awaited} == awaited
            process.kill()
            assert eventually(lambda: alive_with(token) == [], 3)
            assert process.stdout.read() == b""
        finally:
            for pid in alive_with(token):
                os.kill(pid, signal.SIGKILL)


def test_the_guard_spares_the_groups_that_were_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(processes, "kill_group", killed.append)
    processes.guard(["+11\n", "+12\n", "-11\n"])
    assert killed == [12]


OPEN_FILES = """
import os, time
numbers = os.listdir("/proc/self/fd")
print([os.readlink(f"/proc/self/fd/{n}") for n in numbers if os.path.exists(f"/proc/self/fd/{n}")])
time.sleep(60)
"""


def test_a_child_has_nothing_open_that_the_supervisor_watches(supervise: Supervise) -> None:
    run = supervise(python("first", SLEEPS), python("second", OPEN_FILES))
    assert run.says("/dev/null")
    assert "socket:" not in run.log.read_text()
    assert "eventpoll" not in run.log.read_text()

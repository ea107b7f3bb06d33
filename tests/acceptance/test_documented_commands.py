"""Every command of README, CONTRIBUTING and docs is run by a test, or left out for a reason.

A command is a line of an indented block, or of a fenced one that is neither code, YAML nor
``text``, and whatever stands between backticks and begins with a program of such a line, or looks
like one with an option.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from demo.seasons import games_on
from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.db.migrate import newest_revision
from tests.acceptance.conftest import wait_for
from tests.acceptance.test_operating import FOLLOWED, Operator, commands, environ_of_a_newcomer

PAGES = [PROJECT_ROOT / "README.md", PROJECT_ROOT / "CONTRIBUTING.md"]
PAGES += sorted((PROJECT_ROOT / "docs").rglob("*.md"))
SYNCED = r"^\d+ synced$"
MORE_WORKERS = "huey_consumer huey_config.huey -k process -w 2 -g TERM -t 25 -m 1 -M 1000"
PASSWORD = r"printf '%s\n%s\n' 'a long pass phrase' 'a long pass phrase'"
GAME = next(game.id for game in games_on("nba", date(2026, 1, 15)) if game.fate == "played")
NEXT = f"{int(newest_revision()) + 1:04}"
MIGRATE = f'flask db migrate -m "what changes" --rev-id {NEXT}'
LONG_RUN = (
    "import app; from sportsapp.tasks import sync_date_range_task as sync; "
    'print(sync("NBA", "1960-01-01", "2025-12-31").id)'
)
ON_COPY = "DATABASE_URL=$COPY flask"


class Step(NamedTuple):
    """A command as the page has it, what it prints, and how it is run where that differs."""

    command: str
    says: str
    run: str = ""


# In this order, on one instance with broker, consumers, web server and the demo feed. $ID is the id
# of a run, $FOLDER the test's own folder, $LOG the instance's log, $COPY an empty database's URL.
AT_WORK = (
    Step("flask doctor", "^ok +consumers +sportsapp: 4 workers"),
    Step(".venv/bin/flask ...", "^Flask ", ".venv/bin/flask --version"),
    Step(". .venv/bin/activate", "/.venv/bin/flask$", ". .venv/bin/activate && command -v flask"),
    Step("make .venv/.installed", "is up to date"),
    Step("make .venv/.installed-dev", "is up to date"),
    Step("flask settings", "^PORT +environment"),
    Step("flask sync", SYNCED),  # as many as play today
    Step("flask sync leagues", "^0 created, [04] updated$"),
    Step("flask sync teams", "^124 synced$"),
    Step("flask sync schedule", SYNCED),
    Step("flask sync live", SYNCED),
    Step("flask sync all", "^leagues: 0 created, [04] updated, teams: 124 synced"),
    Step("flask sync day NBA 2026-01-15", r"^[1-9]\d* synced$"),
    Step("flask scores", "^Today, "),
    Step("flask scores NBA", "^NBA, today, "),
    Step("flask scores NBA --day 2026-01-15", "^NBA, Thursday, January 15, 2026$"),
    Step("flask sync game NBA 401810921", "^1 synced$", f"flask sync game NBA {GAME}"),
    Step("flask sync finals", r"^\d+ synced$"),
    Step("flask sync range NBA 2026-01-01 2026-03-31", r"^[1-9]\d{2} synced$"),
    Step("flask sync range NBA 2026-01-14 2026-01-15 --games", r"^\d+ synced, \d+ box scores$"),
    Step("flask audit", r"^[\d,]+ games, 0 breaches$"),
    Step("flask audit NBA", r"^[\d,]+ games, 0 breaches$"),
    Step("flask audit NBA 2026", r"^[\d,]+ games, 0 breaches$"),
    Step(
        "LEAGUES=NFL,NEW flask sync day NEW 2026-01-15", SYNCED,
        "LEAGUES=NFL,MLS flask sync day MLS 2026-01-15",
    ),
    Step("flask sync --queue", r"^[0-9a-f-]{36}$", "export ID=$(flask sync --queue)"),
    Step("flask tasks wait ID", "^SUCCESS", "flask tasks wait $ID"),
    Step("flask tasks wait ID --timeout 60", "^SUCCESS", "flask tasks wait $ID --timeout 60"),
    Step("flask tasks show ID", "sync_daily_schedule", "flask tasks show $ID"),
    Step("flask tasks logs ID", "INFO", "flask tasks logs $ID"),
    Step(
        "flask tasks logs ID --follow", "^SUCCESS",
        "flask tasks logs $ID --follow && flask tasks wait $ID",
    ),
    Step("flask tasks logs ID --json", '"number": 1,', "flask tasks logs $ID --json"),
    Step("grep ID", "Executing sportsapp.tasks.sync.sync_daily_schedule", "grep $ID $LOG"),
    Step("flask tasks retry ID", r"^[0-9a-f-]{36}$", "flask tasks retry $ID"),
    Step(
        "flask tasks active", "sync_date_range_task",
        f"python -c '{LONG_RUN}' > $FOLDER/id && "
        "for look in {1..20}; do flask tasks active | grep sync_date_range_task && break; done",
    ),
    Step(
        "flask tasks cancel ID", "will stop after its current chunk",
        "flask tasks cancel $(cat $FOLDER/id)",
    ),
    Step("flask tasks runs", r"SUCCESS +\d+/\d+ +sync_daily_schedule"),
    Step(
        "flask tasks runs --batch ID", r"^NBA from 1960-01-01 to 2025-12-31: \d+ of 67 runs",
        "flask sync range NBA 1960-01-01 2025-12-31 --queue > $FOLDER/id && "
        "flask tasks runs --batch $(cat $FOLDER/id)",
    ),
    Step(
        "flask tasks cancel --batch ID", r"is cancelled: \d+ runs before they began",
        "flask tasks cancel --batch $(cat $FOLDER/id)",
    ),
    Step("flask tasks runs --outstanding", r"\A(?![\s\S]*SUCCESS)"),
    Step("flask tasks runs --errors", r"\A(?![\s\S]*FAILURE)"),
    Step("flask tasks registered", "^sync_all_teams +Mondays"),
    Step("flask tasks pause NAME", "paused", "flask tasks pause sync_all_teams"),
    Step("flask tasks scheduled", "sync_all_live_games +every 60 s"),
    Step("flask tasks resume NAME", "is resumed", "flask tasks resume sync_all_teams"),
    Step("flask tasks pause sportsapp-backfill", "^sportsapp-backfill is paused$"),
    Step("flask tasks resume sportsapp-backfill", "^sportsapp-backfill is resumed$"),
    Step("flask tasks stats", "^worker of sportsapp-backfill on"),
    Step("flask sync all --queue", r"^[0-9a-f-]{36}$"),
    Step("flask tasks purge", r"^\d+ runs dropped$", "echo y | flask tasks purge"),
    Step("flask tasks purge --yes", r"^\d+ runs dropped$"),
    Step("flask admin create NAME", "maria was added", f"{PASSWORD} | flask admin create maria"),
    Step(
        "flask admin create NAME --role viewer",
        "vera was added",
        f"{PASSWORD} | flask admin create vera --role viewer",
    ),
    Step("flask admin role NAME admin", "role admin", "flask admin role vera admin"),
    Step("flask admin role NAME viewer", "role viewer", "flask admin role vera viewer"),
    Step("flask admin password NAME", "was changed", f"{PASSWORD} | flask admin password maria"),
    Step("flask admin deactivate NAME", "was deactivated", "flask admin deactivate maria"),
    Step("flask admin activate NAME", "was activated", "flask admin activate maria"),
    Step("flask admin list", "^maria, signed in: never"),
    Step(
        "flask db-copy --backup URL", "rows copied and compared",
        "flask db-copy --backup sqlite:///$FOLDER/backup.db",
    ),
    Step(
        MIGRATE, f"{NEXT}_what_changes.py",
        f"cd $FOLDER/project && {MIGRATE} && ls migrations/versions",
    ),
    Step(
        "cp deploy/example.env deploy/.env", "^SECRET_KEY=$",
        "cp deploy/example.env $FOLDER/.env && cat $FOLDER/.env",
    ),
    Step(
        "chmod 600 deploy/.env", "^600$", "chmod 600 $FOLDER/.env && stat --format=%a $FOLDER/.env"
    ),
)  # fmt: skip
# After its end.
STOPPED = (
    Step("flask db-copy URL", "rows copied and compared", "flask db-copy $COPY"),
    Step(
        "flask db-copy -", "rows copied and compared",
        "echo sqlite:///$FOLDER/second.db | flask db-copy -",
    ),
    Step("flask restore FILE", "is in place as", "flask restore $FOLDER/backup.db"),
    Step("flask db downgrade", r"^\d{4}$", f"{ON_COPY} db downgrade && {ON_COPY} db current"),
    Step("flask db upgrade", r"^\d{4} \(head\)$", f"{ON_COPY} db upgrade && {ON_COPY} db current"),
)  # fmt: skip
STARTED = ("make demo", MORE_WORKERS, "flask up --demo --demo-speed 20")
ELSEWHERE = {
    "flask up": "acceptance/test_up.py",
    "INSTANCE_PATH=instance-demo flask tasks active": "acceptance/test_up.py",
    "flask broker": "acceptance/test_broker.py",
    "flask tasks dismiss ID WORD": "integration/test_command_tasks_actions.py",
    "flask alerts test": "integration/test_alerts.py",
    "flask tasks top --once": "integration/test_command_top.py",
    "flask scores --watch": "integration/test_text_pages.py",
    "flask sync missing": "integration/test_command_missing.py",
    "flask sync missing NBA 2025-26 --failed": "integration/test_command_missing.py",
    "flask tasks wait --batch ID": "integration/test_command_missing.py",
    "flask tasks logs ID --follow": "integration/test_run_lines.py",
    "flask sync all --queue": "integration/test_command_sync.py",
    "flask broker adopt": "acceptance/test_two_instances.py",
    "flask prepare": "integration/test_command_prepare.py",
    f'flask db migrate -m "conference games" --rev-id {NEXT}': "acceptance/test_first_change.py",
    "flask serve --port 5001": "integration/test_command_serve.py",
    "granian --interface wsgi --http 1 --blocking-threads 4 --no-ws wsgi:app":
        "acceptance/test_unfinished_requests.py",
    "python -m demo --change month --change host": "integration/test_demo_changes.py",
    "systemd-analyze security --offline=true": "integration/test_deploy.py",
    "openssl rand -base64 32": "integration/test_notify_webhook.py",
}  # fmt: skip
# What no test can run: each begins with one of these.
NOT_RUN = {
    "celery ": "what this replaces",
    "flask notify": "integration/test_command_notify.py runs each of them, with a receiver",
    "curl ": "integration/test_text_pages.py asks for the same",
    "docker ": "needs its daemon; test_deploy_container.py does the same without it",
    "install ": "writes to /etc; test_deploy.py reads the units",
    "useradd ": "the same",
    "cp --recursive deploy/systemd/": "the same",
    "systemctl ": "the same",
    "systemd-run ": "the same",
    "openssl rand -base64 ": "makes a key for the receiver of messages",
    "make test": "these tests themselves",
    "FAULTS=long ": "the same",
    "POSTGRES=all ": "the same",
    "TIMES=20 ": "the same, for an hour",
    "pytest tests/": "these tests, and those of test_first_change.py",
    "make check": "CI's",
    "make audit": "CI's, and asks for known holes",
    "make figures": "CI's, by way of tests/unit/test_figures.py",
    "make bench": "takes 20 minutes",
    "make fuzz": "takes ten minutes, and installs a package",
    "make sbom": "installs a package, and rewrites sbom.json",
    "make format": "rewrites the code",
    "make requirements": "asks the package index, and rewrites the pins",
    "make screenshots": "rewrites the pictures",
}


def documented() -> set[str]:
    """All commands of all pages; a mention that ends in dots without them."""
    found = set()
    spans = set()
    for page in PAGES:
        no_commands = r"^```(html|json|python|text|yaml)\n.*?^```$"
        shown = re.sub(no_commands, "", page.read_text(), flags=re.M | re.S)
        blocks = re.findall(r"^```\w*\n(.*?)^```$", shown, re.MULTILINE | re.DOTALL)
        lines = re.findall(r"^ {4}(\S.*)$", shown, re.MULTILINE)
        lines += [line for block in blocks for line in block.splitlines() if line]
        found |= {re.split(" {2,}", line)[0] for line in lines}  # what it does stands behind it
        spans |= set(re.findall(r"`([^`\n]+)`", shown))
    programs = {program_of(command) for command in found | known()}
    return found | {
        span for span in spans
        if program_of(span) in programs or re.match(r"[a-z][\w.-]* (.* )?-", span)
    }  # fmt: skip


def program_of(command: str) -> str:
    """The first word behind the settings."""
    return re.sub(r"^(\w+=\S* )+", "", command).split(" ")[0]


def known() -> set[str]:
    """The commands that some test runs."""
    here = {step.command for step in (*AT_WORK, *STOPPED)}
    operating = {line for heading in FOLLOWED for line in commands(heading)}
    return {*here, *STARTED, *ELSEWHERE, *operating}


def test_every_command_is_run_or_left_out_for_a_reason():
    def is_known(command: str) -> bool:
        """Or one of them that is mentioned without its end."""
        return any(f"{one} ".startswith(f"{command.removesuffix(' ...')} ") for one in known())

    unknown = {one for one in documented() if not is_known(one)}
    assert {one for one in unknown if not one.startswith(tuple(NOT_RUN))} == set()


def test_nothing_is_listed_that_no_page_has():
    all_pages = "\n".join(page.read_text() for page in PAGES)
    assert [one for one in (*known(), *NOT_RUN) if one not in all_pages] == []
    assert [
        file for file in ELSEWHERE.values() if not (PROJECT_ROOT / "tests" / file).exists()
    ] == []


@pytest.mark.parametrize("command", sorted(one for one in documented() if "make " in one))
def test_what_make_would_do_is_known(command):
    dry = command.replace("make ", "make --dry-run ")
    done = subprocess.run(["bash", "-c", dry], cwd=PROJECT_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def operator() -> Iterator[Operator]:
    """Someone with a folder, and a copy of the project in which a table has a column more."""
    with tempfile.TemporaryDirectory(prefix="sgt-") as name:
        folder = Path(name)
        environ = environ_of_a_newcomer(folder)
        environ |= {"FOLDER": name, "LOG": f"{name}/parts.log", "COPY": f"sqlite:///{name}/copy.db"}
        project = folder / "project"
        for part in ("sportsapp", "demo", "migrations", "templates", "static"):
            shutil.copytree(PROJECT_ROOT / part, project / part)
        shutil.copy(PROJECT_ROOT / "app.py", project)
        model = project / "sportsapp" / "db" / "models" / "alert.py"
        model.write_text(model.read_text() + "    remark: Mapped[str | None]\n")
        someone = Operator(folder, environ, {})
        try:
            yield someone
        finally:
            someone.kill()


def follow(operator: Operator, steps: tuple[Step, ...]) -> None:
    for step in steps:
        said = operator.run(step.run or step.command)
        assert re.search(step.says, said, re.MULTILINE), f"{step.command}: {said}"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_commands_do_what_the_pages_say(operator):
    demo, more_workers, quick_demo = STARTED
    operator.start(demo)
    wait_for(operator.is_ready, 60, 0.5)
    operator.environ["ESPN_BASE_URL"] = re.search(r"demo feed on (\S+)", operator.logs())[1]
    operator.start(more_workers)
    four = 'sportsapp_consumers{queue="sportsapp",role="worker"} 4'
    wait_for(lambda: four in operator.page("/metrics").text, 30, 0.2)
    follow(operator, AT_WORK)
    operator.stop()
    follow(operator, STOPPED)
    operator.start(quick_demo)
    wait_for(operator.is_ready, 60, 0.5)
    operator.stop()

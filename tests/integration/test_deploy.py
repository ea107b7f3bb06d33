"""deploy/: what it names exists, and what it promises of each part holds."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from werkzeug.wrappers import Response

from sportsapp.core.clock import utc_now
from sportsapp.core.settings import PROJECT_ROOT, Settings, environment_name, load_settings
from sportsapp.db.engine import write_connection
from sportsapp.db.models import ConsumerProcess
from tests.loopback import serving

pytestmark = pytest.mark.slow

DEPLOY = PROJECT_ROOT / "deploy"
UNITS = DEPLOY / "systemd"
README = (PROJECT_ROOT / "README.md").read_text()
GUIDE = (PROJECT_ROOT / "docs" / "deploy.md").read_text()
SETTINGS = {environment_name(one.name) for one in fields(Settings)}
OF_COMPOSE = {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}  # they become parts of URLs
IMAGES = {"PYTHON_IMAGE", "POSTGRES_IMAGE", "REDIS_IMAGE"}
MEASURED = (PROJECT_ROOT / "docs" / "performance.md").read_text()
OF_OTHERS = {
    "PATH", "PYTHONUNBUFFERED", "POSTGRES_PASSWORD", "REDISCLI_AUTH",
}  # fmt: skip
STOP_SECONDS = {"huey_consumer": 25, "flask serve": 5, "flask up": 10}


CONSUMER, BACKFILL, NOTIFY, WEB = (
    line.strip() for line in README.split("the parts are:\n\n")[1].split("\n\n")[0].splitlines()
)


def seconds_to_stop(command: str) -> int:
    return next(seconds for words, seconds in STOP_SECONDS.items() if command.startswith(words))


# ---------------------------------------------------------------- containers


COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("web", "consumer", "backfill", "notify", "migrate")
each_service = pytest.mark.parametrize("name", SERVICES)
each_of_ours = pytest.mark.parametrize("name", OURS)


def variables(text: str) -> dict[str, str]:
    """What a text has compose fill in, and what it says of each: ``:?...`` or ``:-...``."""
    found = set(re.findall(r"\$\{(\w+)(:[?-][^}]*)?\}", text))
    assert len(dict(found)) == len(found)  # it says the same wherever it asks for one
    return dict(found)


def asked_for() -> dict[str, str]:
    return variables((DEPLOY / "compose.yaml").read_text())


def example(path: Path) -> dict[str, str]:
    """The variables that a file of them sets, and as comments those that it may set."""
    return dict(re.findall(r"^#?([A-Z_]+)=(.*)$", path.read_text(), re.MULTILINE))


def test_services_are_ours_a_database_and_a_broker():
    assert sorted(SERVICES) == sorted([*OURS, "database", "redis"])


def test_parts_are_readmes_commands_to_the_letter():
    commands = {name: SERVICES[name]["command"] for name in OURS}
    assert commands == {
        "web": WEB, "consumer": CONSUMER, "backfill": BACKFILL, "notify": NOTIFY,
        "migrate": "flask prepare",
    }  # fmt: skip


@each_service
def test_every_container_can_do_as_little_as_possible(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"].partition(":")[0] not in ("", "root", "0")
    assert "/tmp" in service["tmpfs"]  # noqa: S108
    assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & set(service)


def least_memory(workers: int, *rows: str) -> float:
    """The MB that a part needs: twice the measured ones, and 300 for each worker's answer."""
    measured = [
        re.search(rf"^\| memory \| {row} \| ([\d.]+) MB", MEASURED, re.M)[1] for row in rows
    ]
    return 2 * max(map(float, measured)) + 300 * workers


CONSUMER_ROWS = ("a backfill: consumer", "a backfill: backfill consumer")
ALL_ROWS = ("peak during a backfill", "peak during 2 backfills at once")


@each_service
def test_every_container_has_limits_of_memory_and_processes(name):
    limits = (SERVICES[name]["mem_limit"], SERVICES[name]["pids_limit"])
    assert limits == ("1g", 200)
    assert least_memory(2, *CONSUMER_ROWS) < 1024


@each_service
def test_every_container_has_a_check_of_its_health_or_ends(name):
    service = SERVICES[name]
    check = service.get("healthcheck", {})
    if name == "migrate":
        assert (check, service["restart"]) == ({"disable": True}, "no")
    elif name == "web":
        assert check == {}  # the image's own
        assert "HEALTHCHECK" in DOCKERFILE
    else:
        assert check["test"]
    if name != "migrate":
        assert service["restart"] == "unless-stopped"


def test_only_the_web_server_is_reached_from_outside_and_only_from_this_host():
    ports = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert ports == {"web": ["127.0.0.1:${PORT:-5000}:5000"]}
    assert COMPOSE["networks"]["back"]["internal"] is True
    for name in ("database", "redis"):
        assert SERVICES[name]["networks"] == ["back"]


@each_of_ours
def test_every_part_keeps_the_host_name_that_tells_it_from_the_others(name):
    assert not {"hostname", "network_mode", "uts", "container_name"} & set(SERVICES[name])


def test_gateway_by_which_visitors_come_is_a_trusted_proxy():
    (front,) = COMPOSE["networks"]["front"]["ipam"]["config"]
    assert SERVICES["web"]["environment"]["TRUSTED_PROXIES"] == front["subnet"]


@pytest.mark.parametrize("name", ["web", "consumer", "backfill", "notify"])
def test_parts_start_when_all_is_prepared_and_are_given_time_to_end(name):
    service = SERVICES[name]
    done, well = ({"condition": f"service_{end}"} for end in ("completed_successfully", "healthy"))
    assert service["depends_on"] == {"migrate": done, "database": well, "redis": well}
    needed = seconds_to_stop(service["command"])
    assert int(service["stop_grace_period"].rstrip("s")) > needed + 5


def test_all_is_prepared_when_database_and_broker_are_well():
    well = {"condition": "service_healthy"}
    assert SERVICES["migrate"]["depends_on"] == {"database": well, "redis": well}


def test_broker_loses_nothing_and_asks_for_a_password():
    command = " ".join(SERVICES["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory 512mb --maxmemory-policy noeviction" in command  # before mem_limit ends it
    assert "--requirepass ${REDIS_PASSWORD:?" in command
    assert SERVICES["redis"]["volumes"] == ["redis:/data"]


@each_service
def test_every_variable_of_a_container_is_known(name):
    known = SETTINGS if name in OURS else OF_OTHERS
    assert set(SERVICES[name]["environment"]) <= known


FILLED = "0123456789abcdef" * 3  # as long as what deploy/example.env asks for


@each_of_ours
def test_settings_of_a_container_can_be_read(name):
    def fill(text: str) -> str:
        return re.sub(r"\$\{\w+:([?-])([^}]*)\}", lambda m: FILLED if m[1] == "?" else m[2], text)

    environ = {key: fill(value) for key, value in SERVICES[name]["environment"].items()}
    settings = load_settings(environ)
    assert (settings.redis_url, settings.log_format) == (f"redis://:{FILLED}@redis/0", "json")
    assert settings.database == f"postgresql+psycopg://scores:{FILLED}@database/scores"
    assert bool(settings.admin_password) is (name == "migrate")


def test_example_has_every_variable_and_not_one_secret():
    given = example(DEPLOY / "example.env")
    assert set(given) == set(asked_for()) <= SETTINGS | OF_COMPOSE | IMAGES
    assert {name: f":-{given[name]}" for name in IMAGES} == {
        name: rule for name, rule in asked_for().items() if name in IMAGES
    }
    lines = (DEPLOY / "example.env").read_text().splitlines()
    required = {line.partition("=")[0] for line in lines if re.match("[A-Z]", line)}
    assert required == {name for name, rule in asked_for().items() if rule.startswith(":?")}
    secret = {environment_name(one.name) for one in fields(Settings) if one.metadata["secret"]}
    for name in required | secret & set(given) | OF_COMPOSE:
        assert given[name] == "", name


@pytest.mark.slow
def test_nothing_starts_before_the_example_is_filled_in(tmp_path):
    """Compose itself says so. Its first version, which Debian has, does not know `name`."""
    if not shutil.which("docker-compose"):
        pytest.skip("needs docker-compose (Debian's docker-compose)")
    text = (DEPLOY / "compose.yaml").read_text()
    file = tmp_path / "deploy" / "compose.yaml"
    file.parent.mkdir()
    file.write_text(re.sub(r"^name: .*", "", text, flags=re.MULTILINE))
    required = {name for name, rule in asked_for().items() if rule.startswith(":?")}

    def config(without: str = "") -> subprocess.CompletedProcess[str]:
        lines = (f"{name}={'' if name == without else 'x'}\n" for name in sorted(required))
        (file.parent / ".env").write_text("".join(lines))
        environ = {"PATH": os.environ["PATH"]}
        return subprocess.run(
            ["docker-compose", "config"], cwd=file.parent, env=environ, capture_output=True,
            text=True,
        )  # fmt: skip

    whole = config()
    assert (whole.returncode, whole.stderr) == (0, "")
    services = yaml.safe_load(whole.stdout)["services"]
    assert set(services) == set(SERVICES)
    assert {(one["mem_limit"], one["pids_limit"]) for one in services.values()} == {("1g", 200)}
    for name in required:
        refused = config(without=name)
        assert refused.returncode != 0, name
        assert "see deploy/example.env" in refused.stderr


# ---------------------------------------------------------------- the image


DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, without comments, each in one line."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip()]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def copied() -> list[str]:
    """The files and folders of the project that the image is made of."""
    sources = [rest.split()[:-1] for word, rest in instructions() if word == "COPY"]
    return [one for source in sources if not source[0].startswith("--from") for one in source]


def test_image_runs_as_a_user_that_is_a_number_and_not_root():
    words = [word for word, _ in instructions()]
    last = len(words) - words[::-1].index("USER") - 1
    user = instructions()[last][1]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert set(words[last + 1 :]) <= {"CMD"}
    assert all(SERVICES[name]["user"] == user for name in OURS)


def test_image_is_built_in_stages_on_one_python_that_we_run_on():
    stages = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    assert stages == ["${PYTHON_IMAGE}"] * 2
    word, rest = instructions()[0]  # before the first stage, so it holds for all
    assert (word, rest) == (
        "ARG",
        f"PYTHON_IMAGE={example(DEPLOY / 'example.env')['PYTHON_IMAGE']}",
    )
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.1[1-9]-slim", rest)
    assert SERVICES["web"]["build"]["args"] == {
        "PYTHON_IMAGE": f"${{PYTHON_IMAGE:-{rest.partition('=')[2]}}}"
    }
    final = DOCKERFILE.split("FROM ")[-1]
    assert not re.search(r"\b(pip|apt-get|gcc|make)\b", final)


def test_image_is_made_of_what_there_is_and_of_nothing_else():
    named = copied()
    for one in named:
        assert (PROJECT_ROOT / one).exists(), one
    allowed = (PROJECT_ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in allowed if not line.startswith("#")) == "*"
    assert {line[1:] for line in allowed if line.startswith("!")} == set(named)


def test_image_has_every_package_and_file_of_ours():
    """All that is imported or read at work: each folder with Python, templates or style."""
    if not (PROJECT_ROOT / ".git").exists():
        pytest.skip("needs git's list of the project's files")
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT_ROOT, capture_output=True, text=True)
    tops = {path.split("/")[0] for path in listed.stdout.split()}
    others = {"tests", "bench", "docs", "deploy", "Makefile", "Procfile"}
    kept_back = {one for one in tops if one.startswith(".") or re.search(r"\.(md|toml|in)$", one)}
    not_at_work = {"requirements-dev.txt", "requirements-pip.txt"}
    assert tops - others - kept_back - not_at_work == {
        one for one in copied() if not one.startswith("deploy/")
    }


def test_image_sets_only_known_variables():
    text = " ".join(rest for word, rest in instructions() if word == "ENV")
    given = dict(re.findall(r"(\w+)=(\S+)", text))
    assert set(given) <= SETTINGS | OF_OTHERS
    assert (given["INSTANCE_PATH"], given["HOST"]) == ("/data", "0.0.0.0")
    assert ("VOLUME", "/data") in instructions()


def health_check(port: int) -> int:
    """What the image's check says of a web server on this port."""
    check = next(rest for word, rest in instructions() if word == "HEALTHCHECK")
    command = yaml.safe_load(check.partition("CMD ")[2])
    assert "127.0.0.1', 5000" in command[2]
    words = [sys.executable, "-c", command[2].replace("5000", str(port))]
    environ = {**os.environ, "http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}
    return subprocess.run(words, env=environ, capture_output=True).returncode


def test_image_is_healthy_while_its_web_server_answers(app):
    with serving(app) as url:
        port = int(url.rpartition(":")[2])
        assert health_check(port) == 0
    assert health_check(port) != 0
    with serving(Response("ill", 500)) as url:
        assert health_check(int(url.rpartition(":")[2])) != 0


def beat(role: str, host: str) -> None:
    with write_connection() as connection:
        row = {"host": host, "pid": 1, "queue": "sportsapp", "role": role}
        row |= {"started_at": utc_now(), "beat_at": utc_now()}
        connection.execute(ConsumerProcess.__table__.insert().values(row))


@pytest.mark.slow
def test_consumer_is_healthy_while_it_beats_here(app, settings):
    environ = {**os.environ, "INSTANCE_PATH": str(settings.instance_path)}
    environ |= {"DATABASE_URL": settings.database_url}

    def ask() -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, *SERVICES["consumer"]["healthcheck"]["test"][2:]],
            cwd=PROJECT_ROOT, env=environ, capture_output=True, text=True,
        )  # fmt: skip
        return done.returncode, done.stderr.strip()

    here = socket.gethostname()
    beat("worker", "elsewhere")
    beat("scheduler", "elsewhere")
    assert ask() == (1, f"no scheduler and no worker is alive on {here}")
    beat("scheduler", here)
    assert ask() == (1, f"no worker is alive on {here}")
    beat("worker", here)
    assert ask() == (0, "")


def test_container_alone_behind_a_proxy_trusts_its_network():
    """Visitors come from the network's gateway, like those of compose: else all count as one."""
    subnet = re.search(r"docker network create --subnet (\S+) (\S+)$", GUIDE, re.MULTILINE)
    (run,) = re.findall(r"^ +docker run .*$", GUIDE, re.MULTILINE)
    assert f"--network {subnet[2]} " in run
    assert f"--env TRUSTED_PROXIES={subnet[1]} " in run


# ---------------------------------------------------------------- systemd


SERVICE_FILES = sorted(path.name for path in UNITS.glob("*.service"))
each_unit = pytest.mark.parametrize("name", SERVICE_FILES)


def unit(name: str) -> dict[str, list[str]]:
    """What a unit says, with what it shares with the others."""
    shared = UNITS / f"{'sportsapp' if name == 'sportsapp.service' else 'sportsapp-'}.service.d"
    files = [*shared.glob("*.conf"), UNITS / name]
    said: dict[str, list[str]] = {}
    for path in files:
        for key, value in re.findall(r"^(\w+)=(.*)$", path.read_text(), re.MULTILINE):
            said.setdefault(key, []).append(value)
    return said


def command_of(name: str, instance: str = "") -> str:
    (line,) = unit(name)["ExecStart"]
    assert line.startswith("/opt/sportsapp/.venv/bin/")
    return line.removeprefix("/opt/sportsapp/.venv/bin/").replace("%i", instance)


def test_units_run_readmes_commands_to_the_letter():
    consumer = "sportsapp-consumer@.service"
    assert command_of("sportsapp-web.service") == WEB
    assert command_of(consumer, "huey") == CONSUMER
    assert command_of(consumer, "backfill_huey") == BACKFILL
    assert command_of(consumer, "notify_huey") == NOTIFY
    assert command_of("sportsapp-migrate.service") == "flask prepare"
    assert command_of("sportsapp.service") == "flask up"
    assert len(SERVICE_FILES) == 4


def test_target_wants_every_part():
    (wanted,) = unit("sportsapp.target")["Wants"]
    assert wanted.split() == [
        "sportsapp-web.service", "sportsapp-consumer@huey.service",
        "sportsapp-consumer@backfill_huey.service", "sportsapp-consumer@notify_huey.service",
    ]  # fmt: skip
    for name in SERVICE_FILES:
        said = unit(name)
        if name == "sportsapp.service":
            assert said["Conflicts"] == ["sportsapp.target"]
        else:
            assert said["PartOf"] == ["sportsapp.target"]
        if name in ("sportsapp-web.service", "sportsapp-consumer@.service"):
            assert said["Wants"] == said["After"] == ["sportsapp-migrate.service"]


@each_unit
def test_every_unit_ends_in_its_own_way_and_comes_back(name):
    said = unit(name)
    if name == "sportsapp-migrate.service":
        assert (said["Type"], said["Restart"]) == (["oneshot"], ["on-failure"])
        return
    assert said["Restart"] == ["always"]
    if name != "sportsapp-web.service":  # which is one process
        assert said["KillMode"] == ["mixed"]  # the signal is for the parent, who tells its children
    assert int(said["TimeoutStopSec"][0]) > seconds_to_stop(command_of(name)) + 5


@each_unit
def test_every_variable_of_a_unit_is_known(name):
    given = dict(re.findall(r"(\w+)=(\S+)", " ".join(unit(name)["Environment"])))
    assert set(given) <= SETTINGS | OF_OTHERS
    assert given["INSTANCE_PATH"] == f"/var/lib/{unit(name)['StateDirectory'][0]}"
    (file,) = unit(name)["EnvironmentFile"]
    assert file.lstrip("-") == "/etc/sportsapp/sportsapp.env"


def test_example_of_the_units_has_settings_and_no_value():
    given = example(UNITS / "example.env")
    assert set(given) <= SETTINGS
    assert not any(given.values())


@each_unit
def test_no_unit_may_do_what_it_has_no_need_to(name):
    """What matters most, by itself: the exposure below is rounded, and may hide one of these."""
    said = unit(name)
    wanted = {
        "User": "sportsapp", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
        "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "MemoryDenyWriteExecute": "yes",
        "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX", "UMask": "0077",
    }  # fmt: skip
    assert {key: " ".join(said[key]) for key in wanted} == wanted
    assert said["SystemCallFilter"] == ["@system-service", "~@privileged @resources"]


@each_unit
def test_every_unit_has_limits_of_memory_and_processes(name):
    said = unit(name)
    (memory,), (tasks,) = said["MemoryMax"], said["TasksMax"]
    is_all = name == "sportsapp.service"
    assert (memory, tasks) == (("3G", "400") if is_all else ("1G", "200"))
    needed = least_memory(4, *ALL_ROWS) if is_all else least_memory(2, *CONSUMER_ROWS)
    assert int(memory.removesuffix("G")) * 1024 > needed
    assert said["OOMPolicy"] == ["continue"]


def systemd_analyze(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze (Debian's systemd)")
    environ = {"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{folder}:", "NO_COLOR": "1"}
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *words], cwd="/", env=environ, capture_output=True,
        text=True,
    )  # fmt: skip


@pytest.fixture
def installed(tmp_path) -> Path:
    """The units in a folder of their own, with programs where they look for them."""
    folder, programs = tmp_path / "units", tmp_path / "opt" / ".venv" / "bin"
    shutil.copytree(UNITS, folder, symlinks=True)
    programs.mkdir(parents=True)
    for name in ("flask", "huey_consumer"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    for path in [*folder.glob("*.service"), *folder.glob("*.d/*.conf")]:
        path.write_text(path.read_text().replace("/opt/sportsapp", str(tmp_path / "opt")))
    return folder


def instances() -> list[str]:
    names = [name.replace("@.", "@huey.") for name in SERVICE_FILES]
    return [*names, "sportsapp-consumer@backfill_huey.service", "sportsapp.target"]


def test_systemd_finds_no_fault(installed):
    done = systemd_analyze(installed, "verify", *instances())
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@each_unit
def test_no_unit_is_more_exposed_than_the_guide_says(name, installed):
    stated = re.search(rf"^\| `{re.escape(name)}` .*\| (\d\.\d) \|$", GUIDE, re.MULTILINE)
    threshold = round(float(stated[1]) * 10)
    file = name.replace("@.", "@huey.")
    if file != name:
        shutil.copy(installed / name, installed / file)
    words = ("security", "--offline=true", f"--threshold={threshold}", str(installed / file))
    done = systemd_analyze(installed, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"exposure level for {file}" in done.stdout


# ---------------------------------------------------------------- Procfile


def test_procfile_has_every_part_by_readmes_command():
    lines = dict(
        line.split(": ", 1) for line in (PROJECT_ROOT / "Procfile").read_text().splitlines()
    )
    assert lines == {"web": WEB, "consumer": CONSUMER, "backfill": BACKFILL, "notify": NOTIFY}
    assert (Settings().host, Settings().port) == ("127.0.0.1", 5000)


# ---------------------------------------------------------------- the guide


def test_guide_tells_of_every_file():
    for path in DEPLOY.iterdir():
        if path.name not in ("__pycache__", ".env"):
            assert f"deploy/{path.name}" in GUIDE, path.name


def test_nginx_caches_by_the_apps_own_headers_alone():
    text = (DEPLOY / "nginx.conf").read_text()
    set_here = {"proxy_cache_valid", "proxy_ignore_headers", "proxy_cache_use_stale", "expires"}
    assert {word for word in set_here if word in text} == set()


def test_guide_says_what_is_sent_to_caches(visitor):
    part = GUIDE.split("| `Cache-Control` |")[1].split("\n\n")[0]
    told = re.findall(r"^\| .* \| `([^`]+)`", part, re.MULTILINE)
    asset = re.search(r'"(/static/[^"]+)"', visitor.get("/").text)[1]
    asked = [
        [("/", {}), ("/nfl/scores.atom", {})],
        [("/api/v1/leagues", {})],
        [("/", {"Cookie": "scores=hide"})],
        [(asset, {})],
        [("/admin/sign-in", {}), ("/metrics", {}), ("/readyz", {})],
    ]
    for said, addresses in zip(told, asked, strict=True):
        for path, headers in addresses:
            answer = visitor.get(path, headers=headers, buffered=True)
            assert answer.headers["Cache-Control"] == said, path

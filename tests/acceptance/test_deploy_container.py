"""The image's parts at work without Docker: its files, its user, its read-only file system.

A container is put together from what Linux has for it: namespaces of its own for mounts, processes
and the host's name, a root that cannot be written to, an unprivileged user without capabilities.
Its network is this host's, and its Python this one's; all else is as deploy/ says.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from sqlalchemy import create_engine, make_url, text

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.settings import PROJECT_ROOT
from tests.acceptance.conftest import children_of, wait_for
from tests.acceptance.test_operating import Redis
from tests.acceptance.test_up import free_port
from tests.conftest import MakeDatabase
from tests.integration.events import board, event
from tests.integration.test_deploy import SERVICES, copied, instructions
from tests.loopback import LoopbackFeed

USER = "10001"
CONTAINER = r"""
set -eu
root=$1 app=$2 data=$3 name=$4 python=$5 base=$6 socket=$7
shift 7
mount --make-rprivate /
mount -t tmpfs -o mode=755 none "$root"
cd "$root"
mkdir app data tmp dev proc run
for each in usr etc bin sbin lib lib64; do
    if [ -L "/$each" ]; then
        cp --no-dereference "/$each" .
    elif [ -d "/$each" ]; then
        mkdir "$each"
        mount --bind -o ro "/$each" "$each"
    fi
done
mount -t tmpfs -o noexec,nosuid,nodev tmpfs tmp  # before what may lie in it: a clone in /tmp
for each in "$python" "$base"; do
    mkdir -p "$root$each"
    mount --bind -o ro "$each" "$root$each"
done
mount --bind -o ro "$app" app
mount --bind "$data" data
if [ -n "$socket" ]; then  # PostgreSQL's
    touch "run/${socket##*/}"
    mount --bind "$socket" "run/${socket##*/}"
fi
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs dev
mkdir -m 1777 dev/shm
for each in null zero urandom; do
    touch "dev/$each"
    mount --bind "/dev/$each" "dev/$each"
done
mount -o remount,ro "$root"
hostname "$name"
# Killed with the test, which has to be asked for after the change of user.
exec chroot . setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs \
    --bounding-set=-all --inh-caps=-all --pdeathsig KILL env --chdir=/app --ignore-environment "$@"
"""

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]


def needs_root() -> None:
    """Skip where no container can be put together."""
    if os.getuid() != 0:
        pytest.skip("needs root, to make namespaces and mounts")
    missing = [one for one in ("unshare", "setpriv", "chroot") if not shutil.which(one)]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} (Debian's util-linux and coreutils)")
    may = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--uts", "true"])
    if may.returncode:
        pytest.skip("needs namespaces, which this system does not allow")


@dataclass
class Image:
    """What the Dockerfile makes: the files that it copies, and the variables that it sets."""

    app: Path
    environ: dict[str, str]

    @classmethod
    def build(cls, folder: Path) -> Image:
        for one in copied():
            target = folder / one
            target.parent.mkdir(parents=True, exist_ok=True)
            if (PROJECT_ROOT / one).is_dir():
                skip = shutil.ignore_patterns("__pycache__")
                shutil.copytree(PROJECT_ROOT / one, target, ignore=skip)
            else:
                shutil.copy(PROJECT_ROOT / one, target)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        text = " ".join(rest for word, rest in instructions() if word == "ENV")
        environ = dict(re.findall(r"(\w+)=(\S+)", text))
        return cls(folder, environ)


@dataclass
class Host:
    """Runs containers, which share one volume and, where it is not a file on it, one database."""

    folder: Path
    image: Image
    database_url: str
    environ: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def command(self, name: str, command: str, **environ: str) -> list[str]:
        python = Path(sys.prefix).resolve()
        path = f"{python}/bin:/usr/bin:/bin"
        url, socket = self._database_within()
        given = {**self.image.environ, "DATABASE_URL": url, **self.environ, **environ, "PATH": path}
        root = tempfile.mkdtemp(dir=self.folder)
        places = [root, self.image.app, self.folder / "data", name, python, sys.base_prefix, socket]
        return [
            "unshare", "--mount", "--pid", "--fork", "--uts",
            "bash", "-c", CONTAINER, "container", *map(str, places),
            *(f"{key}={value}" for key, value in given.items()), "sh", "-c", f"exec {command}",
        ]  # fmt: skip

    def _database_within(self) -> tuple[str, str]:
        """What DATABASE_URL is in a container, and the socket of this host that it leads to."""
        if not self.database_url:  # a file on the volume
            return "", ""
        url = make_url(self.database_url)
        if "host" not in url.query:  # a server on TCP
            return self.database_url, ""
        within = url.update_query_dict({"host": "/run"}).render_as_string(hide_password=False)
        return within, f"{url.query['host']}/.s.PGSQL.5432"

    def run(self, name: str, command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """A container that ends."""
        return subprocess.run(
            self.command(name, command, **environ), capture_output=True, text=True, timeout=60
        )

    def start(self, name: str, command: str) -> None:
        """A container that stays."""
        with (self.folder / "log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                self.command(name, command), stdout=log, stderr=log
            )

    def first_process(self, name: str) -> int:
        """The process that is number 1 in its container, as this host numbers it."""
        (pid,) = children_of(self.running[name].pid)
        return pid

    def stop(self, name: str) -> int:
        """What `docker stop` does; the exit status."""
        os.kill(self.first_process(name), signal.SIGTERM)
        grace = SERVICES.get(name, {}).get("stop_grace_period", "20s")
        return self.running.pop(name).wait(int(grace.rstrip("s")))

    def kill(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()

    def page(self, path: str) -> requests.Response | None:
        with suppress(requests.ConnectionError):
            return requests.get(f"http://127.0.0.1:{self.environ['PORT']}{path}", timeout=5)
        return None

    def is_ready(self) -> bool:
        answer = self.page("/readyz")
        return answer is not None and answer.status_code == 200

    def first_sync(self) -> list[str]:
        """How the runs of the first sync ended."""
        file = f"sqlite:///file:{self.folder}/data/tracker.db?mode=ro&uri=true"
        url = self.database_url.replace("postgresql://", "postgresql+psycopg://") or file
        engine = create_engine(url)
        with engine.connect() as connection:
            found = connection.scalars(
                text("SELECT state FROM task_runs WHERE trigger = 'chain'")
            ).all()
        engine.dispose()
        return list(found)

    def said(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture
def host(feed: LoopbackFeed, make_database: MakeDatabase) -> Iterator[Host]:
    """A host with the image, an empty volume and an empty database."""
    needs_root()
    team = {"team": {"id": "1", "displayName": "Alpha", "abbreviation": "ALP"}}
    for slug in BY_SLUG:
        feed.say(slug, board(event(start=f"{game_day(utc_now())}T17:00Z")))
        feed.say(slug, {"sports": [{"leagues": [{"teams": [team]}]}]}, kind="teams")
        feed.say(slug, {"athletes": []}, kind="roster")
        feed.say(slug, {"children": []}, kind="standings")
    with (
        tempfile.TemporaryDirectory(prefix="sgt-") as name,
        make_database(Path(name), tables=False) as url,
    ):
        folder = Path(name)
        (folder / "data").mkdir(mode=0o700)
        os.chown(folder / "data", int(USER), int(USER))
        port = str(free_port())
        environ = {"ESPN_BASE_URL": feed.url, "PORT": port, "HOST": "127.0.0.1"}
        host = Host(folder, Image.build(folder / "app"), url, environ)
        yield host
        host.kill()


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def family(pid: int) -> list[int]:
    return [pid, *(one for child in children_of(pid) for one in family(child))]


def test_parts_of_compose_do_their_work_in_their_containers(host, tmp_path):
    redis = Redis(tmp_path)
    redis.start()
    try:
        host.environ |= {
            "REDIS_URL": f"redis://:secret@127.0.0.1:{redis.port}/0",
            "SECRET_KEY": "0123456789abcdef" * 2,
            "TRUSTED_HOSTS": "scores.example.org", "LOG_FORMAT": "json",
        }  # fmt: skip
        prepared = host.run(
            "migrate", SERVICES["migrate"]["command"], ADMIN_PASSWORD="a long pass phrase"
        )
        assert prepared.returncode == 0, prepared.stderr
        assert "as set in ADMIN_PASSWORD" in prepared.stdout
        parts = ("consumer", "backfill", "notify", "web")
        for name in parts:
            host.start(name, SERVICES[name]["command"])
        wait_for(lambda: host.is_ready() and host.first_sync() == ["SUCCESS"] * 3, 90, 0.5)
        assert "Alpha" in host.page("/").text
        check = " ".join(SERVICES["consumer"]["healthcheck"]["test"][1:])
        assert [host.run(name, check).returncode for name in (*parts[:3], "other")] == [0, 0, 0, 1]
        for pid in [one for name in parts for one in family(host.first_process(name))]:
            status = status_of(pid)
            assert status["Uid"].split() == [USER] * 4
            assert status["NoNewPrivs"] == "1"
            assert {int(status[f"Cap{kind}"], 16) for kind in ("Eff", "Prm", "Inh", "Bnd")} == {0}
        asked = host.run("web", "flask sync range NBA 2026-01-01 2026-01-31 --queue")
        waited = host.run("web", f"flask tasks wait {asked.stdout.split()[-1]} --timeout 40")
        assert waited.returncode == 0, waited.stdout + waited.stderr
        assert [host.stop(name) for name in parts] == [0, 0, 0, 0]
    finally:
        redis.end(signal.SIGKILL)
    assert "Traceback" not in host.said()
    assert not (host.folder / "data" / "secret_key").exists()  # all have the one that was set


def test_image_by_itself_runs_everything_in_one_container(host):
    command = next(rest for word, rest in instructions() if word == "CMD")
    assert command == '["flask", "up"]'
    host.start("all", "flask up")
    wait_for(host.is_ready, 90, 0.5)
    began = time.monotonic()
    assert host.stop("all") == 0
    assert time.monotonic() - began < 12
    said = host.said()
    assert "Admin account, shown this once: admin / " in said
    assert "Traceback" not in said


def test_only_the_volume_and_tmp_can_be_written_to(host):
    places = ("/", "/app", "/app/static", "/usr", "/etc", "/data", "/tmp", "/dev/shm")  # noqa: S108
    tries = "; ".join(f"touch {place}/x 2>&1 && echo wrote {place}" for place in places)
    done = host.run("web", f"sh -c '{tries}'")
    wrote = re.findall("^wrote (.*)$", done.stdout, re.MULTILINE)
    assert wrote == ["/data", "/tmp", "/dev/shm"], done.stdout  # noqa: S108
    assert done.stdout.count("Read-only file system") == len(places) - len(wrote)

"""deploy/nginx.conf and deploy/Caddyfile, run for real before the real web server.

Only addresses, ports, folders and the certificate are others than in the files. Visitors come from
several addresses of this machine, of which the proxies take just one for a watcher's.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from sportsapp.core.clock import game_day, iso_utc, utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.db.engine import db
from sportsapp.http.page_cache import SHARED
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from tests.acceptance import harm
from tests.acceptance.conftest import wait_for
from tests.acceptance.test_up import free_port
from tests.integration.events import board, event
from tests.panel import TOKEN
from tests.stored import feed_read_at

pytestmark = pytest.mark.long

NAME = "scores.example.org"
SECOND = 2.2  # how long nginx keeps a page for one second: it counts whole ones, and one more
WATCHER, STRANGER, OTHER = "127.0.0.1", "127.0.0.2", "127.0.0.3"


class From(HTTPAdapter):
    """Connections that come from one of this machine's addresses."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        more |= {"source_address": (self.address, 0), "server_hostname": NAME}
        super().init_poolmanager(*args, **more)


@dataclass
class Proxy:
    """A proxy before the web server, as visitors see it."""

    process: subprocess.Popen[bytes]
    port: int
    certificate: Path

    def visitor(self, address: str = STRANGER) -> Callable[..., requests.Response]:
        """Asks for a path from this address, and keeps cookies."""
        session = requests.Session()
        session.mount("https://", From(address))
        session.trust_env = False  # which may name other certificates
        session.verify = str(self.certificate)
        session.headers["Host"] = NAME

        def ask(path: str, method: str = "GET", **more: Any) -> requests.Response:
            url = f"https://127.0.0.1:{self.port}{path}"
            return session.request(method, url, timeout=10, allow_redirects=False, **more)

        return ask

    def answers(self) -> bool:
        try:
            return self.visitor()("/healthz").status_code == 200
        except requests.ConnectionError:
            return False


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Path:
    """A certificate of our own for the site's name; its key lies beside it."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl (Debian's openssl)")
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1", "-keyout",
         folder / "privkey.pem", "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "fullchain.pem"


@pytest.fixture
def web(real_app, real_settings, feed, tmp_path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The web server with a game of today; its port and process."""
    day = game_day(utc_now())
    game = event(start=f"{day}T17:00Z") | {"season": {"year": 2026, "type": 2}}
    feed.say("nfl", board(game))
    sync_day(
        SyncContext(services_of(real_app).feed_client, db.session, utc_now()), BY_SLUG["nfl"], day
    )
    db.session.remove()
    port = free_port()
    environ = {**harm.environ_of(real_settings), "TRUSTED_HOSTS": NAME, "PORT": str(port)}
    environ["LOG_LEVEL"] = "DEBUG"  # a line for each request
    command = [sys.executable, "-m", "flask", "serve"]
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=PROJECT_ROOT, env=environ, stdout=log, stderr=log, start_new_session=True
        )
    yield port, process
    kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a group, and the group, if that was not done yet."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def changed(name: str, *changes: tuple[str, str]) -> str:
    """A file of deploy/ with these changes, each of which has to be one."""
    text = (PROJECT_ROOT / "deploy" / name).read_text()
    for old, new in changes:
        assert re.search(old, text), old
        text = re.sub(old, new, text)
    return text


def start_nginx(folder: Path, port: int, web_port: int, certificate: Path) -> list[str]:
    cache = folder / "cache"
    text = changed(
        "nginx.conf",
        (r"listen \[::\].*", ""),
        (r"listen 80\b", f"listen 127.0.0.1:{free_port()}"),
        (r"listen 443", f"listen 127.0.0.1:{port}"),
        (r"/etc/letsencrypt/live/scores.example.org", str(certificate.parent)),
        (r"server 127.0.0.1:5000", f"server 127.0.0.1:{web_port}"),
        (r"/var/cache/nginx-sportsapp", str(cache)),
    )
    (folder / "sportsapp.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.getuid() == 0 else ""  # the test's folder is for its owner alone
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; {folders} include {folder}/sportsapp.conf; }}\n"
    )
    command = ["nginx", "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr
    return command


def start_caddy(folder: Path, port: int, web_port: int, certificate: Path) -> list[str]:
    key = certificate.with_name("privkey.pem")
    site = f"https://{NAME}:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate} {key}\n"
    text = changed(
        "Caddyfile", (rf"{NAME} {{\n", site), (r"127.0.0.1:5000", f"127.0.0.1:{web_port}")
    )
    file = folder / "Caddyfile"
    file.write_text(
        f"{{\n\tadmin off\n\tauto_https off\n\tstorage file_system {folder}\n}}\n{text}"
    )
    return ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]


COMMANDS = {"nginx": start_nginx, "caddy": start_caddy}
PACKAGES = {"nginx": "nginx-light", "caddy": "caddy"}


def needs(program: str) -> None:
    if not shutil.which(program):
        pytest.skip(f"needs {program} (Debian's {PACKAGES[program]})")


@pytest.fixture
def start(web, tmp_path, certificate) -> Iterator[Callable[[str], Proxy]]:
    """Starts a proxy before the web server; ends it at the end."""
    started: list[Proxy] = []

    def start_one(program: str) -> Proxy:
        needs(program)
        port = free_port()
        command = COMMANDS[program](tmp_path, port, web[0], certificate)
        environ = {**os.environ, "HOME": str(tmp_path)}  # Caddy writes there, what it was told
        with (tmp_path / "proxy.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environ)
        started.append(Proxy(process, port, certificate))
        wait_for(started[-1].answers)
        return started[-1]

    yield start_one
    for one in started:
        one.process.terminate()
        one.process.wait(10)


@pytest.fixture(params=["nginx", "caddy"])
def proxy(request, start) -> Proxy:
    return start(request.param)


@pytest.fixture
def nginx(start) -> Proxy:
    return start("nginx")


# ---------------------------------------------------------------- both


def test_page_comes_through_and_is_sent_again_only_when_it_has_changed(proxy):
    ask = proxy.visitor()
    for encoding in ("br", "gzip", "identity"):
        page = ask("/", headers={"Accept-Encoding": encoding})
        assert (page.status_code, "Alpha" in page.text) == (200, True)
        assert page.headers.get("Content-Encoding", "identity") == encoding
        assert page.headers["Cache-Control"] == SHARED
        known = {"If-None-Match": page.headers["ETag"], "Accept-Encoding": encoding}
        assert ask("/", headers=known).status_code == 304
    private = {"Cookie": "scores=hide"}
    page = ask("/", headers={**private, **known})
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "private, no-cache")
    known = {"If-None-Match": page.headers["ETag"]}
    assert ask("/", headers={**private, **known}).status_code == 304
    answer = ask("/api/v1/leagues")
    known = {"If-None-Match": answer.headers["ETag"]}
    assert ask("/api/v1/leagues", headers=known).status_code == 304


def test_style_and_scripts_are_kept_for_good(proxy):
    ask = proxy.visitor()
    assets = re.findall(r'"(/static/[^"]+)"', ask("/").text)
    assert len(assets) == 6
    for address in assets:
        for _ in range(2):  # the second time it comes from nginx itself
            said = ask(address).headers["Cache-Control"]
            assert said == "public, max-age=31536000, immutable"
    assert "immutable" not in ask("/static/style.css").headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_watchers_are_told_how_it_is_and_strangers_are_not(proxy, path):
    assert proxy.visitor(STRANGER)(path).status_code == 403
    assert proxy.visitor(WATCHER)(path).status_code in (200, 503)


def test_panel_is_not_compressed(proxy):
    """Its pages have tokens, whose letters the size of what is compressed could tell."""
    assert "Content-Encoding" not in proxy.visitor()("/admin/sign-in").headers
    for encoding in ("br", "gzip"):  # by turns, from nginx's cache as well
        for path in ("/static/style.css", "/api/v1/leagues", "/preferences") * 2:
            answer = proxy.visitor()(path, headers={"Accept-Encoding": encoding})
            assert answer.headers["Content-Encoding"] == encoding, path


def test_app_knows_that_it_is_reached_by_https(proxy):
    form = proxy.visitor()("/admin/sign-in")
    assert form.headers["Strict-Transport-Security"]
    assert form.headers["Cache-Control"] == "no-store"
    assert "Secure" in form.headers["Set-Cookie"]


@pytest.mark.parametrize("path", ["/", "/nfl/games/401", "/nfl/teams/ALP.ics", "/nfl/scores.atom"])
def test_links_are_those_that_visitors_use(proxy, path):
    text = proxy.visitor()(path).text.replace("\r\n ", "")
    links = set(re.findall(r"https?://[^\"'<>\s/]*(?=/)", text)) - {
        "http://www.w3.org",
        "https://schema.org",
    }
    assert links == {f"https://{NAME}"}


def test_name_that_is_not_ours_gets_nothing(proxy):
    try:
        answer = proxy.visitor()("/", headers={"Host": "elsewhere.example"})
    except requests.ConnectionError:
        return  # nginx closes the connection
    assert not answer.content


def test_nginx_has_no_certificate_for_a_name_that_is_not_ours(nginx):
    with pytest.raises(requests.exceptions.SSLError, match="unrecognized name"):
        requests.get(f"https://localhost:{nginx.port}/", timeout=5, verify=nginx.certificate)


def test_visitors_are_told_apart_when_they_sign_in(proxy):
    def attempt(ask: Callable[..., requests.Response], name: str) -> int:
        form = ask("/admin/sign-in")
        data = {"username": name, "password": "wrong", "csrf_token": TOKEN.search(form.text)[1]}
        # who says to be someone else is counted all the same
        headers = {"X-Forwarded-For": f"203.0.113.{name.removeprefix('n')}"}
        return ask("/admin/sign-in", "POST", data=data, headers=headers).status_code

    ask = proxy.visitor(STRANGER)
    found = [attempt(ask, f"n{n}") for n in range(25)]
    assert (found[:20], 429 in found[20:]) == ([401] * 20, True)
    assert attempt(proxy.visitor(OTHER), "n99") == 401


# ---------------------------------------------------------------- what nginx keeps


def test_nginx_keeps_pages_for_a_second_and_their_age_is_right(nginx, real_app):
    ask = nginx.visitor()
    before = ask("/")
    later = utc_now().replace(microsecond=0)
    feed_read_at(later)
    assert ask("/").headers["X-Feed-Read"] == before.headers["X-Feed-Read"]
    time.sleep(SECOND)
    after = ask("/")
    assert after.headers["ETag"] == before.headers["ETag"]
    assert after.headers["X-Feed-Read"] == iso_utc(later)


def test_nginx_keeps_pages_of_browsers_and_terminals_apart(nginx):
    kinds = []
    for _ in range(2):
        for agent, accept in (("Firefox", "text/html"), ("curl/8.16.0", "*/*")):
            headers = {"User-Agent": agent, "Accept": accept}
            answer = nginx.visitor()("/", headers=headers)
            kinds.append(answer.headers["Content-Type"].partition(";")[0])
    assert kinds == ["text/html", "text/plain"] * 2


def test_nginx_asks_for_a_page_once_a_second_however_many_visitors_do(nginx, web, tmp_path):
    """Thirty visitors ask ten times a second; the web server logs each request that reaches it."""
    before, began = requests_for("/live", tmp_path), time.monotonic()

    def visit(_number: int) -> set[int]:
        ask, found = nginx.visitor(), set()
        while time.monotonic() < began + 4:
            found.add(ask("/live").status_code)
            time.sleep(0.1)
        return found

    with ThreadPoolExecutor(30) as threads:
        found = set().union(*threads.map(visit, range(30)))
    seconds = time.monotonic() - began
    assert found == {200}
    asked = requests_for("/live", tmp_path) - before
    print(f"{asked} requests in {seconds:.1f} s")
    assert 2 <= asked <= seconds + 1


def requests_for(path: str, folder: Path) -> int:
    """How many requests for this path the web server has logged."""
    return (folder / "web.log").read_text().count(f"GET {path} ")


def test_nginx_shows_old_scores_when_no_web_server_answers_and_keeps_nothing_else(nginx, web):
    ask = nginx.visitor()
    asset = re.search(r'"(/static/[^"]+)"', ask("/").text)[1]
    ours = ("/api/v1/leagues", "/admin/sign-in", "/preferences", "/healthz")
    for path in (asset, *ours):
        assert ask(path).status_code == 200, path
    cookies = [{"Cookie": "scores=hide"}, {"Cookie": "other=1"}]
    for cookie in cookies:
        assert ask("/", headers=cookie).status_code == 200
    kill(web[1])
    time.sleep(SECOND)
    assert "Alpha" in ask("/").text
    assert ask(asset).status_code == 200
    for path in ours:
        assert ask(path).status_code == 502, path
    for cookie in cookies:
        assert ask("/", headers=cookie).status_code == 502


@pytest.mark.timeout(120)  # what is tested takes a minute
def test_nginx_shows_old_scores_for_a_minute_only(nginx, web):
    ask = nginx.visitor()
    assert ask("/").status_code == 200
    kill(web[1])
    for seconds, status in ((50, 200), (12 + SECOND, 502)):
        time.sleep(seconds)
        assert ask("/").status_code == status


def test_nginx_sends_who_comes_by_http_to_https(nginx, tmp_path):
    port = re.search(r"listen 127.0.0.1:(\d+);", (tmp_path / "sportsapp.conf").read_text())[1]
    answer = requests.get(
        f"http://127.0.0.1:{port}/nfl?x=1", headers={"Host": NAME}, allow_redirects=False, timeout=5
    )
    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{NAME}/nfl?x=1")


# ---------------------------------------------------------------- as they are


def test_caddyfile_is_sound_and_in_caddys_format():
    needs("caddy")
    file = str(PROJECT_ROOT / "deploy" / "Caddyfile")
    for words in (["validate", "--adapter", "caddyfile", "--config", file], ["fmt", file]):
        done = subprocess.run(["caddy", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "warn" not in done.stderr.lower(), done.stderr
    assert done.stdout == Path(file).read_text()

"""Messages to services are plain text, go where they should, and no error names an address."""

from __future__ import annotations

import json
import logging
import re
import socketserver
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from email.header import decode_header, make_header

import pytest
import trustme
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from sportsapp.core.errors import TargetError
from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.notify.message import Message
from sportsapp.notify.schemes import KINDS, SERVICES
from sportsapp.notify.targets import kind_of, open_target
from tests.loopback import QuietHandler, serving
from tests.targets import KeepingServer, Sender

# Apprise's mail looks for a library of PGP, which it would need this old module for.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")

SCORE = Message("Chiefs 24,\nJets 20", "Touchdown Peñarol @ home\n3:12 - 4th", [{"id": 1}])
NASTY = Message(
    "<b>24</b> @everyone <!channel> *x*",
    "@here <@123> @all <a href='x'>a</a> [x](http://x.test) _y_ & `q`\n# z\n@room :smile: \\n",
)
SENDER = Sender(SCORE, r"127\.0|t0ken|://")
send, refusal = SENDER.send, SENDER.refusal
HOOK = "123456789012345678/abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnop"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeepingServer]:
    monkeypatch.setattr("sportsapp.notify.services.PART_SECONDS", 0.01)
    service = KeepingServer()
    with serving(service) as service.url:
        yield service


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """All that reaches the log, of every level."""
    lines: list[str] = []
    handler, root = logging.Handler(), logging.getLogger()
    handler.emit = lambda record: lines.append(record.getMessage())
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    root.debug("the log is read")
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


def test_ntfy_gets_plain_text(service):
    send(f"ntfy://me:t0ken@{service.host}/games?priority=high&tags=football")
    (request,) = service.requests
    assert (request.authorization.username, request.authorization.password) == ("me", "t0ken")
    assert service.posted() == {
        "topic": "games", "title": "Chiefs 24, Jets 20", "message": SCORE.body,
    }  # fmt: skip
    assert (request.headers["X-Priority"], request.headers["X-Tags"]) == ("high", "football")
    assert "X-Icon" not in request.headers  # Apprise's own picture


def test_several_topics_get_it_soon_after_each_other(service):
    began = time.monotonic()
    send(f"ntfy://{service.host}/games/scores")
    assert time.monotonic() - began < 4
    topics = {json.loads(request.get_data())["topic"] for request in service.requests}
    assert topics == {"games", "scores"}


def test_long_message_comes_whole_in_parts(service, monkeypatch):
    monkeypatch.setattr(
        "apprise.plugins.discord.NotifyDiscord.notify_url", f"http://{service.host}"
    )
    text = "\n".join(f"{n}. Touchdown" for n in range(300))
    send(f"discord://{HOOK}", Message("Games", text))
    parts = [json.loads(request.get_data())["content"] for request in service.requests]
    assert len(parts) > 1
    assert re.findall(r"(\d+)\. Touchdown", " ".join(parts)) == [str(n) for n in range(300)]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Response('{"code": 40301, "error": "t0ken"}', 403), "ntfy answered 403 Forbidden"),
        (Response("t0ken", 500), "ntfy answered 500 Internal Server Error"),
        (Response("", 302, {"Location": "/elsewhere"}), "ntfy answered 302 Found"),
    ],
)
def test_error_has_the_status_and_no_address(answer, words, service, logged, capfd):
    service.answer = answer
    assert refusal(f"ntfy://me:t0ken@{service.host}/games-t0ken") == words
    assert len(service.requests) == 1
    assert "the log is read" in logged
    assert not re.search("t0ken|games", "".join([*logged, *capfd.readouterr()]))


def test_service_that_is_away(logged, capfd):
    text = refusal("ntfy://me:t0ken@127.0.0.1:1/games-t0ken")
    assert text == "ntfy cannot be reached, or did not take the message"
    assert "the log is read" in logged
    assert not re.search("t0ken|games", "".join([*logged, *capfd.readouterr()]))


def test_certificate_is_checked_unless_the_address_says_no(service, capfd):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = make_server("127.0.0.1", 0, service, request_handler=QuietHandler, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        url = f"ntfys://127.0.0.1:{server.server_port}/games"
        assert refusal(url) == "ntfy cannot be reached, or did not take the message"
        send(f"{url}?verify=no")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert len(service.requests) == 1
    assert "127.0" not in "".join(capfd.readouterr())


def test_private_address_is_refused_unless_it_is_allowed(service):
    url = f"ntfy://{service.host}/games"
    assert refusal(url, allow_private=False).startswith("its host has no public address")
    assert service.requests == []


DISCORD = (
    "\\<b>24\\</b> @\u200beveryone \\<!channel> \\*x\\*",
    "@\u200bhere \\<@\u200b123> @\u200ball \\<a href='x'>a\\</a> "
    "\\[x\\](http://x.test) \\_y\\_ & \\`q\\`",
)


@pytest.mark.parametrize("kind", ["discord", "mmost"])
def test_markdown_and_mentions_are_only_text(kind, service, monkeypatch):
    monkeypatch.setattr(
        "apprise.plugins.discord.NotifyDiscord.notify_url", f"http://{service.host}"
    )
    send({"discord": f"discord://{HOOK}", "mmost": f"mmost://{service.host}/t0ken"}[kind], NASTY)
    posted = service.posted()
    title, body, heading, *_ = posted["content" if kind == "discord" else "text"].splitlines()
    assert (title, body, heading) == (*DISCORD, "\\# z")
    assert not {"embeds", "allow_mentions"} & set(posted)


def test_telegram_gets_escaped_html(service, monkeypatch):
    url = f"http://{service.host}/bot"
    monkeypatch.setattr("apprise.plugins.telegram.NotifyTelegram.notify_url", url)
    service.answer = Response('{"ok": true, "result": {}}', mimetype="application/json")
    send("tgram://123456789:abcdefghijklmnop/4711/", NASTY)
    text = service.posted()["text"]
    assert text.startswith("<b>&lt;b&gt;24&lt;/b&gt; @\u200beveryone &lt;!channel&gt; *x*</b>")
    assert "&lt;a href='x'&gt;a&lt;/a&gt; [x](http://x.test)" in text
    assert not re.search(r"<(?!/?b>)|@\w", text)


def test_slack_gets_escaped_text(service, monkeypatch):
    url = f"http://{service.host}/services"
    monkeypatch.setattr("apprise.plugins.slack.NotifySlack.webhook_url", url)
    service.answer = Response("ok")
    send("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/", NASTY)
    (attachment,) = service.posted()["attachments"]
    assert attachment["title"] == "&lt;b&gt;24&lt;/b&gt; @\u200beveryone &lt;!channel&gt; *x*"
    assert not re.search(r"[<>]|@\w", attachment["text"])


@pytest.mark.parametrize(
    ("url", "path", "field"),
    [
        ("gotify://{}/abcdefghijklmno", "/message", "message"),
        ("bark://{}/t0ken", "/push", "body"),
        ("signal://{}/+15551234567/+15557654321", "/v2/send", "message"),
    ],
)
def test_other_services_get_the_text(url, path, field, service):
    send(url.format(service.host))
    assert service.requests[-1].path == path
    assert service.posted()[field].endswith(SCORE.body)
    service.answer = Response("no", 401)
    assert refusal(url.format(service.host)).endswith(" answered 401 Unauthorized")


def test_matrix_signs_in_and_out_within_one_sending(service):
    service.answer = Response(
        '{"access_token": "a", "user_id": "@u:h", "room_id": "!r:h", "event_id": "e"}',
        mimetype="application/json",
    )
    send(f"matrix://u:t0ken@{service.host}/!r:h", NASTY)
    paths = [request.path.rsplit("/", 1)[1] for request in service.requests]
    assert (paths[0], paths[-1]) == ("login", "logout")
    (sent,) = [request for request in service.requests if "/send/m.room.message" in request.path]
    assert not re.search(r"@\w", json.loads(sent.get_data())["body"])
    assert set(json.loads(sent.get_data())) == {"msgtype", "body"}


class MailServer(socketserver.StreamRequestHandler):
    """Takes one mail, without a password."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.mails.append(b"".join(lines).decode())
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


@contextmanager
def mail_server() -> Iterator[socketserver.TCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailServer) as server:
        server.mails = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_mail_is_plain_text():
    with mail_server() as server:
        url = f"mailto://127.0.0.1:{server.server_address[1]}?from=me@x.test&to=you@x.test"
        send(url)
        assert refusal(url, allow_private=False).startswith("its host has no public address")
    mail = message_from_string(server.mails[0])
    assert str(make_header(decode_header(mail["Subject"]))) == "Chiefs 24, Jets 20"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_payload(decode=True).decode().splitlines() == SCORE.body.splitlines()
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ntfys://", "ntfy has no topic"),
        ("barks://host.test", "bark has no target"),
        ("discord://t0ken", "no whole address of discord"),
        ("gotifys://host.test:t0ken/", "no whole address of gotify"),
        ("ntfy://[t0ken", "ntfy has no topic"),
        ("ntfy://host.test/t?attach=file:///t0ken", "only these may follow a "),
        ("ntfy://host.test/t?+X-Header=t0ken", "only these may follow a "),
        ("ntfy://host.test/t?format=html;rto=9999", "only these may follow a "),
        ("mailto://host.test?pgppub=/t0ken", "only these may follow a "),
        ("syslog://t0ken", "has to begin with one of these and ://: bark, barks, discord, "),
        ("json://t0ken", "has to begin with one of these"),
        ("ntfy://host.test/a ntfy://host.test/t0ken", "a blank"),
    ],
)
def test_address_that_is_not_offered_or_not_whole(url, words):
    with pytest.raises(TargetError, match=re.escape(words)) as refused:
        open_target(url, allow_private=True)
    assert not re.search(r"t0ken|host\.test|127", str(refused.value))


@pytest.mark.parametrize("scheme", SERVICES)
def test_every_scheme_is_its_services(scheme):
    from sportsapp.notify import services

    module, name = services.SERVICES[SERVICES[scheme]].plugin.split(":")
    plugin = getattr(__import__(f"apprise.plugins.{module}", fromlist=[name]), name)
    assert scheme in {plugin.protocol, plugin.secure_protocol}
    assert kind_of(f"{scheme.upper()}://t0ken") == SERVICES[scheme]


def test_nothing_loads_apprise_before_there_is_such_an_address():
    code = """if True:
        import sys
        from sportsapp.notify import targets
        targets.open_target("https://x.test#whsec_" + "A" * 40, allow_private=False)
        assert "apprise" not in sys.modules
        targets.open_target("ntfy://x.test/t", allow_private=False)
        assert "apprise.plugins.ntfy" in sys.modules
        assert "apprise.plugins.syslog" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PROJECT_ROOT)


def test_page_lists_every_scheme():
    page = (PROJECT_ROOT / "docs" / "notifications.md").read_text("utf-8")
    assert {scheme for scheme in KINDS if f"`{scheme}://" not in page} == set()

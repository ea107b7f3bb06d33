"""Alerts to the services of ALERT_URLS: each gets them once, whatever becomes of the others."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from sqlalchemy import select
from werkzeug.wrappers import Response

from sportsapp.core.errors import SettingsError
from sportsapp.core.settings import Settings, load_settings
from sportsapp.db.engine import db
from sportsapp.db.models import TaskRun
from sportsapp.factory import create_app
from sportsapp.queue.huey import huey
from sportsapp.services import services_of
from sportsapp.tasks.alerts import deliver_alert
from tests.loopback import serving
from tests.parts import replace_services
from tests.receiver import receiving
from tests.targets import KeepingServer

# Apprise's mail looks for a library of PGP, which it would need this old module for.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")

TITLE = "Sports Game Tracker (scores.example.org) TROUBLE"
TOPIC = "t0psecret"


@pytest.fixture
def ntfys() -> Iterator[list[KeepingServer]]:
    """Two servers of ntfy."""
    servers = [KeepingServer(), KeepingServer()]
    with ExitStack() as running:
        for server in servers:
            server.url = running.enter_context(serving(server))
        yield servers


@pytest.fixture
def settings(settings: Settings, ntfys) -> Settings:
    addresses = tuple(f"ntfy://{server.host}/{TOPIC}" for server in ntfys)
    return replace(
        settings, alert_urls=addresses, notify_private=True, site_url="https://scores.example.org"
    )


@pytest.fixture
def alerts(app, offline):
    return services_of(app).alerts


def work() -> None:
    while (task := huey.dequeue()) is not None:
        huey.execute(task)


def bodies(server: KeepingServer) -> list[tuple[str, str]]:
    """Title and text of each message."""
    posted = [json.loads(request.get_data()) for request in server.requests]
    return [(one["title"], one["message"]) for one in posted]


def test_each_service_gets_the_text_and_a_failing_one_alone_gets_it_again(alerts, ntfys, caplog):
    failing, other = ntfys
    failing.answer = Response("t0psecret", 500)
    alerts.report_problem("NBA", "refused", "NBA <says> no & more")
    work()
    expected = (TITLE, "NBA <says> no & more")
    assert (bodies(failing), bodies(other)) == ([expected], [expected])
    failing.answer = Response("{}", mimetype="application/json")
    (waiting,) = huey.scheduled()
    huey.storage.flush_schedule()
    waiting.eta = None
    huey.push(waiting)
    work()
    assert (len(failing.requests), len(other.requests)) == (2, 1)
    runs = db.session.scalars(select(TaskRun).order_by(TaskRun.due_at)).all()
    assert {(run.task, run.state) for run in runs} == {("send_alert", "SUCCESS")}
    assert sorted(run.args["receiver"] for run in runs) == [1, 2]
    # Apprise's own log goes nowhere, except to pytest
    logged = str(
        [(one.msg, one.args, one.exc_text) for one in caplog.records if one.name != "apprise"]
    )
    assert "ALERT_URLS, address 1: ntfy answered 500" in logged
    assert TOPIC not in logged + str([(run.args, run.error, run.traceback) for run in runs])


def test_webhook_and_services_get_it_directly_where_the_queue_may_be_broken(alerts, ntfys):
    with receiving() as webhook:
        alerts.settings = replace(alerts.settings, alert_webhook_url=webhook.url)
        secret = alerts.settings.alert_urls[1]
        alerts.report_problem("NBA", "refused", f"<NBA> says {secret}", directly=True)
        ends_at = time.monotonic() + 10
        while not (webhook.messages and all(server.requests for server in ntfys)):
            assert time.monotonic() < ends_at
            time.sleep(0.01)
        assert webhook.texts == [f"{TITLE}: &lt;NBA&gt; says (hidden)"]
    assert [bodies(server) for server in ntfys] == [[(TITLE, "<NBA> says (hidden)")]] * 2
    assert huey.pending_count() == 0


def test_private_addresses_are_refused_unless_they_are_allowed(app, runner, ntfys):
    replace_services(app, settings=replace(services_of(app).settings, notify_private=False))
    done = runner.invoke(args=["alerts", "test"])
    assert (done.exit_code, done.stdout) == (1, "")
    refusal = "its host has no public address, which only NOTIFY_PRIVATE=1 allows"
    assert done.stderr.splitlines() == [
        f"ALERT_URLS, address 1: {refusal}", f"ALERT_URLS, address 2: {refusal}",
    ]  # fmt: skip
    assert [server.requests for server in ntfys] == [[], []]


def test_test_goes_to_all_and_fails_where_one_does(runner, ntfys):
    ntfys[0].answer = Response("", 403)
    done = runner.invoke(args=["alerts", "test"])
    assert done.exit_code == 1
    assert done.stderr == "ALERT_URLS, address 1: ntfy answered 403 Forbidden\n"
    assert done.stdout == "ALERT_URLS, address 2: the message was taken\n"
    ((title, text),) = bodies(ntfys[1])
    assert title == "Sports Game Tracker (scores.example.org) TEST"
    assert text.startswith("a test, sent by ")
    ntfys[0].answer = Response("{}", mimetype="application/json")
    assert runner.invoke(args=["alerts", "test"]).exit_code == 0


def test_message_for_an_address_that_is_gone_is_dropped(app):
    settings = services_of(app).settings
    assert deliver_alert(settings, {"text": "x: y"}, 3) == "there is no such receiver any more"


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("syslog://hush", "it has to begin with one of these and ://: bark, barks,"),
        ("https://hush.example.org/#whsec_hush", "it has to begin with one of these"),
        ("mqtt://hush.example.org", "it has to begin with one of these"),
        ("discord://hush", "this is no whole address of discord"),
        ("ntfy://hush.example.org", "the address of ntfy has no topic"),
        ("ntfy://hush.example.org/x?attach=/etc/passwd", r"only these may follow a \?"),
    ],
)
def test_malformed_address_stops_the_start_with_one_line(settings, address, fault):
    with pytest.raises(SettingsError, match=f"^ALERT_URLS: address 2: {fault}") as caught:
        create_app(replace(settings, alert_urls=("ntfy://ntfy.sh/x", address)))
    line = str(caught.value)
    assert line.endswith("; for example ntfys://ntfy.example.org/alerts")
    assert "hush" not in line
    assert "\n" not in line


def test_addresses_are_separated_by_blanks_and_may_have_commas(settings):
    text = "ntfys://ntfy.example.org/alerts\n mailto://me:a,b@example.org?to=x@a.org,y@b.org"
    known = load_settings({"ALERT_URLS": text}).alert_urls
    assert known == tuple(text.split())
    create_app(replace(settings, alert_urls=known))

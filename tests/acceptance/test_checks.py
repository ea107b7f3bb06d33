"""Broken set-ups, and what the six who say whether an instance is well say of each: the same.

The panel's first page, ``flask doctor``, /readyz, alerts, /metrics and Prometheus' rules show one
list of checks. The table in docs/operating.md is what they say here.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime

import pytest
import redis
import yaml
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import delete, update
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.clock import utc_now
from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db.engine import db, merge_wal, write_connection
from sportsapp.db.models import ConsumerProcess
from sportsapp.factory import create_app
from sportsapp.feed.client import FeedClient
from sportsapp.monitoring import alerts as alerts_module
from sportsapp.monitoring.checks import CHECKS, host
from sportsapp.queue.huey import huey, notify_huey
from sportsapp.services import services_of
from sportsapp.sync import scoreboards
from sportsapp.sync.context import no_progress
from sportsapp.tasks import actions
from sportsapp.tasks.sync import audit_seasons
from tests.acceptance.conftest import RealBroker
from tests.acceptance.test_faults_database import read_only
from tests.conftest import QUICK
from tests.integration.events import board, event
from tests.loopback import LoopbackFeed, QuietHandler
from tests.panel import PanelVisitor, begin, make_well, signed_in
from tests.receiver import Receiver, receiving
from tests.stored import feed_read_at

LEAGUES = ("nfl", "nba", "mlb", "nhl")
TICK = "sync_all_live_games"
NOW = re.compile(r"<li><b[^>]*>(\w+)</b> <(?:a|strong)[^>]*>(\w+)</(?:a|strong)>: (.*?)</li>")
RULES = yaml.safe_load((PROJECT_ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())
LEVELS = {1: "WARN", 2: "WRONG"}
LOOK_TWICE = timedelta(minutes=3)
LOOK_LATER = timedelta(minutes=11)
HEAD = ("what is broken", "panel", "`flask doctor`", "`/readyz`", "alerts", "`/metrics`",
        "Prometheus")  # fmt: skip


@dataclass
class Site:
    """An instance that lacks nothing, with a real broker, until a test breaks it."""

    app: Flask
    settings: Settings
    broker: RealBroker
    feed: LoopbackFeed
    receiver: Receiver
    panel: PanelVisitor
    patch: pytest.MonkeyPatch
    later: timedelta = field(default=timedelta(0))

    def tick(self) -> None:
        """What a worker does in a tick."""
        context = services_of(self.app).sync_context(None, no_progress, scheduled=True)
        with suppress(Exception):
            scoreboards.sync_schedule(context, services_of(self.app).leagues)
        db.session.rollback()

    def beat(self) -> None:
        """What a consumer's process does every ten seconds, and what comes of it each minute."""
        alerts = services_of(self.app).alerts
        try:
            huey.tracker.beat("sportsapp", "scheduler")
        except SQLAlchemyError:
            return
        alerts.check(utc_now())

    def alerted(self) -> set[str]:
        """The kinds of the messages that came."""
        with suppress(Exception):
            while huey.pending_count():
                huey.execute(huey.dequeue())
        time.sleep(0.2)
        return {message["kind"] for message in self.receiver.messages}


@pytest.fixture
def site(
    real_settings: Settings,
    broker: RealBroker,
    feed: LoopbackFeed,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    """The instance, with an admin signed in to its panel."""
    with receiving() as receiver:
        settings = replace(real_settings, alert_webhook_url=receiver.url)
        client = FeedClient(feed.url, "tests", broker_url=settings.broker, retry_policy=QUICK)
        app = create_app(settings, client)
        app.testing = True
        with app.app_context():
            made = Site(app, settings, broker, feed, receiver, signed_in(app), monkeypatch)
            make_well()
            huey.check_broker()
            monkeypatch.setattr(
                alerts_module,
                "utc_now",
                lambda: utc_now() + made.later,  # as it is looked up now
            )
            yield made
            db.session.remove()
            db.engine.dispose()
            for queue in services_of(app).queues:
                queue.disconnect()
        client.close()


# ---------------------------------------------------------------- what breaks


@contextmanager
def feed_refuses(site: Site) -> Iterator[None]:
    for slug in LEAGUES:
        site.feed.fail(slug, 403)
    site.tick()
    yield


@contextmanager
def one_league_fails(site: Site) -> Iterator[None]:
    site.feed.fail("nba", 503)
    site.tick()
    yield


@contextmanager
def live_data_is_stale(site: Site) -> Iterator[None]:
    now = utc_now()
    site.feed.say("nba", board(event("7", f"{now:%Y-%m-%dT%H:%M}Z", "in")))
    site.tick()
    feed_read_at(now - timedelta(minutes=12))
    yield


@contextmanager
def live_task_is_paused(_site: Site) -> Iterator[None]:
    actions.set_paused(TICK, True)
    yield


@contextmanager
def consumer_is_gone(_site: Site) -> Iterator[None]:
    with write_connection() as connection:
        connection.execute(delete(ConsumerProcess).filter_by(queue="sportsapp-backfill"))
    yield


@contextmanager
def nobody_sends(site: Site) -> Iterator[None]:
    site.patch.setattr(notify_huey, "is_needed", lambda _session: True)
    yield


@contextmanager
def scheduler_is_gone(site: Site) -> Iterator[None]:
    begin(TICK, timedelta(minutes=10))
    site.patch.setattr(huey.tracker, "beat", lambda *_: None)
    with write_connection() as connection:
        silent = update(ConsumerProcess).filter_by(queue="sportsapp", role="scheduler")
        connection.execute(silent.values(beat_at=utc_now() - timedelta(minutes=10)))
    yield


@contextmanager
def broker_is_away(site: Site) -> Iterator[None]:
    site.broker.kill()
    yield


def configure(site: Site, **values: str) -> None:
    with redis.Redis.from_url(site.settings.broker) as connection:
        for name, value in values.items():
            connection.config_set(name.replace("_", "-"), value)


@contextmanager
def broker_is_full(site: Site) -> Iterator[None]:
    configure(site, maxmemory="500kb")
    yield


@contextmanager
def broker_evicts(site: Site) -> Iterator[None]:
    configure(site, maxmemory_policy="allkeys-lru")
    yield


@contextmanager
def broker_keeps_nothing(site: Site) -> Iterator[None]:
    configure(site, appendonly="no")
    yield


@contextmanager
def database_is_read_only(site: Site) -> Iterator[None]:
    db.session.remove()
    with read_only(site.settings):
        db.engine.dispose()
        yield
        db.session.remove()
        db.engine.dispose()


@contextmanager
def database_is_damaged(site: Site) -> Iterator[None]:
    db.session.remove()
    merge_wal()
    path = site.settings.instance_path / "tracker.db"
    with closing(sqlite3.connect(path)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'players'"
        (root,) = connection.execute(query).fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    audit_seasons.call_local()
    db.session.rollback()
    yield


@contextmanager
def database_is_removed(site: Site) -> Iterator[None]:
    db.session.execute(db.text("SELECT 1"))  # a connection is open, as in a server
    db.session.rollback()
    (site.settings.instance_path / "tracker.db").unlink()
    yield


@contextmanager
def clock_is_wrong(site: Site) -> Iterator[None]:
    def date_of_feed(*_: object) -> str:
        return format_datetime(utc_now() + timedelta(minutes=10), usegmt=True)

    site.patch.setattr(QuietHandler, "date_time_string", date_of_feed)
    site.tick()
    yield


@contextmanager
def disk_is_full(site: Site) -> Iterator[None]:
    usage = shutil.disk_usage("/")._replace(free=0)
    site.patch.setattr(host.shutil, "disk_usage", lambda _: usage)
    yield


@contextmanager
def nothing_is_broken(_site: Site) -> Iterator[None]:
    yield


ONLY_SQLITE = pytest.mark.only_sqlite("its file is damaged, or gone")
SETUPS: dict[str, Callable[[Site], object]] = {
    "nothing": nothing_is_broken,
    "the feed refuses us": feed_refuses,
    "one league fails": one_league_fails,
    "live games are old": live_data_is_stale,
    "the live task is paused": live_task_is_paused,
    "a consumer is gone": consumer_is_gone,
    "nobody sends notifications": nobody_sends,
    "a scheduler is gone": scheduler_is_gone,
    "the broker is away": broker_is_away,
    "the broker is full": broker_is_full,
    "the broker drops keys": broker_evicts,
    "the broker keeps nothing": broker_keeps_nothing,
    "the database takes no writes": database_is_read_only,
    "the database is damaged": database_is_damaged,
    "the database's file is removed": database_is_removed,
    "the clock is wrong": clock_is_wrong,
    "the disk is full": disk_is_full,
}
CASES = [
    pytest.param(name, marks=ONLY_SQLITE if "damaged" in name or "removed" in name else ())
    for name in SETUPS
]


# ---------------------------------------------------------------- what the six say


def said_by_panel(site: Site) -> tuple[str, dict[str, str]]:
    page = site.panel.get("/admin/")
    problems = {name: state for state, name, _ in reversed(NOW.findall(page))}
    words = ("All is well", "Something needs attention", "Something is wrong")
    (word,) = [word for word in words if word in page]
    assert words.index(word) == max(
        (2 if s == "WRONG" else 1 for s in problems.values()), default=0
    )
    return word, dict(reversed(problems.items()))


def said_by_doctor(site: Site) -> dict[str, str]:
    done = site.app.test_cli_runner().invoke(args=["doctor", "--json"])
    rows = json.loads(done.stdout)["checks"]
    problems = {row["name"]: row["state"] for row in rows if row["state"] in LEVELS.values()}
    assert all(row["do"] for row in rows if row["state"] in LEVELS.values())
    assert done.exit_code == (1 if "WRONG" in problems.values() else 0)
    return problems


def said_by_readyz(site: Site) -> tuple[int, dict[str, str], dict[str, str]]:
    answer = site.app.test_client().get("/readyz")
    document = answer.json
    faults = {name: text for name, text in document["checks"].items() if text != "ok"}
    assert (answer.status_code, document["status"]) in ((200, "ok"), (503, "failing"))
    secrets = (str(site.settings.instance_path), "127.0.0.1", "/", "Error")
    assert not [secret for secret in secrets if secret in answer.text.replace("\\/", "/")]
    return answer.status_code, faults, document["warnings"]


def said_by_metrics(site: Site) -> dict[str, int]:
    text = site.app.test_client().get("/metrics").text
    return {
        sample.labels["check"]: int(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "sportsapp_check"
    }


def said_by_rules(levels: dict[str, int]) -> list[str]:
    """The rules that these values set off, once they have lasted."""
    raised = []
    for rule in RULES["groups"][0]["rules"]:
        compared = re.fullmatch(r"max by \(check\) \(sportsapp_check\) == (\d)", rule["expr"])
        if compared and int(compared[1]) in levels.values():
            raised.append(rule["alert"])
    return raised


def said_by_alerts(site: Site) -> dict[str, set[str]]:
    """The kinds of the messages: those that came soon, and those that came after ten minutes."""
    for site.later in (timedelta(0), LOOK_TWICE):
        site.beat()
    soon = site.alerted()
    site.later = LOOK_LATER
    site.beat()
    return {"soon": soon, "late": site.alerted() - soon}


KINDS = {check.name: check.kind for check in CHECKS} | {"damage": "damage"}


def row_of(name: str, site: Site) -> str:
    """What the six say of the site, as a row of the table; what they disagree on fails."""
    requests = len(site.feed.requests)
    word, panel = said_by_panel(site)
    levels = said_by_metrics(site)
    status, faults, warnings = said_by_readyz(site)
    alerts = said_by_alerts(site)
    assert len(site.feed.requests) == requests  # the doctor alone asks the feed
    doctor = said_by_doctor(site)
    assert doctor == panel
    assert {check: LEVELS[level] for check, level in levels.items() if level} == panel
    unknown = {check for check, text in faults.items() if text.startswith("unknown without")}
    assert faults.keys() - unknown | warnings.keys() == panel.keys()
    assert status == (503 if faults else 200)
    assert all(check in faults for check, state in panel.items()
               if state == "WRONG" and {c.name: c for c in CHECKS}[check].unready)  # fmt: skip
    for check, state in panel.items():
        assert KINDS[check] in alerts["soon" if state == "WRONG" else "late"], (check, alerts)
    assert said_by_rules(levels) == [
        rule for rule, state in (("SportsappWrong", "WRONG"), ("SportsappWarns", "WARN"))
        if state in panel.values()
    ]  # fmt: skip

    def listed(words: object) -> str:
        return ", ".join(words) or "nothing"

    states = listed(f"{state} {check}" for check, state in panel.items())
    shown = [f"{status}", *sorted(faults.keys() - unknown, key=list(faults).index)]
    ready = " ".join(shown[:1]) + (f": {', '.join(shown[1:])}" if shown[1:] else "")
    ready += f"; warns: {', '.join(warnings)}" if warnings else ""
    late = [f"{kind} after 10 min" for kind in sorted(alerts["late"])]
    cells = (
        name,
        f"“{word}”" if not panel else states,
        f"exit {1 if 'WRONG' in doctor.values() else 0}, {states if doctor else 'all ok'}",
        ready,
        listed([*sorted(alerts["soon"]), *late]),
        listed(f"{check} {level}" for check, level in levels.items() if level),
        listed(said_by_rules(levels)),
    )
    return "| " + " | ".join(cells) + " |"


def documented() -> list[str]:
    """The rows of the table in docs/operating.md."""
    page = (PROJECT_ROOT / "docs" / "operating.md").read_text()
    head = "| " + " | ".join(HEAD) + " |\n"
    return page.split(head)[1].split("\n\n")[0].splitlines()[1:]


@pytest.mark.parametrize("name", CASES)
def test_all_six_say_the_same_and_the_docs_say_what(name, site):
    with SETUPS[name](site):
        row = row_of(name, site)
    print(row)
    assert row in documented()


def test_docs_have_each_set_up_once_in_this_order():
    assert [row.split("|")[1].strip() for row in documented()] == list(SETUPS)

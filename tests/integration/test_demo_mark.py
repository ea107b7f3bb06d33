"""Made-up and real games are told apart by a mark in the database, and do not mix."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from flask import Flask

from sportsapp.core.errors import WrongFeedError
from sportsapp.core.running import announce
from sportsapp.core.settings import PROJECT_ROOT, Settings, load_settings
from sportsapp.db.engine import db
from sportsapp.db.identity import TABLE, database_id, is_demo, mark_as_demo, require_feed
from sportsapp.queue.huey import huey
from sportsapp.services import services_of
from tests.integration.events import board, event
from tests.parts import replace_services
from tests.quick import first_quick


@pytest.fixture
def real_feed(app: Flask) -> None:
    """The settings say that the real feed is read; nothing is requested from it."""
    settings = replace(services_of(app).settings, espn_base_url=Settings().espn_base_url)
    replace_services(app, settings=settings)


def test_database_is_no_demo_until_it_is_marked(app):
    assert not is_demo(db.engine)  # without a row
    name = database_id(db.engine)
    assert not is_demo(db.engine)
    assert mark_as_demo(db.engine)
    assert (is_demo(db.engine), database_id(db.engine)) == (True, name)


def test_database_with_games_is_not_marked_but_a_marked_one_keeps_its_mark(app, synced):
    synced("nfl", event())
    assert not mark_as_demo(db.engine)
    assert not is_demo(db.engine)


def test_demo_that_has_games_by_now_is_a_demo(app, synced):
    mark_as_demo(db.engine)
    synced("nfl", event())
    assert mark_as_demo(db.engine)


@pytest.mark.parametrize("words", ["sync", "sync leagues", "sync day NBA 2026-01-15", "audit"])
def test_real_feed_is_not_read_into_the_demo(runner, feed, real_feed, words):
    mark_as_demo(db.engine)
    done = runner.invoke(args=words.split())
    assert done.exit_code == 2
    assert done.output.startswith("ESPN_BASE_URL: is the real feed's, but this database holds the")
    assert len(done.output.splitlines()) == 1
    assert feed.requests == []


def test_feed_that_is_named_is_read_into_the_demo(runner, feed):
    mark_as_demo(db.engine)
    feed.say("nfl", board())
    assert "ESPN_BASE_URL" not in runner.invoke(args=["sync", "day", "NFL", "2026-01-15"]).output


def test_each_of_the_real_hosts_is_the_real_feed(app):
    mark_as_demo(db.engine)
    hosts = Settings().espn_base_url.split(",")
    assert len(hosts) > 1
    for named in (*hosts, f"http://127.0.0.1:7,{hosts[0]}"):
        with pytest.raises(WrongFeedError):
            require_feed(db.engine, replace(services_of(app).settings, espn_base_url=named))


def test_prepare_refuses_the_real_feed_too(runner, real_feed):
    mark_as_demo(db.engine)
    assert runner.invoke(args=["prepare"]).exit_code == 2


@pytest.mark.parametrize("queue", first_quick(["huey", "backfill_huey"]))
def test_consumer_of_the_real_feed_does_not_start(app, settings, queue):
    mark_as_demo(db.engine)
    environ = {name: text for name, text in os.environ.items() if name != "ESPN_BASE_URL"}
    environ |= {"INSTANCE_PATH": str(settings.instance_path), "REDIS_URL": settings.redis_url}
    done = subprocess.run(
        [sys.executable, "-m", "huey.bin.huey_consumer", f"huey_config.{queue}", "-k", "process"],
        cwd=PROJECT_ROOT, env={**environ, "DATABASE_URL": settings.database_url},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("ESPN_BASE_URL: is the real feed's, but this database holds the")
    assert len(done.stderr.splitlines()) == 1


def test_consumer_waits_for_a_database_that_cannot_be_read(app, real_feed):
    mark_as_demo(db.engine)
    TABLE.drop(db.engine)
    huey.tracker.exit_if_wrong_feed()


@pytest.mark.long
@pytest.mark.only_sqlite("the demo has a file of its own")
@pytest.mark.parametrize(("options", "is_marked"), [(["--demo"], False), ([], True)])
def test_flask_up_does_not_mix_them(app, instance, synced, options, is_marked):
    if is_marked:
        mark_as_demo(db.engine)
    synced("nfl", event())
    names = ("DATABASE_URL", "ESPN_BASE_URL", "REDIS_URL")
    environ = {name: text for name, text in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "up", *options],
        cwd=PROJECT_ROOT, env={**environ, "INSTANCE_PATH": str(instance), "PORT": "5999"},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert ("ESPN_BASE_URL" if is_marked else "INSTANCE_PATH") in done.stderr.splitlines()[-1]
    assert not (instance / "running.json").exists()


def test_commands_with_a_database_of_their_own_do_not_use_the_demos_feed(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path))
    announce(tmp_path, {"ESPN_BASE_URL": "http://127.0.0.1:7", "DATABASE_URL": ""})
    assert load_settings().espn_base_url == "http://127.0.0.1:7"
    monkeypatch.setenv("DATABASE_URL", "sqlite:////srv/real.db")
    assert load_settings().espn_base_url == Settings().espn_base_url

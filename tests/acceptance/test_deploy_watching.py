"""deploy/prometheus and deploy/grafana, by Prometheus' own tool and a real answer of /metrics."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.db.engine import db
from sportsapp.db.models import RunState
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from tests.integration.events import board, event
from tests.panel import add_failure, add_run

PROMETHEUS = PROJECT_ROOT / "deploy" / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
DASHBOARD = json.loads((PROJECT_ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
CASES = PROJECT_ROOT / "tests" / "samples" / "alerts.test.yml"
OF_PROMETHEUS = {"up"}
NAME = re.compile(r"\b(up|sportsapp_\w+)\b(?!\")")


def questions() -> list[str]:
    """What the dashboard asks Prometheus, as Grafana sends it."""
    asked = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [expression.replace("$__rate_interval", "5m") for expression in asked]


def named() -> set[str]:
    """The metrics that alerts and dashboard speak of."""
    texts = [*questions(), *(rule["expr"] for rule in ALERTS.values())]
    return {name for text in texts for name in NAME.findall(text)}


def promtool(*words: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    if not shutil.which("promtool"):
        pytest.skip("needs promtool (Debian's prometheus)")
    return subprocess.run(["promtool", *words], capture_output=True, text=True, **more)


def assert_is_sound(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def scraped(real_app, feed) -> str:
    """What /metrics says of an instance at work, with something of everything."""
    day = game_day(utc_now())
    feed.say("nfl", board(event(start=f"{day}T17:00Z")))
    sync_day(
        SyncContext(services_of(real_app).feed_client, db.session, utc_now()), BY_SLUG["nfl"], day
    )
    add_run("sync_all_live_games")
    add_run("sync_all_teams", RunState.STARTED)
    add_failure(task="sync_all_teams")
    db.session.remove()
    answer = real_app.test_client().get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return answer.text


def test_prometheus_finds_no_fault_with_what_is_scraped(scraped):
    assert_is_sound(promtool("check", "metrics", input=scraped))


def test_alerts_and_dashboard_speak_of_metrics_that_there_are(scraped):
    exported = set(re.findall(r"^(sportsapp_\w+)(?:\{| )", scraped, re.MULTILINE))
    assert len(exported) > 14
    assert named() - OF_PROMETHEUS <= exported


def test_labels_that_are_asked_for_are_there(scraped):
    def labels(line: str) -> set[str]:
        return set(re.findall(r"(\w+)=\"", line))

    texts = [*questions(), *(rule["expr"] for rule in ALERTS.values())]
    known = {"job", "instance"}
    for line in scraped.splitlines():
        known |= labels(line)
    for text in texts:
        grouped = {name for names in re.findall(r"(?:by|on) \(([^)]*)\)", text)
                   for name in names.split(", ")}  # fmt: skip
        assert grouped | set(re.findall(r"(\w+)(?:=|!=|=~)\"", text)) <= known, text


def test_prometheus_can_ask_everything_that_the_dashboard_asks(tmp_path):
    rules = [{"record": f"asked:{n}", "expr": text} for n, text in enumerate(questions())]
    file = tmp_path / "asked.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    assert_is_sound(promtool("check", "rules", file))


def test_panels_lie_beside_each_other_and_can_be_told_apart():
    panels = DASHBOARD["panels"]
    for what in ("id", "title"):
        assert len({panel[what] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        fields = {
            (place["x"] + across, place["y"] + down)
            for across in range(place["w"]) for down in range(place["h"])
        }  # fmt: skip
        assert not fields & taken, panel["title"]
        taken |= fields
        for one in (panel, *panel["targets"]):
            assert one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    (variable,) = DASHBOARD["templating"]["list"]
    assert (variable["name"], variable["type"]) == ("datasource", "datasource")


def test_config_is_sound_and_sends_the_token(tmp_path):
    token = tmp_path / "token"
    token.write_text("a token")
    text = (PROMETHEUS / "scrape.yml").read_text()
    (tmp_path / "scrape.yml").write_text(
        text.replace("/etc/prometheus/sportsapp.token", str(token))
    )
    shutil.copy(PROMETHEUS / "alerts.yml", tmp_path)
    assert_is_sound(promtool("check", "config", tmp_path / "scrape.yml"))
    (job,) = yaml.safe_load(text)["scrape_configs"]
    assert job["job_name"] == "sportsapp"
    assert job["authorization"] == {"credentials_file": "/etc/prometheus/sportsapp.token"}


def test_every_alert_is_raised_when_it_should_be_and_not_otherwise(tmp_path):
    shutil.copy(PROMETHEUS / "alerts.yml", tmp_path)
    shutil.copy(CASES, tmp_path)
    assert_is_sound(promtool("check", "rules", tmp_path / "alerts.yml"))
    assert_is_sound(promtool("test", "rules", tmp_path / CASES.name))
    tried: dict[bool, set[str]] = {True: set(), False: set()}
    for case in yaml.safe_load(CASES.read_text())["tests"]:
        for one in case["alert_rule_test"]:
            tried[bool(one["exp_alerts"])].add(one["alertname"])
    assert tried == {True: set(ALERTS), False: set(ALERTS)}

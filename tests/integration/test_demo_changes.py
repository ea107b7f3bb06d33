"""The demo feed can be switched to what ESPN's feed changed in 2026."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from demo import DemoState, create_demo_feed
from demo.changes import CHANGES, IN_FORCE
from sportsapp.core.settings import PROJECT_ROOT

SUNDAY = datetime(2026, 11, 22, 18, 40, tzinfo=UTC)
FIRST, SECOND = "http://127.0.0.1:5060", "http://localhost:5060"
LIBRARY, OURS = "python-requests/2.34", "SportsGameTracker/1.0 (+https://example.org/tracker)"
BOARD = "/apis/site/v2/sports/{}/scoreboard?{}"


class Feed:
    """A demo feed on a Sunday, asked without a socket."""

    def __init__(self) -> None:
        app = create_demo_feed(now=lambda: SUNDAY, changes=())
        self.state: DemoState = app.extensions["demo"]
        self.client = app.test_client()

    def ask(self, query: str, league: str = "hockey/nhl", host: str = FIRST, agent: str = OURS):
        path = BOARD.format(league, query)
        return self.client.get(path, base_url=host, headers={"User-Agent": agent})

    def count(self, query: str, league: str = "hockey/nhl") -> int:
        return len(self.ask(query, league).get_json()["events"])


@pytest.fixture
def feed() -> Feed:
    return Feed()


FORMS = {
    "range": "dates=20261101-20261103",
    "month": "dates=202611",
    "week": "dates=2026&seasontype=2&week=11",
    "undated": "limit=500",
}
DAY = "dates=20261122&limit=500"


@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_the_dates_is_refused_once_it_is_switched_off(name, feed):
    def answers(query: str) -> int:
        return feed.ask(query, "football/nfl").status_code

    assert {form: answers(query) for form, query in FORMS.items()} == dict.fromkeys(FORMS, 200)
    feed.state.change(name)
    expected = dict.fromkeys(FORMS, 200) | {name: 400}
    assert {form: answers(query) for form, query in FORMS.items()} == expected
    assert answers(DAY) == 200


def test_range_has_the_games_of_its_days(feed):
    days = [feed.count(f"dates=2026110{day}") for day in (1, 2, 3)]
    assert feed.count(FORMS["range"]) == sum(days) > 0


def test_long_answers_are_cut_off_only_with_the_change(feed):
    queries = ("", "&limit=1000", "&limit=500", "&limit=50")
    whole = feed.count("dates=202611")
    assert whole > 200
    assert [feed.count(f"dates=202611{query}") for query in queries] == [whole] * 3 + [50]
    feed.state.change("limit")
    assert [feed.count(f"dates=202611{query}") for query in queries] == [100, 25, whole, 50]


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (None, set()),
        ("host", {(FIRST, LIBRARY), (FIRST, OURS)}),
        ("agent", {(FIRST, OURS)}),
    ],
)
def test_first_host_refuses_everybody_or_agents_that_are_no_library(change, refused, feed):
    feed.state.change(*filter(None, [change]))
    callers = [(host, agent) for host in (FIRST, SECOND) for agent in (LIBRARY, OURS)]
    answers = {who: feed.ask(DAY, host=who[0], agent=who[1]).status_code for who in callers}
    assert answers == {who: 403 if who in refused else 200 for who in callers}


def test_fields_have_other_names_and_the_same_values(feed):
    def sides() -> list[dict[str, Any]]:
        (event, *_) = feed.ask(DAY, "football/nfl").get_json()["events"]
        return event["competitions"][0]["competitors"]

    before = [(side["score"], side["linescores"]) for side in sides()]
    feed.state.change("fields")
    after = sides()
    lines = [[{**line, "displayValue": line["text"]} for line in s["scoreByPeriod"]] for s in after]
    assert not {"score", "linescores"} & after[0].keys()
    for line in (line for side in lines for line in side):
        del line["text"]
    assert [(side["points"], each) for side, each in zip(after, lines, strict=True)] == before


def test_changes_work_in_pairs(feed):
    feed.state.change("host", "month")
    assert feed.ask("dates=202611").status_code == 403
    assert feed.ask("dates=202611", host=SECOND).status_code == 400
    assert feed.ask(DAY, host=SECOND).status_code == 200


def test_changes_are_switched_over_http(feed):
    put = feed.client.put("/demo/changes", json={"changes": ["month", "host"]})
    assert put.get_json() == {"changes": ["host", "month"], "known": CHANGES}
    assert feed.state.changes == {"host", "month"}
    assert feed.client.put("/demo/changes", json={"changes": []}).get_json()["changes"] == []


@pytest.mark.parametrize("body", [{"changes": ["weather"]}, {"changes": "host"}, {}, []])
def test_unknown_change_is_refused_and_nothing_changes(body, feed):
    feed.state.change("limit")
    answer = feed.client.put(
        "/demo/changes", data=json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer.get_json()["error"]
    assert feed.state.changes == {"limit"}


def test_command_takes_changes_beside_those_of_september():
    command = [sys.executable, "-m", "demo", "--port", "0", "--change", "month", "--change", "host"]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[-1]
        answer = requests.get(f"{address}/demo/changes", timeout=10)
        process.terminate()
    assert answer.json()["changes"] == ["host", "limit", "month", "range"]


def test_ranges_and_limits_are_as_they_are_since_september():
    assert create_demo_feed().extensions["demo"].changes == IN_FORCE == {"range", "limit"}

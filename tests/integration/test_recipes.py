"""The recipes of docs/screens.md, each used as its program uses it, against a real site over HTTP.

What the programs know is written down here from their documentation: they are not started.
Templates of Home Assistant are rendered by Jinja, as there. Those of Glance are Go's: ``as_jinja``
translates the few actions that the recipes use, and refuses every other one. With Go's
html/template and gjson they gave the same text when they were written.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import yaml
from jinja2 import Environment, StrictUndefined
from paho.mqtt.client import topic_matches_sub
from sqlalchemy import select

from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import ScoreEvent
from sportsapp.notify.mqtt import PREFIX, publications
from sportsapp.notify.texts import GameEvent, message_of
from tests.integration.events import event
from tests.loopback import serving

DASHBOARD = "https://home.example.org"
OURS = "https://scores.example.org"
SHOWN = ("Eagles 17, Cowboys 20", "9:03 - 3rd Quarter")
COMING = ("Eagles at Cowboys", "Scheduled")
TODAY = [SHOWN, ("Giants 3, Jets 6", "Final")]

# Options by program and part. https://www.home-assistant.io/integrations/rest/, .../sensor.rest/,
# .../mqtt/ ("MQTT trigger"), /docs/automation/yaml/, /dashboards/iframe/
REST = {
    "resource", "resource_template", "method", "payload", "verify_ssl", "timeout", "authentication",
    "username", "password", "headers", "params", "scan_interval", "encoding", "sensor",
    "binary_sensor",
}  # fmt: skip
REST_SENSOR = {
    "name", "unique_id", "icon", "picture", "value_template", "json_attributes",
    "json_attributes_path", "force_update", "device_class", "state_class", "unit_of_measurement",
    "availability",
}  # fmt: skip
AUTOMATION = {"alias", "id", "description", "triggers", "conditions", "actions", "mode"}
MQTT_TRIGGER = {"trigger", "topic", "payload", "value_template", "encoding", "qos", "id"}
ACTION = {"action", "target", "data"}
WEBPAGE_CARD = {"type", "url", "aspect_ratio", "title"}
# https://gethomepage.dev/configs/services/, /widgets/services/customapi/, .../iframe/
SERVICE = {"href", "icon", "description", "target", "widget", "widgets"}
CUSTOM_API = {
    "type", "url", "refreshInterval", "username", "password", "method", "headers", "requestBody",
    "display", "mappings",
}  # fmt: skip
FIELD = {
    "field", "label", "format", "remap", "scale", "prefix", "suffix", "locale", "dateStyle",
    "timeStyle", "style", "numeric", "additionalField",
}  # fmt: skip
ADDITIONAL_FIELD = FIELD - {"label", "additionalField"} | {"color"}
DYNAMIC_LIST = {"items", "name", "label", "limit", "format", "target"}
FRAME = {
    "type", "name", "src", "classes", "referrerPolicy", "allowPolicy", "allowFullscreen",
    "loadingStrategy", "allowScrolling", "refreshInterval",
}  # fmt: skip
# https://github.com/glanceapp/glance: docs/configuration.md (shared, "Custom API", "iframe")
WIDGET = {"type", "title", "title-url", "cache", "css-class", "hide-header"}
GLANCE = {
    "custom-api": WIDGET | {
        "url", "headers", "method", "body-type", "body", "frameless", "allow-insecure",
        "skip-json-validation", "template", "options", "parameters", "subrequests",
    },
    "iframe": WIDGET | {"source", "height"},
}  # fmt: skip
# https://dashy.to/docs/widgets ("Iframe Widget", "API Response", "Widget UI Options")
DASHY_WIDGET = {
    "type", "options", "updateInterval", "useProxy", "timeout", "ignoreErrors", "label"
}  # fmt: skip
DASHY = {
    "iframe": {"url", "frameHeight"},
    "customapi": CUSTOM_API - {"type"},
}

Fetch = Callable[..., requests.Response]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, embed_origins=(DASHBOARD,))


@pytest.fixture
def fetch(app, synced, clock) -> Iterator[Fetch]:
    """GET of an address of the recipes, from a site with a live game of Dallas, and others."""
    synced(
        "nfl",
        of_teams(event("401", state="in"), ("6", "Cowboys", "DAL"), ("21", "Eagles", "PHI")),
        of_teams(
            event("402", "2026-01-15T21:00Z", home=6, away=3),
            ("20", "Jets", "NYJ"),
            ("19", "Giants", "NYG"),
        ),
    )
    with serving(app) as url:

        def get(address: str, **options: Any) -> requests.Response:
            assert address.startswith(OURS)
            answer = requests.get(address.replace(OURS, url), timeout=10, **options)
            assert answer.status_code == 200, (address, answer.text)
            return answer

        yield get


def of_teams(made: dict[str, Any], *teams: tuple[str, str, str]) -> dict[str, Any]:
    """The event as a game of these teams, home first."""
    for side, (espn_id, name, short) in zip(
        made["competitions"][0]["competitors"], teams, strict=True
    ):
        names = {"displayName": f"The {name}", "shortDisplayName": name, "abbreviation": short}
        side["team"] = {"id": espn_id} | names
    return made


def next_one(synced: Callable[..., None]) -> None:
    """No game is live any more: Dallas has won this one, and plays again on Sunday."""
    teams = ("6", "Cowboys", "DAL"), ("21", "Eagles", "PHI")
    synced("nfl", of_teams(event("401"), *teams))
    synced("nfl", of_teams(event("403", "2026-01-18T20:00Z", "pre"), *teams))


def recipes(program: str) -> list[Any]:
    """What the YAML blocks under this heading hold."""
    page = (PROJECT_ROOT / "docs/screens.md").read_text()
    (section,) = re.findall(rf"^### {program}\n(.*?)^##", page, re.DOTALL | re.MULTILINE)
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)]


def rendered(template: str, **values: Any) -> str:
    """Home Assistant's templates are Jinja's."""
    return Environment(undefined=StrictUndefined).from_string(template).render(values)  # noqa: S701


def dotted(path: str, value: Any) -> Any:
    """The value at ``current.home.score`` or ``games.0``; None where there is nothing."""
    for name in path.split("."):
        if value is not None:
            value = value[int(name)] if isinstance(value, list) else value.get(name)
    return value


def assert_framed(fetch: Fetch, address: str) -> None:
    """The dashboard may show this page in a frame."""
    policy = fetch(address).headers["Content-Security-Policy"]
    assert f"frame-ancestors {DASHBOARD}" in policy
    assert set(re.findall(r"[?&](\w+)=", address)) <= {"theme", "zone", "clock", "scores"}


# ---------------------------------------------------------------- Home Assistant


def test_home_assistant_shows_a_team_and_a_league(fetch):
    sensors, card, _ = recipes("Home Assistant")
    (rest,) = sensors["rest"]
    (sensor,) = rest["sensor"]
    assert (rest.keys() - REST, sensor.keys() - REST_SENSOR) == (set(), set())
    answer = fetch(rest["resource"]).json()
    assert rendered(sensor["value_template"], value_json=answer) == SHOWN[0]
    game = dotted(sensor["json_attributes_path"].removeprefix("$."), answer)
    assert [name for name in sensor["json_attributes"] if game.get(name) is None] == []
    assert (game["state"], game["detail"]) == ("in", SHOWN[1])
    assert card.keys() <= WEBPAGE_CARD
    assert card["type"] == "iframe"
    assert_framed(fetch, card["url"])


def test_home_assistant_is_triggered_by_a_score_of_its_team_alone(fetch, synced):
    *_, automations = recipes("Home Assistant")
    (automation,) = automations["automation"]
    (trigger,), (action,) = automation["triggers"], automation["actions"]
    assert automation.keys() <= AUTOMATION
    assert trigger.keys() <= MQTT_TRIGGER
    assert action.keys() <= ACTION
    teams = ("6", "Cowboys", "DAL"), ("21", "Eagles", "PHI")
    for home, away in ((27, 17), (27, 20)):
        synced("nfl", of_teams(event("401", state="in", home=home, away=away), *teams))
    synced("nfl", of_teams(event("401", home=27, away=20), *teams))
    game = queries.find_game(db.session, "nfl", "401")
    events = select(ScoreEvent).where(ScoreEvent.game_id == game.id).order_by(ScoreEvent.id)
    told = [GameEvent(one, game) for one in db.session.scalars(events)]
    published = publications(PREFIX, message_of(told, hides_scores=False))
    heard = [each for each in published if topic_matches_sub(trigger["topic"], each.topic)]
    fired = [
        each.value["points"]
        for each in heard
        if rendered(trigger["value_template"], value_json=each.value) == trigger["payload"]
    ]
    assert len(heard) == len(told) > len(fired)
    assert fired == [7]
    assert {each.value["kind"] for each in heard} >= {"score", "final"}
    sensors = {each.value.get("default_entity_id") for each in published}
    page = (PROJECT_ROOT / "docs/screens.md").read_text()
    assert set(re.findall(r"`(sensor\.\w+)`", page)) < sensors


# ---------------------------------------------------------------- Homepage


def test_homepage_shows_a_team_a_league_and_a_frame(fetch, synced):
    (groups,) = recipes("Homepage")
    services = [service for group in groups for items in group.values() for service in items]
    team, today, frame = (options for service in services for options in service.values())
    assert [options.keys() - SERVICE for options in (team, today, frame)] == [set()] * 3
    fetch(team["href"])
    assert listed(fetch, team["widget"]) == [("Now", *SHOWN), ("Next", None, None)]
    assert shown_items(fetch, today["widget"]) == TODAY
    assert frame["widget"].keys() <= FRAME
    assert frame["widget"]["type"] == "iframe"
    assert_framed(fetch, frame["widget"]["src"])
    next_one(synced)
    assert listed(fetch, team["widget"])[1] == ("Next", *COMING)


def listed(fetch: Fetch, widget: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a custom API with ``display: list``: label, value and the value beside it."""
    assert widget.keys() <= CUSTOM_API
    assert (widget["type"], widget["display"]) == ("customapi", "list")
    answer = fetch(widget["url"]).json()
    rows = []
    for row in widget["mappings"]:
        more = row["additionalField"]
        assert (row.keys() - FIELD, more.keys() - ADDITIONAL_FIELD) == (set(), set())
        rows.append((row["label"], dotted(row["field"], answer), dotted(more["field"], answer)))
    return rows


def shown_items(fetch: Fetch, widget: dict[str, Any]) -> list[tuple[Any, Any]]:
    """The rows of a ``dynamic-list``, name left and label right. Each leads to its target."""
    assert widget.keys() <= CUSTOM_API
    assert (widget["type"], widget["display"]) == ("customapi", "dynamic-list")
    row = widget["mappings"]
    assert row.keys() <= DYNAMIC_LIST
    items = dotted(row["items"], fetch(widget["url"]).json())
    for item in items:  # only names of the item itself are replaced
        fetch(re.sub(r"\{([^}]+)\}", lambda name, item=item: str(item[name[1]]), row["target"]))
    return [(dotted(row["name"], item), dotted(row["label"], item)) for item in items]


# ---------------------------------------------------------------- Glance


ACTION_OF_GO = re.compile(r'(range |if )?\.(JSON\.)?(String|Array|Exists) "([\w.]+)"')
WORDS = {None: "String", "range ": "Array", "if ": "Exists"}


def as_jinja(template: str) -> str:
    """A template of Glance for Jinja, whose loops and conditions mean the same.

    ``.JSON.String "a.b"`` is a value of the answer, ``.String "a"`` in a range one of the item.
    What is not there is an empty text or list. Any other action fails.
    """
    opened: list[str] = []

    def translated(action: re.Match[str]) -> str:
        if action[1] in ("else", "end"):
            return f"{{% {'else' if action[1] == 'else' else opened.pop()} %}}"
        matched = ACTION_OF_GO.fullmatch(action[1])
        assert matched, f"not known here: {action[1]}"
        word, is_of_answer, kind, path = matched.groups()
        assert kind == WORDS[word]
        value = f'dotted("{path}", {"answer" if is_of_answer else "item"})'
        if word is None:
            return f"{{{{ {value} or '' }}}}"
        opened.append("endfor" if word == "range " else "endif")
        return f"{{% {f'for item in {value} or []' if word == 'range ' else f'if {value}'} %}}"

    found = re.sub("{{ (.*?) }}", translated, template)
    assert not opened
    return found


def glance(fetch: Fetch, widget: dict[str, Any]) -> str:
    """The widget's HTML. ``parameters`` replace what the address has behind its question mark."""
    assert not urlsplit(widget["url"]).query
    answer = fetch(widget["url"], params=widget.get("parameters")).json()
    environment = Environment(undefined=StrictUndefined, autoescape=True)
    template = environment.from_string(as_jinja(widget["template"]))
    return template.render(answer=answer, dotted=dotted)


def lines(markup: str) -> list[str]:
    """The lines of text in this HTML."""
    text = html.unescape(re.sub(r"<[^>]+>", "", markup))
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_glance_shows_a_team_a_league_and_a_frame(fetch, synced):
    ((team, today, frame),) = recipes("Glance")
    for widget in (team, today, frame):
        assert widget.keys() <= GLANCE[widget["type"]]
        assert re.fullmatch(r"\d+[smhd]", widget.get("cache", "1m"))
    assert lines(glance(fetch, team)) == list(SHOWN)
    markup = glance(fetch, today)
    assert lines(markup) == [text for row in TODAY for text in row]
    for link in re.findall(r'href="([^"]+)"', markup):
        fetch(link)
    assert_framed(fetch, frame["source"])
    next_one(synced)
    assert lines(glance(fetch, team))[2:] == [", ".join(COMING)]
    synced("nfl", day=date(2026, 1, 16))
    markup = glance(fetch, today | {"parameters": {"league": "nfl", "date": "2026-01-16"}})
    assert lines(markup) == ["No games today"]


# ---------------------------------------------------------------- Dashy


def test_dashy_shows_a_frame_and_a_team(fetch, synced):
    (page,) = recipes("Dashy")
    (section,) = page["sections"]
    frame, team = section["widgets"]
    for widget in (frame, team):
        assert widget.keys() <= DASHY_WIDGET
        assert widget["options"].keys() <= DASHY[widget["type"]]
    assert_framed(fetch, frame["options"]["url"])
    options = team["options"]
    assert [row.keys() - FIELD for row in options["mappings"]] == [set()] * 3
    answer = fetch(options["url"], headers={"Origin": DASHBOARD})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"  # the browser asks, not a server
    values = [dotted(row["field"], answer.json()) for row in options["mappings"]]
    assert values == [*SHOWN, None]
    next_one(synced)
    assert dotted(options["mappings"][2]["field"], fetch(options["url"]).json()) == COMING[0]

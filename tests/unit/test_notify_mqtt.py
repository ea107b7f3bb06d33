"""What is published of a message: topics without surprises, a team's last state, a sensor."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sportsapp.core.errors import TargetError
from sportsapp.notify.message import Message
from sportsapp.notify.mqtt import MqttTarget, publications

CHIEFS = {"abbreviation": "KC", "name": "Kansas City Chiefs", "score": 24}
JETS = {"abbreviation": "NYJ", "name": "New York Jets", "score": 20}


def event(**parts: Any) -> dict[str, Any]:
    return {
        "id": 123, "kind": "score", "league": "nfl", "game": "401547417", "state": "live",
        "side": "home", "points": 7, "period": 4, "detail": "3:12 - 4th",
        "read_at": "2026-11-29T21:14:05Z", "home": CHIEFS, "away": JETS,
    } | parts  # fmt: skip


def published(*events: dict[str, Any], prefix: str = "games") -> dict[str, Any]:
    return {each.topic: each for each in publications(prefix, Message("a", "b", events))}


def test_event_and_both_teams_and_their_sensors():
    found = published(event())
    assert list(found) == [
        "homeassistant/sensor/games_nfl_KC/config",
        "homeassistant/sensor/games_nfl_NYJ/config",
        "games/events/nfl/401547417",
        "games/nfl/KC/state",
        "games/nfl/NYJ/state",
    ]
    assert [each.retain for each in found.values()] == [True, True, False, True, True]
    assert found["games/events/nfl/401547417"].value == event()
    assert found["games/nfl/NYJ/state"].value == {
        "state": "live", "detail": "3:12 - 4th", "league": "nfl", "game": "401547417",
        "team": "New York Jets", "score": 20, "side": "away",
        "opponent": "Kansas City Chiefs", "opponent_score": 24,
        "updated_at": "2026-11-29T21:14:05Z",
    }  # fmt: skip
    assert found["homeassistant/sensor/games_nfl_KC/config"].value == {
        "name": "Kansas City Chiefs (NFL)",
        "unique_id": "games_nfl_KC",
        "default_entity_id": "sensor.games_nfl_kc",
        "state_topic": "games/nfl/KC/state",
        "value_template": "{{ value_json.state }}",
        "json_attributes_topic": "games/nfl/KC/state",
        "icon": "mdi:scoreboard",
        "device": {"identifiers": ["games"], "name": "Sports Game Tracker"},
        "origin": {"name": "Sports Game Tracker"},
    }


def test_every_event_is_published_and_of_states_the_last():
    more = event(id=124, home=CHIEFS | {"score": 25})
    each = publications("games", Message("a", "b", [event(), more]))
    assert [one.value["id"] for one in each if "/events/" in one.topic] == [123, 124]
    assert [one.value["score"] for one in each if one.topic == "games/nfl/KC/state"] == [25]


def test_test_message_is_published_and_not_kept():
    (each,) = publications("games", Message("A test", "It works."))
    assert (each.topic, each.retain) == ("games/test", False)
    assert each.value == {"title": "A test", "body": "It works."}


@pytest.mark.parametrize("team", [None, {"abbreviation": None, "name": "Winner of game 3"}])
def test_team_that_is_not_known_has_no_state(team):
    found = published(event(home=team, away=JETS | {"score": None}))
    assert [topic for topic in found if topic.endswith("/state")] == ["games/nfl/NYJ/state"]
    assert found["games/nfl/NYJ/state"].value["opponent_score"] is None


@pytest.mark.parametrize("odd", ["TA&M", "+", "#", "A/B", "$SYS", "a\0b", "É", "../x", "\ud800"])
def test_odd_characters_break_no_topic(odd):
    for topic in published(event(game=odd, home=CHIEFS | {"abbreviation": odd})):
        assert re.fullmatch(r"(games|homeassistant)(/[A-Za-z0-9_-]+)+", topic)
        assert topic.count("/") == 3


@pytest.mark.parametrize(
    ("path", "prefix"),
    [("", "sportsgametracker"), ("/", "sportsgametracker"), ("/home/games/", "home/games")],
)
def test_prefix(path, prefix):
    assert MqttTarget(f"mqtt://host.test{path}").prefix == prefix


@pytest.mark.parametrize("path", ["/a/+", "/%23", "/a#b", "/$SYS", "/a?b=c", "/a%00", "/a%0Ab"])
def test_prefix_that_is_no_part_of_a_topic(path):
    with pytest.raises(TargetError, match="ends with the topics' prefix"):
        MqttTarget(f"mqtt://host.test{path}")


@pytest.mark.parametrize(("scheme", "port"), [("mqtt", 1883), ("mqtts", 8883)])
def test_account_and_port(scheme, port):
    target = MqttTarget(f"{scheme}://me%40home:t%2Fken@host.test")
    assert (target.account, target.port) == (("me@home", "t/ken"), port)
    assert MqttTarget(f"{scheme}://host.test:99").port == 99

"""Messages to an MQTT broker: each event, and each team's state, which Home Assistant finds."""

import json
import re
import select
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from sportsapp.core.errors import NotifyError, TargetError
from sportsapp.notify.message import Message

SECONDS = 10
PORTS = {"mqtt": 1883, "mqtts": 8883}
PREFIX, DISCOVERY = "sportsgametracker", "homeassistant"
NAME = "Sports Game Tracker"


@dataclass(frozen=True, slots=True)
class Publication:
    """What is published on a topic. A broker may refuse one that is not ``wanted``."""

    topic: str
    value: Mapping[str, Any]
    retain: bool = True
    wanted: bool = True


@dataclass(slots=True)
class Answers:
    """What the broker has answered: to the connection, and to each publication by its number."""

    connection: ReasonCode | None = None
    published: dict[int, ReasonCode] = field(default_factory=dict)


class MqttTarget:
    """``mqtt://user:password@host:1883/prefix``, or ``mqtts://`` for TLS. Raises TargetError."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.is_secure = parts.hostname or "", parts.scheme == "mqtts"
        self.port = parts.port or PORTS[parts.scheme]
        self.account = unquote(parts.username or ""), unquote(parts.password or "")
        self.prefix = unquote(parts.path).strip("/") or PREFIX
        if parts.query or parts.fragment or not re.fullmatch(r"[\w.~ -][\w.~ /-]*", self.prefix):
            raise TargetError("an MQTT address ends with the topics' prefix, of letters and digits")

    def send(self, message: Message) -> None:
        """Publish with QoS 1, and wait until the broker has taken all: ten seconds at most."""
        ends_at = time.monotonic() + SECONDS
        client, answers = self._client()
        try:
            client.connect(self.host, self.port)
            self._deliver(client, answers, ends_at, message)
        except (OSError, ValueError) as error:
            name = type(error).__name__
            raise NotifyError(f"the MQTT broker cannot be reached ({name})") from None
        finally:
            client.disconnect()

    def _client(self) -> tuple[Client, Answers]:
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.connect_timeout = SECONDS / 2
        if any(self.account):
            client.username_pw_set(*self.account)
        if self.is_secure:
            client.tls_set_context(ssl.create_default_context())
        answers = Answers()

        def on_connect(_client: Any, _data: Any, _flags: Any, code: ReasonCode, _more: Any) -> None:
            answers.connection = code

        def on_publish(_client: Any, _data: Any, mid: int, code: ReasonCode, _more: Any) -> None:
            answers.published[mid] = code

        client.on_connect, client.on_publish = on_connect, on_publish
        return client, answers

    def _deliver(self, client: Client, answers: Answers, ends_at: float, message: Message) -> None:
        _wait(client, ends_at, lambda: answers.connection is not None)
        _refuse(answers.connection, "the connection")
        wanted: set[int] = set()
        for each in publications(self.prefix, message):
            info = client.publish(each.topic, json.dumps(each.value), qos=1, retain=each.retain)
            if each.wanted:
                wanted.add(info.mid)
        _wait(client, ends_at, lambda: wanted <= answers.published.keys())
        for mid in wanted:
            _refuse(answers.published[mid], "a message")


def _wait(client: Client, ends_at: float, is_done: Callable[[], bool]) -> None:
    """Let the client read and write until then.

    Not by its ``loop()``, which connects to itself: that is no public address.
    """
    status = MQTTErrorCode.MQTT_ERR_SUCCESS
    while not is_done():
        connection = client.socket()
        if status != MQTTErrorCode.MQTT_ERR_SUCCESS or connection is None:
            raise NotifyError("the MQTT broker ended the connection")
        left = ends_at - time.monotonic()
        if left <= 0:
            raise NotifyError(f"the MQTT broker did not answer within {SECONDS} s")
        is_read = isinstance(connection, ssl.SSLSocket) and connection.pending()
        writing = [connection] if client.want_write() else []
        readable, writable, _ = select.select([connection], writing, [], 0 if is_read else left)
        if readable or is_read:
            status = client.loop_read()
        if writable:
            client.loop_write()


def _refuse(code: ReasonCode | None, what: str) -> None:
    if code is not None and code.is_failure:
        raise NotifyError(f"the MQTT broker refused {what}: {code}")


def publications(prefix: str, message: Message) -> list[Publication]:
    """What to publish of a message, in order. Of a team's states in it, the last one only."""
    if not message.events:
        text = {"title": message.title, "body": message.body}
        return [Publication(f"{prefix}/test", text, retain=False)]
    events, states = [], {}
    for event in message.events:
        topic = f"{prefix}/events/{level(event['league'])}/{level(event['game'])}"
        events.append(Publication(topic, event, retain=False))
        for side, other in (("home", "away"), ("away", "home")):
            if (event[side] or {}).get("abbreviation"):
                topic = (
                    f"{prefix}/{level(event['league'])}/{level(event[side]['abbreviation'])}/state"
                )
                states[topic] = Publication(topic, team_state(event, side, other))
    return [_sensor(prefix, state) for state in states.values()] + events + [*states.values()]


def level(text: str) -> str:
    """The text as one level of a topic, and of a name in Home Assistant."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)


def team_state(event: Mapping[str, Any], side: str, other: str) -> dict[str, Any]:
    """A team's game as the event has it. What is not known, or hidden, is None."""
    opponent = event[other] or {}
    return {
        "state": event["state"],
        "detail": event["detail"],
        "league": event["league"],
        "game": event["game"],
        "team": event[side]["name"],
        "score": event[side]["score"],
        "opponent": opponent.get("name"),
        "opponent_score": opponent.get("score"),
        "side": side,
        "updated_at": event["read_at"],
    }


def _sensor(prefix: str, state: Publication) -> Publication:
    """How Home Assistant finds a team's state: https://www.home-assistant.io/integrations/mqtt/."""
    identity = level(state.topic.removesuffix("/state"))
    sensor = {
        "name": f"{state.value['team']} ({state.value['league'].upper()})",
        "unique_id": identity,
        "default_entity_id": f"sensor.{identity.lower()}",
        "state_topic": state.topic,
        "value_template": "{{ value_json.state }}",
        "json_attributes_topic": state.topic,
        "icon": "mdi:scoreboard",
        "device": {"identifiers": [level(prefix)], "name": NAME},
        "origin": {"name": NAME},
    }
    return Publication(f"{DISCOVERY}/sensor/{identity}/config", sensor, wanted=False)

"""Messages about games, from a real consumer to a real receiver; with kill -9 at random moments."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from werkzeug.wrappers import Request, Response

from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import Game, ScoreEvent
from sportsapp.notify.subscriptions import Wish, add_subscription, all_subscriptions
from sportsapp.tasks import sync_all_live_games
from tests.acceptance import harm
from tests.acceptance.conftest import RealBroker, RealConsumer, StartConsumer, wait_for
from tests.acceptance.test_notify_mqtt import mosquitto, subscribed
from tests.loopback import serving
from tests.webhook_receiver import SECRET

EVENTS, KILLS = (500, 50) if harm.IS_LONG else (60, 6)
KINDS = ("worker", "consumer", "broker", "everything")


class Receiver:
    """A web server that keeps the ids of the events that it is sent, and hangs while told to."""

    def __init__(self) -> None:
        self.address = ""
        self.ids: list[int] = []
        self.at: list[float] = []
        self.hangs, self.ended = False, threading.Event()

    def __call__(self, environ, start_response):
        body = json.loads(Request(environ).get_data())
        if self.hangs:
            self.ended.wait(30)
        self.at.append(time.monotonic())
        self.ids += [event["id"] for event in body["events"]]
        return Response("")(environ, start_response)


@pytest.fixture
def receivers():
    """Two of them."""
    made = Receiver(), Receiver()
    with serving(made[0]) as first, serving(made[1]) as second:
        made[0].address, made[1].address = f"{first}/#{SECRET}", f"{second}/#{SECRET}"
        yield made
        for receiver in made:
            receiver.ended.set()


class Phone:
    """A service like ntfy, which shows what it is sent: the home side's points, from the titles."""

    def __init__(self) -> None:
        self.address = ""
        self.shown: list[int] = []

    def __call__(self, environ, start_response):
        message = json.loads(Request(environ).get_data())
        self.shown.append(int(message["title"].split()[-1]))
        return Response("{}", mimetype="application/json")(environ, start_response)


@pytest.fixture
def phone():
    made = Phone()
    with serving(made) as url:
        made.address = f"ntfy://{url.removeprefix('http://')}/scores"
        yield made


class Topic:
    """A subscriber of an MQTT broker's events, which keeps their ids."""

    def __init__(self, port: int, next_message: Callable[..., tuple[str, dict, bool]]) -> None:
        self.address = f"mqtt://127.0.0.1:{port}/games"
        self.ids: list[int] = []
        self._next_message = next_message

    def read_until(self, expected: list[int], seconds: float) -> None:
        """Take what has arrived, until all of these are there: so long at most for the next one."""
        while set(self.ids) != set(expected):
            self.ids.append(self._next_message(seconds)[1]["id"])


@pytest.fixture
def topic(tmp_path):
    with mosquitto(tmp_path) as port, subscribed(port, "games/events/#") as next_message:
        yield Topic(port, next_message)


def subscribe(app, name: str, receiver: Receiver | Phone | Topic) -> None:
    wish = Wish(name=name, address=receiver.address, events=("start", "score"))
    add_subscription(db.session, wish, ["nfl"], str(app.secret_key))


def happen(count: int, points: int = 0) -> None:
    """So many scores in the stored game, whose home side has so many points before."""
    game_id, league_id = db.session.execute(select(Game.id, Game.league_id)).one()
    db.session.rollback()
    score = {"league_id": league_id, "game_id": game_id, "kind": "score", "side": "home"}
    score |= {"points": 1, "period": 1, "detail": "", "away_score": 0}
    with write_connection() as connection:
        for n in range(count):  # each of a reading of its own
            read_at = utc_now() - timedelta(milliseconds=count - n)
            connection.execute(
                insert(ScoreEvent).values(
                    score | {"read_at": read_at, "home_score": points + n + 1}
                )
            )


def told_ids() -> list[int]:
    """The ids of all events that are to be told."""
    db.session.rollback()
    return list(db.session.scalars(select(ScoreEvent.id).order_by(ScoreEvent.id)))


def failing() -> list[str]:
    """The names of the subscriptions whose last message was not taken."""
    db.session.rollback()
    return [row.name for row in all_subscriptions(db.session) if row.failures]


def test_score_reaches_its_receiver_within_seconds_while_another_hangs(
    real_app, start_consumer, feed, receivers
):
    well, stalled = receivers
    stalled.hangs = True
    harm.serve_live(feed)
    subscribe(real_app, "phone", well)
    subscribe(real_app, "stalled", stalled)
    consumer = start_consumer("notify_huey", notify_private=True)
    start_consumer()
    assert harm.ended(sync_all_live_games().id).state == "SUCCESS"
    began = time.monotonic()
    wait_for(lambda: well.ids == told_ids(), 10)
    assert time.monotonic() - began < 5
    for _ in range(3):
        happen(1)
        began = time.monotonic()
        wait_for(lambda: well.ids == told_ids(), 20)
        assert well.at[-1] - began < 12  # a first failure of the other may be in hand
    wait_for(lambda: failing() == ["stalled"], 20)
    assert consumer.stop() < 13


class House:
    """A broker and a consumer of messages, to be killed in part or as a whole."""

    def __init__(self, broker: RealBroker, start: StartConsumer) -> None:
        self.broker, self.start = broker, start
        self.consumer = self._start()

    def _start(self) -> RealConsumer:
        return self.start("notify_huey", door=harm.HURRY, notify_private=True)

    def kill(self, kind: str) -> None:
        """End this much of the house with kill -9, and start what is gone, as systemd would."""
        if kind == "worker":
            for pid in self.consumer.children()[:2]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return
        if kind in ("broker", "everything"):
            self.broker.kill()
        if kind != "broker":
            self.consumer.kill_all()
        if kind in ("broker", "everything"):
            self.broker.start()
        if kind != "broker":
            self.consumer = self._start()


@pytest.mark.long
@pytest.mark.timeout(1500 if harm.IS_LONG else 400)
def test_kills_at_random_moments_lose_no_message_and_repeat_one_at_most_for_each(
    real_app, start_consumer, broker, feed, receivers, phone, topic
):
    print(f"seed {harm.SEED}, {KILLS} kills, {EVENTS} events")
    chance = random.Random(harm.SEED)  # noqa: S311 - moments, no secrets
    harm.serve_live(feed)
    live = start_consumer()
    assert harm.ended(sync_all_live_games().id).state == "SUCCESS"
    assert live.stop() < 13
    house = House(broker, start_consumer)
    names = ("club", "wall", "phone", "home")
    for name, receiver in zip(names, (*receivers, phone, topic), strict=True):
        subscribe(real_app, name, receiver)
    last = max(told_ids())
    for n in range(KILLS):
        happen(EVENTS // KILLS, n * (EVENTS // KILLS))
        time.sleep(chance.uniform(0, 1.5))  # the random moment
        house.kill(KINDS[n % len(KINDS)])
    expected = [one for one in told_ids() if one > last]
    assert len(expected) == EVENTS // KILLS * KILLS
    for receiver in receivers:
        wait_for(lambda receiver=receiver: set(receiver.ids) == set(expected), 300, 0.5)
    topic.read_until(expected, 300)
    for receiver in (*receivers, topic):
        assert list(dict.fromkeys(receiver.ids)) == expected  # each, in order, repeats dropped
        assert len(receiver.ids) - len(expected) <= KILLS
    wait_for(lambda: len(set(phone.shown)) == EVENTS, 300, 0.5)
    assert list(dict.fromkeys(phone.shown)) == list(range(1, EVENTS + 1))
    assert len(phone.shown) - EVENTS <= KILLS
    repeated = [len(receiver.ids) - EVENTS for receiver in (*receivers, topic)]
    print(f"repeated: {repeated}, the last by MQTT, on the phone {len(phone.shown) - EVENTS}")

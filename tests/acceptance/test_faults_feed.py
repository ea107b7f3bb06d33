"""A feed that fails in every way, through the whole stack: HTTP, consumer, database, pages."""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.wrappers import Request, Response

from sportsapp.core.clock import iso_utc, utc_now
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.db.models import RunState, TaskRun, Trigger
from sportsapp.factory import create_app
from sportsapp.runs.rows import run_origin
from sportsapp.sync.watch import BREAKS_AFTER
from sportsapp.tasks import sync_all_live_games
from tests.acceptance import harm
from tests.acceptance.conftest import RealBroker, RealConsumer, wait_for
from tests.acceptance.harm import ended
from tests.conftest import MakeDatabase
from tests.integration.events import board, event
from tests.loopback import LoopbackFeed, serving

pytestmark = pytest.mark.long

# A consumer that gives the feed one second for an answer, and asks twice.
PATIENT = (
    "-c",
    harm.HURRY_PROGRAM
    + """
from sportsapp.feed.client import RetryPolicy
RetryPolicy.__init__.__kwdefaults__.update(read=0.5, deadline=1, retries=1, first_wait=0.05)
consumer_main()
""",
)
LIMIT = 10  # seconds for a tick: two requests of a second each, on a busy machine


@dataclass
class Stack:
    """The app, its feed and a consumer."""

    app: Flask
    feed: LoopbackFeed

    def tick(self, trigger: Trigger = Trigger.SCHEDULE) -> TaskRun:
        """A live tick, as the scheduler queues it or as a person does; it ends in time."""
        began = time.monotonic()
        with run_origin(trigger):
            run = ended(sync_all_live_games().id, LIMIT)
        assert time.monotonic() - began < LIMIT
        return run

    def asked(self, slug: str) -> int:
        """How often the league has been asked for a scoreboard."""
        return sum(line.startswith(slug) for line in self.feed.asked())

    def shows(self, slug: str, score: int) -> bool:
        """Whether the league's pages show this score of the home team once the second is over.

        Within the second in which it was made, a cached page is served again.
        """
        time.sleep(1 - time.time() % 1)
        browser = self.app.test_client()
        paths = (f"/{slug}", f"/{slug}/games/{ID[slug]}", "/", "/live")
        pages = [browser.get(path) for path in paths]
        assert {page.status_code for page in pages} == {200}
        game = browser.get(f"/api/v1/games/{slug}/{ID[slug]}").json
        return game["home"]["score"] == score and str(score) in pages[0].text


ID = {"nba": "701", "nfl": "702"}


@pytest.fixture(scope="module")
def stack(make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with ExitStack() as cleanup:
        folder = Path(tempfile.mkdtemp(prefix="sgt-"))
        cleanup.callback(shutil.rmtree, folder)
        url = cleanup.enter_context(make_database(folder))
        feed = LoopbackFeed()
        feed.url = cleanup.enter_context(serving(feed))
        settings = Settings(instance_path=folder, database_url=url, espn_base_url=feed.url)
        broker = RealBroker(settings)
        broker.start()
        cleanup.callback(broker.kill)
        app = create_app(settings)
        log = tmp_path_factory.mktemp("feed") / "consumer.log"
        # no slots of its own (-n): one that fell between two ticks would add requests to the next
        options = f"{RealConsumer.options} -n"
        consumer = RealConsumer("huey", harm.environ_of(settings), log, PATIENT, options)
        cleanup.callback(consumer.kill_all)
        with app.app_context():
            wait_for(lambda: len(consumer.children()) == 3)
            yield Stack(app, feed)
            db.session.remove()
            db.engine.dispose()


def live(slug: str, score: int) -> dict[str, Any]:
    """The league's game of today, an hour after its start."""
    return event(ID[slug], iso_utc(utc_now() - timedelta(hours=1)), state="in", home=score)


# ---------------------------------------------------------------- the faults


def hang(_request: Request) -> Response:
    time.sleep(3)
    return Response("{}")


def drip(_request: Request) -> Response:
    def bytes_in_time() -> Iterator[bytes]:
        for _ in range(30):
            yield b" "
            time.sleep(0.1)

    return Response(bytes_in_time())


def break_off(_request: Request) -> Response:
    def begin() -> Iterator[bytes]:
        yield b'{"events": ['
        raise ConnectionAbortedError

    return Response(begin())


def sixty_megabytes(_request: Request) -> Response:
    return Response(b" " * 1_000_000 for _ in range(60))


GOOD = json.dumps(board(event(ID["nba"], home=99))).encode()
FAULTS: dict[str, tuple[Response | bytes | Callable[[Request], Response], str]] = {
    "500": (Response("oops", 500), "the feed answered 500 (oops)"),
    "429": (Response("slow down", 429, {"Retry-After": "30"}), "the feed answered 429"),
    "403": (Response("no", 403), "the feed refused us with 403"),
    "400": (Response("no", 400), "the feed refused us with 400"),
    "time-out": (hang, "the feed did not answer in time"),
    "slow drip": (drip, "no complete answer within 1 s"),
    "disconnect": (break_off, "the feed cannot be reached"),
    "HTML": (b"<html><title>Scores</title>Back soon</html>", "this is not a scoreboard"),
    "empty body": (b"", "this is not a scoreboard: an empty body"),
    "null": (b"null", "this is not a scoreboard: a body that begins with 'null'"),
    "truncated JSON": (GOOD[: len(GOOD) // 2], "this is not a scoreboard"),
    "60 MB": (sixty_megabytes, "the answer is larger than 10,000,000 bytes"),
}
PAUSES = ("429", "403")
SLOW = ("time-out", "slow drip")


@pytest.mark.parametrize("fault", FAULTS)
def test_failing_league_keeps_its_data_and_is_asked_less_while_the_others_go_on(stack, fault):
    answer, words = FAULTS[fault]
    for slug in ID:
        stack.feed.say(slug, board(live(slug, 41)))
    assert stack.tick(Trigger.COMMAND).result["errors"] == []
    assert stack.shows("nba", 41)
    stack.feed.say("nba", answer)
    stack.feed.say("nfl", board(live("nfl", 52)))
    asked = []
    for _ in range(BREAKS_AFTER + 2 if harm.IS_LONG or fault not in SLOW else 2):
        before = stack.asked("nba")
        run = stack.tick()
        (line,) = run.result["errors"]
        assert run.state == RunState.SUCCESS
        assert line.startswith("NBA")
        assert words in line
        assert line.count("not polled before") <= 1
        asked.append(stack.asked("nba") - before)
    assert stack.shows("nba", 41)
    assert stack.shows("nfl", 52)
    if fault in PAUSES:
        assert asked[1:] == [0] * len(asked[1:])
    elif len(asked) > BREAKS_AFTER:
        assert min(asked[:BREAKS_AFTER]) > 0
        assert asked[BREAKS_AFTER:] == [0, 0]
    stack.feed.say("nba", board(live("nba", 63)))
    assert stack.tick(Trigger.COMMAND).result["errors"] == []
    assert stack.shows("nba", 63)
    print(f"{fault}: requests a tick {asked}; it said: {line}")


# ---------------------------------------------------------------- events that are broken


def broken(whole: Any) -> Iterator[Any]:
    """Copies of it, each with one value of a type that nobody expects there."""
    for path in paths_of(whole):
        for wrong in (None, 5, "x", [], {}, [["x"]], {"x": {"y": 1}}, -1e300, True):
            changed = copy.deepcopy(whole)
            place = changed
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = wrong
            yield changed


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to everything in it."""
    if path:
        yield path
    pairs: Any = enumerate(value) if isinstance(value, list) else ()
    for key, part in value.items() if isinstance(value, dict) else pairs:
        yield from paths_of(part, (*path, key))


def test_wrong_type_in_any_field_costs_at_most_its_event(stack):
    whole = live("nba", 74)
    spoilt = list(broken(live("nba", 0) | {"id": "7"}))
    for number, one in enumerate(spoilt):
        if one["id"] == "7":
            one["id"] = f"9{number:05}"
    for slug in ID:
        stack.feed.say(slug, board(live(slug, 41)))
    assert stack.tick(Trigger.COMMAND).result["errors"] == []
    stack.feed.say("nba", board(*spoilt[::2], whole, *spoilt[1::2]))
    run = stack.tick()
    assert run.state == RunState.SUCCESS
    lines = run.result["errors"]
    assert 0 < len(lines) < len(spoilt)
    assert all(line.startswith("NBA") for line in lines)
    assert stack.shows("nba", 74)
    browser = stack.app.test_client()
    for game in browser.get("/api/v1/games?league=nba").json["games"]:
        assert browser.get(f"/nba/games/{game['espn_id']}").status_code == 200
    stored = run.result["synced"]
    print(f"{len(spoilt)} spoilt events: {stored - 1} could be read, {len(lines)} lines of errors")

"""Broken answers, recorded and made: what is sound is kept, and all that is kept can be stored."""

from __future__ import annotations

import copy
import json
import re
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sportsapp.core.errors import PayloadError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.records import Status
from sportsapp.feed import parse
from tests.answers import (
    SAMPLE_NAMES,
    make_board,
    make_event,
    read_board,
    read_sample,
    sample,
    sample_bytes,
)
from tests.hostile import trying
from tests.unit.test_parse import HOSTILE, places, with_value

LARGEST = 2**31 - 1  # of PostgreSQL's usual column; SQLite's are wider
LONGEST = 1000
NO_JSON = re.compile("(?<=[ [])(NaN|-?Infinity)")

json_values = st.recursive(
    st.sampled_from(HOSTILE)
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=8), parts),
    max_leaves=6,
)


def assert_storable(record: Any) -> None:
    """Every value of a record fits into a column of either database, and into one line."""
    if isinstance(record, msgspec.Struct):
        for name in record.__struct_fields__:
            assert_storable(getattr(record, name))
    elif isinstance(record, dict):
        for name, value in record.items():
            assert_storable(name)
            assert_storable(value)
    elif isinstance(record, (list, tuple)):
        for value in record:
            assert_storable(value)
    elif isinstance(record, str):
        assert record.encode() == record.encode("utf-8", "strict")
        assert len(record) <= LONGEST
        assert not any(ord(sign) < 32 for sign in record)
    elif isinstance(record, float):
        assert abs(record) < LARGEST
    elif isinstance(record, int):
        assert abs(record) <= LARGEST


def mutate(document: Any, data: st.DataObject) -> Any:
    """A document after a few changes: values replaced, dropped, doubled, wrapped or swapped."""
    for _ in range(data.draw(st.integers(1, 5))):
        found = list(places(document))
        path = data.draw(st.sampled_from(found))
        value = document
        for step in path:
            value = value[step]
        other = document
        for step in data.draw(st.sampled_from(found)):
            other = other[step]
        change = data.draw(st.sampled_from(["replace", "drop", "wrap", "swap", "double", "text"]))
        changed = {
            "replace": lambda: data.draw(json_values),
            "drop": lambda: None,
            "wrap": lambda value=value: data.draw(st.sampled_from([[value], {"id": value}])),
            "swap": lambda other=other: copy.deepcopy(other),
            "double": lambda value=value: [value, value],
            "text": lambda value=value: json.dumps(value)[:400],
        }[change]()
        document = (
            without(document, path) if change == "drop" else with_value(document, path, changed)
        )
    return document


def without(document: Any, path: tuple) -> Any:
    """A copy of the document without what is at this place."""
    if not path:
        return None
    changed = copy.copy(document)
    if len(path) == 1:
        del changed[path[0]]
    else:
        changed[path[0]] = without(document[path[0]], path[1:])
    return changed


@trying(150)
@given(name=st.sampled_from(SAMPLE_NAMES), data=st.data())
def test_changed_sample_is_read_or_refused_and_can_be_stored(name, data):
    body = json.dumps(mutate(sample(name), data)).encode()
    with suppress(PayloadError):
        assert_storable(read_sample(name, body))


@trying(150)
@given(data=st.data())
def test_broken_event_costs_no_other_event(data):
    name = data.draw(st.sampled_from([n for n in SAMPLE_NAMES if n.endswith("scoreboard")]))
    board = sample(name)
    place = data.draw(st.integers(0, len(board["events"]) - 1))
    readable = {game.espn_id for game in read_sample(name, sample_bytes(name)).games}
    others = readable - {board["events"][place]["id"]}
    board["events"][place] = mutate(board["events"][place], data)
    body = NO_JSON.sub("1e300", json.dumps(board)).encode()  # one such word spoils a document
    read = read_sample(name, body)
    assert others <= {game.espn_id for game in read.games}
    assert len(read.games) + len(read.errors) == read.events == len(board["events"])
    assert_storable(read)


# ---------------------------------------------------------------- recorded answers

RECORDED_KINDS = {"scoreboard", "series", "teams", "roster", "standings"}


@cache
def recorded_documents(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Slug and kind, and the document, of what the parser reads; one event of a scoreboard each."""
    found: list[tuple[str, dict[str, Any]]] = []
    for path in sorted(path for slug in BY_SLUG for path in (folder / slug).glob("*.json")):
        slug, kind = path.parent.name, path.stem.partition("-")[0]
        if kind not in RECORDED_KINDS:
            continue
        document = json.loads(path.read_bytes())
        kind = "scoreboard" if kind == "series" else kind
        if kind == "scoreboard":
            events = document["events"][:2]
            found += [(f"{slug}-{kind}", {"leagues": [], "events": [event]}) for event in events]
        else:
            found.append((f"{slug}-{kind}", document))
    return found


def test_changed_recorded_answer_is_read_or_refused_and_can_be_stored(recorded):
    documents = recorded_documents(recorded)
    assert {name.partition("-")[2] for name, _ in documents} >= {"scoreboard", "roster", "teams"}
    small = [(name, part) for name, part in documents if len(json.dumps(part)) < 60_000]

    @trying(60)
    @given(document=st.sampled_from(small), data=st.data())
    def read(document: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
        name, part = document
        body = json.dumps(mutate(part, data)).encode()
        with suppress(PayloadError):
            assert_storable(read_sample(name, body))

    read()


# ---------------------------------------------------------------- parts that a game can do without

WRONG = ("x", [], {}, [[]], 10**30, -7, 1e300, True, {"a": [1]}, "9" * 400)
OPTIONAL = {
    "season": ("season",),
    "season year": ("season", "year"),
    "week": ("week",),
    "week number": ("week", "number"),
    "event status": ("status",),
    "attendance": ("competitions", 0, "attendance"),
    "neutral site": ("competitions", 0, "neutralSite"),
    "venue": ("competitions", 0, "venue"),
    "notes": ("competitions", 0, "notes"),
    "leaders": ("competitions", 0, "leaders"),
    "situation": ("competitions", 0, "situation"),
    "weather": ("weather",),
    "degrees": ("weather", "temperature"),
    "headlines": ("competitions", 0, "headlines"),
    "featured players": ("competitions", 0, "status", "featuredAthletes"),
    "probable starters": ("competitions", 0, "competitors", 0, "probables"),
    "period": ("competitions", 0, "status", "period"),
    "clock": ("competitions", 0, "status", "clock"),
    "shown clock": ("competitions", 0, "status", "displayClock"),
    "detail": ("competitions", 0, "status", "type", "detail"),
    "line score": ("competitions", 0, "competitors", 0, "linescores"),
    "one period": ("competitions", 0, "competitors", 0, "linescores", 0),
    "points of a period": ("competitions", 0, "competitors", 0, "linescores", 0, "value"),
    "records": ("competitions", 0, "competitors", 0, "records"),
    "one record": ("competitions", 0, "competitors", 0, "records", 0),
    "winner": ("competitions", 0, "competitors", 0, "winner"),
    "hits": ("competitions", 0, "competitors", 0, "hits"),
    "rank": ("competitions", 0, "competitors", 0, "curatedRank"),
    "penalties": ("competitions", 0, "competitors", 0, "shootoutScore"),
    "goals of two games": ("competitions", 0, "competitors", 0, "aggregateScore"),
    "series": ("competitions", 0, "series"),
    "color": ("competitions", 0, "competitors", 0, "team", "color"),
    "team's name": ("competitions", 0, "competitors", 0, "team", "name"),
}
NEEDED = {
    "id": ("id",),
    "competitions": ("competitions",),
    "competition": ("competitions", 0),
    "competitors": ("competitions", 0, "competitors"),
    "competitor": ("competitions", 0, "competitors", 1),
    "team": ("competitions", 0, "competitors", 0, "team"),
    "team's id": ("competitions", 0, "competitors", 0, "team", "id"),
    "score": ("competitions", 0, "competitors", 0, "score"),
    "status": ("competitions", 0, "status"),
    "kind": ("competitions", 0, "status", "type"),
    "state": ("competitions", 0, "status", "type", "state"),
    "completed": ("competitions", 0, "status", "type", "completed"),
    "start": ("competitions", 0, "date"),
}


def whole_event() -> dict[str, Any]:
    """A live game with all the parts that are broken below."""
    event = make_event(
        "7",
        "live",
        score=("20", "17"),
        period=3,
        clock=543.0,
        shown="9:03",
        records=("3-1", "2-2"),
        attendance=61_000,
        neutralSite=False,
        venue={"fullName": "Ground"},
        situation={"outs": 1},
        notes=[{"headline": "A note"}],
        leaders=[],
    )
    home = event["competitions"][0]["competitors"][0]
    home |= {"linescores": [{"value": 20}], "winner": False, "hits": 3}
    home |= {"probables": []}
    event["competitions"][0] |= {"headlines": []}
    event["competitions"][0]["status"] |= {"featuredAthletes": []}
    home |= {"curatedRank": {"current": 4}, "shootoutScore": 3, "aggregateScore": 5}
    event["competitions"][0]["series"] = {"summary": "1-0", "competitors": []}
    home["team"]["color"] = "00ff00"
    del event["date"]
    weather = {"displayValue": "Sunny", "temperature": 70}
    return event | {"week": {"number": 5}, "status": None, "weather": weather}


@pytest.mark.parametrize("path", OPTIONAL.values(), ids=list(OPTIONAL))
def test_part_that_a_game_can_do_without_costs_itself_alone(path):
    for wrong in WRONG:
        board = make_board(with_value(whole_event(), path, wrong), make_event("8"))
        read = read_board(board)
        assert ([game.espn_id for game in read.games], read.errors) == (["7", "8"], ()), wrong
        game = read.games[0]
        assert (game.home.score, game.away.score, game.status) == (20, 17, Status.LIVE)
        assert (game.home.team.espn_id, game.away.team.espn_id) == ("1", "2")
        assert_storable(game)


@pytest.mark.parametrize("path", NEEDED.values(), ids=list(NEEDED))
@pytest.mark.parametrize("wrong", [{"a": [1]}, [[]]], ids=["object", "list"])
def test_part_that_a_game_needs_costs_its_event_alone(path, wrong):
    event = with_value(whole_event(), path, wrong)
    read = read_board(make_board(event, make_event("8")))
    assert [game.espn_id for game in read.games] == ["8"]
    assert len(read.errors) == 1


def test_broken_status_of_the_competition_gives_way_to_the_events_own():
    for wrong in ({"type": {"state": [], "completed": True}}, {"type": 7}, 7):
        path = ("competitions", 0, "status")
        event = whole_event()
        event["status"] = event["competitions"][0]["status"]
        (game,) = read_board(make_board(with_value(event, path, wrong))).games
        assert (game.status, game.period) == (Status.LIVE, 3)


def test_many_broken_parts_of_one_event_are_all_left_out():
    event = whole_event()
    for name in ("attendance", "neutralSite", "venue", "notes", "leaders", "situation"):
        event["competitions"][0][name] = "x"
    for side in event["competitions"][0]["competitors"]:
        side |= {"linescores": "x", "records": "x", "winner": "x", "hits": "x", "errors": "x"}
    (game,) = read_board(make_board(event | {"season": "x", "week": "x"})).games
    assert (game.home.score, game.home.linescores, game.season_year) == (20, (), None)


@pytest.mark.parametrize("field", ["jersey", "position", "status", "displayHeight", "dateOfBirth"])
def test_broken_part_of_a_player_costs_no_player(field):
    players = [{"id": "1", "fullName": "A", field: [[]]}, {"id": "2", "fullName": "B"}]
    roster = parse.parse_roster(json.dumps({"athletes": players}).encode())
    assert ([one.name for one in roster.players], roster.errors) == (["A", "B"], ())


def test_texts_are_one_line_and_abbreviations_fit_an_address():
    event = make_event("7")
    team = event["competitions"][0]["competitors"][0]["team"]
    team |= {"displayName": " A\r\nB\u2028C\x00D\x1b ", "abbreviation": "</S?#."}
    (game,) = read_board(make_board(event)).games
    assert game.home.team.display_name == "A B CD"
    assert game.home.team.abbreviation == "S"


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000])
def test_deep_nesting_is_refused_as_a_payload(deep):
    body = json.dumps(make_board(make_event("7"))).replace('"competitors"', f'"x": {deep}, "a"', 1)
    with pytest.raises(PayloadError):
        parse.parse_scoreboard(body.encode(), BY_SLUG["nfl"])

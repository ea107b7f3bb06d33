"""Score events: what is told of a game from one reading to the next."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.records import GameRecord
from sportsapp.sync import plan
from sportsapp.sync.doubts import Doubt
from sportsapp.sync.events import events_between
from tests.answers import read_board, read_game
from tests.quick import first_quick
from tests.score_events import replayed

START = datetime(2026, 10, 4, 17, 0, tzinfo=UTC)
Point = dict[str, Any]


class Followed:
    """A game as readings have it stored, and its events. Readings are a second apart."""

    def __init__(self, league: str = "nfl") -> None:
        self.league = league
        self.stored: dict[str, Any] = {}
        self.doubts: dict[str, Doubt] = {}
        self.events: list[dict[str, Any]] = []
        self.now = START

    def read(self, *points: Point, seconds: int = 1) -> list[str]:
        """The events of these readings, in short."""
        return self.read_games(*(read_game(self.league, **p) for p in points), seconds=seconds)

    def read_games(self, *games: GameRecord, seconds: int = 1) -> list[str]:
        before = len(self.events)
        for game in games:
            self.now += timedelta(seconds=seconds)
            known = {game.espn_id: self.stored} if self.stored else {}
            made = plan.plan_games(known, [game], self.doubts, self.now)
            self.doubts = made.doubts
            changes = made.inserts[0] if made.inserts else made.updates.get(game.espn_id)
            if changes is None:
                continue
            after = {**self.stored, **changes}
            self.events += events_between(self.stored or None, after, BY_SLUG[self.league])
            self.stored = after
            if self.events:
                score = (after["home_score"] or 0, after["away_score"] or 0)
                assert replayed(self.events) == score
        return [in_short(event) for event in self.events[before:]]


def in_short(event: dict[str, Any]) -> str:
    parts = [event["kind"]]
    if event["kind"] == "period_end":
        parts.append(str(event["period"]))
    if event["side"]:
        parts.append(event["side"])
    if event["points"]:
        parts.append(f"{event['points']:+}")
    return " ".join(parts)


def at(
    status: str, period: int = 0, clock: float | None = None, score: tuple[int, int] = (0, 0),
    **more: Any,
) -> Point:  # fmt: skip
    """A point of a game. ``score`` is (home, away), as ``make_event`` takes it."""
    shown = "" if clock is None else f"{clock:.0f}"
    sides = (str(score[0]), str(score[1]))
    return {
        "status": status,
        "period": period,
        "clock": clock,
        "shown": shown,
        "score": sides,
    } | more


# ---------------------------------------------------------------- one change after another

BEFORE = at("scheduled")
LIVE = at("live", 1, 800)
HALFTIME = at("break", 2, 0, (7, 3))


@pytest.mark.parametrize(
    ("readings", "last"),
    [
        ([BEFORE, LIVE], ["start"]),
        ([BEFORE, at("live", 1, 800, (0, 7))], ["start", "score away +7", "lead away"]),
        ([LIVE, at("live", 1, 800)], []),
        ([LIVE, at("live", 1, 700)], []),
        ([LIVE, at("live", 1, 700, (3, 0))], ["score home +3", "lead home"]),
        ([at("live", 1, 800, (3, 0)), at("live", 1, 700, (3, 3))], ["score away +3"]),
        (
            [at("live", 1, 800, (3, 0)), at("live", 1, 700, (6, 7))],
            ["score away +7", "score home +3", "lead away"],
        ),
        ([at("live", 2, 9, (7, 0)), HALFTIME], ["score away +3", "period_end 2"]),
        ([HALFTIME, at("live", 3, 900, (7, 3))], []),
        ([at("live", 1, 9), at("live", 3, 9)], ["period_end 1", "period_end 2"]),
        ([at("live", 4, 9), at("break", 4, 0)], ["period_end 4"]),
        ([at("break", 4, 0), at("live", 5, 600)], ["overtime"]),
        ([at("live", 5, 9), at("live", 6, 9)], ["period_end 5"]),
        (
            [at("live", 4, 9), at("final", 5, 0, (3, 0))],
            ["period_end 4", "overtime", "score home +3", "lead home", "final"],
        ),
        ([at("live", 4, 9), at("final", 4, 0)], ["final"]),
        ([at("break", 4, 0), at("final", 4, 0)], ["final"]),
        ([LIVE, at("delay", 1, 800)], ["delayed"]),
        ([at("delay", 1, 800), LIVE], ["resumed"]),
        ([HALFTIME, at("delay", 2, 0, (7, 3))], ["delayed"]),
        ([HALFTIME, at("delay", 2, 0, (7, 3)), at("live", 3, 900, (7, 3))], ["resumed"]),
        ([HALFTIME, at("delay", 2, 0, (7, 3)), HALFTIME], ["resumed"]),
        ([LIVE, at("suspended", 1, 800)], ["suspended"]),
        ([at("suspended", 1, 800), LIVE], ["resumed"]),
        ([at("suspended", 1, 800), at("final", 1, 0)], ["final"]),
        ([BEFORE, at("postponed")], ["postponed"]),
        ([at("live", 1, 800, (3, 0)), at("postponed")], ["postponed"]),
        ([BEFORE, at("cancelled")], ["cancelled"]),
        ([at("postponed"), BEFORE], ["rescheduled"]),
        ([at("postponed"), at("postponed")], []),
        ([at("final", 4, 0, (7, 3)), at("final", 4, 0, (6, 3))], ["taken_back home -1"]),
        (
            [at("final", 4, 0, (7, 6)), at("final", 4, 0, (0, 6))],
            ["taken_back home -7", "lead away"],
        ),
        ([at("final", 4, 0, (7, 3)), at("final", 4, 0, (7, 3), detail="Final")], []),
    ],
)  # fmt: skip
def test_change_from_one_reading_to_the_next(readings, last):
    game = Followed()
    game.read(*readings[:-1])
    assert game.read(readings[-1]) == last


@pytest.mark.parametrize(
    ("point", "first"),
    [
        (BEFORE, []),
        (at("live", 3, 9, (14, 7)), ["start"]),
        (at("delay", 3, 9, (14, 7)), ["start", "delayed"]),
        (at("final", 4, 0, (14, 7)), ["final"]),
        (at("postponed"), ["postponed"]),
        (at("suspended", 3, 9, (14, 7)), ["suspended"]),
    ],
)
def test_first_reading_says_how_far_a_game_is_and_not_how_it_got_there(point, first):
    assert Followed().read(point) == first


def test_innings_end_with_their_words_and_extra_ones_are_overtime():
    game = Followed("mlb")
    half_innings = ("Top 9th", "Middle 9th", "Bottom 9th", "End 9th")
    game.read(*(at("live", 9, detail=detail) for detail in half_innings))
    assert [in_short(event) for event in game.events] == ["start", "period_end 9"]
    assert game.read(at("delay", 9, detail="Rain Delay, End 9th")) == ["delayed"]
    assert game.read(at("live", 10, detail="Top 10th")) == ["resumed", "overtime"]


@pytest.mark.parametrize(
    ("league", "far", "close"),
    [
        ("nfl", at("live", 4, 301, (7, 0)), at("live", 4, 300, (7, 0))),
        ("nfl", at("live", 4, 200, (9, 0)), at("live", 4, 190, (9, 3))),
        ("nba", at("live", 4, 200, (86, 80)), at("live", 4, 190, (86, 81))),
        ("nba", at("live", 3, 200, (80, 80)), at("live", 4, 200, (80, 80))),
        ("ncaam", at("live", 2, 301, (60, 60)), at("live", 2, 299, (60, 60))),
        ("nhl", at("live", 3, 200, (3, 1)), at("live", 3, 190, (3, 2))),
        ("mlb", at("live", 8, detail="End 8th"), at("live", 9, detail="Top 9th")),
        ("mlb", at("live", 9, None, (2, 0), detail="Top 9th"),
         at("live", 9, None, (2, 1), detail="Top 9th")),
        ("epl", at("live", 2, 4799, (1, 1)), at("live", 2, 4801, (1, 1))),
    ],
)  # fmt: skip
def test_game_becomes_close_and_late_once(league, far, close):
    game = Followed(league)
    assert "close" not in game.read(far)
    assert game.read(close)[-1] == "close"
    assert game.read(close | {"detail": "later"}) == []


@pytest.mark.parametrize(
    "point",
    [
        at("delay", 4, 200, (7, 0)),
        at("break", 4, 0, (7, 7)),
        at("final", 4, 0, (7, 0)),
        at("live", 4, None, (7, 0)),
        at("live", 5, 200, (7, 7)),
    ],
)
def test_stopped_ended_or_timeless_game_is_not_close(point):
    game = Followed()
    game.read(at("live", 4, 500, (7, 0)))
    assert "close" not in game.read(point)


def test_step_back_is_an_event_once_it_is_believed():
    game = Followed()
    game.read(LIVE, at("final", 4, 0, (7, 3)))
    back = at("live", 4, 20, (0, 3))
    assert game.read(*[back] * 5, seconds=60) == []
    told = game.read(back, seconds=60)
    assert told == ["taken_back", "taken_back home -7", "lead away", "close"]
    assert game.read(at("final", 4, 0, (0, 3))) == ["final"]


def test_event_has_the_readings_text_and_the_score_after_it():
    game = Followed()
    game.read(LIVE, at("live", 2, 500, (3, 7), detail="8:20 - 2nd Quarter"))
    told = [(in_short(e), e["period"], e["home_score"], e["away_score"]) for e in game.events]
    assert told == [
        ("start", 1, 0, 0),
        ("period_end 1", 1, 0, 0),
        ("score away +7", 2, 0, 7),
        ("score home +3", 2, 3, 7),
        ("lead away", 2, 3, 7),
    ]
    assert game.events[-1]["detail"] == "8:20 - 2nd Quarter"


# ---------------------------------------------------------------- any game


@st.composite
def stories(draw: st.DrawFn, league: str) -> list[Point]:
    """A whole game in order. Each reading is at a later point than the one before it."""
    periods = BY_SLUG[league].periods + draw(st.integers(0, 2))
    score = [0, 0]
    points = [at("scheduled")]

    def reach(*point: Any, **more: Any) -> None:
        for side in draw(st.lists(st.sampled_from((0, 1)), max_size=2)):
            score[side] += draw(st.integers(1, 8))
        points.append(at(*point, score=(score[0], score[1]), **more))

    for period in range(1, periods + 1):
        if league == "mlb":
            for half in ("Top", "Middle", "Bottom", "End"):
                reach("live", period, detail=f"{half} {period}")
            continue
        for clock in sorted(draw(st.sets(st.integers(1, 600), max_size=3)), reverse=True):
            reach(draw(st.sampled_from(("live", "live", "delay"))), period, clock)
        if period < periods or draw(st.booleans()):
            reach("break", period, 0)
    reach("final", periods, None if league == "mlb" else 0)
    return points


LEAGUES = pytest.mark.parametrize("league", first_quick(["nfl", "nhl", "mlb"]))
ONCE = ("start", "overtime", "final")


@LEAGUES
@given(data=st.data())
def test_events_replayed_give_the_stored_score_at_every_reading(league, data):
    story = data.draw(stories(league))
    kept = data.draw(st.sets(st.integers(1, len(story) - 1)))
    read = [story[0], *(story[n] for n in sorted({*kept, len(story) - 1}))]
    game = Followed(league)
    game.read(*read)  # which replays after each
    kinds = Counter(event["kind"] for event in game.events)
    periods = story[-1]["period"]
    extra = periods > BY_SLUG[league].periods
    assert [kinds[kind] for kind in ONCE] == [1, extra, 1]
    ends = [event["period"] for event in game.events if event["kind"] == "period_end"]
    assert ends[: periods - 1] == list(range(1, periods))
    assert ends[periods - 1 :] in ([], [periods])
    assert kinds["taken_back"] == 0
    points = Counter[str]()
    for event in game.events:
        points[event["side"]] += event["points"] or 0
    assert [points["home"], points["away"]] == [int(score) for score in story[-1]["score"]]


@LEAGUES
@given(data=st.data())
def test_shuffled_and_repeated_answers_make_no_false_event(league, data):
    story = data.draw(stories(league))
    order = data.draw(st.lists(st.integers(0, len(story) - 1), min_size=1, max_size=60))
    game = Followed(league)
    game.read(*(story[n] for n in order))
    kinds = Counter(in_short(event) for event in game.events if event["kind"] != "score")
    once = [kind for kind in kinds if kind.startswith(("period_end", *ONCE))]
    assert {kinds[kind] for kind in once} <= {1}
    assert not [kind for kind in kinds if kind.startswith("taken_back")]
    scores = [(event["home_score"], event["away_score"]) for event in game.events]
    assert all(now[0] >= then[0] and now[1] >= then[1] for then, now in pairwise(scores))


@LEAGUES
@given(data=st.data())
def test_corrected_score_makes_one_event(league, data):
    story = data.draw(stories(league))
    place = data.draw(st.integers(1, len(story) - 1))
    side, points = data.draw(st.sampled_from((0, 1))), data.draw(st.integers(1, 8))
    game = Followed(league)
    game.read(*story[:place])
    wrong = list(story[place]["score"])
    wrong[side] = str(int(wrong[side]) + points)
    game.read(story[place] | {"score": tuple(wrong)})
    assert not [event for event in game.events if event["kind"] == "taken_back"]
    game.read(story[place], story[place], *story[place + 1 :])
    (event,) = [event for event in game.events if event["kind"] == "taken_back"]
    assert (event["side"], event["points"]) == (("home", "away")[side], -points)


# ---------------------------------------------------------------- recorded games


@pytest.mark.parametrize(("league", "count"), [("mlb", 15), ("nhl", 1), ("wnba", 4)])
def test_recorded_series_replay_to_their_scores(recorded, league, count):
    games: dict[str, Followed] = {}
    for file in sorted((recorded / league).glob("series-2025*.json")):
        for game in read_board(file.read_bytes(), league).games:
            games.setdefault(game.espn_id, Followed(league)).read_games(game)
    kinds = [Counter(event["kind"] for event in game.events) for game in games.values()]
    assert [(kind["start"], kind["final"]) for kind in kinds] == [(1, 1)] * count
    assert sum(kind["taken_back"] for kind in kinds) == 0

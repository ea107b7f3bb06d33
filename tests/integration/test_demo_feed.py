"""The demo feed behaves like ESPN's: shapes, refusals, the life of a game, and its faults."""

import ast
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from demo import DemoState, create_demo_feed, running_feed

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "../shared/espn"
EASTERN = ZoneInfo("America/New_York")
AGENT = {"User-Agent": "python-requests/2.34"}
SPORTS = {
    "nfl": "football",
    "nba": "basketball",
    "mlb": "baseball",
    "nhl": "hockey",
    "mens-college-basketball": "basketball",
    "usa.1": "soccer",
    "wnba": "basketball",
    "womens-college-basketball": "basketball",
    "college-football": "football",
    "eng.1": "soccer",
}
LEAGUES = ("nfl", "nba", "mlb", "nhl")
Json = dict[str, Any]

SUNDAY = datetime(2026, 11, 22, 18, 40, tzinfo=UTC)  # early games of the NFL's week 11
SUMMER = datetime(2026, 7, 3, 23, 30, tzinfo=UTC)
SPRING = datetime(2026, 5, 4, 1, 0, tzinfo=UTC)  # playoffs of NBA and NHL
AUTUMN = datetime(2026, 10, 8, 1, 0, tzinfo=UTC)  # playoffs of MLB


class Feed:
    """A demo feed with a clock of its own, asked without a socket."""

    def __init__(self, now: datetime = SUNDAY, speed: float = 1.0) -> None:
        self.now = now
        self.app = create_demo_feed(speed, now=lambda: self.now)
        self.demo: DemoState = self.app.extensions["demo"]
        self.client = self.app.test_client()

    def ask(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=AGENT | headers)

    def get(self, path: str) -> Json:
        answer = self.ask(path)
        assert answer.status_code == 200, answer.data
        return answer.get_json()

    def events(self, league: str, query: str = "") -> list[Json]:
        return self.get(site(league, f"scoreboard?{query}"))["events"]

    def event(self, league: str, event_id: str, day: str) -> Json:
        return next(e for e in self.events(league, f"dates={day}") if e["id"] == event_id)


@pytest.fixture
def feed() -> Feed:
    return Feed()


def site(league: str, page: str) -> str:
    return f"/apis/site/v2/sports/{SPORTS[league]}/{league}/{page}"


def sides(event: Json) -> dict[str, Json]:
    return {side["homeAway"]: side for side in event["competitions"][0]["competitors"]}


def scores(event: Json) -> tuple[int, int]:
    both = sides(event)
    return int(both["away"]["score"]), int(both["home"]["score"])


def state(event: Json) -> str:
    return event["status"]["type"]["state"]


def start_of(event: Json) -> datetime:
    return datetime.fromisoformat(event["date"])


def eastern_day(event: Json) -> str:
    return f"{start_of(event).astimezone(EASTERN):%Y%m%d}"


# Shapes


def paths(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Give every field of an answer as its path and the kind of its value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, f"{at}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{at}[]")
    else:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        yield at, "number" if is_number else type(value).__name__


PAGES = {
    "scoreboard": "s[ce][or][ri]e*.json",
    "teams": "teams.json",
    "teams/12": "team-*.json",
    "teams/12/roster": "roster-*.json",
    "teams/12/schedule": "schedule-*.json",
    "standings": "standings.json",
    "summary": "summary-*.json",
}
# Real fields that no recorded answer happens to hold.
UNRECORDED = re.compile(
    r"\.altDetail$|\.header\.competitions\[\]\.status\.|^\.situation\.|\.series\.|\.nextEvent"
    r"|^\.drives\.current|^\.gameInfo\.weather"
)
USED = {
    "scoreboard": """id date shortName season.year season.type status.type.name status.type.state
        status.type.completed status.type.detail status.period status.displayClock
        competitions[].timeValid competitions[].neutralSite competitions[].venue.fullName
        competitions[].competitors[].homeAway competitions[].competitors[].score
        competitions[].competitors[].winner competitions[].competitors[].team.id
        competitions[].competitors[].team.abbreviation competitions[].competitors[].team.logo
        competitions[].competitors[].linescores[].value
        competitions[].competitors[].linescores[].period
        competitions[].competitors[].records[].summary
        competitions[].broadcasts[].names[]""",
    "teams": """id abbreviation displayName location name color alternateColor logos[].href""",
}
MOMENTS = [SUNDAY + timedelta(hours=5 * step) for step in range(5)]
MOMENTS += [SUMMER, SUMMER + timedelta(hours=4), SPRING, AUTUMN]


def recorded_paths(league: str, pattern: str) -> set[tuple[str, str]]:
    if not RECORDED.is_dir():
        pytest.skip("no recorded answers beside this checkout")
    files = sorted(RECORDED.glob(f"{league}/{pattern}")) or sorted(RECORDED.glob(f"*/{pattern}"))
    return {path for file in files for path in paths(json.loads(file.read_bytes()))}


@cache
def demo_paths(league: str, page: str) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for moment in MOMENTS:
        feed = Feed(moment)
        if page == "summary":
            ids = [event["id"] for event in feed.events(league)]
            answers = [feed.get(site(league, f"summary?event={event}")) for event in ids]
        elif page == "standings":
            answers = [feed.get(f"/apis/v2/sports/{SPORTS[league]}/{league}/standings")]
        else:
            answers = [feed.get(site(league, page))]
        found |= {path for answer in answers for path in paths(answer)}
    return found


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("league", LEAGUES)
def test_every_field_is_one_that_espn_has_with_values_of_the_same_kind(
    league: str, page: str
) -> None:
    invented = demo_paths(league, page) - recorded_paths(league, PAGES[page])

    assert not {path for path in invented if not UNRECORDED.search(path[0])}


@pytest.mark.parametrize("page", USED)
@pytest.mark.parametrize("league", LEAGUES)
def test_the_fields_that_consumers_use_are_there(league: str, page: str) -> None:
    prefix = ".events[]." if page == "scoreboard" else ".sports[].leagues[].teams[].team."
    wanted = {prefix + name for name in USED[page].split()}
    recorded = {path for path, _ in recorded_paths(league, PAGES[page])}

    assert wanted <= recorded
    assert wanted <= {path for path, _ in demo_paths(league, page)}


@pytest.mark.parametrize("league", LEAGUES)
def test_teams_are_the_real_ones(league: str, feed: Feed) -> None:
    def ids(answer: Json) -> dict[str, str]:
        teams = [entry["team"] for entry in answer["sports"][0]["leagues"][0]["teams"]]
        return {team["id"]: team["location"] for team in teams}

    if not RECORDED.is_dir():
        pytest.skip("no recorded answers beside this checkout")
    recorded = json.loads((RECORDED / league / "teams.json").read_bytes())

    assert ids(feed.get(site(league, "teams"))) == ids(recorded)


def test_json_is_compact_and_zipped_for_those_who_ask(feed: Feed) -> None:
    path = site("nba", "scoreboard")
    plain = feed.ask(path)
    zipped = feed.ask(path, **{"Accept-Encoding": "gzip, deflate"})

    assert b'": ' not in plain.data
    assert plain.headers.get("Content-Encoding") is None
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert len(zipped.data) < len(plain.data) / 4


def test_the_feed_shares_no_code_with_the_application() -> None:
    allowed = {"demo", "flask", "werkzeug", "_typeshed", *sys.stdlib_module_names}
    for file in (ROOT / "demo").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                known = name.startswith("demo") or name.split(".")[0] in allowed
                assert known, f"{file.name} imports {name}"


# The same story every time


def test_another_process_tells_the_same_story(feed: Feed) -> None:
    program = (
        "import sys; from datetime import datetime; from demo import create_demo_feed\n"
        f"app = create_demo_feed(now=lambda: datetime.fromisoformat({SUNDAY.isoformat()!r}))\n"
        "for path in sys.argv[1:]:\n"
        f"    sys.stdout.buffer.write(app.test_client().get(path, headers={AGENT!r}).data)"
    )
    pages = [site(league, page) for league in LEAGUES for page in ("scoreboard", "teams/12/roster")]
    other = subprocess.run(
        [sys.executable, "-c", program, *pages],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "7"},
        capture_output=True,
        check=True,
    )

    assert other.stdout == b"".join(feed.ask(page).data for page in pages)


@pytest.mark.slow
@pytest.mark.parametrize("league", LEAGUES)
def test_ids_look_like_espns_and_none_comes_twice(league: str, feed: Feed) -> None:
    months = ["202608", "202609", "202610", "202611", "202612", "202701", "202702"]
    ids = [e["id"] for month in months for e in feed.events(league, f"dates={month}&limit=500")]

    assert len(ids) == len(set(ids)) > 250
    assert all(re.fullmatch(r"40[01]\d{6}", event_id) for event_id in ids)


@pytest.mark.parametrize(
    ("league", "month"), [("nba", "202611"), ("nhl", "202612"), ("mlb", "202607")]
)
def test_no_team_is_in_two_games_at_a_time(league: str, month: str, feed: Feed) -> None:
    last: dict[str, datetime] = {}
    for event in feed.events(league, f"dates={month}&limit=500"):
        for side in sides(event).values():
            before = last.get(side["team"]["id"], datetime.min.replace(tzinfo=UTC))
            assert start_of(event) - before >= timedelta(hours=4)
            last[side["team"]["id"]] = start_of(event)


def test_a_team_plays_twice_a_day_only_in_a_double_header(feed: Feed) -> None:
    feed.now = datetime(2026, 8, 1, 12, tzinfo=UTC)
    doubles = 0
    by_day: dict[tuple[str, str], list[Json]] = {}
    for event in feed.events("mlb", "dates=202607&limit=500"):
        for side in sides(event).values():
            by_day.setdefault((eastern_day(event), side["id"]), []).append(event)
    for games in by_day.values():
        if len(games) > 1:
            headlines = [game["competitions"][0]["notes"][0]["headline"] for game in games]
            assert headlines[0].startswith("Doubleheader - Game 1")
            assert headlines[1].startswith("Doubleheader - Game 2")
            doubles += 1

    assert doubles > 2


@pytest.mark.slow
def test_something_is_live_at_any_hour_of_the_year(feed: Feed) -> None:
    feed.now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    while feed.now.year == 2026:
        day = f"{feed.now.astimezone(EASTERN):%Y%m%d}"
        eve = f"{feed.now.astimezone(EASTERN) - timedelta(days=1):%Y%m%d}"
        assert any(
            state(event) == "in"
            for date in (day, eve)
            for league in ("mlb", "nba", "nhl", "nfl")
            for event in feed.events(league, f"dates={date}")
        ), feed.now
        feed.now += timedelta(hours=67)


# Which games a query asks for


@pytest.mark.parametrize(
    "dates", ["20261121-20261122", "20261122-20261122", "20261340", "soon", "1"]
)
@pytest.mark.parametrize("league", LEAGUES)
def test_ranges_and_nonsense_are_refused(league: str, dates: str, feed: Feed) -> None:
    answer = feed.ask(site(league, f"scoreboard?dates={dates}&limit=100"))

    assert answer.status_code == 400
    assert answer.data == b'{"code":400,"message":"Failed to get events endpoint."}'


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/apis/site/v2/sports/soccer/esp.1/scoreboard", 400),
        ("/apis/site/v2/sports/football/nba/scoreboard", 400),
        (site("nba", "teams/999"), 404),
        (site("nba", "summary?event=401999999999"), 404),
        (site("nba", "nothing"), 404),
    ],
)
def test_what_there_is_not_gets_espns_error(path: str, status: int, feed: Feed) -> None:
    answer = feed.ask(path)

    assert answer.status_code == status
    assert answer.get_json()["code"] == status


def test_limits_work_as_badly_as_espns(feed: Feed) -> None:
    def count(limit: str) -> int:
        return len(feed.events("mlb", f"dates=202607{limit}"))

    assert count("") == 100
    assert count("&limit=50") == 50
    assert 350 < count("&limit=500") < 500
    assert count("&limit=501") == count("&limit=1000") == 25


@pytest.mark.parametrize("league", LEAGUES)
def test_a_day_is_an_eastern_day_and_a_month_is_its_days(league: str, feed: Feed) -> None:
    month = feed.events(league, "dates=202610&limit=500")
    days = [f"202610{day:02d}" for day in range(1, 32)]
    single = [event for day in days for event in feed.events(league, f"dates={day}")]

    assert [event["id"] for event in month] == [event["id"] for event in single]
    assert {eastern_day(event)[:6] for event in month} == {"202610"}


def test_without_dates_the_day_turns_over_late_in_the_morning(feed: Feed) -> None:
    feed.now = datetime(2026, 11, 22, 11, 0, tzinfo=EASTERN).astimezone(UTC)
    before = feed.get(site("nba", "scoreboard"))
    feed.now += timedelta(hours=1)
    after = feed.get(site("nba", "scoreboard"))

    assert before["day"] == {"date": "2026-11-21"}
    assert after["day"] == {"date": "2026-11-22"}
    assert {eastern_day(event) for event in after["events"]} == {"20261122"}


def test_with_dates_no_season_or_day_comes_on_top(feed: Feed) -> None:
    assert set(feed.get(site("nba", "scoreboard?dates=20261122"))) == {"leagues", "events"}


def test_the_nfl_counts_january_to_the_year_before(feed: Feed) -> None:
    week = feed.get(site("nfl", "scoreboard?dates=2026&seasontype=2&week=18"))
    season = feed.events("nfl", "dates=2026&limit=500")

    assert len(week["events"]) == 16
    assert {event["date"][:7] for event in week["events"]} == {"2027-01"}
    assert {event["week"]["number"] for event in week["events"]} == {18}
    assert Counter(event["season"]["type"] for event in season) == {1: 49, 2: 272, 3: 13}
    sunday = feed.events("nfl", "dates=20270110")
    assert len(sunday) == 14
    assert {event["id"] for event in sunday} < {event["id"] for event in week["events"]}


def test_every_nfl_team_plays_17_games_in_18_weeks(feed: Feed) -> None:
    games: Counter[str] = Counter()
    for week in range(1, 19):
        events = feed.events("nfl", f"dates=2026&seasontype=2&week={week}")
        teams = [side["id"] for event in events for side in sides(event).values()]
        assert len(teams) == len(set(teams))
        games.update(teams)

    assert set(games.values()) == {17}


@pytest.mark.parametrize(
    ("day", "listed"), [("20260801", "2025-12-01T08:00Z"), ("20260912", "2026-12-01T08:00Z")]
)
def test_the_off_season_is_an_empty_list_with_a_calendar(day: str, listed: str, feed: Feed) -> None:
    answer = feed.get(site("nba", f"scoreboard?dates={day}"))

    assert answer["events"] == []
    assert answer["leagues"][0]["season"]["type"]["name"] == "Off Season"
    assert listed in answer["leagues"][0]["calendar"]


def test_baseballs_calendar_lists_the_days_without_games(feed: Feed) -> None:
    league = feed.get(site("mlb", "scoreboard?dates=20261006"))["leagues"][0]

    assert league["calendarIsWhitelist"] is False
    for day in league["calendar"]:
        assert feed.events("mlb", f"dates={day[:10].replace('-', '')}") == []


# The life of a game

LIVE_DAYS = {"nfl": "20261122", "nba": "20261121", "mlb": "20260703", "nhl": "20261121"}


@pytest.mark.slow
@pytest.mark.parametrize("league", LEAGUES)
def test_scores_only_rise_and_periods_never_turn_back(league: str, feed: Feed) -> None:
    day = LIVE_DAYS[league]
    for first in feed.events(league, f"dates={day}")[:2]:
        feed.now = start_of(first) - timedelta(minutes=1)
        best, period, states = (0, 0), 0, []
        for _ in range(90):
            event = feed.event(league, first["id"], day)
            now = scores(event)
            assert min(now[0] - best[0], now[1] - best[1]) >= 0
            assert event["status"]["period"] >= period
            best, period = now, event["status"]["period"]
            states.append(state(event))
            feed.now += timedelta(minutes=4)
        order = [name for at, name in enumerate(states) if name not in states[:at]]
        assert order == ["pre", "in", "post"]


@pytest.mark.parametrize("league", LEAGUES)
def test_line_scores_add_up_and_come_with_their_period(league: str, feed: Feed) -> None:
    day = LIVE_DAYS[league]
    start = start_of(feed.events(league, f"dates={day}")[-1])
    for minutes in range(-200, 300, 25):
        feed.now = start + timedelta(minutes=minutes)
        for event in feed.events(league, f"dates={day}"):
            for side in sides(event).values():
                lines = side.get("linescores", [])
                assert sum(line["value"] for line in lines) == int(side["score"])
                assert [line["period"] for line in lines] == list(range(1, len(lines) + 1))


def test_a_home_side_that_leads_does_not_bat_in_the_ninth(feed: Feed) -> None:
    feed.now = datetime(2026, 8, 1, 12, tzinfo=UTC)
    spared = 0
    for event in feed.events("mlb", "dates=202607&limit=500"):
        both = sides(event)
        if event["status"]["type"]["detail"] != "Final":
            continue
        runs = [int(line["value"]) for line in both["home"]["linescores"]]
        away = [int(line["value"]) for line in both["away"]["linescores"]]
        assert len(away) == 9
        assert len(runs) == (8 if sum(runs[:8]) > sum(away) else 9)
        spared += len(runs) == 8

    assert spared > 50


WORDS = {
    "nfl": r"\d+:\d\d - (1st|2nd|3rd|4th) Quarter|\d+:\d\d - OT"
    r"|End of (1st|3rd|4th) Quarter|Halftime",
    "nba": r"(\d+:\d\d|\d+\.\d) - (1st|2nd|3rd|4th) Quarter|(\d+:\d\d|\d+\.\d) - \d?OT"
    r"|End of (1st|3rd|4th) Quarter|End of \d?OT|Halftime",
    "mlb": r"(Rain Delay, )?(Top|Bottom) \d+(st|nd|rd|th)|(Middle|End) \d+(st|nd|rd|th)",
    "nhl": r"\d+:\d\d - (1st|2nd|3rd) Period|\d+:\d\d - \d?OT"
    r"|End of (1st|2nd|3rd) Period|End of \d?OT|Shootout",
}


@pytest.mark.slow
@pytest.mark.parametrize("league", LEAGUES)
def test_live_games_are_worded_as_espn_words_them(league: str, feed: Feed) -> None:
    seen = set()
    for step in range(180):
        feed.now = (SUMMER if league == "mlb" else SUNDAY) + timedelta(minutes=7 * step)
        for event in feed.events(league):
            if state(event) == "in":
                detail = event["status"]["type"]["detail"]
                assert re.fullmatch(WORDS[league], detail), detail
                seen.add(event["status"]["type"]["name"])

    expected = {"mlb": {"STATUS_IN_PROGRESS"}, "nhl": {"STATUS_IN_PROGRESS", "STATUS_END_PERIOD"}}
    both = {"STATUS_IN_PROGRESS", "STATUS_END_PERIOD", "STATUS_HALFTIME"}
    assert seen - {"STATUS_RAIN_DELAY"} == expected.get(league, both)


ENDINGS = {
    "nfl": {"Final", "Final/OT"},
    "nba": {"Final", "Final/OT", "Final/2OT"},
    "mlb": {"Final", "Final/10", "Final/11", "Postponed"},
    "nhl": {"Final", "Final/OT", "Final/SO"},
}


@pytest.mark.slow
@pytest.mark.parametrize("league", LEAGUES)
def test_games_end_in_all_the_ways_of_their_sport(league: str, feed: Feed) -> None:
    feed.now = datetime(2026, 7, 20, tzinfo=UTC)
    months = {"nfl": ["2025"], "mlb": ["202604", "202605", "202606"]}
    asked = months.get(league, ["202511", "202512", "202601", "202602", "202603"])
    events = [e for dates in asked for e in feed.events(league, f"dates={dates}&limit=500")]
    details = {event["status"]["type"]["detail"] for event in events}

    assert ENDINGS[league] <= details
    for event in events:
        if event["status"]["type"]["completed"] and league != "nfl":
            assert len(set(scores(event))) == 2, "only the NFL has ties"


def test_a_shootout_is_a_fifth_line_of_one_for_the_winner(feed: Feed) -> None:
    feed.now = datetime(2026, 7, 1, tzinfo=UTC)
    events = feed.events("nhl", "dates=202601&limit=500")
    decided = [e for e in events if e["status"]["type"].get("altDetail") == "SO"]

    assert decided
    for event in decided:
        fifth = {s["winner"]: s["linescores"][4]["value"] for s in sides(event).values()}
        assert fifth == {True: 1.0, False: 0.0}


@pytest.mark.parametrize(("speed", "shortest", "longest"), [(1.0, 150, 480), (60.0, 2.5, 8)])
def test_speed_shortens_games_and_leaves_their_starts(
    speed: float, shortest: float, longest: float
) -> None:
    feed = Feed(SUNDAY - timedelta(days=1), speed)
    event = feed.events("nba", "dates=20261122")[0]
    day, start = eastern_day(event), start_of(event)
    feed.now = start - timedelta(seconds=1)
    assert state(feed.event("nba", event["id"], day)) == "pre"
    feed.now = start
    assert state(feed.event("nba", event["id"], day)) == "in"
    feed.now = start + timedelta(minutes=shortest)
    assert state(feed.event("nba", event["id"], day)) == "in"
    feed.now = start + timedelta(minutes=longest)
    assert state(feed.event("nba", event["id"], day)) == "post"


@pytest.mark.parametrize(
    ("league", "names"),
    [
        ("mlb", ("winningPitcher", "losingPitcher")),
        ("nhl", ("firstStar", "secondStar", "thirdStar")),
    ],
)
def test_games_that_are_over_name_who_decided_them(league: str, names: tuple[str, ...]) -> None:
    events = Feed(AUTUMN).events(league, "dates=202610")
    assert {state(event) for event in events} >= {"pre", "post"}
    for event in events:
        competition = event["competitions"][0]
        people = competition["status"].get("featuredAthletes", [])
        winner = [s["team"] for s in sides(event).values() if s.get("winner")]
        assert tuple(one["name"] for one in people)[: len(names)] == (names if winner else ())
        assert [one["team"]["id"] for one in people[:1]] == [team["id"] for team in winner]
        recaps = [
            one["shortLinkText"].startswith(team["name"])
            for team in winner
            for one in competition["headlines"]
        ]
        assert recaps == [True] * len(winner)


def test_situations_come_with_live_games_alone(feed: Feed) -> None:
    events = feed.events("nfl")

    assert {state(event) for event in events} == {"pre", "in", "post"}
    for event in events:
        situation = event["competitions"][0].get("situation")
        assert (situation is not None) == (state(event) == "in")
        if situation and "down" in situation:
            assert situation["possession"] in {side["id"] for side in sides(event).values()}
            assert situation["downDistanceText"].startswith(situation["shortDownDistanceText"])


def test_a_game_rained_off_keeps_id_and_day_and_is_made_up_under_a_new_id(feed: Feed) -> None:
    feed.now = datetime(2026, 8, 1, 12, tzinfo=UTC)
    month = feed.events("mlb", "dates=202607&limit=500")
    off = next(e for e in month if e["status"]["type"]["name"] == "STATUS_POSTPONED")
    headline = off["competitions"][0]["notes"][0]["headline"]
    made_up = next(
        event
        for event in month
        if {side["id"] for side in sides(event).values()} == {s["id"] for s in sides(off).values()}
        and any("Makeup from" in note["headline"] for note in event["competitions"][0]["notes"])
        and start_of(event) > start_of(off)
    )

    assert " - Makeup date July " in headline
    assert state(off) == "post"
    assert off["status"]["type"]["completed"] is False
    assert scores(off) == (0, 0)
    assert all("linescores" not in side and "winner" not in side for side in sides(off).values())
    assert made_up["id"] != off["id"]

    feed.now = start_of(off) - timedelta(hours=4)
    before = feed.events("mlb", "dates=202607&limit=500")
    assert made_up["id"] not in {event["id"] for event in before}
    same = next(event for event in before if event["id"] == off["id"])
    assert state(same) == "pre"
    assert same["competitions"][0]["notes"] == []


def test_rain_stops_a_game_and_lets_it_go_on_where_it_stopped(feed: Feed) -> None:
    feed.now = datetime(2026, 7, 1, 4, tzinfo=UTC)
    wet = None
    while wet is None:
        feed.now += timedelta(minutes=30)
        delayed = (e for e in feed.events("mlb") if "Rain Delay" in e["status"]["type"]["detail"])
        wet = next(delayed, None)
    feed.now -= timedelta(minutes=90)
    details: list[str] = []
    for _ in range(90):
        detail = feed.event("mlb", wet["id"], eastern_day(wet))["status"]["type"]["detail"]
        details += [detail] if detail not in details[-1:] else []
        feed.now += timedelta(minutes=2)
    at = details.index(wet["status"]["type"]["detail"])

    assert wet["status"]["type"]["name"] == "STATUS_RAIN_DELAY"
    assert state(wet) == "in"
    assert f"Rain Delay, {details[at - 1]}" == details[at] == f"Rain Delay, {details[at + 1]}"


def test_playoff_teams_are_unknown_until_the_round_before_is_over(feed: Feed) -> None:
    feed.now = datetime(2026, 11, 22, tzinfo=UTC)
    (bowl,) = feed.events("nfl", "dates=2026&seasontype=3&week=5")
    unknown = sides(bowl)

    assert bowl["shortName"] == "TBD @ TBD"
    assert bowl["competitions"][0]["timeValid"] is False
    assert "venue" not in bowl["competitions"][0]
    assert (unknown["home"]["id"], unknown["away"]["id"]) == ("-1", "-2")
    assert not {"logo", "color"} & set(unknown["home"]["team"])
    assert "records" not in unknown["home"]

    feed.now = datetime(2027, 2, 10, tzinfo=UTC)
    (known,) = feed.events("nfl", "dates=2026&seasontype=3&week=5")
    assert known["id"] == bowl["id"]
    assert " VS " in known["shortName"]
    assert known["competitions"][0]["neutralSite"] is True
    assert known["competitions"][0]["notes"][0]["headline"] == "Super Bowl LXI"
    assert int(sides(known)["home"]["id"]) > 0


def test_far_away_football_has_no_time_yet(feed: Feed) -> None:
    event = feed.events("nfl", "dates=2026&seasontype=2&week=17")[0]

    assert event["competitions"][0]["timeValid"] is False
    assert event["status"]["type"]["shortDetail"].endswith(" - TBD")
    assert start_of(event).astimezone(EASTERN).hour == 0
    feed.now = start_of(event) - timedelta(days=10)
    later = next(
        e for e in feed.events("nfl", "dates=2026&seasontype=2&week=17") if e["id"] == event["id"]
    )
    assert later["competitions"][0]["timeValid"] is True
    assert eastern_day(later) == eastern_day(event)


def test_a_series_ends_when_it_is_decided(feed: Feed) -> None:
    feed.now = datetime(2026, 4, 14, 16, tzinfo=UTC)
    listed = feed.events("nba", "dates=202604&limit=500")
    feed.now = datetime(2026, 6, 1, tzinfo=UTC)
    kept = feed.events("nba", "dates=202604&limit=500")
    gone = {event["id"] for event in listed} - {event["id"] for event in kept}

    assert gone
    for event in listed:
        if event["id"] in gone:
            headline = event["competitions"][0]["notes"][0]["headline"]
            assert headline.endswith("If Necessary")
            assert event["competitions"][0]["timeValid"] is False
    wins = [e["competitions"][0]["series"] for e in kept if e["season"]["type"] == 3]
    assert any(series["completed"] and " wins series 4-" in series["summary"] for series in wins)


# Teams, rosters, schedules, standings, summaries


@pytest.mark.parametrize("league", LEAGUES)
def test_the_nba_roster_is_flat_and_the_others_come_in_groups(league: str, feed: Feed) -> None:
    athletes = feed.get(site(league, "teams/12/roster"))["athletes"]
    flat = athletes if league == "nba" else [a for group in athletes for a in group["items"]]

    assert all(("items" in entry) == (league != "nba") for entry in athletes)
    assert len({player["id"] for player in flat}) == len(flat) >= 15
    assert all(player["fullName"] and player["position"]["abbreviation"] for player in flat)


def test_player_ids_are_unique_in_a_league_and_players_come_and_go(feed: Feed) -> None:
    def roster_ids() -> list[str]:
        teams = feed.get(site("mlb", "teams"))["sports"][0]["leagues"][0]["teams"]
        pages = [feed.get(site("mlb", f"teams/{t['team']['id']}/roster")) for t in teams]
        return [a["id"] for page in pages for group in page["athletes"] for a in group["items"]]

    now = roster_ids()
    feed.now += timedelta(days=14)
    later = roster_ids()

    assert len(now) == len(set(now)) == len(set(later)) == 30 * 26
    assert 0 < len(set(now) - set(later)) < 60


def test_a_team_is_found_by_id_and_by_abbreviation(feed: Feed) -> None:
    assert feed.get(site("nba", "teams/lal")) == feed.get(site("nba", "teams/13"))
    assert feed.get(site("nba", "teams/13"))["team"]["abbreviation"] == "LAL"


@pytest.mark.parametrize("league", LEAGUES)
def test_a_schedule_has_scores_as_objects_and_none_before_the_start(
    league: str, feed: Feed
) -> None:
    feed.now = SUMMER if league == "mlb" else SUNDAY
    answer = feed.get(site(league, "teams/12/schedule"))
    games = [event["competitions"][0] for event in answer["events"]]

    assert answer["requestedSeason"]["type"] == 2
    assert {game["status"]["type"]["state"] for game in games} >= {"pre", "post"}
    for game in games:
        for side in game["competitors"]:
            assert ("score" in side) == (game["status"]["type"]["state"] != "pre")
            if "score" in side:
                assert side["score"]["displayValue"] == f"{side['score']['value']:.0f}"


def test_a_schedule_in_the_playoffs_is_of_the_playoffs_alone(feed: Feed) -> None:
    feed.now = SPRING
    playing = sides(feed.events("nba")[0])["home"]["id"]
    current = feed.get(site("nba", f"teams/{playing}/schedule"))
    regular = feed.get(site("nba", f"teams/{playing}/schedule?seasontype=2"))

    assert {event["seasonType"]["type"] for event in current["events"]} == {3}
    assert len(regular["events"]) == 82


@pytest.mark.parametrize("league", LEAGUES)
def test_standings_agree_with_each_other_and_with_the_scoreboard(league: str, feed: Feed) -> None:
    feed.now = SUMMER if league == "mlb" else SUNDAY
    answer = feed.get(f"/apis/v2/sports/{SPORTS[league]}/{league}/standings")
    records: dict[str, str] = {}
    won = lost = 0
    for conference in answer["children"]:
        for entry in conference["standings"]["entries"]:
            stats = {stat["name"]: stat for stat in entry["stats"]}
            won += stats["wins"]["value"]
            lost += stats["losses"]["value"]
            lost += stats.get("otLosses", {"value": 0})["value"]
            records[entry["team"]["id"]] = stats["overall"]["summary"]

    assert len(answer["children"]) == 2
    assert won == lost > 100
    for event in feed.events(league):
        for side in sides(event).values():
            assert side["records"][0]["summary"] == records[side["id"]]


@pytest.mark.parametrize(
    ("league", "division", "teams"),
    [
        ("nfl", "NFC East", {"DAL", "NYG", "PHI", "WSH"}),
        ("nba", "Pacific", {"GS", "LAC", "LAL", "PHX", "SAC"}),
        ("mlb", "American League East", {"BAL", "BOS", "NYY", "TB", "TOR"}),
        ("nhl", "Central Division", {"CHI", "COL", "DAL", "MIN", "NSH", "STL", "UTA", "WPG"}),
    ],
)
def test_standings_of_level_three_hold_divisions_with_the_same_lines(
    league: str, division: str, teams: set[str], feed: Feed
) -> None:
    path = f"/apis/v2/sports/{SPORTS[league]}/{league}/standings"
    whole, divided = feed.get(path)["children"], feed.get(f"{path}?level=3")["children"]
    by_name = {
        child["name"]: {entry["team"]["abbreviation"] for entry in child["standings"]["entries"]}
        for conference in divided
        for child in conference["children"]
    }
    assert by_name[division] == teams
    for conference, parts in zip(whole, divided, strict=True):
        lines = [line for child in parts["children"] for line in child["standings"]["entries"]]
        assert sorted(lines, key=seed) == conference["standings"]["entries"]
        if league in ("nfl", "mlb"):
            leaders = sorted(seed(c["standings"]["entries"][0]) for c in parts["children"])
            assert leaders == list(range(1, len(leaders) + 1))


def seed(line: Json) -> int:
    return next(int(stat["value"]) for stat in line["stats"] if stat["name"] == "playoffSeed")


def test_records_stand_as_of_now_not_as_of_the_game(feed: Feed) -> None:
    early = feed.events("nba", "dates=20261101")[0]
    feed.now += timedelta(days=40)
    late = feed.events("nba", "dates=20261101")[0]

    assert sides(early)["home"]["records"] != sides(late)["home"]["records"]


def test_the_site_standings_are_a_stub(feed: Feed) -> None:
    assert set(feed.get(site("nba", "standings"))) == {"fullViewLink"}


@pytest.mark.parametrize("league", LEAGUES)
def test_a_summary_has_no_scores_before_the_start(league: str, feed: Feed) -> None:
    feed.now = SUMMER if league == "mlb" else SUNDAY
    for event in feed.events(league):
        header = feed.get(site(league, f"summary?event={event['id']}"))["header"]
        for side in header["competitions"][0]["competitors"]:
            assert ("score" in side) == (state(event) != "pre")
            if "score" in side:
                assert side["score"] == sides(event)[side["homeAway"]]["score"]


# Who may ask


@pytest.mark.parametrize(
    ("agent", "status"),
    [
        ("python-requests/2.34.2", 200),
        ("python-httpx/0.28", 200),
        ("Python-urllib/3.12", 200),
        ("curl/8.5.0", 200),
        ("Go-http-client/2.0", 200),
        ("okhttp/5.0", 200),
        ("axios/1.7", 200),
        ("SportsGameTracker/1.0 (+https://example.org/tracker)", 200),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", 403),
        ("Mozilla/5.0 (+https://example.org)", 403),
        ("LEDMatrix/1.0", 403),
        ("Deno/2.1", 403),
        ("node-fetch/1.0", 403),
        ("Wget/1.21", 403),
        ("PostmanRuntime/7.4", 403),
        ("", 403),
    ],
)
def test_the_user_agent_decides(agent: str, status: int, feed: Feed) -> None:
    answer = feed.client.get(site("nba", "scoreboard"), headers={"User-Agent": agent})

    assert answer.status_code == status
    if status == 403:
        assert answer.mimetype == "text/html"
        assert b"Access Denied" in answer.data


# Faults


def has_events(body: bytes) -> bool:
    try:
        return bool(json.loads(body)["events"])
    except (ValueError, KeyError, TypeError):
        return False


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("500", 500, b'{"code":500'),
        ("429", 429, b'{"code":429'),
        ("403", 403, b"<html>"),
        ("400", 400, b'{"code":400'),
        ("html", 200, b"<!doctype html>"),
        ("empty", 200, b""),
        ("null", 200, b"null"),
        ("truncated", 200, b'{"leagues":[{'),
    ],
)
def test_a_fault_answers_in_place_of_the_feed(
    kind: str, status: int, body: bytes, feed: Feed
) -> None:
    feed.demo.fail(kind, league="nba")
    broken = feed.ask(site("nba", "scoreboard"))
    other = feed.ask(site("nhl", "scoreboard"))
    feed.demo.mend()

    assert broken.status_code == status
    assert broken.data.startswith(body)
    assert not has_events(broken.data)
    assert other.status_code == 200
    assert feed.events("nba")


def test_a_fault_ends_after_so_many_requests(feed: Feed) -> None:
    feed.demo.fail("500", times=2)
    statuses = [feed.ask(site("nba", "scoreboard")).status_code for _ in range(4)]

    assert statuses == [500, 500, 200, 200]
    assert feed.demo.faults() == []


def test_a_fault_can_be_narrowed_to_a_path(feed: Feed) -> None:
    feed.demo.fail("500", path="roster")

    assert feed.ask(site("nba", "teams/13/roster")).status_code == 500
    assert feed.ask(site("nba", "scoreboard")).status_code == 200


def test_mending_a_league_leaves_the_others_broken(feed: Feed) -> None:
    feed.demo.fail("500", league="NBA")
    feed.demo.fail("500", league="nhl")
    feed.demo.mend("nba")

    assert feed.ask(site("nba", "scoreboard")).status_code == 200
    assert feed.ask(site("nhl", "scoreboard")).status_code == 500


def test_too_many_requests_says_when_to_come_back(feed: Feed) -> None:
    feed.demo.fail("429", retry_after=7)

    assert feed.ask(site("nba", "scoreboard")).headers["Retry-After"] == "7"


def test_a_broken_event_leaves_the_others_whole(feed: Feed) -> None:
    whole = feed.events("nba")
    feed.demo.fail("broken_event", index=1)
    broken = feed.events("nba")

    assert broken[1]["competitions"] == "none"
    assert broken[1]["id"] == whole[1]["id"]
    assert [broken[0], *broken[2:]] == [whole[0], *whole[2:]]


@pytest.mark.parametrize(
    ("kind", "options"), [("nonsense", {}), ("500", {"seconds": 1}), ("500", {"times": 0})]
)
def test_a_fault_there_is_not_is_refused(kind: str, options: Json, feed: Feed) -> None:
    with pytest.raises(ValueError, match=r"no such fault|times"):
        feed.demo.fail(kind, **options)
    answer = feed.client.post("/demo/faults", json={"kind": kind, **options})

    assert answer.status_code == 400
    assert answer.get_json()["error"]
    assert feed.demo.faults() == []


def test_faults_are_switched_over_http_without_the_agent_rule(feed: Feed) -> None:
    nobody = {"User-Agent": ""}
    posted = feed.client.post(
        "/demo/faults", json={"kind": "500", "league": "nba", "times": 5}, headers=nobody
    )
    seen = feed.client.get("/demo/faults", headers=nobody).get_json()
    status = feed.ask(site("nba", "scoreboard")).status_code
    feed.client.delete("/demo/faults", headers=nobody)

    assert posted.get_json() == seen
    assert seen["faults"][0] | {"options": {}} == {
        "kind": "500",
        "league": "nba",
        "times": 5,
        "path": "",
        "options": {},
    }
    assert status == 500
    assert feed.ask(site("nba", "scoreboard")).status_code == 200


def test_requests_are_counted_and_listed(feed: Feed) -> None:
    feed.ask(site("nba", "scoreboard?dates=20261122"))
    feed.ask(site("nba", "scoreboard"), **{"User-Agent": "Wget/1"})
    log = feed.client.get("/demo/requests").get_json()

    assert log["count"] == feed.demo.request_count == 2
    assert log["requests"][0] == {
        "method": "GET",
        "host": "localhost",
        "path": site("nba", "scoreboard"),
        "query": "dates=20261122",
        "user_agent": AGENT["User-Agent"],
        "league": "nba",
        "status": 200,
    }
    assert log["requests"][1]["status"] == 403
    feed.client.delete("/demo/requests")
    assert feed.demo.requests() == []
    assert feed.demo.request_count == 0


def test_a_game_says_what_it_is_forced_to_say(feed: Feed) -> None:
    event = feed.events("nba")[0]
    address = f"/demo/games/nba/{event['id']}"
    feed.client.post(address, json={"home_score": 99, "status": "STATUS_SUSPENDED"})
    forced = feed.events("nba")[0]
    summary = feed.get(site("nba", f"summary?event={event['id']}"))
    feed.client.delete(address)

    assert scores(forced)[1] == 99
    assert forced["status"]["type"]["name"] == "STATUS_SUSPENDED"
    home = next(
        side
        for side in summary["header"]["competitions"][0]["competitors"]
        if side["homeAway"] == "home"
    )
    assert home["score"] == "99"
    assert feed.events("nba")[0] == event


def test_a_game_forced_to_another_start_is_played_from_there(feed: Feed) -> None:
    event = feed.events("nba", "dates=20261128")[0]
    start = feed.now - timedelta(minutes=30)
    feed.demo.force_game("nba", event["id"], {"start": start})
    moved = feed.event("nba", event["id"], "20261122")

    assert state(moved) == "in"
    assert start_of(moved) == start
    assert event["id"] not in {e["id"] for e in feed.events("nba", "dates=20261128")}


def test_a_hidden_game_is_not_listed(feed: Feed) -> None:
    event = feed.events("nba")[0]
    feed.demo.force_game("nba", event["id"], {"hidden": True})

    assert event["id"] not in {e["id"] for e in feed.events("nba")}
    assert feed.ask(site("nba", f"summary?event={event['id']}")).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [{"colour": "red"}, {"status": "STATUS_ODD"}, {"start": "soon"}, {"start": "2026-01-01"}],
)
def test_fields_that_cannot_be_forced_are_refused(fields: Json, feed: Feed) -> None:
    event = feed.events("nba")[0]

    assert feed.client.post(f"/demo/games/nba/{event['id']}", json=fields).status_code == 400
    assert feed.client.post("/demo/games/nba/1", json={"home_score": 1}).status_code == 400
    assert feed.events("nba")[0] == event


# On a socket


@pytest.fixture
def served(feed: Feed) -> Iterator[tuple[str, DemoState]]:
    with running_feed(feed.app) as address:
        yield address + site("nba", "scoreboard"), feed.demo


def test_a_hanging_answer_is_let_go_by_mending(served: tuple[str, DemoState]) -> None:
    url, demo = served
    demo.fail("timeout", times=1)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(url, timeout=0.3)
    demo.fail("timeout", times=1)
    threading.Timer(1.5, demo.mend).start()
    started = time.monotonic()
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(url, timeout=20)

    assert time.monotonic() - started < 5
    assert requests.get(url, timeout=5).status_code == 200


@pytest.mark.parametrize("after", [0, 300])
def test_a_disconnect_breaks_the_answer_off(after: int, served: tuple[str, DemoState]) -> None:
    url, demo = served
    demo.fail("disconnect", after=after)
    errors = (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)

    with pytest.raises(errors):
        requests.get(url, timeout=5)


def test_a_dripping_answer_never_times_out_a_read(served: tuple[str, DemoState]) -> None:
    url, demo = served
    demo.fail("drip", bytes=10, seconds=0.1)
    threading.Timer(1.0, demo.mend).start()
    started = time.monotonic()
    answer = requests.get(url, timeout=0.5)

    assert time.monotonic() - started > 0.9
    assert answer.json()["events"]


def test_a_huge_answer_does_not_say_how_long_it_is(served: tuple[str, DemoState]) -> None:
    url, demo = served
    demo.fail("huge")
    with requests.get(url, timeout=5, stream=True) as answer:
        size = sum(len(piece) for piece in answer.iter_content(1 << 20))

    assert "Content-Length" not in answer.headers
    assert size > 60_000_000


def test_latency_delays_a_good_answer(served: tuple[str, DemoState]) -> None:
    url, demo = served
    demo.fail("latency", seconds=0.4)
    started = time.monotonic()
    answer = requests.get(url, timeout=5)

    assert time.monotonic() - started > 0.4
    assert answer.json()["events"]


def test_the_module_serves_says_where_and_stops_at_a_signal() -> None:
    command = [sys.executable, "-m", "demo", "--port", "0", "--speed", "60"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        address = re.fullmatch(r"demo feed on (http://127\.0\.0\.1:\d+)\n", line)
        assert address is not None
        answer = requests.get(address[1] + site("nfl", "teams"), timeout=10)
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        status = process.wait(10)

    assert answer.status_code == 200
    assert (status, rest) == (0, "")


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = subprocess.run(
            [sys.executable, "-m", "demo", "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}: the port is taken" in result.stderr

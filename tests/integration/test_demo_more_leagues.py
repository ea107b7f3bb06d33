"""The demo feed's six further leagues, above all what the first four do not have."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from demo import running_feed
from sportsapp.core.leagues import BY_SLUG, DEFAULT_LEAGUES
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.db.models import Game, GameDoubt, LeagueRow, Team
from sportsapp.factory import create_app
from sportsapp.feed.client import FeedClient
from sportsapp.services import services_of
from sportsapp.sync.backfill import sync_range
from sportsapp.sync.catalogue import sync_leagues, sync_teams
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day, sync_today
from tests.conftest import NO_BROKER, QUICK
from tests.integration.test_demo_feed import (
    EASTERN,
    RECORDED,
    Feed,
    Json,
    eastern_day,
    paths,
    scores,
    sides,
    site,
    start_of,
)

pytestmark = pytest.mark.slow

COLLEGE, SOCCER = "mens-college-basketball", "usa.1"
JANUARY = datetime(2027, 1, 16, 18, 0, tzinfo=UTC)  # a Saturday of college basketball
SEPTEMBER = datetime(2026, 9, 12, 23, 0, tzinfo=UTC)  # a Saturday of soccer
JULY = datetime(2026, 7, 18, 23, 30, tzinfo=UTC)  # a Saturday of the WNBA
DIVISIONS = {
    COLLEGE: "&groups=50",
    "womens-college-basketball": "&groups=50",
    "college-football": "&groups=80",
}
MOMENTS = {
    COLLEGE: JANUARY,
    "womens-college-basketball": JANUARY,
    "college-football": SEPTEMBER,
    "wnba": JULY,
    SOCCER: SEPTEMBER,
    "eng.1": SEPTEMBER,
}


@pytest.fixture
def college() -> Feed:
    return Feed(JANUARY)


@pytest.fixture
def soccer() -> Feed:
    return Feed(SEPTEMBER)


def games(feed: Feed, league: str, dates: str) -> list[Json]:
    return feed.events(league, f"dates={dates}&limit=500{DIVISIONS.get(league, '')}")


def ranks(event: Json) -> list[int]:
    return [side["curatedRank"]["current"] for side in event["competitions"][0]["competitors"]]


@pytest.mark.parametrize(("league", "moment"), MOMENTS.items())
def test_every_field_of_a_game_is_one_that_espn_has(league: str, moment: datetime) -> None:
    if not RECORDED.is_dir():
        pytest.skip("no recorded answers beside this checkout")
    files = [*RECORDED.glob("mixed/all.json"), *RECORDED.glob("n[bf][al]/scoreboard-*.json")]
    recorded = {path for file in files for path in paths(json.loads(file.read_bytes()))}
    made: set[tuple[str, str]] = set()
    for hours in range(-6, 30, 3):
        feed = Feed(moment + timedelta(hours=hours))
        made |= {path for event in feed.events(league) for path in paths(event, ".events[]")}
    assert {path for path in made - recorded if not path[0].endswith(".altDetail")} == set()


@pytest.mark.parametrize("league", MOMENTS)
def test_ids_are_unique_and_lead_back_to_their_game(league: str, college: Feed) -> None:
    months = [
        "202607",
        "202608",
        "202609",
        "202610",
        "202611",
        "202612",
        "202701",
        "202702",
        "202703",
    ]
    ids = [event["id"] for month in months for event in games(college, league, month)]
    assert len(ids) == len(set(ids)) > 100
    for event_id in ids[::40]:
        answer = college.get(site(league, f"summary?event={event_id}"))
        assert answer["header"]["id"] == event_id
        assert answer["header"]["league"]["slug"] == league


# ---------------------------------------------------------------- college


def test_without_its_division_a_college_day_has_ranked_teams_alone(college: Feed) -> None:
    few = college.events(COLLEGE, "dates=20270116&limit=500")
    every = games(college, COLLEGE, "20270116")
    assert 0 < len(few) < len(every)
    assert [e["id"] for e in few] == [e["id"] for e in every if min(ranks(e)) < 99]
    assert college.events(COLLEGE, "dates=20270116&groups=4") == few


def test_twelve_teams_are_ranked_and_change_places_on_mondays(college: Feed) -> None:
    polls: dict[int, dict[str, int]] = {}
    for event in games(college, COLLEGE, "202701"):
        day = date.fromisoformat(eastern_day(event))
        week = polls.setdefault(day.isocalendar().week, {})
        for side in sides(event).values():
            rank = side["curatedRank"]["current"]
            assert rank == 99 or 1 <= rank <= 12
            assert week.setdefault(side["id"], rank) == rank
    whole = [poll for poll in polls.values() if len(poll) == 32]
    assert len(whole) >= 3
    for poll in whole:
        assert sorted(rank for rank in poll.values() if rank < 99) == list(range(1, 13))
    assert whole[0] != whole[1]


def test_college_plays_two_halves_and_overtime(college: Feed) -> None:
    college.now = datetime(2027, 4, 1, tzinfo=UTC)
    endings: Counter[str] = Counter()
    for month in ("202611", "202612", "202701", "202702"):
        for event in games(college, COLLEGE, month):
            if event["status"]["type"]["completed"]:
                endings[event["status"]["type"]["detail"]] += 1
                lines = [len(side["linescores"]) for side in sides(event).values()]
                extra = {"Final": 0, "Final/OT": 1, "Final/2OT": 2}[
                    event["status"]["type"]["detail"]
                ]
                assert lines == [2 + extra] * 2
                assert len(set(scores(event))) == 2
    assert set(endings) >= {"Final", "Final/OT"}


@pytest.mark.parametrize(
    ("league", "months"),
    [
        ("wnba", ("202605", "202606", "202607", "202608")),
        ("womens-college-basketball", ("202611", "202612", "202701", "202702")),
        ("college-football", ("202609", "202610", "202611")),
    ],
)
def test_four_quarters_and_overtime_until_somebody_leads(college, league, months):
    college.now = datetime(2027, 4, 1, tzinfo=UTC)
    endings: Counter[str] = Counter()
    for event in (one for month in months for one in games(college, league, month)):
        if event["status"]["type"]["completed"]:
            ending = event["status"]["type"]["detail"]
            extra = {"Final": 0, "Final/OT": 1, "Final/2OT": 2, "Final/3OT": 3}[ending]
            endings[ending] += 1
            lines = [len(side["linescores"]) for side in sides(event).values()]
            assert lines == [4 + extra] * 2
            assert len(set(scores(event))) == 2
    assert set(endings) >= {"Final", "Final/OT"}
    assert endings["Final"] > 100


def test_college_football_plays_a_week_from_thursday_to_saturday(college):
    weeks: dict[int, list[Json]] = {}
    for event in (
        one
        for month in ("202608", "202609", "202610", "202611", "202612")
        for one in games(college, "college-football", month)
    ):
        weeks.setdefault(event["week"]["number"], []).append(event)
    assert sorted(weeks) == list(range(1, 14))
    for events in weeks.values():
        days = {date.fromisoformat(eastern_day(one)) for one in events}
        assert {day.weekday() for day in days} <= {3, 4, 5}
        assert (max(days) - min(days)).days <= 2
        playing = [side["id"] for one in events for side in sides(one).values()]
        assert len(playing) == len(set(playing)) == 24


def test_every_club_of_the_premier_league_plays_38_games(college):
    season = (
        ("2026" + f"{month:02d}" for month in range(8, 13)),
        ("2027" + f"{month:02d}" for month in range(1, 6)),
    )
    played = Counter(
        side["id"]
        for month in (month for half in season for month in half)
        for event in games(college, "eng.1", month)
        for side in sides(event).values()
    )
    assert set(played.values()) == {38}
    assert len(played) == 20


# ---------------------------------------------------------------- soccer


def life_of(feed: Feed, event: Json, step: int = 1) -> Iterator[Json]:
    """A game minute by minute, from before its start until after its end."""
    day = eastern_day(event)
    feed.now = start_of(event) - timedelta(minutes=2)
    for _ in range(0, 140, step):
        yield feed.event(SOCCER, event["id"], day)
        feed.now += timedelta(minutes=step)


def test_soccer_counts_up_stands_in_added_time_and_rests_between_the_halves(soccer: Feed) -> None:
    told = [one["status"] for one in life_of(soccer, games(soccer, SOCCER, "20260912")[0])]
    names = [one["type"]["name"] for one in told]
    assert [n for at, n in enumerate(names) if n != names[at - 1] or not at] == [
        "STATUS_SCHEDULED",
        "STATUS_FIRST_HALF",
        "STATUS_HALFTIME",
        "STATUS_SECOND_HALF",
        "STATUS_FULL_TIME",
    ]
    clocks = [one["clock"] for one in told]
    assert clocks == sorted(clocks)
    shown = {one["displayClock"]: one["clock"] for one in told}
    assert {"0'", "23'", "45'", "45'+2'", "67'", "90'+3'"} <= set(shown)
    assert (shown["23'"], shown["45'+2'"], shown["90'+3'"]) == (1380, 2700, 5400)
    for one in told:
        if one["type"]["name"] == "STATUS_HALFTIME":
            assert (one["period"], one["type"]["detail"]) == (1, "HT")
        if one["type"]["state"] == "in" and one["type"]["name"] != "STATUS_HALFTIME":
            assert one["type"]["detail"] == one["displayClock"]
    assert (told[-1]["type"]["detail"], told[-1]["period"]) == ("FT", 2)


def test_draws_have_no_winner_and_are_common(soccer: Feed) -> None:
    over = [e for e in games(soccer, SOCCER, "202608") if e["status"]["type"]["completed"]]
    drawn = [e for e in over if len(set(scores(e))) == 1]
    assert 0.15 < len(drawn) / len(over) < 0.45
    for event in over:
        winners = [side["winner"] for side in sides(event).values()]
        assert winners.count(True) == (0 if event in drawn else 1)
        assert not any("linescores" in side for side in sides(event).values())


def test_some_teams_of_soccer_see_a_red_card(soccer: Feed) -> None:
    over = [e for e in games(soccer, SOCCER, "202608") if e["status"]["type"]["completed"]]
    cards = [card for e in over for card in e["competitions"][0]["details"]]
    assert 0.1 < len(cards) / len(over) < 0.4
    for event in over:
        ids = {side["team"]["id"] for side in sides(event).values()}
        assert {card["team"]["id"] for card in event["competitions"][0]["details"]} <= ids


def test_record_of_a_soccer_team_reads_won_drawn_lost(soccer: Feed) -> None:
    answer = soccer.get(f"/apis/v2/sports/soccer/{SOCCER}/standings")
    for conference in answer["children"]:
        entries = conference["standings"]["entries"]
        assert len(entries) == 15
        for place, entry in enumerate(entries, 1):
            stats = {one["name"]: one["displayValue"] for one in entry["stats"]}
            won, drawn, lost = map(int, stats["overall"].split("-"))
            assert [won, drawn, lost] == [int(stats[n]) for n in ("wins", "ties", "losses")]
            assert int(stats["points"]) == 3 * won + drawn
            assert (int(stats["gamesPlayed"]), int(stats["rank"])) == (won + drawn + lost, place)


# ---------------------------------------------------------------- the app against it

MORE = [BY_SLUG[slug] for slug in ("wnba", "ncaaf", "ncaam", "ncaaw", "mls", "epl")]
SLUGS = tuple(league.slug for league in (*DEFAULT_LEAGUES, *MORE))  # what the demo feed has
NCAAM, MLS = BY_SLUG["ncaam"], BY_SLUG["mls"]


@pytest.fixture
def app(instance: Path, database_url: str, soccer: Feed) -> Iterator[Flask]:
    """The app that follows all ten, on a feed whose clock is ``soccer.now``."""
    with running_feed(soccer.app) as url:
        settings = Settings(
            instance_path=instance,
            database_url=database_url,
            espn_base_url=url,
            redis_url=NO_BROKER,
            leagues=SLUGS,
        )
        client = FeedClient(url, settings.user_agent, retry_policy=QUICK)
        app = create_app(settings, client)
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()
        client.close()


def sync_at(app: Flask, feed: Feed) -> SyncContext:
    return SyncContext(services_of(app).feed_client, db.session, feed.now)


def stored(slug: str) -> list[Any]:
    db.session.expire_all()
    found = db.session.query(Game).join(Game.league_row).filter(LeagueRow.slug == slug)
    return found.order_by(Game.start_at).all()


def test_ten_leagues_are_read_from_the_feed_with_teams_and_standings(app, soccer):
    sync = sync_at(app, soccer)
    assert sync_leagues(sync, MORE).as_dict() == {"created": 6, "updated": 0, "errors": []}
    assert sync_teams(sync, MORE).as_dict() == {"synced": 150, "errors": []}
    assert sync_today(sync, [BY_SLUG[slug] for slug in SLUGS]).errors == []
    teams = (
        db.session.query(Team).join(Team.league_row).filter(LeagueRow.slug == "ncaam", Team.listed)
    )
    assert {team.standing_group for team in teams} == {
        "Atlantic Coast Conference",
        "Big 12 Conference",
        "Big East Conference",
        "Southeastern Conference",
    }
    assert teams.filter(Team.abbreviation == "DUKE").one().short_name == "Duke"


def test_game_of_soccer_is_followed_without_a_step_back(app, soccer):
    event = games(soccer, SOCCER, "20260912")[3]
    story: list[tuple[str, int]] = []
    for _ in life_of(soccer, event, step=3):
        assert sync_day(sync_at(app, soccer), MLS, date(2026, 9, 12)).errors == []
        (game,) = [one for one in stored("mls") if one.espn_id == event["id"]]
        if not story or story[-1] != (game.status, game.period):
            story.append((game.status, game.period))
        assert db.session.query(GameDoubt).count() == 0
    assert story == [("scheduled", 0), ("live", 1), ("break", 1), ("live", 2), ("final", 2)]
    assert game.detail == "FT"


def test_season_of_college_is_backfilled_whole_with_its_ranks(app, soccer):
    soccer.now = datetime(2027, 4, 1, 18, tzinfo=UTC)
    first, last = date(2026, 11, 1), date(2027, 3, 31)
    result = sync_range(sync_at(app, soccer), NCAAM, first, last)
    assert result.errors == []
    whole = {
        event["id"]
        for month in ("202611", "202612", "202701", "202702", "202703")
        for event in games(soccer, COLLEGE, month)
    }
    assert {game.espn_id for game in stored("ncaam")} == whole
    assert result.synced == len(whole) > 480
    told = {rank for game in stored("ncaam") for rank in (game.home_rank, game.away_rank)}
    assert told == {None, *range(1, 13)}


@pytest.mark.parametrize("league", MORE, ids=lambda league: league.slug)
def test_day_of_each_is_shown_live(app, soccer, league):
    soccer.now = MOMENTS[league.feed_slug] - timedelta(
        hours=6 if league.slug in {"epl", "ncaaf"} else 0
    )
    day = soccer.now.astimezone(EASTERN).date()
    assert sync_day(sync_at(app, soccer), league, day).errors == []
    live = [one for one in stored(league.slug) if one.state == "in"]
    page = app.test_client().get(f"/{league.slug}/{day}").text
    assert live
    assert page.count('<li class="g in') == len(live)
    if league.by_week:
        week = live[0].week
        assert f"Week {week}" in app.test_client().get(f"/{league.slug}/weeks/2026/2/{week}").text


def test_pages_show_live_college_and_soccer(app, soccer):
    client = app.test_client()
    soccer.now = JANUARY
    assert sync_day(sync_at(app, soccer), NCAAM, date(2027, 1, 16)).synced
    page = client.get("/ncaam/2027-01-16").text
    live = [one for one in stored("ncaam") if one.state == "in"]
    assert live
    assert page.count('<li class="g in') == len(live)
    assert "ranked " in page
    soccer.now = datetime(2026, 9, 13, 0, 10, tzinfo=UTC)
    sync_day(sync_at(app, soccer), MLS, date(2026, 9, 12))
    page = client.get("/mls/2026-09-12").text
    assert page.count('<li class="g in') >= 1
    assert "<b>FT</b>" in page

"""Missed days: the season so far at the first start, an outage's days after it, and no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.wrappers import Request, Response

from demo import create_demo_feed, running_feed
from sportsapp.core.clock import game_day
from sportsapp.core.leagues import BY_SLUG, DEFAULT_LEAGUES, League
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game, LeagueRow, Team
from sportsapp.feed.client import FeedClient
from sportsapp.services import services_of
from sportsapp.sync import store
from sportsapp.sync.catalogue import sync_leagues
from sportsapp.sync.catch_up import REQUESTS, sync_schedule_and_catch_up
from sportsapp.sync.context import SyncContext, SyncResult
from tests.conftest import QUICK
from tests.integration.events import board, event

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 10, 18, tzinfo=UTC)
NBA, NCAAM = BY_SLUG["nba"], BY_SLUG["ncaam"]
SEASON = {"calendarStartDate": "2025-12-20T08:00Z", "calendar": []}
MONTHS = ["nba 202603", "nba 202602", "nba 202601", "nba 202512"]


class Interrupted(Exception):
    """Stands for a run that gives way."""


@pytest.fixture
def sync(app, feed) -> SyncContext:
    """A sync on a day in March, of leagues whose season began in December."""
    for slug in ("nba", "ncaam"):
        feed.say(slug, {"children": []}, kind="standings")
        feed.say(slug, {"events": [], "leagues": [SEASON]})
    context = SyncContext(services_of(app).feed_client, db.session, NOW)
    store.league_refs(context, [NBA, NCAAM])
    sync_leagues(context, [NBA, NCAAM])
    feed.requests.clear()
    return context


@pytest.fixture
def run(sync, feed) -> Callable[..., list[str]]:
    """One run so much later; what it requested beyond yesterday, today and tomorrow."""

    def schedule(leagues: tuple[League, ...] = (NBA,), **time: float) -> list[str]:
        feed.requests.clear()
        context = replace(sync, now=sync.now + timedelta(**time))
        schedule.result = sync_schedule_and_catch_up(context, list(leagues))
        today = game_day(context.now)
        around = [f"{today + timedelta(days=number):%Y%m%d}" for number in (-1, 0, 1)]
        usual = {f"{league.slug} {day}" for league in leagues for day in around}
        asked = feed.asked()
        assert usual <= set(asked)
        return asked[len(usual) :]

    return schedule


def finals(*days: str) -> dict[str, Any]:
    return board(*(event(f"{day}", f"{day}T23:00Z") for day in days))


def unread(sync: SyncContext, first: date, last: date, league: League = NBA) -> list[date]:
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    league_id = store.league_ref(sync, league).id
    read = queries.days_read_at(db.session, [league_id], days)
    return [day for day in days if (league_id, day) not in read]


def test_first_start_takes_the_running_season_by_month(sync, run, feed):
    for month in ("2025-12", "2026-01", "2026-02", "2026-03"):
        days = [f"{month}-{day}" for day in (19, 23, 27)] if month < "2026-03" else [f"{month}-05"]
        feed.say("nba", finals(*days), dates=month.replace("-", ""))
    assert run() == MONTHS
    team = db.session.scalars(select(Team)).first()
    games = queries.games_of_team(db.session, team, None)
    assert [game.espn_id for game in games] == [
        *("2025-12-23", "2025-12-27"),  # the season began on the 20th
        *(f"2026-0{month}-{day}" for month in (1, 2) for day in (19, 23, 27)),
        "2026-03-05",
    ]
    assert run.result == SyncResult(9)
    assert unread(sync, date(2025, 12, 20), date(2026, 3, 10)) == []


def test_quiet_night_requests_nothing_more(run):
    run()
    assert [run(hours=hour) for hour in (1, 10, 20, 34)] == [[]] * 4


def test_nothing_is_missed_before_the_seasons_first_day_is_known(app, feed):
    context = SyncContext(services_of(app).feed_client, db.session, NOW)
    sync_schedule_and_catch_up(context, [NBA])
    assert len(feed.asked()) == 3


def test_after_ten_days_down_their_games_end(run, feed):
    feed.say("nba", board(event("1", "2026-03-10T23:00Z", "pre")), dates="20260310")
    feed.say("nba", board(event("2", "2026-03-11T23:00Z", "pre")), dates="20260311")
    run()
    feed.say(
        "nba",
        board(event("1", "2026-03-10T23:00Z"), event("2", "2026-03-11T23:00Z")),
        dates="202603",
    )
    assert run(days=10) == ["nba 202603"]
    assert list(db.session.scalars(select(Game.state))) == ["post", "post"]
    assert run(days=10, hours=1) == []


def test_after_two_days_down_their_days_are_read_alone(run):
    run()
    assert sorted(run(days=3)) == ["nba 20260310", "nba 20260311"]
    assert run(days=3, hours=1) == []


def test_what_was_seen_longest_ago_comes_first(run):
    """Of the college days, which are read one by one."""
    asked = [run((NCAAM,)), run((NCAAM,), hours=1), run((NCAAM,), hours=2)]
    assert [len(days) for days in asked] == [REQUESTS, 79 - REQUESTS, 0]
    newest_first = [f"ncaam {date(2026, 3, 8) - timedelta(days=n):%Y%m%d}" for n in range(79)]
    assert asked[0] + asked[1] == newest_first
    run((NCAAM,), days=3)
    assert run((NBA, NCAAM), days=6)[-2:] == ["ncaam 20260313", "ncaam 20260314"][::-1]


@pytest.mark.parametrize(("state", "most"), [("pre", 7), ("post", 1)])
def test_game_that_never_ends_is_not_asked_for_for_ever(run, feed, state, most):
    """Hourly runs of three weeks: its day is asked for after twice as long each time.

    A live game's day is not left to catching up: live syncs and each hourly one read it.
    """
    run()
    feed.say("nba", board(event("1", "2026-03-05T23:00Z", state)), dates="20260305")
    db.session.execute(
        store.SCOREBOARDS.delete().where(store.SCOREBOARDS.c.day == date(2026, 3, 5))
    )
    db.session.commit()
    asked = [run(hours=hours) for hours in range(1, 21 * 24, 3)]
    days = [day for days in asked for day in days]
    assert set(days) == {"nba 20260305"}
    assert 1 <= len(days) <= most


def test_month_that_cannot_be_read_is_read_by_day_and_the_broken_day_again(sync, run, feed):
    feed.say("nba", board({"id": "7"}), dates="202602")
    feed.say("nba", board({"id": "7"}), dates="20260217")
    run()
    assert len(unread(sync, date(2026, 2, 1), date(2026, 2, 28))) == 28
    assert run(hours=1) == []
    days = sorted(run(days=1))
    assert days == [f"nba 202602{day:02}" for day in range(1, 29)]
    assert unread(sync, date(2026, 2, 1), date(2026, 2, 28)) == [date(2026, 2, 17)]
    assert run(days=1, hours=23) == []
    assert run(days=2) == ["nba 20260217"]


def test_where_months_are_refused_days_are_read_a_few_in_each_run(run, feed):
    for month in MONTHS:
        feed.say("nba", Response("{}", 400), dates=month[4:])
    march, february, january, december = 8, 28, 31, 12
    assert len(run()) == 3 + march + february + january
    assert len(run(hours=1)) == 1 + december
    assert run(hours=2) == []


def test_league_that_is_refused_waits_and_the_others_go_on(run, feed):
    def refused(request: Request) -> Response:
        is_now = request.args["dates"] in ("20260309", "20260310", "20260311")
        return Response('{"events": []}', 200 if is_now else 403)

    feed.say("nba", refused)
    asked = run((NBA, NCAAM))
    refusals = ["nba 202603", "nba 20260301"]
    assert [day for day in asked if day.startswith("nba")] == refusals
    assert len(asked) - len(refusals) == REQUESTS - 1
    (line,) = run.result.errors
    assert line.startswith("NBA 2026-03-01 to 2026-03-08: ")
    feed.say("nba", {"events": []})
    assert "nba 202603" in run((NBA,), hours=1)


def test_league_whose_day_cannot_be_read_now_is_left_alone(sync, feed):
    feed.say("nba", Response("{}", 503))
    result = sync_schedule_and_catch_up(sync, [NBA, NCAAM])
    assert {day for day in feed.asked() if day.startswith("nba")} == {
        f"nba 202603{day:02}" for day in (9, 10, 11)
    }
    assert len(result.errors) == 3


def test_run_that_gives_way_goes_on_with_the_next_chunk(sync, feed):
    points = []

    def give_way(done: int, _total: int, resume: dict[str, Any] | None = None) -> None:
        points.append(resume)
        if done == 2:
            raise Interrupted

    feed.say("nba", finals("2026-03-05"), dates="202603")
    feed.say("nba", finals("2026-02-05"), dates="202602")
    with pytest.raises(Interrupted):
        sync_schedule_and_catch_up(replace(sync, progress=give_way), [NBA])
    assert (points[-1]["result"], points[-1]["kept"]) == (
        {"synced": 1, "errors": []},
        {"requests": 1},
    )
    feed.requests.clear()
    result = sync_schedule_and_catch_up(replace(sync, resume=points[-1]), [NBA])
    assert feed.asked() == MONTHS[1:]
    assert result == SyncResult(2)
    assert db.session.scalar(select(func.count()).select_from(Game)) == 2


@pytest.mark.usefixtures("app")
def test_first_start_of_four_leagues_has_all_results_of_a_team_after_twenty_requests(settings):
    """With the demo feed, whose team records are recounts of its games."""
    now = datetime(2026, 11, 28, 18, tzinfo=UTC)
    steps: list[int] = []
    leagues = list(DEFAULT_LEAGUES)
    with running_feed(create_demo_feed(1.0, now=lambda: now)) as url:
        client = FeedClient(url, settings.user_agent, retry_policy=QUICK)
        sync = SyncContext(client, db.session, now, progress=lambda done, *_: steps.append(done))
        sync_leagues(sync, leagues)
        assert sync_schedule_and_catch_up(sync, leagues).errors == []
        client.close()
    assert steps[-1] == 1 + 20  # the days around today; months, and two days of a month
    teams = select(Team).join(Team.league_row).where(LeagueRow.slug == "nba", Team.record > "")
    for team in db.session.scalars(teams).all():
        games = queries.games_of_team(db.session, team, 2027)
        season = [game for game in games if (game.season_type, game.status) == (2, "final")]
        won = sum(
            game.home_winner if game.home_team_id == team.id else game.away_winner
            for game in season
        )
        assert f"{won}-{len(season) - won}" == team.record

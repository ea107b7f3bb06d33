"""What a visitor's question about an unread day sets off: a real broker, a real feed, no consumer.

The test takes the worker's place, so that it decides when a run is executed.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import update
from werkzeug.wrappers import Response

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.leagues import BY_SLUG, season_of
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import Alert, LeagueRow, RunState, TaskRun, Trigger
from sportsapp.queue.huey import huey
from sportsapp.runs.rows import RUNS, run_origin
from sportsapp.tasks import (
    sync_all_live_games,
    sync_all_teams,
    sync_date_range_task,
    sync_unread_days,
    visitors,
)
from sportsapp.tasks.actions import set_paused
from tests.integration.conftest import Visitor
from tests.integration.events import board, event
from tests.stored import mark_read

SUNDAY = date(2025, 11, 23)
PAGE = f"/nfl/{SUNDAY}"
API = f"/api/v1/games?league=nfl&date={SUNDAY}"
ASKED = "The feed is being asked: this page shows the answer in a moment."
NOT_READ = "have not been read from the feed since the day ended."
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def visitor(real_app):
    """A browser, behind a web server."""
    return Visitor(real_app, real_app.response_class, use_cookies=False)


def ask(visitor, path=PAGE, agent=BROWSER, address="192.0.2.1", **options):
    headers = {"User-Agent": agent, **options.pop("headers", {})}
    environ = {"REMOTE_ADDR": address}
    return visitor.open(path, headers=headers, environ_base=environ, **options)


def runs() -> list[TaskRun]:
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.query(TaskRun).order_by(TaskRun.queued_at, TaskRun.id))


def work() -> None:
    """What a worker does with the next message."""
    task = huey.dequeue()
    assert task is not None
    huey.execute(task)


def say_game(feed) -> None:
    feed.say("nfl", board(event("7", f"{SUNDAY}T20:00Z")), dates="20251123")


# ---------------------------------------------------------------- one question


def test_visitor_who_asks_for_an_unread_day_gets_it(visitor, feed):
    say_game(feed)
    page = ask(visitor)
    assert page.status_code == 200
    assert NOT_READ in page.text
    assert ASKED in page.text
    assert 'data-poll="3"' in page.text
    (run,) = runs()
    assert (run.task, run.trigger, run.asked_by) == ("sync_unread_days", Trigger.VISITOR, "")
    assert run.args == {"league": "NFL", "start_date": f"{SUNDAY}", "end_date": f"{SUNDAY}"}
    work()
    assert feed.asked() == ["nfl 20251123"]
    (run,) = runs()
    assert (run.state, run.result) == (RunState.SUCCESS, {"synced": 1, "errors": []})
    page = ask(visitor)
    assert 'href="/nfl/games/7"' in page.text
    assert "not been read" not in page.text
    assert page.headers["ETag"]


def test_client_of_the_api_gets_it_too(visitor, feed):
    say_game(feed)
    assert ask(visitor, API, "curl/8.5").json == {"games": [], "next": None, "read_at": None}
    work()
    answer = ask(visitor, API, "curl/8.5").json
    assert [game["espn_id"] for game in answer["games"]] == ["7"]
    assert answer["read_at"]


def test_questions_about_one_day_are_one_run(visitor):
    for n, path in enumerate((PAGE, PAGE, API, f"/{SUNDAY}")):
        ask(visitor, path, address=f"192.0.2.{n}")
    asked = [run.args["league"] for run in runs()]
    assert sorted(asked) == ["MLB", "NBA", "NFL", "NHL"]  # the others are on the last page


def test_day_within_a_backfill_that_waits_is_on_its_way(visitor):
    sync_date_range_task("nfl", "2025-11-01", "2025-11-30")
    assert ASKED in ask(visitor).text
    assert [run.task for run in runs()] == ["sync_date_range_task"]


def test_day_within_a_backfill_that_is_paused_is_read_for_the_visitor(visitor):
    sync_date_range_task("nfl", "2025-11-01", "2025-11-30")
    set_paused("sportsapp-backfill", True, "maria")
    assert ASKED in ask(visitor).text
    assert sorted(run.task for run in runs()) == ["sync_date_range_task", "sync_unread_days"]


@pytest.mark.parametrize("path", ["/nfl/teams/ALP", "/nfl/teams/ALP.ics"])
def test_team_whose_season_was_not_read_gets_it_as_one_run(visitor, feed, path):
    today = game_day(utc_now())
    feed.say("nfl", board(event("7", f"{today}T20:00Z")), dates=f"{today:%Y%m%d}")
    sync_unread_days.call_local("nfl", today, today)
    first, last = season_of(BY_SLUG["nfl"], today)
    ask(visitor, path)
    ask(visitor, path)
    (run,) = runs()
    assert run.args == {"league": "NFL", "start_date": f"{first}", "end_date": f"{last}"}
    work()
    assert len(feed.asked()) <= 1 + 12
    page = ask(visitor, path)
    assert "not all days of the" not in page.text.lower()
    assert page.headers["ETag"]
    assert len(runs()) == 1


def test_week_of_an_unread_season_gets_that_season(visitor):
    assert ASKED in ask(visitor, "/nfl/weeks/2019/2/5").text
    (run,) = runs()
    assert list(run.args.values()) == ["NFL", "2019-04-01", "2020-03-31"]


# ---------------------------------------------------------------- whose questions count


@pytest.mark.parametrize(
    ("agent", "options"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", {}),
        ("Mozilla/5.0 (compatible; Yahoo! Slurp)", {}),
        ("facebookexternalhit/1.1", {}),
        ("SomeCrawler/1.0", {}),
        ("", {}),
        (BROWSER, {"headers": {"Sec-Purpose": "prefetch"}}),
        (BROWSER, {"headers": {"Purpose": "prefetch"}}),
        (BROWSER, {"method": "HEAD"}),
    ],
)
@pytest.mark.parametrize("path", [PAGE, API, "/nfl/weeks/2019/2/5"])
def test_crawler_sets_nothing_off(visitor, agent, options, path):
    answer = ask(visitor, path, agent, **options)
    assert answer.status_code == 200
    assert ASKED not in answer.text
    assert runs() == []


@pytest.mark.parametrize("is_past", [True, False])
def test_day_of_no_season_that_the_feed_has_is_never_asked_for(visitor, is_past):
    day = date(1999, 12, 31) if is_past else game_day(utc_now()) + timedelta(days=731)
    for path in (f"/nfl/{day}", f"/api/v1/games?league=nfl&date={day}"):
        assert ask(visitor, path).status_code == 200
    assert ask(visitor, "/nfl/weeks/1998/2/5").status_code == 404
    assert runs() == []


@pytest.mark.parametrize("other", ["192.0.2.9", "2001:db8::1"])
def test_an_address_sets_off_six_runs_a_minute(visitor, other):
    days = [SUNDAY - timedelta(days=n) for n in range(8)]
    pages = [ask(visitor, f"/nfl/{day}", address="192.0.2.1").text for day in days[:7]]
    assert [ASKED in page for page in pages] == [True] * 6 + [False]
    assert NOT_READ in pages[6]
    assert ASKED in ask(visitor, f"/nfl/{days[0]}", address="192.0.2.1").text  # it is on its way
    assert len(runs()) == 6
    assert ASKED in ask(visitor, f"/nfl/{days[7]}", address=other).text
    assert len(runs()) == 7


def test_addresses_of_one_network_are_one_visitor(visitor):
    for n in range(8):
        ask(visitor, f"/nfl/{SUNDAY - timedelta(days=n)}", address=f"2001:db8::{n}")
    assert len(runs()) == 6


def test_at_most_thirty_runs_wait(visitor):
    for n in range(32):
        page = ask(visitor, f"/nfl/{SUNDAY - timedelta(days=n)}", address=f"192.0.2.{n}")
        assert (ASKED in page.text) == (n < 30)
    assert len(runs()) == 30


# ---------------------------------------------------------------- what may go wrong


def test_day_that_cannot_be_read_is_asked_for_again_after_ten_minutes_and_wakes_nobody(
    visitor, feed, monkeypatch
):
    feed.fail("nfl", 400)
    ask(visitor)
    work()
    (run,) = runs()
    assert run.state == RunState.FAILURE
    assert db.session.query(Alert).filter(Alert.active_since.is_not(None)).all() == []
    page = ask(visitor)
    assert NOT_READ in page.text
    assert ASKED not in page.text
    assert len(runs()) == 1
    monkeypatch.setattr(visitors, "ASK_AGAIN_AFTER", timedelta(0))
    assert ASKED in ask(visitor).text
    assert len(runs()) == 2


def test_nothing_is_asked_of_a_feed_that_refuses_us(visitor, feed):
    mark_read("nfl", date(2025, 9, 1), date(2025, 9, 1))
    feed.fail("nfl", 403)
    ask(visitor)
    ask(visitor, f"/nfl/{SUNDAY - timedelta(days=1)}")
    work()
    assert db.session.query(LeagueRow).one().paused_until
    asked = len(feed.asked())
    work()
    assert len(feed.asked()) == asked
    run = runs()[1]
    assert run.state == RunState.SKIPPED
    assert re.match(r"NFL: .* \(not polled before", run.error)


def test_page_states_that_it_is_not_read_while_the_broker_is_away(visitor, broker):
    broker.kill()
    answer = ask(visitor)
    assert answer.status_code == 200
    assert NOT_READ in answer.text
    assert ASKED not in answer.text
    assert runs() == []
    broker.start()
    assert ASKED in ask(visitor).text


# ---------------------------------------------------------------- beside ticks


def test_it_waits_while_another_long_run_is_at_work_and_gives_way_to_ticks(visitor, feed):
    with run_origin(Trigger.COMMAND):
        teams = sync_all_teams()
    huey.dequeue()
    at_work = {"state": RunState.STARTED, "heartbeat_at": utc_now()}
    with write_connection() as connection:
        connection.execute(update(RUNS).where(RUNS.c.id == teams.id).values(at_work))
    ask(visitor, "/nfl/weeks/2019/2/5")
    work()
    assert feed.asked() == []
    assert runs()[1].state == RunState.PENDING
    with write_connection() as connection:
        ended = {"state": RunState.SUCCESS, "finished_at": utc_now()}
        connection.execute(update(RUNS).where(RUNS.c.id == teams.id).values(ended))

    def first_month(_request):
        sync_all_live_games()  # a tick that waits for a worker
        return Response('{"events": [], "leagues": [{}]}', mimetype="application/json")

    feed.say("nfl", first_month, dates="201904")
    task = huey.dequeue()
    task.eta = None  # its time has come
    huey.execute(task)
    assert feed.asked() == ["nfl 201904"]
    assert [run.state for run in runs() if run.trigger == Trigger.VISITOR] == [RunState.PENDING]


def test_its_priority_is_below_that_of_all_other_tasks_but_one():
    priorities = {name: task.default_priority for name, task in huey.tasks.items()}
    mine = priorities.pop("sportsapp.tasks.sync.sync_unread_days")
    assert priorities.pop("sportsapp.tasks.sync.sync_final_games") < mine
    assert mine < min(priorities.values())

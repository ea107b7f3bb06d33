"""A scheduled tick follows live games: it reads them again and again until the next slot."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, insert, select, update
from werkzeug.wrappers import Response

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import AllLeaguesFailedError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.db.models import Game, LeagueRow, RunState, Scoreboard, TaskRun, Trigger
from sportsapp.db.models.run import ConsumerProcess
from sportsapp.feed.fetch import FetchStopped
from sportsapp.feed.watched import READ_SECONDS
from sportsapp.queue.consumer import SlotScheduler
from sportsapp.queue.huey import huey
from sportsapp.runs.rows import RUNS, run_origin
from sportsapp.runs.turns import is_worker_wanted
from sportsapp.services import services_of
from sportsapp.sync import follow as following
from sportsapp.sync.context import SyncContext, SyncResult
from sportsapp.sync.follow import Follow, sync_live
from sportsapp.sync.scoreboards import sync_today
from sportsapp.tasks import sync_all_live_games
from tests.integration.events import board, event
from tests.receiver import receiving

NOW = datetime(2026, 10, 4, 18, 0, tzinfo=UTC)
START = "2026-10-04T17:00Z"
NFL, NBA = BY_SLUG["nfl"], BY_SLUG["nba"]
LEAGUES = [NFL, NBA]
SLOT = 60.0


@dataclass
class Minute:
    """A minute whose time passes while the run waits, and while the feed answers.

    ``offsets`` are the seconds into the minute at which the feed was asked, by league.
    """

    sync: SyncContext
    feed: object
    seconds: float = 0.0
    latency: float = 0.0
    every: float = 10.0
    ends: float = 1e9
    on_wait: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.offsets: dict[str, list[float]] = {}
        self.waits: list[float] = []
        self.pings = 0

    def say(self, league: str, *events: object, until: float = 1e9, then: object = None) -> None:
        """Answer with these events, and from some second of the minute on with ``then``."""

        def answer(_request: object) -> Response:
            self.offsets.setdefault(league, []).append(self.seconds)
            body = board(*events) if self.seconds < until else then
            self.seconds += self.latency
            if isinstance(body, int):
                return Response("{}", status=body)
            return Response(json.dumps(body), mimetype="application/json")

        self.feed.say(league, answer)

    def wait(self, seconds: float) -> bool:
        self.on_wait()
        self.waits.append(seconds)
        self.seconds += seconds
        return self.seconds < self.ends

    def ping(self) -> None:
        self.pings += 1

    def run(self, seconds: float = SLOT, leagues: list | None = None, **more: object) -> SyncResult:
        follow = Follow(
            seconds=seconds, every=self.every, wait=self.wait, timer=lambda: self.seconds, **more
        )
        context = replace(
            self.sync, clock=lambda: NOW + timedelta(seconds=self.seconds), scheduled=True
        )
        return sync_live(context, leagues or LEAGUES, self.ping, follow)


def live(espn_id: str = "900", **more: object) -> dict:
    return event(espn_id, START, state="in", **more)


@pytest.fixture
def sync(app) -> SyncContext:
    services = services_of(app)
    return SyncContext(
        services.feed_client, db.session, NOW, "run-1", services.feed_watch, scheduled=True
    )


@pytest.fixture
def minute(sync, feed) -> Minute:
    """A minute in which the NFL has a live game and the NBA a final one, both known."""
    made = Minute(sync, feed)
    made.say("nfl", live())
    made.say("nba", event("800", START))
    sync_today(sync, LEAGUES)
    made.offsets.clear()
    return made


def league(slug: str = "nfl") -> LeagueRow:
    db.session.rollback()
    return db.session.scalars(select(LeagueRow).filter_by(slug=slug)).one()


# ---------------------------------------------------------------- when it reads


def test_league_with_a_live_game_is_read_again_until_the_slot_less_two_seconds(minute):
    assert minute.run().as_dict() == {"synced": 1, "errors": []}
    assert minute.offsets == {"nfl": [0, 10, 20, 30, 40, 50]}
    assert (minute.seconds, minute.pings) == (50, 1)


@pytest.mark.parametrize(
    ("latency", "offsets"),
    [
        (3, [0, 10, 20, 30, 40, 50]),
        (8, [0, 10, 20, 30, 40, 50]),
        (9, [0, 10, 20, 30, 40]),  # one that begins at 50 would end after 58
        (14, [0, 14, 28, 42]),
        (40, [0]),
    ],
)
def test_no_reading_begins_that_could_reach_the_next_slot(minute, latency, offsets):
    minute.latency = latency
    minute.run()
    assert minute.offsets["nfl"] == offsets
    assert minute.seconds <= SLOT - 2


@pytest.mark.parametrize(("every", "count"), [(5, 12), (30, 2), (60, 1)])
def test_time_between_readings_is_the_setting(minute, every, count):
    minute.every = every
    minute.run()
    assert len(minute.offsets["nfl"]) == count


def test_run_that_begins_late_ends_with_its_slot(minute):
    minute.run(25)
    assert minute.offsets["nfl"] == [0, 10, 20]


def test_run_reads_once_when_its_slot_is_over(minute):
    minute.run(0)
    assert minute.offsets["nfl"] == [0]


def test_run_ends_when_nothing_is_live_any_more(minute):
    minute.say("nfl", live(), until=15, then=board(event("900", START)))
    minute.run()
    assert minute.offsets["nfl"] == [0, 10, 20]


def test_quiet_night_asks_and_writes_nothing(minute, feed):
    minute.say("nfl", event("900", START))
    sync_today(minute.sync, LEAGUES)
    feed.requests.clear()
    before = league().updated_at, league().next_read_at
    assert minute.run().as_dict() == {"synced": 0, "errors": []}
    assert (feed.requests, minute.waits, minute.pings) == ([], [], 1)
    assert (league().updated_at, league().next_read_at) == before


def test_league_without_a_live_game_is_not_read_again(minute):
    minute.say("nba", event("800", "2026-10-04T18:01Z", state="pre"))
    sync_today(minute.sync, LEAGUES)
    minute.offsets.clear()
    minute.run()
    assert {slug: len(asked) for slug, asked in minute.offsets.items()} == {"nba": 1, "nfl": 6}


def test_game_that_the_feed_has_left_live_for_days_is_read_once_a_run(minute):
    db.session.execute(update(Game).values(start_at=NOW - timedelta(days=2, minutes=1)))
    db.session.commit()
    minute.say("nfl", event("900", "2026-10-02T17:59Z", state="in"))
    minute.run()
    assert minute.waits == []


def test_run_ends_when_it_may_not_wait_any_longer(minute):
    minute.ends = 25
    assert minute.run().synced == 1
    assert minute.offsets["nfl"] == [0, 10, 20]


@pytest.mark.parametrize(
    ("count", "offsets"), [(2, [0, 10, 20, 30, 40, 50]), (3, [0, 15, 30, 45]), (4, [0, 20, 40])]
)
def test_leagues_in_play_share_the_requests(minute, count, offsets):
    leagues = [BY_SLUG[slug] for slug in ("nfl", "nba", "mlb", "nhl")][:count]
    for slug in ("nba", "mlb", "nhl"):
        minute.say(slug, live("801"))
    sync_today(minute.sync, leagues)
    minute.offsets.clear()
    minute.run(leagues=leagues)
    assert minute.offsets == {league.slug: offsets for league in leagues}


@pytest.mark.parametrize(
    ("others", "offsets"), [([], [0, 10]), ([live("901")], [0, 10, 20, 30, 40, 50])]
)
def test_league_in_which_every_live_game_has_a_break_is_left_to_the_tick(minute, others, offsets):
    halftime = live()
    halftime["competitions"][0]["status"]["type"]["name"] = "STATUS_HALFTIME"
    minute.say("nfl", live(), until=5, then=board(halftime, *others))
    minute.run()
    assert minute.offsets["nfl"] == offsets


def test_break_of_one_league_leaves_the_others_the_requests_of_two(minute):
    leagues = [BY_SLUG[slug] for slug in ("nfl", "nba", "mlb")]
    halftime = live("801")
    halftime["competitions"][0]["status"]["type"]["name"] = "STATUS_HALFTIME"
    minute.say("nba", halftime)
    minute.say("mlb", live("701"))
    sync_today(minute.sync, leagues)
    minute.offsets.clear()
    minute.run(leagues=leagues)
    often = [0, 10, 20, 30, 40, 50]
    assert minute.offsets == {"nfl": often, "nba": [0], "mlb": often}


# ---------------------------------------------------------------- what a reading stores


def test_each_reading_commits_by_itself_and_stamps_the_league(minute):
    seen = []

    def look() -> None:
        assert not db.session().in_transaction()
        with db.engine.connect() as connection:
            columns = LeagueRow.polled_at, Scoreboard.read_at, Game.home_score
            row = connection.execute(
                select(*columns)
                .join(Scoreboard, Scoreboard.league_id == LeagueRow.id)
                .join(Game, Game.league_id == LeagueRow.id)
                .where(LeagueRow.slug == "nfl")
            ).one()
        seen.append((row.polled_at - NOW, row.read_at - NOW, row.home_score))

    minute.say("nfl", live(home=20), until=15, then=board(live(home=27)))
    minute.on_wait = look
    minute.run()
    times = [timedelta(seconds=10 * number) for number in range(5)]
    assert [row[:2] for row in seen] == [(at, at) for at in times]
    assert [row[2] for row in seen] == [20, 20, 27, 27, 27]


def test_synced_counts_each_game_once_a_run(minute):
    minute.say("nfl", live(), live("901"), until=15, then=board(live(), live("902")))
    assert minute.run().synced == 3


def test_unchanged_reading_writes_no_game(minute):
    minute.run()
    db.session.rollback()
    assert set(db.session.scalars(select(Game.changed_by_run))) == {"run-1"}
    assert db.session.scalar(select(func.max(Game.updated_at))) == NOW


def test_next_reading_is_noted_and_at_the_end_the_next_slot(minute):
    noted = []
    minute.on_wait = lambda: noted.append((league().next_read_at - NOW).total_seconds())
    minute.latency = 1
    minute.run()
    assert noted == [10, 20, 30, 40, 50]
    assert league().next_read_at == NOW + timedelta(seconds=SLOT)
    assert league("nba").next_read_at is None


def test_next_reading_that_does_not_fit_into_the_minute_is_noted_as_the_next_slot(minute):
    minute.say("nba", live("801"))
    sync_today(minute.sync, LEAGUES)
    minute.say("nba", live("801"), until=1, then=404)
    noted = []
    minute.on_wait = lambda: noted.append((league("nba").next_read_at - NOW).total_seconds())
    minute.run()
    assert noted == [10, 30, 30, 60, 60]


# ---------------------------------------------------------------- what fails


def test_reading_that_fails_is_a_line_and_does_not_end_the_run(minute):
    minute.say("nfl", live(), until=15, then=500)
    result = minute.run()
    assert result.synced == 1
    (line,) = result.errors
    assert line.startswith("NFL 2026-10-04: the feed answered 500")


def test_all_failing_backs_off_within_the_run_and_is_one_line_with_its_count(minute, feed):
    minute.every = 5
    minute.say("nfl", live(), until=1, then=404)
    result = minute.run()
    assert minute.offsets["nfl"] == [0, 5, 15, 35]
    (line,) = result.errors
    assert line.startswith("NFL 2026-10-04: the feed refused us with 404")
    assert line.endswith("(3 errors in this run)")
    assert league().failures == 0  # they are counted once a run


def test_league_that_fails_does_not_hold_up_the_others(minute):
    minute.say("nba", live("801"))
    sync_today(minute.sync, LEAGUES)
    minute.offsets.clear()
    minute.say("nba", live("801"), until=1, then=404)
    result = minute.run()
    assert minute.offsets == {"nfl": [0, 10, 20, 30, 40, 50], "nba": [0, 10, 30]}
    assert (result.synced, len(result.errors)) == (2, 1)


def test_league_that_is_well_again_is_read_at_the_usual_pace(minute):
    minute.every = 5

    def answer(_request: object) -> Response:
        minute.offsets.setdefault("nfl", []).append(minute.seconds)
        if minute.seconds == 5:
            return Response("{}", status=404)
        return Response(json.dumps(board(live())), mimetype="application/json")

    minute.feed.say("nfl", answer)
    minute.run(33)
    assert minute.offsets["nfl"] == [0, 5, 15, 20, 25, 30]


def test_all_failing_at_the_first_reading_raises_and_pings_nobody(minute):
    minute.say("nfl", until=0, then=404)
    with pytest.raises(AllLeaguesFailedError):
        minute.run()
    assert (minute.offsets["nfl"], minute.pings) == ([0], 0)
    assert league().failures == 1


@pytest.mark.parametrize("headers", [{"status": 403}, {"status": 429, "Retry-After": "40"}])
def test_league_that_refuses_or_asks_to_wait_is_left_alone(minute, headers):
    status = headers.pop("status")

    def answer(_request: object) -> Response:
        minute.offsets.setdefault("nfl", []).append(minute.seconds)
        if minute.seconds:
            return Response("{}", status=status, headers=headers)
        return Response(json.dumps(board(live())), mimetype="application/json")

    minute.feed.say("nfl", answer)
    assert len(minute.run().errors) == 1
    assert minute.offsets["nfl"] == [0, 10]


def test_reading_in_hand_is_cut_off_before_the_next_slot(minute, monkeypatch):
    monkeypatch.setattr(following, "FREE_SECONDS", 0.5)
    hung = threading.Event()

    def answer(_request: object) -> Response:
        if minute.offsets.setdefault("nfl", []):
            hung.wait(10)
        minute.offsets["nfl"].append(0)
        return Response(json.dumps(board(live())), mimetype="application/json")

    minute.feed.say("nfl", answer)
    began = time.monotonic()
    follow = Follow(seconds=2, every=0.3, wait=lambda seconds: time.sleep(seconds) or True)
    result = sync_live(minute.sync, [NFL], follow=follow)
    assert time.monotonic() - began < 2
    hung.set()
    (line,) = result.errors
    assert "no complete answer within" in line
    assert result.synced == 1


@pytest.mark.parametrize("is_first", [True, False])
def test_stop_is_not_held_up_by_a_request_in_hand(minute, is_first):
    hung, stop = threading.Event(), threading.Event()

    def answer(_request: object) -> Response:
        if is_first or minute.offsets.get("nfl"):
            threading.Timer(0.2, stop.set).start()
            hung.wait(10)
        minute.offsets.setdefault("nfl", []).append(0)
        return Response(json.dumps(board(live())), mimetype="application/json")

    minute.feed.say("nfl", answer)
    follow = Follow(seconds=60, every=0.1, wait=lambda _: True, is_stopping=stop.is_set)
    began = time.monotonic()
    if is_first:
        with pytest.raises(FetchStopped):
            sync_live(minute.sync, [NFL], follow=follow)
    else:
        assert sync_live(minute.sync, [NFL], follow=follow).as_dict() == {"synced": 1, "errors": []}
    assert time.monotonic() - began < 2
    hung.set()


# ---------------------------------------------------------------- which runs follow


@pytest.fixture
def quick(app, offline, feed, monkeypatch) -> None:
    """An NFL game that is live now; slots of five seconds, in which it is read every second."""
    services = services_of(app)
    start = utc_now() - timedelta(minutes=5)
    feed.say("nfl", board(event("900", f"{start:%Y-%m-%dT%H:%MZ}", state="in")))
    with receiving() as receiver:
        chosen = replace(
            services.settings, live_read_seconds=1, heartbeat_url=f"{receiver.url}/ping"
        )
        app.extensions["sportsapp"] = replace(services, settings=chosen)
        monkeypatch.setattr(huey, "tick_seconds", 5)
        sync_today(SyncContext(services.feed_client, db.session, utc_now()), services.leagues)
        feed.requests.clear()
        yield receiver


def scheduled(slot: datetime | None = None) -> TaskRun:
    """A run as the scheduler makes it, executed as a worker does."""
    slot = slot or utc_now().replace(microsecond=0)
    huey.push(huey.tracker.claim(huey.periodic_tasks["sync_all_live_games"], slot))
    return execute()


def execute() -> TaskRun:
    message = huey.dequeue()
    huey.execute(message)
    db.session.rollback()
    return db.session.get(TaskRun, message.id)


def asked(feed) -> int:
    return feed.asked().count(f"nfl {utc_now():%Y%m%d}") or len(feed.requests)


def test_scheduled_run_follows_and_tells_of_its_readings(quick, feed):
    run = scheduled()
    assert (run.state, run.result) == (RunState.SUCCESS, {"synced": 1, "errors": []})
    assert asked(feed) in (2, 3)
    assert run.finished_at <= run.slot + timedelta(seconds=3.5)
    assert run.progress_done == run.progress_total == asked(feed)
    assert quick.pings == ["/ping"]


def test_recovered_run_follows_to_the_end_of_its_own_slot(quick, feed):
    run = scheduled(utc_now().replace(microsecond=0) - timedelta(seconds=2))
    assert run.state == RunState.SUCCESS
    assert asked(feed) in (1, 2)
    feed.requests.clear()
    assert scheduled(utc_now() - timedelta(seconds=30)).state == RunState.SUCCESS
    assert asked(feed) == 1


@pytest.mark.parametrize("trigger", [Trigger.ADMIN, Trigger.COMMAND, Trigger.CHAIN])
def test_run_that_somebody_asked_for_reads_once(quick, feed, trigger):
    with run_origin(trigger, "maria"):
        sync_all_live_games()
    run = execute()
    assert (run.state, run.result) == (RunState.SUCCESS, {"synced": 1, "errors": []})
    assert (asked(feed), run.progress_total, quick.pings) == (1, 0, ["/ping"])


def test_call_here_and_now_reads_once(quick, feed, runner):
    assert sync_all_live_games.call_local() == {"synced": 1, "errors": []}
    assert asked(feed) == 1
    feed.requests.clear()
    assert runner.invoke(args=["sync", "live"]).exit_code == 0
    assert asked(feed) == 1


def test_run_that_is_cancelled_stops_at_its_next_reading(quick, feed):
    still, engine = feed.answers["nfl", "scoreboard", ""], db.engine

    def answer(_request: object) -> Response:
        with engine.begin() as connection:
            connection.execute(update(RUNS).values(cancel_asked=True))
        return still

    feed.say("nfl", answer)
    run = scheduled()
    assert (run.state, run.result) == (RunState.REVOKED, {"synced": 1, "errors": []})
    assert asked(feed) == 1


# ---------------------------------------------------------------- the only worker


def add_run(task: str, state: str = RunState.PENDING, **more: object) -> None:
    now = utc_now()
    row = {"id": f"{task}-{state}", "task": task, "queue": huey.name, "state": state}
    row |= {"trigger": Trigger.COMMAND, "queued_at": now, "due_at": now, "heartbeat_at": now}
    db.session.execute(insert(TaskRun), row | more)
    db.session.commit()


def add_workers(count: int) -> None:
    now = utc_now()
    row = {"host": "here", "queue": huey.name, "role": "worker", "beat_at": now, "started_at": now}
    db.session.execute(insert(ConsumerProcess), [row | {"pid": 1 + n} for n in range(count)])
    db.session.commit()


def wanted() -> bool:
    with db.engine.connect() as connection:
        return is_worker_wanted(connection, huey, utc_now())


@pytest.mark.parametrize(
    ("workers", "at_work", "waits", "task", "is_wanted"),
    [
        (1, ["sync_all_live_games"], 11, "sync_daily_schedule", True),
        (1, ["sync_all_live_games"], 9, "sync_daily_schedule", False),
        (2, ["sync_all_live_games"], 11, "sync_daily_schedule", False),
        (2, ["sync_all_live_games", "sync_all_teams"], 11, "send_alert", True),
        (2, ["sync_all_live_games", "sync_all_teams"], 11, "sync_daily_schedule", False),
        (2, ["sync_all_live_games", "send_alert"], 11, "sync_daily_schedule", True),
    ],
)
def test_worker_is_wanted_when_another_run_has_waited_and_none_is_free(
    app, workers, at_work, waits, task, is_wanted
):
    add_workers(workers)
    for name in at_work:
        add_run(name, RunState.STARTED)
    add_run(task, due_at=utc_now() - timedelta(seconds=waits))
    assert wanted() is is_wanted


def test_link_of_a_chain_a_late_tick_and_another_queue_want_no_worker(app):
    add_workers(1)
    add_run("sync_all_live_games", RunState.STARTED)
    long_ago = utc_now() - timedelta(minutes=5)
    add_run("sync_all_leagues", due_at=None)
    add_run("sync_all_live_games", due_at=long_ago, expires_at=long_ago)
    add_run("sync_date_range_task", queue="sportsapp-backfill", due_at=long_ago)
    assert not wanted()


# ---------------------------------------------------------------- the slot after a long run


def test_slot_that_falls_due_while_a_run_ends_is_claimed_as_soon_as_it_has(app, offline):
    name, minute = "sync_all_live_games", utc_now().replace(second=0, microsecond=0)
    scheduler = SlotScheduler(huey, None, 1, True)
    scheduler._seen = dict.fromkeys(huey.periodic_tasks, minute - timedelta(seconds=1))
    add_run(name, RunState.STARTED)

    def slots() -> list[datetime]:
        db.session.rollback()
        return list(db.session.scalars(select(TaskRun.slot).where(TaskRun.task == name)))

    for second in (0, 1, 20, 54):
        scheduler.enqueue_periodic_tasks(minute + timedelta(seconds=second))
        assert minute not in slots()
    db.session.execute(update(TaskRun).values(state=RunState.SUCCESS))
    db.session.commit()
    scheduler.enqueue_periodic_tasks(minute + timedelta(seconds=57))  # too late: it has expired
    assert minute not in slots()
    scheduler._seen[name] = minute - timedelta(seconds=1)
    scheduler.enqueue_periodic_tasks(minute + timedelta(seconds=55))
    assert minute in slots()


# ---------------------------------------------------------------- watched games


class Watched:
    """Games that somebody looks at: due 25 seconds after they were taken."""

    def __init__(self, minute: Minute, *names: tuple[str, str]) -> None:
        self.minute, self.names = minute, names
        self.taken: list[float] = []

    def __call__(self, next_look: float) -> list[tuple[str, str]]:
        if self.taken and self.minute.seconds - self.taken[-1] < READ_SECONDS - next_look:
            return []
        self.taken.append(self.minute.seconds)
        return list(self.names)


def summaries(feed) -> list[str]:
    return [request.args["event"] for request in feed.requests if "/summary" in request.path]


def test_watched_game_is_read_after_the_scoreboards(minute, feed):
    watched = Watched(minute, ("nfl", "900"), ("nfl", "999"), ("nba", "800"))
    minute.run(watched=watched)
    assert watched.taken == [0, 20, 40, 55]
    assert minute.offsets["nfl"] == [0, 10, 20, 30, 40, 50]
    assert summaries(feed)[0] == "900"
    assert set(summaries(feed)) == {"900"}


def test_game_that_nobody_looks_at_costs_no_request(minute, feed):
    minute.run(watched=Watched(minute))
    assert summaries(feed) == []


def test_watched_game_is_read_while_the_run_waits_for_a_rare_reading(minute, feed):
    minute.every = 40
    watched = Watched(minute, ("nfl", "900"))
    minute.run(watched=watched)
    assert (watched.taken, minute.offsets["nfl"]) == ([0, 20, 40, 55], [0, 40])


@pytest.mark.parametrize("every", [6, 10, 15, 25, 40])
@pytest.mark.parametrize("latency", [0, 1, 2])
def test_reading_of_a_watched_game_is_never_old(minute, every, latency):
    minute.every, minute.latency = every, latency
    watched = Watched(minute, ("nfl", "900"))
    for slot, late in enumerate([1, 3, 2, 3]):
        minute.seconds = slot * SLOT + late
        minute.run(SLOT - late, watched=watched)
    gaps = [after - before for before, after in pairwise(watched.taken)]
    assert (max(gaps) <= READ_SECONDS + 1, min(gaps) >= 10) == (True, True), watched.taken
    assert len(watched.taken) <= 16


def test_watched_games_wait_where_the_next_reading_is_near(minute, feed):
    minute.latency = 9
    watched = Watched(minute, ("nfl", "900"))
    minute.run(watched=watched)
    assert minute.offsets["nfl"] == [0, 10, 20, 30, 40]
    assert (watched.taken, summaries(feed)) == ([54], ["900"])


def test_watched_game_that_falls_due_after_the_last_reading_is_read_in_this_minute(minute):
    minute.every = 25
    watched = Watched(minute, ("nfl", "900"))
    watched.taken.append(-5)  # by the run before
    minute.run(watched=watched)
    assert (watched.taken, minute.offsets["nfl"]) == ([-5, 15, 35, 55], [0, 25, 50])


def test_run_whose_games_have_a_break_does_not_stay_for_watched_ones(minute):
    minute.say("nfl", live(), until=20, then=board(event("900", START)))
    watched = Watched(minute, ("nfl", "900"))
    minute.run(watched=watched)
    assert minute.seconds < 25


def test_summary_that_fails_is_no_error_of_the_run_and_waits(minute, feed):
    feed.fail("nfl", 404, kind="summary")
    watched = Watched(minute, ("nfl", "900"))
    assert minute.run(watched=watched).as_dict() == {"synced": 1, "errors": []}
    assert watched.taken == [0, 20, 40, 55]
    assert summaries(feed) == ["900"]

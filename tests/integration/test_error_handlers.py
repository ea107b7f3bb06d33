"""What follows from a league's errors: pauses, the breaker, samples; and whom they bind."""

from __future__ import annotations

import logging
import stat
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from huey.utils import SKIPPED
from sqlalchemy import select

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.errors import (
    AllLeaguesFailedError,
    FeedRefusedError,
    FeedUnavailableError,
    PayloadError,
    TrackerError,
)
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.db.models import Alert, LeagueRow, RunState, TaskRun
from sportsapp.queue.huey import huey
from sportsapp.runs.rows import find_run
from sportsapp.services import services_of
from sportsapp.sync import catalogue, scoreboards, watch
from sportsapp.sync.backfill import sync_range
from sportsapp.sync.catalogue import sync_leagues
from sportsapp.sync.context import SyncContext
from sportsapp.sync.follow import sync_live as service_sync_live
from sportsapp.sync.scoreboards import sync_day, sync_schedule
from sportsapp.sync.watch import HANDLERS, backoff, handle, on_error
from sportsapp.tasks import run_of, sync_all_live_games
from tests.integration.events import board
from tests.panel import add_league, row

NBA, NFL = BY_SLUG["nba"], BY_SLUG["nfl"]
HTML = b"<html>Back soon</html>"


@pytest.fixture
def reported(app, monkeypatch):
    """What was reported to the alerts, as (event, league, kind)."""
    reported: list[tuple[str, str, str]] = []
    alerts = services_of(app).alerts
    for event in ("problem", "recovery"):

        def note(subject: str, kind: str, _words: str, event: str = event, **_: object) -> None:
            reported.append((event, subject, str(kind)))

        monkeypatch.setattr(alerts, f"report_{event}", note)
    return reported


@pytest.fixture
def now():
    """The time as the syncs of these tests have it."""
    return utc_now()


@pytest.fixture
def poll(app, reported, now):
    """One scheduled round of live polling for the NBA, so many minutes later."""

    def polling(minutes: float = 0, sync_leagues=service_sync_live, leagues=(NBA,), **more):
        sync = SyncContext(
            services_of(app).feed_client,
            db.session,
            now + timedelta(minutes=minutes),
            watch=services_of(app).feed_watch,
            **({"scheduled": True} | more),
        )
        return sync_leagues(sync, list(leagues))

    return polling


def failing(poll, *minutes: float, **more: object) -> None:
    for minute in minutes or (0,):
        with pytest.raises(AllLeaguesFailedError):
            poll(minute, **more)


def nba() -> LeagueRow:
    db.session.rollback()
    return db.session.scalars(select(LeagueRow).where(LeagueRow.slug == "nba")).one()


def requests(feed) -> int:
    """How many requests there were since the last look."""
    count = len(feed.requests)
    feed.requests.clear()
    return count


# ---------------------------------------------------------------- the registry


def test_nearest_kind_of_error_is_handled(app, now):
    class OddError(PayloadError):
        pass

    class OddestError(OddError):
        pass

    class LastError(OddestError):
        pass

    seen = []
    on_error(OddError)(lambda error, *_: seen.append(("odd", error)))
    on_error(LastError)(lambda error, *_: seen.append(("last", error)))
    errors = [OddestError("x"), LastError("y")]
    for error in errors:
        handle(error, services_of(app).feed_watch, NBA, now)
    assert seen == [("odd", errors[0]), ("last", errors[1])]


def test_error_that_nobody_handles_is_left_alone(app, now, reported):
    handle(TrackerError("x"), services_of(app).feed_watch, NBA, now)
    assert reported == []


# ---------------------------------------------------------------- refused


def test_refusal_pauses_scheduled_polling_for_15_minutes_and_is_reported_at_once(
    poll, feed, reported
):
    feed.fail("nba", 403)
    failing(poll)
    assert reported == [("problem", "NBA", "refused")]
    assert requests(feed) == 1
    failing(poll, 1, 14.4)
    failing(poll, 2, sync_leagues=sync_schedule)
    assert requests(feed) == 0
    failing(poll, 14.6)
    assert requests(feed) == 1


def test_pages_keep_saying_that_the_feed_fails_during_a_pause(poll, feed, client, now):
    feed.fail("nba", 403)
    failing(poll, 0, 5)
    assert nba().failing_since == now
    assert "refused us with 403" in nba().failure
    page = client.get("/nba")
    assert "cannot be reached" in page.text or "fail" in page.text.lower()


def test_paused_league_is_a_line_and_the_others_are_read(poll, feed):
    feed.fail("nba", 403)
    failing(poll)
    requests(feed)
    result = poll(1, leagues=(NBA, NFL))
    assert feed.asked() == [f"nfl {game_day(utc_now()):%Y%m%d}"]
    (line,) = result.errors
    assert line.startswith("NBA: the feed refused us with 403")
    assert "(not polled before " in line


@pytest.mark.parametrize("status", [400, 404, 410])
def test_refusal_of_one_request_pauses_nothing(poll, feed, reported, status):
    feed.fail("nba", status)
    failing(poll, 0, 1)
    assert requests(feed) == 2
    assert (nba().paused_until, reported) == (None, [])


def test_pause_binds_no_person_and_their_success_ends_it(poll, feed, reported):
    feed.fail("nba", 403)
    failing(poll)
    requests(feed)
    failing(poll, 1, scheduled=False)
    assert requests(feed) == 1
    feed.say("nba", board())
    poll(2, scheduled=False)
    assert (nba().paused_until, nba().failures) == (None, 0)
    assert reported[-1] == ("recovery", "NBA", "refused")
    poll(3)
    assert len(reported) == 3  # each of the two refusals, and one end


@pytest.mark.parametrize(
    "words",
    [["sync"], ["sync", "live"], ["sync", "day", "NBA", "2026-01-15"], ["sync", "schedule"]],
)
def test_commands_ask_a_paused_league(poll, feed, runner, words):
    feed.fail("nba", 403)
    failing(poll)
    requests(feed)
    runner.invoke(args=words)
    assert any(line.startswith("nba") for line in feed.asked())


def test_scheduled_run_keeps_to_the_pause_and_one_asked_for_does_not(offline, poll, feed):
    feed.fail("nba", 403)
    failing(poll)
    requests(feed)
    slot = utc_now().replace(microsecond=0)
    huey.push(huey.tracker.claim(huey.periodic_tasks["sync_all_live_games"], slot))
    huey.execute(huey.dequeue())
    assert not any(line.startswith("nba") for line in feed.asked())
    requests(feed)
    feed.say("nba", board())
    by_hand = sync_all_live_games().id
    huey.execute(huey.dequeue())
    assert any(line.startswith("nba") for line in feed.asked())
    assert (nba().paused_until, find_run(by_hand).state) == (None, RunState.SUCCESS)


def test_sync_in_which_every_league_is_paused_raises_that_and_nothing_is_retryable(poll, feed):
    feed.fail("nba", 403)
    failing(poll)
    with pytest.raises(AllLeaguesFailedError, match=r"^NBA: .* \(not polled before") as raised:
        poll(1)
    assert (raised.value.is_pause, raised.value.retryable) == (True, False)


# ---------------------------------------------------------------- runs that are skipped


def tick(task: str = "sync_all_live_games", slot: datetime | None = None) -> TaskRun:
    """A scheduled run, as the scheduler makes it and a worker executes it; its row."""
    huey.push(huey.tracker.claim(huey.periodic_tasks[task], slot or utc_now()))
    message = huey.dequeue()
    huey.execute(message)
    return row(message.id)


def execute_retry(run: TaskRun) -> TaskRun:
    """Execute a run's scheduled retry at once; its row."""
    (message,) = huey.scheduled()
    huey.storage.flush_schedule()
    message.eta = None  # its time has come
    huey.execute(message)
    return row(run.id)


def pause_all(app, minutes: float = 9) -> datetime:
    """Pause every league that is followed; until when."""
    until = utc_now() + timedelta(minutes=minutes)
    for league in services_of(app).leagues:
        add_league(league.slug, paused_until=until, failure="the feed refused us with 403")
    return until


@pytest.mark.parametrize("task", ["sync_all_live_games", "sync_daily_schedule"])
def test_tick_that_pauses_keep_from_asking_is_skipped(app, offline, feed, caplog, task):
    caplog.set_level(logging.INFO)
    until = pause_all(app)
    run = tick(task)
    assert (run.state, feed.requests) == (RunState.SKIPPED, [])
    reason = f"the feed refused us with 403 (not polled before {until:%H:%M:%S} UTC)"
    assert run.error == "; ".join(f"{slug}: {reason}" for slug in ("NFL", "NBA", "MLB", "NHL"))
    assert (run.fingerprint, run.traceback, run.result, run.error_count) == ("", "", None, 0)
    assert run.started_at <= run.finished_at
    assert huey.scheduled() == []
    assert f"run {run.id} of {task} is skipped: {run.error}" in caplog.messages
    assert {one.levelname for one in caplog.records if run.id in one.getMessage()} == {"INFO"}
    assert db.session.query(Alert).filter(Alert.active_since.is_not(None)).all() == []


def test_handle_of_a_skipped_run_is_ready_and_has_not_failed(app, offline, feed):
    pause_all(app)
    task = huey.tracker.claim(huey.periodic_tasks["sync_all_live_games"], utc_now())
    result = huey.push(task)
    huey.execute(huey.dequeue())
    assert result.is_ready()
    assert result.get(blocking=True, timeout=1) is SKIPPED
    run = run_of(result)
    assert (run.state, run.ready, run.failed) == (RunState.SKIPPED, True, False)


def test_tick_in_which_all_leagues_fail_by_themselves_is_retried_and_fails(app, offline, feed):
    for league in services_of(app).leagues:
        feed.fail(league.slug, 500)
    run = tick()
    assert run.state == RunState.RETRY
    for retries_left in (1, 0):
        run = execute_retry(run)
        assert (run.state, run.retries_left) == (RunState.RETRY, retries_left)
    run = execute_retry(run)
    assert (run.state, run.attempt) == (RunState.FAILURE, 4)
    assert "all leagues failed" in run.error


def test_tick_with_one_league_paused_and_the_others_failing_is_no_skipped_one(app, offline, feed):
    add_league("nba", paused_until=utc_now() + timedelta(minutes=9))
    for league in services_of(app).leagues:
        feed.fail(league.slug, 500)
    assert tick().state == RunState.RETRY


def test_retry_that_a_pause_keeps_from_asking_is_a_failure(app, offline, feed):
    """Its first attempt has asked, and failed; that is not hidden."""
    for league in services_of(app).leagues:
        feed.fail(league.slug, 429, **{"Retry-After": "240"})
    run = tick()
    assert run.state == RunState.RETRY
    first = run.fingerprint
    feed.requests.clear()
    run = execute_retry(run)
    assert (run.state, run.attempt, feed.requests) == (RunState.FAILURE, 2, [])
    assert "not polled before" in run.error
    assert run.fingerprint == first
    assert huey.scheduled() == []


def test_outage_of_an_hour_is_one_thing(app, offline, feed, monkeypatch):
    """Sixty ticks of a feed that refuses us: four that ask and fail, and no other failure."""
    for league in services_of(app).leagues:
        feed.fail(league.slug, 403)
    begin, states = utc_now(), Counter()
    for minute in range(60):
        at = begin + timedelta(minutes=minute)
        monkeypatch.setattr("sportsapp.services.utc_now", lambda at=at: at)
        states[tick(slot=at).state] += 1
    assert states == {RunState.FAILURE: 4, RunState.SKIPPED: 56}


@pytest.mark.parametrize("kind", ["standings", "teams", "roster"])
def test_refusal_is_heard_at_every_door(poll, feed, reported, kind):
    team = {"team": {"id": "1", "displayName": "A Team", "abbreviation": "A"}}
    feed.say("nba", {"sports": [{"leagues": [{"teams": [team]}]}]}, kind="teams")
    feed.fail("nba", 403, kind=kind)
    call = sync_leagues if kind == "standings" else catalogue.sync_teams
    try:
        poll(sync_leagues=call, scheduled=False)
    except AllLeaguesFailedError:
        assert kind == "teams"
    assert reported == [("problem", "NBA", "refused")]


def test_refusal_of_a_day_or_a_range_is_heard(poll, feed, reported, now):
    feed.fail("nba", 403)
    with pytest.raises(FeedRefusedError):
        poll(sync_leagues=lambda sync, _: sync_day(sync, NBA, game_day(now)))
    day = game_day(now) - timedelta(days=3)
    with pytest.raises(FeedRefusedError):
        poll(sync_leagues=lambda sync, _: sync_range(sync, NBA, day, day))
    assert reported == [("problem", "NBA", "refused")] * 2


# ---------------------------------------------------------------- asked to wait


def test_league_is_left_alone_as_long_as_the_feed_says(poll, feed, reported):
    feed.fail("nba", 429, **{"Retry-After": "240"})
    failing(poll)
    assert requests(feed) == 1
    failing(poll, 3.9)
    assert requests(feed) == 0
    failing(poll, 4.1)
    assert requests(feed) == 1
    assert reported == []


@pytest.mark.parametrize(("said", "minutes"), [("99999999", 60), ("9" * 400, 60)])
def test_feed_cannot_send_us_away_for_ever(poll, feed, now, said, minutes):
    feed.fail("nba", 429, **{"Retry-After": said})
    failing(poll)
    assert nba().paused_until == now + timedelta(minutes=minutes) - watch.SLOT_DELAY


def test_longer_pause_stands(app, poll, now, feed):
    feed.fail("nba", 403)
    failing(poll)
    services_of(app).feed_watch.pause(NBA, now + timedelta(minutes=1))
    assert nba().paused_until == now + timedelta(minutes=14.5)


def test_failure_without_a_wait_pauses_nothing(poll, feed):
    feed.fail("nba", 500)
    failing(poll)
    assert nba().paused_until is None


# ---------------------------------------------------------------- the breaker


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [(0, None), (4, None), (5, 1), (6, 2), (7, 4), (8, 8), (9, 10), (10, 10), (100_000, 10)],
)
def test_backing_off_doubles_up_to_ten_minutes(failures, minutes):
    assert backoff(failures) == (timedelta(minutes=minutes) if minutes else None)


def test_repeated_failures_make_live_polling_back_off(poll, feed):
    feed.fail("nba", 400)
    failing(poll, 0, 0, 0, 0, 0)
    assert requests(feed) == 5
    failing(poll, 0.4)
    assert requests(feed) == 0
    failing(poll, 0.6)
    assert requests(feed) == 1
    failing(poll, 2)  # two minutes now
    assert requests(feed) == 0
    failing(poll, 2.2)
    assert requests(feed) == 1


@pytest.mark.parametrize(
    ("status", "headers", "end", "last"),
    [(403, {}, 15, 15), (429, {"Retry-After": "240"}, 4, 4), (400, {}, 7, 7), (400, {}, 8, 11)],
)
def test_outage_costs_no_tick_more_than_it_lasted(poll, feed, status, headers, end, last):
    """The outage ends before tick ``end``; ``last`` is the tick that reads the league again.

    Each tick begins a tenth of a second sooner after its slot than the one before.
    """
    feed.fail("nba", status, **headers)
    for minute in range(last):
        if minute == end:
            feed.answers.clear()
        failing(poll, minute + (2 - minute / 10) / 60)
    feed.answers.clear()
    poll(last + (2 - last / 10) / 60)
    assert nba().failing_since is None


def test_backing_off_does_not_bind_the_hourly_schedule_nor_people(poll, feed):
    feed.fail("nba", 400)
    failing(poll, 0, 0, 0, 0, 0)
    requests(feed)
    failing(poll, 0.5, sync_leagues=sync_schedule)
    assert requests(feed) == 4  # three days and their month
    failing(poll, 0.5, scheduled=False)
    assert requests(feed) == 1


def test_first_success_resets_the_breaker(poll, feed):
    feed.fail("nba", 400)
    failing(poll, 0, 0, 0, 0, 0)
    feed.say("nba", board())
    poll(1.1)
    assert (nba().failures, nba().backoff_until) == (0, None)
    feed.answers.clear()
    feed.say("nba", b"nonsense")
    requests(feed)
    days = (2, 2.1, 2.2, 2.3)
    for minute in days:
        with pytest.raises(AllLeaguesFailedError):
            poll(minute, sync_leagues=scoreboards.sync_today)
    assert (requests(feed), nba().backoff_until) == (4, None)


def test_what_a_person_asks_for_does_not_trip_the_breaker(poll, feed):
    feed.fail("nba", 400)
    failing(poll, *[0] * 9, scheduled=False)
    assert nba().failures == 0


def test_league_that_failed_on_one_of_its_days_is_not_well(poll, feed, now):
    yesterday = game_day(now) - timedelta(days=1)
    feed.fail("nba", 400)
    feed.say("nba", board(), dates=f"{yesterday:%Y%m%d}")
    for _ in range(2):
        assert len(poll(sync_leagues=sync_schedule).errors) == 2
    assert nba().failures == 2


def test_good_round_writes_nothing_of_the_watch(poll, feed, reported):
    from tests.stored import statements, writes

    poll(0, sync_leagues=scoreboards.sync_today)
    with statements() as count:
        poll(0, sync_leagues=scoreboards.sync_today)
    assert (writes(count), reported) == (0, [])


# ---------------------------------------------------------------- samples


def samples(settings) -> list:
    return sorted((settings.instance_path / "samples").glob("*"))


def test_answer_of_unknown_shape_is_kept_for_the_owner_alone(poll, feed, settings, now):
    feed.say("nba", HTML)
    failing(poll)
    (path,) = samples(settings)
    assert path.read_bytes() == HTML
    assert path.name.startswith(f"{now:%Y%m%dT%H%M%S}-nba-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_same_answer_is_kept_once(poll, feed, settings):
    feed.say("nba", HTML)
    failing(poll, 0, 1, 2)
    assert len(samples(settings)) == 1


def test_samples_are_capped_in_number_and_size(app, settings, now, monkeypatch):
    monkeypatch.setattr(watch, "SAMPLE_BYTES", 100)
    for number in range(watch.SAMPLES + 5):
        moment = now + timedelta(seconds=number)
        body = str(number).encode() * 200
        handle(PayloadError("odd", body=body), services_of(app).feed_watch, NBA, moment)
    kept = samples(settings)
    assert len(kept) == watch.SAMPLES
    assert kept[0].read_bytes() == b"5" * 100
    assert max(path.stat().st_size for path in kept) == 100


def test_sample_that_cannot_be_kept_fails_no_sync(poll, feed, settings, caplog):
    (settings.instance_path / "samples").write_text("in the way")
    feed.say("nba", HTML)
    failing(poll)
    assert "a sample could not be kept" in caplog.text


@pytest.mark.parametrize("kind", ["standings", "teams", "roster", "range", "day", "leagues"])
def test_sample_is_kept_at_every_door(poll, feed, settings, now, kind):
    team = {"team": {"id": "1", "displayName": "A Team", "abbreviation": "A"}}
    feed.say("nba", {"sports": [{"leagues": [{"teams": [team]}]}]}, kind="teams")
    feed.say("nba", HTML, kind=kind if kind in ("standings", "teams", "roster") else "scoreboard")
    day = game_day(now)
    doors = {
        "standings": sync_leagues,
        "leagues": sync_leagues,
        "range": lambda sync, _: sync_range(sync, NBA, day, day),
        "day": lambda sync, _: sync_day(sync, NBA, day),
    }
    try:
        poll(sync_leagues=doors.get(kind, catalogue.sync_teams), scheduled=False)
    except TrackerError:
        assert kind not in ("standings", "roster")
    assert [path.read_bytes() for path in samples(settings)] == [HTML]


def test_no_answer_is_no_sample(poll, feed, settings):
    feed.fail("nba", 500)
    failing(poll)
    assert samples(settings) == []


def test_sync_without_a_watch_minds_nothing(app, feed, now):
    feed.fail("nba", 403)
    sync = SyncContext(services_of(app).feed_client, db.session, now, scheduled=True)
    for _ in range(2):
        with pytest.raises(AllLeaguesFailedError):
            service_sync_live(replace(sync), [NBA])
    assert requests(feed) == 2
    assert nba().paused_until is None


def test_second_handler_is_called_beside_the_first(app, now):
    class TwiceError(TrackerError):
        """One with two handlers."""

    seen: list[str] = []
    on_error(TwiceError)(lambda *_: seen.append("first"))
    on_error(TwiceError)(lambda *_: seen.append("second"))
    handle(TwiceError("x"), services_of(app).feed_watch, NBA, now)
    assert seen == ["first", "second"]


def test_handlers_are_registered_for_the_three_kinds():
    assert {FeedUnavailableError, FeedRefusedError, PayloadError} <= set(HANDLERS)

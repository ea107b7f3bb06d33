"""The schedule: last runs, lateness, next run in two zones; run now, pause, resume."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db, writing
from sportsapp.db.models import RunState, ScheduleRow, Trigger
from sportsapp.queue.huey import huey
from tests.panel import add_consumer, add_run, counted, runs_of

pytestmark = pytest.mark.slow

PAGE = "/admin/schedule/"
TICK, HOURLY = "sync_all_live_games", "sync_daily_schedule"


def card(page: str, task: str) -> str:
    """One task's part of the page."""
    start = page.index(f'id="t-{task}"')
    return page[start : page.index("</section>", start)]


def paused(task: str) -> bool | None:
    db.session.rollback()
    schedule = db.session.get(ScheduleRow, task)
    return schedule.paused if schedule else None


def test_every_periodic_task_in_words(panel):
    page = panel.get(PAGE)
    for name, periodic in huey.periodic_tasks.items():
        assert periodic.schedule.label in card(page, name)
    assert "never" in card(page, HOURLY)
    assert "not yet known to a scheduler" in card(page, HOURLY)


def test_last_run_with_its_state_and_how_late_it_began(panel):
    slot = utc_now().replace(minute=0, second=0, microsecond=0)
    with writing(db.session):
        db.session.add(ScheduleRow(task=HOURLY, paused=False, since_at=slot - timedelta(days=1)))
    add_run(HOURLY, state=RunState.FAILURE, ago=timedelta(days=1))
    run_id = add_run(HOURLY, slot=slot, started_at=slot + timedelta(seconds=12))
    text = card(panel.get(PAGE), HOURLY)
    assert text.index(run_id) < text.index("SUCCESS")
    assert "began 12 s after its slot" in text


def test_overdue_task_shows_by_how_much(panel):
    with writing(db.session):
        since = utc_now() - timedelta(minutes=30)
        db.session.add(ScheduleRow(task=TICK, paused=False, since_at=since))
    text = card(panel.get(PAGE), TICK)
    assert "overdue" in text
    assert "by 29 min" in text or "by 30 min" in text


def test_strip_has_the_last_24_runs_oldest_first(panel):
    ids = [add_run(HOURLY, ago=timedelta(hours=n)) for n in range(30)]
    add_run(HOURLY, state=RunState.FAILURE, ago=timedelta(minutes=1))
    text = card(panel.get(PAGE), HOURLY)
    strip = text[text.index("<ol") : text.index("</ol>")]
    assert strip.count("<li") == 24
    assert strip.index(ids[5]) < strip.index(ids[1])
    assert strip.count('class="bad"') == 1
    assert ids[23] not in strip


def gaps_in(page: str) -> list[str]:
    return re.findall(r'<li class="gap" title="([^"]*)">', card(page, HOURLY))


def test_slots_without_a_run_are_gaps_with_words_in_their_place(panel):
    newest = utc_now().replace(minute=0, second=0, microsecond=0)
    slots = [newest - timedelta(hours=n) for n in (1, 2, 5, 6, 8)]  # 3, 4 and 7 hours ago: none
    if utc_now() - newest < timedelta(minutes=2):
        slots.insert(0, newest)
    ids = [add_run(HOURLY, slot=slot, ago=utc_now() - slot) for slot in slots]
    by_hand = add_run(HOURLY, ago=timedelta(hours=3, minutes=30))
    page = panel.get(PAGE)
    text = card(page, HOURLY)
    gaps = [
        f"no run between {slots[-1]:%F %T} and {slots[-2]:%F %T} UTC",
        f"no run between {slots[-3]:%F %T} and {slots[-4]:%F %T} UTC",
    ]
    if slots[0] != newest:
        gaps.append(f"no run since {slots[0]:%F %T} UTC")
    assert gaps_in(page) == gaps
    places = [text.index(each) for each in (ids[-1], gaps[0], ids[-2], by_hand, gaps[1], ids[-4])]
    assert places == sorted(places)
    more = len(gaps) - 1
    assert f"Slots without a run are dashed: {gaps[-1]}, and {more} more before." in text


def test_strip_without_holes_has_no_gap(panel):
    newest = huey.periodic_tasks[HOURLY].schedule.newest_slot(
        utc_now() - timedelta(hours=2), utc_now()
    )
    assert newest is not None
    for n in range(5):
        add_run(HOURLY, slot=newest - timedelta(hours=n), ago=timedelta(hours=n))
    page = panel.get(PAGE)
    assert gaps_in(page) == []
    assert "dashed" not in card(page, HOURLY)


def test_slots_whose_runs_were_pruned_are_no_gaps(panel, settings):
    newest = utc_now().replace(minute=0, second=0, microsecond=0)
    old = newest - timedelta(days=settings.task_run_retention_days, hours=9)
    for slot in (old, old + timedelta(hours=4)):
        add_run(HOURLY, state=RunState.FAILURE, slot=slot, ago=utc_now() - slot)
    add_run(HOURLY, slot=newest, ago=timedelta(0))
    (gap,) = gaps_in(panel.get(PAGE))
    assert gap.endswith(f"and {newest:%F %T} UTC")


def test_next_run_in_words_when_no_scheduler_would_start_it(panel):
    add_consumer("sportsapp-backfill", "scheduler")
    add_consumer("sportsapp", "worker")
    nothing = '<dt>Next</dt><dd><strong class="alert">no scheduler is running</strong></dd>'
    for page in (card(panel.get(PAGE), HOURLY), panel.get(f"/admin/tasks/{HOURLY}")):
        assert nothing in page
    add_consumer("sportsapp", "scheduler")
    for page in (card(panel.get(PAGE), HOURLY), panel.get(f"/admin/tasks/{HOURLY}")):
        assert re.search(r"<dt>Next</dt><dd>in \d+ (s|min \d+ s), <time", page)


def test_next_run_in_the_visitors_zone_with_utc_beside_it(panel):
    add_consumer(role="scheduler")
    slot = huey.periodic_tasks[HOURLY].schedule.next_slot(utc_now())
    text = card(panel.get(PAGE), HOURLY)
    assert f" data-local>{slot:%Y-%m-%d %H:%M:%S} UTC</time>" in text
    panel.client.set_cookie("zone", "Asia/Tokyo")
    text = card(panel.get(PAGE), HOURLY)
    assert f">{slot.astimezone(ZoneInfo('Asia/Tokyo')):%Y-%m-%d %H:%M:%S} JST <small>" in text
    assert f"{slot:%H:%M:%S} UTC</small></time>" in text
    assert "data-local" not in text


def test_invalid_zone_is_ignored(panel):
    add_consumer(role="scheduler")
    panel.client.set_cookie("zone", "../../etc/passwd")
    assert " data-local>" in panel.get(PAGE)


def test_run_now(panel, caplog):
    caplog.set_level(logging.INFO)
    assert f"{HOURLY} was queued" in panel.message_after(f"{PAGE}run", task=HOURLY)
    (run,) = runs_of(HOURLY)
    assert (run.trigger, run.asked_by, run.slot) == (Trigger.ADMIN, "maria", None)
    assert huey.pending_count() == 1
    assert f"maria: {HOURLY} was queued: run {run.id}" in caplog.text


def test_paused_task_can_still_be_run_by_hand(panel):
    panel.message_after(f"{PAGE}pause", task=HOURLY, sure="yes")
    panel.message_after(f"{PAGE}run", task=HOURLY)
    assert len(runs_of(HOURLY)) == 1


@pytest.mark.parametrize("task", ["", "nothing", "sync_date_range_task"])
@pytest.mark.parametrize("action", ["run", "pause", "resume"])
def test_task_without_a_schedule_is_refused(panel, action, task):
    assert "unknown task" in panel.message_after(f"{PAGE}{action}", task=task, sure="yes")
    assert runs_of("sync_date_range_task") == []


def test_pause_asks_first_then_keeps_it_and_resume_ends_it(panel, caplog):
    caplog.set_level(logging.INFO)
    add_consumer(role="scheduler")
    assert "Pause sync_daily_schedule?" in panel.post(f"{PAGE}pause", task=HOURLY).text
    assert paused(HOURLY) is None
    assert "was paused" in panel.message_after(f"{PAGE}pause", task=HOURLY, sure="yes")
    assert paused(HOURLY) is True
    text = card(panel.get(PAGE), HOURLY)
    assert "when resumed" in text
    assert re.search(r"<dt>Late</dt><dd>paused since <time.*?</time> by maria</dd>", text)
    assert "was resumed" in panel.message_after(f"{PAGE}resume", task=HOURLY)
    assert paused(HOURLY) is False
    assert f"maria: {HOURLY} was paused" in caplog.text
    assert f"maria: {HOURLY} was resumed" in caplog.text


def test_schedule_takes_a_bounded_number_of_queries(panel):
    counts = []
    for _ in range(2):
        with counted() as statements:
            panel.get(PAGE)
        counts.append(len(statements))
        for name in huey.periodic_tasks:
            for n in range(40):
                add_run(name, ago=timedelta(minutes=n))
    assert counts[0] == counts[1] <= 14

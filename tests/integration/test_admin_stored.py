"""The map of what is stored, in the panel: seasons, days, and reading what they lack."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, update

from sportsapp.core.clock import each_day
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import AdminUser, Batch, Game, RunState, Scoreboard, Trigger
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.failed_days import note_failed
from tests.integration.events import event
from tests.panel import add_league, add_run, counted, messages_of, runs_of
from tests.stored import mark_read

pytestmark = pytest.mark.slow

PAGE = "/admin/stored/"
NBA = f"{PAGE}?league=nba"
DAY = f"{PAGE}day?league=nba&day=2026-01-10"
TASK = "sync_date_range_task"
AFTER = datetime(2026, 1, 14, 12, tzinfo=UTC)
FIRST, LAST = date(2025, 12, 20), date(2026, 1, 14)


@pytest.fixture
def panel(clock, panel):
    """The panel on January 15: its session begins when the clock has been set."""
    return panel


@pytest.fixture
def season(app, synced) -> int:
    """The NBA on January 15, whose season began on December 20; its id.

    All its days were read but the 23rd to the 25th; the 2nd and 3rd failed, in a run; two games of
    the 10th are stored; and the 8th was read on the 7th, for the last time.
    """
    league_id = add_league("nba", season_begins=FIRST)
    synced("nba", event("7", "2026-01-10T20:00Z"), event("8", "2026-01-11T00:00Z"), day=LAST)
    mark_read("nba", FIRST, date(2025, 12, 22), AFTER)
    mark_read("nba", date(2025, 12, 26), LAST, AFTER)
    with write_connection() as connection:
        of_day = Scoreboard.league_id == league_id
        early = update(Scoreboard).where(of_day, Scoreboard.day == date(2026, 1, 8))
        connection.execute(early.values(read_at=datetime(2026, 1, 7, 12, tzinfo=UTC)))
        run = update(Scoreboard).where(of_day, Scoreboard.day == date(2026, 1, 10))
        connection.execute(run.values(read_by_run="the-run"))
    now = datetime(2026, 1, 15, 12, tzinfo=UTC)
    context = SyncContext(services_of(app).feed_client, db.session, now, run_id="bad-run")
    days = date(2026, 1, 2), date(2026, 1, 3)
    note_failed(context, {(league_id, day): "the feed answered <503>" for day in days})
    return league_id


def cell(page: str, day: str) -> tuple[str, str, str]:
    """The class, the words and the mark of a day on the map."""
    found = re.search(
        rf'<a class="(\w*)" href="[^"]*day={day}" title="{day}: ([^"]*)">'
        r'\d+<span class="away">: \2</span><b aria-hidden="true">([^<]*)</b></a>',
        page,
    )
    assert found, day
    return found[1], found[2], found[3]


def test_map_tells_each_state_by_colour_word_and_mark(panel, season):
    page = panel.get(NBA)
    assert "<h1>Stored days: NBA 2025-26</h1>" in page
    assert cell(page, "2026-01-10") == ("good", "read, 2 games", "✓2")
    assert cell(page, "2026-01-09") == ("over", "empty, 0 games", "0")
    assert cell(page, "2025-12-24") == ("wait", "unread, 0 games", "?")
    assert cell(page, "2026-01-02") == ("bad", "failed, 0 games", "!")
    assert cell(page, "2026-01-08") == ("busy", "stale, 0 games", "~")
    assert cell(page, "2025-12-19") == ("", "not due, 0 games", "")
    assert cell(page, "2026-06-30") == ("", "not due, 0 games", "")
    legend = re.findall(r"</span> (\w+)</b> <strong>(\d+)</strong>", page)
    assert dict(legend) == {
        "read": "1",
        "empty": "19",
        "unread": "3",
        "failed": "2",
        "stale": "1",
    }


def test_map_has_every_day_of_the_season_under_its_weekday(panel, season):
    page = panel.get(NBA)
    days = re.findall(r"day=(\d{4}-\d\d-\d\d)\"", page)
    assert days == [f"{day}" for day in each_day(date(2025, 7, 1), date(2026, 6, 30))]
    months = re.findall(r"<caption>(.*?)</caption>", page)
    assert (months[0], months[-1], len(months)) == ("July 2025", "June 2026", 12)
    july = page.partition("<caption>July 2025")[2].partition("</tr>\n</tbody>")[0]
    first_week = july.partition("<tbody>")[2].partition("</tr>")[0]
    assert first_week.count("<td></td>") == 1  # the first of July 2025 was a Tuesday


@pytest.mark.parametrize(
    ("query", "heading"),
    [
        ("league=nba&season=2024-25", "NBA 2024-25"),
        ("league=NBA", "NBA 2025-26"),
        ("league=mlb", "MLB 2026"),
        ("league=nfl&season=1999-00", "NFL 1999-00"),
    ],
)
def test_league_and_season_are_chosen_by_address(panel, season, query, heading):
    page = panel.get(f"{PAGE}?{query}")
    assert f"<h1>Stored days: {heading}</h1>" in page
    assert f"<option selected>{heading.split()[1]}</option>" in page


@pytest.mark.parametrize(("season_name", "unread"), [("1919-20", "0"), ("1920-21", "365")])
def test_nothing_is_missing_before_a_leagues_first_season(panel, season_name, unread):
    page = panel.get(f"{PAGE}?league=nfl&season={season_name}")
    assert f"unread</b> <strong>{unread}</strong>" in page


def test_seasons_to_choose_from_begin_with_the_one_that_was_read_first(panel, season):
    def names() -> list[str]:
        return re.findall(r"<option(?: selected)?>(.*?)</option>", panel.get(NBA))

    assert names() == ["2026-27", "2025-26", "2024-25"]
    mark_read("nba", date(2022, 11, 1), date(2022, 11, 1), AFTER)
    assert names() == ["2026-27", "2025-26", "2024-25", "2023-24", "2022-23", "2021-22"]


@pytest.mark.parametrize(
    "address",
    [
        f"{PAGE}?league=cricket",
        f"{PAGE}?league=nba&season=2025",
        f"{PAGE}?league=nba&season=0000-01",
        f"{PAGE}day?league=nba&day=2026-02-30",
        f"{PAGE}day?league=nba",
        f"{PAGE}day?day=2026-01-10",
    ],
)
def test_what_is_not_known_is_not_found(panel, address):
    panel.get(address, status=404)


def test_day_shows_its_reading_its_run_and_its_games(panel, season):
    page = panel.get(DAY)
    assert "<h1>Stored day: NBA Sat 2026-01-10</h1>" in page
    assert "read</b> read, and it has games" in page
    assert "2026-01-14 12:00:00 UTC</time>" in page
    assert '<a href="/admin/runs/details/?id=the-run">the-run</a>' in page
    assert page.count("Beta at Alpha</a>") == 2
    assert "17-20" in page
    assert "Failed last" not in page
    for address in re.findall(r'href="(/(?:admin/stored|nba)[^"]*)"', page):
        panel.get(address.replace("&amp;", "&"))


def test_day_that_failed_shows_when_why_and_in_which_run(panel, season):
    page = panel.get(DAY.replace("-10", "-02"))
    assert "Failed last" in page
    assert "2026-01-15 12:00:00 UTC</time>" in page
    assert (
        '<a href="/admin/runs/details/?id=bad-run">bad-run</a>: the feed answered &lt;503&gt;'
        in page
    )
    assert "No game of this day is stored." in page


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2025-12-19", "It was not read, and need not have been yet."),
        ("2025-12-24", "unread</b> never read to its end"),
        ("2026-01-15", "It was not read, and need not have been yet."),
        ("2026-01-08", "stale</b> read too early to count"),
    ],
)
def test_day_has_the_state_that_the_map_has(panel, season, day, words):
    assert words in panel.get(DAY.replace("2026-01-10", day))


def test_day_of_a_league_that_was_never_synced(panel):
    page = panel.get(f"{PAGE}day?league=nfl&day=2026-01-10")
    assert "unread</b>" in page
    assert "never to its end" in page


def test_day_shows_a_game_that_is_no_longer_listed(panel, season):
    with write_connection() as connection:
        connection.execute(update(Game).where(Game.espn_id == "7").values(listed=False))
    assert panel.get(DAY).count("no longer listed") == 1


# ---------------------------------------------------------------- reading what they lack


def ask(panel, **form: str):
    """Send the form of a button of the map."""
    return panel.post(f"{PAGE}read", back=NBA, **form)


def ranges() -> list[tuple[str, str, str]]:
    return sorted(tuple(run.args.values()) for run in runs_of(TASK))


MISSING = {"what": "missing", "league": "nba", "season": "2025-26"}
FAILED = MISSING | {"what": "failed"}


def test_cost_is_on_the_map_and_on_the_page_that_asks(panel, season):
    page = panel.get(NBA)
    assert "4 days in 4 requests to the feed, about 6 s" in page
    assert "2 days in 2 requests to the feed, about 3 s" in page
    answer = ask(panel, **MISSING)
    assert answer.status_code == 200
    question = "NBA 2025-26, missing days: read 4 days in 4 requests to the feed, about 6 s?"
    assert question in answer.text
    assert runs_of(TASK) == []


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        (MISSING, [("2025-12-23", "2025-12-25"), ("2026-01-08", "2026-01-08")]),
        (FAILED, [("2026-01-02", "2026-01-03")]),
        ({"what": "day", "league": "nba", "day": "2026-01-10"}, [("2026-01-10", "2026-01-10")]),
    ],
    ids=["missing", "failed", "day"],
)
def test_what_was_confirmed_is_queued_at_once(panel, season, form, wanted):
    answer = ask(panel, **form, sure="yes")
    assert (answer.status_code, answer.headers["Location"]) == (303, NBA)
    assert ranges() == [("NBA", *days) for days in wanted]
    runs = runs_of(TASK)
    assert {(run.trigger, run.asked_by) for run in runs} == {(Trigger.ADMIN, "maria")}
    message = messages_of(panel.get(NBA))
    if len(runs) == 1:
        assert f"queued as run {runs[0].id}" in message
        return
    (batch,) = db.session.scalars(select(Batch))
    assert (batch.name, batch.requests) == ("NBA 2025-26, missing days", 4)
    assert {run.batch_id for run in runs} == {batch.id}
    assert f"queued as batch {batch.id}" in message


def test_running_seasons_of_all_leagues_are_read_as_one_batch(panel, season):
    add_league("mlb", season_begins=date(2026, 1, 13))
    question = ask(panel, what="missing").text
    assert "Running seasons, missing days: read " in question
    ask(panel, what="missing", sure="yes")
    assert [days for days in ranges() if days[0] in ("MLB", "NBA")] == [
        ("MLB", "2026-01-13", "2026-01-14"),
        ("NBA", "2025-12-23", "2025-12-25"),
        ("NBA", "2026-01-08", "2026-01-08"),
    ]
    assert db.session.scalars(select(Batch.name)).all() == ["Running seasons, missing days"]


def test_nothing_is_queued_where_nothing_is_missing(panel, season):
    mark_read("nba", date(2025, 7, 1), LAST, AFTER)
    with write_connection() as connection:
        connection.execute(update(Scoreboard).values(read_at=datetime(2026, 1, 15, 20, tzinfo=UTC)))
    assert "Nothing is missing, and nothing failed." in panel.get(NBA)
    ask(panel, **MISSING)
    assert "NBA 2025-26, missing days: there is nothing to read" in messages_of(panel.get(NBA))
    assert runs_of(TASK) == []


def test_day_that_a_backfill_reads_already_is_refused(panel, season):
    args = {"league": "NBA", "start_date": "2026-01-01", "end_date": "2026-01-31"}
    add_run(TASK, RunState.PENDING, args=args, queue="sportsapp-backfill")
    ask(panel, **MISSING, sure="yes")
    assert "a backfill of the NBA from 2026-01-01 to 2026-01-31 already waits" in messages_of(
        panel.get(NBA)
    )
    assert len(runs_of(TASK)) == 1
    assert db.session.scalars(select(Batch)).all() == []


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"what": "missing", "league": "cricket"}, "unknown league"),
        ({"what": "failed", "league": "nba", "season": "2025"}, "no season of the NBA"),
        ({"what": "day", "league": "nba", "day": "soon"}, "is not a day"),
    ],
)
def test_form_that_makes_no_sense_is_refused_in_a_line(panel, season, form, message):
    ask(panel, **form, sure="yes")
    assert message in messages_of(panel.get(NBA))
    assert runs_of(TASK) == []


@pytest.mark.parametrize("what", ["", "all", "day"])
def test_button_that_there_is_not_queues_nothing(panel, season, what):
    assert ask(panel, what=what, sure="yes").status_code == 400
    assert runs_of(TASK) == []


def test_viewer_sees_the_map_and_has_no_buttons(panel, season):
    with write_connection() as connection:
        connection.execute(update(AdminUser).values(role="viewer"))
    for address in (PAGE, NBA, DAY):
        assert "/admin/stored/read" not in panel.get(address)
    ask(panel, **MISSING, sure="yes")
    assert runs_of(TASK) == []


# ---------------------------------------------------------------- the way there


def test_leagues_are_listed_with_what_their_running_seasons_lack(panel, season):
    page = panel.get(PAGE)
    row = re.search(r">NBA</a></th>(.*?)</tr>", page, re.S)[1]
    assert re.findall(r">([^<>]+)</(?:td|strong)>", row) == ["2025-26", "2025-12-20", "3", "2"]
    row = re.search(r">NFL</a></th>(.*?)</tr>", page, re.S)[1]
    assert re.findall(r">([^<>]+)</td>", row) == ["2025-26", "not known yet", "-", "-"]


def test_front_page_leads_there_with_the_days_that_are_unread_or_failed(panel, season):
    page = panel.get("/admin/")
    assert '<a href="/admin/stored/"><strong class="alert">3 unread, 2 failed</strong></a>' in page
    mark_read("nba", FIRST, LAST, AFTER)
    with write_connection() as connection:
        connection.execute(update(Scoreboard).values(read_at=datetime(2026, 1, 15, 20, tzinfo=UTC)))
    assert '<a href="/admin/stored/">none unread, none failed</a>' in panel.get("/admin/")


def test_front_page_without_a_known_season(panel):
    assert "no season's first day is known yet" in panel.get("/admin/")


def test_pages_take_a_bounded_number_of_queries(panel, season):
    counts = {}
    for address in (PAGE, NBA, DAY):
        panel.get(address)
        with counted() as statements:
            panel.get(address)
        counts[address] = len(statements)
    with counted() as statements:
        panel.get("/admin/stored/nothing", status=404)
    of_session = len(statements)
    assert {name: count - of_session for name, count in counts.items()} == {PAGE: 1, NBA: 2, DAY: 4}


def test_league_of_the_map_is_one_that_is_followed(panel, season):
    assert "wnba" in BY_SLUG
    panel.get(f"{PAGE}?league=wnba", status=404)

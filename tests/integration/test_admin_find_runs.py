"""Finding runs: by id, words, span of time and duration; and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from sportsapp.admin import run_filters
from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db
from sportsapp.db.models import RunState
from tests.panel import add_failure, add_run, counted

pytestmark = pytest.mark.slow

LIST = "/admin/runs/"
RANGE = "sync_date_range_task"


def found(panel, query: str, ids: dict[str, str]) -> list[str]:
    """The names of the runs that a list shows, in its order."""
    page = panel.get(f"{LIST}?{query}")
    there = {page.index(f"id={run_id}"): name for name, run_id in ids.items() if run_id in page}
    return [there[place] for place in sorted(there)]


def season(league: str, year: int, **values) -> str:
    args = {"league": league, "start_date": f"{year}-10-01", "end_date": f"{year + 1}-06-30"}
    return add_run(RANGE, args=args, **values)


@pytest.fixture
def runs(panel):
    return {
        "nba90": season("NBA", 1990, id="ab12cd34-1111-4222-8333-444455556666", asked_by="maria"),
        "nba91": season("nba", 1991, id="ab12ffff-1111-4222-8333-444455556666"),
        "nhl90": season("NHL", 1990, id="9901cd34-1111-4222-8333-444455556666"),
        "bad": add_failure(task="sync_all_teams", error="NBA: no answer in 1990 ms"),
        "tick": add_run("sync_all_live_games", id="sync_all_live_games@2026-01-05T00:00:00Z"),
    }


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("ab12", {"nba90", "nba91"}),
        ("ab12cd34", {"nba90"}),
        ("ab12cd34-1111-4222-8333-444455556666", {"nba90"}),
        ("12cd34", set()),
        ("sync_all_live_games@2026", {"tick"}),
        ("NBA 1990", {"nba90", "bad"}),
        ("1990 nba", {"nba90", "bad"}),
        ("nba 1991-10-01", {"nba91"}),
        ("maria nba", {"nba90"}),
        ("date_range nhl", {"nhl90"}),
        ("NBA 1990 nothing", set()),
        ("n%a", set()),
        ("ab1_", set()),
    ],
)
def test_a_run_is_found_by_its_id_or_by_words_that_its_row_shows(panel, runs, words, names):
    assert set(found(panel, f"search={words}".replace("%", "%25"), runs)) == names


def test_search_keeps_to_the_filters(panel, runs):
    assert found(panel, "search=ab12&league=nba&trigger=admin", runs) == []
    assert set(found(panel, "search=1990&task=" + RANGE, runs)) == {"nba90", "nhl90"}


def test_all_leagues_runs_are_found_by_league_whatever_their_task(panel):
    args = {"league": "nba", "start_date": "2026-01-01", "end_date": "2026-01-01"}
    ids = {"unread": add_run("sync_unread_days", args=args), "audit": add_run("audit_seasons")}
    assert found(panel, "league=nba", ids) == ["unread"]


def test_only_so_many_runs_with_text_are_searched_and_the_page_says_so(panel, monkeypatch):
    monkeypatch.setattr(run_filters, "SEARCHED", 2)
    ids = {f"{n}": season("NBA", 1990, ago=timedelta(days=n)) for n in (1, 2, 3)}
    for n in range(5):
        add_run(ago=timedelta(minutes=n))  # without arguments: they are not counted
    assert found(panel, "search=1990", ids) == ["1", "2"]
    assert "were searched for their ids alone" in panel.get(f"{LIST}?search=1990")
    assert found(panel, f"search={ids['3'][:12]}", ids) == ["3"]
    monkeypatch.setattr(run_filters, "SEARCHED", 3)
    assert "ids alone" not in panel.get(f"{LIST}?search=1990")


# ---------------------------------------------------------------- span of time


@pytest.fixture
def evening(panel):
    """Runs at 18, 19 and 20 o'clock UTC."""
    at = datetime(2026, 1, 15, tzinfo=UTC)
    return {str(hour): add_run(ago=utc_now() - at - timedelta(hours=hour)) for hour in (18, 19, 20)}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("from=2026-01-15T18:30", ["20", "19"]),
        ("to=2026-01-15T19:00", ["18"]),
        ("from=2026-01-15T18:30&to=2026-01-15T19:30", ["19"]),
        ("from=2026-01-15 18:30:00&to=2026-01-15 19:30:00", ["19"]),
        ("from=2026-01-15T18:30&to=2026-01-15T19:30&zone=UTC", ["19"]),
        ("from=2026-01-15T12:30&to=2026-01-15T13:30&zone=America/Chicago", ["19"]),
        ("from=2026-01-16T03:30&to=2026-01-16T04:30&zone=Asia/Tokyo", ["19"]),
        ("from=2026-01-15T19:30&to=2026-01-15T18:30", []),
    ],
)
def test_a_span_of_time_in_the_addresss_zone(panel, evening, query, names):
    assert found(panel, query, evening) == names


def test_a_span_is_in_the_viewers_zone_unless_the_address_names_one(panel, evening):
    panel.client.set_cookie("zone", "America/Chicago")
    query = "from=2026-01-15T12:30&to=2026-01-15T13:30"
    assert found(panel, query, evening) == ["19"]
    assert found(panel, f"{query}&zone=UTC", evening) == []
    page = panel.get(f"{LIST}?{query}")
    assert "2026-01-15 12:30:00 CST <small>18:30:00 UTC</small>" in page
    assert '<option value="America/Chicago" selected>' in panel.get(
        f"{LIST}?{query}&zone=America/Chicago"
    )


# ---------------------------------------------------------------- duration, order


def test_by_duration(panel):
    at = utc_now() - timedelta(hours=3)
    ids = {
        str(seconds): add_run(started_at=at, finished_at=at + timedelta(seconds=seconds))
        for seconds in (5, 90, 4000)
    }
    long = add_run(state=RunState.STARTED, started_at=at)
    new = add_run(state=RunState.STARTED, started_at=utc_now())
    ids |= {"long": long, "new": new}
    for longer, names in {
        "60": {"90", "4000", "long"},
        "1.5 min": {"4000", "long"},
        "1h": {"4000", "long"},
        "1 d": set(),
    }.items():
        assert set(found(panel, f"longer={longer}", ids)) == names, longer
    assert found(panel, "sort=took&desc=1&state=SUCCESS", ids) == ["4000", "90", "5"]
    assert found(panel, "sort=took&state=SUCCESS", ids) == ["5", "90", "4000"]


def test_order_survives_the_filters_and_filters_survive_the_order(panel):
    for _ in range(51):
        add_run()
    page = panel.get(f"{LIST}?sort=took&desc=1&from=2020-01-01T00:00&zone=UTC&longer=1+s")
    form = page[page.index('<form class="filters"') :]
    form = form[: form.index("</form>")]
    assert '<input type="hidden" name="sort" value="took">' in form
    assert '<input type="hidden" name="desc" value="1">' in form
    assert 'name="from" value="2020-01-01T00:00"' in form
    assert 'name="longer" value="1 s"' in form
    narrowed = "from=2020-01-01T00:00&amp;zone=UTC&amp;longer=1+s".replace(":", "%3A")
    for link in (f"?page=1&amp;sort=took&amp;desc=1&amp;{narrowed}", f"?sort=task&amp;{narrowed}"):
        assert link in page.replace("1%20s", "1+s").replace("T00:00", "T00%3A00"), link


# ---------------------------------------------------------------- cost


def plan_of(panel, query: str) -> str:
    """What SQLite does for the statements that read the ledger for a list."""
    lines = []
    with counted() as statements:
        panel.get(f"{LIST}?{query}")
    with db.engine.connect() as connection:
        for statement in statements.texts:
            if "FROM task_runs" in statement and "batches" not in statement:
                marks = statement.count("?")
                explained = f"EXPLAIN QUERY PLAN {statement}"
                rows = connection.exec_driver_sql(explained, ("",) * marks).all()
                lines += [row.detail for row in rows]
    return "\n".join(lines)


@pytest.mark.only_sqlite("its own plan is read")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "ix_task_runs_queued_at"),
        ("task=sync_all_teams", "ix_task_runs_task_queued_at"),
        ("state=FAILURE", "ix_task_runs_state_queued_at"),
        ("from=2026-01-15T18:30", "ix_task_runs_queued_at"),
        ("search=nba+1990", "ix_task_runs_queued_at_with_text"),
        ("league=nba", "ix_task_runs_queued_at_with_text"),
        ("sort=took&desc=1", "ix_task_runs_took_seconds"),
        ("longer=60", "ix_task_runs_took_seconds"),
    ],
)
def test_no_list_reads_the_whole_ledger(panel, query, index):
    plan = plan_of(panel, query)
    assert index in plan
    assert "SCAN task_runs\n" not in f"{plan}\n"


@pytest.mark.only_sqlite("its own plan is read")
def test_the_beginning_of_an_id_is_on_an_index(app):
    condition = str(
        run_filters.id_begins_with("ab12").compile(
            db.engine, compile_kwargs={"literal_binds": True}
        )
    )
    with db.engine.connect() as connection:
        statement = text(f"EXPLAIN QUERY PLAN SELECT id FROM task_runs WHERE {condition}")  # noqa: S608
        (row,) = connection.execute(statement)
    assert "sqlite_autoindex_task_runs_1 (id>? AND id<?)" in row.detail

"""Who may keep a page, and when it counts as changed: one query tells, before any rendering."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import flask
import pytest
from sqlalchemy import update

from sportsapp.db.engine import write_connection
from sportsapp.db.models import LeagueRow
from sportsapp.services import services_of
from sportsapp.web.page import code_version
from tests.integration.events import event
from tests.parts import replace_services
from tests.stored import feed_read_at, mark_read, statements, writes

PATHS = (
    "/",
    "/live",
    "/nfl",
    "/nfl/2026-01-15",
    "/nfl/games/401",
    "/nfl/teams/ALP",
    "/nfl/teams",
    "/nfl/standings",
    "/search",
    "/nfl/scores.atom",
    "/nfl/teams/ALP.ics",
)
READ_AT = datetime(2026, 1, 15, 20, 59, 50, tzinfo=UTC)
START = "2026-01-15T20:00Z"
SHARED = "public, max-age=0, s-maxage=1, stale-while-revalidate=1, stale-if-error=60"
CHOICES = ("zone=Europe/Berlin", "clock=24", "scores=hide", "favourites=nfl-1")

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("clock")]


@pytest.fixture(autouse=True)
def live_game(synced):
    """A game that is live, read ten seconds ago; the season was read as well."""
    synced("nfl", event(start=START, state="in"), at=READ_AT)
    mark_read("nfl", date(2025, 4, 1), date(2026, 3, 31), READ_AT)


def etag(visitor, path="/nfl", **headers):
    return visitor.get(path, headers=headers).headers["ETag"]


def change_league(**values):
    with write_connection() as connection:
        connection.execute(update(LeagueRow).values(**values))


# ---------------------------------------------------------------- who may keep it


@pytest.mark.parametrize("path", PATHS)
def test_page_of_a_newcomer_may_be_shared_for_a_second_and_browsers_ask_again(visitor, path):
    page = visitor.get(path)
    again = visitor.get(path, headers={"If-None-Match": page.headers["ETag"]})
    assert again.status_code == 304
    for answer in (page, again):
        assert answer.headers["Cache-Control"] == SHARED
        assert "Cookie" in answer.headers["Vary"]


@pytest.mark.long
@pytest.mark.parametrize("cookie", [*CHOICES, "zone=Nowhere", "scores=show", "favourites=x"])
@pytest.mark.parametrize("path", PATHS)
def test_page_of_somebody_with_a_cookie_of_ours_is_private(visitor, path, cookie):
    headers = visitor.get(path, headers={"Cookie": cookie}).headers
    assert headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in headers["Vary"]


def test_assets_are_kept_for_good_at_the_address_that_pages_name(visitor):
    assets = re.findall(r'"(/static/[^"]+)"', visitor.get("/").text)
    assert len(assets) == 6
    for address in assets:
        said = visitor.get(address, buffered=True).headers["Cache-Control"]
        assert said == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "address", ["/static/style.css", "/static/style.css?v=another", "/static/none.css?v={v}"]
)
def test_other_addresses_of_assets_are_asked_for_again(visitor, address):
    answer = visitor.get(address.format(v=code_version()), buffered=True)
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_cookie_that_is_not_ours_keeps_the_page_public(visitor):
    headers = visitor.get("/nfl", headers={"Cookie": "other=1"}).headers
    assert headers["Cache-Control"] == SHARED


def test_error_page_is_kept_by_nobody(visitor):
    assert visitor.get("/xyz").headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("path", PATHS)
def test_time_of_the_last_good_read_travels_with_the_page_and_with_its_304(visitor, path):
    page = visitor.get(path)
    again = visitor.get(path, headers={"If-None-Match": page.headers["ETag"]})
    assert (page.status_code, again.status_code) == (200, 304)
    assert again.data == b""
    for answer in (page, again):
        assert answer.headers["X-Feed-Read"] == "2026-01-15T20:59:50Z"


def test_feed_read_again_without_news_moves_the_header_and_not_the_page(visitor, clock):
    before = etag(visitor)
    feed_read_at(READ_AT + timedelta(seconds=7))
    clock.shown += timedelta(seconds=1)
    again = visitor.get("/nfl", headers={"If-None-Match": before})
    assert again.status_code == 304
    assert again.headers["X-Feed-Read"] == "2026-01-15T20:59:57Z"


def next_read(visitor, path="/nfl", **headers):
    return visitor.get(path, headers=headers).headers.get("X-Next-Read")


@pytest.mark.parametrize("path", PATHS)
def test_page_and_its_304_tell_in_how_many_seconds_the_feed_is_read_next(visitor, clock, path):
    change_league(next_read_at=clock.shown + timedelta(seconds=7.4))
    page = visitor.get(path)
    assert page.headers["X-Next-Read"] == "7.4"
    clock.shown += timedelta(seconds=2)
    again = visitor.get(path, headers={"If-None-Match": page.headers["ETag"]})
    assert (again.status_code, again.headers["X-Next-Read"]) == (304, "5.4")
    assert visitor.head(path).headers["X-Next-Read"] == "5.4"


def test_next_reading_that_moves_makes_no_other_page(visitor, clock):
    before = etag(visitor)
    for seconds in (10, 20):
        clock.shown += timedelta(seconds=1)
        change_league(next_read_at=clock.shown + timedelta(seconds=seconds))
        assert next_read(visitor, **{"If-None-Match": before}) == f"{seconds}.0"
        assert etag(visitor) == before


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(60, "60.0"), (0, "0.0"), (-5, "0.0"), (-15, "0.0"), (-16, None), (61, None), (3600, None)],
)
def test_reading_may_be_in_progress_and_is_unknown_when_its_time_cannot_be(
    visitor, clock, seconds, told
):
    change_league(next_read_at=clock.shown + timedelta(seconds=seconds))
    assert next_read(visitor) == told


def test_first_of_the_leagues_with_a_live_game_counts(visitor, synced, clock):
    synced("nba", event("5", START, "in"), at=READ_AT)
    synced("nhl", event("6", START, "post"), at=READ_AT)
    with write_connection() as connection:
        for slug, seconds in (("nfl", 24), ("nba", 12), ("nhl", 3)):
            at = clock.shown + timedelta(seconds=seconds)
            row = update(LeagueRow).where(LeagueRow.slug == slug)
            connection.execute(row.values(next_read_at=at))
    told = {path: next_read(visitor, path) for path in ("/", "/nfl", "/nba", "/nhl")}
    assert told == {"/": "12.0", "/nfl": "24.0", "/nba": "12.0", "/nhl": None}


# ---------------------------------------------------------------- how it is decided


@pytest.mark.parametrize("path", ["/", "/live", "/nfl", "/nfl/2026-01-15", "/nfl/standings"])
def test_304_costs_one_query_and_no_rendering(visitor, clock, path, monkeypatch):
    known = etag(visitor, path)
    clock.shown += timedelta(seconds=1)
    monkeypatch.setattr(flask.templating, "_render", None)
    with statements() as count:
        answer = visitor.get(path, headers={"If-None-Match": known})
    assert answer.status_code == 304
    assert (count["SELECT"], writes(count)) == (1, 0)


def test_page_in_html_names_its_own_etag_for_the_script(visitor):
    page = visitor.get("/nfl")
    tag = page.headers["ETag"].replace('"', "&#34;")
    assert f'data-etag="{tag}"' in page.text


def test_weak_and_several_tags_are_compared(visitor):
    known = etag(visitor)
    assert known.startswith('W/"')
    assert visitor.get("/nfl", headers={"If-None-Match": f'"x", {known}'}).status_code == 304
    assert visitor.get("/nfl", headers={"If-None-Match": '"x"'}).status_code == 200


# ---------------------------------------------------------------- what changes it


def test_score_that_changes_makes_another_page(visitor, synced, clock):
    before = etag(visitor)
    synced("nfl", event(start=START, state="in", home=27), at=READ_AT + timedelta(seconds=5))
    clock.shown += timedelta(seconds=1)
    assert etag(visitor) != before


def test_league_that_changes_leaves_the_pages_of_others_alone(visitor, synced, clock):
    synced("nba", event(start=START), at=READ_AT)
    before = {path: etag(visitor, path) for path in ("/nfl", "/nba", "/")}
    synced("nba", event(start=START, home=30), at=READ_AT + timedelta(seconds=5))
    clock.shown += timedelta(seconds=1)
    changed = {path for path, tag in before.items() if etag(visitor, path) != tag}
    assert changed == {"/nba", "/"}


def test_other_leagues_in_the_menu_make_another_page(app, visitor, clock):
    before = etag(visitor)
    clock.shown += timedelta(seconds=1)
    more = replace(services_of(app).settings, leagues=("nfl", "mls"))
    replace_services(app, settings=more)
    assert etag(visitor) != before
    assert ">MLS</a>" in visitor.get("/nfl", headers={"If-None-Match": before}).text


def test_new_game_day_makes_another_page(visitor, clock):
    feed_read_at(datetime(2026, 1, 16, 9, tzinfo=UTC))
    tags = []
    for hour in (8, 9, 10):  # the day changes at four in the morning, Eastern
        clock.shown = datetime(2026, 1, 16, hour, 30, tzinfo=UTC)
        feed_read_at(clock.shown)
        tags.append(etag(visitor))
    assert tags[0] != tags[1] == tags[2]


def test_feed_that_fails_makes_another_page(visitor, clock):
    before = etag(visitor)
    change_league(failing_since=READ_AT)
    clock.shown += timedelta(seconds=1)
    assert etag(visitor) != before


def test_game_about_to_start_makes_another_page(visitor, synced, clock):
    synced("nba", event("5", "2026-01-15T23:00Z", "pre"), at=READ_AT)
    tags = []
    for minute in (40, 44, 46):
        clock.shown = datetime(2026, 1, 15, 22, minute, tzinfo=UTC)
        tags.append(etag(visitor, "/nba"))
    assert tags[0] == tags[1] != tags[2]


@pytest.mark.parametrize("cookie", CHOICES)
def test_preferences_make_another_page(visitor, cookie):
    assert etag(visitor) != etag(visitor, Cookie=cookie)


def test_every_address_has_a_tag_of_its_own(visitor):
    tags = [etag(visitor, path) for path in (*PATHS, "/nfl?reveal=401")]
    assert len(set(tags)) == len(tags)


def test_other_code_makes_another_page_and_another_address_of_the_style(
    visitor, clock, monkeypatch
):
    before = visitor.get("/nfl")
    clock.shown += timedelta(seconds=1)
    for module in ("page", "filters"):
        monkeypatch.setattr(f"sportsapp.web.{module}.code_version", lambda: "other")
    after = visitor.get("/nfl")
    assert after.headers["ETag"] != before.headers["ETag"]
    assert "/static/style.css?v=other" in after.text


def test_edited_template_is_seen_at_once_in_debug_mode(app, visitor, clock, monkeypatch, tmp_path):
    (tmp_path / "templates").mkdir()
    monkeypatch.setattr("sportsapp.web.page.PROJECT_ROOT", tmp_path)
    monkeypatch.setattr(app, "debug", True)
    tags = []
    for text in ("one", "two", "two"):
        (tmp_path / "templates" / "page.html").write_text(text)
        clock.shown += timedelta(seconds=1)
        tags.append(etag(visitor))
    assert tags[0] != tags[1] == tags[2]


# ---------------------------------------------------------------- late, in words


def late_words(page):
    return "NFL: games are live or should have begun, but some were last read at" in page


@pytest.mark.parametrize(("seconds", "is_late"), [(170, False), (190, True)])
def test_live_game_that_was_not_read_for_three_ticks_is_called_late(
    visitor, clock, seconds, is_late
):
    clock.shown = READ_AT + timedelta(seconds=seconds)
    for path in ("/", "/live", "/nfl", "/nfl/games/401"):
        assert late_words(visitor.get(path).text) == is_late


def test_three_ticks_are_shorter_where_ticks_are(app, visitor, clock):
    settings = services_of(app).settings
    replace_services(app, settings=replace(settings, live_sync_seconds=10))
    clock.shown = READ_AT + timedelta(seconds=40)
    assert late_words(visitor.get("/nfl").text)


def test_data_gets_late_by_the_clock_alone(visitor, clock):
    before = etag(visitor)
    clock.shown = READ_AT + timedelta(minutes=5)
    answer = visitor.get("/nfl", headers={"If-None-Match": before})
    assert answer.status_code == 200
    assert late_words(answer.text)


def test_old_data_is_not_late_when_nothing_is_live(visitor, synced, clock):
    synced("nfl", event(start=START, state="post"), at=READ_AT)
    clock.shown = READ_AT + timedelta(hours=5)
    assert "scores may be late" not in visitor.get("/nfl").text


# ---------------------------------------------------------------- how often a page may ask


@pytest.mark.parametrize(
    ("path", "seconds"),
    [("/nfl/2026-01-15", 12), ("/nfl/games/401", 12), ("/live", 12), ("/nfl/2026-01-10", 300)],
)
def test_page_polls_often_only_for_what_is_live_on_it(visitor, path, seconds):
    page = visitor.get(path).text
    assert f'data-poll="{seconds}"' in page
    assert ('data-live="yes"' in page) == (seconds == 12)


@pytest.mark.parametrize(("minutes", "seconds"), [(20, 300), (10, 12), (-30, 12), (-300, 300)])
def test_page_polls_often_when_a_game_is_about_to_start(visitor, synced, clock, minutes, seconds):
    start = clock.shown + timedelta(minutes=minutes)
    synced("nba", event("5", f"{start:%Y-%m-%dT%H:%MZ}", "pre"), at=READ_AT)
    for path in ("/nba/2026-01-15", "/nba/games/5"):
        assert f'data-poll="{seconds}"' in visitor.get(path).text


def test_style_has_an_address_that_changes_with_it(visitor):
    page = visitor.get("/nfl").text
    address = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    assert "v=" in address
    assert visitor.get(address, buffered=True).mimetype == "text/css"

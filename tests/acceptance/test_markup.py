"""What other programs read: HTML by the Nu checker's rules, calendars, Atom feeds."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import feedparser
import pytest
import vobject
from flask.testing import FlaskClient
from sqlalchemy import text, update

from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.db.models import Team
from tests.conftest import MakeDatabase
from tests.demosite import FINAL_NFL, LIVE_NFL, PAGES, POSTPONED_NBA, SCREENS, DemoSite, demo_site

CHECKER = PROJECT_ROOT / "node_modules/vnu-jar/build/dist/vnu.jar"
JAVA = shutil.which("java")
ATOM = "{http://www.w3.org/2005/Atom}"
HIDES = {"Cookie": "scores=hide; zone=Europe/Berlin; favourites=nfl-3.nba-5"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, make_database: MakeDatabase
) -> Iterator[DemoSite]:
    folder = tmp_path_factory.mktemp("site")
    with make_database(folder) as url, demo_site(folder, url) as site:
        yield site


@pytest.fixture
def visitor(site: DemoSite) -> FlaskClient:
    return site.app.test_client(use_cookies=False)


# ---------------------------------------------------------------- HTML


@pytest.mark.skipif(JAVA is None, reason="there is no java here")
@pytest.mark.skipif(not CHECKER.exists(), reason="vnu-jar is not installed (npm install vnu-jar)")
@pytest.mark.parametrize("headers", [{}, HIDES], ids=["newcomer", "with preferences"])
def test_nu_checker_finds_no_error_on_any_page(visitor, tmp_path, headers):
    for name, path in (PAGES | SCREENS).items():
        answer = visitor.get(path, headers=headers)
        (tmp_path / f"{name}.html").write_bytes(answer.data)
    assert "\n".join(complaints(tmp_path)) == ""


def complaints(folder: Path) -> list[str]:
    """What the checker says of the pages and the style in a folder, warnings too."""
    command = [JAVA, "-jar", CHECKER, "--format", "json", "--also-check-css", "--stdout"]
    said = subprocess.run(
        [*map(str, command), *sorted(map(str, folder.iterdir()))], capture_output=True, check=False
    )
    messages = json.loads(said.stdout)["messages"]
    return [f"{Path(one['url']).name}: {one['message']}" for one in messages]


@pytest.mark.skipif(JAVA is None, reason="there is no java here")
@pytest.mark.skipif(not CHECKER.exists(), reason="vnu-jar is not installed (npm install vnu-jar)")
def test_nu_checker_would_find_an_error(tmp_path):
    (tmp_path / "bad.html").write_text("<!doctype html><title>x</title><ul><p>no</ul>")
    assert complaints(tmp_path)


@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_blank_lines(visitor, name):
    assert "\n\n" not in visitor.get(PAGES[name]).text


LANDMARKS = {"header": "banner", "nav": "navigation", "main": "main", "footer": "contentinfo"}


class Outline(HTMLParser):
    """A page's landmarks as role and name, and its tables without a caption."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.ids: list[str] = []
        self.found: list[tuple[str, str, bool]] = []  # the name is an id where True
        self.without_caption: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if has.get("id") and tag in ("h1", "h2", "h3"):
            self.ids.append(has["id"] or "")
        role = has.get("role") or LANDMARKS.get(tag, "region" if tag == "section" else "")
        name = has.get("aria-labelledby") or has.get("aria-label") or ""
        if role in {*LANDMARKS.values(), "search"} or (role == "region" and name):
            self.found.append((role, name, "aria-labelledby" in has))
        if tag == "table":
            self.without_caption.append(self.get_starttag_text() or "")
        if tag == "caption":
            self.without_caption.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in ("h1", "h2", "h3"):
            self.ids.clear()

    def handle_data(self, data: str) -> None:
        for name in self.ids:
            self.texts[name] = self.texts.get(name, "") + data

    def landmarks(self) -> list[tuple[str, str]]:
        return [
            (role, self.texts.get(name, "") if is_id else name) for role, name, is_id in self.found
        ]


@pytest.mark.parametrize("headers", [{}, HIDES], ids=["newcomer", "with preferences"])
@pytest.mark.parametrize("name", PAGES)
def test_tables_have_captions_and_no_two_landmarks_one_name(visitor, name, headers):
    outline = Outline(visitor.get(PAGES[name], headers=headers).text)
    assert outline.without_caption == []
    landmarks = outline.landmarks()
    names = [name for _, name in landmarks if name]
    assert sorted(names) == sorted(set(names))
    unnamed = [role for role, name in landmarks if not name]
    assert sorted(unnamed) == ["banner", "contentinfo", "main"]


# ---------------------------------------------------------------- calendars


def entries(visitor: FlaskClient, path: str) -> list[Any]:
    """The events of a calendar, read by another library than the one that wrote it."""
    answer = visitor.get(path)
    assert answer.content_type == "text/calendar; charset=utf-8"
    return list(vobject.readOne(answer.text).vevent_list)


def test_calendar_has_a_teams_whole_season_with_times_in_utc(visitor):
    found = entries(visitor, "/nfl/teams/CHI.ics")
    assert len(found) == 11
    live = next(one for one in found if LIVE_NFL in one.uid.value)
    assert live.summary.value == "Chicago Bears at Carolina Panthers"
    assert live.dtstart.value == datetime.fromisoformat("2026-10-26T00:20:00+00:00")
    assert live.dtend.value > live.dtstart.value
    assert live.location.value == "Bank of America Stadium, Charlotte, NC"
    assert live.url.value.endswith(f"/nfl/games/{LIVE_NFL}")


def test_calendar_keeps_its_ids_when_scores_change(visitor, site):
    before = [one.uid.value for one in entries(visitor, "/nfl/teams/CHI.ics")]
    site.score()
    assert [one.uid.value for one in entries(visitor, "/nfl/teams/CHI.ics")] == before
    assert len(set(before)) == len(before)


def test_calendar_marks_a_postponed_game(visitor):
    found = entries(visitor, "/nba/teams/GS.ics")
    off = next(one for one in found if POSTPONED_NBA in one.uid.value)
    assert off.summary.value == "Postponed: Golden State Warriors at Orlando Magic"
    assert off.status.value == "TENTATIVE"
    assert {one.status.value for one in found if one is not off} == {"CONFIRMED"}


def test_calendar_tells_no_scores(visitor):
    lines = visitor.get("/nfl/teams/CHI.ics").text.splitlines()
    shown = [line for line in lines if line.startswith(("SUMMARY", "DESCRIPTION", "LOCATION"))]
    assert shown
    assert not any(sign.isdigit() for line in shown for sign in line)


def test_game_without_a_time_is_a_whole_day(visitor, site):
    site.edit(text("UPDATE games SET time_set = false WHERE day = '2026-11-26'"))
    found = entries(visitor, "/nfl/teams/CHI.ics")
    assert found[-1].dtstart.value == date(2026, 11, 26)


# ---------------------------------------------------------------- Atom


def atom(visitor: FlaskClient, path: str, **headers: str) -> tuple[Any, ElementTree.Element]:
    """A feed through feedparser, and as plain XML."""
    answer = visitor.get(path, headers=headers)
    assert answer.content_type == "application/atom+xml; charset=utf-8"
    parsed = feedparser.parse(answer.data)
    assert not parsed.bozo, parsed.get("bozo_exception")
    return parsed, ElementTree.fromstring(answer.data)  # noqa: S314 - our own feed


@pytest.mark.parametrize("slug", ["nfl", "nba", "mlb", "nhl"])
def test_feed_has_what_rfc_4287_requires(visitor, slug):
    _, root = atom(visitor, f"/{slug}/scores.atom")
    assert root.tag == f"{ATOM}feed"
    for part in (root, *root.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(part.findall(f"{ATOM}{name}")) == 1
            assert part.findtext(f"{ATOM}{name}")
        assert is_moment(part.findtext(f"{ATOM}updated"))
    assert root.find(f"{ATOM}author/{ATOM}name") is not None
    assert {one.get("rel") for one in root.findall(f"{ATOM}link")} == {"self", "alternate"}
    ids = [one.findtext(f"{ATOM}id") for one in root.findall(f"{ATOM}entry")]
    assert ids
    assert len(set(ids)) == len(ids)


def is_moment(words: str | None) -> bool:
    return datetime.fromisoformat(words or "").utcoffset() == timedelta(0)


def test_feed_has_finals_with_their_scores(visitor):
    parsed, _ = atom(visitor, "/nfl/scores.atom")
    titles = {one.link.rsplit("/", 1)[-1]: one.title for one in parsed.entries}
    assert titles[FINAL_NFL] == "Los Angeles Rams 22, New England Patriots 23 (Final)"
    assert LIVE_NFL not in titles


@pytest.mark.parametrize(
    ("path", "headers"), [("?scores=hide", {}), ("", {"Cookie": "scores=hide"})]
)
def test_feed_hides_scores_when_asked(visitor, path, headers):
    parsed, _ = atom(visitor, f"/nfl/scores.atom{path}", **headers)
    titles = [one.title for one in parsed.entries]
    assert "Los Angeles Rams at New England Patriots: final" in titles
    names = [title.replace("49ers", "") for title in titles]
    assert not any(sign.isdigit() for name in names for sign in name)


def test_feed_stays_well_formed_whatever_a_name_holds(visitor, site):
    odd = "A & <b>\x0b\x1f]]>"
    site.edit(update(Team).where(Team.abbreviation == "LAR").values(display_name=odd))
    parsed, _ = atom(visitor, "/nfl/scores.atom")
    assert any(one.title.startswith("A & <b>") or "&lt;b" in one.title for one in parsed.entries)

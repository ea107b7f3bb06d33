"""Whatever stands in an address, a form, a cookie or a header: an answer, and nothing more."""

from __future__ import annotations

import itertools
from urllib.parse import unquote_to_bytes

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.db.models import AdminUser
from sportsapp.services import services_of
from sportsapp.sync.catalogue import sync_teams
from sportsapp.sync.context import SyncContext
from tests.answers import make_team_list
from tests.hostile import (
    ATTACKS,
    MARKUP,
    Markup,
    any_text,
    assert_harmless,
    attack,
    in_address,
    numbers,
    texts,
    trying,
)
from tests.integration.events import event
from tests.panel import PanelVisitor, add_failure
from tests.stored import all_rows

pytestmark = pytest.mark.slow

OURS = {"Sec-Fetch-Site": "same-origin"}
PATHS = [
    "/{}",
    "/{}/{}",
    "/nfl/{}",
    "/nfl/games/{}",
    "/{}/games/401",
    "/nfl/teams/{}",
    "/nfl/teams/{}.ics",
    "/{}/teams/ALP",
    "/{}/teams",
    "/{}/standings",
    "/{}/scores.atom",
    "/nfl/weeks/{}/{}/{}",
    "/{}/weeks/2026/2/1",
    "/api/v1/{}",
    "/api/v1/games/nfl/{}",
    "/api/v1/teams/nfl/{}",
    "/api/v1/games/{}/401",
    "/static/{}",
    "/admin/{}",
    "/preferences/{}",
]
QUERIES = [
    "/?reveal={}",
    "/nfl?day={}",
    "/nfl/games/401?reveal={}",
    "/nfl/2026-01-15?reveal={}",
    "/nfl/standings?reveal={}",
    "/search?q={}",
    "/nfl/scores.atom?scores={}",
    "/preferences?next={}",
    "/api/v1/teams?league={}",
    "/api/v1/games?league={}",
    "/api/v1/games?date={}",
    "/api/v1/games?state={}",
    "/admin/sign-in?next={}",
    "/admin/?{}={}",
    "/?{}={}",
    "/static/style.css?v={}",
    "/nfl/teams?{}",
    "/api/v1/games?{}",
]
FORMS = [
    ("/preferences", "zone"),
    ("/preferences", "next"),
    ("/preferences", "scores"),
    ("/preferences/favourites", "team"),
    ("/preferences/favourites", "action"),
    ("/preferences/favourites", "next"),
]
GOOD = {"zone": "Europe/Berlin", "team": "nfl-1", "action": "add", "next": "/nfl"}
HEADERS = [
    "If-None-Match",
    "If-Modified-Since",
    "If-Match",
    "Range",
    "Host",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Prefix",
    "Forwarded",
    "Referer",
    "Origin",
    "Sec-Fetch-Site",
    "User-Agent",
    "Accept",
    "Accept-Language",
    "Authorization",
    "Content-Type",
    "X-Original-Url",
    "X-Http-Method-Override",
    "Cookie",
]
KINDS = [
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=x",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/json",
    "text/plain; charset=utf-7",
]
COOKIES = ["zone", "favourites", "scores", "tracker_admin", "session", "flash"]
SIGHTS = ("/", "/nfl/2026-01-15", "/nfl/games/401", "/preferences", "/admin/sign-in", "/static/x")

# What a server hands on as a header: any byte but those that end it.
header_texts = (
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
    | attack.map(lambda text: text.encode("utf-8", "replace").decode("latin-1"))
).map(lambda text: text.translate(dict.fromkeys(map(ord, "\r\n\x00"))))


@pytest.fixture
def site(app, synced, visitor) -> FlaskClient:
    """A site with a game of every state, as a stranger asks it."""
    synced("nfl", event("401", state="in"), event("402"), event("403", state="pre"))
    return visitor


@pytest.fixture
def unchanged():
    """Nothing that was sent has changed a row."""
    before = all_rows()
    yield
    assert all_rows() == before


def sent(site: FlaskClient, target: str, values: list[str]) -> None:
    path, _, query = target.format(*map(in_address, values)).partition("?")
    assert_harmless(ask(site, unquote_to_bytes(path), query))


def ask(site: FlaskClient, path: bytes, query: str = "") -> TestResponse:
    """Ask as a server does: the path's bytes as they came, the query still encoded."""
    environ = {"PATH_INFO": path.decode("latin-1"), "QUERY_STRING": query}
    return site.get("/", environ_overrides=environ, buffered=True)


@pytest.mark.long
@pytest.mark.parametrize("target", PATHS + QUERIES)
@trying(12)
@given(values=st.lists(numbers, min_size=3, max_size=3))
def test_nothing_in_an_address_breaks_or_becomes_part_of_a_page(site, unchanged, target, values):
    sent(site, target, values)


@pytest.mark.parametrize("target", ["/search?q={}", "/nfl/{}", "/api/v1/games/nfl/{}"])
def test_every_known_attack_by_address_comes_to_nothing(site, unchanged, target):
    for text in ATTACKS:
        sent(site, target, [text])


@pytest.mark.parametrize("text", ["' OR '1'='1", "401' AND '1'='1", "%", "_01", "4__", "401\\"])
def test_attack_on_sql_finds_no_more_than_its_own_words(site, text):
    for path in (f"/nfl/games/{in_address(text)}", f"/api/v1/games/nfl/{in_address(text)}"):
        assert site.get(path).status_code == 404
    assert "ALP" not in site.get("/search", query_string={"q": text}).text


@pytest.mark.parametrize("text", ["%", "_", "Al_ha", "\\", "' OR 1=1 --"])
def test_no_sign_stands_for_any_name_in_the_search(app, feed, visitor, text):
    names = {"1": "Alpha", "2": "Altha"}
    teams = [{"id": n, "displayName": name, "abbreviation": name} for n, name in names.items()]
    feed.say("nba", make_team_list(*teams), kind="teams")
    feed.say("nba", {"athletes": []}, kind="roster")
    sync_teams(SyncContext(services_of(app).feed_client, db.session, utc_now()), [BY_SLUG["nba"]])
    assert "Altha" in visitor.get("/search?q=Al").text
    answer = visitor.get("/search", query_string={"q": text})
    assert (answer.status_code, "No team found" in answer.text) == (200, True)


@pytest.mark.parametrize("number", ["9999", "10000", "9" * 10, "9" * 19, "9" * 20, "9" * 5000])
@pytest.mark.parametrize("place", range(3))
def test_no_number_of_a_week_is_too_large_for_an_answer(site, number, place):
    numbers = ["2026", "2", "1"]
    numbers[place] = number
    assert site.get("/nfl/weeks/{}/{}/{}".format(*numbers)).status_code == 404


@pytest.mark.parametrize("target", ["/search?q={}", "/nfl/games/{}", "/nfl/teams/{}", "/{}"])
def test_page_shows_what_was_sent_as_text(site, target):
    text = "<b>{{7*7}}&amp;"
    assert text in "".join(Markup(site.get(target.format(in_address(text))).text).texts)


def test_raw_bytes_in_an_address_are_no_trouble(site):
    @trying(60)
    @given(raw=st.binary(max_size=40), query=st.binary(max_size=40))
    def send(raw: bytes, query: bytes) -> None:
        for path in (b"/", b"/search", b"/api/v1/games", b"/admin/", b"/" + raw):
            assert_harmless(ask(site, path, query.decode("latin-1")))

    send()


@pytest.mark.parametrize("path", [b"/", b"/search", b"/api/v1/games", b"/admin/sign-in"])
def test_query_that_is_no_text_is_400(site, path):
    assert ask(site, path, "q=\x80").status_code == 400


@pytest.mark.parametrize(
    "path",
    ["/search?q=%00", "/nfl/games/%00", "/nfl/teams/a%00b", "/api/v1/games/nfl/%00", "/?%00=1"],
)
def test_nul_ends_at_the_door(site, path):
    assert site.get(path).status_code == 400


# ---------------------------------------------------------------- forms


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize(("path", "field"), FORMS)
@trying(12)
@given(value=texts)
def test_nothing_in_a_form_breaks_or_leads_away(site, unchanged, path, field, kind, value):
    plain = value.encode("utf-8", "replace").decode()
    answer = site.post(path, data=GOOD | {field: plain}, headers=OURS, content_type=kind)
    assert_harmless(answer)


@trying(40)
@given(body=st.binary(max_size=200), kind=st.sampled_from(KINDS))
def test_no_body_of_a_form_breaks_it(site, unchanged, body, kind):
    for path in ("/preferences", "/preferences/favourites", "/admin/sign-in", "/", "/api/v1/games"):
        assert_harmless(site.post(path, data=body, content_type=kind, headers=OURS))
        whole = b"--x\r\nContent-Disposition: form-data; name=zone\r\n\r\n" + body + b"\r\n--x--"
        assert_harmless(site.post(path, data=whole, content_type=kind, headers=OURS))


@pytest.mark.parametrize(("path", "field"), FORMS)
def test_every_known_attack_by_form_comes_to_nothing(site, unchanged, path, field):
    for text in ATTACKS:
        plain = text.encode("utf-8", "replace").decode()
        assert_harmless(site.post(path, data=GOOD | {field: plain}, headers=OURS))


# ---------------------------------------------------------------- headers and cookies


@pytest.mark.parametrize("name", HEADERS)
@trying(12)
@given(value=header_texts, path=st.sampled_from(SIGHTS))
def test_no_header_breaks_a_page(site, unchanged, name, value, path):
    assert_harmless(site.get(path, headers={name: value}))


@pytest.mark.parametrize("name", COOKIES)
@trying(20)
@given(value=header_texts | any_text.map(in_address), path=st.sampled_from(SIGHTS))
def test_no_cookie_breaks_a_page(site, unchanged, name, value, path):
    for written in (f"{name}={value}", f'{name}="{value}"', f"{name}={value}; {name}=other"):
        assert_harmless(site.get(path, headers={"Cookie": written}))


@pytest.mark.parametrize(
    "zone", ["Mars/Phobos", "../../etc/passwd", "/etc/localtime", "posixrules"]
)
def test_made_up_zone_counts_as_none(site, zone):
    page = site.get("/preferences", headers={"Cookie": f"zone={zone}"})
    assert "Times: America/New York" in page.text
    answer = site.post("/preferences", data={"zone": zone}, headers=OURS)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (400, False)


def test_as_many_favourites_as_a_cookie_holds_cost_one_query(site):
    named = ".".join(f"nfl-{n}" for n in range(700))
    answer = site.get("/preferences", headers={"Cookie": f"favourites={named}"})
    assert answer.status_code == 200


# ---------------------------------------------------------------- the panel


@pytest.fixture
def attempts(app, monkeypatch):
    """Sends the sign-in form with a good token, each time from another address.

    ``attempt.account`` is whom any name and password lead to, None for nobody.
    """
    visitor = PanelVisitor(app.test_client())
    counted = itertools.count()

    def attempt(**form: str):
        number = next(counted)
        fields = {
            "username": f"name{number}",
            "password": "x",
            "csrf_token": visitor.token(),
            **form,
        }
        plain = {name: text.encode("utf-8", "replace").decode() for name, text in fields.items()}
        home = {"REMOTE_ADDR": f"10.{number // 62500 % 250}.{number // 250 % 250}.{number % 250}"}
        answer = visitor.open("/admin/sign-in", "POST", data=plain, environ_base=home)
        visitor.client.delete_cookie("tracker_admin", path="/admin")
        return answer

    attempt.account = None
    monkeypatch.setattr("sportsapp.admin.signin.accounts.authenticate", lambda *_: attempt.account)
    return attempt


@pytest.mark.parametrize("field", ["username", "password", "next", "csrf_token"])
@trying(25)
@given(value=texts)
def test_nothing_in_the_sign_in_form_breaks_it_or_leads_away(attempts, field, value):
    answer = attempts(**{field: value})
    assert_harmless(answer)
    assert answer.status_code in (400, 401)


def test_sign_in_leads_nowhere_but_into_the_panel(panel, attempts):
    attempts.account = db.session.query(AdminUser).one()

    @trying(60)
    @given(target=texts | texts.map("/admin/{}".format))
    def sign_in(target: str) -> None:
        answer = attempts(next=target)
        assert_harmless(answer)
        if "\x00" not in target:
            assert answer.status_code == 303
            assert answer.headers["Location"].startswith("/admin")

    sign_in()


PANEL = [
    "/admin/{}/?page={}",
    "/admin/{}/?page_size={}",
    "/admin/{}/?search={}",
    "/admin/{}/?sort={}",
    "/admin/{}/?desc={}",
    "/admin/{}/details/?id={}",
    "/admin/{}/?league={}",
    "/admin/{}/?state={}",
    "/admin/{}/?day={}",
    "/admin/{}/?season={}",
    "/admin/{}/export/csv/?search={}",
]
TABLES = ("runs", "leagues", "teams", "players", "games")


@pytest.mark.parametrize("target", PANEL)
def test_nothing_in_an_address_of_the_panel_breaks_it(app, panel, target):
    add_failure(error=MARKUP[0])

    @trying(15)
    @given(table=st.sampled_from(TABLES), value=numbers)
    def send(table: str, value: str) -> None:
        assert_harmless(panel.open(target.format(table, in_address(value))))

    send()

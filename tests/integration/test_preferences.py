"""Preferences: four cookies, forms that only our own pages may send, and where they lead."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sportsapp.web.preferences import MOST_FAVOURITES
from tests.integration.events import event

OURS = {"Sec-Fetch-Site": "same-origin"}


def save(visitor: FlaskClient, headers: dict[str, str] | None = None, **form: str) -> TestResponse:
    data = {"zone": "Europe/Berlin"} | form
    return visitor.post("/preferences", data=data, headers=OURS if headers is None else headers)


def like(visitor: FlaskClient, team: str, cookie: str = "", action: str = "add") -> TestResponse:
    headers = OURS | ({"Cookie": cookie} if cookie else {})
    data = {"team": team, "action": action}
    return visitor.post("/preferences/favourites", data=data, headers=headers)


def cookies(answer: TestResponse) -> dict[str, Any]:
    jar: SimpleCookie = SimpleCookie()
    for line in answer.headers.getlist("Set-Cookie"):
        jar.load(line)
    return jar


# ---------------------------------------------------------------- what is kept


def test_zone_and_hidden_scores_are_kept_in_one_cookie_each(visitor):
    answer = save(visitor, scores="hide")
    assert answer.status_code == 303
    assert {name: one.value for name, one in cookies(answer).items()} == {
        "zone": "Europe/Berlin",
        "scores": "hide",
    }


@pytest.mark.parametrize(
    ("form", "kept"),
    [
        ({"zone": "Asia/Tokyo"}, {"zone": "Asia/Tokyo", "scores": "hide"}),
        ({"scores": "hide"}, {"zone": "Europe/Berlin", "scores": "hide"}),
        ({"scores": "show"}, {"zone": "Europe/Berlin", "scores": ""}),
        ({"clock": "24"}, {"zone": "Europe/Berlin", "clock": "24", "scores": "hide"}),
        ({"clock": "12"}, {"zone": "Europe/Berlin", "scores": "hide"}),
    ],
)
def test_what_a_form_does_not_name_stays(visitor, form, kept):
    headers = OURS | {"Cookie": "zone=Europe/Berlin; scores=hide"}
    answer = visitor.post("/preferences", data=form, headers=headers)
    assert {name: one.value for name, one in cookies(answer).items()} == kept


@pytest.mark.parametrize("form", [{"scores": "maybe"}, {"clock": "13"}, {"clock": ""}])
def test_scores_and_clock_have_two_forms_and_nothing_else(visitor, form):
    answer = save(visitor, **form)
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(("scheme", "is_secure"), [("http", False), ("https", True)])
def test_cookies_are_out_of_reach_of_scripts_and_other_sites(visitor, scheme, is_secure):
    answer = visitor.post(
        "/preferences",
        data={"zone": "Asia/Tokyo"},
        headers=OURS,
        base_url=f"{scheme}://localhost/",
    )
    (cookie,) = cookies(answer).values()
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert bool(cookie["secure"]) == is_secure
    assert cookie["path"] == "/"
    assert int(cookie["max-age"]) == 365 * 24 * 3600
    assert cookie["domain"] == ""


def test_default_choice_keeps_no_cookie_and_takes_the_old_one_back(visitor):
    assert cookies(save(visitor, zone="America/New_York")) == {}
    headers = OURS | {"Cookie": "zone=Europe/Berlin"}
    answer = save(visitor, headers, zone="America/New_York")
    assert cookies(answer)["zone"]["max-age"] == "0"


def test_time_is_shown_in_the_chosen_zone(visitor, synced):
    synced("nfl", event(state="pre"))
    page = visitor.get("/nfl/2026-01-15", headers={"Cookie": "zone=Europe/Berlin"}).text
    assert '<time datetime="2026-01-15T20:00:00Z">9:00 PM</time>' in page


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "../../etc/passwd", "", "europe/berlin\x00", "Z" * 5000]
)
def test_zone_that_there_is_not_is_refused_and_ignored_in_a_cookie(visitor, zone):
    answer = save(visitor, zone=zone)
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers
    page = visitor.get("/preferences", headers={"Cookie": f"zone={zone[:50]!r}"})
    assert "Times: America/New York" in page.text


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        (" Asia/Kathmandu ", "Asia/Kathmandu"),
        ("america/los angeles", "America/Los_Angeles"),
        ("LOS ANGELES", "America/Los_Angeles"),
        ("berlin", "Europe/Berlin"),
        ("Indianapolis", "America/Indiana/Indianapolis"),  # it has three names there
        ("utc", "UTC"),
        ("Etc/GMT+5", "Etc/GMT+5"),
    ],
)
def test_zone_is_taken_as_people_write_it(visitor, text, zone):
    assert cookies(save(visitor, zone=text))["zone"].value == zone


@pytest.mark.parametrize("text", ["Angeles", "Europe", "/", "los/angeles", "Europe/"])
def test_zone_that_is_written_by_half_is_refused(visitor, text):
    answer = save(visitor, zone=text)
    assert answer.status_code == 400
    assert f"Unknown time zone &#39;{text}&#39;" in answer.text


def test_zone_is_one_field_that_suggests_every_place(visitor):
    page = visitor.get("/preferences", headers={"Cookie": "zone=Asia/Ho_Chi_Minh"}).text
    assert re.findall('<input id="zone" name="zone" list="zones" value="([^"]*)"', page) == [
        "Asia/Ho Chi Minh"
    ]
    suggested = re.findall("<option>([^<]+)</option>", page)
    assert {"Asia/Ho Chi Minh", "America/New York", "Europe/Berlin", "UTC"} <= set(suggested)
    assert not [zone for zone in suggested if zone.startswith("Etc/")]
    assert "other_zone" not in page
    some = [zone for zone in suggested if zone.startswith(("Europe/", "US/", "UTC"))]
    saved = [cookies(save(visitor, zone=zone))["zone"].value for zone in some]
    assert saved == [zone.replace(" ", "_") for zone in some]


def test_preferences_page_is_kept_by_nobody_else(visitor):
    assert visitor.get("/preferences").headers["Cache-Control"].startswith("private")


# ---------------------------------------------------------------- favourites


def test_favourites_are_added_once_and_taken_out(visitor):
    assert cookies(like(visitor, "nfl-3"))["favourites"].value == "nfl-3"
    two = like(visitor, "nba-5", "favourites=nfl-3")
    assert cookies(two)["favourites"].value == "nfl-3.nba-5"
    again = like(visitor, "nfl-3", "favourites=nfl-3.nba-5")
    assert cookies(again)["favourites"].value == "nba-5.nfl-3"
    gone = like(visitor, "nfl-3", "favourites=nfl-3.nba-5", action="remove")
    assert cookies(gone)["favourites"].value == "nba-5"


@pytest.mark.parametrize(
    "team", ["", "nfl", "xyz-3", "nfl-", "nfl-3.4", "nfl-" + "9" * 41, "nfl-é"]
)
def test_favourite_that_is_no_team_is_refused(visitor, team):
    assert like(visitor, team).status_code == 400


def test_favourites_have_a_limit_that_a_cookie_cannot_pass(visitor):
    full = "favourites=" + ".".join(f"nfl-{n}" for n in range(MOST_FAVOURITES))
    assert like(visitor, "nfl-999", full).status_code == 400
    assert like(visitor, "nfl-5", full).status_code == 303
    flood = "favourites=" + ".".join(f"nfl-{n}" for n in range(5 * MOST_FAVOURITES))
    kept = cookies(like(visitor, "nfl-0", flood, action="remove"))["favourites"].value
    assert len(kept.split(".")) < MOST_FAVOURITES
    assert visitor.get("/preferences", headers={"Cookie": flood}).status_code == 200


def test_favourites_come_first_on_the_page(visitor, synced):
    mine = event("1", "2026-01-15T23:00Z", "post")
    mine["competitions"][0]["competitors"][0]["team"] = {"id": "9", "abbreviation": "MY"}
    synced("nfl", event("2", state="in"), mine)
    cookie = {"Cookie": "favourites=nfl-9"}
    plain = visitor.get("/nfl/2026-01-15").text
    liked = visitor.get("/nfl/2026-01-15", headers=cookie).text
    assert plain.index("/nfl/games/2") < plain.index("/nfl/games/1")
    assert liked.index("/nfl/games/1") < liked.index("/nfl/games/2")


# ---------------------------------------------------------------- who may send a form

FORGED = [
    {},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost:81"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Origin": "localhost"},
    {"Referer": "http://localhost/preferences"},
]


@pytest.mark.parametrize("headers", FORGED, ids=str)
@pytest.mark.parametrize("path", ["/preferences", "/preferences/favourites"])
def test_form_of_another_site_is_refused(visitor, path, headers):
    data = {"zone": "UTC", "team": "nfl-3", "action": "add"}
    answer = visitor.post(path, data=data, headers=headers)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("headers", [OURS, {"Origin": "http://localhost"}], ids=str)
def test_form_of_our_own_page_is_taken(visitor, headers):
    assert save(visitor, headers).status_code == 303


# ---------------------------------------------------------------- where a form leads

ELSEWHERE = [
    "//evil",
    "//evil/nfl",
    "/\\evil",
    "\\\\evil",
    "https:evil",
    "https://evil",
    "///evil",
    "javascript:alert(1)",
    "/nfl\r\nSet-Cookie: a=b",
    "/nfl\nx",
    "/\tevil",
    "\t//evil",
    " //evil",
    "//[",
    "nfl",
    "",
    "/" + "a" * 1001,
    "/\x01",
]


@pytest.mark.parametrize("target", ELSEWHERE, ids=repr)
def test_form_never_leads_to_another_site(visitor, target):
    answer = save(visitor, next=target)
    assert (answer.status_code, answer.location) == (303, "/")
    page = visitor.get("/preferences", query_string={"next": target})
    assert 'name="next" value="/"' in page.text


@pytest.mark.parametrize("target", ["/nfl", "/nfl/games/401?reveal=401", "/search?q=new%20york"])
def test_form_leads_back_to_where_it_was_asked_for(visitor, target):
    assert save(visitor, next=target).location == target

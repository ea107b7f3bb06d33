"""What every answer is sent with, whom we answer to, and the flags of our cookies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.factory import create_app
from sportsapp.http.headers import LONGEST_ADDRESS
from tests.integration.events import event

pytestmark = pytest.mark.slow

VALUES = {
    "league_name": "nfl",
    "league": "nfl",
    "day_text": "2026-01-15",
    "espn_id": "401",
    "abbreviation": "ALP",
    "season": 2026,
    "season_type": 2,
    "week": 5,
    "path": "nothing",
    "table": "all",
    "filename": "style.css",
    "export_type": "csv",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
SELDOM = {"POST": 405, "PUT": 405, "PATCH": 405, "DELETE": 405, "TRACE": 405, "OPTIONS": 200}
OURS = {"Sec-Fetch-Site": "same-origin"}


def addresses(app: Flask) -> list[str]:
    """Every address of the site, with values for its variables."""
    found = []
    for rule in app.url_map.iter_rules():
        values = {name: VALUES.get(name, "x") for name in rule.arguments}
        found.append(rule.build(values, append_unknown=False)[1])
    return found


@pytest.fixture
def ask(synced, visitor: FlaskClient):
    """Asks a site that has a game."""
    synced("nfl", event("401"))
    return partial(visitor.open, buffered=True)


def check(answer: TestResponse) -> None:
    policy = answer.headers["Content-Security-Policy"]
    directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"].split()[0] == "'self'"
    assert "unsafe" not in directives["script-src"]
    assert directives["style-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"
    assert directives["base-uri"] == "'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert len(answer.headers.getlist("Content-Security-Policy")) == 1


@pytest.mark.parametrize("method", METHODS)
def test_every_answer_has_the_headers(app, ask, method):
    seen = set()
    for path in addresses(app):
        answer = ask(path, method=method)
        check(answer)
        seen.add(answer.status_code)
        assert answer.status_code < 500 or path == "/readyz", path  # nothing else runs here
    assert seen >= ({200, 302, 404} if method in ("GET", "HEAD") else {SELDOM[method]})


def test_public_pages_allow_no_script_but_our_files(app, ask):
    for path in addresses(app):
        if not path.startswith("/admin"):
            policy = ask(path).headers["Content-Security-Policy"]
            assert "script-src 'self';" in policy, path


def test_no_page_has_a_script_or_a_style_of_its_own(app, ask):
    for path in addresses(app):
        text = ask(path).data.decode(errors="replace")  # a picture is an address, too
        assert "<style" not in text
        assert "javascript:" not in text
        for part in text.split("<script")[1:]:
            assert " src=" in part.split(">")[0] or 'type="application/ld+json"' in part


def test_page_that_has_not_changed_has_the_headers(ask):
    etag = ask("/nfl").headers["ETag"]
    answer = ask("/nfl", headers={"If-None-Match": etag})
    assert answer.status_code == 304
    check(answer)


def test_failure_of_our_own_has_the_headers_and_tells_nothing(app, ask, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("a secret of the database")

    app.testing = False
    monkeypatch.setattr(queries, "league_summaries", fail)
    answer = ask("/")
    assert answer.status_code == 500
    assert "a secret" not in answer.text
    check(answer)


@pytest.mark.parametrize("path", ["/preferences", "/preferences/favourites", "/admin/sign-in"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_oversized_form_is_413(ask, path, kind):
    mark = "; boundary=x" if kind.startswith("multipart") else ""
    answer = ask(
        path, method="POST", data=b"a" * 300_000, headers={**OURS}, content_type=kind + mark
    )
    assert answer.status_code == 413
    check(answer)


def test_form_with_too_many_fields_is_413(ask):
    part = '--x\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n'
    body = (part * 1500 + "--x--\r\n").encode()
    kind = "multipart/form-data; boundary=x"
    answer = ask("/preferences", method="POST", data=body, headers=OURS, content_type=kind)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("base", "proto", "sent"),
    [
        ("http://localhost", None, False),
        ("https://localhost", None, True),
        ("http://localhost", "https", True),
        ("http://localhost", "HTTPS, http", True),
        ("http://localhost", "http", False),
        ("http://localhost", "http, https", False),
    ],
)
def test_browsers_are_held_to_https_once_they_came_by_it(app, ask, base, proto, sent):
    headers = {"X-Forwarded-Proto": proto} if proto else {}
    for path in ("/", "/nothing/here/at/all", "/api/v1/leagues", "/admin/", "/static/style.css"):
        answer = ask(path, base_url=base, headers=headers)
        hsts = answer.headers.get("Strict-Transport-Security", "")
        assert hsts.startswith("max-age=31536000") is sent, path


# ---------------------------------------------------------------- whom we answer to


@pytest.fixture
def named(app: Flask, settings) -> Iterator[Flask]:
    """The site under a name of its own."""
    site = create_app(replace(settings, trusted_hosts=("scores.example", ".example.org")))
    site.testing = True
    yield site
    with site.app_context():
        db.engine.dispose()


def host_of(site: Flask, host: str, path: str = "/healthz", method: str = "GET") -> TestResponse:
    return site.test_client(use_cookies=False).open(path, method=method, headers={"Host": host})


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "scores.example.evil.example",
        "xscores.example",
        "scores.example:80:81",
        "scores.example/",
        "scores.example@evil.example",
        "evil.example?scores.example",
        "a b",
        "<b>",
        "[::2]",
        "..",
        "",
        "scores.example,evil.example",
    ],
)
def test_unknown_host_gets_400(named, host):
    answer = host_of(named, host)
    assert answer.status_code == 400
    assert host not in answer.text or len(host) < 3
    check(answer)


@pytest.mark.parametrize(
    "host",
    ["<b>", "a b", '"', "a/b", "a@b", "a?b", "[::1", "a:b", "a,b", "a..b", "x" * 64, "x." * 40],
)
def test_what_is_no_hosts_name_gets_400_though_its_domain_is_ours(named, host):
    assert host_of(named, f"{host}.example.org").status_code == 400
    assert host_of(named, "any.example.org:81").status_code == 200


@pytest.mark.parametrize("method", METHODS)
def test_unknown_host_gets_400_on_every_address(named, method):
    found = {path: host_of(named, "evil.example", path, method) for path in addresses(named)}
    wrong = {path: got.status_code for path, got in found.items() if got.status_code != 400}
    assert wrong == {}
    assert len(found) > 60  # the panel has only the views that it uses


@pytest.mark.parametrize(
    "host",
    ["scores.example", "scores.example:8443", "a.example.org", "localhost", "127.0.0.1:5000"],
)
def test_known_host_is_answered(named, host):
    assert host_of(named, host).status_code == 200


def test_forwarded_host_counts_for_nothing(named):
    headers = {"Host": "scores.example", "X-Forwarded-Host": "evil.example"}
    answer = named.test_client().get("/preferences", headers=headers)
    assert answer.status_code == 200
    assert "evil.example" not in answer.text
    answer = named.test_client().get(
        "/healthz", headers={"Host": "evil.example", "X-Forwarded-Host": "scores.example"}
    )
    assert answer.status_code == 400


def test_api_refuses_an_unknown_host_in_its_own_shape(named):
    answer = host_of(named, "evil.example", "/api/v1/leagues")
    assert answer.json["error"]["code"] == "bad_request"


# ---------------------------------------------------------------- cookies


@pytest.mark.parametrize(
    ("headers", "secure"), [({}, False), ({"X-Forwarded-Proto": "https"}, True)]
)
def test_preference_cookies_are_for_this_site_and_no_script(ask, headers, secure):
    form = {"zone": "Europe/Berlin", "scores": "hide"}
    came = {**OURS, **headers}
    set_ = ask("/preferences", method="POST", data=form, headers=came)
    liked = ask(
        "/preferences/favourites",
        method="POST",
        data={"team": "nfl-1", "action": "add"},
        headers=came,
    )
    back = {"Cookie": "zone=Europe/Berlin; scores=hide", **came}
    default = {"zone": "America/New_York", "scores": "show"}
    gone = ask("/preferences", method="POST", data=default, headers=back)
    cookies = [
        one for answer in (set_, liked, gone) for one in answer.headers.getlist("Set-Cookie")
    ]
    assert len(cookies) == 5
    for cookie in cookies:
        flags = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/"} <= flags
        assert ("secure" in flags) is secure
        assert not any(flag.startswith("domain") for flag in flags)


@pytest.mark.parametrize("address", ["/nfl?q={}", "/nfl/{}", "/admin/{}", "/api/v1/{}"])
def test_address_that_is_too_long_gets_414(visitor, address):
    answer = visitor.get(address.format("x" * LONGEST_ADDRESS))
    assert answer.status_code == 414
    assert len(answer.text) < LONGEST_ADDRESS

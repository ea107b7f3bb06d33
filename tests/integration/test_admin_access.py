"""Access to the panel: signed-in admins only, and no form without a CSRF token."""

from __future__ import annotations

import pytest

from tests.panel import PanelVisitor, add_failure, add_league, signed_in

pytestmark = pytest.mark.slow

SECRETS = ("it broke", "sync_daily_schedule", "maria", "Traceback")
PUBLIC = "panel.sign_in"


def panel_rules(app):
    """Every address of the panel, with made-up values for its variables."""
    for rule in app.url_map.iter_rules():
        if rule.rule == "/admin" or rule.rule.startswith("/admin/"):
            values = {name: "csv" if name == "export_type" else "x" for name in rule.arguments}
            yield rule, rule.build(values, append_unknown=False)[1]


@pytest.fixture
def stranger(app):
    """A visitor without an account, at a panel with data in it."""
    signed_in(app)
    add_failure()
    add_league()
    return PanelVisitor(app.test_client())


def test_there_are_addresses_to_try(app):
    assert len(list(panel_rules(app))) > 30


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"])
def test_stranger_gets_the_sign_in_page_or_403(app, stranger, method):
    for rule, path in panel_rules(app):
        if rule.endpoint == PUBLIC:
            continue
        answer = stranger.open(path, method)
        where = answer.headers.get("Location", "")
        sent_to_sign_in = answer.status_code == 302 and where.startswith("/admin/sign-in?")
        assert sent_to_sign_in or answer.status_code == 403, f"{method} {path}"
        assert sent_to_sign_in == (method in ("GET", "HEAD"))
        assert not any(secret in answer.text for secret in SECRETS)


@pytest.mark.parametrize("path", ["/admin", "/admin/nothing", "/admin/static/x.css", "/admin/runs"])
def test_stranger_learns_nothing_about_other_addresses_either(stranger, path):
    assert stranger.open(path).headers["Location"].startswith("/admin/sign-in?next=")


def test_stranger_with_a_token_is_still_a_stranger(stranger):
    form = {"csrf_token": stranger.token(), "task": "sync_all_teams"}
    assert stranger.open("/admin/schedule/run", "POST", data=form).status_code == 403


def test_post_without_a_token_is_refused_everywhere(app, panel):
    tried = 0
    for rule, path in panel_rules(app):
        if "POST" in rule.methods:
            answer = panel.open(path, "POST", data={"sure": "yes"})
            assert answer.status_code == 400, path
            assert "expired" in answer.text
            tried += 1
    assert tried >= 15


def test_sign_in_without_a_token_is_refused(app):
    answer = PanelVisitor(app.test_client()).open("/admin/sign-in", "POST", data={"username": "x"})
    assert answer.status_code == 400


def test_another_sessions_token_is_refused(app, panel):
    other = PanelVisitor(app.test_client())
    form = {"csrf_token": other.token(), "task": "sync_all_teams"}
    assert panel.open("/admin/schedule/run", "POST", data=form).status_code == 400


def test_nothing_is_changed_by_asking_for_it(app, panel):
    """A view that changes something accepts no GET."""
    reads = {
        "index",
        "live",
        "index_view",
        "details_view",
        "day",
        "task",
        "export",
        "static",
        "sign_in",
        "own_password",
    }
    for rule, _ in panel_rules(app):
        if "GET" in rule.methods:
            assert rule.endpoint.rpartition(".")[2] in reads, rule.rule


@pytest.mark.parametrize("part", ["new/", "edit/?id=1", "delete/", "action/"])
@pytest.mark.parametrize("table", ["runs", "leagues", "teams", "players", "games"])
def test_tables_change_nothing(panel, table, part):
    add_league()
    method = "POST" if part in ("delete/", "action/") else "GET"
    form = {"csrf_token": panel.token("/admin/accounts/"), "id": "1", "action": "delete"}
    answer = panel.open(f"/admin/{table}/{part}", method, data=form)
    assert answer.status_code == 404
    assert "/admin/leagues/details/?id=1" in panel.get("/admin/leagues/")


def test_headers_of_the_panel(panel):
    answer = panel.open("/admin/")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/healthz", "/", "/nba", "/static/style.css", "/preferences"])
def test_public_pages_need_no_session_and_set_no_cookie(app, panel, path):
    add_league()
    for visitor in (PanelVisitor(app.test_client()), panel):
        answer = visitor.open(path)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
    if not path.startswith(("/nba", "/preferences")) and path != "/":
        assert "Cookie" not in answer.headers.get("Vary", "")


def test_session_cookie_is_for_the_panel_only(app, panel):
    (cookie,) = [known for known in panel.client._cookies.values() if known.key == "tracker_admin"]
    assert (cookie.path, cookie.http_only, cookie.same_site) == ("/admin", True, "Lax")


def test_preferences_take_forms_without_a_token(client):
    form = {"zone": "Europe/Berlin", "next": "/"}
    ours = client.post("/preferences", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    theirs = client.post("/preferences", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert (ours.status_code, theirs.status_code) == (303, 403)

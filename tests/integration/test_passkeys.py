"""Passkeys: registered after one's own password, sign in once for each challenge."""

from __future__ import annotations

import json
import logging
import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from sportsapp.accounts import accounts, passkeys
from sportsapp.core import clock
from sportsapp.db.engine import db
from sportsapp.db.models import Activity, Passkey
from sportsapp.http import limits
from tests.authenticator import PRESENT, Device
from tests.panel import NAME, PASSWORD, PanelVisitor, messages_of, signed_in

pytestmark = pytest.mark.slow

OWN = "/admin/account/"
SIGN_IN = "/admin/sign-in"
OTHER = "another long pass phrase"
OPTIONS = re.compile(r'data-options="([^"]+)"')


def options_in(page: str) -> dict[str, Any]:
    return json.loads(unescape(OPTIONS.search(page)[1]))


def add(panel: PanelVisitor, device: Device, name: str = "phone") -> str:
    """Register the device; the messages of the page that follows."""
    page = panel.post(f"{OWN}passkey", name=name)
    assert page.status_code == 200, messages_of(panel.get(OWN))
    answer = device.create(options_in(page.text))
    assert panel.post(f"{OWN}add-passkey", name=name, credential=answer).status_code == 303
    return messages_of(panel.get(OWN))


def use(visitor: PanelVisitor, device: Device, **more: str):
    """Sign in with the device; the answer."""
    form = {"csrf_token": visitor.token(), "credential": ""}
    form["credential"] = device.get(options_in(visitor.get(SIGN_IN)))
    return visitor.open(SIGN_IN, "POST", data={**form, **more})


@pytest.fixture
def phone(panel) -> Device:
    """A device that is registered for maria."""
    device = Device()
    assert add(panel, device) == "the passkey phone was added"
    return device


@pytest.fixture
def stranger(app) -> PanelVisitor:
    """A browser that is not signed in."""
    return PanelVisitor(app.test_client())


def stored() -> Passkey:
    db.session.rollback()
    return db.session.scalars(select(Passkey)).one()


def is_in(visitor: PanelVisitor) -> bool:
    return visitor.open("/admin/").status_code == 200


def test_passkey_signs_in_and_is_listed(panel, phone, stranger):
    answer = use(stranger, phone, next="/admin/runs/?state=failed")
    assert (answer.status_code, answer.location) == (303, "/admin/runs/?state=failed")
    assert is_in(stranger)
    page = stranger.get(OWN)
    assert "You are signed in as maria" in page
    assert re.search(r'<th scope="row">phone</th>\s*<td data-l="For">localhost</td>', page)
    assert stored().last_used_at
    rows = db.session.execute(select(Activity.action, Activity.subject, Activity.detail)).all()
    assert ("sign-in", "", "with a passkey") in [tuple(row) for row in rows]
    assert ("account add-passkey", "phone", "the passkey phone was added") in map(tuple, rows)


def test_password_stays_possible(panel, phone, stranger):
    assert stranger.sign_in().status_code == 303


def test_registration_needs_ones_own_password(panel):
    answer = panel.post(f"{OWN}passkey", name="phone", your_password="wrong")
    assert answer.status_code == 303
    assert "your password was wrong" in messages_of(panel.get(OWN))
    device = Device()
    forged = device.create({"user": {"id": "x"}, "challenge": "AAAA"})
    panel.post(f"{OWN}add-passkey", name="phone", credential=forged)
    assert "too old for a passkey" in messages_of(panel.get(OWN))
    assert passkeys.passkeys_of(NAME) == []


def test_challenge_of_the_sign_in_page_registers_nothing(app, panel):
    """Whoever has a copy of a session could else get one without the password."""
    stranger = PanelVisitor(app.test_client())
    options = options_in(stranger.get(SIGN_IN))
    with stranger.client.session_transaction("/admin/") as session:
        sent = session[passkeys.GET]
    with panel.client.session_transaction("/admin/") as session:
        session[passkeys.GET] = sent
    answer = Device().create({"user": {"id": "x"}, **options})
    panel.post(f"{OWN}add-passkey", name="phone", credential=answer)
    assert "too old" in messages_of(panel.get(OWN))
    assert passkeys.passkeys_of(NAME) == []


@pytest.mark.parametrize("counts", [True, False], ids=["counts", "does not count"])
def test_answer_is_good_once(app, panel, stranger, counts):
    """Also with a copy of the session's cookie, which holds the challenge."""
    device = Device(counts=counts)
    add(panel, device)
    form = {"csrf_token": stranger.token()}
    form["credential"] = device.get(options_in(stranger.get(SIGN_IN)))
    cookie = stranger.client.get_cookie("tracker_admin", path="/admin").value
    assert stranger.open(SIGN_IN, "POST", data=form).status_code == 303
    thief = PanelVisitor(app.test_client())
    thief.client.set_cookie("tracker_admin", cookie, path="/admin")
    assert thief.open(SIGN_IN, "POST", data=form).status_code == 401
    assert not is_in(thief)
    assert use(thief, device).status_code == 303  # with a challenge of its own


def test_challenge_is_gone_after_an_attempt(phone, stranger):
    form = {"csrf_token": stranger.token(), "credential": "{}"}
    options = options_in(stranger.get(SIGN_IN))
    assert stranger.open(SIGN_IN, "POST", data=form).status_code == 401
    form["credential"] = phone.get(options)
    assert stranger.open(SIGN_IN, "POST", data=form).status_code == 401
    assert not is_in(stranger)


def test_old_page_says_so(phone, stranger, monkeypatch):
    form = {"csrf_token": stranger.token()}
    form["credential"] = phone.get(options_in(stranger.get(SIGN_IN)))
    later = clock.utc_now() + passkeys.CHALLENGE_LIFETIME + timedelta(seconds=1)
    monkeypatch.setattr(passkeys, "utc_now", lambda: later)
    answer = stranger.open(SIGN_IN, "POST", data=form)
    assert (answer.status_code, "too old" in messages_of(answer.text)) == (400, True)
    assert options_in(answer.text)["challenge"]


WRONG = [
    {"origin": "http://evil.localhost"},
    {"origin": "http://localhost:81"},
    {"origin": "https://localhost"},
    {"host": "evil.localhost"},
    {"flags": PRESENT},  # its user was not verified
    {"flags": 4},  # nobody was there
    {"handle": "AAAA"},
    {"credential": b"unknown"},
    {"key": Device().key},
    {"count": -1},  # a copy of the device, which has counted less
]


@pytest.mark.parametrize("change", WRONG, ids=lambda change: "-".join(change))
def test_wrong_answer_stays_out_and_is_recorded(panel, phone, stranger, change):
    for name, value in change.items():
        setattr(phone, name, value)
    answer = use(stranger, phone)
    assert answer.status_code == 401
    assert "This passkey opens no account here." in messages_of(answer.text)
    assert not is_in(stranger)
    db.session.rollback()
    refused = db.session.scalars(
        select(Activity.subject).where(Activity.action == "sign-in refused")
    ).one()
    known = "credential" not in change and "handle" not in change
    assert refused == (NAME if known else "unknown passkey")


@pytest.mark.parametrize(
    "change", [{"origin": "http://evil.localhost"}, {"host": "evil"}, {"flags": PRESENT}]
)
def test_wrong_passkey_is_not_registered(panel, change):
    assert add(panel, Device(**change)) == "the passkey was not accepted: try again"
    assert passkeys.passkeys_of(NAME) == []


@pytest.mark.parametrize(
    "answer",
    [
        *("", "x", "[]", "{}", "null", "1", "[" * 9000, '{"id": 1}', '{"id": "\\u0000"}'),
        '{"id": "x", "response": 3}',
        '{"id": "x", "rawId": "x", "type": "x", "response": {"userHandle": []}}',
    ],
)
def test_nonsense_is_refused(panel, phone, stranger, answer):
    form = {"csrf_token": stranger.token(), "credential": answer}
    assert stranger.open(SIGN_IN, "POST", data=form).status_code in (400, 401)
    panel.post(f"{OWN}passkey", name="phone")
    assert panel.post(f"{OWN}add-passkey", name="x", credential=answer).status_code == 303
    assert "not accepted" in messages_of(panel.get(OWN))


def test_nonsense_inside_a_known_passkeys_answer_is_refused(app, phone):
    """Each part of an answer cut, emptied or made a number: no answer is an error of ours."""
    for path in (
        "rawId",
        "type",
        "response.clientDataJSON",
        "response.authenticatorData",
        "response.signature",
    ):
        for value in ("", "AAAA", "!", 7, None, "x" * 3000):
            stranger = PanelVisitor(app.test_client())
            form = {"csrf_token": stranger.token()}
            answer = json.loads(phone.get(options_in(stranger.get(SIGN_IN))))
            inner = answer["response"] if "." in path else answer
            inner[path.rpartition(".")[2]] = value
            form["credential"] = json.dumps(answer)
            status = stranger.open(SIGN_IN, "POST", data=form).status_code
            assert status in (401, 429), (path, value)


def test_failures_delay_like_those_of_passwords(panel, phone, stranger, monkeypatch):
    monkeypatch.setattr(limits, "DELAYS", (60,))
    good, phone.flags = phone.flags, PRESENT
    assert [use(stranger, phone).status_code for _ in range(7)] == [401] * 6 + [429]
    phone.flags = good
    assert use(stranger, phone).status_code == 429
    assert stranger.sign_in().status_code == 429


def test_deactivated_account_stays_out(app, panel, phone, stranger):
    accounts.add_account("ben", PASSWORD)
    accounts.deactivate(NAME)
    assert use(stranger, phone).status_code == 401
    accounts.activate(NAME)
    assert use(stranger, phone).status_code == 303


def test_own_new_password_keeps_passkeys_and_somebody_elses_removes_them(
    app, panel, phone, stranger, runner
):
    panel.post(f"{OWN}password", username=NAME, password=OTHER)
    assert len(passkeys.passkeys_of(NAME)) == 1
    ben = signed_in(app, "ben")
    message = ben.message_after("/admin/accounts/password", username=NAME, password=PASSWORD)
    assert "its sessions and passkeys have ended" in message
    assert use(stranger, phone).status_code == 401
    again = PanelVisitor(app.test_client())
    again.sign_in()
    add(again, Device())
    assert len(passkeys.passkeys_of(NAME)) == 1
    runner.invoke(args=["admin", "password", NAME, "--generate"])
    db.session.rollback()
    assert passkeys.passkeys_of(NAME) == []


def test_passkey_is_removed_by_its_owner_alone(app, panel, phone, stranger):
    ben = signed_in(app, "ben")
    number = stored().id
    ben.post(f"{OWN}remove-passkey", passkey=number, sure="yes")
    assert "no such passkey of yours" in messages_of(ben.get(OWN))
    asked = panel.post(f"{OWN}remove-passkey", passkey=number)
    assert "Remove this passkey?" in asked.text
    panel.post(f"{OWN}remove-passkey", passkey=number, sure="yes")
    assert "the passkey phone was removed" in messages_of(panel.get(OWN))
    assert use(stranger, phone).status_code == 401


def test_viewer_has_passkeys_too(app, panel, stranger):
    accounts.add_account("vera", PASSWORD, "viewer")
    vera, device = PanelVisitor(app.test_client()), Device()
    vera.sign_in("vera")
    assert add(vera, device) == "the passkey phone was added"
    assert use(stranger, device).status_code == 303
    assert stranger.post("/admin/schedule/run", task="sync_all_teams").status_code == 403


def test_device_is_told_what_it_has_already_and_is_not_registered_twice(app, panel, phone):
    page = panel.post(f"{OWN}passkey", name="again")
    options = options_in(page.text)
    assert [each["id"] for each in options["excludeCredentials"]] == [stored().credential_id]
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    panel.post(f"{OWN}add-passkey", name="again", credential=phone.create(options))
    assert "is registered already" in messages_of(panel.get(OWN))
    ben = signed_in(app, "ben")
    theirs = options_in(ben.post(f"{OWN}passkey", name="phone").text)
    assert theirs["user"]["id"] != options["user"]["id"]
    assert theirs["excludeCredentials"] == []


@pytest.mark.parametrize("name", ["", "x" * 61, "a\x01b"])
def test_odd_names_are_refused_before_the_device_is_asked(panel, name):
    assert panel.post(f"{OWN}passkey", name=name).status_code == 303
    assert "a name must have 1 to 60" in messages_of(panel.get(OWN))


def test_number_of_passkeys_is_limited(panel, monkeypatch):
    monkeypatch.setattr(passkeys, "MOST_PASSKEYS", 1)
    add(panel, Device())
    assert panel.post(f"{OWN}passkey", name="second").status_code == 303
    assert "at most 1 passkeys" in messages_of(panel.get(OWN))


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        ("http://localhost:5000", ""),
        ("http://nba.localhost:5000", ""),
        ("https://localhost", ""),
        (
            "http://127.0.0.1:5000",
            "Passkeys belong to a name, not to 127.0.0.1: open the panel at "
            "http://localhost:5000/admin/",
        ),
        ("http://[::1]", "not to ::1: open the panel at http://localhost/admin/"),
        ("https://127.0.0.1", "not to 127.0.0.1: open the panel at https://localhost/admin/"),
        ("http://scores.example.org", "Passkeys need HTTPS"),
        ("https://scores.example.org", ""),
        ("https://192.0.2.7", "not to 192.0.2.7: open the panel by its name, with HTTPS"),
    ],
)
def test_passkeys_are_offered_where_browsers_use_them_and_the_page_says_where_not(
    app, base, reason
):
    hosts = app.config["SITE_HOSTS"] | {"scores.example.org", "192.0.2.7"}
    app.config["SITE_HOSTS"] = hosts
    visitor = PanelVisitor(app.test_client())
    page = visitor.open(SIGN_IN, base_url=base).text
    assert reason in unescape(page)
    assert ("Sign in with a passkey" in page) is not bool(reason)
    if reason:
        form = {"csrf_token": re.search(r'csrf_token" value="([^"]+)', page)[1], "credential": "{}"}
        answer = visitor.open(SIGN_IN, "POST", data=form, base_url=base)
        assert (answer.status_code, reason in unescape(answer.text)) == (400, True)


def test_passkey_behind_https(app, panel):
    """The scheme is the visitor's, the host the site's: what a proxy passes on."""
    app.config["SITE_HOSTS"] |= {"scores.example.org"}
    more = {"base_url": "http://scores.example.org", "headers": {"X-Forwarded-Proto": "https"}}
    device = Device(origin="https://scores.example.org", host="scores.example.org")
    visitor = PanelVisitor(app.test_client())

    def send(path: str, page: str, **form: str):
        token = re.search(r'csrf_token" value="([^"]+)', page)[1]
        return visitor.open(path, "POST", data={"csrf_token": token, **form}, **more)

    first = visitor.open(SIGN_IN, **more).text
    assert send(SIGN_IN, first, username=NAME, password=PASSWORD).status_code == 303
    own = visitor.open(OWN, **more).text
    page = send(f"{OWN}passkey", own, name="phone", your_password=PASSWORD).text
    answer = device.create(options_in(page))
    send(f"{OWN}add-passkey", page, name="phone", credential=answer)
    assert stored().host == "scores.example.org"
    send("/admin/sign-out", own)
    again = visitor.open(SIGN_IN, **more).text
    answer = device.get(options_in(again))
    assert send(SIGN_IN, again, credential=answer).status_code == 303


def test_nothing_secret_is_logged_or_recorded(panel, phone, stranger, caplog):
    caplog.set_level(logging.DEBUG)
    phone.flags = PRESENT
    options = options_in(stranger.get(SIGN_IN))
    use(stranger, phone)
    with stranger.client.session_transaction("/admin/") as session:
        challenge = session[passkeys.GET][0]
    assert "a passkey was refused" in caplog.text
    texts = caplog.text + str(db.session.execute(select(Activity.__table__)).all())
    assert not any(secret in texts for secret in (challenge, options["challenge"], PASSWORD))
    assert datetime.fromisoformat(session[passkeys.GET][1])


def test_page_for_a_new_passkey_is_good_for_one_attempt(panel):
    options = options_in(panel.post(f"{OWN}passkey", name="phone").text)
    for device, fault in ((Device(flags=PRESENT), "not accepted"), (Device(), "was too old")):
        answer = device.create(options)
        panel.post(f"{OWN}add-passkey", name="phone", credential=answer)
        assert fault in messages_of(panel.get(OWN))
    assert passkeys.passkeys_of(NAME) == []

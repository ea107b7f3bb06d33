"""No unlisted address in the panel, and no address of this site that leads to another one."""

from __future__ import annotations

import re

import pytest

from tests.integration.test_admin_access import panel_rules
from tests.integration.test_readme import REFERENCE, table
from tests.panel import NAME, PASSWORD, PanelVisitor

NAMES = ("url", "next", "back", "return_url")
ELSEWHERE = (
    "http:evil.example", "https://evil.example", "//evil.example", "///evil.example",
    "/admin//evil.example", "/admin/..//evil.example", "/\\evil.example", "/admin/\\evil.example",
    "\\\\evil.example", "/admin\n//x", "/admin\r\nSet-Cookie: a=b", "/admin\t//x",
    " //evil.example", "/admin/\x01", "/admin/\x7f", "/admin/\u2028x", "javascript:alert(1)",
    "evil.example",
)  # fmt: skip


def listed_addresses() -> set[str]:
    """The panel's addresses in docs/reference.md: those in its text, and those of each view."""
    part = REFERENCE.split("\n## The panel\n")[1].split("\n## ")[0]
    text = " ".join(line for line in part.splitlines() if not line.startswith("|"))
    listed = set(re.findall(r"`(/admin/[^`?]+)[^`]*`", text))
    for row in table("The panel"):
        bases, _, below = row[2].partition(";")
        for base in re.findall("`([^`]+)`", bases):
            listed |= {base, *(base + path for path in re.findall("`([^`]+)`", below))}
    return {address.replace("NAME", "x") for address in listed}


def test_every_address_of_the_panel_is_listed_and_no_other_is_registered(app):
    """Flask-Admin's ready-made views would add addresses that redirect to wherever ``url`` says."""
    registered = set()
    for rule, path in panel_rules(app):
        variants = ("csv", "json") if "export_type" in rule.arguments else ("",)
        registered |= {path.replace("/csv/", f"/{each}/") for each in variants}
    assert registered == listed_addresses()


@pytest.mark.parametrize("part", ["new", "edit", "details", "export", "action", "ajax/lookup"])
@pytest.mark.parametrize("target", ["http:evil.example", "/admin\n//x"])
def test_address_of_a_ready_made_view_is_not_found(panel, part, target):
    answer = panel.open(f"/admin/teams/{part}/", query_string={"url": target, "id": "x"})
    assert (answer.status_code, answer.location) == (404, None)


@pytest.mark.long
@pytest.mark.parametrize("target", ELSEWHERE, ids=repr)
def test_no_address_leads_to_another_site(app, panel, target):
    """Every GET of the site, and every form that leads back: a redirect stays where it should."""
    asked = dict.fromkeys(NAMES, target)
    paths = [path for rule, path in panel_rules(app) if "GET" in rule.methods]
    for path in (*paths, "/", "/live", "/search", "/preferences", "/api/v1/"):
        answer = panel.open(path, query_string=asked)
        assert answer.status_code < 500, path
        assert answer.location is None or re.match("/(?!/)", answer.location), path
        assert "evil.example" not in (answer.location or "").partition("?")[0], path
    stranger = PanelVisitor(app.test_client())
    form = {"username": NAME, "password": PASSWORD, "csrf_token": stranger.token(), **asked}
    ends = [
        panel.post("/admin/accounts/add", username="", **asked),
        stranger.open("/admin/sign-in", "POST", data=form),
        stranger.open(
            "/preferences",
            "POST",
            data={"zone": "Europe/Berlin", **asked},
            headers={"Sec-Fetch-Site": "same-origin"},
        ),
    ]
    assert [end.location for end in ends] == ["/admin/", "/admin/", "/"]

"""README and docs/reference.md list what the code has: settings, addresses, tasks, commands."""

from __future__ import annotations

import json
import re
from dataclasses import fields

import pytest

from sportsapp.core.settings import PROJECT_ROOT, Settings, environment_name
from sportsapp.queue.huey import QUEUES

README = (PROJECT_ROOT / "README.md").read_text()
OPERATING = (PROJECT_ROOT / "docs" / "operating.md").read_text()
REFERENCE = (PROJECT_ROOT / "docs" / "reference.md").read_text()
WORDS = 1000  # two screens and a table


def table(heading: str, page: str = REFERENCE) -> list[list[str]]:
    """The rows of the first table under a heading, without its head."""
    part = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_every_setting_is_listed_with_its_default_and_meaning():
    expected = [
        [environment_name(one.name), one.metadata["shown"], one.metadata["meaning"]]
        for one in fields(Settings)
    ]
    assert table("Settings") == expected


def test_every_task_is_listed_with_its_retries_and_time_limit():
    listed = {re.match(r"`(\w+)", row[0])[1]: row for row in table("Tasks")}
    classes = [task for queue in QUEUES for task in queue.tasks.values()]
    assert {one.__name__ for one in classes} == set(listed)
    for one in classes:
        minutes, delay = one.default_timeout // 60, one.default_retry_delay
        shown = f"{delay} s" if delay <= 60 else f"{delay // 60} min"
        row = listed[one.__name__]
        assert row[2] == f"{one.default_retries}, {shown}"
        assert row[3] == f"{minutes} min"


def test_every_sync_command_is_listed(app):
    listed = " ".join(row[0] for row in table("Commands"))
    for name in app.cli.commands["sync"].commands:
        assert re.search(rf"\b{name}\b", listed), name


def test_every_command_for_tasks_is_listed(app):
    listed = " ".join(row[0] for row in table("Commands"))
    for name in app.cli.commands["tasks"].commands:
        assert f"`flask tasks {name}" in listed, name


def test_every_command_for_accounts_is_listed(app):
    listed = " ".join(row[0] for row in table("Commands"))
    for name in app.cli.commands["admin"].commands:
        assert f"`flask admin {name}" in listed, name


def test_every_command_for_subscriptions_is_listed(app):
    listed = " ".join(row[0] for row in table("Commands"))
    for name in app.cli.commands["notify"].commands:
        assert f"`flask notify {name}" in listed, name


def test_every_view_of_the_panel_is_listed(panel):
    pages = "".join(panel.get(f"/admin/{group}") for group in ("leagues/", "accounts/"))
    menu = re.findall(r'<a[^>]* href="/admin/[^"]*"[^>]*>([^<]+)</a>', pages)
    listed = {name for row in table("The panel") for name in row[0].split(", ")}
    assert listed <= set(menu)
    assert {row[0] for row in table("The panel")} != set()


def test_troubleshooting_follows_the_doctor(runner):
    done = runner.invoke(args=["doctor", "--json"])
    order = [check["name"] for check in json.loads(done.stdout)["checks"]]
    section = OPERATING.split("## What flask doctor checks")[1].split("What the six say")[0]
    shown = [name for name in re.findall(r"^\| ([a-z]+) \|", section, re.M) if name != "check"]
    assert shown == list(dict.fromkeys(order))


def addresses() -> list[str]:
    return re.findall(r"`(/[^`]*)`", "\n".join(row[0] for row in table("Addresses")))


def test_every_page_is_listed(app):
    """Each rule that is asked with GET is what some listed address leads to."""
    map_ = app.url_map.bind("localhost")
    listed = {map_.match(address.split("?")[0])[0] for address in addresses()}
    pages = {
        rule.endpoint for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and not rule.endpoint.startswith(("admin", "panel", "static"))
    }  # fmt: skip
    assert pages - listed == {"api.unknown"}


@pytest.mark.parametrize("address", addresses())
def test_every_address_has_a_page(app, address):
    endpoint, _ = app.url_map.bind("localhost").match(address.split("?")[0])
    assert endpoint != "api.unknown"
    assert endpoint != "scores.league_day" or address.count("/") == 2


def test_every_file_that_is_linked_exists():
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", README) + re.findall(r'src="([^"]+)"', README)
    for target in targets:
        assert (PROJECT_ROOT / target).exists(), target


def test_readme_lists_the_syncs_as_the_reference_does():
    names = [re.match(r"`(\w+)", row[0])[1] for row in table("Tasks")]
    assert [row[0].strip("`") for row in table("Tasks", README)] == names[:-1]
    assert names[-1] == "send_alert"


def test_readme_is_short():
    assert len(README.split()) <= WORDS

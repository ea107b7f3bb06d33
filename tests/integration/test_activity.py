"""The activity log: what people change in the panel and by commands, who, when, and from where."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import click
import pytest
from sqlalchemy import select, update

from sportsapp.accounts import accounts, activity
from sportsapp.accounts.activity import record_activity
from sportsapp.admin import signin
from sportsapp.admin.view import form_action
from sportsapp.commands import shell
from sportsapp.commands.shell import recorded
from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import Activity, RunState, ScheduleRow, Via
from sportsapp.http import limits
from sportsapp.queue.huey import huey
from sportsapp.tasks import sync_all_live_games
from tests.integration.test_admin_access import panel_rules
from tests.panel import NAME, PASSWORD, PanelVisitor, add_run, change, counted, signed_in

PAGE = "/admin/activity/"
OTHER = "another long pass phrase"
BY_THEMSELVES = {  # they write their own rows
    "panel.sign_in",
    "panel.sign_out",
    "panel.own_password",
    "admin_backfill.index",
    "admin_account.passkey",  # a page; what the device makes is stored by the next form
}
READING = {  # commands that change nothing, or whose runs are rows of the ledger
    *(
        "audit",
        "sync",
        "sync all",
        "sync day",
        "sync finals",
        "sync game",
        "sync leagues",
        "sync live",
        "sync range",
    ),
    "scores",
    "sync missing",
    *("sync schedule", "sync teams"),
    *("tasks active", "tasks registered", "tasks runs", "tasks scheduled", "tasks show"),
    *(
        "alerts test",
        "notify list",
        "tasks logs",
        "tasks stats",
        "tasks top",
        "tasks wait",
        "admin list",
        "doctor",
        "settings",
        "limiter",
        "routes",
    ),
    *("db-copy", "prepare", "serve", "up", "broker", "shell", "run"),
}


@pytest.fixture(autouse=True)
def shell_user(monkeypatch) -> None:
    """Commands are root's, on the host "box"."""
    monkeypatch.setattr(shell, "user_name", lambda: "root")
    monkeypatch.setattr(activity.socket, "gethostname", lambda: "box")


def rows() -> list[tuple[str, ...]]:
    """Who did what to what, from where, oldest first; without sign-ins."""
    db.session.rollback()
    found = db.session.scalars(select(Activity).order_by(Activity.id))
    return [
        (row.who, row.address, row.via, row.action, row.subject)
        for row in found
        if row.action != "sign-in"
    ]


def test_what_an_admin_does_is_recorded_with_account_and_address(panel):
    run_id = add_run(state=RunState.PENDING)
    panel.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    panel.post("/admin/runs/cancel", id=run_id)  # asks first
    assert rows() == []
    panel.post("/admin/runs/cancel", id=run_id, sure="yes")
    panel.post("/admin/schedule/pause", task="sync_all_teams", sure="yes")
    panel.post("/admin/backfill/", league="nba", start="2026-01-01", end="2026-01-02")
    panel.post("/admin/sign-out")
    where = (NAME, "203.0.113.9", "panel")
    assert rows() == [
        (*where, "runs cancel", run_id),
        (*where, "schedule pause", "sync_all_teams"),
        (*where, "backfill queue", "nba 2026-01-01 2026-01-02"),
        (*where, "sign-out", ""),
    ]
    details = db.session.scalars(select(Activity.detail).order_by(Activity.id)).all()
    assert details[1] == f"run {run_id} cancelled before it began"
    assert details[3].startswith("queued 1 backfills: ")


def test_what_was_refused_is_no_activity(panel):
    panel.post("/admin/runs/cancel", id="nothing", sure="yes")
    panel.post("/admin/accounts/add", username="anna", password=OTHER, your_password="wrong")
    panel.post("/admin/backfill/", league="nba", start="2026-01-02", end="2026-01-01")
    assert rows() == []


def is_decorated(function: Callable[..., Any], by: Callable[..., Any]) -> bool:
    """Whether a function, or one that it wraps, is made by this decorator."""
    layers = [function]
    while hasattr(layers[-1], "__wrapped__"):
        layers.append(layers[-1].__wrapped__)
    inside = f"{by.__qualname__}.<locals>."
    return any(layer.__code__.co_qualname.startswith(inside) for layer in layers)


def test_every_form_of_the_panel_is_recorded(app):
    """A view changes something by ``form_action``, or writes a row of its own."""
    forms = {rule.endpoint for rule, _ in panel_rules(app) if "POST" in rule.methods}
    assert len(forms) > 15
    for endpoint in forms - BY_THEMSELVES:
        assert is_decorated(app.view_functions[endpoint], form_action), endpoint


def leaves(group: click.Group, name: str = "") -> Iterator[tuple[str, click.Command]]:
    for word, command in group.commands.items():
        path = f"{name} {word}".strip()
        yield path, command
        if isinstance(command, click.Group) and path != "db":
            yield from leaves(command, path)


def test_every_command_that_changes_something_is_recorded(app):
    known = dict(leaves(app.cli))
    groups = {"tasks", "admin", "alerts", "notify", "db"}
    written = {
        name for name, one in known.items()
        if name not in groups and is_decorated(one.callback, recorded)
    }  # fmt: skip
    assert set(known) - written - READING - groups == {"restore"}  # it writes into the backup
    assert {"tasks cancel", "tasks pause", "admin create"} <= written


def test_what_a_command_does_is_recorded_with_user_and_host(offline, runner):
    first = sync_all_live_games().id
    failed = add_run("sync_all_leagues", RunState.FAILURE)
    calls = [
        ["tasks", "pause", "sync_all_teams"],
        ["tasks", "resume", "sync_all_teams", "--json"],
        ["tasks", "cancel", first],
        ["tasks", "retry", failed],
        ["tasks", "purge", "--yes"],
        ["sync", "range", "NBA", "2026-01-01", "2026-01-02", "--queue"],
        ["sync", "--queue"],
        ["audit", "NBA", "--queue"],
        ["admin", "create", "anna", "--password", OTHER],
        ["admin", "password", "anna", "--generate"],
        ["admin", "create", "ben", "--password", OTHER],
        ["admin", "deactivate", "anna"],
        ["admin", "activate", "anna"],
    ]
    for words in calls:
        done = runner.invoke(args=words)
        assert done.exit_code == 0, done.output
    where = ("root", "box", "command")
    assert rows() == [
        (*where, "tasks pause", "sync_all_teams"),
        (*where, "tasks resume", "sync_all_teams"),
        (*where, "tasks cancel", first),
        (*where, "tasks retry", failed),
        (*where, "tasks purge", ""),
        (*where, "sync range", "NBA 2026-01-01 2026-01-02"),
        (*where, "sync", ""),
        (*where, "audit", "NBA"),
        (*where, "admin create", "anna"),
        (*where, "admin password", "anna"),
        (*where, "admin create", "ben"),
        (*where, "admin deactivate", "anna"),
        (*where, "admin activate", "anna"),
    ]
    outcomes = dict(db.session.execute(select(Activity.action, Activity.detail)).all())
    assert outcomes["tasks purge"] == "1 run dropped"
    assert outcomes["tasks cancel"] == "sync_all_live_games cancelled before it began"


@pytest.mark.parametrize(
    "words",
    [
        ["tasks", "cancel", "nothing"],
        ["tasks", "pause", "nothing"],
        ["tasks", "purge"],  # nobody confirms
        ["tasks", "runs"],
        ["admin", "create", "anna", "--password", "short"],
        ["admin", "list"],
    ],
)
def test_command_that_changed_nothing_is_not_recorded(offline, runner, words):
    runner.invoke(args=words)
    assert rows() == []


def test_run_that_has_ended_is_not_cancelled_by_anybody(offline, runner):
    ended = sync_all_live_games().id
    change(ended, state=RunState.SUCCESS)
    assert runner.invoke(args=["tasks", "cancel", ended]).exit_code == 1
    assert rows() == []


def test_sign_ins_are_recorded_and_refused_ones_without_what_was_typed(app, panel):
    stranger = PanelVisitor(app.test_client())
    stranger.sign_in(password="not this one")
    stranger.sign_in("hunter2 in the wrong field", PASSWORD)
    db.session.rollback()
    seen = db.session.execute(select(Activity.who, Activity.action, Activity.subject)).all()
    unknown = signin.name_digest("hunter2 in the wrong field")
    assert [tuple(row) for row in seen] == [
        (NAME, "sign-in", ""),
        ("", "sign-in refused", NAME),
        ("", "sign-in refused", f"unknown name {unknown}"),
    ]


def test_refused_sign_ins_are_bounded_and_good_ones_are_not(app, panel, monkeypatch, caplog):
    monkeypatch.setattr(signin, "REFUSALS_A_DAY", 3)
    monkeypatch.setattr(limits, "DELAYS", (0,))
    stranger = PanelVisitor(app.test_client())
    for n in range(5):
        assert stranger.sign_in(f"name {n}", "wrong").status_code == 401
    assert len(rows()) == 3
    assert caplog.text.count("sign-in refused") == 5
    with write_connection() as connection:
        connection.execute(update(Activity).values(at=utc_now() - timedelta(hours=25)))
    stranger.sign_in("name 6", "wrong")
    assert len(rows()) == 4


def test_no_password_is_recorded(app, panel, runner, monkeypatch):
    passwords = ["first long phrase", "second long phrase", "third long phrase"]
    monkeypatch.setattr(accounts, "generate_password", lambda: passwords[2])
    panel.post("/admin/accounts/add", username="anna", password=passwords[0])
    panel.post("/admin/accounts/password", username="anna", password=passwords[1])
    runner.invoke(args=["admin", "create", "ben", "--password", passwords[2]])
    PanelVisitor(app.test_client()).sign_in("anna", passwords[1])
    db.session.rollback()
    stored = str([row._mapping for row in db.session.execute(select(Activity.__table__))])
    assert "accounts password" in stored
    assert not any(password in stored for password in [*passwords, PASSWORD])


def test_action_stands_and_is_logged_when_it_cannot_be_recorded(panel, runner, caplog):
    caplog.set_level(logging.WARNING)
    with write_connection() as connection:
        connection.exec_driver_sql("DROP TABLE activities")
    for task in ("sync_all_teams", "sync_all_leagues"):
        assert panel.post("/admin/schedule/pause", task=task, sure="yes").status_code == 303
    assert runner.invoke(args=["tasks", "pause", "sync_daily_schedule"]).exit_code == 0
    assert caplog.text.count("this activity was not recorded: ") == 3
    assert "maria schedule pause sync_all_teams" in caplog.text
    db.session.rollback()
    assert db.session.query(ScheduleRow).filter_by(paused=True).count() == 3


def test_page_filters_and_exports(panel, runner):
    runner.invoke(args=["tasks", "pause", "sync_all_teams"])
    panel.post("/admin/schedule/resume", task="sync_all_teams")
    record_activity("ben", Via.COMMAND, "tasks purge", detail="=1+1")
    with write_connection() as connection:
        old = {"at": utc_now() - timedelta(days=2)}
        connection.execute(update(Activity).where(Activity.who == "ben").values(old))

    def shown(query: str) -> int:
        return panel.get(f"{PAGE}?{query}").count('<th scope="row"')

    assert shown("") == 4
    assert shown("who=root") == 1
    assert shown("action=schedule+resume") == 1
    assert shown("via=command") == 2
    assert shown(f"day={utc_now():%Y-%m-%d}") == 3
    assert shown("search=all_teams") == 2
    assert shown("who=nobody") == 0
    assert '<option value="schedule resume">' in panel.get(PAGE)
    text = panel.open(f"{PAGE}export/csv/?who=ben").text
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["who"], row["action"], row["detail"]) == ("ben", "tasks purge", "'=1+1")
    record_activity("maria", Via.COMMAND, "tasks cancel", "a-run")
    assert '<a href="/admin/runs/details/?id=a-run">a-run</a>' in panel.get(PAGE)
    assert "?id=sync_all_teams" not in panel.get(PAGE)
    first = db.session.scalars(select(Activity.id).order_by(Activity.id)).first()
    assert "sign-in" in panel.get(f"{PAGE}details/?id={first}")


def test_page_costs_the_same_however_long_the_log_is(panel):
    def cost() -> int:
        with counted() as statements:
            panel.get(PAGE)
        return len(statements)

    few = cost()
    for _ in range(60):
        record_activity("root", Via.COMMAND, "tasks pause", "sync_all_teams")
    assert cost() == few


def test_activities_are_kept_for_a_year(offline):
    for age in (365, 367):
        record_activity("root", Via.COMMAND, "tasks pause", f"{age} days ago")
        with write_connection() as connection:
            mine = update(Activity).where(Activity.subject == f"{age} days ago")
            connection.execute(mine.values(at=utc_now() - timedelta(days=age)))
    huey.tracker.recover(huey)
    assert [row[-1] for row in rows()] == ["365 days ago"]


def test_long_and_odd_texts_are_cut_and_escaped(app, runner):
    record_activity("root", Via.COMMAND, "tasks pause", "x\n\udcff" + "y" * 500, "z" * 1000)
    db.session.rollback()
    row = db.session.scalars(select(Activity)).one()
    assert (len(row.subject), len(row.detail)) == (200, 500)
    assert row.subject.isprintable()


def test_second_admin_is_told_apart(app, panel):
    ben = signed_in(app, "ben")
    ben.post("/admin/schedule/resume", task="sync_all_teams")
    assert rows()[0][0] == "ben"

"""``flask sync``: the same syncs from a shell, here and now or through the queue.

Exit status: 0 all well, 1 something failed (the errors are on standard error), 2 misuse.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError, ProgrammingError

from sportsapp.commands.shell import FAILED, Bar, database_fault, fail, misuse, person
from sportsapp.core.clock import check_range, parse_day, utc_now
from sportsapp.core.errors import (
    BrokerUnavailableError,
    DateRangeError,
    TrackerError,
    UnknownLeagueError,
)
from sportsapp.core.leagues import League, find_league
from sportsapp.db.engine import db
from sportsapp.db.models import Trigger
from sportsapp.runs.local import record_local_run
from sportsapp.runs.progress import RunCancelled, report_progress
from sportsapp.runs.rows import run_origin
from sportsapp.services import services
from sportsapp.sync import service
from sportsapp.tasks import (
    sync_all_leagues,
    sync_all_live_games,
    sync_all_teams,
    sync_daily_schedule,
    sync_date_range_task,
)
from sportsapp.tasks.chain import start_chain

Work = Callable[[service.Sync, service.Progress], Any]


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    queue = click.option("--queue", is_flag=True, help="Hand it to the consumer; print the id.")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    return queue(as_json(command))


def _leagues() -> list[League]:
    return service.followed_leagues(services().settings.leagues)


def _of_all_leagues(sync_leagues: Callable[[service.Sync, list[League]], Any]) -> Work:
    """The work of a sync that has no chunks to report on."""
    return lambda sync, _progress: sync_leagues(sync, _leagues())


TODAY = _of_all_leagues(service.sync_today)
LEAGUES = _of_all_leagues(service.sync_leagues)
SCHEDULE = _of_all_leagues(service.sync_schedule)
LIVE = _of_all_leagues(service.sync_live)


def _work_teams(sync: service.Sync, progress: service.Progress) -> service.SyncResult:
    return service.sync_teams(sync, _leagues(), progress)


TEAMS: Work = _work_teams


@click.group("sync", cls=AppGroup, invoke_without_command=True)
@_options
@click.pass_context
def sync_group(context: click.Context, queue: bool, as_json: bool) -> None:
    """Bring the database up to date. Alone: today, in every league."""
    if context.invoked_subcommand is not None:
        if queue or as_json:
            misuse(f"write the options last: sync {context.invoked_subcommand} --json")
        return
    _Door(queue, as_json).go("sync_today", {}, TODAY, sync_daily_schedule)


@sync_group.command("leagues")
@_options
def leagues(queue: bool, as_json: bool) -> None:
    """Seasons and standings of every league."""
    _Door(queue, as_json).go("sync_all_leagues", {}, LEAGUES, sync_all_leagues)


@sync_group.command("teams")
@_options
def teams(queue: bool, as_json: bool) -> None:
    """Teams and rosters of every league."""
    _Door(queue, as_json).go("sync_all_teams", {}, TEAMS, sync_all_teams)


@sync_group.command("schedule")
@_options
def schedule(queue: bool, as_json: bool) -> None:
    """Yesterday, today and tomorrow in every league."""
    _Door(queue, as_json).go("sync_daily_schedule", {}, SCHEDULE, sync_daily_schedule)


@sync_group.command("live")
@_options
def live(queue: bool, as_json: bool) -> None:
    """The games that may be live now."""
    _Door(queue, as_json).go("sync_all_live_games", {}, LIVE, sync_all_live_games)


@sync_group.command("day")
@click.argument("league_name", metavar="LEAGUE")
@click.argument("day_text", metavar="DAY")
@_options
def day(league_name: str, day_text: str, queue: bool, as_json: bool) -> None:
    """One league on one day (YYYY-MM-DD)."""
    league, wanted = _league(league_name), _day(day_text)
    text = wanted.isoformat()

    def work(sync: service.Sync, _progress: service.Progress) -> service.SyncResult:
        return service.sync_day(sync, league, wanted)

    _Door(queue, as_json).go(
        "sync_day",
        {"league": league.label, "day": text},
        work,
        lambda: sync_date_range_task(league.label, text, text),
    )


@sync_group.command("range")
@click.argument("league_name", metavar="LEAGUE")
@click.argument("start_text", metavar="START")
@click.argument("end_text", metavar="END")
@_options
def date_range(
    league_name: str, start_text: str, end_text: str, queue: bool, as_json: bool
) -> None:
    """One league from START to END (YYYY-MM-DD), both included."""
    league, start, end = _league(league_name), _day(start_text), _day(end_text)
    try:
        check_range(start, end, utc_now())
    except DateRangeError as error:
        misuse(str(error))
    args = {
        "league": league.label, "start_date": start.isoformat(), "end_date": end.isoformat(),
    }  # fmt: skip

    def work(sync: service.Sync, progress: service.Progress) -> service.SyncResult:
        return service.sync_range(sync, league, start, end, progress)

    door = _Door(queue, as_json)
    door.go("sync_date_range_task", args, work, lambda: sync_date_range_task(**args))


@sync_group.command("all")
@_options
def everything(queue: bool, as_json: bool) -> None:
    """Leagues, then teams, then the schedule."""
    door = _Door(queue, as_json)
    if queue:
        door.queue(lambda: start_chain(Trigger.COMMAND, person()))
        return
    results = {
        "leagues": door.run("sync_all_leagues", {}, LEAGUES),
        "teams": door.run("sync_all_teams", {}, TEAMS),
        "schedule": door.run("sync_daily_schedule", {}, SCHEDULE),
    }
    door.end(results)


class _Door:
    """One call of ``flask sync``: runs or queues the work and says what came of it."""

    def __init__(self, queue: bool, as_json: bool) -> None:
        self.wants_queue = queue
        self.as_json = as_json
        self.failed = False

    def go(
        self, name: str, args: dict[str, Any], work: Work, queue_call: Callable[[], Any]
    ) -> None:
        """Do the work here, or queue it, print the outcome and end with the right status."""
        if self.wants_queue:
            self.queue(lambda: queue_call().id)
        else:
            self.end(self.run(name, args, work))

    def queue(self, call: Callable[[], str]) -> None:
        """Hand the work to the consumer and print the run's id."""
        try:
            with run_origin(Trigger.COMMAND, person()):
                run_id = call()
        except BrokerUnavailableError as error:
            fail(f"{error}; start the app with `flask up`, or leave --queue out")
        except (OperationalError, ProgrammingError) as error:
            fail(database_fault(error))
        click.echo(json.dumps({"task_id": run_id}) if self.as_json else run_id)

    def run(self, name: str, args: dict[str, Any], work: Work) -> dict[str, Any]:
        """Do the work in this process, on the record; its result, a blank one when it failed."""
        client = services().feed_client
        try:
            with record_local_run(name, args, person()) as outcome, _Progress(name) as shown:
                watch = services().feed_watch
                sync = service.Sync(
                    client, db.session, utc_now(), outcome.run_id, watch=watch, clock=utc_now
                )
                outcome.result = work(sync, shown.report).as_dict()
        except RunCancelled as cancelled:
            click.echo("the run was cancelled", err=True)
            self.failed = True
            done: dict[str, Any] = cancelled.result or {"synced": 0, "errors": []}
            return done
        except TrackerError as error:
            click.echo(str(error), err=True)
            self.failed = True
            counts = ("created", "updated") if name == "sync_all_leagues" else ("synced",)
            return dict.fromkeys(counts, 0) | {"errors": [str(error)]}
        except (OperationalError, ProgrammingError) as error:
            fail(database_fault(error))
        for line in outcome.result["errors"]:
            click.echo(line, err=True)
        self.failed = self.failed or bool(outcome.result["errors"])
        result: dict[str, Any] = outcome.result
        return result

    def end(self, result: dict[str, Any]) -> None:
        """Print the result and end with the right status."""
        if self.as_json:
            click.echo(json.dumps(result))
        else:
            click.echo(_words(result))
        if self.failed:
            sys.exit(FAILED)


class _Progress:
    """Shows how far the work is, and writes it into the ledger."""

    def __init__(self, title: str) -> None:
        self.bar = Bar(title)

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def report(self, done: int, total: int, resume: dict[str, Any] | None = None) -> None:
        """So many chunks are done."""
        report_progress(done, total, resume)
        self.bar.show(done, total)


def _words(result: dict[str, Any]) -> str:
    parts = []
    for name, value in result.items():
        if isinstance(value, dict):
            parts.append(f"{name}: {_words(value)}")
        elif name != "errors":
            parts.append(f"{value} {name}")
    errors = len(result.get("errors", ()))
    return ", ".join(parts) + (f", {errors} errors" if errors else "")


def _league(name: str) -> League:
    try:
        return find_league(name, services().settings.leagues)
    except UnknownLeagueError as error:
        misuse(str(error))


def _day(text: str) -> date:
    try:
        return parse_day(text, utc_now())
    except DateRangeError as error:
        misuse(str(error))

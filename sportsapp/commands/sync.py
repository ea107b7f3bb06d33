"""``flask sync`` and ``flask audit``: the tasks' work from a shell, here and now or queued.

Exit status: 0 all well, 1 something failed (the errors are on standard error) or an audit found a
breach, also one that is mended; 2 misuse.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date
from typing import Any

import click
from flask.cli import with_appcontext

from sportsapp.commands.shell import (
    FAILED,
    OneLineCommand,
    OneLineGroup,
    ProgressBar,
    fail,
    make_instance,
    misuse,
    on_terminal,
    print_answer,
    print_line,
    record_command,
    user_name,
)
from sportsapp.core.clock import check_range, parse_day, utc_now
from sportsapp.core.errors import (
    BrokerUnavailableError,
    DateRangeError,
    ForeignBrokerError,
    TrackerError,
)
from sportsapp.core.leagues import League, find_league
from sportsapp.db.engine import db
from sportsapp.db.identity import require_feed
from sportsapp.db.models import Trigger
from sportsapp.runs.local import record_local_run
from sportsapp.runs.progress import RunCancelled, report_progress
from sportsapp.services import services
from sportsapp.sync.auditor import check_season
from sportsapp.sync.backfill import summary_of
from sportsapp.sync.games import expected_finals, stored_game
from sportsapp.sync.ranges import LeagueRange, by_season, cost_of, estimate, within_seasons
from sportsapp.sync.seasons import FAILED as FAILED_DAYS
from sportsapp.sync.seasons import MISSING, find_season, ranges_in, running_seasons
from sportsapp.sync.table import (
    AUDIT,
    DAY,
    FINALS,
    GAME,
    LEAGUES,
    LIVE,
    RANGE,
    SCHEDULE,
    TEAMS,
    TODAY,
    Sync,
)
from sportsapp.tasks import actions
from sportsapp.tasks.backfills import Backfills, queue_backfills
from sportsapp.tasks.chains import sync_everything

MANY_REQUESTS = 500
STEPS = {"leagues": LEAGUES, "teams": TEAMS, "schedule": SCHEDULE}


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    queue = click.option("--queue", is_flag=True, help="Hand it to the consumer; print the id.")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    return queue(as_json(command))


@click.group("sync", cls=OneLineGroup, invoke_without_command=True)
@_options
@with_appcontext
@click.pass_context
def sync_group(context: click.Context, queue: bool, as_json: bool) -> None:
    """Bring the database up to date. Alone: today, in every league."""
    make_instance()
    require_feed(db.engine, services().settings)
    if context.invoked_subcommand is None:
        _sync_leagues(TODAY, queue, as_json)
    elif queue or as_json:
        misuse(f"write the options last: sync {context.invoked_subcommand} --json")


def _add_command(name: str, sync: Sync) -> None:
    """Add the command of a sync of all leagues."""

    @sync_group.command(name, help=sync.help)
    @_options
    def command(queue: bool, as_json: bool) -> None:
        _sync_leagues(sync, queue, as_json)


for _name, _sync in (STEPS | {"live": LIVE, "finals": FINALS}).items():
    _add_command(_name, _sync)


def _sync_leagues(sync: Sync, queue: bool, as_json: bool) -> None:
    if queue:
        task = SCHEDULE if sync is TODAY else sync  # no task syncs today alone
        _queue(lambda: actions.run_now(task.name, Trigger.COMMAND, user_name()), as_json)
    else:
        _end(*_run(sync, {}, services().leagues), as_json)


@sync_group.command("day", help=DAY.help)
@click.argument("slug", metavar="LEAGUE")
@click.argument("day_text", metavar="DAY")
@_options
def sync_day(slug: str, day_text: str, queue: bool, as_json: bool) -> None:
    """Run or queue the sync of a day; the queue takes it as a range of one day."""
    league = find_league(slug, services().settings.leagues)
    day = parse_day(day_text, utc_now())
    if queue:
        _queue(lambda: _queue_range(league, day, day), as_json)
    else:
        args = {"league": league.label, "day": day.isoformat()}
        _end(*_run(DAY, args, league, day), as_json)


@sync_group.command("game", help=GAME.help)
@click.argument("slug", metavar="LEAGUE")
@click.argument("espn_id", metavar="ID")
@_options
def sync_game(slug: str, espn_id: str, queue: bool, as_json: bool) -> None:
    """Run or queue the sync of a game."""
    league = find_league(slug, services().settings.leagues)
    stored_game(db.session, league, espn_id)
    args = {"league": league.label, "espn_id": espn_id}
    if queue:
        _queue(lambda: actions.run_now(GAME.name, Trigger.COMMAND, user_name(), args), as_json)
    else:
        _end(*_run(GAME, args, league, espn_id), as_json)


@sync_group.command("range", help=RANGE.help)
@click.argument("slug", metavar="LEAGUE")
@click.argument("start_text", metavar="START")
@click.argument("end_text", metavar="END")
@click.option("--games", is_flag=True, help="With box scores and plays of the finals.")
@click.option("--yes", is_flag=True, help="Do not ask before many requests.")
@_options
def sync_range(
    slug: str,
    start_text: str,
    end_text: str,
    games: bool,
    yes: bool,
    queue: bool,
    as_json: bool,
) -> None:
    """Run or queue the sync of a range."""
    now = utc_now()
    league = find_league(slug, services().settings.leagues)
    start, end = parse_day(start_text, now), parse_day(end_text, now)
    check_range(start, end, now)
    ranges, left_out = within_seasons([(league, start, end)])
    if not ranges:
        raise DateRangeError(left_out[0])
    for line in left_out:
        print_line(line, err=True)
    league, start, end = ranges[0]
    count = expected_finals(db.session, ranges, now) if games else 0
    if estimate(ranges, count).requests > MANY_REQUESTS and not yes:
        _confirm_cost(ranges, count)
    elif games:
        print_line(f"this takes {cost_of(ranges, count)}", err=True)
    if queue:
        _queue(lambda: _queue_seasons(league, start, end, games), as_json)
    else:
        every_month, args = False, _range_args(league, start, end, games)
        _end(*_run(RANGE, args, league, start, end, every_month, games), as_json)


@sync_group.command("missing")
@click.argument("slug", metavar="[LEAGUE]", default="")
@click.argument("season", metavar="[SEASON]", default="")
@click.option("--failed", is_flag=True, help="The days that failed instead, again.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the ids as JSON.")
def sync_missing(slug: str, season: str, failed: bool, yes: bool, as_json: bool) -> None:
    """Queue the days that were not read, of the running seasons or of one such as 2024-25."""
    leagues, now = services().leagues, utc_now()
    if slug:
        leagues = [find_league(slug, services().settings.leagues)]
    seasons = running_seasons(leagues, now)
    if season:
        seasons = [(leagues[0], *find_season(leagues[0], season))]
    ranges = ranges_in(db.session, seasons, FAILED_DAYS if failed else MISSING, now)
    if not ranges:
        print_answer({"batch_id": None, "task_ids": []}, ["there is nothing to read"], as_json)
        return
    if not yes:
        _confirm_cost(ranges)
    _queue(lambda: queue_backfills(ranges, Trigger.COMMAND, user_name()), as_json)


def _confirm_cost(ranges: Sequence[LeagueRange], games: int = 0) -> None:
    """Ask whether to read these ranges; where nobody can be asked, print what it takes."""
    cost = cost_of(ranges, games)
    if on_terminal():
        click.confirm(f"This takes {cost}. Go on?", abort=True, err=True)
    else:
        print_line(f"this takes {cost}", err=True)


@sync_group.command("all")
@_options
def sync_all(queue: bool, as_json: bool) -> None:
    """Leagues, then teams, then the schedule."""
    if queue:
        _queue(lambda: sync_everything(Trigger.COMMAND, user_name()), as_json)
        return
    outcomes = {name: _run(sync, {}, services().leagues) for name, sync in STEPS.items()}
    results = {name: result for name, (result, _) in outcomes.items()}
    _end(results, all(is_well for _, is_well in outcomes.values()), as_json)


@click.command("audit", cls=OneLineCommand, help=AUDIT.help)
@click.argument("slug", metavar="[LEAGUE]", default="")
@click.argument("season", metavar="[SEASON]", type=int, required=False)
@_options
@with_appcontext
def audit_command(slug: str, season: int | None, queue: bool, as_json: bool) -> None:
    """Audit the running season of every league or of one, or the season of the feed's year."""
    require_feed(db.engine, services().settings)
    leagues = [find_league(slug, services().settings.leagues)] if slug else services().leagues
    args: dict[str, Any] = {"league": leagues[0].label} if slug else {}
    if season is not None:
        check_season(db.session, leagues, season)
        args["season"] = season
    if queue:
        _queue(lambda: actions.run_now(AUDIT.name, Trigger.COMMAND, user_name(), args), as_json)
        return
    result, is_well = _run(AUDIT, args, leagues, season)
    lines = [
        f"{found['league']} {found['season']}: {found['rule']}: {found['text']}"
        + (" (right, now that it was read again)" if found["mended"] else "")
        for found in result["breaches"]
    ]
    count = f"{result['audited']:,} games, {len(lines)} breach{'' if len(lines) == 1 else 'es'}"
    print_answer(result, [*lines, count], as_json)
    if lines or not is_well:
        sys.exit(FAILED)


# ---------------------------------------------------------------- the queue


def _range_args(league: League, start: date, end: date, games: bool = False) -> dict[str, Any]:
    days = {"start_date": start.isoformat(), "end_date": end.isoformat()}
    return {"league": league.label} | days | ({"games": True} if games else {})


def _queue_range(league: League, start: date, end: date, games: bool = False) -> str:
    args = _range_args(league, start, end, games)
    return actions.run_now(RANGE.name, Trigger.COMMAND, user_name(), args)


def _queue_seasons(league: League, start: date, end: date, games: bool) -> str | Backfills:
    """A range within one season is one run; several seasons are a batch, with a run for each."""
    if len(by_season([(league, start, end)])) == 1:
        return _queue_range(league, start, end, games)
    return queue_backfills([(league, start, end)], Trigger.COMMAND, user_name(), games=games)


def _queue(enqueue: Callable[[], str | Backfills], as_json: bool) -> None:
    """Hand the work to the consumer and print the id of its run or batch."""
    try:
        queued = enqueue()
    except ForeignBrokerError:
        raise
    except BrokerUnavailableError as error:
        fail(f"{error}; start the app with `flask up`, or leave --queue out")
    if isinstance(queued, str):
        print_answer({"task_id": queued}, [queued], as_json)
        record_command(f"queued as {queued}")
    else:
        document = {"batch_id": queued.batch_id, "task_ids": queued.run_ids}
        print_answer(document, [queued.batch_id or queued.run_ids[0]], as_json)
        record_command(f"queued as {queued}")


# ---------------------------------------------------------------- here and now


def _run(sync: Sync, args: dict[str, Any], *arguments: object) -> tuple[dict[str, Any], bool]:
    """Run a sync in this process, recorded as a run with ``args``; its result, and if all is well.

    Errors go to standard error. The result of a sync that failed has counts of zero.
    """
    bar = ProgressBar(sync.name)

    def progress(done: int, total: int, resume: dict[str, Any] | None = None) -> None:
        report_progress(done, total, resume)
        bar.show(done, total)

    try:
        with closing(bar), record_local_run(sync.name, args, user_name()) as run:
            context = services().sync_context(run.run_id, progress)
            run.result = result = sync(context, *arguments).as_dict()
    except RunCancelled as cancelled:
        print_line("the run was cancelled", err=True)
        return cancelled.result or sync.result().as_dict(), False
    except TrackerError as error:
        result = sync.failed(error)
        if notes := getattr(error, "__notes__", ()):  # the days that failed, each with its reason
            result["errors"] = "\n".join(notes).splitlines()
    for line in [*result.get("left_out", ()), *summary_of(result["errors"])]:
        print_line(line, err=True)
    return result, not result["errors"]


def _end(result: dict[str, Any], is_well: bool, as_json: bool) -> None:
    """Print the result, or the results by name, and end with status 1 unless all is well."""
    print_answer(result, [_text(result)], as_json)
    if not is_well:
        sys.exit(FAILED)


def _text(result: dict[str, Any]) -> str:
    parts = []
    for name, value in result.items():
        if isinstance(value, dict):
            parts.append(f"{name}: {_text(value)}")
        elif not isinstance(value, list):
            parts.append(f"{value} {name.replace('_', ' ')}")
    errors = len(result.get("errors", ()))
    return ", ".join(parts) + (f", {errors} errors" if errors else "")

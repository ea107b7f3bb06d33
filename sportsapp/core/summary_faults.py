"""What in a stored summary does not fit together. Pure: a record in, sentences out."""

from collections.abc import Iterator

from sportsapp.core.summary import (
    PlayerLineRecord,
    SideRecord,
    SummaryRecord,
    TeamBoxRecord,
)

# Of a table's columns those that are the sum of its players, by the feed's names. Others are not:
# averages, the longest of a kind, turnovers and fouls that are a whole team's, yards less sacks.
ADDED_UP = frozenset(
    {
        "points",
        "fieldGoalsMade-fieldGoalsAttempted",
        "freeThrowsMade-freeThrowsAttempted",
        "assists",
        "steals",
        "threePointFieldGoalsMade-threePointFieldGoalsAttempted",
        "blocks",
        "atBats",
        "runs",
        "hits",
        "RBIs",
        "homeRuns",
        "walks",
        "strikeouts",
        "hits-atBats",
        "earnedRuns",
        "completions/passingAttempts",
        "passingTouchdowns",
        "rushingAttempts",
        "rushingYards",
        "rushingTouchdowns",
        "receptions",
        "receivingYards",
        "receivingTouchdowns",
        "totalKickingPoints",
    }
)
# Where a side's score is the sum of a column of its players.
SCORES = {"": "points", "batting": "runs", "forwards": "goals", "defenses": "goals"}
LAST_WITH_GOALS = 4
"""Of soccer's line score: after two halves and extra time come penalties, which are no goals."""


def summary_faults(summary: SummaryRecord) -> list[str]:
    """What does not add up, a sentence each; empty for a summary that fits together.

    Players add up to their team's totals. Of a game that is over they also make its score, as do
    the line score and the plays that scored; while it is live the header runs ahead of all that.
    """
    faults = [fault for box in summary.box for fault in _totals(box)]
    if summary.is_completed:
        faults += [fault for box in summary.box for fault in _players_score(summary, box)]
        faults += [*_line_scores(summary), *_scoring(summary)]
    return faults


def _totals(box: TeamBoxRecord) -> Iterator[str]:
    for table in box.tables:
        for place, total in enumerate(table.totals):
            key = table.keys[place] if place < len(table.keys) else ""
            if key not in ADDED_UP or not table.players or _numbers(total) is None:
                continue
            added = _sum_of(table.players, place)
            if added is not None and added != _numbers(total):
                label = f"{table.name} {table.labels[place]}".strip()
                shown = "-".join(map(str, added))
                yield f"players of the {box.side} side have {label} {shown}, their team {total}"


def _players_score(summary: SummaryRecord, box: TeamBoxRecord) -> Iterator[str]:
    side = _side(summary, box.side)
    columns = [
        (table.players, table.keys.index(SCORES[table.name]))
        for table in box.tables
        if SCORES.get(table.name) in table.keys
    ]
    sums = [_sum_of(players, place) for players, place in columns]
    if side.score is None or not any(players for players, _ in columns) or None in sums:
        return
    total = sum(added[0] for added in sums if added)
    if total not in (side.score, side.score - _shootout_goal(summary, side)):
        yield f"players of the {box.side} side have scored {total}, the score is {side.score}"


def _line_scores(summary: SummaryRecord) -> Iterator[str]:
    for name, side in (("away", summary.away), ("home", summary.home)):
        lines = side.linescores[:LAST_WITH_GOALS] if summary.lineups else side.linescores
        total = sum(points or 0 for points in lines)
        # the home side may not bat last
        if lines and None not in lines[:-1] and side.score not in (None, total):
            yield f"the line score of the {name} side adds up to {total}, not {side.score}"


def _scoring(summary: SummaryRecord) -> Iterator[str]:
    away, home = summary.away.score, summary.home.score
    if away is None or home is None or not summary.groups:
        return
    scores = [(play.away_score, play.home_score) for play in summary.scoring]
    if (None, None) in scores:  # soccer's plays have none
        goals = sum(play.period <= LAST_WITH_GOALS for play in summary.scoring)
        if goals != away + home:
            yield f"there are {goals} goals among the plays, and {away + home} in the score"
        return
    last = scores[-1] if scores else (0, 0)
    least = tuple(
        side.score - _shootout_goal(summary, side)
        for side in (summary.away, summary.home)
        if side.score is not None
    )
    if last not in ((away, home), least):
        yield f"the last play that scored made it {last[0]}-{last[1]}, the score is {away}-{home}"


def _shootout_goal(summary: SummaryRecord, side: SideRecord) -> int:
    """1 for the winner of a shootout: who wins it has one goal more, which nobody scored."""
    scores = summary.away.score or 0, summary.home.score or 0
    is_decided_so = "SO" in summary.detail.upper().replace("/", " ").split()
    return int(is_decided_so and side.score == max(scores) > min(scores))


def _side(summary: SummaryRecord, name: str) -> SideRecord:
    return summary.home if name == "home" else summary.away


def _sum_of(players: tuple[PlayerLineRecord, ...], place: int) -> tuple[int, ...] | None:
    """The sum of a column; of both parts where its figures are pairs. None if one is no number."""
    figures = [_numbers(line.stats[place]) for line in players if place < len(line.stats)]
    known = [figure for figure in figures if figure is not None]
    if len(known) < len(figures) or len({len(figure) for figure in known}) != 1:
        return None
    return tuple(sum(parts) for parts in zip(*known, strict=True))


def _numbers(text: str) -> tuple[int, ...] | None:
    """``8`` and ``3-7`` and ``3/7`` as whole numbers; None for anything else."""
    sign = text[:1] == "-"
    parts = text[sign:].replace("/", "-").split("-")
    if not all(part.isdecimal() for part in parts):
        return None
    first, *others = map(int, parts)
    return -first if sign else first, *others

"""Plays in their groups, the score after each, and the chance to win in words and as a line."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from sportsapp.core.records import State
from sportsapp.core.summary import PlayGroupRecord, PlayRecord, SummaryRecord
from sportsapp.db.models import Game
from sportsapp.web.box import side_name
from sportsapp.web.labels import in_lower_case
from sportsapp.web.timeline import period_words

WIDTH, HEIGHT = 300, 100
MOST_POINTS = 150
MOST_TURNS = 3
LEAST_TURN = 0.1
"""Of the chance to win: what moves it less is no turning point."""


class Group(NamedTuple):
    """Plays under a heading, and a note beside it. ``name`` stays the group's while it grows."""

    name: str
    title: str
    note: str
    plays: list[PlayRecord]


class Chance(NamedTuple):
    """The home side's chance: the points of a line, a sentence, and the turning points in words."""

    points: str
    sentence: str
    turns: list[str]


def groups_of(
    game: Game, summary: SummaryRecord, *, only_scoring: bool, newest_first: bool
) -> list[Group]:
    """The groups that have plays to show, newest first while the game is live."""
    groups = [
        Group(f"g{number}", *_heading(game, group), _shown(group, only_scoring))
        for number, group in enumerate(summary.groups, start=1)
    ]
    groups = [group for group in groups if group.plays]
    if not newest_first:
        return groups
    return [Group(*group[:3], group.plays[::-1]) for group in reversed(groups)]


def scoring_of(game: Game, summary: SummaryRecord) -> list[Group]:
    """The plays that scored by their period, in order."""
    by_period: dict[int, list[PlayRecord]] = {}
    for play in summary.scoring:
        by_period.setdefault(play.period, []).append(play)
    return [
        Group(f"p{period}", _period_title(game, period, ""), "", plays)
        for period, plays in by_period.items()
    ]


def _shown(group: PlayGroupRecord, only_scoring: bool) -> list[PlayRecord]:
    return [play for play in group.plays if play.text and (play.is_scoring or not only_scoring)]


def _heading(game: Game, group: PlayGroupRecord) -> tuple[str, str]:
    team = side_name(game, group.side)
    if game.league.sport == "football" and team:
        what = f"{team}: {group.result.lower()}" if group.result else team
        return what, f"{group.title}, {period_words(game, group.period)}"
    return _period_title(game, group.period, group.title), team


def _period_title(game: Game, period: int, title: str) -> str:
    """The feed's title of a period, which in hockey is a bare ``1st``; ours where it has none."""
    title = title or period_words(game, period)
    is_bare = " " not in title and title.endswith(("st", "nd", "rd", "th"))
    return in_lower_case(f"{title} {game.league.period_name}" if is_bare else title)


def play_words(play: PlayRecord) -> str:
    """A play's text. A kick of a shootout, which alone has no period, is a name: did he score?"""
    return play.text if play.period else f"{play.text}, {play.kind.lower()}"


def score_after(game: Game, play: PlayRecord) -> str:
    """``GB 24, ATL 25``: the score after a play that scored; empty after another.

    Who scored where the feed has no score, as in soccer.
    """
    if not play.is_scoring:
        return ""
    if play.away_score is None or play.home_score is None:
        return side_name(game, play.side)
    names = [team.abbreviation if team else "TBD" for team in (game.away_team, game.home_team)]
    return f"{names[0]} {play.away_score}, {names[1]} {play.home_score}"


def last_score(summary: SummaryRecord) -> tuple[int, int] | None:
    """Away and home score after the last play that has one."""
    for group in reversed(summary.groups):
        for play in reversed(group.plays):
            if play.away_score is not None and play.home_score is not None:
                return play.away_score, play.home_score
    return None


# ---------------------------------------------------------------- the chance to win


def chance_of(game: Game, summary: SummaryRecord) -> Chance | None:
    """The chance to win over the game; None where the feed has none."""
    values = [chance.home for chance in summary.chances]
    if len(values) < MOST_TURNS or not all(0 <= value <= 1 for value in values):
        return None
    step = max(1, len(values) // MOST_POINTS)
    kept = sorted({*range(0, len(values), step), len(values) - 1})
    last = len(values) - 1
    points = " ".join(
        f"{round(place * WIDTH / last)},{round((1 - values[place]) * HEIGHT)}" for place in kept
    )
    return Chance(points, _chance_sentence(game, values), _turns(game, summary))


def _chance_sentence(game: Game, values: list[float]) -> str:
    home, away = side_name(game, "home"), side_name(game, "away")
    side, chance = (home, values[-1]) if values[-1] >= 0.5 else (away, 1 - values[-1])
    if game.state == State.IN:
        return f"{side} had a chance of {_percent(chance)} to win after the last play here."
    lowest = min(values) if side == home else 1 - max(values)
    return f"The chance of {side} to win was {_percent(lowest)} at its lowest."


def _turns(game: Game, summary: SummaryRecord) -> list[str]:
    """The plays that moved the chance most, in the order of the game."""
    plays = {play.espn_id: play for group in summary.groups for play in group.plays}
    chances = summary.chances
    moves = [
        (abs(after.home - before.home), number)
        for number, (before, after) in enumerate(pairwise(chances), start=1)
        if after.play_id in plays and abs(after.home - before.home) >= LEAST_TURN
    ]
    turns = []
    for number in sorted(number for _, number in sorted(moves, reverse=True)[:MOST_TURNS]):
        before, after = chances[number - 1].home, chances[number].home
        side = "home" if after > before else "away"
        if side == "away":
            before, after = 1 - before, 1 - after
        play = plays[chances[number].play_id]
        when = ", ".join(filter(None, (period_words(game, play.period), play.clock)))
        team = side_name(game, side)
        turns.append(f"{team} from {_percent(before)} to {_percent(after)} ({when}): {play.text}")
    return turns


def _percent(share: float) -> str:
    return f"{share * 100:.0f}\u00a0%"

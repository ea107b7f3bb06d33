"""What a game's pages have of other games: form, meetings and season series of both teams, the
make-up game.
"""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sportsapp.core.clock import EASTERN, day_of, game_day, utc_now
from sportsapp.core.leagues import season_of
from sportsapp.core.records import State
from sportsapp.core.summary import MeetingRecord, SummaryRecord
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game, Team
from sportsapp.db.queries import GameSummary, Span
from sportsapp.web.labels import OVER, result_label, sentence, short_name, start_of
from sportsapp.web.preferences import preferences
from sportsapp.web.spoilers import NEVER_PLAYED
from sportsapp.web.unread import are_read

MOST_GAMES = 5
MOST_MEETINGS = 19
REGULAR_SEASON = 2
MAKEUP = re.compile(r"\bmake-?up (from|date|on) ([a-z]+ \d{1,2})\b", re.IGNORECASE)


class Earlier(NamedTuple):
    """Each team with its last games of the season, and the last meetings of both; newest first."""

    form: list[tuple[Team, list[GameSummary]]]
    meetings: list[GameSummary]


def earlier_than(game: Game) -> Earlier:
    """What is stored of both teams from before this game; nothing where scores are hidden."""
    away, home = game.away_team_row, game.home_team_row
    if preferences().hides_scores or away is None or home is None:
        return Earlier([], [])
    games = queries.games_before(db.session, game, MOST_GAMES)[::-1]
    of_away, of_home = ([one for one in games if _plays(one, team)] for team in (away, home))
    in_season = [
        [one for one in of_team if one.season_year == game.season_year][:MOST_GAMES]
        for of_team in (of_away, of_home)
    ]
    meetings = [one for one in of_away if one in of_home][:MOST_GAMES]
    return Earlier(
        list(zip((away, home), in_season, strict=True)) if any(in_season) else [], meetings
    )


def _plays(game: GameSummary, team: Team) -> bool:
    return team.espn_id in [side.espn_id for side in (game.away_team, game.home_team) if side]


def season_series(game: Game) -> str:
    """``Season series: Chiefs lead 1-0``: how the regular season's meetings stand.

    It counts those before this game, and this one once it is over. Empty without one before,
    where the result of one is not known, and where scores are hidden. In soccer every meeting of
    the season counts: its season types are numbers without a meaning.
    """
    home, away = game.home_team_row, game.away_team_row
    if preferences().hides_scores or away is None or home is None or game.season_year is None:
        return ""
    met = [
        one
        for one in queries.meetings_of_season(db.session, game)
        if (one.season_type == REGULAR_SEASON or one.league.sport == "soccer")
        and one.status in OVER
        and (one.start_at < game.start_at or one.espn_id == game.espn_id)
    ]
    count = Counter(result_label(one, home)[:1] for one in met)
    if not any(one.espn_id != game.espn_id for one in met) or "" in count:
        return ""
    label = "Season series" if _is_season_read(game) else "Season series as far as known"
    return f"{label}: {_standing(game, count)}"


def _standing(game: Game, count: Counter[str]) -> str:
    """``Chiefs lead 2-1``, ``tied 1-1``; with draws ``tied 1-1, 2 draws``."""
    won, lost, level = count["W"], count["L"], count["T"] + count["D"]
    league = game.league
    leader = short_name(game.home_team if won > lost else game.away_team)
    verb = "leads" if league.named_by_place or league.draws else "lead"
    text = "tied" if won == lost else f"{leader} {verb}"
    word = "draw" if league.draws else "tie"
    levels = f", {level} {word}{'s' if level > 1 else ''}" if level else ""
    return f"{text} {max(won, lost)}-{min(won, lost)}{levels}"


def _is_season_read(game: Game) -> bool:
    """Whether all days of the season before the game were read."""
    first, last = season_of(game.league, game.day)
    begins = game.league_row.season_begins
    if begins and first <= begins <= last:
        first = begins
    day_before = min(game.day, game_day(utc_now())) - timedelta(days=1)
    return are_read([Span(game.league.slug, first, day_before)])[0]


class Meeting(NamedTuple):
    """A game of a series in words; ``game`` is None where it is not stored."""

    game: GameSummary | None
    text: str
    day: date


def meetings_in(game: Game, summary: SummaryRecord) -> list[Meeting]:
    """The games of the summary's series from before this one, MOST_MEETINGS at most; newest first.

    The summary may have been read much later, so that it has later ones too.
    """
    over = {
        one.espn_id: one
        for series in summary.series
        for one in series.meetings
        if one.state == State.POST and one.espn_id != game.espn_id
    }
    stored = queries.games_with_ids(db.session, game.league.slug, over)
    starts = {
        espn_id: stored[espn_id].start_at if espn_id in stored else _start(one)
        for espn_id, one in over.items()
    }
    earlier = [(start, key) for key, start in starts.items() if start and start < game.start_at]
    newest = sorted(earlier, reverse=True)[:MOST_MEETINGS]
    return [_meeting(game, over[key], start, stored.get(key)) for start, key in newest]


def _start(one: MeetingRecord) -> datetime | None:
    try:
        start = datetime.fromisoformat(one.date)
        return start.astimezone(UTC) if start.tzinfo else start.replace(tzinfo=EASTERN)
    except (ValueError, OverflowError):
        return None


def _meeting(
    game: Game, one: MeetingRecord, start: datetime, stored: GameSummary | None
) -> Meeting:
    if stored:
        return Meeting(stored, sentence(stored), start_of(stored)[0])
    teams = {team.espn_id: team for team in (game.away_team, game.home_team) if team}
    names = [short_name(teams.get(team_id)) for team_id in (one.away_id, one.home_id)]
    scores = one.away_score, one.home_score
    if preferences().hides_scores or None in scores:
        text = f"{names[0]} at {names[1]}"
    else:
        text = f"{names[0]} {scores[0]}, {names[1]} {scores[1]}"
    return Meeting(None, text, day_of(start))


def makeup_of(game: Game) -> GameSummary | None:
    """The game that makes up for this one, or for which this one makes up, as their notes say.

    The feed gives a make-up game an id of its own and names but the other day, so that on a day
    with two games of these teams the note of the right one has to name this day.
    """
    is_makeup, named = _makeup_in(game.note)
    others = [
        other
        for other in (queries.meetings_of_season(db.session, game) if named else [])
        if _name_of(other.day) == named and (other.status in NEVER_PLAYED) == is_makeup
    ]
    exact = [one for one in others if _makeup_in(one.note) == (not is_makeup, _name_of(game.day))]
    others = exact or others
    return others[0] if len(others) == 1 else None


def _makeup_in(note: str) -> tuple[bool, str]:
    """Whether a note is a make-up game's ("Makeup from July 17"), and the day that it names."""
    named = MAKEUP.search(note)
    return (named[1].lower() == "from", named[2].title()) if named else (False, "")


def _name_of(day: date) -> str:
    return f"{day:%B} {day.day}"

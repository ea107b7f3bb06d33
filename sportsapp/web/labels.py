"""Text for people: times in the visitor's zone, names of teams and weeks, the state of a game."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.leagues import League
from sportsapp.core.records import State, Status
from sportsapp.db.models import Game, LeagueRow, Team
from sportsapp.db.queries import AnyGame, AnyTeam, GameSummary
from sportsapp.web.preferences import Preferences, preferences
from sportsapp.web.spoilers import is_hidden

NOT_PLAYED_OUT = (Status.POSTPONED, Status.CANCELLED, Status.SUSPENDED, Status.FORFEIT)
OVER = (Status.FINAL, Status.FORFEIT)
PLAIN_ENDINGS = ("Final", "FT")
SHOOTOUTS = frozenset({"SO", "SHOOTOUT", "PEN", "PENS", "PENALTIES"})
SEASON_PARTS = {1: "Preseason", 3: "Postseason"}
SEASON_TYPES = {1: "Preseason", 2: "Week", 3: "Postseason", 4: "Off-season"}
MOST_WEEKS = 25
PERIOD_NAME = re.compile(r"(?<=\dst|\dnd|\drd|\dth) (?:Quarter|Period|Half|Inning)\b")
CLOCK_AND_PERIOD = re.compile(r"^([\d:.]+) - ([^,]+)")
BEFORE_SCORE = re.compile(r" (?=\d+(?:,|$))")
BASES = {1: "1st", 2: "2nd", 3: "3rd"}


# ---------------------------------------------------------------- times


def clock(moment: datetime) -> str:
    """``7:30 PM``, or ``19:30`` for who prefers that, in the visitor's zone."""
    chosen = preferences()
    return _time_of(moment.astimezone(chosen.tzinfo), chosen)


def start_of(game: AnyGame) -> tuple[date, str]:
    """Day and time of a game's start, both in the visitor's zone: (November 27, ``2:20 AM``).

    While only the day is known, it is the feed's: a day without a time is the same everywhere.
    """
    if not game.time_set:
        return game.day, "Time not set"
    chosen = preferences()
    local = game.start_at.astimezone(chosen.tzinfo)
    return local.date(), _time_of(local, chosen)


def other_day(game: AnyGame) -> str:
    """``Sun, Sep 11``: the day of the start where that is not the feed's day in the visitor's zone.

    Empty on that day, without a time, and while the game is live.
    """
    if not game.time_set or game.state == State.IN:
        return ""
    day = game.start_at.astimezone(preferences().tzinfo).date()
    return short_day(day) if day != game.day else ""


def full_time(moment: datetime) -> str:
    """``Sun, Sep 11, 1:00 PM EDT``, in the visitor's zone."""
    chosen = preferences()
    local = moment.astimezone(chosen.tzinfo)
    return f"{local:%a, %b} {local.day}, {_time_of(local, chosen)} {local:%Z}"


def _time_of(local: datetime, chosen: Preferences) -> str:
    if chosen.counts_to_24:
        return f"{local:%H:%M}"
    return f"{local.hour % 12 or 12}:{local.minute:02} {'AM' if local.hour < 12 else 'PM'}"


def long_day(day: date) -> str:
    """``Sunday, September 11, 2022``."""
    return f"{day:%A, %B} {day.day}, {day.year}"


def short_day(day: date) -> str:
    """``Sun, Sep 11``."""
    return f"{day:%a, %b} {day.day}"


def month_name(day: date) -> str:
    """``2026-09``: a day's month, as addresses have it."""
    return f"{day:%Y-%m}"


# ---------------------------------------------------------------- teams, seasons and weeks


def team_name(team: AnyTeam | None) -> str:
    """A team's full name; TBD while it is not known who will play."""
    return team.display_name if team else "TBD"


def short_name(team: AnyTeam | None) -> str:
    """A team's name without its city; TBD while it is not known who will play."""
    return team.short_name if team else "TBD"


def matchup(game: AnyGame) -> str:
    """``Beta at Alpha``; ``vs`` at a neutral site."""
    word = "vs" if game.neutral_site else "at"
    return f"{team_name(game.away_team)} {word} {team_name(game.home_team)}"


def season_label(league: LeagueRow, season_year: int) -> str:
    """A season's years as the feed names those of the running one, such as ``2026-27``."""
    named = re.match(r"(\d{4})(-\d\d)?\b", league.season_name)
    if named is None or league.season_year is None:
        return str(season_year)
    first = int(named[1]) + season_year - league.season_year
    return f"{first}-{(first + 1) % 100:02}" if named[2] else str(first)


def part_label(game: AnyGame) -> str:
    """The part of the season: ``Preseason``, ``Season`` or ``Postseason``."""
    return SEASON_PARTS.get(game.season_type or 0, "Season")


def is_week(league: League, season_type: int, week: int) -> bool:
    """Whether a season of this league may have such a week."""
    if season_type == 3:
        return week in dict(league.rounds)
    return season_type in (1, 2) and 1 <= week <= MOST_WEEKS


def week_label(league: League, season_type: int, week: int) -> str:
    """``Week 12``, ``Preseason 2`` or ``Divisional``."""
    if season_type == 3:
        return dict(league.rounds).get(week, f"Postseason {week}")
    return f"{SEASON_TYPES.get(season_type, 'Week')} {week}"


# ---------------------------------------------------------------- the state of a game


def state_label(game: AnyGame) -> str:
    """The start time of a game to come, else the feed's text, such as ``Q3 4:12``.

    Where the score is hidden there is no period: overtime would give away a close game. Of a live
    game that the feed's answers lack it adds since when.
    """
    label = _state_label(game)
    if game.state == State.PRE and not game.listed:
        return "No longer listed"
    if game.state != State.IN or game.vanished_since is None:
        return label
    is_today = game_day(game.vanished_since) == game_day(utc_now())
    since = (clock if is_today else full_time)(game.vanished_since)
    return f"{label}, not in the feed since {since}"


def short_state(game: AnyGame, label: str | None = None) -> str:
    """The same in few words for a list: ``4:12 - 3rd``, not ``4:12 - 3rd Quarter``.

    ``label`` is what ``state_label`` says, where that is known.
    """
    if label is None:
        label = state_label(game)
    return short_detail(label) if game.state == State.IN else label


def in_lower_case(text: str) -> str:
    """``Top 3rd inning``, where the feed writes ``Top 3rd Inning``: as all our headings are."""
    return PERIOD_NAME.sub(lambda word: word[0].lower(), text)


def short_detail(detail: str) -> str:
    """``4:12 - 3rd``: the feed's text on how a game stands, without the name of the period."""
    return PERIOD_NAME.sub("", detail)


def sentence(
    game: AnyGame, in_full: bool = False, label: str | None = None, day: str | None = None
) -> str:
    """``Jets 9, Bears 24, 3rd quarter, 1:21 left``: the whole game as a screen reader reads it.

    Without a score that may be seen: ``Jets at Bears, 7:30 PM``. ``in_full`` gives whole names.
    ``label`` and ``day`` are what ``state_label`` and ``other_day`` say, where that is known.
    """
    if label is None or day is None:
        label, day = state_label(game), other_day(game)
    name_of = team_name if in_full else short_name
    away, home = (
        f"ranked {rank} {name_of(team)}" if rank else name_of(team)
        for team, rank in ((game.away_team, game.away_rank), (game.home_team, game.home_rank))
    )
    scores = game.away_score, game.home_score
    winner = ""
    if is_hidden(game) or scores == (None, None):
        parts = [f"{away} {'vs' if game.neutral_site else 'at'} {home}"]
    else:
        sides = zip((away, home), scores, strict=True)
        parts = [name if score is None else f"{name} {score}" for name, score in sides]
        winner = winner_beyond_score(game)
    state = CLOCK_AND_PERIOD.sub(r"\2, \1 left", in_lower_case(label))
    parts += (day, state) if game.state == State.PRE else (state, day)
    cards = red_cards_label(game)
    parts += [f"{winner} won" if winner else "", cards[:1].lower() + cards[1:]]
    return ", ".join(part for part in parts if part)


def _state_label(game: AnyGame) -> str:
    status = game.status.capitalize()
    if game.state == State.PRE and game.status == Status.SCHEDULED:
        return start_of(game)[1]
    if is_hidden(game):
        if game.status in NOT_PLAYED_OUT:
            return status
        return "Live" if game.state == State.IN else "Final"
    # six letters, because the feed writes both canceled and cancelled
    if game.status in NOT_PLAYED_OUT and game.status[:6] not in game.detail.lower():
        return f"{status}, {game.detail}" if game.detail else status
    return f"{game.detail or status}{unknown_score(game)}"


def unknown_score(game: AnyGame) -> str:
    """``, no score in the feed for Bears``: what a score that is shown lacks; else empty."""
    sides = ((game.away_team, game.away_score), (game.home_team, game.home_score))
    unknown = [short_name(team) for team, score in sides if score is None]
    if not unknown or not (game.state == State.IN or game.status == Status.FINAL):
        return ""
    whose = f" for {unknown[0]}" if len(unknown) == 1 else ""
    return f", no score in the feed{whose}"


def situation_label(game: AnyGame) -> str:
    """Down and distance, or outs, count and runners; empty unless the game is live."""
    situation = game.situation
    if not situation or game.state != State.IN:
        return ""
    parts = [situation.get("down_distance", "")]
    if "outs" in situation:
        parts.append(f"{situation['outs']} out")
    if "balls" in situation and "strikes" in situation:
        parts.append(f"count {situation['balls']}-{situation['strikes']}")
    if "bases" in situation:
        parts.append(runners(game))
    if situation.get("red_zone"):
        parts.append("red zone")
    return ", ".join(part for part in parts if part)


def timeouts_label(game: AnyGame) -> str:
    """``Time-outs left: Jets 1, Bears 3``; empty without any in the feed. The game must be live."""
    sides = ((game.away_team, "away_timeouts"), (game.home_team, "home_timeouts"))
    left = [(short_name(team), game.situation.get(name)) for team, name in sides]
    known = ", ".join(f"{name} {count}" for name, count in left if count is not None)
    return f"Time-outs left: {known}" if known else ""


def red_cards_label(game: AnyGame) -> str:
    """``Red cards: Jets, Bears 2``; empty without any, or where they are hidden."""
    sides = ((game.away_team, "away_red_cards"), (game.home_team, "home_red_cards"))
    counts = [(team, count) for team, name in sides if (count := game.situation.get(name))]
    if not counts or is_hidden(game):
        return ""
    shown = [f"{short_name(team)}{f' {count}' if count > 1 else ''}" for team, count in counts]
    is_one = sum(count for _, count in counts) == 1
    return f"Red card{'' if is_one else 's'}: {', '.join(shown)}"


def runners(game: AnyGame) -> str:
    """``runner on 2nd``: who is on base in baseball; the game must be live."""
    bases: list[int] = game.situation["bases"]
    if not bases:
        return "bases empty"
    if len(bases) == len(BASES):
        return "bases loaded"
    who = "runners" if len(bases) > 1 else "runner"
    return f"{who} on {' and '.join(BASES[base] for base in bases)}"


def unbroken(text: str) -> str:
    """The same with each score on the line of its team's name."""
    return BEFORE_SCORE.sub("\u00a0", text)


def announcement(game: AnyGame) -> str:
    """What a screen reader announces when it changes: score and status, but not the clock."""
    if game.state == State.PRE or is_hidden(game):
        return ""
    status = game.status
    if status in (Status.LIVE, Status.FINAL):
        status = {State.IN: "live", State.POST: "final"}.get(State(game.state), status)
    sides = ((game.away_team, game.away_score), (game.home_team, game.home_score))
    scores = ", ".join(f"{short_name(team)} {score}" for team, score in sides if score is not None)
    return f"{scores}, {status}" if scores else ""


def periods(game: Game) -> range:
    """The periods of a line score: all of regulation, and each one played after it."""
    played = max(len(game.home_linescores), len(game.away_linescores))
    return range(1, max(game.league.periods, played) + 1)


def period_label(game: Game, period: int) -> str:
    """The heading of a period: its number, OT, 2OT, or SO where the game ended in a shootout."""
    league = game.league
    if period <= league.periods or not league.overtime_name:
        return str(period)
    extra = period - league.periods
    words = re.split("[^A-Z]+", game.detail.upper())
    if extra > league.overtimes and not SHOOTOUTS.isdisjoint(words):
        return league.shootout_name
    return league.overtime_name if extra == 1 else f"{extra}{league.overtime_name}"


def result_label(game: GameSummary, team: Team) -> str:
    """``W 24-17``: a team's result and score, its own first; empty without a score.

    Until the game is over it is the score alone. A level score is T, or D in a league with draws,
    unless the feed names a winner (penalties).
    """
    ours, theirs = game.home_score, game.away_score
    won, lost = game.home_winner, game.away_winner
    if game.home_team_id != team.id:
        ours, theirs, won, lost = theirs, ours, lost, won
    if ours is None or theirs is None:
        return ""
    if game.status not in OVER:
        return f"{ours}-{theirs}"
    if ours != theirs:
        won, lost = ours > theirs, ours < theirs
    level = "D" if game.league.draws else "T"
    return f"{'W' if won else 'L' if lost else level} {ours}-{theirs}"


def record_label(games: Sequence[GameSummary], team: Team) -> str:
    """``5-2``: the team's record in those of these games that are over; empty without any.

    It is written as the league does: won-lost and then ties, if any; won-drawn-lost in soccer;
    with losses after regulation last in hockey. Empty, too, when the result of one is unknown.
    """
    league = team.league
    over = [game for game in games if game.status in OVER]
    results = [(result_label(game, team)[:1], game.period > league.periods) for game in over]
    count = Counter(
        "O" if league.sport == "hockey" and letter == "L" and is_extra else letter
        for letter, is_extra in results
    )
    if not over or "" in count:
        return ""
    order = "WDL" if league.draws else "WLO" if league.sport == "hockey" else "WL"
    return "-".join(str(count[letter]) for letter in order + "T" * ("T" in count))


def place_label(team: Team) -> str:
    """``3rd in NFC East``: the team's place in its division, or its group; empty without one."""
    place = team.standing_division_position or team.standing_position
    if place is None:
        return ""
    table = team.standing_division or team.standing_group or team.league.label
    return f"{ordinal(place)} in {table}"


def ordinal(number: int) -> str:
    """``1st``, ``12th``, ``23rd``."""
    is_teen = 10 < number % 100 < 14
    return f"{number}{'th' if is_teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def winner_beyond_score(game: AnyGame) -> str:
    """The winner where the score does not show it (penalties, a forfeit); empty where it does."""
    if game.home_score != game.away_score and game.status != Status.FORFEIT:
        return ""
    if game.home_winner:
        return team_name(game.home_team)
    return team_name(game.away_team) if game.away_winner else ""


def ending_label(game: GameSummary) -> str:
    """How a game stands or ended (``Final/OT``); empty for an ordinary end."""
    label = state_label(game)
    return "" if label in PLAIN_ENDINGS else label

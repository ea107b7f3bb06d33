"""What must hold among a season's games, and between them and the feed. Pure: breaches out.

The feed's answers keep these rules without exception, so a breach is a fault, ours or the feed's:

- a final's line scores add up to its scores, and its winner's mark fits them;
- a game is on the day of its start, and no team plays twice at once;
- what the feed lists on days that were read is stored, on the same day, and nothing else is;
- a game that ended more than a day ago has the same result in a fresh answer;
- a recount of each team's games equals the feed's standings;
- box score, line score and plays of a final add up (``core/summary_faults``).

Games are mappings as ``sync/plan.py`` has them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from sportsapp.core.clock import day_of, each_day, game_day
from sportsapp.core.leagues import League
from sportsapp.core.records import StandingRecord, Status
from sportsapp.sync.doubts import CALLED_OFF, Values, has_result

SEASON, STANDINGS = "season", "standings"
SUMMARY = "box score"
"""The rule about summaries, each of which is read again for itself, and not with its day."""
FAULTS_SHOWN = 3
PRESEASON, REGULAR = 1, 2
AT_ONCE = timedelta(hours=1)
SETTLED = timedelta(days=1)
COUNTED = timedelta(hours=12)
"""A game that began more recently may be missing from the feed's standings."""

SIDES = (("home", "away"), ("away", "home"))
RESULT = ("status", "away_score", "home_score", "period", "away_team", "home_team", "season_type")
"""What a game counts for in the standings."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that does not hold.

    ``scope`` is what shows it: SEASON (the stored games alone), STANDINGS, or the month or day of
    a fresh answer, such as "2026-10". ``subject`` names the games or the team, ``text`` is one
    sentence. ``games`` are the feed's ids, ``days`` are those to be read again.
    """

    scope: str
    rule: str
    subject: str
    text: str
    games: tuple[str, ...]
    days: tuple[date, ...] = ()

    @property
    def key(self) -> str:
        """What distinguishes it from the other breaches of its season."""
        return f"{self.scope} {self.rule} {self.subject}"


@dataclass(frozen=True, slots=True)
class Season:
    """A league's stored games of a season, by the feed's id; ``names`` are the teams' by theirs.

    ``year`` is the feed's; ``read`` holds the days that were read to their end when they were over.
    ``faults`` are those of the games' stored summaries, of games that have any.
    """

    league: League
    year: int
    games: Mapping[str, Values]
    names: Mapping[str | None, str]
    read: Set[date]
    now: datetime
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def breach(self, scope: str, rule: str, fault: str, *games: Values) -> Breach:
        """The breach of a rule by these games, each of which may be stored or the feed's."""
        ids = tuple(dict.fromkeys(game["espn_id"] for game in games))
        names = [
            f"{self.names.get(game['away_team'], 'TBD')} at "
            f"{self.names.get(game['home_team'], 'TBD')} on {game['day']} ({game['espn_id']})"
            for game in games[: len(ids)]
        ]
        days = tuple(sorted({game["day"] for game in games}))
        return Breach(scope, rule, " ".join(ids), f"{' and '.join(names)}: {fault}", ids, days)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the feed says now of a season.

    ``boards`` has the games that a month or a day lists, by its name ("2026-10", "2026-10-25")
    and the feed's id. ``begins`` is the season's first day.
    """

    boards: Mapping[str, Mapping[str, Values]] = field(default_factory=dict)
    standings: Sequence[StandingRecord] = ()
    begins: date = date.max


def find_breaches(season: Season, answers: Answers) -> dict[str, Breach]:
    """Every breach by its key: of games alone, beside fresh answers, and beside the standings."""
    found = [breach for game in season.games.values() for breach in game_breaches(season, game)]
    found += games_at_once(season)
    found += differences(season, answers)
    found += recount(season, answers)
    return {breach.key: breach for breach in found}


# ---------------------------------------------------------------- the games alone


def game_breaches(season: Season, game: Values) -> Iterator[Breach]:
    """The breaches of one game in itself."""
    if game["day"] != (day := day_of(game["start_at"])):
        yield season.breach(SEASON, "day", f"its start is on {day}", game, {**game, "day": day})
    if has_result(game) and (faults := season.faults.get(game["espn_id"])):
        more = [f"and {len(faults) - FAULTS_SHOWN} more"] if len(faults) > FAULTS_SHOWN else []
        fault = "; ".join([*faults[:FAULTS_SHOWN], *more])
        yield replace(season.breach(SEASON, SUMMARY, fault, game), days=())
    home, away = game["home_score"], game["away_score"]
    if game["status"] != Status.FINAL or home is None or away is None:
        return  # a forfeit has the score that the rules of the sport give it
    for side, _ in SIDES:
        line, score = game[f"{side}_linescores"], game[f"{side}_score"]
        # the home side may not have played the last inning; any other gap is an unknown figure
        if line and None not in line[:-1] and (total := sum(n or 0 for n in line)) != score:
            team = season.names.get(game[f"{side}_team"], side)
            fault = f"the line score of {team} adds up to {total}, not {score}"
            yield season.breach(SEASON, "line score", fault, game)
    marks = game["home_winner"], game["away_winner"]
    # in soccer, penalties or the game before may decide who goes through
    is_decided = game["series"] or "pen" in game["detail"].lower()
    may_differ = season.league.draws and is_decided and not all(marks)
    if None not in marks and marks != (home > away, away > home) and not may_differ:
        winners = [
            season.names.get(game[f"{side}_team"], side)
            for side, _ in SIDES
            if game[f"{side}_winner"]
        ]
        fault = f"the winner is {' and '.join(winners) or 'nobody'} at {away}-{home}"
        yield season.breach(SEASON, "winner", fault, game)


def games_at_once(season: Season) -> Iterator[Breach]:
    """Pairs of games in which a team plays at the same time. Squads are split in preseason."""
    starts = sorted(
        (game[f"{side}_team"], game["start_at"], game["espn_id"])
        for game in season.games.values()
        for side, _ in SIDES
        if game[f"{side}_team"] and game["time_set"]
        if game["season_type"] != PRESEASON and game["status"] not in CALLED_OFF
    )
    for (team, start, one), (other_team, other_start, other) in pairwise(starts):
        if team == other_team and other_start - start < AT_ONCE:
            fault = f"{season.names.get(team, team)} plays twice at once"
            games = season.games[one], season.games[other]
            yield season.breach(SEASON, "at once", fault, *games)


# ---------------------------------------------------------------- fresh answers


def differences(season: Season, answers: Answers) -> Iterator[Breach]:
    """What fresh answers have otherwise than the stored games, on days that were read."""
    listed = {game_id for board in answers.boards.values() for game_id in board}
    for scope, board in answers.boards.items():
        for game_id, theirs in board.items():
            ours = season.games.get(game_id)
            if not season.read & {theirs["day"], (ours or theirs)["day"]}:
                continue
            if ours is None:
                fault = "the feed lists it, and it is not stored"
                yield season.breach(scope, "missing", fault, theirs)
                continue
            if ours["day"] != theirs["day"]:
                fault = f"the feed has it on {theirs['day']}"
                yield season.breach(scope, "day", fault, ours, theirs)
            is_over = has_result(ours) or has_result(theirs)
            faults = [
                f"{name} {ours[name]}, but {theirs[name]} in the feed"
                for name in RESULT
                if theirs[name] not in (None, ours[name])
            ]
            if faults and is_over and ours["start_at"] < season.now - SETTLED:
                yield season.breach(scope, "result", "; ".join(faults), ours)
        for game_id, ours in season.games.items():
            is_looked_at = ours["day"] in season.read and str(ours["day"]).startswith(scope)
            if is_looked_at and game_id not in listed and not ours["missing_since"]:
                yield season.breach(scope, "unlisted", "the feed does not list it", ours)


def counted_games(season: Season, answers: Answers) -> list[Values]:
    """The games that count in the standings; none unless every day so far was read.

    The final of a cup within the season counts in no table.
    """
    games = [
        game
        for game in season.games.values()
        if game["season_type"] == REGULAR and has_result(game)
        if not all(word in game["note"].lower() for word in ("cup", "championship"))
    ]
    yesterday = game_day(season.now) - timedelta(days=1)
    last = min(yesterday, max((game["day"] for game in season.games.values()), default=date.min))
    return games if season.read >= {*each_day(answers.begins, last)} else []


def recount(season: Season, answers: Answers) -> Iterator[Breach]:
    """Teams whose wins, losses, ties and lost overtimes are not the standings'.

    A team that has just played is left out.
    """
    games = counted_games(season, answers)
    counts = Counter(
        (game[f"{side}_team"], outcome_of(season.league, game, side, other))
        for game in games
        for side, other in SIDES
    )
    for line in answers.standings if games else ():
        team = line.team
        played = [g for g in games if team.espn_id in (g["home_team"], g["away_team"])]
        theirs = {
            name: int(line.stats[name])
            for name in ("wins", "losses", "ties", "otLosses")
            if line.stats.get(name, "").isdecimal()
        }
        ours = {name: counts[team.espn_id, name] for name in theirs}
        has_just_played = any(game["start_at"] > season.now - COUNTED for game in played)
        if ours != theirs and not has_just_played:
            before, after = ("-".join(map(str, row.values())) for row in (ours, theirs))
            text = f"{team.abbreviation}: {before} by its games, {after} in the standings"
            ids = tuple(game["espn_id"] for game in played)
            yield Breach(STANDINGS, "record", team.abbreviation, text, ids)


def outcome_of(league: League, game: Values, side: str, other: str) -> str:
    """How a game ended for a side, by the standings' names of it."""
    what = "winner" if game["status"] == Status.FORFEIT else "score"
    ours, theirs = game[f"{side}_{what}"], game[f"{other}_{what}"]
    if ours == theirs:
        return "ties"
    is_late = "otLosses" in league.standings and game["period"] > league.periods
    return "wins" if ours > theirs else "otLosses" if is_late else "losses"

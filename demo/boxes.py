"""Box scores: what the plays so far add up to, for each player and each team."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from demo.fixtures import Fixture
from demo.players import DemoPlayer
from demo.plays import SEATS, Play, roster_of, starters_of
from demo.shapes import JsonObject

Figures = Counter[str]
Text = Callable[[Figures], str]


def number(name: str) -> Text:
    return lambda figures: str(figures[name])


def pair(made: str, tried: str, sign: str = "-") -> Text:
    return lambda figures: f"{figures[made]}{sign}{figures[tried]}"


def innings(figures: Figures) -> str:
    return f"{figures['OUTS'] // 3}.{figures['OUTS'] % 3}"


def saves(figures: Figures) -> str:
    return str(figures["SA"] - figures["GA"])


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the feed's label and name, and the text of a player's figures."""

    label: str
    key: str
    text: Text


@dataclass(frozen=True, slots=True)
class Table:
    """A table of players: the feed's name, its columns, and the figures that put one into it."""

    name: str
    columns: tuple[Column, ...]
    counts: frozenset[str]
    has_totals: bool = True


def table(name: str, counts: str, *columns: Column, has_totals: bool = True) -> Table:
    return Table(name, columns, frozenset(counts.split()), has_totals)


SKATING = (
    Column("G", "goals", number("G")),
    Column("A", "assists", number("A")),
    Column("S", "shotsTotal", number("S")),
    Column("SOG", "shootoutGoals", number("SOG")),
    Column("PN", "penalties", number("PN")),
    Column("PIM", "penaltyMinutes", number("PIM")),
)
TABLES: dict[str, tuple[Table, ...]] = {
    "football": (
        table(
            "passing",
            "ATT",
            Column("C/ATT", "completions/passingAttempts", pair("C", "ATT", "/")),
            Column("YDS", "passingYards", number("PYDS")),
            Column("TD", "passingTouchdowns", number("PTD")),
        ),
        table(
            "rushing",
            "CAR",
            Column("CAR", "rushingAttempts", number("CAR")),
            Column("YDS", "rushingYards", number("RYDS")),
            Column("TD", "rushingTouchdowns", number("RTD")),
        ),
        table(
            "receiving",
            "REC",
            Column("REC", "receptions", number("REC")),
            Column("YDS", "receivingYards", number("CYDS")),
            Column("TD", "receivingTouchdowns", number("CTD")),
        ),
        table(
            "kicking",
            "FGA XP",
            Column("FG", "fieldGoalsMade/fieldGoalAttempts", pair("FG", "FGA", "/")),
            Column("XP", "extraPointsMade/extraPointAttempts", pair("XP", "XP", "/")),
            Column("PTS", "totalKickingPoints", number("PTS")),
        ),
    ),
    "basketball": (
        table(
            "",
            "PTS FGA REB PF AST",
            Column("PTS", "points", number("PTS")),
            Column("FG", "fieldGoalsMade-fieldGoalsAttempted", pair("FG", "FGA")),
            Column(
                *("3PT", "threePointFieldGoalsMade-threePointFieldGoalsAttempted"),
                pair("3PT", "3PTA"),
            ),
            Column("FT", "freeThrowsMade-freeThrowsAttempted", pair("FT", "FTA")),
            Column("REB", "rebounds", number("REB")),
            Column("AST", "assists", number("AST")),
            Column("PF", "fouls", number("PF")),
        ),
    ),
    "baseball": (
        table(
            "batting",
            "AB R",
            Column("H-AB", "hits-atBats", pair("H", "AB")),
            Column("AB", "atBats", number("AB")),
            Column("R", "runs", number("R")),
            Column("H", "hits", number("H")),
            Column("RBI", "RBIs", number("RBI")),
            Column("K", "strikeouts", number("SO")),
        ),
        table(
            "pitching",
            "OUTS PH",
            Column("IP", "fullInnings.partInnings", innings),
            Column("H", "hits", number("PH")),
            Column("R", "runs", number("PR")),
            Column("ER", "earnedRuns", number("PR")),
            Column("K", "strikeouts", number("PK")),
        ),
    ),
    "hockey": (
        table("forwards", "G A S SOG PIM", *SKATING, has_totals=False),
        table("defenses", "G A S SOG PIM", *SKATING, has_totals=False),
        table(
            "goalies",
            "SA",
            Column("GA", "goalsAgainst", number("GA")),
            Column("SA", "shotsAgainst", number("SA")),
            Column("SV", "saves", saves),
            has_totals=False,
        ),
    ),
    "soccer": (),
}
TEAM_FIGURES: dict[str, tuple[Column, ...]] = {
    "football": (
        Column("Passing", "netPassingYards", number("PYDS")),
        Column("Comp/Att", "completionAttempts", pair("C", "ATT", "/")),
        Column("Rushing", "rushingYards", number("RYDS")),
        Column("Rushing Attempts", "rushingAttempts", number("CAR")),
    ),
    "basketball": (
        Column("FG", "fieldGoalsMade-fieldGoalsAttempted", pair("FG", "FGA")),
        Column("FT", "freeThrowsMade-freeThrowsAttempted", pair("FT", "FTA")),
        Column("Rebounds", "totalRebounds", number("REB")),
        Column("Assists", "assists", number("AST")),
        Column("Fouls", "fouls", number("PF")),
    ),
    "baseball": (
        Column("R", "runs", number("R")),
        Column("H", "hits", number("H")),
        Column("RBI", "RBIs", number("RBI")),
    ),
    "hockey": (
        Column("Shots", "shotsTotal", number("S")),
        Column("Total Penalties", "penalties", number("PN")),
        Column("Penalty Minutes", "penaltyMinutes", number("PIM")),
    ),
    "soccer": (
        Column("Fouls", "foulsCommitted", number("FC")),
        Column("Yellow Cards", "yellowCards", number("YC")),
        Column("SHOTS", "totalShots", number("SH")),
    ),
}


def figures_of(plays: Iterable[Play]) -> dict[str, Figures]:
    """Return what each player has done, by his id."""
    figures: dict[str, Figures] = {}
    for play in plays:
        for player, name, count in play.stats:
            figures.setdefault(player.id, Counter())[name] += count
    return figures


def box_json(game: Fixture, plays: Sequence[Play], teams: Sequence[JsonObject]) -> JsonObject:
    """Return the box score; `teams` are away and home as box scores have them."""
    figures = figures_of(plays)
    box: JsonObject = {"teams": [], "players": []}
    for seat, team in zip(SEATS, teams, strict=True):
        roster = [player for player in roster_of(game, seat) if player.id in figures]
        side = {"team": team, "displayOrder": seat + 1}
        stats = team_figures(game, roster, figures)
        box["teams"].append(side | {"statistics": stats, "homeAway": "home" if seat else "away"})
        tables = [table_json(game, seat, one, roster, figures) for one in TABLES[game.league.sport]]
        if tables:
            box["players"].append(side | {"statistics": tables})
    return box


def team_figures(
    game: Fixture, roster: Iterable[DemoPlayer], figures: dict[str, Figures]
) -> list[JsonObject]:
    """Return the team's figures; in baseball they are a group."""
    total = sum((figures[player.id] for player in roster), Counter())
    stats = [
        {"name": column.key, "displayValue": column.text(total), "label": column.label}
        for column in TEAM_FIGURES[game.league.sport]
    ]
    if game.league.sport != "baseball":
        return stats
    short = [stat | {"abbreviation": stat.pop("label")} for stat in stats]
    return [{"name": "batting", "displayName": "Batting", "stats": short}]


def table_json(
    game: Fixture,
    seat: int,
    own: Table,
    roster: Iterable[DemoPlayer],
    figures: dict[str, Figures],
) -> JsonObject:
    players = [
        player
        for player in roster
        if own.counts.intersection(+figures[player.id]) and belongs(player, own)
    ]
    lines = [
        {
            "athlete": athlete_in_box(game, player),
            "stats": [column.text(figures[player.id]) for column in own.columns],
            **starter_json(game, seat, player),
        }
        for player in players
    ]
    total = sum((figures[player.id] for player in players), Counter())
    answer: JsonObject = {
        "labels": [column.label for column in own.columns],
        "keys": [column.key for column in own.columns],
        "athletes": lines,
    }
    if own.name:
        answer["type" if game.league.sport == "baseball" else "name"] = own.name
    if own.has_totals:
        answer["totals"] = [column.text(total) for column in own.columns] if players else []
    return answer


def belongs(player: DemoPlayer, own: Table) -> bool:
    """Return whether a skater is in the table of his group."""
    is_defender = player.group == "Defense"
    return not (own.name == "forwards" and is_defender) and (own.name != "defenses" or is_defender)


def starter_json(game: Fixture, seat: int, player: DemoPlayer) -> JsonObject:
    """Return whether a player started, where the feed says so: in basketball and baseball."""
    if game.league.sport == "basketball":
        return {"starter": player in starters_of(game, seat)}
    return {"starter": True} if game.league.sport == "baseball" else {}


def athlete_in_box(game: Fixture, player: DemoPlayer) -> JsonObject:
    """Return a player as box scores show one: in football without a position."""
    athlete: JsonObject = {"id": player.id, "displayName": player.name}
    if game.league.sport != "football":
        athlete |= {"shortName": player.short_name, "position": position_in_box(player)}
    if player.jersey and game.league.sport != "baseball":
        athlete["jersey"] = player.jersey
    return athlete


def position_in_box(player: DemoPlayer) -> JsonObject:
    position = player.position
    return {
        "name": position.name,
        "displayName": position.name,
        "abbreviation": position.abbreviation,
    }

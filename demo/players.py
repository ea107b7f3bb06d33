"""Made-up players: every team always has a full roster, and now and then somebody leaves.

A roster has a fixed number of places. Whoever fills a place stays for `TENURE` weeks, then a
newcomer with an id of his own takes it; the places change hands in different weeks. No name,
birthday or picture is a real player's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from demo.chance import seeded
from demo.teams import DemoTeam

TENURE = 60
FIRST_ID = 9_000_000
EPOCH = date(2000, 1, 3)
FIRST_NAMES = [
    "Aldo",
    "Amari",
    "Anders",
    "Beckett",
    "Bodie",
    "Caspian",
    "Cormac",
    "Dario",
    "Deshawn",
    "Eamon",
    "Eliseo",
    "Emeka",
    "Finn",
    "Gideon",
    "Hollis",
    "Idris",
    "Ivo",
    "Jarek",
    "Jovan",
    "Kofi",
    "Lachlan",
    "Leif",
    "Luca",
    "Malik",
    "Mateo",
    "Nico",
    "Odell",
    "Osric",
    "Pavel",
    "Quade",
    "Rafe",
    "Ruben",
    "Soren",
    "Tadeo",
    "Teodor",
    "Ulises",
    "Viggo",
    "Wendell",
    "Xavi",
    "Zeke",
]
SURNAME_HEADS = [
    "Ash",
    "Bram",
    "Cald",
    "Dun",
    "Elm",
    "Fair",
    "Gran",
    "Hal",
    "Ing",
    "Kess",
    "Lang",
    "Mar",
    "Nor",
    "Oak",
    "Pem",
    "Quil",
    "Rad",
    "Sel",
    "Thorn",
    "Ul",
    "Ver",
    "Wex",
    "Yar",
    "Zel",
]
SURNAME_TAILS = [
    "brook",
    "by",
    "combe",
    "dale",
    "den",
    "ford",
    "ham",
    "ley",
    "low",
    "mere",
    "mont",
    "ridge",
    "sett",
    "stead",
    "thorpe",
    "ton",
    "ward",
    "wick",
    "wood",
    "worth",
]
TOWNS = (
    ("Alder Falls", "OH", "USA"),
    ("Port Merrin", "ME", "USA"),
    ("Caldera Springs", "AZ", "USA"),
    ("Grand Tamarack", "MN", "USA"),
    ("Lac des Pins", "QC", "Canada"),
    ("Sandhollow", "TX", "USA"),
    ("Villa Serena", "", "Dominican Republic"),
    ("Norrvik", "", "Sweden"),
)


@dataclass(frozen=True, slots=True)
class Position:
    """A place to play: the feed's id, name, abbreviation, and the abbreviation of its parent."""

    id: str
    name: str
    abbreviation: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class DemoPlayer:
    """One made-up player; heights are inches, weights pounds, empty fields are left out."""

    id: str
    group: str
    first: str
    last: str
    position: Position
    jersey: str
    height: int
    weight: int
    born: date | None
    town: tuple[str, str, str] | None
    years: int
    status: str
    right: bool

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def short_name(self) -> str:
        return f"{self.first[0]}. {self.last}"


Places = tuple[tuple[str, tuple[tuple[Position, int], ...]], ...]

SP, RP = Position("15", "Starting Pitcher", "SP", "P"), Position("0", "Relief Pitcher", "RP", "P")
WR, DE = Position("1", "Wide Receiver", "WR", "OFF"), Position("31", "Defensive End", "DE", "DEF")
QB = Position("8", "Quarterback", "QB", "OFF")
RB = Position("9", "Running Back", "RB", "OFF")
CB = Position("29", "Cornerback", "CB", "DB")
GOALIE = Position("5", "Goaltender", "G")

PLACES: dict[str, Places] = {
    "nfl": (
        (
            "offense",
            (
                (QB, 3),
                (RB, 4),
                (WR, 6),
                (Position("7", "Tight End", "TE", "OFF"), 4),
                (Position("46", "Offensive Tackle", "OT", "OFF"), 4),
                (Position("73", "Guard", "G"), 4),
                (Position("4", "Center", "C", "OFF"), 2),
            ),
        ),
        (
            "defense",
            (
                (DE, 5),
                (Position("32", "Defensive Tackle", "DT", "DEF"), 4),
                (Position("30", "Linebacker", "LB", "DEF"), 7),
                (CB, 5),
                (Position("36", "Safety", "S", "DB"), 4),
            ),
        ),
        (
            "specialTeam",
            (
                (Position("22", "Place kicker", "PK", "ST"), 1),
                (Position("23", "Punter", "P", "ST"), 1),
                (Position("78", "Long Snapper", "LS", "ST"), 1),
            ),
        ),
        ("injuredReserveOrOut", ((WR, 1), (DE, 1))),
        ("suspended", ()),
        ("practiceSquad", ((WR, 2), (RB, 1), (CB, 3), (DE, 2))),
    ),
    "nba": (
        (
            "",
            (
                (Position("1", "Point Guard", "PG", "G"), 3),
                (Position("2", "Shooting Guard", "SG", "G"), 3),
                (Position("5", "Small Forward", "SF", "F"), 3),
                (Position("6", "Power Forward", "PF", "F"), 3),
                (Position("9", "Center", "C"), 3),
            ),
        ),
    ),
    "mlb": (
        ("Pitchers", ((SP, 5), (RP, 8))),
        ("Catchers", ((Position("2", "Catcher", "C", "IF"), 2),)),
        (
            "Infielders",
            (
                (Position("3", "First Base", "1B", "IF"), 1),
                (Position("4", "Second Base", "2B", "IF"), 2),
                (Position("5", "Third Base", "3B", "IF"), 1),
                (Position("6", "Shortstop", "SS", "IF"), 2),
            ),
        ),
        (
            "Outfielders",
            (
                (Position("7", "Left Field", "LF", "OF"), 2),
                (Position("8", "Center Field", "CF", "OF"), 1),
                (Position("9", "Right Field", "RF", "OF"), 1),
            ),
        ),
        ("Designated Hitter", ((Position("10", "Designated Hitter", "DH", "BA"), 1),)),
    ),
    "nhl": (
        ("Centers", ((Position("1", "Center", "C", "F"), 5),)),
        ("Left Wings", ((Position("2", "Left Wing", "LW", "F"), 4),)),
        ("Right Wings", ((Position("3", "Right Wing", "RW", "F"), 4),)),
        ("Defense", ((Position("4", "Defense", "D", "S"), 8),)),
        ("Goalies", ((GOALIE, 2),)),
    ),
}
PLACES["mens-college-basketball"] = (
    (
        "",
        (
            (Position("3", "Guard", "G"), 6),
            (Position("7", "Forward", "F"), 5),
            (Position("9", "Center", "C"), 2),
        ),
    ),
)
PLACES["usa.1"] = (
    (
        "",
        (
            (Position("1", "Goalkeeper", "G"), 3),
            (Position("2", "Defender", "D"), 8),
            (Position("3", "Midfielder", "M"), 8),
            (Position("4", "Forward", "F"), 6),
        ),
    ),
)


PLACES["womens-college-basketball"] = PLACES["mens-college-basketball"]
PLACES["college-football"] = PLACES["nfl"][:3]
PLACES["wnba"] = PLACES["nba"]
PLACES["eng.1"] = PLACES["usa.1"]


def week_number(day: date) -> int:
    return (day - EPOCH).days // 7


def roster_on(team: DemoTeam, day: date) -> tuple[DemoPlayer, ...]:
    """Return a team's players on a day, group by group; ids are unique in the league."""
    return roster_in_week(team, week_number(day))


@lru_cache(maxsize=400)
def roster_in_week(team: DemoTeam, week: int) -> tuple[DemoPlayer, ...]:
    places = [
        (group, position)
        for group, positions in PLACES[team.league]
        for position, count in positions
        for _ in range(count)
    ]
    return tuple(
        make_player(team, place, (week + place * 7 + team.index * 3) // TENURE, group, position)
        for place, (group, position) in enumerate(places)
    )


@lru_cache(maxsize=40_000)
def make_player(
    team: DemoTeam, place: int, generation: int, group: str, position: Position
) -> DemoPlayer:
    """Invent who fills a place; one player in twelve lacks what the feed often lacks."""
    chance = seeded("player", team.league, team.id, place, generation)
    surname = chance.choice(SURNAME_HEADS) + chance.choice(SURNAME_TAILS)
    unknown = chance.random() < 1 / 12
    years = chance.randrange(16)
    arrived = EPOCH.year + generation * TENURE // 52
    born = date(arrived - 21 - years, chance.randint(1, 12), place % 27 + 1)
    return DemoPlayer(
        id=str(FIRST_ID + team.index * 20_000 + place * 200 + generation % 200),
        group=group,
        first=chance.choice(FIRST_NAMES),
        last=surname,
        position=position,
        jersey="" if group == "practiceSquad" else str((place + chance.randrange(2) * 40) % 99),
        height=chance.randint(70, 82),
        weight=chance.randint(175, 260),
        born=None if unknown else born,
        town=None if unknown else chance.choice(TOWNS),
        years=years,
        status="day-to-day" if group == "injuredReserveOrOut" else "active",
        right=chance.random() < 0.7,
    )


def groups_of(players: Iterable[DemoPlayer], league: str) -> dict[str, list[DemoPlayer]]:
    """Return the players by group, in the feed's order, empty groups included."""
    groups: dict[str, list[DemoPlayer]] = {name: [] for name, _ in PLACES[league]}
    for player in players:
        groups[player.group].append(player)
    return groups

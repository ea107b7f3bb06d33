"""The leagues of the demo as the feed names them, and how long their games take.

NFL, NBA, MLB and NHL; the WNBA; three of colleges (ranks, a division that has to be asked for),
which are a few conferences; two of soccer (draws, a clock that counts up).
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class DemoLeague:
    """One league: its place in addresses, its ids, and the shape of a game.

    `period_clock` counts game seconds (0: no clock), `period_time` and `overtime_time` real ones.
    `offset` is where its ids begin among all of a season. `groups` are the conferences as (short
    name, id, full name, abbreviation). `division` is the group without which a college's
    scoreboard holds ranked teams alone, and `ranked` how many of them there are.
    """

    key: str
    sport: str
    sport_id: str
    id: str
    name: str
    offset: int
    periods: int
    period_word: str
    period_clock: int
    overtime_clock: int
    period_time: int
    overtime_time: int
    short_break: int
    long_break: int
    group_id: str
    groups: tuple[tuple[str, str, str, str], ...]
    short_name: str = ""
    division: str = ""
    ranked: int = 0

    @property
    def uid(self) -> str:
        return f"s:{self.sport_id}~l:{self.id}"

    @property
    def abbreviation(self) -> str:
        return self.short_name or self.key.upper()


NFL = DemoLeague(
    key="nfl",
    sport="football",
    sport_id="20",
    id="28",
    name="National Football League",
    offset=0,
    periods=4,
    period_word="Quarter",
    period_clock=900,
    overtime_clock=600,
    period_time=2370,
    overtime_time=1500,
    short_break=120,
    long_break=780,
    group_id="9",
    groups=(
        ("AFC", "8", "American Football Conference", "AFC"),
        ("NFC", "7", "National Football Conference", "NFC"),
    ),
)
NBA = DemoLeague(
    key="nba",
    sport="basketball",
    sport_id="40",
    id="46",
    name="National Basketball Association",
    offset=3000,
    periods=4,
    period_word="Quarter",
    period_clock=720,
    overtime_clock=300,
    period_time=2010,
    overtime_time=720,
    short_break=150,
    long_break=900,
    group_id="7",
    groups=(
        ("East", "5", "Eastern Conference", "East"),
        ("West", "6", "Western Conference", "West"),
    ),
)
MLB = DemoLeague(
    key="mlb",
    sport="baseball",
    sport_id="1",
    id="10",
    name="Major League Baseball",
    offset=6000,
    periods=9,
    period_word="Inning",
    period_clock=0,
    overtime_clock=0,
    period_time=435,
    overtime_time=435,
    short_break=125,
    long_break=125,
    group_id="9",
    groups=(
        ("AL", "7", "American League", "AL"),
        ("NL", "8", "National League", "NL"),
    ),
)
NHL = DemoLeague(
    key="nhl",
    sport="hockey",
    sport_id="70",
    id="90",
    name="National Hockey League",
    offset=9000,
    periods=3,
    period_word="Period",
    period_clock=1200,
    overtime_clock=300,
    period_time=2400,
    overtime_time=540,
    short_break=1080,
    long_break=1080,
    group_id="9",
    groups=(
        ("East", "7", "Eastern Conference", "East"),
        ("West", "8", "Western Conference", "West"),
    ),
)

NCAAM = DemoLeague(
    key="mens-college-basketball",
    sport="basketball",
    sport_id="40",
    id="41",
    name="NCAA Men's Basketball",
    offset=8_000_000,
    periods=2,
    period_word="Half",
    period_clock=1200,
    overtime_clock=300,
    period_time=3000,
    overtime_time=720,
    short_break=150,
    long_break=900,
    group_id="50",
    short_name="NCAAM",
    division="50",
    ranked=12,
    groups=(
        ("ACC", "2", "Atlantic Coast Conference", "acc"),
        ("Big12", "8", "Big 12 Conference", "big12"),
        ("BigEast", "4", "Big East Conference", "bige"),
        ("SEC", "23", "Southeastern Conference", "sec"),
    ),
)
MLS = DemoLeague(
    key="usa.1",
    sport="soccer",
    sport_id="600",
    id="770",
    name="MLS",
    offset=-400_400_000,
    periods=2,
    period_word="Half",
    period_clock=2700,
    overtime_clock=900,
    period_time=2880,
    overtime_time=900,
    short_break=300,
    long_break=900,
    group_id="1",
    short_name="MLS",
    groups=(
        ("East", "10", "Eastern Conference", "East"),
        ("West", "11", "Western Conference", "West"),
    ),
)

WNBA = replace(
    NBA,
    key="wnba",
    id="59",
    name="Women's National Basketball Assoc.",
    offset=8_003_000,
    period_clock=600,
    period_time=1620,
    groups=(
        ("East", "1", "Eastern Conference", "East"),
        ("West", "2", "Western Conference", "West"),
    ),
)
NCAAW = replace(
    NCAAM,
    key="womens-college-basketball",
    id="54",
    name="NCAA Women's Basketball",
    offset=8_006_000,
    periods=4,
    period_word="Quarter",
    period_clock=600,
    period_time=1500,
    short_name="NCAAW",
)
NCAAF = replace(
    NFL,
    key="college-football",
    id="23",
    name="NCAA - Football",
    offset=8_009_000,
    group_id="80",
    short_name="NCAAF",
    division="80",
    ranked=12,
    groups=(
        ("ACC", "1", "Atlantic Coast Conference", "acc"),
        ("Big12", "4", "Big 12 Conference", "big12"),
        ("SEC", "8", "Southeastern Conference", "sec"),
    ),
)
EPL = replace(
    MLS,
    key="eng.1",
    id="700",
    name="English Premier League",
    offset=MLS.offset + 3000,
    short_name="EPL",
    groups=(("EPL", "1", "English Premier League", "EPL"),),
)

LEAGUES = {
    league.key: league for league in (NFL, NBA, MLB, NHL, NCAAM, MLS, WNBA, NCAAW, NCAAF, EPL)
}


def find_league(sport: str, key: str) -> DemoLeague | None:
    """Return the league of a sport/league pair, or None when the feed has no such pair."""
    league = LEAGUES.get(key)
    return league if league and league.sport == sport else None

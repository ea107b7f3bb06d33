"""The teams of the four leagues: facts about real clubs, one line a team.

A line reads `id abbreviation colour second-colour conference division|location|name|venue|city`,
with `|roof` where rain does not matter.
"""

from dataclasses import dataclass
from functools import cache

NFL = """
22 ARI a40227 ffffff NFC West|Arizona|Cardinals|State Farm Stadium|Glendale, AZ|roof
1 ATL a71930 000000 NFC South|Atlanta|Falcons|Mercedes-Benz Stadium|Atlanta, GA|roof
33 BAL 29126f 000000 AFC North|Baltimore|Ravens|M&T Bank Stadium|Baltimore, MD
2 BUF 00338d d50a0a AFC East|Buffalo|Bills|Highmark Stadium|Orchard Park, NY
29 CAR 0085ca 000000 NFC South|Carolina|Panthers|Bank of America Stadium|Charlotte, NC
3 CHI 0b1c3a e64100 NFC North|Chicago|Bears|Soldier Field|Chicago, IL
4 CIN fb4f14 000000 AFC North|Cincinnati|Bengals|Paycor Stadium|Cincinnati, OH
5 CLE 472a08 ff3c00 AFC North|Cleveland|Browns|Huntington Bank Field|Cleveland, OH
6 DAL 002a5c b0b7bc NFC East|Dallas|Cowboys|AT&T Stadium|Arlington, TX|roof
7 DEN 0a2343 fc4c02 AFC West|Denver|Broncos|Empower Field at Mile High|Denver, CO
8 DET 0076b6 bbbbbb NFC North|Detroit|Lions|Ford Field|Detroit, MI|roof
9 GB 204e32 ffb612 NFC North|Green Bay|Packers|Lambeau Field|Green Bay, WI
34 HOU 00143f c41230 AFC South|Houston|Texans|NRG Stadium|Houston, TX|roof
11 IND 003b75 ffffff AFC South|Indianapolis|Colts|Lucas Oil Stadium|Indianapolis, IN|roof
30 JAX 007487 d7a22a AFC South|Jacksonville|Jaguars|EverBank Stadium|Jacksonville, FL
12 KC e31837 ffb612 AFC West|Kansas City|Chiefs|GEHA Field at Arrowhead Stadium|Kansas City, MO
13 LV 000000 a5acaf AFC West|Las Vegas|Raiders|Allegiant Stadium|Las Vegas, NV|roof
24 LAC 0080c6 ffc20e AFC West|Los Angeles|Chargers|SoFi Stadium|Inglewood, CA|roof
14 LAR 003594 ffd100 NFC West|Los Angeles|Rams|SoFi Stadium|Inglewood, CA|roof
15 MIA 008e97 fc4c02 AFC East|Miami|Dolphins|Hard Rock Stadium|Miami Gardens, FL
16 MIN 4f2683 ffc62f NFC North|Minnesota|Vikings|U.S. Bank Stadium|Minneapolis, MN|roof
17 NE 002a5c c60c30 AFC East|New England|Patriots|Gillette Stadium|Foxborough, MA
18 NO d3bc8d 000000 NFC South|New Orleans|Saints|Caesars Superdome|New Orleans, LA|roof
19 NYG 003c7f c9243f NFC East|New York|Giants|MetLife Stadium|East Rutherford, NJ
20 NYJ 115740 ffffff AFC East|New York|Jets|MetLife Stadium|East Rutherford, NJ
21 PHI 06424d 000000 NFC East|Philadelphia|Eagles|Lincoln Financial Field|Philadelphia, PA
23 PIT 000000 ffb612 AFC North|Pittsburgh|Steelers|Acrisure Stadium|Pittsburgh, PA
25 SF aa0000 b3995d NFC West|San Francisco|49ers|Levi's Stadium|Santa Clara, CA
26 SEA 002a5c 69be28 NFC West|Seattle|Seahawks|Lumen Field|Seattle, WA
27 TB bd1c36 3e3a35 NFC South|Tampa Bay|Buccaneers|Raymond James Stadium|Tampa, FL
10 TEN 4b92db 002a5c AFC South|Tennessee|Titans|Nissan Stadium|Nashville, TN
28 WSH 5a1414 ffb612 NFC East|Washington|Commanders|Northwest Stadium|Landover, MD
"""

NBA = """
1 ATL c8102e fdb927 East Southeast|Atlanta|Hawks|State Farm Arena|Atlanta, GA
2 BOS 008348 ffffff East Atlantic|Boston|Celtics|TD Garden|Boston, MA
17 BKN 000000 ffffff East Atlantic|Brooklyn|Nets|Barclays Center|Brooklyn, NY
30 CHA 008ca8 1d1060 East Southeast|Charlotte|Hornets|Spectrum Center|Charlotte, NC
4 CHI ce1141 000000 East Central|Chicago|Bulls|United Center|Chicago, IL
5 CLE 860038 bc945c East Central|Cleveland|Cavaliers|Rocket Arena|Cleveland, OH
6 DAL 0064b1 bbc4ca West Southwest|Dallas|Mavericks|American Airlines Center|Dallas, TX
7 DEN 0e2240 fec524 West Northwest|Denver|Nuggets|Ball Arena|Denver, CO
8 DET 1d428a c8102e East Central|Detroit|Pistons|Little Caesars Arena|Detroit, MI
9 GS fdb927 1d428a West Pacific|Golden State|Warriors|Chase Center|San Francisco, CA
10 HOU ce1141 000000 West Southwest|Houston|Rockets|Toyota Center|Houston, TX
11 IND 002d62 fdbb30 East Central|Indiana|Pacers|Gainbridge Fieldhouse|Indianapolis, IN
12 LAC 12173f c8102e West Pacific|LA|Clippers|Intuit Dome|Inglewood, CA
13 LAL 552583 fdb927 West Pacific|Los Angeles|Lakers|crypto.com Arena|Los Angeles, CA
29 MEM 5d76a9 12173f West Southwest|Memphis|Grizzlies|FedExForum|Memphis, TN
14 MIA 98002e 000000 East Southeast|Miami|Heat|Kaseya Center|Miami, FL
15 MIL 00471b eee1c6 East Central|Milwaukee|Bucks|Fiserv Forum|Milwaukee, WI
16 MIN 266092 79bc43 West Northwest|Minnesota|Timberwolves|Target Center|Minneapolis, MN
3 NO 0a2240 b4975a West Southwest|New Orleans|Pelicans|Smoothie King Center|New Orleans, LA
18 NY 1d428a f58426 East Atlantic|New York|Knicks|Madison Square Garden|New York, NY
25 OKC 007ac1 ef3b24 West Northwest|Oklahoma City|Thunder|Paycom Center|Oklahoma City, OK
19 ORL 0077c0 c4ced4 East Southeast|Orlando|Magic|Kia Center|Orlando, FL
20 PHI 1d428a e01234 East Atlantic|Philadelphia|76ers|Xfinity Mobile Arena|Philadelphia, PA
21 PHX 29127a e56020 West Pacific|Phoenix|Suns|Mortgage Matchup Center|Phoenix, AZ
22 POR e03a3e 000000 West Northwest|Portland|Trail Blazers|Moda Center|Portland, OR
23 SAC 5a2d81 6a7a82 West Pacific|Sacramento|Kings|Golden 1 Center|Sacramento, CA
24 SA 000000 c4ced4 West Southwest|San Antonio|Spurs|Frost Bank Center|San Antonio, TX
28 TOR d91244 000000 East Atlantic|Toronto|Raptors|Scotiabank Arena|Toronto, ON
26 UTAH 000000 fff21f West Northwest|Utah|Jazz|Delta Center|Salt Lake City, UT
27 WSH e31837 002b5c East Southeast|Washington|Wizards|Capital One Arena|Washington, DC
"""

MLB = """
29 ARI aa182c 000000 NL West|Arizona|Diamondbacks|Chase Field|Phoenix, Arizona|roof
11 ATH 003831 efb21e AL West|Athletics|Athletics|Sutter Health Park|Sacramento, California
15 ATL 0c2340 ba0c2f NL East|Atlanta|Braves|Truist Park|Atlanta, Georgia
1 BAL df4601 000000 AL East|Baltimore|Orioles|Oriole Park at Camden Yards|Baltimore, Maryland
2 BOS 0d2b56 bd3039 AL East|Boston|Red Sox|Fenway Park|Boston, Massachusetts
16 CHC 0e3386 cc3433 NL Central|Chicago|Cubs|Wrigley Field|Chicago, Illinois
4 CHW 000000 c4ced4 AL Central|Chicago|White Sox|Rate Field|Chicago, Illinois
17 CIN c6011f ffffff NL Central|Cincinnati|Reds|Great American Ball Park|Cincinnati, Ohio
5 CLE 002b5c e31937 AL Central|Cleveland|Guardians|Progressive Field|Cleveland, Ohio
27 COL 33006f 000000 NL West|Colorado|Rockies|Coors Field|Denver, Colorado
6 DET 0a2240 ff4713 AL Central|Detroit|Tigers|Comerica Park|Detroit, Michigan
18 HOU 002d62 eb6e1f AL West|Houston|Astros|Daikin Park|Houston, Texas|roof
7 KC 004687 7ab2dd AL Central|Kansas City|Royals|Kauffman Stadium|Kansas City, Missouri
3 LAA ba0021 c4ced4 AL West|Los Angeles|Angels|Angel Stadium|Anaheim, California
19 LAD 005a9c ffffff NL West|Los Angeles|Dodgers|Dodger Stadium|Los Angeles, California
28 MIA 00a3e0 000000 NL East|Miami|Marlins|loanDepot park|Miami, Florida|roof
8 MIL 13294b ffc72c NL Central|Milwaukee|Brewers|American Family Field|Milwaukee, Wisconsin|roof
9 MIN 031f40 e20e32 AL Central|Minnesota|Twins|Target Field|Minneapolis, Minnesota
21 NYM 002d72 ff5910 NL East|New York|Mets|Citi Field|Queens, New York
10 NYY 132448 c4ced4 AL East|New York|Yankees|Yankee Stadium|Bronx, New York
22 PHI e81828 003278 NL East|Philadelphia|Phillies|Citizens Bank Park|Philadelphia, Pennsylvania
23 PIT 000000 fdb827 NL Central|Pittsburgh|Pirates|PNC Park|Pittsburgh, Pennsylvania
25 SD 2f241d ffc425 NL West|San Diego|Padres|Petco Park|San Diego, California
26 SF 000000 fd5a1e NL West|San Francisco|Giants|Oracle Park|San Francisco, California
12 SEA 005c5c 0c2c56 AL West|Seattle|Mariners|T-Mobile Park|Seattle, Washington|roof
24 STL be0a14 001541 NL Central|St. Louis|Cardinals|Busch Stadium|St. Louis, Missouri
30 TB 092c5c 8fbce6 AL East|Tampa Bay|Rays|Tropicana Field|St. Petersburg, Florida|roof
13 TEX 003278 c0111f AL West|Texas|Rangers|Globe Life Field|Arlington, Texas|roof
14 TOR 134a8e 6cace5 AL East|Toronto|Blue Jays|Rogers Centre|Toronto, Ontario|roof
20 WSH ab0003 11225b NL East|Washington|Nationals|Nationals Park|Washington, District of Columbia
"""

NHL = """
25 ANA fc4c02 000000 West Pacific|Anaheim|Ducks|Honda Center|Anaheim, CA
1 BOS 000000 fdbb30 East Atlantic|Boston|Bruins|TD Garden|Boston, MA
2 BUF 00468b fdb71a East Atlantic|Buffalo|Sabres|KeyBank Center|Buffalo, NY
3 CGY dd1a32 000000 West Pacific|Calgary|Flames|Scotiabank Saddledome|Calgary, AB
7 CAR e30426 000000 East Metropolitan|Carolina|Hurricanes|Lenovo Center|Raleigh, NC
4 CHI e31937 000000 West Central|Chicago|Blackhawks|United Center|Chicago, IL
17 COL 860038 005ea3 West Central|Colorado|Avalanche|Ball Arena|Denver, CO
29 CBJ 002d62 e31937 East Metropolitan|Columbus|Blue Jackets|Nationwide Arena|Columbus, OH
9 DAL 20864c 000000 West Central|Dallas|Stars|American Airlines Center|Dallas, TX
5 DET e30526 ffffff East Atlantic|Detroit|Red Wings|Little Caesars Arena|Detroit, MI
6 EDM 00205b ff4c00 West Pacific|Edmonton|Oilers|Rogers Place|Edmonton, AB
26 FLA e51937 002d62 East Atlantic|Florida|Panthers|Amerant Bank Arena|Sunrise, FL
8 LA 000000 a2aaad West Pacific|Los Angeles|Kings|crypto.com Arena|Los Angeles, CA
30 MIN 124734 ae122a West Central|Minnesota|Wild|Grand Casino Arena|Saint Paul, MN
10 MTL c41230 013a81 East Atlantic|Montreal|Canadiens|Bell Centre|Montreal, QC
27 NSH fdba31 002d62 West Central|Nashville|Predators|Bridgestone Arena|Nashville, TN
11 NJ e30b2b 000000 East Metropolitan|New Jersey|Devils|Prudential Center|Newark, NJ
12 NYI 00529b f47d31 East Metropolitan|New York|Islanders|UBS Arena|Elmont, NY
13 NYR 0056ae e51937 East Metropolitan|New York|Rangers|Madison Square Garden|New York, NY
14 OTT dd1a32 b79257 East Atlantic|Ottawa|Senators|Canadian Tire Centre|Ottawa, ON
15 PHI fe5823 000000 East Metropolitan|Philadelphia|Flyers|Xfinity Mobile Arena|Philadelphia, PA
16 PIT 000000 fdb71a East Metropolitan|Pittsburgh|Penguins|PPG Paints Arena|Pittsburgh, PA
18 SJ 00788a 070707 West Pacific|San Jose|Sharks|SAP Center at San Jose|San Jose, CA
124292 SEA 000d33 a3dce4 West Pacific|Seattle|Kraken|Climate Pledge Arena|Seattle, WA
19 STL 00468b fdb71a West Central|St. Louis|Blues|Enterprise Center|St. Louis, MO
20 TB 003e7e ffffff East Atlantic|Tampa Bay|Lightning|Benchmark International Arena|Tampa, FL
21 TOR 003e7e ffffff East Atlantic|Toronto|Maple Leafs|Scotiabank Arena|Toronto, ON
129764 UTA 231f20 7ab2e0 West Central|Utah|Mammoth|Delta Center|Salt Lake City, UT
22 VAN 003e7e 008752 West Pacific|Vancouver|Canucks|Rogers Arena|Vancouver, BC
37 VGK 344043 b4975a West Pacific|Vegas|Golden Knights|T-Mobile Arena|Las Vegas, NV
23 WSH d71830 0b1f41 East Metropolitan|Washington|Capitals|Capital One Arena|Washington, DC
28 WPG 002d62 c41230 West Central|Winnipeg|Jets|Canada Life Centre|Winnipeg, MB
"""

TABLES = {"nfl": NFL, "nba": NBA, "mlb": MLB, "nhl": NHL}
LOGOS = "https://a.espncdn.com/i/teamlogos"


@dataclass(frozen=True, slots=True)
class Team:
    """One club; ids repeat over leagues, so a team is known by league and id."""

    league: str
    index: int
    id: str
    abbreviation: str
    color: str
    alternate_color: str
    conference: str
    division: str
    location: str
    name: str
    venue: str
    city: str
    state: str
    indoor: bool

    @property
    def display_name(self) -> str:
        return self.name if self.name == self.location else f"{self.location} {self.name}"

    @property
    def slug(self) -> str:
        return self.display_name.lower().replace(". ", "-").replace(" ", "-")

    def logo(self, folder: str = "500") -> str:
        return f"{LOGOS}/{self.league}/{folder}/{self.abbreviation.lower()}.png"


def read_team(league: str, index: int, line: str) -> Team:
    """Return the team of one line of a table."""
    facts, location, name, venue, place, *roof = line.split("|")
    team_id, abbreviation, color, second, conference, division = facts.split(" ")
    city, state = place.split(", ")
    indoor = bool(roof) or league in {"nba", "nhl"}
    return Team(
        league, index, team_id, abbreviation, color, second, conference, division,
        location, name, venue, city, state, indoor,
    )  # fmt: skip


@cache
def teams_of(league: str) -> dict[str, Team]:
    """Return the league's teams by id, in the order of the feed's list."""
    lines = TABLES[league].split("\n")
    teams = [read_team(league, index, line) for index, line in enumerate(filter(None, lines))]
    return {team.id: team for team in teams}


def find_team(league: str, name: str) -> Team | None:
    """Return the team with this id or abbreviation (in any case), or None."""
    teams = teams_of(league)
    wanted = name.upper()
    return teams.get(name) or next(
        (team for team in teams.values() if team.abbreviation == wanted), None
    )

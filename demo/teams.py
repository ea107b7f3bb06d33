"""The teams of the leagues: facts about real clubs, one line a team.

A line reads `id abbreviation colour second-colour conference division|location|name|venue|city`,
with `|roof` where rain does not matter. A club without a name goes by its location.
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

MLS = """
18418 ATL 9d2235 aa9767 East East|Atlanta United FC||Mercedes-Benz Stadium|Atlanta, GA
20906 ATX 00b140 000000 West West|Austin FC||Q2 Stadium|Austin, TX
9720 MTL 003da6 c1c5c8 East East|CF Montréal||Stade Saputo|Montreal, QC
21300 CLT 0085ca 000000 East East|Charlotte FC||Bank of America Stadium|Charlotte, NC
182 CHI 7ccdef ff0000 East East|Chicago Fire FC||Soldier Field|Chicago, IL
184 COL 8a2432 8ab7e9 West West|Colorado Rapids||Dick's Park|Commerce City, CO
183 CLB 000000 fedd00 East East|Columbus Crew||ScottsMiracle-Gro Field|Columbus, OH
193 DC 000000 d61018 East East|D.C. United||Audi Field|Washington, DC
18267 CIN 003087 fe5000 East East|FC Cincinnati||TQL Stadium|Cincinnati, OH
185 DAL c6093b 001f5b West West|FC Dallas||Toyota Stadium|Frisco, TX
6077 HOU ff6b00 101820 West West|Houston Dynamo FC||Shell Stadium|Houston, TX
20232 MIA 231f20 f7b5cd East East|Inter Miami CF||Chase Stadium|Fort Lauderdale, FL
187 LA 00235d ffffff West West|LA Galaxy||Dignity Health Sports Park|Carson, CA
18966 LAFC 000000 c7a36f West West|LAFC||BMO Stadium|Los Angeles, CA
17362 MIN 000000 9bcde4 West West|Minnesota United FC||Allianz Field|St. Paul, MN
18986 NSH ece83a 1f1646 East East|Nashville SC||Geodis Park|Nashville, TN
189 NE 022166 ce0e2d East East|New England Revolution||Gillette Stadium|Foxborough, MA
17606 NYC 9fd2ff 000229 East East|New York City FC||Yankee Stadium|Bronx, NY
12011 ORL 60269e f0d283 East East|Orlando City SC||Inter&Co Stadium|Orlando, FL
10739 PHI 051f31 e0d0a6 East East|Philadelphia Union||Subaru Park|Chester, PA
9723 POR 2c5234 c99700 West West|Portland Timbers||Providence Park|Portland, OR
4771 RSL a32035 daa900 West West|Real Salt Lake||America First Field|Sandy, UT
190 RBNY ba0c2f ffc72c East East|Red Bull New York||Red Bull Arena|Harrison, NJ
22529 SD 697a7c f89e1a West West|San Diego FC||Snapdragon Stadium|San Diego, CA
191 SJ 003da6 ffffff West West|San Jose Earthquakes||PayPal Park|San Jose, CA
9726 SEA 2dc84d 0033a0 West West|Seattle Sounders FC||Lumen Field|Seattle, WA
186 SKC a7c6ed 0a2240 West West|Sporting Kansas City||Sporting Park|Kansas City, KS
21812 STL ec1458 001544 West West|St. Louis City SC||Energizer Park|St. Louis, MO
7318 TOR aa182c a2a9ad East East|Toronto FC||BMO Field|Toronto, ON
9727 VAN ffffff 12284c West West|Vancouver Whitecaps||BC Place|Vancouver, BC
"""

NCAAM = """
333 ALA 9e1632 ffffff SEC SEC|Alabama|Crimson Tide|Coleman Coliseum|Tuscaloosa, AL
12 ARIZ 0c234b ab0520 Big12 Big12|Arizona|Wildcats|McKale Center|Tucson, AZ
8 ARK a41f35 ffffff SEC SEC|Arkansas|Razorbacks|Bud Walton Arena|Fayetteville, AR
2 AUB 002b5c f26522 SEC SEC|Auburn|Tigers|Neville Arena|Auburn, AL
239 BAY 154734 ffb81c Big12 Big12|Baylor|Bears|Foster Pavilion|Waco, TX
252 BYU 003da5 ffffff Big12 Big12|BYU|Cougars|Marriott Center|Provo, UT
228 CLEM f56600 522d80 ACC ACC|Clemson|Tigers|Littlejohn Coliseum|Clemson, SC
156 CREI 13299e ffffff BigEast BigEast|Creighton|Bluejays|CHI Health Center|Omaha, NE
150 DUKE 00539b ffffff ACC ACC|Duke|Blue Devils|Cameron Indoor Stadium|Durham, NC
57 FLA 0021a5 fa4616 SEC SEC|Florida|Gators|Exactech Arena|Gainesville, FL
46 GTWN 110e42 8d817b BigEast BigEast|Georgetown|Hoyas|Capital One Arena|Washington, DC
59 GT 003057 b3a369 ACC ACC|Georgia Tech|Yellow Jackets|McCamish Pavilion|Atlanta, GA
248 HOU c92a39 ffffff Big12 Big12|Houston|Cougars|Fertitta Center|Houston, TX
66 ISU 822433 fdca2f Big12 Big12|Iowa State|Cyclones|Hilton Coliseum|Ames, IA
2305 KU 0051ba e8000d Big12 Big12|Kansas|Jayhawks|Allen Fieldhouse|Lawrence, KS
2306 KSU 3c0969 ffffff Big12 Big12|Kansas State|Wildcats|Bramlage Coliseum|Manhattan, KS
96 UK 0033a0 ffffff SEC SEC|Kentucky|Wildcats|Rupp Arena|Lexington, KY
97 LOU c9001f 000000 ACC ACC|Louisville|Cardinals|KFC Yum! Center|Louisville, KY
99 LSU 461d7c fdd023 SEC SEC|LSU|Tigers|Maravich Center|Baton Rouge, LA
269 MARQ 083973 ffcc00 BigEast BigEast|Marquette|Golden Eagles|Fiserv Forum|Milwaukee, WI
152 NCSU cc0000 000000 ACC ACC|NC State|Wolfpack|Lenovo Center|Raleigh, NC
153 UNC 7bafd4 13294b ACC ACC|North Carolina|Tar Heels|Dean Smith Center|Chapel Hill, NC
2507 PROV 000000 c6c7ca BigEast BigEast|Providence|Friars|Amica Mutual Pavilion|Providence, RI
2550 HALL 004488 8c8f91 BigEast BigEast|Seton Hall|Pirates|Prudential Center|Newark, NJ
2599 SJU d41b2c ffffff BigEast BigEast|St. John's|Red Storm|Madison Square Garden|New York, NY
2633 TENN ff8200 58595b SEC SEC|Tennessee|Volunteers|Food City Center|Knoxville, TN
245 TA&M 500000 ffffff SEC SEC|Texas A&M|Aggies|Reed Arena|College Station, TX
2641 TTU cc0000 000000 Big12 Big12|Texas Tech|Red Raiders|United Arena|Lubbock, TX
41 CONN 0c2340 f1f2f3 BigEast BigEast|UConn|Huskies|Gampel Pavilion|Storrs, CT
222 VILL 00205b 13b5ea BigEast BigEast|Villanova|Wildcats|Finneran Pavilion|Villanova, PA
258 UVA 232d4b f84c1e ACC ACC|Virginia|Cavaliers|John Paul Jones Arena|Charlottesville, VA
154 WAKE ceb888 2c2a29 ACC ACC|Wake Forest|Demon Deacons|Joel Coliseum|Winston-Salem, NC
"""

NCAAF = """
333 ALA 9e1632 ffffff SEC SEC|Alabama|Crimson Tide|Bryant-Denny Stadium|Tuscaloosa, AL
12 ARIZ 0c234b ab0520 Big12 Big12|Arizona|Wildcats|Arizona Stadium|Tucson, AZ
8 ARK a41f35 ffffff SEC SEC|Arkansas|Razorbacks|Razorback Stadium|Fayetteville, AR
2 AUB 002b5c f26522 SEC SEC|Auburn|Tigers|Jordan-Hare Stadium|Auburn, AL
239 BAY 154734 ffb81c Big12 Big12|Baylor|Bears|McLane Stadium|Waco, TX
252 BYU 003da5 ffffff Big12 Big12|BYU|Cougars|LaVell Edwards Stadium|Provo, UT
228 CLEM f56600 522d80 ACC ACC|Clemson|Tigers|Memorial Stadium|Clemson, SC
150 DUKE 00539b ffffff ACC ACC|Duke|Blue Devils|Wallace Wade Stadium|Durham, NC
57 FLA 0021a5 fa4616 SEC SEC|Florida|Gators|Ben Hill Griffin Stadium|Gainesville, FL
59 GT 003057 b3a369 ACC ACC|Georgia Tech|Yellow Jackets|Bobby Dodd Stadium|Atlanta, GA
248 HOU c92a39 ffffff Big12 Big12|Houston|Cougars|Space City Financial Stadium|Houston, TX
66 ISU 822433 fdca2f Big12 Big12|Iowa State|Cyclones|Jack Trice Stadium|Ames, IA
2305 KU 0051ba e8000d Big12 Big12|Kansas|Jayhawks|Kansas Memorial Stadium|Lawrence, KS
2306 KSU 3c0969 ffffff Big12 Big12|Kansas State|Wildcats|Snyder Family Stadium|Manhattan, KS
96 UK 0033a0 ffffff SEC SEC|Kentucky|Wildcats|Kroger Field|Lexington, KY
97 LOU c9001f 000000 ACC ACC|Louisville|Cardinals|L&N Stadium|Louisville, KY
99 LSU 461d7c fdd023 SEC SEC|LSU|Tigers|Tiger Stadium|Baton Rouge, LA
152 NCSU cc0000 000000 ACC ACC|NC State|Wolfpack|Carter-Finley Stadium|Raleigh, NC
153 UNC 7bafd4 13294b ACC ACC|North Carolina|Tar Heels|Kenan Stadium|Chapel Hill, NC
2633 TENN ff8200 58595b SEC SEC|Tennessee|Volunteers|Neyland Stadium|Knoxville, TN
245 TA&M 500000 ffffff SEC SEC|Texas A&M|Aggies|Kyle Field|College Station, TX
2641 TTU cc0000 000000 Big12 Big12|Texas Tech|Red Raiders|Jones AT&T Stadium|Lubbock, TX
258 UVA 232d4b f84c1e ACC ACC|Virginia|Cavaliers|Scott Stadium|Charlottesville, VA
154 WAKE ceb888 2c2a29 ACC ACC|Wake Forest|Demon Deacons|Allegacy Stadium|Winston-Salem, NC
"""

WNBA = """
20 ATL e31837 5091cd East East|Atlanta|Dream|Gateway Center Arena|College Park, GA
19 CHI 5091cd ffd520 East East|Chicago|Sky|Wintrust Arena|Chicago, IL
18 CON f05023 0a2240 East East|Connecticut|Sun|Mohegan Sun Arena|Uncasville, CT
3 DAL 002b5c c4d600 West West|Dallas|Wings|College Park Center|Arlington, TX
5 IND 002d62 e03a3e East East|Indiana|Fever|Gainbridge Fieldhouse|Indianapolis, IN
17 LV a7a8aa 000000 West West|Las Vegas|Aces|Michelob Ultra Arena|Las Vegas, NV
6 LA 552583 fdb927 West West|Los Angeles|Sparks|crypto.com Arena|Los Angeles, CA
8 MIN 266092 79bc43 West West|Minnesota|Lynx|Target Center|Minneapolis, MN
9 NY 86cebc 000000 East East|New York|Liberty|Barclays Center|Brooklyn, NY
11 PHX 3c286e fa4b0a West West|Phoenix|Mercury|Mortgage Matchup Center|Phoenix, AZ
14 SEA 2c5235 fee11a West West|Seattle|Storm|Climate Pledge Arena|Seattle, WA
16 WSH e03a3e 002b5c East East|Washington|Mystics|CareFirst Arena|Washington, DC
"""

EPL = """
359 ARS e20520 003399 EPL EPL|Arsenal||Emirates Stadium|London, England
362 AVL 660e36 ffffff EPL EPL|Aston Villa||Villa Park|Birmingham, England
349 BOU f42727 000000 EPL EPL|AFC Bournemouth||Vitality Stadium|Bournemouth, England
337 BRE f42727 ffffff EPL EPL|Brentford||Gtech Community Stadium|London, England
331 BHA 0606fa ffffff EPL EPL|Brighton & Hove Albion||Amex Stadium|Brighton, England
379 BUR 6c1d45 99d6ea EPL EPL|Burnley||Turf Moor|Burnley, England
363 CHE 144992 ffffff EPL EPL|Chelsea||Stamford Bridge|London, England
384 CRY 0202fb ff0000 EPL EPL|Crystal Palace||Selhurst Park|London, England
368 EVE 0606fa ffffff EPL EPL|Everton||Hill Dickinson Stadium|Liverpool, England
370 FUL ffffff 000000 EPL EPL|Fulham||Craven Cottage|London, England
357 LEE ffffff 1d428a EPL EPL|Leeds United||Elland Road|Leeds, England
364 LIV d11317 ffffff EPL EPL|Liverpool||Anfield|Liverpool, England
382 MNC 99c5ea 1c2c5b EPL EPL|Manchester City||Etihad Stadium|Manchester, England
360 MAN da020e ffffff EPL EPL|Manchester United||Old Trafford|Manchester, England
361 NEW 000000 ffffff EPL EPL|Newcastle United||St. James' Park|Newcastle, England
393 NFO c8102e ffffff EPL EPL|Nottingham Forest||City Ground|Nottingham, England
366 SUN eb172b ffffff EPL EPL|Sunderland||Stadium of Light|Sunderland, England
367 TOT ffffff 132257 EPL EPL|Tottenham Hotspur||Tottenham Hotspur Stadium|London, England
371 WHU 7c2c3b 1bb1e7 EPL EPL|West Ham United||London Stadium|London, England
380 WOL fdb913 231f20 EPL EPL|Wolverhampton Wanderers||Molineux|Wolverhampton, England
"""

TABLES = {
    "nfl": NFL,
    "nba": NBA,
    "mlb": MLB,
    "nhl": NHL,
    "mens-college-basketball": NCAAM,
    "usa.1": MLS,
    "womens-college-basketball": NCAAM,
    "college-football": NCAAF,
    "wnba": WNBA,
    "eng.1": EPL,
}
INDOORS = {"nba", "nhl", "wnba", "mens-college-basketball", "womens-college-basketball"}
LOGOS = "https://a.espncdn.com/i/teamlogos"


@dataclass(frozen=True, slots=True)
class DemoTeam:
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


def read_team(league: str, index: int, line: str) -> DemoTeam:
    """Return the team of one line of a table."""
    facts, location, name, venue, place, *roof = line.split("|")
    team_id, abbreviation, color, second, conference, division = facts.split(" ")
    city, state = place.split(", ")
    indoor = bool(roof) or league in INDOORS
    return DemoTeam(
        league,
        index,
        team_id,
        abbreviation,
        color,
        second,
        conference,
        division,
        location,
        name or location,
        venue,
        city,
        state,
        indoor,
    )


@cache
def teams_of(league: str) -> dict[str, DemoTeam]:
    """Return the league's teams by id, in the order of the feed's list."""
    lines = TABLES[league].split("\n")
    teams = [read_team(league, index, line) for index, line in enumerate(filter(None, lines))]
    return {team.id: team for team in teams}


def find_team(league: str, name: str) -> DemoTeam | None:
    """Return the team with this id or abbreviation (in any case), or None."""
    teams = teams_of(league)
    wanted = name.upper()
    return teams.get(name) or next(
        (team for team in teams.values() if team.abbreviation == wanted), None
    )

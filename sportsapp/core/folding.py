"""Team names as people type them: without accents, apostrophes and capitals, and by nickname."""

import re
import unicodedata
from collections.abc import Iterable

SPECIAL = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)
INSIDE_WORDS = re.compile("['`.&\u00b4\u02bb\u02bc\u2018\u2019]")  # apostrophes of all kinds
NOT_WORDS = re.compile(r"[^\w]+|_")
NICKNAMES = {
    "Arizona Cardinals": "cards",
    "Arizona Diamondbacks": "dbacks",
    "Athletics": "as oakland",
    "Baltimore Orioles": "os",
    "Cleveland Cavaliers": "cavs",
    "Colorado Avalanche": "avs",
    "Columbus Blue Jackets": "cbj",
    "Dallas Mavericks": "mavs",
    "Golden State Warriors": "dubs",
    "Green Bay Packers": "pack",
    "Jacksonville Jaguars": "jags",
    "Los Angeles Angels": "halos",
    "Manchester City": "man city",
    "Manchester United": "man utd",
    "Minnesota Timberwolves": "wolves twolves",
    "Montreal Canadiens": "habs",
    "Nashville Predators": "preds",
    "New England Patriots": "pats",
    "New Orleans Pelicans": "pels",
    "New York Yankees": "yanks",
    "Newcastle United": "newcastle utd toon",
    "Nottingham Forest": "notts",
    "Philadelphia 76ers": "sixers",
    "Philadelphia Eagles": "birds",
    "Philadelphia Phillies": "phils",
    "Pittsburgh Penguins": "pens",
    "Pittsburgh Pirates": "bucs buccos",
    "Portland Trail Blazers": "blazers",
    "San Francisco 49ers": "niners",
    "St. Louis Cardinals": "cards",
    "Tampa Bay Buccaneers": "bucs",
    "Tampa Bay Lightning": "bolts",
    "Toronto Blue Jays": "jays",
    "Tottenham Hotspur": "spurs",
    "Vancouver Canucks": "nucks",
    "Vegas Golden Knights": "vgk",
    "Washington Capitals": "caps",
    "Washington Nationals": "nats",
    "West Ham United": "west ham utd hammers",
    "Wolverhampton Wanderers": "wolves",
}
"""What fans write, by the feed's full name; only words that the names do not have themselves."""


def fold(text: str) -> str:
    """The words of a text in lower case without accents: ``San José St.`` is ``san jose st``."""
    plain = unicodedata.normalize("NFKD", INSIDE_WORDS.sub("", text).casefold())
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return NOT_WORDS.sub(" ", letters.translate(SPECIAL)).strip()


def search_words(display_name: str, names: Iterable[str]) -> str:
    """All folded words under which a team is found, each once."""
    words = (fold(name) for name in (display_name, *names, _NICKNAMES.get(fold(display_name), "")))
    return " ".join(dict.fromkeys(" ".join(words).split()))


_NICKNAMES = {fold(name): nicknames for name, nicknames in NICKNAMES.items()}

"""Team names as people type them: without accents, apostrophes and capitals, and by nickname."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

SPECIAL = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)
INSIDE_WORDS = str.maketrans("", "", "'`.&\u00b4\u02bb\u02bc\u2018\u2019")
"""Apostrophes of all kinds, and what else stands inside of words."""
NOT_WORDS = re.compile(r"[^\w]+|_")
NICKNAMES = {
    "arizona cardinals": "cards",
    "arizona diamondbacks": "dbacks",
    "athletics": "as oakland",
    "baltimore orioles": "os",
    "cleveland cavaliers": "cavs",
    "colorado avalanche": "avs",
    "columbus blue jackets": "cbj",
    "dallas mavericks": "mavs",
    "golden state warriors": "dubs",
    "green bay packers": "pack",
    "jacksonville jaguars": "jags",
    "los angeles angels": "halos",
    "manchester city": "man city",
    "manchester united": "man utd",
    "minnesota timberwolves": "wolves twolves",
    "montreal canadiens": "habs",
    "nashville predators": "preds",
    "new england patriots": "pats",
    "new orleans pelicans": "pels",
    "new york yankees": "yanks",
    "newcastle united": "newcastle utd toon",
    "nottingham forest": "notts",
    "philadelphia 76ers": "sixers philly",
    "philadelphia eagles": "birds philly",
    "philadelphia flyers": "philly",
    "philadelphia phillies": "phils philly",
    "philadelphia union": "philly",
    "pittsburgh penguins": "pens",
    "pittsburgh pirates": "bucs buccos",
    "portland trail blazers": "blazers",
    "san francisco 49ers": "niners",
    "st louis cardinals": "cards",
    "tampa bay buccaneers": "bucs",
    "tampa bay lightning": "bolts",
    "toronto blue jays": "jays",
    "tottenham hotspur": "spurs",
    "vancouver canucks": "nucks",
    "vegas golden knights": "vgk",
    "washington capitals": "caps",
    "washington nationals": "nats",
    "west ham united": "west ham utd hammers",
    "wolverhampton wanderers": "wolves",
}
"""What fans write, by the folded full name; only words that the names do not have themselves."""


def fold(text: str) -> str:
    """The words of a text in lower case without accents: ``San José St.`` is ``san jose st``."""
    plain = text.translate(INSIDE_WORDS).casefold()
    if not plain.isascii():
        parts = unicodedata.normalize("NFKD", plain)
        letters = "".join(char for char in parts if not unicodedata.combining(char))
        plain = letters.translate(SPECIAL)
    return NOT_WORDS.sub(" ", plain).strip()


def search_words(display_name: str, location: str, names: Sequence[str]) -> str:
    """All folded words under which a team is found, each once.

    Two words of a name are found as one (``redsox``), those of its place by their initials
    (``ny``).
    """
    words = fold(" ".join((display_name, location, *names))).split()
    nicknames = NICKNAMES.get(fold(display_name), "").split()
    pairs = [pair for name in (location, *names) for pair in pairwise(fold(name).split())]
    joined = [first + second for first, second in pairs]
    initials = [first[0] + second[0] for first, second in pairwise(fold(location).split())]
    return " ".join(dict.fromkeys((*words, *nicknames, *joined, *initials)))

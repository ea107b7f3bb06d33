"""Games as the scoreboard shows them: one event of the feed's JSON for each."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache

from demo.chance import share
from demo.featured import featured_json, headlines_json
from demo.fixtures import (
    POSTSEASON,
    PRESEASON,
    Fixture,
    eastern_day,
)
from demo.leagues import DemoLeague
from demo.players import roster_on
from demo.plays import extra_hits
from demo.polls import rank_of
from demo.script import (
    GameMoment,
    ends_at,
    moment_of,
    shown_start,
    time_set,
)
from demo.seasons import season_of, table_at
from demo.shapes import JsonObject
from demo.situations import (
    cards_json,
    leader_json,
    leading_athlete,
    outs_of,
    probable_json,
    situation_of,
)
from demo.tables import Tally, record_text
from demo.teams import DemoTeam
from demo.wording import STATUS_TYPES, feed_time

Forced = Mapping[tuple[str, str], JsonObject]

SLUGS = {1: "preseason", 2: "regular-season", 3: "post-season", 4: "off-season"}
FIRST_SUPER_BOWL = 1965
NETWORKS = {
    "nfl": (("CBS",), ("FOX",), ("NBC", "Peacock"), ("ESPN", "ABC")),
    "nba": (("ESPN",), ("NBC", "Peacock"), ("Prime Video",)),
    "mlb": (("MLB Net",), ("FOX",), ("Apple TV+",)),
    "nhl": (("ESPN",), ("TNT", "truTV"), ("NHL Net",)),
    "mens-college-basketball": (("ESPN",), ("CBS",), ("FS1",), ("ESPN+",)),
    "usa.1": (("Apple TV",), ("FOX",)),
    "wnba": (("ION",), ("ESPN",), ("Prime Video",)),
    "womens-college-basketball": (("ESPN+",), ("SECN",), ("FS1",)),
    "college-football": (("ESPN",), ("ABC",), ("FOX",), ("CBS",)),
    "eng.1": (("Peacock",), ("USA Net",), ("NBC",)),
}
CROWDS = {
    "nfl": 60_000,
    "nba": 16_000,
    "mlb": 22_000,
    "nhl": 15_500,
    "mens-college-basketball": 9_000,
    "usa.1": 20_000,
    "wnba": 9_000,
    "womens-college-basketball": 5_000,
    "college-football": 55_000,
    "eng.1": 38_000,
}
SOCCER_TYPE = 12_000
UNRANKED = 99
NUMERALS = (
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
)
SKIES = (("Sunny", "1"), ("Partly sunny", "3"), ("Mostly cloudy", "6"), ("Cloudy", "7"))


@dataclass(frozen=True, slots=True)
class FeedView:
    """From when, at what speed and with which forced fields the feed is looked at."""

    now: datetime
    speed: float = 1.0
    forced: Forced = field(default_factory=dict)

    def fixture(self, game: Fixture) -> Fixture:
        """Return the game, moved if its start is forced."""
        start = self.fields(game).get("start")
        if not isinstance(start, datetime):
            return game
        return replace(game, start=start, day=eastern_day(start), sure_from=None, known_from=None)

    def fields(self, game: Fixture) -> JsonObject:
        return self.forced.get((game.league.key, game.id), {})

    def moment(self, game: Fixture) -> GameMoment:
        """Return what the feed says of a game now, forced fields included."""
        moment = moment_of(game, self.now, self.speed)
        fields = self.fields(game)
        return force_moment(moment, fields) if fields else moment

    def known(self, game: Fixture) -> bool:
        return game.known_from is None or self.now >= game.known_from

    def listed(self, game: Fixture) -> bool:
        return game.shown(self.now) and not self.fields(game).get("hidden")


def force_moment(moment: GameMoment, fields: JsonObject) -> GameMoment:
    """Return the moment with the forced status, score, period, clock and detail."""
    changes: JsonObject = {}
    if "status" in fields:
        kind = STATUS_TYPES[fields["status"]]
        changes |= {"status": kind.name, "detail": kind.description, "short": kind.description}
    if "detail" in fields:
        changes |= {"detail": fields["detail"], "short": fields["detail"]}
    for name, key in FORCED_NAMES.items():
        if key in fields:
            changes[name] = fields[key]
    return replace(moment, **changes)


FORCED_NAMES = {
    "home": "home_score",
    "away": "away_score",
    "period": "period",
    "clock": "clock",
    "display": "display_clock",
}


def event_json(game: Fixture, view: FeedView) -> JsonObject:
    """Return one event of a scoreboard."""
    moment = view.moment(game)
    name, short_name = names_of(game, view.known(game))
    date = feed_time(shown_start(game, view.now))
    event: JsonObject = {
        "id": game.id,
        "uid": f"{game.league.uid}~e:{game.id}",
        "date": date,
        "name": name,
        "shortName": short_name,
        "season": {"year": game.season, "type": type_of(game), "slug": SLUGS[game.kind]},
        "competitions": [competition_json(game, view, moment, date)],
        "links": [link_json(game)],
        "status": status_json(moment),
    }
    if game.week:
        event["week"] = {"number": game.week}
    if not place_of(game).indoor:
        event["weather"] = weather_json(game)
    return event


def type_of(game: Fixture) -> int:
    """Return the season type of a game; soccer numbers them on and on."""
    return game.kind + (SOCCER_TYPE if game.league.sport == "soccer" else 0)


def names_of(game: Fixture, known: bool) -> tuple[str, str]:
    """Return name and short name; VS on neutral ground, as the feed has it."""
    if not known:
        return "TBD at TBD", "TBD @ TBD"
    word = "VS" if game.host else "@"
    return (
        f"{game.away.display_name} at {game.home.display_name}",
        f"{game.away.abbreviation} {word} {game.home.abbreviation}",
    )


def competition_json(game: Fixture, view: FeedView, moment: GameMoment, date: str) -> JsonObject:
    known = view.known(game)
    state = STATUS_TYPES[moment.status].state
    competition: JsonObject = {
        "id": game.id,
        "uid": f"{game.league.uid}~e:{game.id}~c:{game.id}",
        "date": date,
        "attendance": crowd_of(game) if moment.lines else 0,
        "type": type_json(game),
        "timeValid": time_set(game, view.now),
        "neutralSite": game.host is not None,
        "playByPlayAvailable": bool(moment.lines),
        "recent": state == "in",
        "competitors": [
            competitor_json(game, view, moment, "home", known),
            competitor_json(game, view, moment, "away", known),
        ],
        "notes": notes_json(game, view),
        "status": status_json(moment) | flex_field(game, view) | featured_field(game, moment),
        "broadcasts": broadcasts_json(game),
        "headlines": headlines_json(game, moment),
        "format": {"regulation": {"periods": game.league.periods}},
        "startDate": date,
        "broadcast": "/".join(national_of(game)),
    }
    if known:
        competition["venue"] = venue_json(game)
    return competition | sport_fields(game, view, moment, state)


def flex_field(game: Fixture, view: FeedView) -> JsonObject:
    """Return football's mark on a game whose time may still move."""
    return {"isTBDFlex": not time_set(game, view.now)} if game.week else {}


def featured_field(game: Fixture, moment: GameMoment) -> JsonObject:
    featured = featured_json(game, moment)
    return {"featuredAthletes": featured} if featured else {}


def sport_fields(game: Fixture, view: FeedView, moment: GameMoment, state: str) -> JsonObject:
    """Return what only some competitions have: situation, leaders, series, outs."""
    fields: JsonObject = {} if game.league.key == "nhl" else {"conferenceCompetition": False}
    if state == "in" and game.league.sport != "soccer":
        fields["situation"] = situation_of(game, moment)
    if game.league.sport == "soccer":
        fields["details"] = cards_json(game, moment)
    if game.league.key == "mlb":
        fields["wasSuspended"] = False
        if state == "in":
            outs = outs_of(moment)
            fields["outsText"] = f"{outs} Out{'' if outs == 1 else 's'}"
    if game.league.sport == "football" and moment.lines:
        fields["leaders"] = football_leaders(game, moment)
    if game.round and game.round.best_of > 1 and view.known(game):
        fields["series"] = series_json(game, view)
    return fields


def competitor_json(
    game: Fixture, view: FeedView, moment: GameMoment, seat: str, known: bool
) -> JsonObject:
    """Return one side; before a round's field is known it is TBD with a negative id."""
    team = game.home if seat == "home" else game.away
    at = 1 if seat == "home" else 0
    side: JsonObject = {
        "id": team.id,
        "uid": f"{game.league.uid}~t:{team.id}",
        "type": "team",
        "order": 1 - at,
        "homeAway": seat,
        "team": team_json(game.league, team),
        "score": str(moment.home if at else moment.away),
    }
    if not known:
        return side | unknown_side(game.league, seat)
    if moment.lines and game.league.sport != "soccer":
        side["linescores"] = linescores_json(moment, at)
        leaders = side_leaders(game, team, moment.home if at else moment.away)
        side |= {"leaders": leaders} if leaders else {}
    completed = STATUS_TYPES[moment.status].completed
    if completed or game.league.sport == "soccer":
        ours, theirs = (moment.home, moment.away) if at else (moment.away, moment.home)
        side["winner"] = completed and ours > theirs
    probables = probable_json(game, team)
    if probables:
        side["probables"] = probables
    if game.league.key == "mlb":
        side |= {"hits": hits_of(game, moment, at), "errors": errors_of(game, moment, at)}
    if game.league.key == "nhl" or game.league.ranked:
        side["curatedRank"] = {"current": rank_of(game, team) or UNRANKED}
    table = table_at(game.league.key, game.season, view.now, view.speed)
    final = moment.status == "STATUS_FINAL"
    side["records"] = records_json(game.league, table[team.id], game.kind, final)
    return side


def unknown_side(league: DemoLeague, seat: str) -> JsonObject:
    """Return the fields of a side nobody knows yet: -1 at home, -2 away."""
    number = "-1" if seat == "home" else "-2"
    uid = f"{league.uid}~t:{number}"
    words = dict.fromkeys(("location", "name", "abbreviation"), "TBD")
    words |= dict.fromkeys(("displayName", "shortDisplayName"), "TBD")
    return {"id": number, "uid": uid, "team": {"id": number, "uid": uid, **words}}


@cache
def team_json(league: DemoLeague, team: DemoTeam) -> JsonObject:
    """Return a team as competitors carry it."""
    return {
        "id": team.id,
        "uid": f"{league.uid}~t:{team.id}",
        "location": team.location,
        "name": team.name,
        "abbreviation": team.abbreviation,
        "displayName": team.display_name,
        "shortDisplayName": team.name,
        "color": team.color,
        "alternateColor": team.alternate_color,
        "isActive": True,
        "logo": team.logo("500/scoreboard"),
    }


def linescores_json(moment: GameMoment, at: int) -> list[JsonObject]:
    """Return the periods a side has begun; the other side may have one more."""
    return [
        {"value": float(points), "displayValue": str(points), "period": period}
        for period, line in enumerate(moment.lines, start=1)
        if (points := line[at]) is not None
    ]


def status_json(moment: GameMoment) -> JsonObject:
    kind = STATUS_TYPES[moment.status]
    words: JsonObject = {
        "id": kind.id,
        "name": kind.name,
        "state": kind.state,
        "completed": kind.completed,
        "description": kind.description,
        "detail": moment.detail,
        "shortDetail": moment.short,
    }
    if moment.alternative:
        words["altDetail"] = moment.alternative
    return {
        "clock": moment.clock,
        "displayClock": moment.display,
        "period": moment.period,
        "type": words,
    }


def records_json(league: DemoLeague, tally: Tally, kind: int, final: bool) -> list[JsonObject]:
    """Return records as of now; hockey's finals and pre-season have `ytd` in place of `total`."""
    triples = (tally.total, tally.home, tally.road)
    if kind == PRESEASON:
        triples = ([0, 0, 0], [0, 0, 0], [0, 0, 0])
    total, home, road = (record_text(league, triple) for triple in triples)
    overall = {"name": "overall", "abbreviation": "Total", "type": "total", "summary": total}
    if league.key == "nhl" and (final or kind == PRESEASON):
        overall = {"name": "YTD", "abbreviation": "Game", "type": "ytd", "summary": total}
    return [
        overall,
        {"name": "Home", "type": "home", "summary": home},
        {"name": "Road", "type": "road", "summary": road},
    ]


def side_leaders(game: Fixture, team: DemoTeam, score: int) -> list[JsonObject]:
    """Return the side's best player of the game so far (basketball and hockey)."""
    roster = roster_on(team, eastern_day(game.start))
    player = roster[game.index % min(12, len(roster))]
    athlete = leading_athlete(player, team)
    if game.league.sport == "basketball":
        points = round(score * 0.24)
        return [leader_json("points", "Points", "Pts", float(points), str(points), athlete)]
    if game.league.key == "nhl":
        goals = (score + 1) // 2
        return [leader_json("goals", "Goals", "G", float(goals), str(goals), athlete)]
    return []


def football_leaders(game: Fixture, moment: GameMoment) -> list[JsonObject]:
    team = game.home if moment.home >= moment.away else game.away
    roster = roster_on(team, eastern_day(game.start))
    scale = 0.25 * (moment.period - 1 + moment.progress)
    entries = (
        ("passingYards", "Passing Leader", "PASS", 250, 0),
        ("rushingYards", "Rushing Leader", "RUSH", 85, 3),
        ("receivingYards", "Receiving Leader", "REC", 90, 7),
    )
    leaders = []
    for name, title, short, yards, place in entries:
        value = int(yards * scale * (0.8 + 0.4 * share("yards", game.id, name)))
        athlete = leading_athlete(roster[place], team)
        leaders.append(leader_json(name, title, short, float(value), f"{value} YDS", athlete))
    return leaders


def hits_of(game: Fixture, moment: GameMoment, at: int) -> int:
    """Return a side's hits so far: at least its runs, and never fewer than before."""
    innings = sum(line[at] is not None for line in moment.lines)
    return (moment.home if at else moment.away) + extra_hits(game, innings, at)


def errors_of(game: Fixture, moment: GameMoment, at: int) -> int:
    clumsy = share("error", game.id, at) < 0.35
    return int(clumsy and len(moment.lines) > 4)


def type_json(game: Fixture) -> JsonObject:
    kind = game.round
    return {"id": kind.id if kind else "1", "abbreviation": kind.abbreviation if kind else "STD"}


def place_of(game: Fixture) -> DemoTeam:
    """Return the team in whose house the game is."""
    return game.host or game.home


def venue_json(game: Fixture) -> JsonObject:
    place = place_of(game)
    return {
        "id": f"{game.league.id}{int(place.id) % 1000:03d}",
        "fullName": place.venue,
        "address": {"city": place.city, "state": place.state},
        "indoor": place.indoor,
    }


def weather_json(game: Fixture) -> JsonObject:
    text, condition = SKIES[int(share("sky", game.id) * len(SKIES))]
    temperature = 45 + int(share("warm", game.id) * 45)
    return {
        "displayValue": text,
        "temperature": temperature,
        "highTemperature": temperature,
        "conditionId": condition,
    }


def crowd_of(game: Fixture) -> int:
    return int(CROWDS[game.league.key] * (0.9 + 0.25 * share("crowd", game.id)))


def notes_json(game: Fixture, view: FeedView) -> list[JsonObject]:
    """Return the headline of a playoff game, a double-header or a game called off."""
    told = game.note_from is None or view.now >= game.note_from
    headline = round_text(game, view.now) if game.round else game.note if told else ""
    return [{"type": "event", "headline": headline}] if headline else []


def round_text(game: Fixture, now: datetime) -> str:
    if game.round is None:
        return ""
    if game.host:
        return f"Super Bowl {roman(game.season - FIRST_SUPER_BOWL)}"
    if game.round.best_of == 1:
        return game.round.title
    unsure = game.sure_from is not None and now < game.sure_from
    return f"{game.round.title} - Game {game.number}{' If Necessary' if unsure else ''}"


def roman(number: int) -> str:
    """Return a number below 200 as the Super Bowl counts: 59 is LIX."""
    text = ""
    for value, letters in NUMERALS:
        text += letters * (number // value)
        number %= value
    return text


def national_of(game: Fixture) -> tuple[str, ...]:
    """Return the networks that show a game in the whole country; none for most games."""
    draw = share("network", game.id)
    networks = NETWORKS[game.league.key]
    everywhere = game.league.key == "nfl" or game.kind == POSTSEASON or draw < 0.25
    return networks[int(draw * 97) % len(networks)] if everywhere else ()


def broadcasts_json(game: Fixture) -> list[JsonObject]:
    national = national_of(game)
    if national:
        return [{"market": "national", "names": list(national)}]
    return [
        {"market": "home", "names": [f"{game.home.location} Sports Net"]},
        {"market": "away", "names": [f"{game.away.location} Sports Net"]},
    ]


def link_json(game: Fixture) -> JsonObject:
    href = f"https://www.espn.com/{game.league.key}/game?gameId={game.id}"
    return {"rel": ["summary", "desktop", "event"], "href": href, "text": "Gamecast"}


def series_json(game: Fixture, view: FeedView) -> JsonObject:
    """Return how the series stands now, this game included once it is over."""
    best_of = game.round.best_of if game.round else 1
    wins = series_wins(game, view)
    return {
        "type": "playoff",
        "title": "Playoff Series",
        "summary": series_summary(game, wins),
        "completed": max(wins.values()) > best_of // 2,
        "totalCompetitions": best_of,
        "competitors": [
            {"id": t.id, "uid": f"{game.league.uid}~t:{t.id}", "wins": wins[t.id], "ties": 0}
            for t in (game.home, game.away)
        ],
    }


def series_wins(game: Fixture, view: FeedView) -> dict[str, int]:
    """Return wins by team id over the series' games up to this one that are over by now."""
    games = season_of(game.league.key, game.season).by_id
    first = int(game.id) - game.number + 1
    wins = {game.home.id: 0, game.away.id: 0}
    for number in range(first, int(game.id) + 1):
        other = games[str(number)]
        if other.shown(view.now) and ends_at(other, view.speed) <= view.now:
            final = view.moment(other)
            wins[(other.home if final.home > final.away else other.away).id] += 1
    return wins


def series_summary(game: Fixture, wins: dict[str, int]) -> str:
    home, away = wins[game.home.id], wins[game.away.id]
    best_of = game.round.best_of if game.round else 1
    if home == away:
        return f"Series tied {home}-{away}" if home else ""
    leader = game.home if home > away else game.away
    verb = "wins" if max(home, away) > best_of // 2 else "leads"
    return f"{leader.abbreviation} {verb} series {max(home, away)}-{min(home, away)}"

"""The answers beside the scoreboard: teams, rosters and schedules."""

from collections.abc import Mapping
from datetime import date
from functools import cache

from demo.chance import share
from demo.events import (
    FeedView,
    broadcasts_json,
    crowd_of,
    flex_field,
    link_json,
    names_of,
    notes_json,
    status_json,
    type_json,
    venue_json,
)
from demo.fixtures import POSTSEASON, REGULAR, Fixture, eastern_day
from demo.leagues import DemoLeague
from demo.players import SURNAME_HEADS, DemoPlayer, Position, groups_of, roster_on
from demo.scoreboards import TYPE_NAMES, number_asked, season_name
from demo.script import GameMoment, shown_start, time_set
from demo.seasons import Season, season_at, season_of, table_at, type_on
from demo.shapes import JsonObject
from demo.tables import Tally, rank, record_text
from demo.teams import DemoTeam, teams_of
from demo.wording import STATUS_TYPES, feed_time, ordinal

PARENTS = {
    "P": ("1", "Pitcher"),
    "IF": ("11", "Infielder"),
    "OF": ("12", "Outfielder"),
    "BA": ("13", "Batter"),
    "F": ("20", "Forward"),
    "S": ("21", "Skater"),
    "G": ("3", "Guard"),
    "OFF": ("70", "Offense"),
    "DEF": ("71", "Defense"),
    "ST": ("72", "Special Teams"),
    "DB": ("35", "Defensive Back"),
}
TYPE_TEXTS = {
    "STD": "Standard",
    "RD16": "Round of 16",
    "QTR": "Quarterfinal",
    "SEMI": "Semifinal",
    "FINAL": "Final",
}
NO_PICTURE = "https://a.espncdn.com/i/headshots/nophoto.png"


def teams_json(league: DemoLeague, view: FeedView) -> JsonObject:
    """Return the teams list: sports, leagues, teams, team."""
    season = season_at(league.key, eastern_day(view.now))
    teams = [{"team": listed_team(league, team)} for team in teams_of(league.key).values()]
    inner: JsonObject = {
        "id": league.id,
        "uid": league.uid,
        "name": league.name,
        "abbreviation": league.abbreviation,
        "shortName": league.abbreviation,
        "slug": league.key,
        "teams": teams,
        "year": season.year,
        "season": {"year": season.year, "displayName": season_name(season)},
    }
    outer: JsonObject = {
        "id": league.sport_id,
        "uid": f"s:{league.sport_id}",
        "name": league.sport.title(),
        "slug": league.sport,
        "leagues": [inner],
    }
    return {"sports": [outer]}


@cache
def listed_team(league: DemoLeague, team: DemoTeam) -> JsonObject:
    """Return a team as the teams list has it: with `logos` where a competitor has one `logo`."""
    return {
        "id": team.id,
        "uid": f"{league.uid}~t:{team.id}",
        "slug": team.slug,
        "abbreviation": team.abbreviation,
        "displayName": team.display_name,
        "shortDisplayName": team.name,
        "name": team.name,
        "nickname": team.name,
        "location": team.location,
        "color": team.color,
        "alternateColor": team.alternate_color,
        "isActive": True,
        "isAllStar": False,
        "logos": logos_json(team),
        "links": [clubhouse_json(team)],
    }


def team_without(league: DemoLeague, team: DemoTeam, *names: str) -> JsonObject:
    """Return the listed team less some fields: each answer of the feed shows a few others."""
    return {key: value for key, value in listed_team(league, team).items() if key not in names}


def logos_json(team: DemoTeam) -> list[JsonObject]:
    size: JsonObject = {"width": 500, "height": 500, "alt": ""}
    return [
        {"href": team.logo(), **size, "rel": ["full", "default"]},
        {"href": team.logo("500-dark"), **size, "rel": ["full", "dark"]},
    ]


def clubhouse_json(team: DemoTeam) -> JsonObject:
    return {"rel": ["clubhouse", "desktop", "team"], "href": clubhouse(team), "text": "Clubhouse"}


def clubhouse(team: DemoTeam) -> str:
    return f"https://www.espn.com/{team.league}/team/_/name/{team.abbreviation.lower()}/{team.slug}"


def team_json(league: DemoLeague, team: DemoTeam, view: FeedView) -> JsonObject:
    """Return one team with its record, venue and next game (or the one just played)."""
    tallies = standing_now(league, view)
    tally = tallies[team.id]
    records = (("total", tally.total), ("home", tally.home), ("road", tally.road))
    venue: JsonObject = {
        "fullName": team.venue,
        "address": {"city": team.city, "state": team.state},
        "indoor": team.indoor,
    }
    body = team_without(league, team, "nickname", "isAllStar") | {
        "record": {
            "items": [
                {"type": kind, "summary": record_text(league, counts), "stats": []}
                for kind, counts in records
            ]
        },
        "groups": groups_json(league, team),
        "franchise": {"id": team.id, "displayName": team.display_name, "venue": venue},
        "nextEvent": [schedule_event(game, view) for game in next_games(league, team, view)],
        "standingSummary": standing_text(league, team, tallies),
    }
    return {"team": body}


def groups_json(league: DemoLeague, team: DemoTeam) -> JsonObject:
    names = [group[0] for group in league.groups]
    conference = league.groups[names.index(team.conference)][1]
    return {"id": conference, "parent": {"id": league.group_id}, "isConference": True}


def standing_now(league: DemoLeague, view: FeedView) -> dict[str, Tally]:
    year = season_at(league.key, eastern_day(view.now)).year
    return table_at(league.key, year, view.now, view.speed)


def standing_text(league: DemoLeague, team: DemoTeam, tallies: dict[str, Tally]) -> str:
    """Return 1st in AFC West, or 8th in Atlantic Division."""
    rivals = [
        other.id
        for other in teams_of(league.key).values()
        if (other.conference, other.division) == (team.conference, team.division)
    ]
    place = rank(league, {rival: tallies[rival] for rival in rivals}).index(team.id) + 1
    if league.key in {"nfl", "mlb"}:
        return f"{ordinal(place)} in {team.conference} {team.division}"
    return f"{ordinal(place)} in {team.division} Division"


def games_of_team(season: Season, team: DemoTeam, view: FeedView) -> list[Fixture]:
    """Return a team's games of a season that are listed now; the unknown rounds are nobody's."""
    return [
        view.fixture(game)
        for game in season.games
        if team in (game.home, game.away) and view.listed(game) and view.known(game)
    ]


def next_games(league: DemoLeague, team: DemoTeam, view: FeedView) -> list[Fixture]:
    """Return the team's next or running game, else its last; nothing in the off-season."""
    day = eastern_day(view.now)
    if type_on(league.key, day) not in {REGULAR, POSTSEASON}:
        return []
    games = games_of_team(season_at(league.key, day), team, view)
    coming = [g for g in games if STATUS_TYPES[view.moment(g).status].state != "post"]
    return coming[:1] or games[-1:]


def roster_json(league: DemoLeague, team: DemoTeam, view: FeedView) -> JsonObject:
    """Return the roster: one list in basketball and soccer, groups in the other sports."""
    day = eastern_day(view.now)
    season = season_at(league.key, day)
    players = roster_on(team, day)
    kind = type_on(league.key, day)
    return {
        "timestamp": f"{view.now:%Y-%m-%dT%H:%M:%SZ}",
        "status": "success",
        "season": season_header(season, kind),
        "athletes": athletes_json(league, players, day),
        "coach": [coach_json(team, season)],
        "team": team_header(league, team, view),
    }


def season_header(season: Season, kind: int) -> JsonObject:
    return {
        "year": season.year,
        "displayName": season_name(season),
        "type": kind,
        "name": TYPE_NAMES[kind][0],
    }


def athletes_json(
    league: DemoLeague, players: tuple[DemoPlayer, ...], day: date
) -> list[JsonObject]:
    if league.sport in {"basketball", "soccer"}:
        return [roster_player(league, player, day) for player in players]
    return [
        {"position": name, "items": [roster_player(league, player, day) for player in members]}
        for name, members in groups_of(players, league.key).items()
    ]


def roster_player(league: DemoLeague, player: DemoPlayer, day: date) -> JsonObject:
    """Return a player; jersey, birthday, birthplace and picture are absent for some."""
    feet, inches = divmod(player.height, 12)
    active = player.status == "active"
    entry: JsonObject = {
        "id": player.id,
        "uid": f"{league.uid}~a:{player.id}",
        "firstName": player.first,
        "lastName": player.last,
        "fullName": player.name,
        "displayName": player.name,
        "shortName": player.short_name,
        "weight": float(player.weight),
        "displayWeight": f"{player.weight} lbs",
        "height": float(player.height),
        "displayHeight": f"{feet}' {inches}\"",
        "slug": player.name.lower().replace(" ", "-"),
        "position": position_json(player.position),
        "injuries": [] if active else [{"status": "Questionable"}],
        "experience": {"years": player.years},
        "status": {
            "id": "1" if active else "13",
            "name": "Active" if active else "Day-To-Day",
            "type": player.status,
            "abbreviation": "Active" if active else "Day-To-Day",
        },
    }
    return entry | sometimes_json(player, day) | hands_json(league, player)


def sometimes_json(player: DemoPlayer, day: date) -> JsonObject:
    fields: JsonObject = {}
    if player.jersey:
        fields["jersey"] = player.jersey
    if player.born:
        birthday = (day.month, day.day) >= (player.born.month, player.born.day)
        fields["age"] = day.year - player.born.year - (not birthday)
        fields["dateOfBirth"] = f"{player.born}T08:00Z"
    if player.town:
        city, state, country = player.town
        fields["birthPlace"] = {"city": city, "country": country}
        fields["birthPlace"] |= {"state": state} if state else {}
    if share("picture", player.id) < 0.8:
        fields["headshot"] = {"href": NO_PICTURE, "alt": player.name}
    return fields


def hands_json(league: DemoLeague, player: DemoPlayer) -> JsonObject:
    word = "Right" if player.right else "Left"
    hand = {"type": word.upper(), "abbreviation": word[0], "displayValue": word}
    if league.key == "mlb":
        return {"bats": hand, "throws": hand}
    return {"hand": hand} if league.key == "nhl" else {}


def position_json(position: Position) -> JsonObject:
    body: JsonObject = {
        "id": position.id,
        "name": position.name,
        "displayName": position.name,
        "abbreviation": position.abbreviation,
        "leaf": True,
    }
    if position.parent:
        number, name = PARENTS[position.parent]
        parent: JsonObject = {"id": number, "name": name, "displayName": name}
        body["parent"] = parent | {"abbreviation": position.parent, "leaf": False}
    return body


def coach_json(team: DemoTeam, season: Season) -> JsonObject:
    return {
        "id": f"8{team.index:03d}",
        "firstName": "Orrin",
        "lastName": SURNAME_HEADS[team.index % len(SURNAME_HEADS)] + "field",
        "experience": season.year % 12,
    }


def team_header(league: DemoLeague, team: DemoTeam, view: FeedView) -> JsonObject:
    """Return the team as rosters and schedules carry it."""
    tallies = standing_now(league, view)
    return {
        "id": team.id,
        "abbreviation": team.abbreviation,
        "location": team.location,
        "name": team.name,
        "displayName": team.display_name,
        "clubhouse": clubhouse(team),
        "color": team.color,
        "logo": team.logo(),
        "recordSummary": record_text(league, tallies[team.id].total),
        "seasonSummary": season_name(season_at(league.key, eastern_day(view.now))),
        "standingSummary": standing_text(league, team, tallies),
    }


def schedule_json(
    league: DemoLeague, team: DemoTeam, query: Mapping[str, str], view: FeedView
) -> JsonObject:
    """Return a team's games of one season type: the running one, unless the query names it."""
    day = eastern_day(view.now)
    now_season, now_kind = season_at(league.key, day), type_on(league.key, day)
    season = season_of(league.key, number_asked(query, "season") or now_season.year)
    kind = number_asked(query, "seasontype") or (
        now_kind if season.year == now_season.year and now_kind in {1, 2, 3} else REGULAR
    )
    games = [game for game in games_of_team(season, team, view) if game.kind == kind]
    answer: JsonObject = {
        "timestamp": f"{view.now:%Y-%m-%dT%H:%M:%SZ}",
        "status": "success",
        "season": season_header(now_season, now_kind),
        "team": team_header(league, team, view) | {"groups": groups_json(league, team)},
        "events": [schedule_event(game, view) for game in games],
        "requestedSeason": season_header(season, kind) if kind in TYPE_NAMES else {},
    }
    if league.key == "nfl" and kind == REGULAR:
        answer["byeWeek"] = bye_week(games)
    return answer


def bye_week(games: list[Fixture]) -> int:
    weeks = {game.week for game in games}
    return next((week for week in range(1, 19) if week not in weeks), 0)


def schedule_event(game: Fixture, view: FeedView) -> JsonObject:
    """Return a game as schedules have it: scores are objects, and absent before the start."""
    moment = view.moment(game)
    name, short_name = names_of(game, known=True)
    date_text = feed_time(shown_start(game, view.now))
    kind, abbreviation = TYPE_NAMES[game.kind]
    sides = [schedule_side(game, view, moment, seat) for seat in ("home", "away")]
    event: JsonObject = {
        "id": game.id,
        "date": date_text,
        "name": name,
        "shortName": short_name,
        "season": {"year": game.season, "displayName": str(game.season)},
        "seasonType": {
            "id": str(game.kind),
            "type": game.kind,
            "name": kind,
            "abbreviation": abbreviation,
        },
        "timeValid": time_set(game, view.now),
        "competitions": [schedule_competition(game, view, moment, sides, date_text)],
        "links": [link_json(game)],
    }
    if game.week:
        event["week"] = {"number": game.week, "text": f"Week {game.week}"}
    return event


def schedule_competition(
    game: Fixture, view: FeedView, moment: GameMoment, sides: list[JsonObject], date_text: str
) -> JsonObject:
    kind = type_json(game)
    text = TYPE_TEXTS[kind["abbreviation"]]
    slug = text.lower().replace(" ", "-")
    return {
        "id": game.id,
        "date": date_text,
        "attendance": crowd_of(game) if moment.lines else 0,
        "type": kind | {"text": text, "slug": slug, "type": slug},
        "timeValid": time_set(game, view.now),
        "neutralSite": game.host is not None,
        "boxscoreAvailable": bool(moment.lines),
        "ticketsAvailable": not moment.lines,
        "venue": plain_venue(game),
        "competitors": sides,
        "notes": notes_json(game, view),
        "broadcasts": media_json(game),
        "status": status_json(moment) | flex_field(game, view),
    }


def plain_venue(game: Fixture) -> JsonObject:
    """Return the venue as schedules have it: name and address alone."""
    venue = venue_json(game)
    return {"fullName": venue["fullName"], "address": venue["address"]}


def media_json(game: Fixture) -> list[JsonObject]:
    """Return broadcasts as schedules and summaries have them: one entry a network."""
    return [
        {
            "type": {"id": "1", "shortName": "TV"},
            "market": {"id": "1", "type": entry["market"].title()},
            "media": {"shortName": name},
            "lang": "en",
            "region": "us",
        }
        for entry in broadcasts_json(game)
        for name in entry["names"]
    ]


def schedule_side(game: Fixture, view: FeedView, moment: GameMoment, seat: str) -> JsonObject:
    team = game.home if seat == "home" else game.away
    points, other = moment.home, moment.away
    if seat == "away":
        points, other = other, points
    side: JsonObject = {
        "id": team.id,
        "type": "team",
        "order": 0 if seat == "home" else 1,
        "homeAway": seat,
        "team": {
            "id": team.id,
            "location": team.location,
            "abbreviation": team.abbreviation,
            "displayName": team.display_name,
            "shortDisplayName": team.name,
            "logos": logos_json(team),
        },
        "record": side_records(game, team, view),
    }
    if STATUS_TYPES[moment.status].state != "pre":
        side["score"] = {"value": float(points), "displayValue": str(points)}
    if STATUS_TYPES[moment.status].completed:
        side["winner"] = points > other
    return side


def side_records(game: Fixture, team: DemoTeam, view: FeedView) -> list[JsonObject]:
    league = game.league
    tally = table_at(league.key, game.season, view.now, view.speed)[team.id]
    kinds = (("total", tally.total), ("home", tally.home), ("road", tally.road))
    return [{"type": kind, "displayValue": record_text(league, counts)} for kind, counts in kinds]


def header_json(game: Fixture, view: FeedView, moment: GameMoment) -> JsonObject:
    sides = [header_side(game, view, moment, seat) for seat in ("home", "away")]
    competition: JsonObject = {
        "id": game.id,
        "uid": f"{game.league.uid}~e:{game.id}~c:{game.id}",
        "date": feed_time(shown_start(game, view.now)),
        "neutralSite": game.host is not None,
        "boxscoreAvailable": bool(moment.lines),
        "competitors": sides,
        "status": header_status(moment),
        "broadcasts": media_json(game),
    }
    league = game.league
    header: JsonObject = {
        "id": game.id,
        "uid": f"{league.uid}~e:{game.id}",
        "season": {"year": game.season, "type": game.kind},
        "timeValid": time_set(game, view.now),
        "competitions": [competition],
        "links": [link_json(game)],
        "league": {
            "id": league.id,
            "uid": league.uid,
            "name": league.name,
            "abbreviation": league.abbreviation,
            "slug": league.key,
        },
    }
    return header | ({"week": game.week} if game.week else {})


def header_status(moment: GameMoment) -> JsonObject:
    """Return the status of a summary, which has a clock only while the game is live."""
    status = status_json(moment)
    return status if status["type"]["state"] == "in" else {"type": status["type"]}


def header_side(game: Fixture, view: FeedView, moment: GameMoment, seat: str) -> JsonObject:
    team = game.home if seat == "home" else game.away
    at = 1 if seat == "home" else 0
    side: JsonObject = {
        "id": team.id,
        "uid": f"{game.league.uid}~t:{team.id}",
        "order": 1 - at,
        "homeAway": seat,
        "team": team_without(
            game.league, team, "slug", "nickname", "shortDisplayName", "isActive", "isAllStar"
        ),
        "record": [
            entry | {"summary": entry["displayValue"]} for entry in side_records(game, team, view)
        ],
        "possession": False,
    }
    if STATUS_TYPES[moment.status].state == "pre":
        return side
    side["score"] = str(moment.home if at else moment.away)
    side["linescores"] = [
        {"displayValue": str(line[at])} for line in moment.lines if line[at] is not None
    ]
    if STATUS_TYPES[moment.status].completed:
        side["winner"] = (moment.home > moment.away) if at else (moment.away > moment.home)
    return side

"""What is happening in a live game just now: downs, counts, the last play.

Drawn from the game and its `beat`, so it changes four times a minute of play and costs nothing
to remember.
"""

from random import Random

from demo.chance import seeded, share
from demo.fixtures import Fixture, eastern_day
from demo.players import DemoPlayer, roster_on
from demo.script import BOTTOM, PLAY, GameMoment
from demo.shapes import JsonObject
from demo.teams import DemoTeam
from demo.wording import ordinal

BEATS_A_DRIVE = 20
RED_CARD_CHANCE = 0.25
PLAYS = {
    "nfl": (("5", "Rush"), ("24", "Pass Reception"), ("3", "Pass Incompletion"), ("7", "Sack")),
    "nba": (("92", "Jump Shot"), ("155", "Defensive Rebound"), ("45", "Personal Foul")),
    "nhl": (("506", "Shot"), ("502", "Face Off"), ("503", "Hit"), ("516", "Stoppage")),
    "mlb": (
        ("36", "Strike Looking"),
        ("37", "Strike Swinging"),
        ("21", "Foul Ball"),
        ("0", "Ball"),
    ),
}
PLAYS |= dict.fromkeys(
    ("wnba", "mens-college-basketball", "womens-college-basketball"), PLAYS["nba"]
)
PLAYS["college-football"] = PLAYS["nfl"]
NO_COUNT = {"balls": 0, "strikes": 0, "outs": 0}
NO_RUNNERS = {"onFirst": False, "onSecond": False, "onThird": False}


def situation_of(game: Fixture, moment: GameMoment) -> JsonObject:
    """Return the situation of a live game, in its sport's shape; `lastPlay` is always there."""
    chance = seeded("situation", game.id, moment.beat)
    if game.league.sport == "football":
        return football_situation(game, moment, chance)
    if game.league.key == "mlb":
        return baseball_situation(game, moment, chance)
    team = chance.choice((game.home, game.away))
    return {"lastPlay": last_play(game, moment, team, chance)}


def last_play(game: Fixture, moment: GameMoment, team: DemoTeam, chance: Random) -> JsonObject:
    number, text = chance.choice(PLAYS[game.league.key])
    player = chance.choice(roster_on(team, game.day))
    return {
        "id": f"{game.id}{moment.beat:04d}",
        "type": {"id": number, "text": text},
        "text": f"{player.name} {text.lower()}",
        "scoreValue": 0,
        "team": {"id": team.id},
    }


def football_situation(game: Fixture, moment: GameMoment, chance: Random) -> JsonObject:
    """Return down and distance; in a break only the last play and the time-outs."""
    drive = seeded("drive", game.id, moment.beat // BEATS_A_DRIVE)
    holder, other = drive.sample((game.home, game.away), 2)
    situation: JsonObject = {"lastPlay": last_play(game, moment, holder, chance)}
    timeouts = {"homeTimeouts": 3 - moment.period % 2, "awayTimeouts": 3 - moment.period // 3}
    if moment.phase != PLAY:
        return situation | timeouts
    down, distance, yard = chance.randint(1, 4), chance.randint(1, 10), chance.randint(2, 98)
    side = holder if yard < 50 else other
    spot = f"{side.abbreviation} {min(yard, 100 - yard)}"
    short = f"{ordinal(down)} & {distance}"
    return (
        situation
        | timeouts
        | {
            "down": down,
            "yardLine": yard,
            "distance": distance,
            "downDistanceText": f"{short} at {spot}",
            "shortDownDistanceText": short,
            "possessionText": spot,
            "isRedZone": yard >= 80,
            "possession": holder.id,
        }
    )


def baseball_situation(game: Fixture, moment: GameMoment, chance: Random) -> JsonObject:
    """Return the count and the runners; between half innings the batters due up instead."""
    bottom = moment.half == BOTTOM
    batting, fielding = (game.home, game.away) if bottom else (game.away, game.home)
    play = {"lastPlay": last_play(game, moment, batting, chance)}
    batters = roster_on(batting, game.day)[13:]
    if moment.phase != PLAY:
        due = [baseball_player(player, batting, moment) for player in batters[:3]]
        return play | NO_COUNT | {"dueUp": due} | NO_RUNNERS
    pitcher = roster_on(fielding, game.day)[game.index % 5]
    return play | {
        "balls": chance.randint(0, 3),
        "strikes": chance.randint(0, 2),
        "outs": outs_of(moment),
        "pitcher": baseball_player(pitcher, fielding, moment),
        "batter": baseball_player(chance.choice(batters), batting, moment),
        "onFirst": chance.random() < 0.35,
        "onSecond": chance.random() < 0.2,
        "onThird": chance.random() < 0.1,
    }


def red_card_of(game: Fixture) -> tuple[int, DemoTeam, DemoPlayer] | None:
    """Return minute, team and player of a soccer game's red card; most games have none."""
    if share("card", game.id) > RED_CARD_CHANCE:
        return None
    minute = 20 + int(share("minute of the card", game.id) * 65)
    team = game.home if share("side of the card", game.id) < 0.5 else game.away
    return minute, team, seeded("sent off", game.id).choice(roster_on(team, game.day))


def cards_json(game: Fixture, moment: GameMoment) -> list[JsonObject]:
    """Return the red card of a game of soccer, from its minute on."""
    card = red_card_of(game)
    if card is None or moment.clock < card[0] * 60:
        return []
    minute, team, player = card
    return [
        {
            "type": {"id": "93", "text": "Red Card"},
            "clock": {"value": float(minute * 60), "displayValue": f"{minute}'"},
            "team": {"id": team.id},
            "scoreValue": 0,
            "scoringPlay": False,
            "redCard": True,
            "yellowCard": False,
            "penaltyKick": False,
            "ownGoal": False,
            "shootout": False,
            "athletesInvolved": [athlete_json(player, team)],
        }
    ]


def outs_of(moment: GameMoment) -> int:
    return min(2, int(moment.progress * 3)) if moment.phase == PLAY else 0


def baseball_player(player: DemoPlayer, team: DemoTeam, moment: GameMoment) -> JsonObject:
    return {
        "playerId": int(player.id),
        "period": moment.period,
        "athlete": athlete_json(player, team),
    }


def athlete_json(player: DemoPlayer, team: DemoTeam) -> JsonObject:
    """Return a player as situations and probables show one: the position is plain text."""
    athlete: JsonObject = {
        "id": player.id,
        "fullName": player.name,
        "displayName": player.name,
        "shortName": player.short_name,
        "position": player.position.abbreviation,
        "team": {"id": team.id},
    }
    return athlete | ({"jersey": player.jersey} if player.jersey else {})


def leading_athlete(player: DemoPlayer, team: DemoTeam) -> JsonObject:
    """Return a player as leaders show one: the position is an object."""
    position = {"abbreviation": player.position.abbreviation}
    return athlete_json(player, team) | {"position": position, "active": True}


def leader_json(
    name: str, title: str, short: str, value: float, text: str, athlete: JsonObject
) -> JsonObject:
    """Return one entry of a `leaders` list, with one player in it."""
    return {
        "name": name,
        "displayName": title,
        "shortDisplayName": short,
        "abbreviation": short,
        "leaders": [
            {"displayValue": text, "value": value, "athlete": athlete, "team": athlete["team"]}
        ],
    }


def probable_json(game: Fixture, team: DemoTeam) -> list[JsonObject]:
    """Return the probable starter: baseball's pitcher, hockey's goalie, nobody elsewhere."""
    if game.league.key not in {"mlb", "nhl"}:
        return []
    pitcher = game.league.key == "mlb"
    roster = roster_on(team, eastern_day(game.start))
    player = roster[game.index % 5] if pitcher else roster[-1 - game.index % 2]
    role, short = ("Pitcher", "SP") if pitcher else ("Goalie", "SG")
    return [
        {
            "name": f"probableStarting{role}",
            "displayName": f"Probable Starting {role}",
            "shortDisplayName": "Starter",
            "abbreviation": short,
            "playerId": int(player.id),
            "athlete": athlete_json(player, team),
        }
    ]

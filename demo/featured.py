"""What the scoreboard tells of a game once it is over: who decided it, and the recap's headline."""

from demo.chance import seeded, share
from demo.fixtures import Fixture, eastern_day
from demo.players import DemoPlayer, roster_on
from demo.script import GameMoment
from demo.shapes import JsonObject
from demo.situations import athlete_json
from demo.teams import DemoTeam

STARTERS = 5
CLOSER = 12
CLOSE = 3  # runs
GOALIES = 2
TITLES = {
    "winningPitcher": ("Winning Pitcher", "WP"),
    "losingPitcher": ("Losing Pitcher", "LP"),
    "savingPitcher": ("Saving Pitcher", "SV"),
    "firstStar": ("First Star", "FS"),
    "secondStar": ("Second Star", "SS"),
    "thirdStar": ("Third Star", "TS"),
}
VERBS = ("beat", "top", "get past", "hold off")


def featured_json(game: Fixture, moment: GameMoment) -> list[JsonObject]:
    """Return baseball's pitchers of record or hockey's three stars; nobody in other sports."""
    if moment.status != "STATUS_FINAL" or moment.home == moment.away:
        return []
    if game.league.key == "mlb":
        return pitchers_json(game, moment)
    return stars_json(game, moment) if game.league.key == "nhl" else []


def pitchers_json(game: Fixture, moment: GameMoment) -> list[JsonObject]:
    """Return both probable starters, and the closer where it was close."""
    winner, loser = sides_of(game, moment)
    ours, theirs = (roster_on(team, eastern_day(game.start)) for team in (winner, loser))
    people = [
        person_json("winningPitcher", ours[game.index % STARTERS], winner),
        person_json("losingPitcher", theirs[game.index % STARTERS], loser),
    ]
    if abs(moment.home - moment.away) <= CLOSE:
        people.append(person_json("savingPitcher", ours[CLOSER], winner))
    return people


def stars_json(game: Fixture, moment: GameMoment) -> list[JsonObject]:
    """Return two skaters of the winner and one of the loser."""
    winner, loser = sides_of(game, moment)
    ours, theirs = (roster_on(team, eastern_day(game.start))[:-GOALIES] for team in (winner, loser))
    chance = seeded("stars", game.id)
    first, second = chance.sample(ours, 2)
    return [
        person_json("firstStar", first, winner),
        person_json("secondStar", second, winner),
        person_json("thirdStar", chance.choice(theirs), loser),
    ]


def person_json(name: str, player: DemoPlayer, team: DemoTeam) -> JsonObject:
    title, short = TITLES[name]
    return {
        "name": name,
        "displayName": title,
        "shortDisplayName": title,
        "abbreviation": short,
        "playerId": int(player.id),
        "athlete": athlete_json(player, team),
        "team": {"id": team.id},
    }


def headlines_json(game: Fixture, moment: GameMoment) -> list[JsonObject]:
    """Return the recap of a game that is over."""
    if moment.status not in {"STATUS_FINAL", "STATUS_FULL_TIME"}:
        return []
    winner, loser = sides_of(game, moment)
    high, low = max(moment.home, moment.away), min(moment.home, moment.away)
    verb = VERBS[int(share("verb", game.id) * len(VERBS))]
    text = f"{winner.name} {verb} {loser.name} {high}-{low}"
    if high == low:
        text = f"{winner.name} and {loser.name} share it {high}-{low}"
    elif moment.alternative:
        text += f" in {moment.alternative.removeprefix('F/')}"
    return [{"type": "Recap", "description": f"{text}.", "shortLinkText": text}]


def sides_of(game: Fixture, moment: GameMoment) -> tuple[DemoTeam, DemoTeam]:
    """Return the winner and the loser; the home team first after a draw."""
    return (game.home, game.away) if moment.home >= moment.away else (game.away, game.home)

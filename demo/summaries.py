"""One game in full, as ``summary?event=ID`` answers it: box score, plays and what surrounds it."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby

from demo.boxes import athlete_in_box, box_json, figures_of, position_in_box
from demo.chance import seeded
from demo.events import FeedView, crowd_of, place_of, team_json, venue_json, weather_json
from demo.fixtures import Fixture, eastern_day
from demo.pages import games_of_team, header_json, plain_venue
from demo.players import FIRST_NAMES, SURNAME_HEADS, SURNAME_TAILS, roster_on
from demo.plays import (
    LINEUPS,
    PITCHES,
    SEATS,
    Play,
    clock_at,
    pitcher_of,
    plays_until,
    roster_of,
)
from demo.script import BOTTOM, GameMoment, shown_start
from demo.seasons import season_of
from demo.shapes import JsonObject
from demo.situations import situation_of
from demo.wording import STATUS_TYPES, ordinal, period_text

NOT_IN_BOX = {"isActive"}
OFFICIALS = {"football": 7, "basketball": 3, "baseball": 4, "hockey": 4, "soccer": 1}
SPREAD = {"football": 9.0, "basketball": 9.0, "baseball": 2.0}

Scored = tuple[Play, int, int]
"""A play, and the away and home score after it."""


def summary_json(game: Fixture, view: FeedView) -> JsonObject:
    """Return one game in full; competitors have no score before the start."""
    moment = view.moment(game)
    state = STATUS_TYPES[moment.status].state
    plays = plays_until(game, moment)
    answer: JsonObject = {
        "boxscore": {"teams": []},
        "format": {"regulation": {"periods": game.league.periods}},
        "gameInfo": {"venue": {"id": venue_json(game)["id"]} | plain_venue(game)},
        "leaders": [],
        "injuries": injuries_json(game),
        "header": header_json(game, view, moment),
    }
    info = answer["gameInfo"]
    if not place_of(game).indoor:
        info["weather"] = weather_json(game)
    if game.league.sport not in {"soccer", "football"}:
        answer["seasonseries"] = series_json(game, view)
    if moment.lines:
        info |= {"attendance": crowd_of(game), "officials": officials_json(game)}
        answer["boxscore"] = box_json(game, plays, [box_team(game, seat) for seat in SEATS])
        answer |= plays_json(game, moment, list(with_score(plays)))
    if state == "in" and game.league.key == "mlb":
        answer["situation"] = situation_of(game, moment)
    return answer


def with_score(plays: Iterable[Play]) -> Iterable[Scored]:
    score = [0, 0]
    for play in plays:
        score[play.seat] += play.points
        yield play, score[0], score[1]


def box_team(game: Fixture, seat: int) -> JsonObject:
    """Return a team as box scores have it."""
    team = team_json(game.league, game.home if seat else game.away)
    return {name: value for name, value in team.items() if name not in NOT_IN_BOX}


# ---------------------------------------------------------------- plays


def plays_json(game: Fixture, moment: GameMoment, plays: Sequence[Scored]) -> JsonObject:
    """Return the plays in their sport's shape, and the chance to win where the feed has it."""
    sport = game.league.sport
    if sport == "baseball":
        rows = [row for group in at_bats(game, plays) for row in group]
        results = [row for row in rows if row["type"]["text"] == "Play Result"]
        return {"plays": rows, "winprobability": chances_json(game, plays, results)}
    rows = [play_json(game, number, scored) for number, scored in enumerate(plays, start=1)]
    if sport == "soccer":
        return {"keyEvents": rows, "rosters": lineups_json(game, [play for play, *_ in plays])}
    if sport == "hockey":
        return {"plays": rows}
    chances = chances_json(game, plays, rows)
    if sport == "basketball":
        return {"plays": rows, "winprobability": chances}
    scoring = [row for row in rows if row["scoringPlay"]]
    return {
        "drives": drives_json(game, moment, plays, rows),
        "scoringPlays": [listed_json(row) for row in scoring],
        "winprobability": [
            {name: chance[name] for name in ("homeWinPercentage", "playId")} for chance in chances
        ],
    }


def listed_json(row: JsonObject) -> JsonObject:
    """Return a play as the list of those that scored has it: with its team."""
    names = ("id", "type", "text", "awayScore", "homeScore", "period", "clock")
    return {name: row[name] for name in names} | {"team": row["start"]["team"]}


def play_json(game: Fixture, number: int, scored: Scored) -> JsonObject:
    """Return a play; those of soccer have no score, those of football where it began."""
    play, away, home = scored
    team = {"id": team_id(game, play.seat)}
    row: JsonObject = {
        "id": f"{game.id}{number:05d}",
        "sequenceNumber": str(number),
        "type": {"id": "1", "text": play.kind},
        "text": play.text,
        "period": {"number": play.period},
        "clock": {"displayValue": clock_at(game, play)},
        "scoringPlay": play.points > 0,
    }
    if game.league.sport != "soccer":
        row |= {"awayScore": away, "homeScore": home}
    if game.league.sport == "football":
        return row | {"start": {"team": team}}
    row["period"]["displayValue"] = period_text(game.league, play.period)
    athletes = dict.fromkeys(player.id for player, *_ in play.stats)
    people = [{"athlete": {"id": athlete}} for athlete in athletes]
    return row | {"team": team, "participants": people, "scoreValue": play.points}


def team_id(game: Fixture, seat: int) -> str:
    return (game.home if seat else game.away).id


def drives_json(
    game: Fixture, moment: GameMoment, plays: Sequence[Scored], rows: Sequence[JsonObject]
) -> JsonObject:
    """Return the drives, the one that goes on as `current` while the game is live."""
    pairs = zip(plays, rows, strict=True)
    drives: list[JsonObject] = []
    for number, group in groupby(pairs, lambda pair: pair[0][0].drive):
        own = list(group)
        last = own[-1][0][0]
        is_over = last.points > 0 or last.kind == "Punt"
        count = len(own)
        drive: JsonObject = {
            "id": f"{game.id}{number}",
            "description": f"{count} play{'' if count == 1 else 's'}",
            "team": {"id": team_id(game, last.seat)},
            "start": {"period": {"type": "quarter", "number": last.period}},
            "isScore": last.points > 0,
            "plays": [row for _, row in own],
        }
        drives.append(drive | ({"displayResult": last.kind} if is_over else {}))
    is_live = STATUS_TYPES[moment.status].state == "in"
    if is_live and drives and "displayResult" not in drives[-1]:
        return {"previous": drives[:-1], "current": drives[-1]}
    return {"previous": drives}


def at_bats(game: Fixture, plays: Sequence[Scored]) -> Iterable[list[JsonObject]]:
    """Return each at-bat as baseball has it: the batter, two pitches and the result.

    The first of a half inning begins with a row that says so.
    """
    before: tuple[int, int] | None = None
    for number, (play, away, home) in enumerate(plays, start=1):
        half = play.period, play.half
        word = "Bottom" if play.half == BOTTOM else "Top"
        chance = seeded("pitches", game.id, number)
        batter, pitcher = play.stats[0][0], pitcher_of(game, 1 - play.seat)
        row = play_json(game, number, (play, away, home))
        del row["clock"]
        row |= {
            "atBatId": row["id"],
            "period": {"type": word, "number": play.period}
            | {"displayValue": f"{ordinal(play.period)} Inning"},
        }
        quiet = row | {
            "scoringPlay": False,
            "scoreValue": 0,
            "awayScore": away - (0 if play.seat else play.points),
            "homeScore": home - (play.points if play.seat else 0),
        }
        rows = []
        if half != before:
            text = f"{word} of the {ordinal(play.period)} inning"
            rows.append(quiet | mark("Start Inning", "I", text))
        faces = f"{pitcher.name} pitches to {batter.name}"
        rows.append(quiet | mark("Start Batter/Pitcher", "A", faces))
        first = chance.choice(PITCHES)
        rows.append(quiet | mark(first, "P", f"Pitch 1 : {first}"))
        rows.append(quiet | mark(play.kind, "P", "Pitch 2 : Ball In Play"))
        summary = "S" if play.points else "N"
        rows.append(row | mark("Play Result", summary, play.text))
        for place, part in enumerate(rows):
            part["id"] = f"{row['atBatId']}{place}"
        before = half
        yield rows


def mark(kind: str, summary: str, text: str) -> JsonObject:
    slug = kind.lower().replace("/", "").replace(" ", "-")
    return {"type": {"id": "1", "text": kind, "type": slug}, "summaryType": summary, "text": text}


def chances_json(
    game: Fixture, plays: Sequence[Scored], rows: Sequence[JsonObject]
) -> list[JsonObject]:
    """Return the home side's chance to win after each play: a lead counts for more near the end."""
    spread = SPREAD[game.league.sport]
    chances = []
    for (play, away, home), row in zip(plays, rows, strict=True):
        half = 0.5 * (play.half + play.at) if game.league.sport == "baseball" else play.at
        left = max(0.02, 1 - (play.period - 1 + half) / game.league.periods)
        value = 1 / (1 + math.exp(-(home - away) / (spread * math.sqrt(left))))
        chances.append(
            {"homeWinPercentage": round(value, 4), "tiePercentage": 0.0, "playId": row["id"]}
        )
    return chances


# ---------------------------------------------------------------- around the game


def officials_json(game: Fixture) -> list[JsonObject]:
    chance = seeded("officials", game.id)
    names = [
        f"{chance.choice(FIRST_NAMES)} {chance.choice(SURNAME_HEADS)}{chance.choice(SURNAME_TAILS)}"
        for _ in range(OFFICIALS[game.league.sport])
    ]
    role = "Umpire" if game.league.sport == "baseball" else "Referee"
    has_full_name = game.league.sport != "baseball"
    return [
        {
            "displayName": name,
            "position": {"name": role, "displayName": role},
            "order": order,
            **({"fullName": name} if has_full_name else {}),
        }
        for order, name in enumerate(names, start=1)
    ]


def injuries_json(game: Fixture) -> list[JsonObject]:
    """Return one injured player of each side, the last of its roster."""
    sides = []
    for team in (game.home, game.away):
        player = roster_on(team, eastern_day(game.start))[-1]
        athlete = athlete_in_box(game, player) | {
            "fullName": player.name,
            "shortName": player.short_name,
            "position": position_in_box(player),
        }
        injury = {"status": "Out", "athlete": athlete, "details": {"type": "Knee"}}
        sides.append({"team": {"id": team.id}, "injuries": [injury]})
    return sides


def series_json(game: Fixture, view: FeedView) -> list[JsonObject]:
    """Return the season's games of the two teams, this one among them."""
    season = season_of(game.league.key, game.season)
    games = [
        other
        for other in games_of_team(season, game.home, view)
        if game.away in (other.home, other.away)
    ]
    return [
        {
            "type": "season",
            "title": "Season Series",
            "summary": f"{len(games)} game{'' if len(games) == 1 else 's'}",
            "events": [meeting_json(other, view) for other in games],
        }
    ]


def meeting_json(game: Fixture, view: FeedView) -> JsonObject:
    moment = view.moment(game)
    state = STATUS_TYPES[moment.status].state
    sides = []
    for word, team, score in (
        ("home", game.home, moment.home),
        ("away", game.away, moment.away),
    ):
        side: JsonObject = {"homeAway": word, "team": {"id": team.id}}
        sides.append(side | ({"score": str(score)} if state != "pre" else {}))
    date = f"{shown_start(game, view.now):%Y-%m-%dT%H:%M:%SZ}"
    return {"id": game.id, "date": date, "status": state, "competitors": sides}


def lineups_json(game: Fixture, plays: Sequence[Play]) -> list[JsonObject]:
    """Return both lineups: eleven who start, the others on the bench."""
    figures = figures_of(plays)
    on, off = (
        {player for player, counts in figures.items() if counts[word]} for word in ("ON", "OFF")
    )
    sides = []
    for seat in SEATS:
        roster = roster_of(game, seat)
        starting = [roster[place] for place in LINEUPS["soccer"]]
        others = [player for player in roster if player not in starting]
        bench = sorted(others, key=lambda player: player.id not in on)[:9]
        players = [
            {
                "starter": player in starting,
                "jersey": player.jersey,
                "athlete": athlete_in_box(game, player),
                "subbedIn": player.id in on,
                "subbedOut": player.id in off,
            }
            for player in [*starting, *bench]
        ]
        side: JsonObject = {"homeAway": "home" if seat else "away", "formation": "4-4-2"}
        sides.append(side | {"team": {"id": team_id(game, seat)}, "roster": players})
    return sides

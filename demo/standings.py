"""The standings: every team's line, by conference or at level 3 by division."""

from collections.abc import Mapping
from datetime import datetime

from demo.events import FeedView
from demo.fixtures import REGULAR, eastern_day
from demo.leagues import DemoLeague
from demo.pages import team_without
from demo.scoreboards import number_asked, season_name
from demo.seasons import Season, season_at, season_of, table_at
from demo.shapes import JsonObject
from demo.tables import WIN, Tally, record_text, seeds_of
from demo.teams import DemoTeam, teams_of

ZONES = (
    (1, 4, "Champions League", "#81D6AC"),
    (5, 5, "Europa League", "#B5E7CE"),
    (18, 20, "Relegation", "#FF7F84"),
)
DIVISIONS = {
    "nfl": "{group[0]} {division}",
    "nba": "{division}",
    "mlb": "{group[2]} {division}",
    "nhl": "{division} Division",
}
SEASON_OF_BASEBALL = 160  # games; when a team has played them its place is certain
SEEDS_OF_BASEBALL = 6


def standings_json(league: DemoLeague, query: Mapping[str, str], view: FeedView) -> JsonObject:
    """Return the standings: conferences, each with its teams by seed, or divided at level 3."""
    day = eastern_day(view.now)
    asked = number_asked(query, "season")
    season = season_of(league.key, asked) if asked else season_at(league.key, day)
    tallies = table_at(league.key, season.year, view.now, view.speed)
    entries = entries_json(league, tallies)
    divided = league.key in DIVISIONS and number_asked(query, "level") == 3
    return {
        "uid": f"{league.uid}~g:{league.group_id}",
        "id": league.group_id,
        "name": league.name,
        "abbreviation": league.abbreviation,
        "children": [
            conference_json(league, season, group, entries[group[0]], divided)
            for group in league.groups
        ],
        "seasons": [{"year": season.year, "displayName": season_name(season)}],
    }


def entries_json(
    league: DemoLeague, tallies: dict[str, Tally]
) -> dict[str, list[tuple[str, JsonObject]]]:
    """Return each conference's lines by seed, each with the team's division."""
    teams = teams_of(league.key)
    lines: dict[str, list[tuple[str, JsonObject]]] = {}
    for conference, seeds in seeds_of(league, teams, tallies).items():
        best = tallies[max(seeds, key=lambda team: tallies[team].share_won)]
        lines[conference] = [
            (
                teams[team].division,
                {
                    "team": standings_team(league, teams[team]),
                    "stats": stats_json(league, tallies[team], best, seed),
                    **zone_json(league, seed),
                },
            )
            for seed, team in enumerate(seeds, start=1)
        ]
    return lines


def conference_json(
    league: DemoLeague,
    season: Season,
    group: tuple[str, str, str, str],
    entries: list[tuple[str, JsonObject]],
    divided: bool,
) -> JsonObject:
    _, number, name, abbreviation = group
    body: JsonObject = {
        "uid": f"{league.uid}~g:{number}",
        "id": number,
        "name": name,
        "abbreviation": abbreviation,
    }
    if not divided:
        return body | {"standings": standings_table(season, [line for _, line in entries])}
    children = []
    for place, division in enumerate(sorted({division for division, _ in entries}), start=1):
        lines = [line for own, line in entries if own == division]
        title = DIVISIONS[league.key].format(group=group, division=division)
        child: JsonObject = {"id": f"{number}{place}", "name": title, "abbreviation": division}
        children.append(child | {"standings": standings_table(season, lines)})
    return body | {"children": children}


def standings_table(season: Season, entries: list[JsonObject]) -> JsonObject:
    return {
        "id": "0",
        "name": "overall",
        "displayName": "Standings",
        "season": season.year,
        "seasonType": REGULAR,
        "seasonDisplayName": season_name(season),
        "entries": entries,
    }


def zone_json(league: DemoLeague, seed: int) -> JsonObject:
    """Return what a place in the Premier League leads to; most lead nowhere, and have no note."""
    for first, last, description, color in ZONES if league.key == "eng.1" else ():
        if first <= seed <= last:
            return {"note": {"color": color, "description": description, "rank": seed}}
    return {}


def standings_team(league: DemoLeague, team: DemoTeam) -> JsonObject:
    """Return a team as standings have it: without colours and slug."""
    return team_without(league, team, "slug", "nickname", "color", "alternateColor", "isAllStar")


def stats_json(league: DemoLeague, tally: Tally, best: Tally, seed: int) -> list[JsonObject]:
    """Return a team's numbers by name; records have only words, no value."""
    won, lost, other = tally.total
    behind = ((best.total[WIN] - won) + (lost - best.total[1])) / 2
    difference = tally.scored - tally.allowed
    share_won = tally.share_won
    streak = f"{'W' if tally.streak > 0 else 'L'}{abs(tally.streak)}" if tally.streak else "-"
    stats = [
        stat("gamesBehind", behind, f"{behind:g}" if behind else "-"),
        stat("losses", lost),
        stat("playoffSeed", seed),
        stat("pointDifferential", difference, f"{difference:+d}"),
        stat("pointsAgainst", tally.allowed),
        stat("pointsFor", tally.scored),
        stat("streak", tally.streak, streak),
        stat("wins", won),
    ]
    if league.sport == "soccer":
        return soccer_stats(league, tally, seed)
    if league.key == "nhl":
        stats += hockey_stats(league, tally)
    else:
        stats.append(stat("winPercent", share_won, f"{share_won:.3f}".removeprefix("0")))
    if league.key == "mlb" and tally.games >= SEASON_OF_BASEBALL:
        stats.append(stat("clincher", 0, "x" if seed <= SEEDS_OF_BASEBALL else "e"))
    if league.key == "nfl":
        division = record_text(league, tally.division)
        stats += [stat("ties", other), stat("divisionRecord", 0, division)]
    return stats + record_stats(league, tally) + conference_stats(league, tally)


def conference_stats(league: DemoLeague, tally: Tally) -> list[JsonObject]:
    """Return what college tables have besides: numbers of some games by the names of all."""
    if not league.division:
        return []
    won, lost, _ = tally.conference
    return [
        stat("wins", won) | {"type": "vsconf_wins"},
        stat("losses", lost) | {"type": "vsconf_losses"},
    ]


def soccer_stats(league: DemoLeague, tally: Tally, seed: int) -> list[JsonObject]:
    """Return a soccer team's numbers: it has a rank, no seed, and one record over all games."""
    won, lost, drawn = tally.total
    difference = tally.scored - tally.allowed
    overall = record_text(league, tally.total)
    return [
        stat("gamesPlayed", tally.games),
        stat("losses", lost),
        stat("pointDifferential", difference, f"{difference:+d}"),
        stat("points", tally.points(league)),
        stat("pointsAgainst", tally.allowed),
        stat("pointsFor", tally.scored),
        stat("rank", seed),
        stat("ties", drawn),
        stat("wins", won),
        record_stat("overall", "total", overall),
    ]


def hockey_stats(league: DemoLeague, tally: Tally) -> list[JsonObject]:
    won, _, other = tally.total
    return [
        stat("otLosses", other),
        stat("points", tally.points(league)),
        stat("gamesPlayed", tally.games),
        stat("regWins", won - tally.overtime_wins - tally.shootout_wins),
        stat("overtimeWins", tally.overtime_wins),
        stat("shootoutWins", tally.shootout_wins),
    ]


def record_stats(league: DemoLeague, tally: Tally) -> list[JsonObject]:
    ten = [tally.last[-10:].count(result) for result in (0, 1, 2)]
    overall = record_text(league, tally.total)
    text = f"{overall}, {tally.points(league)} PTS" if league.key == "nhl" else overall
    return [
        {"name": "overall", "type": "total", "displayValue": text, "summary": overall},
        record_stat("Home", "home", record_text(league, tally.home)),
        record_stat("Road", "road", record_text(league, tally.road)),
        record_stat("vs. Div.", "vsdiv", record_text(league, tally.division)),
        record_stat("vs. Conf.", "vsconf", record_text(league, tally.conference)),
        record_stat("Last Ten Games", "lasttengames", record_text(league, ten)),
    ]


def stat(name: str, value: float, text: str | None = None) -> JsonObject:
    shown = str(value) if text is None else text
    return {"name": name, "type": name.lower(), "value": float(value), "displayValue": shown}


def record_stat(name: str, kind: str, text: str) -> JsonObject:
    return {"name": name, "type": kind, "displayValue": text, "summary": text}


def standings_stub(league: DemoLeague, now: datetime) -> JsonObject:
    """Return what the apis/site/v2 standings path answers: a link to the page, no table."""
    href = f"https://www.espn.com/{league.key}/standings/_/season/{eastern_day(now).year}"
    return {"fullViewLink": {"text": "Full Standings", "href": href}}

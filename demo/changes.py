"""What ESPN's feed changed, or may change: each is a switch, alone or with others.

`range` and `limit` have been in force since September 2026, and are here unless switched off. The
second host is the same server under the name localhost: a client that knows both is given
`http://127.0.0.1:5060,http://localhost:5060`.
"""

import re
from collections.abc import Mapping
from typing import Any

from demo.shapes import JsonObject

CHANGES = {
    "host": "the first host refuses everybody with 403; the second one answers",
    "agent": "the first host refuses every agent with 403 but those of known libraries",
    "range": "dates=YYYYMMDD-YYYYMMDD is refused with 400",
    "limit": "a scoreboard has 25 events where more than 500 are asked for, 100 without a limit",
    "month": "dates=YYYYMM is refused with 400",
    "week": "week=N is refused with 400",
    "undated": "a scoreboard without dates is refused with 400",
    "fields": "fields have other names, such as points for score",
}
IN_FORCE = frozenset({"range", "limit"})
SECOND_HOST = "localhost"
RENAMED: JsonObject = {
    "score": "points",
    "displayClock": "clockText",
    "linescores": "scoreByPeriod",
    "jersey": "number",
    "displayValue": "text",
}
DEFAULT_LIMIT = 100
GREATEST_LIMIT = 500
BROKEN_LIMIT = 25
LIBRARIES = re.compile(
    r"(python-requests|python-httpx|Python-urllib|curl|Go-http-client|okhttp|axios)/"
)
OWN_TOKEN = re.compile(r"(?!Mozilla)[A-Za-z][\w.-]*/[\w.]+ \(\+https?://[^\s)]+\)")


def refused_agent(changes: frozenset[str], host: str, agent: str) -> bool:
    """Return whether this host answers 403: always to other agents than a library's or, with a
    link, one's own; with `host` and `agent` to more of them on the first host.
    """
    is_library = LIBRARIES.match(agent) is not None
    if not is_library and not OWN_TOKEN.match(agent):
        return True
    if host.partition(":")[0] == SECOND_HOST:
        return False
    return "host" in changes or ("agent" in changes and not is_library)


def refused_query(changes: frozenset[str], query: Mapping[str, str]) -> bool:
    """Return whether a scoreboard with this query is refused with 400."""
    dates = query.get("dates", "")
    forms = {
        "range": "-" in dates,
        "month": len(dates) == len("202611"),
        "week": "week" in query,
        "undated": not dates,
    }
    return any(forms[name] for name in changes & forms.keys())


def cut(events: list[Any], changes: frozenset[str], query: Mapping[str, str]) -> list[Any]:
    """Return the events that `limit` leaves of them."""
    text = query.get("limit", "")
    limit = int(text) if text.isdecimal() else 0
    if "limit" not in changes:
        return events[:limit] if limit else events
    return events[: BROKEN_LIMIT if limit > GREATEST_LIMIT else limit or DEFAULT_LIMIT]


def renamed(value: Any) -> Any:
    """Return an answer, or a part of one, with the new names of its fields."""
    if isinstance(value, list):
        return [renamed(part) for part in value]
    if isinstance(value, dict):
        return {RENAMED.get(name, name): renamed(part) for name, part in value.items()}
    return value

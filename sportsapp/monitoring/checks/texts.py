"""Times and errors as the checks' sentences have them."""

from datetime import timedelta

from sportsapp.core.secrets import scrub


def short(error: Exception) -> str:
    """An error's message in one line, without credentials."""
    text = " ".join(str(scrub(str(error), ())).split())
    return text[:200].rstrip(".")


def duration(span: timedelta) -> str:
    """How long, in the largest unit that says enough: 90 s, 5 min, 3 h."""
    seconds = int(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h"

"""Errors as the checks' sentences have them."""

from sportsapp.core.secrets import scrub


def short(error: Exception) -> str:
    """An error's message in one line, without credentials."""
    text = " ".join(str(scrub(str(error), ())).split())
    return text[:200].rstrip(".")

"""Which form of a page a request asks for: HTML, or plain text for a terminal."""

from collections.abc import Mapping
from typing import Any

TERMINALS = ("curl/", "Wget/", "HTTPie/")
"""How the User-Agent of a program begins that shows an answer in a terminal."""


def asks_for_text(environ: Mapping[str, Any]) -> bool:
    """Whether the Accept header names plain text and no HTML; without either, a terminal does."""
    accepted = environ.get("HTTP_ACCEPT", "").lower()
    if "text/html" in accepted:
        return False
    return "text/plain" in accepted or environ.get("HTTP_USER_AGENT", "").startswith(TERMINALS)

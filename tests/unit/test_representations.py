"""Who gets a page as text and who as HTML."""

from __future__ import annotations

import pytest

from sportsapp.http.representations import asks_for_text

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize(
    ("agent", "accept", "is_text"),
    [
        ("curl/8.16.0", "*/*", True),
        ("Wget/1.25.0", "*/*", True),
        ("HTTPie/3.2.4", "*/*", True),
        ("curl/8.16.0", "text/html", False),
        (FIREFOX, "text/html,application/xhtml+xml,*/*;q=0.8", False),
        (FIREFOX, "text/plain", True),
        (FIREFOX, "text/plain, text/html;q=0.5", False),
        (FIREFOX, "*/*", False),
        ("not curl/1", "", False),
        ("", "", False),
    ],
)
def test_terminals_and_who_asks_for_plain_text_get_it(agent, accept, is_text):
    environ = {"HTTP_USER_AGENT": agent, "HTTP_ACCEPT": accept}
    assert asks_for_text(environ) is is_text

"""Hostile input from visitors, and assertions that a response is harmless."""

from __future__ import annotations

import os
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from xml.etree import ElementTree

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

PLANTED = "x-planted"
PRODUCT = "6049061729"  # what 77777*77777 would render as
MARKUP = (
    f"<{PLANTED}>",
    f'"><{PLANTED} a="',
    f"'><{PLANTED}/{PLANTED}=1>",
    f'" {PLANTED}="1',
    f"' {PLANTED}='1",
    f"</title><{PLANTED}>",
    f"--><{PLANTED}>",
    f"]]><{PLANTED}/>",
    f"</script><script>{PLANTED}()</script>",
    f"&lt;{PLANTED}&gt;",
    f"<<{PLANTED}>>",
    f"<img src=x onerror={PLANTED}>",
    f"javascript:{PLANTED}()",
    f"<!--{PLANTED}",
    "<![CDATA[",
    f"\u2028</script><{PLANTED}>",
    f"+ADw-{PLANTED}+AD4-",
)
SQL = (
    "' OR '1'='1",
    "' OR 1=1 --",
    '" OR ""="',
    "1; DROP TABLE games",
    "'; DELETE FROM games; --",
    "') UNION SELECT password_hash FROM admin_users --",
    "401' AND '1'='1",
    "%",
    "_",
    "\\",
    "%%%_",
    "'||(SELECT 1)||'",
    "\\'; SELECT pg_sleep(9); --",
    "NULL",
    "0x27",
)
TEMPLATE = (
    "{{77777*77777}}",
    "${77777*77777}",
    "#{77777*77777}",
    "<%= 77777*77777 %>",
    "{%77777*77777%}",
    "{{config}}",
    "{{''.__class__.__mro__}}",
    "{0.__class__}",
    "{url}",
    "%(name)s",
    "%s%n",
    "{",
)
HEADER = (
    f"a\r\nSet-Cookie: {PLANTED}=1",
    f"a\n{PLANTED}: 1",
    f"a\r{PLANTED}: 1",
    f"\r\n\r\n<{PLANTED}>",
    f"%0d%0a{PLANTED}: 1",
    f"\u560d\u560a{PLANTED}: 1",
    f"a\x0b{PLANTED}: 1",
    f"a\x85{PLANTED}: 1",
    f"/nfl\r\n{PLANTED}: 1",
    f"a; Domain=evil.example; {PLANTED}=1",
)
REDIRECT = (
    "//evil.example",
    "https://evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil",
    "/\t/evil.example",
    "https:evil.example",
    "//evil.example/admin/",
    "/admin/../..//evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "http://localhost@evil.example/",
    "//localhost:80@evil.example",
    "/admin//evil.example",
    "?//e",
    "/.//evil.example",
    "/;@evil.example",
    " //evil.example",
    "\x00//evil.example",
)
ODD = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "\U0010ffff",
    "\ufeff",
    "\u202e",
    "\x7f",
    "-1",
    "0",
    "00",
    "+1",
    "1e309",
    "NaN",
    "²",
    "٣",
    "9" * 10,
    "9" * 20,
    "9" * 400,
    "9" * 5000,
    "-" + "9" * 30,
    "2026-02-30",
    "0000-00-00",
    "9999-12-31",
    "2026-01-15T00:00",
    "a" * 9000,
    "%00",
    "\u0662\u0660\u0662\u0666-\u0660\u0661-\u0661\u0665",
    "../../etc/passwd",
    "~root",
    "%zz",
    "..%2f..%2fetc%2fpasswd",
    "/etc/passwd",
    "a" * 101,
    "true",
    "null",
    "[]",
    "{}",
    "NFL",
    "nfl ",
    "\u017fearch",
    "İ",
    "ß",
    "nfl-1.nba-2",
    "." * 300,
    "nfl-",
)
NO_MARKUP = ("application/json", "text/plain", "text/calendar", "text/css", "text/csv")
ATTACKS = MARKUP + SQL + TEMPLATE + HEADER + REDIRECT + ODD

any_text = st.text(st.characters(exclude_categories=()), max_size=40)  # includes lone surrogates
attack = st.sampled_from(ATTACKS)
texts = attack | any_text | st.builds("{}{}{}".format, any_text, attack, any_text)
numbers = st.integers(-(10**30), 10**30).map(str) | texts


def trying(examples: int) -> Any:
    """Settings of a property test. TIMES in the environment multiplies the examples, at random."""
    times = int(os.environ.get("TIMES", "1"))
    return settings(
        max_examples=examples * times,
        derandomize=times == 1,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def in_address(text: str) -> str:
    """Text as a part of an address: every byte encoded, also NUL and lone surrogates."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


class Markup(HTMLParser):
    """The elements and attributes of a page, as a browser parses them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.names |= {tag, *(name for name, _ in attrs)}

    def handle_data(self, data: str) -> None:
        """Text between elements."""
        self.texts.append(data)


def assert_harmless(answer: TestResponse) -> None:
    """Assert that nothing failed, and that no input became markup, a header or another site's URL.

    JSON and text are not markup as long as ``nosniff`` forbids browsers to guess their type.
    """
    assert answer.status_code < 500
    for name, value in answer.headers:
        assert PLANTED not in name.lower()
        assert not set("\r\n\x00") & set(name + value)
    assert not any(part.startswith(PLANTED) for part in answer.headers.getlist("Set-Cookie"))
    assert_local(answer.headers.get("Location", "/"))
    assert PRODUCT not in answer.text
    kind = answer.mimetype
    if kind == "text/html":
        assert PLANTED not in " ".join(Markup(answer.text).names)
    elif kind.endswith("+xml"):
        ElementTree.fromstring(answer.data)  # noqa: S314 - our own document
        assert f"<{PLANTED}" not in answer.text
    else:
        assert kind in NO_MARKUP
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def assert_local(location: str) -> None:
    """Assert that a browser that follows this stays here, however it reads odd characters."""
    for read in (location, location.replace("\\", "/"), "".join(location.split())):
        target = urlsplit(urljoin("http://localhost/", read))
        assert (target.scheme, target.hostname) == ("http", "localhost"), location

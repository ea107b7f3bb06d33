"""What holds for every request and every answer: hosts and text that we refuse, security headers.

The panel adds a stricter policy of its own in ``admin/security.py``.
"""

import re

from flask import Flask, Response, abort, request
from werkzeug.exceptions import SecurityError

# Scripts and style sheets come from our own files alone. Style attributes are allowed, since a
# team's colours are written in one: `chip` writes nothing but hex digits there, and on a page that
# may load neither scripts nor pictures of others an injected style cannot send anything anywhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
}
HSTS = "max-age=31536000"
LABEL = "[a-z0-9_-]{1,63}"  # one part of a host's name: a longer one is no name in any encoding
HOST = re.compile(
    rf"({LABEL}(\.{LABEL}){{0,30}}\.?|\[[0-9a-f:.]{{2,45}}\])(:[0-9]{{1,5}})?", re.IGNORECASE
)
LONGEST_ADDRESS = 8000
"""Characters of path and query. Libraries keep the last hundred addresses that they took apart."""


def init_app(app: Flask) -> None:
    """Check every request before any other part does, and add the headers to every answer.

    Has to be the first part that is joined to the app, so that no other part sees what it refuses.
    """
    app.before_request(_refuse_malformed)
    app.after_request(_add_headers)


def is_https() -> bool:
    """Whether the visitor uses HTTPS, directly or up to a proxy.

    X-Forwarded-Proto is believed from anybody: it can only make us stricter.
    """
    forwarded = request.headers.get("X-Forwarded-Proto", "").split(",")[0].strip()
    return request.is_secure or forwarded.lower() == "https"


def _refuse_malformed() -> None:
    """Answer 400 to a host that is not ours or not a name, and to text that no database stores.

    An address that is too long gets 414.
    """
    # `request.host` raises for a host that TRUSTED_HOSTS leaves out. Without that setting any
    # host is allowed, but it has to be a name: our pages write it into their links.
    if not HOST.fullmatch(request.host):
        raise SecurityError(f"{request.host!r} is not a host name")
    if len(request.path) + len(request.query_string) > LONGEST_ADDRESS:
        request.query_string = b""  # the error page reads its own address
        abort(414, f"An address can have at most {LONGEST_ADDRESS} characters.")
    try:
        request.query_string.decode()
    except UnicodeDecodeError:
        request.query_string = b""  # the error page reads its own address
        abort(400, "That address is not in UTF-8.")
    texts = [request.path]
    for fields in (request.args, request.form):
        texts += [text for pair in fields.items(multi=True) for text in pair]
    if any("\x00" in text for text in texts):
        abort(400, "Text cannot contain NUL characters.")


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if is_https():
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    return response

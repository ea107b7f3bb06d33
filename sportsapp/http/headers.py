"""What holds at every door: whom we answer to, what we refuse to read, how browsers are held.

The panel adds a stricter policy of its own in ``admin/security.py``.
"""

from __future__ import annotations

import re

from flask import Flask, Response, abort, request
from werkzeug.exceptions import SecurityError

# Scripts and style sheets come from our own files alone. Style attributes are let in, since a
# team's colours stand in one: `chip` writes nothing but hex digits there, and a page that may
# load neither scripts nor pictures of others gives an injected style nothing to tell anyone.
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
HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.IGNORECASE)


def init_app(app: Flask) -> None:
    """Check every request before any other part does, and send the headers with every answer.

    Has to be the first part that is joined to the app: what it refuses, nobody else sees.
    """
    app.before_request(_refuse)
    app.after_request(_add_headers)


def came_by_https() -> bool:
    """Whether the visitor came by HTTPS, by a proxy too.

    Believing the proxy's header costs nothing: it can only make us stricter.
    """
    forwarded = request.headers.get("X-Forwarded-Proto", "").split(",")[0].strip()
    return request.is_secure or forwarded.lower() == "https"


def _refuse() -> None:
    """End what is not for us: another host's name, no name at all, text that no database takes.

    Asking for the name ends what TRUSTED_HOSTS leaves out. Without it the name has to be one all
    the same, since it stands in our pages' own links.
    """
    if not HOST.fullmatch(request.host):
        raise SecurityError(f"{request.host!r} is no host's name")
    try:
        request.query_string.decode()
    except UnicodeDecodeError:
        request.query_string = b""  # the page that says so asks for its own address
        abort(400, "That address is not in UTF-8.")
    if any("\x00" in text for text in _texts()):
        abort(400, "NUL is no sign that a text can have.")


def _texts() -> list[str]:
    texts = [request.path]
    for fields in (request.args, request.form):
        for name, value in fields.items(multi=True):
            texts += [name, value]
    return texts


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if came_by_https():
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    return response

"""What holds for every request and every answer: hosts and text that we refuse, security headers.

The panel adds a stricter policy of its own in ``admin/security.py``.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, current_app, g, request
from werkzeug.exceptions import SecurityError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Scripts and style sheets come from our own files alone. Style attributes are allowed, since a
# team's colours are written in one: `chip` writes nothing but hex digits there, and on a page that
# may load neither scripts nor pictures of others an injected style cannot send anything anywhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
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
    rf"({LABEL}(?:\.{LABEL}){{0,30}}\.?|\[[0-9a-f:.]{{2,45}}\])(:[0-9]{{1,5}})?", re.IGNORECASE
)
LONGEST_ADDRESS = 8000
"""Characters of path and query. Libraries keep the last hundred addresses that they took apart."""


def init_app(app: Flask) -> None:
    """Check every request before any other part does, and add the headers to every answer.

    Has to be the first part that is joined to the app, so that no other part sees what it refuses.
    """
    app.wsgi_app = VisitorsScheme(app.wsgi_app)  # type: ignore[method-assign]  # as documented
    app.before_request(_refuse_malformed)
    app.after_request(_add_headers)


class VisitorsScheme:
    """WSGI middleware: ``request.scheme`` is https if the visitor uses it, also up to a proxy.

    Links, cookies and headers go by it. X-Forwarded-Proto is believed from anybody: it can only
    make us stricter.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Call the application."""
        forwarded = environ.get("HTTP_X_FORWARDED_PROTO", "").split(",")[0].strip()
        if forwarded.lower() == "https":
            environ["wsgi.url_scheme"] = "https"
        return self._app(environ, start_response)


def _refuse_malformed() -> None:
    """Answer 400 to a host that is not ours or not a name, and to text that no database stores.

    An address that is too long gets 414.
    """
    # Our pages write the host into their links. Flask's own check knows no IPv6 addresses.
    host = HOST.fullmatch(request.host.lower())
    if not host or not _is_ours(host[1]):
        raise SecurityError(f"{request.host!r} is not a host name of this site")
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


def _is_ours(name: str) -> bool:
    """Whether this is a host of this site, or in a domain that is: ``.example.org``."""
    ours, parts = current_app.config["SITE_HOSTS"], name.split(".")
    domains = {"." + ".".join(parts[n:]) for n in range(len(parts))}
    return name in ours or not ours.isdisjoint(domains)


def allow_frames(origins: Sequence[str]) -> None:
    """For a view: pages of these origins may show its answer, or its error, in a frame."""
    g.frame_ancestors = origins


def headers_of(frame_ancestors: Sequence[str]) -> dict[str, str]:
    """The headers of an answer that pages of these origins may show in a frame."""
    headers = dict(HEADERS)
    if frame_ancestors:
        ancestors = f"frame-ancestors {' '.join(frame_ancestors)}"
        headers["Content-Security-Policy"] = POLICY.replace("frame-ancestors 'none'", ancestors)
        del headers["X-Frame-Options"]  # which can name no origins
    return headers


def _add_headers(response: Response) -> Response:
    for name, value in headers_of(g.get("frame_ancestors", ())).items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    return response

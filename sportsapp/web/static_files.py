"""The files of ``static/``: read once, and compressed when they are first sent, not each time."""

from functools import lru_cache
from mimetypes import guess_type

from flask import Flask, Response, abort, request

from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.http.encoding import FOR_GOOD, Body
from sportsapp.web.page import code_version

FOREVER = "public, max-age=31536000, immutable"


def init_app(app: Flask) -> None:
    """Serve them in Flask's place."""
    app.add_url_rule("/static/<path:filename>", "static", send_file)


def send_file(filename: str) -> Response:
    """A file. Browsers keep it for good if it was requested at this version's address.

    At another version's address it is checked again each time: during an upgrade an old web
    server would otherwise serve its own file at the new address, for good.
    """
    version = code_version()
    body = _files(version).get(filename)
    if body is None:
        abort(404, f"There is no file {filename[:40]!r}.")
    data, encoding = body.encoded(request.headers.get("Accept-Encoding", ""))
    response = Response(data, mimetype=guess_type(filename)[0])
    response.headers["Cache-Control"] = FOREVER if request.args.get("v") == version else "no-cache"
    if filename == "sw.js":
        response.headers["Service-Worker-Allowed"] = "/"  # it is one for all pages
    response.vary.add("Accept-Encoding")
    if encoding:
        response.content_encoding = encoding
    response.add_etag()  # of these bytes, so each encoding has its own
    response.make_conditional(request, accept_ranges=True, complete_length=len(data))
    return response


@lru_cache(maxsize=1)
def _files(_version: str) -> dict[str, Body]:
    """Each file by its name; read again only in debug mode, where the version may change."""
    folder = PROJECT_ROOT / "static"
    files = (path for path in folder.iterdir() if path.is_file())
    return {path.name: Body(path.read_bytes(), FOR_GOOD) for path in files}

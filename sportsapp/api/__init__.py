"""The read-only JSON API under /api/v1: for programs, and for scripts on other sites' pages."""

from flask import Flask, Response, request

from sportsapp.api.scores import blueprint
from sportsapp.http.limits import make_limiter
from sportsapp.services import services_of

PREFIX = "/api/"
LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
SHARED = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": ", ".join(("ETag", "Retry-After", *LIMIT_HEADERS)),
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "If-None-Match",
    "Access-Control-Max-Age": "86400",
}


def init_app(app: Flask) -> None:
    """Add the API, its rate limit, and the headers of its answers to the app."""
    settings = services_of(app).settings
    limiter = make_limiter(
        settings, "sportsapp-api", lambda: request.blueprint == blueprint.name, headers_enabled=True
    )
    app.after_request(_finish)  # registered before the limiter's, and so called after it
    limiter.init_app(app)
    per_minute = f"{settings.api_requests_per_minute} per minute"
    limiter.shared_limit(per_minute, scope=blueprint.name)(blueprint)
    app.register_blueprint(blueprint)


def _finish(response: Response) -> Response:
    """Let scripts of other sites read the answer, and reply 304 when the client has it already.

    An answer never depends on who sends the request, so sharing it gives nothing away; only the
    page about the API is made for its visitor.
    """
    if not request.path.startswith(PREFIX):
        return response
    response.headers.update(SHARED)
    if response.status_code != 429:
        response.headers.pop("Retry-After", None)  # the limiter adds it to every answer
    if request.method == "OPTIONS":
        response.headers.update(PREFLIGHT)
    if request.method in ("GET", "HEAD") and response.status_code == 200:
        is_page = request.endpoint == "api.docs"
        response.headers["Cache-Control"] = f"{'private' if is_page else 'public'}, no-cache"
        response.add_etag()
        response.make_conditional(request)
    return response

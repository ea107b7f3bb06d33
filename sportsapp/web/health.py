"""Health: /healthz for load balancers, /readyz for monitoring, /metrics for Prometheus."""

import hmac

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db
from sportsapp.monitoring.metrics import Metrics, exposition
from sportsapp.monitoring.readiness import readiness
from sportsapp.services import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """This process answers; the database is not read."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 if database, broker, consumers and data are fit, 503 and what is wrong otherwise."""
    parts = services()
    checks = parts.checks.get(
        lambda: readiness(db.session, parts.queues, parts.settings.leagues, utc_now())
    )
    ready = all(check.ok for check in checks)
    body = {
        "status": "ok" if ready else "failing",
        "checks": {check.name: check.text for check in checks},
    }
    return body, 200 if ready else 503, {"Cache-Control": "no-store"}


@blueprint.get("/metrics")
def show_metrics() -> ResponseReturnValue:
    """All metrics, in the format that the scraper accepts. METRICS_TOKEN protects them."""
    parts = services()
    if token := parts.settings.metrics_token:
        sent = request.headers.get("Authorization", "")
        if not hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
            raise Unauthorized(www_authenticate=WWWAuthenticate("bearer"))
    outcomes, hosts = parts.feed_outcomes, parts.feed_client.hosts
    collector = Metrics(parts.settings, parts.queues, outcomes, hosts, utc_now())
    metrics = parts.metrics.get(lambda: list(collector.collect()))
    body, content_type = exposition(metrics, request.headers.get("Accept", ""))
    return Response(body, content_type=content_type, headers={"Cache-Control": "no-store"})

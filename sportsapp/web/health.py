"""How is it? For load balancers (this process), watchers (the instance) and Prometheus."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from sportsapp.core.clock import utc_now
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.monitoring.metrics import Metrics, exposition
from sportsapp.monitoring.readiness import readiness
from sportsapp.services import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """This process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Database, broker, consumers and data are well (200), or which of them is not (503)."""
    settings: Settings = services().settings
    queues = services().queues
    checks = readiness(db.session, queues, settings.leagues, utc_now())
    is_well = all(check.is_well for check in checks)
    body = {
        "status": "ok" if is_well else "failing",
        "checks": {check.name: check.words for check in checks},
    }
    return body, 200 if is_well else 503, {"Cache-Control": "no-store"}


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """What the database and the broker say now, for Prometheus."""
    settings: Settings = services().settings
    if settings.metrics_token and not _has_token(settings.metrics_token):
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer"))
    body, kind = exposition(_metrics(), request.headers.get("Accept", ""))
    return Response(body, content_type=kind, headers={"Cache-Control": "no-store"})


def _metrics() -> Metrics:
    parts = services()
    return Metrics(parts.settings, parts.queues, parts.feed_outcomes, utc_now())


def _has_token(token: str) -> bool:
    said = request.headers.get("Authorization", "")
    return hmac.compare_digest(said.encode(), f"Bearer {token}".encode())

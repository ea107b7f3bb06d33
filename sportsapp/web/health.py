"""Health: /healthz for load balancers, /readyz for monitoring, /metrics for Prometheus."""

import hmac

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from prometheus_client import Metric
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from sportsapp.core.clock import utc_now
from sportsapp.monitoring.checks import run_checks
from sportsapp.monitoring.checks.check import Result
from sportsapp.monitoring.metrics import Metrics, exposition
from sportsapp.services import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """This process answers; the database is not read."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 if this host can serve current scores, 503 and why not otherwise; and ``warnings``.

    ``checks`` are those that may make it unready, and what is wrong with them; other problems, and
    such as may become worse, are warnings. No text names hosts, paths or errors.
    """
    results = _results()
    faults = {result.check.name: result.public for result in results if result.is_unready}
    names = [result.check.name for result in results if result.check.unready]
    body = {
        "status": "failing" if faults else "ok",
        "checks": {name: faults.get(name, "ok") for name in names},
        "warnings": {
            result.check.name: result.public
            for result in results
            if result.problems and not result.is_unready
        },
    }
    return body, 503 if faults else 200, {"Cache-Control": "no-store"}


def _results() -> list[Result]:
    """What the checks have found within the last second."""
    return services().results.get(lambda: list(run_checks(services().look())))


@blueprint.get("/metrics")
def show_metrics() -> ResponseReturnValue:
    """All metrics, in the format that the scraper accepts. METRICS_TOKEN protects them."""
    parts = services()
    if token := parts.settings.metrics_token:
        sent = request.headers.get("Authorization", "")
        if not hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
            raise Unauthorized(www_authenticate=WWWAuthenticate("bearer"))
    outcomes, hosts = parts.feed_outcomes, parts.feed_client.hosts

    def collect() -> list[Metric]:
        results = _results()
        return list(
            Metrics(parts.settings, parts.queues, outcomes, hosts, utc_now(), results).collect()
        )

    metrics = parts.metrics.get(collect)
    body, content_type = exposition(metrics, request.headers.get("Accept", ""))
    return Response(body, content_type=content_type, headers={"Cache-Control": "no-store"})

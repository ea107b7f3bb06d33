"""The OpenAPI document: what it says is what the API does, whatever it is asked."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from sportsapp.core.settings import Settings
from sportsapp.services import services_of
from tests.hostile import ATTACKS
from tests.integration.events import event

load_all_checks()
PROMISES = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
        "negative_data_rejection",
        "unsupported_method",
    ]
)
PATIENT = effort(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
DOCUMENT = "/api/v1/openapi.json"
UNDESCRIBED = {"api.openapi", "api.unknown", "api.docs"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nothing is to be limited."""
    return replace(settings, api_requests_per_minute=100_000)


@pytest.fixture
def filled(synced, app: Flask) -> Flask:
    """A site with a game of each state."""
    synced("nfl", event("401", state="in"), event("402", state="post"))
    synced("nba", event("77", "2026-01-15T19:00Z", "pre"), event("78", state="postponed"))
    return app


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
def test_api_does_what_its_document_says(filled, mode):
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, filled)
    asked = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        if mode.is_negative and not operation.query and not operation.path_parameters:
            continue  # there is nothing to send wrongly

        @PATIENT
        @given(case=operation.as_strategy(generation_mode=mode))
        def keeps_its_promises(case: schemathesis.Case) -> None:
            plain = {"Accept-Encoding": "identity"}  # it decodes nothing of what an app returns
            case.call_and_validate(checks=PROMISES, headers=plain)

        keeps_its_promises()
        asked.add(operation.path)
    assert asked >= {"/api/v1/teams", "/api/v1/games", "/api/v1/games/{league}/{espn_id}"}


def test_document_has_every_address_of_the_api(app, visitor):
    rules = {
        re.sub("<(.*?)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and rule.endpoint not in UNDESCRIBED
    }
    document = visitor.get(DOCUMENT).json
    assert set(document["paths"]) == rules
    assert len(rules) == 8
    assert document["openapi"].startswith("3.1")


def test_document_names_the_leagues_that_are_followed(app, visitor):
    (league,) = visitor.get(DOCUMENT).json["paths"]["/api/v1/teams"]["get"]["parameters"]
    assert league["schema"]["anyOf"][0]["enum"] == list(services_of(app).settings.leagues)


@pytest.mark.parametrize("name", ["league", "date", "state"])
def test_value_that_no_parameter_allows_is_refused_in_the_apis_shape(filled, visitor, name):
    found = visitor.get(DOCUMENT).json["paths"]["/api/v1/games"]["get"]["parameters"]
    (schema,) = [one["schema"]["anyOf"][0] for one in found if one["name"] == name]
    for text in ATTACKS:
        plain = text.encode("utf-8", "replace").decode()
        if plain.strip().lower() not in ["", *schema.get("enum", [])]:
            answer = visitor.get("/api/v1/games", query_string={name: plain})
            assert answer.status_code in (400, 404, 414), plain
            assert set(answer.json["error"]) == {"code", "message"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
@pytest.mark.parametrize(
    "path", ["leagues", "teams", "games", "games/nfl/401", "openapi.json", "x"]
)
def test_api_says_which_methods_it_has(visitor, path, method):
    answer = visitor.open(f"/api/v1/{path}", method=method)
    assert (answer.status_code, answer.json["error"]["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}

"""The OpenAPI document, made of what the views declare and the shapes that they answer.

``answers`` declares a view's answer and parameters. It also reads those parameters and hands
them to the view, so a parameter that is not declared cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any

import msgspec
from flask import Blueprint, Flask, Response, request
from werkzeug.routing import Rule

from sportsapp.api.shapes import Error
from sportsapp.core.settings import VERSION
from sportsapp.services import services_of

OPENAPI = "3.1.0"
JSON = "application/json"
BLANK = {"type": "string", "maxLength": 0}  # what an empty field of a form sends: not chosen
REFERENCE = "#/components/schemas/{name}"
VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
ERRORS = {
    400: "A parameter, or the request itself, is malformed.",
    404: "There is no such thing here.",
    429: "Too many requests from this address; `Retry-After` says when to go on.",
    503: "The data cannot be read at the moment.",
}

Json = dict[str, Any]
View = Callable[..., msgspec.Struct]


@dataclass(frozen=True)
class Parameter:
    """What a visitor may send: its name, its schema, and ``read``, which ends what is malformed.

    ``schema`` is asked for when the document is made, since the leagues followed are a setting.
    """

    name: str
    meaning: str
    read: Callable[[str], Any]
    schema: Callable[[], Json]
    example: str = ""
    in_path: bool = False

    def from_request(self) -> Any:
        """Its value in this request; None when it was not sent, or sent empty."""
        sent = (request.view_args or {}) if self.in_path else request.args
        text = sent.get(self.name, "")
        return self.read(text) if text else None

    def describe(self) -> Json:
        """Its entry in the document."""
        entry: Json = {
            "name": self.name,
            "in": "path" if self.in_path else "query",
            "required": self.in_path,
            "description": self.meaning,
            "schema": self.schema() if self.in_path else {"anyOf": [self.schema(), BLANK]},
        }
        return entry | ({"example": self.example} if self.example else {})


@dataclass(frozen=True)
class Described:
    """What the document says of a view."""

    answer: type[msgspec.Struct]
    parameters: tuple[Parameter, ...]
    summary: str


def answers(shape: type[msgspec.Struct], *parameters: Parameter) -> Callable[[View], Any]:
    """The view answers this shape and gets these parameters, as keyword arguments."""

    def decorate(view: View) -> Callable[..., Response]:
        @wraps(view)
        def described(**_: Any) -> Response:
            given = {one.name: one.from_request() for one in parameters}
            return encoded(view(**given))

        summary = (view.__doc__ or "").partition("\n")[0]
        described.openapi = Described(shape, parameters, summary)  # type: ignore[attr-defined]
        return described

    return decorate


def encoded(value: object) -> Response:
    """Anything that msgspec knows, as a JSON answer."""
    return Response(msgspec.json.encode(value) + b"\n", content_type=JSON)


def make_document(app: Flask, blueprint: Blueprint) -> Json:
    """The document of a blueprint's described views."""
    views = list(_described(app, blueprint))
    shapes = list(dict.fromkeys([*(view.answer for _, view in views), Error]))
    references, components = msgspec.json.schema_components(shapes, ref_template=REFERENCE)
    schemas = dict(zip(shapes, references, strict=True))
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "Sports Game Tracker",
            "version": VERSION,
            "description": f"Live scores: {_leagues_of(app)}. Everything here only reads.",
        },
        "paths": {
            VARIABLE.sub(r"{\1}", rule.rule): {"get": _operation(rule, view, schemas)}
            for rule, view in views
        },
        "components": {"schemas": components},
    }


def _leagues_of(app: Flask) -> str:
    return ", ".join(services_of(app).settings.leagues).upper()


def _described(app: Flask, blueprint: Blueprint) -> Iterator[tuple[Rule, Described]]:
    for rule in app.url_map.iter_rules():
        view = getattr(app.view_functions[rule.endpoint], "openapi", None)
        if rule.endpoint.startswith(f"{blueprint.name}.") and view:
            yield rule, view


def _operation(rule: Rule, view: Described, schemas: dict[Any, Json]) -> Json:
    said = {200: (view.summary, view.answer)} | {
        status: (words, Error) for status, words in ERRORS.items()
    }
    return {
        "operationId": rule.endpoint.rpartition(".")[2],
        "summary": view.summary,
        "parameters": [one.describe() for one in view.parameters],
        "responses": {
            str(status): {"description": words, "content": {JSON: {"schema": schemas[shape]}}}
            for status, (words, shape) in said.items()
        },
    }

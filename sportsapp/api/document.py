"""The OpenAPI document, made from what the views declare and the structs that they return.

``returns`` declares a view's answer and its parameters. It also reads those parameters from the
request and passes them to the view. A parameter that is not in the document is refused: a program
that asks for something else must not take everything for it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any

import msgspec
from flask import Flask, Response, abort, request
from werkzeug.routing import Rule

from sportsapp.api.shapes import Error
from sportsapp.core.settings import VERSION
from sportsapp.services import services_of

OPENAPI = "3.1.0"
JSON = "application/json"
BLANK = {"type": "string", "maxLength": 0}  # an empty form field is the same as none
REFERENCE = "#/components/schemas/{name}"
VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
ERRORS = {
    400: "The request or one of its parameters is malformed, or a parameter is unknown.",
    404: "No league, team or game matches the request.",
    429: "Too many requests from this client address. `Retry-After` has the seconds to wait.",
    503: "The database is not available. Try again in a few seconds.",
}

Json = dict[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A parameter of a view, in the query or in the path.

    ``read`` turns its text into the value that the view gets; it ends the request with 400 or
    404 when the text is malformed. ``schema`` is called when the document is made, since the
    leagues are a setting.
    """

    name: str
    description: str
    read: Callable[[str], Any]
    schema: Callable[[], Json]
    in_path: bool = False

    def from_request(self) -> Any:
        """Its value in the current request; None when it is missing or empty."""
        sent = (request.view_args or {}) if self.in_path else request.args
        text = sent.get(self.name, "")
        return self.read(text) if text else None

    def describe(self) -> Json:
        """Its entry in the document."""
        return {
            "name": self.name,
            "in": "path" if self.in_path else "query",
            "required": self.in_path,
            "description": self.description,
            "schema": self.schema() if self.in_path else {"anyOf": [self.schema(), BLANK]},
        }


class ApiView:
    """A view that returns a struct, with its description for the document.

    Called by Flask, it reads the parameters, passes them to the view by name, and encodes what
    the view returns. The first line of the view's docstring is its summary.
    """

    def __init__(
        self,
        view: Callable[..., msgspec.Struct],
        answer: type[msgspec.Struct],
        parameters: tuple[Parameter, ...],
    ) -> None:
        update_wrapper(self, view)
        self.answer = answer
        self.parameters = parameters
        self.summary = (view.__doc__ or "").partition("\n")[0]
        self._view = view

    def __call__(self, **_in_path: str) -> Response:
        known = [parameter.name for parameter in self.parameters if not parameter.in_path]
        for name in request.args:
            if name not in known:
                takes = ", ".join(known) or "none"
                abort(400, f"unknown parameter {name[:40]!r}; this address takes {takes}")
        values = {parameter.name: parameter.from_request() for parameter in self.parameters}
        answer = self._view(**values)
        response = json_response(answer)
        if getattr(answer, "read_at", None):  # that the same was read again is no news
            timeless = json_response(msgspec.structs.replace(answer, read_at=""))
            timeless.add_etag(weak=True)
            response.headers["ETag"] = timeless.headers["ETag"]
        return response


def returns(
    answer: type[msgspec.Struct], *parameters: Parameter
) -> Callable[[Callable[..., msgspec.Struct]], ApiView]:
    """Declare that the view returns this struct and takes these parameters."""
    return lambda view: ApiView(view, answer, parameters)


def json_response(value: object) -> Response:
    """Any value that msgspec can encode, as a JSON response."""
    return Response(msgspec.json.encode(value) + b"\n", content_type=JSON)


def make_document(app: Flask) -> Json:
    """The OpenAPI document of all API views."""
    rules = [(rule, app.view_functions[rule.endpoint]) for rule in app.url_map.iter_rules()]
    views = [(rule, view) for rule, view in rules if isinstance(view, ApiView)]
    structs = list(dict.fromkeys([*(view.answer for _, view in views), Error]))
    references, components = msgspec.json.schema_components(structs, ref_template=REFERENCE)
    schemas = dict(zip(structs, references, strict=True))
    leagues = ", ".join(services_of(app).settings.leagues).upper()
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "Sports Game Tracker",
            "version": VERSION,
            "description": f"Live scores of {leagues}. Read-only; no key is needed.",
        },
        "paths": {
            VARIABLE.sub(r"{\1}", rule.rule): {"get": _operation(rule, view, schemas)}
            for rule, view in views
        },
        "components": {"schemas": components},
    }


def _operation(rule: Rule, view: ApiView, schemas: dict[Any, Json]) -> Json:
    responses = {200: (view.summary, view.answer)}
    responses |= {status: (description, Error) for status, description in ERRORS.items()}
    return {
        "operationId": rule.endpoint.rpartition(".")[2],
        "summary": view.summary,
        "parameters": [parameter.describe() for parameter in view.parameters],
        "responses": {
            str(status): {
                "description": description,
                "content": {JSON: {"schema": schemas[struct]}},
            }
            for status, (description, struct) in responses.items()
        },
    }

"""``openapi.json``, made from the table of routes and the structs that check what comes in and out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from flask import Response, request

from .bodies import BODIES
from .errors import ErrorAnswer
from .parts import get_parts, get_state
from .queries import LISTS
from .routes import ROUTES, Route

VERSION = "3.1.0"
REFERENCE = "#/components/schemas/{name}"
KEYS: Mapping[str, list[dict[str, list[str]]]] = {
    "optional": [{}, {"key": []}, {"bearer": []}, {"writeKey": []}],
    "secret": [{"key": []}, {"bearer": []}],
    "none": [],
}
STATUS = {
    200: "Done",
    303: "The choice is taken; back to the page",
    304: "Unchanged",
    400: "The request is wrong; `field` says where",
    401: "The key is not known",
    403: "The caller may not do this",
    404: "There is no such thing",
    409: "Somebody else changed it meanwhile",
    413: "The body is too large",
    415: "The body is of another type",
    429: "Too many requests; `Retry-After` says when to come back",
    500: "Something went wrong here",
    503: "A store cannot be reached; `Retry-After` says when to come back",
}


def openapi_json() -> Response:
    """This description, with the placements of this shop."""
    state, parts = get_state(), get_parts()
    described = document(f"{request.script_root}{parts.prefix}" or "/", list(state.pipeline.placements))
    response = Response(msgspec.json.encode(described), content_type="application/json")
    response.cache_control.public, response.cache_control.max_age = True, 60
    return response


def document(server: str, placements: list[str]) -> dict[str, Any]:
    """The whole description.

    :param server: where the blueprint is mounted
    :param placements: those that exist
    """
    kinds = {kind for route in ROUTES for kind in (route.query, route.body, route.answer) if kind} | {ErrorAnswer}
    structs = sorted((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)), key=str)
    _, components = msgspec.json.schema_components(structs, ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(_path(route.rule), {})[route.method.lower()] = _operation(route, components, placements)
    _name_placements(components, placements)
    return {
        "openapi": VERSION,
        "info": {"title": "mtp_plugin", "version": "1", "description": "Personalisation of this shop."},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _security()},
    }


def _path(rule: str) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def _operation(route: Route, components: Mapping[str, Any], placements: list[str]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": [*_path_parameters(route, placements), *_query_parameters(route, components, placements)],
        "responses": {"200": _success(route)} | {str(status): _failure(route, status) for status in route.errors},
        "security": KEYS[route.keys],
    }
    if route.events or route.body:
        operation["requestBody"] = {"required": True, "content": _content(route)}
    if route.events:
        operation["description"] = "The same JSON is read as text/plain, as sendBeacon sends it, and gzipped."
    return operation


def _path_parameters(route: Route, placements: list[str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _step(name, placements)}
        for name in re.findall(r"<(?:\w+:)?(\w+)>", route.rule)
    ]


def _step(name: str, placements: list[str]) -> dict[str, Any]:
    """What a step of an address can be."""
    if name == "placement":
        return {"type": "string", "enum": placements}
    return {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,79}$"}


def _query_parameters(route: Route, components: Mapping[str, Any], placements: list[str]) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    described = components[route.query.__name__]
    return [
        _parameter(name, dict(schema), name in described.get("required", ()), placements)
        for name, schema in described["properties"].items()
    ]


def _parameter(name: str, schema: dict[str, Any], required: bool, placements: list[str]) -> dict[str, Any]:
    parameter: dict[str, Any] = {"name": name, "in": "query", "required": required}
    if text := schema.pop("description", ""):
        parameter["description"] = text
    schema.pop("default", None)
    if name == "filter":
        return parameter | {"content": {"application/json": {"schema": schema}}}
    if name in LISTS:
        # Commas part the ids, and nothing between two commas is no id.
        items = {name: value for name, value in schema["items"].items() if name != "minLength"}
        return parameter | {"style": "form", "explode": False, "schema": schema | {"items": items}}
    if name == "placement":
        schema = {"type": "string", "enum": placements}
    return parameter | {"schema": schema}


def _content(route: Route) -> dict[str, Any]:
    if route.events:
        return {"application/json": {"schema": BODIES[route.events]}}
    assert route.body is not None  # noqa: S101  one of the two is there
    reference = {"$ref": REFERENCE.format(name=route.body.__name__)}
    content: dict[str, Any] = {"application/json": {"schema": reference}}
    if route.form:
        field, words = route.form
        content["application/x-www-form-urlencoded"] = {
            "schema": {
                "type": "object",
                "required": [field],
                "properties": {
                    field: {"type": "string", "enum": list(words)},
                    "next": {"type": "string", "description": "Local path to go back to."},
                },
            }
        }
    return content


def _success(route: Route) -> dict[str, Any]:
    if route.answer is None:
        schema: dict[str, Any] = {"type": "string"}
    elif isinstance(route.answer, type) and issubclass(route.answer, msgspec.Struct):
        schema = {"$ref": REFERENCE.format(name=route.answer.__name__)}
    else:
        schema = {"type": "object"}
    return {"description": STATUS[200], "content": {route.content_type: {"schema": schema}}}


def _failure(route: Route, status: int) -> dict[str, Any]:
    if status == 303:
        return {"description": STATUS[status], "headers": {"Location": {"schema": {"type": "string"}}}}
    name = "Health" if route.name == "ready" else "ErrorAnswer"
    schema = {"$ref": REFERENCE.format(name=name)}
    return {"description": STATUS[status], "content": {"application/json": {"schema": schema}}}


def _name_placements(components: Mapping[str, Any], placements: list[str]) -> None:
    components["RecommendationQuery"]["properties"]["placement"] = {"type": "string", "enum": placements}


def _security() -> dict[str, Any]:
    return {
        "key": {"type": "http", "scheme": "basic", "description": "Secret key of a server as the user name."},
        "bearer": {"type": "http", "scheme": "bearer", "description": "The same as a bearer token."},
        "writeKey": {
            "type": "apiKey",
            "in": "query",
            "name": "writeKey",
            "description": "Public key of a page of another origin, good for the origins it is listed with.",
        },
    }

"""The OpenAPI 3.1 document. The rule: computed from the route table, never written by hand."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from .route import PUBLIC, Endpoint

_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
NOTHING = 204
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "field": {"type": "string"},
        "column": {"type": "integer"},
        "hint": {"type": "string"},
    },
}


def document(endpoints: list[Endpoint], version: str) -> bytes:
    """The document as JSON text, keys in a fixed order."""
    shown = [each for each in endpoints if each.in_schema]
    shapes = [shape for each in shown for shape in (each.gives, each.takes) if shape is not None]
    schemas, components = msgspec.json.schema_components(
        shapes, ref_template="#/components/schemas/{name}"
    )
    of_shape = dict(zip(map(id, shapes), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for each in shown:
        path = _PARAMETER.sub(r"{\1}", each.path)
        paths.setdefault(path, {})[each.method.lower()] = _operation(each, of_shape)
    found = {
        "openapi": "3.1.0",
        "info": {"title": "z4j", "version": version},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted((components | {"Problem": PROBLEM}).items())),
            "securitySchemes": {
                "cookie": {"type": "apiKey", "in": "cookie", "name": "__Host-z4j"},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{"cookie": []}, {"token": []}],
    }
    return msgspec.json.format(msgspec.json.encode(found), indent=1)


def _operation(each: Endpoint, of_shape: dict[int, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": each.name,
        "summary": (each.handler.__doc__ or "").strip().split("\n")[0],
        "x-z4j-action": each.action,
        "responses": {
            str(each.status): _answer(each, of_shape),
            "default": {
                "description": "a problem",
                "content": {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                },
            },
        },
    }
    if each.action == PUBLIC:
        found["security"] = []
    if parameters := _parameters(each):
        found["parameters"] = parameters
    if each.takes is not None:
        schema = of_shape[id(each.takes)]
        body = {"required": True, "content": {"application/json": {"schema": schema}}}
        found["requestBody"] = body
    return found


def _answer(each: Endpoint, of_shape: dict[int, dict[str, Any]]) -> dict[str, Any]:
    if each.streams:
        return {"description": "events", "content": {"text/event-stream": {}}}
    if each.gives is None:
        if each.status == NOTHING:
            return {"description": "nothing to say"}
        return {"description": "done", "content": {"application/json": {}}}
    schema = of_shape[id(each.gives)]
    return {"description": "done", "content": {"application/json": {"schema": schema}}}


def _parameters(each: Endpoint) -> list[dict[str, Any]]:
    text = {"type": "string"}
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in _PARAMETER.findall(each.path)
    ]
    found += [{"name": name, "in": "query", "schema": text} for name in each.query]
    if each.method != "GET" and each.path.startswith("/api/"):
        found.append({"name": "X-Z4J", "in": "header", "schema": {"const": "1"}})
    return found

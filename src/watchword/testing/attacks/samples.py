"""Makes requests that a route takes, of what the app's OpenAPI document says: FastAPI and Litestar write it themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from watchword.testing.attacks.application import framework_of

__all__ = ["Sample", "samples_of"]

DEEPEST = 8
BY_FORMAT = {
    "date": "2026-01-01", "date-time": "2026-01-01T00:00:00Z", "email": "alice@example.com", "uuid": "00000000-0000-4000-8000-000000000001",
    "uri": "https://example.com/", "time": "00:00:00", "ipv4": "192.0.2.1", "duration": "PT1S",
}  # fmt: skip


class Sample(NamedTuple):
    """A body and a query that a route takes; None for no body."""

    body: object | None = None
    query: str = ""


def samples_of(app: Any) -> dict[str, Sample]:
    """A sample for each route, by its id; none for an app without an OpenAPI document.

    An app whose document can't be made has its own tests for that.
    """
    found = framework_of(app)
    make: Any = getattr(found[1], "openapi", None) if found is not None else None
    if found is not None and found[0] == "Litestar":
        make = _of_litestar(found[1])
    if not callable(make):
        return {}
    try:
        document: Any = make()
    except Exception:  # noqa: BLE001 -- it is the app's own code
        return {}
    samples: dict[str, Sample] = {}
    for path, operations in document.get("paths", {}).items():
        for method, operation in operations.items():
            if isinstance(operation, Mapping):
                samples[f"{method.upper()} {path}"] = _sample(operation, document)
    return samples


def _of_litestar(app: Any) -> Any:
    def make() -> Any:
        return app.openapi_schema.to_schema()

    return make if app.openapi_config is not None else None


def _sample(operation: Mapping[str, Any], document: Mapping[str, Any]) -> Sample:
    query = [
        (str(parameter["name"]), _value(parameter.get("schema", {}), document))
        for parameter in operation.get("parameters", ())
        if parameter.get("in") == "query" and parameter.get("required")
    ]
    content = operation.get("requestBody", {}).get("content", {})
    body: object | None = None
    if "application/json" in content:
        body = _value(content["application/json"].get("schema", {}), document)
    elif "application/x-www-form-urlencoded" in content:
        fields = _value(content["application/x-www-form-urlencoded"].get("schema", {}), document)
        body = urlencode(fields) if isinstance(fields, dict) else None
    return Sample(body, urlencode(query))


def _value(schema: Mapping[str, Any], document: Mapping[str, Any], depth: int = 0) -> Any:
    """The smallest value that a JSON Schema takes, as far as its usual words say."""
    while "$ref" in schema and depth <= DEEPEST:
        schema, depth = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], depth + 1
    for name in ("const", "default", "example"):
        if schema.get(name) is not None:
            return schema[name]
    for name in ("examples", "enum"):
        values = schema.get(name)
        if values:
            return next(iter(values.values())) if isinstance(values, Mapping) else values[0]
    for name in ("allOf", "oneOf", "anyOf"):
        if schema.get(name) and depth <= DEEPEST:
            return _value(schema[name][0], document, depth + 1)
    return _of_type(schema, document, depth)


def _of_type(schema: Mapping[str, Any], document: Mapping[str, Any], depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {}) if depth <= DEEPEST else {}
        return {
            name: _value(properties[name], document, depth + 1)
            for name in schema.get("required", ())
            if name in properties
        }
    if kind == "array":
        return [_value(schema.get("items", {}), document, depth + 1)] * int(schema.get("minItems", 0))
    if kind in ("integer", "number"):
        least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        return min(least, schema["maximum"]) if "maximum" in schema else least
    if kind == "boolean":
        return False
    if kind == "null":
        return None
    text = BY_FORMAT.get(str(schema.get("format")), "text")
    return text.ljust(int(schema.get("minLength", 0)), "x")[: int(schema.get("maxLength", 10**6))]

"""The OpenAPI document: JSON schemas from the service models' shapes, summaries from the operations' own docstrings."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.model import Shape
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from console.api.examples import examples
from console.api.routes import Route, routes
from console.operations.base import OPERATIONS
from console.shapes import OPERATION_MODELS, SERVICES, JSONDict, python_pattern

ERROR = {
    "type": "object",
    "required": ["code", "message", "field"],
    "properties": {
        "code": {"type": "string", "description": "AWS's name of the error.", "examples": ["InvalidInputException"]},
        "message": {"type": "string", "description": "What is wrong, the value, and what is allowed."},
        "field": {"type": ["string", "null"], "description": "The member at fault, where there is one."},
    },
}
ERRORS = {
    400: "A value breaks a rule, a quota is used up, or a name is taken",
    401: "No token, or one that is not known",
    403: "Not allowed to this caller",
    404: "Nothing of that name in the account",
    409: "The resource is not in a state that allows this",
    415: "The body is not application/json",
    503: "The database, the disk or the object store is busy or away; Retry-After says when to try again",
}
ERROR_REF = {"$ref": "#/components/schemas/Error"}
EITHER_TIME = {"anyOf": [{"type": "number"}, {"type": "string", "format": "date-time"}]}
SCALARS: dict[str, JSONDict] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "float": {"type": "number"},
    "double": {"type": "number"},
    "string": {"type": "string"},
}
LIMITS = {
    "string": ("minLength", "maxLength"),
    "list": ("minItems", "maxItems"),
    "map": ("minProperties", "maxProperties"),
}


def documented(route: Route, handler: Callable[..., Any]) -> Callable[..., Any]:
    """Tell the OpenAPI document what a route takes and gives."""
    has_body = route.method in {"post", "patch"}
    errors = {status: OpenApiResponse(ERROR_REF, text) for status, text in ERRORS.items() if has_body or status != 415}
    output = OPERATION_MODELS[route.operation].output_shape
    success = OpenApiResponse(_reference(route, output) if route.status != 204 else None, "Done")
    decorate = extend_schema(
        operation_id=route.operation_id,
        summary=(OPERATIONS[route.operation].__doc__ or "").partition("\n")[0].rstrip("."),
        description="\n".join((OPERATIONS[route.operation].__doc__ or "").splitlines()[1:]).strip(),
        tags=[route.tag],
        parameters=[] if has_body else _query_parameters(route),
        request={"application/json": _body(route)} if has_body and _body_members(route) else None,
        responses={route.status: success, **errors},
        examples=examples(
            route.operation,
            route.status,
            route.fills,
            list(errors),
            has_body=has_body and bool(_body_members(route)),
        ),
    )
    found: Callable[..., Any] = decorate(handler)
    return found


def add_components(result: JSONDict, **_: object) -> JSONDict:
    """drf-spectacular's hook: put the schemas of all shapes that the document refers to into it."""
    found: dict[str, JSONDict] = {"Error": ERROR}
    for route in routes():
        model = OPERATION_MODELS[route.operation]
        service = model.service_model.service_name
        for member in _body_members(route).values():
            _collect(service, member, found, is_input=True)
    for route in routes():
        model = OPERATION_MODELS[route.operation]
        if model.output_shape:
            _collect(model.service_model.service_name, model.output_shape, found, is_input=False)
    result.setdefault("components", {}).setdefault("schemas", {}).update(dict(sorted(found.items())))
    return result


def _body_members(route: Route) -> dict[str, Shape]:
    shape = OPERATION_MODELS[route.operation].input_shape
    return {name: member for name, member in shape.members.items() if name != route.fills} if shape else {}


def _body(route: Route) -> JSONDict:
    model = OPERATION_MODELS[route.operation]
    service = model.service_model.service_name
    members = _body_members(route)
    required = [name for name in model.input_shape.required_members if name in members]
    properties = {name: _schema(service, member, is_input=True) for name, member in members.items()}
    return _object(properties, required) | {"additionalProperties": False}


def _query_parameters(route: Route) -> list[OpenApiParameter]:
    model = OPERATION_MODELS[route.operation]
    required = model.input_shape.required_members if model.input_shape else []
    return [
        OpenApiParameter(
            name,
            _schema(model.service_model.service_name, member, is_input=True),
            OpenApiParameter.QUERY,
            required=name in required,
        )
        for name, member in _body_members(route).items()
    ]


def _reference(route: Route, shape: Shape) -> JSONDict:
    return {
        "$ref": f"#/components/schemas/{_name(OPERATION_MODELS[route.operation].service_model.service_name, shape)}"
    }


def _schema(service: str, shape: Shape, *, is_input: bool) -> JSONDict:
    """The JSON schema of a shape; a structure is referred to. Limits are those of requests: answers need none."""
    match shape.type_name:
        case "structure":
            return {"$ref": f"#/components/schemas/{_name(service, shape)}"}
        case "list":
            found: JSONDict = {"type": "array", "items": _schema(service, shape.member, is_input=is_input)}
        case "map":
            values = _schema(service, shape.value, is_input=is_input)
            found = {"type": "object", "additionalProperties": values}
            if is_input:
                found["propertyNames"] = _schema(service, shape.key, is_input=True)
        case "timestamp":
            return EITHER_TIME if is_input else {"type": "string", "format": "date-time"}
        case scalar:
            found = dict(SCALARS[scalar])
    return found | _limits(shape) if is_input else found


def _limits(shape: Shape) -> JSONDict:
    smallest, largest = LIMITS.get(shape.type_name, ("minimum", "maximum"))
    given = shape.metadata
    found = {
        smallest: given.get("min"),
        largest: given.get("max"),
        "enum": list(shape.enum) if getattr(shape, "enum", None) else None,
        "pattern": f"^(?:{python_pattern(given['pattern']).pattern})$" if given.get("pattern") else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _collect(service: str, shape: Shape, found: dict[str, JSONDict], *, is_input: bool) -> None:
    match shape.type_name:
        case "list":
            _collect(service, shape.member, found, is_input=is_input)
        case "map":
            _collect(service, shape.value, found, is_input=is_input)
        case "structure" if _name(service, shape) not in found:
            properties = {name: _schema(service, member, is_input=is_input) for name, member in shape.members.items()}
            document = _object(properties, shape.required_members if is_input else [])
            found[_name(service, shape)] = document | ({"additionalProperties": False} if is_input else {})
            for member in shape.members.values():
                _collect(service, member, found, is_input=is_input)


def _object(properties: dict[str, JSONDict], required: list[str]) -> JSONDict:
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def _name(service: str, shape: Shape) -> str:
    """The shape's name; with its service's before it where two services have different shapes of one name."""
    prefix = "".join(word.capitalize() for word in service.split("-")[1:])
    return f"{prefix}{shape.name}" if prefix and shape.name in _shared_names() else str(shape.name)


@cache
def _shared_names() -> set[str]:
    seen: set[str] = set()
    shared = set()
    for service in SERVICES.values():
        names = set(service.shape_names)
        shared |= names & seen
        seen |= names
    return shared

"""The service models, read once: names, types and limits of all operations; ours (service_model/) beside AWS's.

AWS's limits stand in botocore's data and nowhere in our code. What OpenPersonalize offers beyond AWS is declared in the
same format, so that it is validated, documented and served the same way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.validate import ParamValidator

from console.errors import InvalidInputException

JSONDict = dict[str, Any]

AWS_SERVICES = ("personalize", "personalize-runtime", "personalize-events")
OURS = "openpersonalize"


def _services() -> dict[str, ServiceModel]:
    loader = Loader()
    services = {name: ServiceModel(loader.load_service_model(name, "service-2"), name) for name in AWS_SERVICES}
    return services | {OURS: ServiceModel(_our_model(), OURS)}


def _our_model() -> JSONDict:
    """Our own operations: one file for each family below service_model/, over its metadata."""
    folder = Path(__file__).with_name("service_model")
    model: JSONDict = json.loads((folder / "metadata.json").read_text()) | {"operations": {}, "shapes": {}}
    for path in sorted(folder.glob("*.json")):
        family = json.loads(path.read_text())
        model["operations"] |= family.get("operations", {})
        model["shapes"] |= family.get("shapes", {})
    return model


SERVICES = _services()
OPERATION_MODELS: dict[str, OperationModel] = {
    name: service.operation_model(name) for service in SERVICES.values() for name in service.operation_names
}
SERVICE_OF = {name: key for key, service in SERVICES.items() for name in service.operation_names}

# The models' patterns are Java regular expressions; these are all that `re` lacks.
JAVA_CLASSES = {r"[\p{L}\p{Z}\p{N}_.:/=+\-@]": r"[\w\s.:/=+\-@]", r"\p{ASCII}": r"[\x00-\x7F]"}


@cache
def python_pattern(java: str) -> re.Pattern[str]:
    """The compiled Python equivalent of a pattern of the service model."""
    for theirs, ours in JAVA_CLASSES.items():
        java = java.replace(theirs, ours)
    return re.compile(java)


@cache
def parameter_names(operation: str) -> Mapping[str, str]:
    """`{"dataset_group_arn": "datasetGroupArn", …}` for an operation's top-level members."""
    shape = OPERATION_MODELS[operation].input_shape
    return {xform_name(member): member for member in shape.members} if shape else {}


def operation_name(function: str) -> str:
    """The wire name of the operation a function implements.

    >>> operation_name("create_solution_version")
    'CreateSolutionVersion'
    """
    return _BY_SNAKE[function]


_BY_SNAKE = {xform_name(name): name for name in OPERATION_MODELS}


def validate(shape: Shape, params: JSONDict) -> None:
    """Hold `params` to `shape`.

    Raises:
        InvalidInputException: for the first member that breaks a constraint; names it, its value and what is allowed.
    """
    report = ParamValidator().validate(params, shape)
    if report.has_errors():
        message = "; ".join(report.generate_report().splitlines())
        found = re.search(r'"([^"]+)"|parameter (\w+)', message)
        raise InvalidInputException(message, field=(found.group(1) or found.group(2)) if found else None)
    for path, value, constraint in _violations(shape, params, ""):
        shown = value if len(str(value)) <= 100 else f"{str(value)[:100]}…"
        raise InvalidInputException(
            f"Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}", field=re.split(r"[.\[]", path)[0]
        )


def _violations(shape: Shape, value: Any, path: str) -> Iterator[tuple[str, Any, str]]:
    """What botocore leaves to the server: maximum, pattern and enum."""
    match shape.type_name:
        case "structure":
            for name, member in value.items():
                yield from _violations(shape.members[name], member, f"{path}.{name}".lstrip("."))
        case "list":
            for position, member in enumerate(value):
                yield from _violations(shape.member, member, f"{path}[{position}]")
        case "map":
            for key, member in value.items():
                yield from _violations(shape.key, key, f"{path}.{key}")
                yield from _violations(shape.value, member, f"{path}.{key}")
    yield from _limits(shape, value, path)


def _limits(shape: Shape, value: Any, path: str) -> Iterator[tuple[str, Any, str]]:
    limit = shape.metadata.get("max")
    number = isinstance(value, int | float)
    if limit is not None and not isinstance(value, bool):
        size = value if number else len(value)
        if size > limit:
            yield path, value, f"Member must have {'value' if number else 'length'} less than or equal to {limit}"
    if shape.type_name == "string":
        pattern = shape.metadata.get("pattern")
        if pattern and not python_pattern(pattern).fullmatch(value):
            yield path, value, f"Member must satisfy regular expression pattern: {pattern}"
        if shape.enum and value not in shape.enum:
            yield path, value, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


def prune(shape: Shape, value: Any) -> Any:
    """Keep only what `shape` declares and drop None, so that one `wire()` serves Describe and List."""
    if value is None or shape.type_name not in ("structure", "list"):
        return value
    if shape.type_name == "list":
        return [prune(shape.member, member) for member in value]
    return {n: prune(member, value[n]) for n, member in shape.members.items() if value.get(n) is not None}

"""The service models, read once: names, types and patterns of all operations; ours (service_model/) beside AWS's.

AWS's limits stand in botocore's data and nowhere in our code. What OpenPersonalize offers beyond AWS is declared in the
same format, so that it is validated, documented and served the same way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape

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


@cache
def parameters_by_wire_name(operation: str) -> Mapping[str, str]:
    """The same the other way round."""
    return {member: parameter for parameter, member in parameter_names(operation).items()}


def operation_name(function: str) -> str:
    """The wire name of the operation a function implements.

    >>> operation_name("create_solution_version")
    'CreateSolutionVersion'
    """
    return _BY_SNAKE[function]


_BY_SNAKE = {xform_name(name): name for name in OPERATION_MODELS}


def prune(shape: Shape, value: Any) -> Any:
    """Keep only what `shape` declares and drop None, so that one `wire()` serves Describe and List."""
    cut = pruner(shape)
    return value if cut is None or value is None else cut(value)


def pruner(shape: Shape) -> Callable[[Any], Any] | None:
    """What cuts values to `shape`, made once for all of them; None where there is nothing to cut."""
    match shape.type_name:
        case "list":
            cut_member = pruner(shape.member)
            if cut_member is None:
                return None
            if _is_flat(shape.member):
                return partial(_cut_flat, frozenset(shape.member.members))
            return lambda values: [cut_member(value) for value in values]
        case "structure":
            if _is_flat(shape):
                names = frozenset(shape.members)
                return lambda value: _cut_flat(names, [value])[0]
            return partial(_cut, [(name, pruner(member)) for name, member in shape.members.items()])
        case _:
            return None


def _is_flat(shape: Shape) -> bool:
    """Whether nothing within the members of a structure is cut."""
    return shape.type_name == "structure" and all(pruner(member) is None for member in shape.members.values())


def _cut_flat(names: frozenset[str], values: list[JSONDict]) -> list[JSONDict]:
    """Flat structures without what is not among `names`; as they are where that holds for all, as for lists of items."""
    if all(map(names.issuperset, values)) and None not in chain.from_iterable(map(dict.values, values)):
        return values
    return [{name: found for name, found in value.items() if found is not None and name in names} for value in values]


def _cut(members: list[tuple[str, Callable[[Any], Any] | None]], value: Any) -> JSONDict:
    kept: JSONDict = {}
    for name, cut in members:
        found = value.get(name)
        if found is not None:
            kept[name] = found if cut is None else cut(found)
    return kept

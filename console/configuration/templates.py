"""CloudFormation templates: the resources of Amazon Personalize in them, with functions, parameters and references resolved.

Names are often built from parameters and the stack's name. A parameter counts as what its default says; a stack, region and
account that nothing tells are called STACK, us-east-1 and 000000000000. What another service keeps (`{{resolve:…}}`, a parameter
of Systems Manager, another stack's export) the template does not tell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from console.configuration.document import DocumentError
from console.configuration.kinds import BY_NOUN, KINDS
from console.shapes import OPERATION_MODELS, JSONDict

TYPES = {f"AWS::Personalize::{kind.title}": kind.noun for kind in KINDS}
PSEUDO: dict[str, Any] = {
    "AWS::StackName": "stack", "AWS::Region": "us-east-1", "AWS::AccountId": "000000000000", "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com", "AWS::NoValue": None, "AWS::StackId": "stack", "AWS::NotificationARNs": [],
}  # fmt: skip
UNKNOWN = object()
STORED_ELSEWHERE = "AWS::SSM::Parameter::Value<"  # such a parameter's default is a key
RESOLVED_LATER = "{{resolve:"
WHOLE, NUMBER = re.compile(r"[+-]?\d+"), re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
FROM_TEXT: dict[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    "boolean": (re.compile("true|false", re.IGNORECASE), "true".__eq__),
    "integer": (WHOLE, int), "long": (WHOLE, int), "float": (NUMBER, float), "double": (NUMBER, float),
}  # fmt: skip
PLACE = re.compile(r"\$\{(!?)([^}]*)\}")
AS_THEY_ARE = {"algorithmHyperParameters", "featureTransformationParameters"}  # the keys below are no members of AWS
FIRST_LETTERS = re.compile(r"^([A-Z]+(?=[A-Z][a-z]|$)|[A-Z])")


@dataclass(frozen=True)
class Resource:
    """A resource of a template: its kind in camelCase and its members as Create… takes them, ARNs of others as logical names."""

    noun: str
    members: JSONDict


def resources(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Resource]:
    """The resources of Amazon Personalize in a template, by logical name.

    Args:
        template: as JSON or YAML has it.
        given: values of parameters, and of pseudo parameters such as AWS::StackName.

    Raises:
        DocumentError: one has no name that the template tells, or something is of another form than CloudFormation's.
    """
    values = _Values(template, given)
    found = {}
    for logical, about in template["Resources"].items():
        noun = TYPES.get(str(about.get("Type"))) if isinstance(about, dict) else None
        if noun and values.holds(about.get("Condition")):
            properties = mapping(values.resolved(about.get("Properties") or {}), f"Properties of {logical}")
            members = typed(camel(properties), _shape_of(noun))
            name = members.setdefault("name", logical)
            if tags := members.get("tags"):
                members["tags"] = dict(_tag(tag, logical) for tag in (tags if isinstance(tags, list) else [tags]))
            if not isinstance(name, str) or not name or RESOLVED_LATER in name:
                raise DocumentError(
                    f"The name of {logical} is {json.dumps(name)[:100]}, which the template does not tell; "
                    "give the parameter's value (--parameter NAME=VALUE), or write the name out."
                )
            found[logical] = Resource(noun, members)
    return found


def mapping(value: Any, what: str) -> dict[str, Any]:
    """The value, which must be a mapping.

    Raises:
        DocumentError: it is none.
    """
    if not isinstance(value, dict):
        raise DocumentError(f"{what} is {json.dumps(value, default=str)[:60]}, a mapping is needed.")
    return value


def _tag(tag: Any, logical: str) -> tuple[str, str]:
    """A tag's key and value, which some types call Key and Value and others TagKey and TagValue."""
    tag = mapping(tag, f"A tag of {logical}")
    return str(tag.get("tagKey", tag.get("key"))), str(tag.get("tagValue", tag.get("value", "")))


def camel(value: Any) -> Any:
    """A template's members, as `HpoConfig`, in the case of the API, at every depth; hyperparameters keep their names.

    >>> camel({"PerformHPO": False, "SolutionConfig": {"AutoMLConfig": {}, "AlgorithmHyperParameters": {"Mode": "1"}}})
    {'performHPO': False, 'solutionConfig': {'autoMLConfig': {}, 'algorithmHyperParameters': {'Mode': '1'}}}
    """
    if isinstance(value, list):
        return [camel(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, entry in value.items():
        member = FIRST_LETTERS.sub(lambda letters: letters[0].lower(), key)
        found[member] = entry if member in AS_THEY_ARE else camel(entry)
    return found


def _shape_of(noun: str) -> Shape | None:
    return OPERATION_MODELS[f"Create{BY_NOUN[noun].title}"].input_shape


def typed(value: Any, shape: Shape | None) -> Any:
    """A value in the type that its member has in the API, as CloudFormation turns "true" into a boolean and 3 into text.

    >>> shape = _shape_of("solution")
    >>> typed({"performHPO": "false", "solutionConfig": {"eventValueThreshold": 3}}, shape)
    {'performHPO': False, 'solutionConfig': {'eventValueThreshold': '3'}}
    """
    match shape:
        case None:
            return value
        case StructureShape() if isinstance(value, dict):
            members = shape.members
            return {key: typed(entry, members[key]) if key in members else entry for key, entry in value.items()}
        case ListShape() if isinstance(value, list):
            return [typed(entry, shape.member) for entry in value]
        case MapShape() if isinstance(value, dict):
            return {key: typed(entry, shape.value) for key, entry in value.items()}
    if isinstance(value, str) and shape.type_name in FROM_TEXT and FROM_TEXT[shape.type_name][0].fullmatch(value):
        return FROM_TEXT[shape.type_name][1](value.lower())
    return json.dumps(value) if shape.type_name == "string" and isinstance(value, bool | int | float) else value


def _tells_default(parameter: Any) -> bool:
    is_elsewhere = isinstance(parameter, dict) and str(parameter.get("Type", "")).startswith(STORED_ELSEWHERE)
    return isinstance(parameter, dict) and "Default" in parameter and not is_elsewhere


def _as_list(value: Any, parameter: Any) -> Any:
    """A parameter's value, which lists are given as, separated by commas."""
    kind = str(parameter.get("Type", "")) if isinstance(parameter, dict) else ""
    is_list = "List<" in kind or "CommaDelimitedList" in kind
    return [part.strip() for part in value.split(",")] if is_list and isinstance(value, str) else value


def _carried_out(name: str, function: Callable[[Any], Any], argument: Any) -> Any:
    """What a function gives.

    Raises:
        DocumentError: the argument is none that the function takes, or leads back to itself.
    """
    try:
        return function(argument)
    except (TypeError, ValueError, AttributeError, LookupError, RecursionError) as error:
        shown = json.dumps(argument, default=str)[:100]
        raise DocumentError(f"{name} has {shown}, with which CloudFormation cannot carry it out.") from error


class _Values:
    """What the functions of one template give."""

    def __init__(self, template: Mapping[str, Any], given: Mapping[str, str]) -> None:
        """Take parameters for what is `given`, else for their defaults."""
        self._resources = template["Resources"]
        parameters = mapping(template.get("Parameters") or {}, "Parameters")
        values = {name: about["Default"] for name, about in parameters.items() if _tells_default(about)} | dict(given)
        self._known = PSEUDO | {name: _as_list(value, parameters.get(name, {})) for name, value in values.items()}
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._attribute,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::If": self._if,
            "Fn::FindInMap": self._map,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::ToJsonString": self._json,
        }
        self._mappings = mapping(template.get("Mappings") or {}, "Mappings")
        self._conditions = mapping(template.get("Conditions") or {}, "Conditions")

    def holds(self, condition: Any) -> bool:
        """Whether a resource with this condition is made; without one it is."""
        return condition is None or _carried_out("Condition", self._condition, condition)

    def resolved(self, value: Any) -> Any:
        """The value with its functions carried out; what the template alone does not tell stays as it is."""
        if isinstance(value, list):
            return [found for entry in value if (found := self.resolved(entry)) is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            if name in self._functions:
                found = _carried_out(name, self._functions[name], argument)
                return value if found is UNKNOWN else found
        found = {key: self.resolved(entry) for key, entry in value.items()}
        return {key: entry for key, entry in found.items() if entry is not None}

    def _ref(self, name: Any) -> Any:
        if name in self._known:
            return self._known[name]
        resource = self._resources.get(name)
        if isinstance(resource, dict) and resource.get("Type") == "AWS::S3::Bucket":
            return self.resolved((resource.get("Properties") or {}).get("BucketName", name))
        return name if resource is not None else UNKNOWN

    def _attribute(self, argument: Any) -> Any:
        parts = argument if isinstance(argument, list) else str(argument).split(".")
        return parts[0]

    def _sub(self, argument: Any) -> Any:
        text, own = argument if isinstance(argument, list) else (argument, {})
        own = {name: self.resolved(value) for name, value in own.items()}

        def put(place: re.Match[str]) -> str:
            if place[1]:
                return f"${{{place[2]}}}"
            name = place[2].strip()
            found = own[name] if name in own else self._ref(name.split(".")[0])
            return place[0] if found is UNKNOWN else str(found)

        return PLACE.sub(put, str(text))

    def _join(self, argument: Any) -> Any:
        between, parts = argument
        parts = self.resolved(parts)
        is_known = isinstance(parts, list) and not any(isinstance(part, dict | list) for part in parts)
        return between.join(map(str, parts)) if is_known else UNKNOWN

    def _if(self, argument: Any) -> Any:
        condition, yes, no = argument
        return self.resolved(yes if self._condition(condition) else no)

    def _map(self, argument: Any) -> Any:
        name, *keys = map(self.resolved, argument)
        found = self._mappings.get(name, {})
        for key in keys:
            found = found.get(key, UNKNOWN) if isinstance(found, dict) else UNKNOWN
        return found

    def _select(self, argument: Any) -> Any:
        number, entries = map(self.resolved, argument)
        return entries[int(number)] if isinstance(entries, list) and int(number) < len(entries) else UNKNOWN

    def _split(self, argument: Any) -> Any:
        between, text = map(self.resolved, argument)
        return text.split(between) if isinstance(text, str) else UNKNOWN

    def _json(self, argument: Any) -> Any:
        return json.dumps(self.resolved(argument))

    def _condition(self, name: Any) -> bool:
        return self._truth(self._conditions.get(name))

    def _truth(self, condition: Any) -> bool:
        """A condition that the template's defaults tell; of one that they leave open true."""
        if isinstance(condition, bool):
            return condition
        if not isinstance(condition, dict) or len(condition) != 1:
            return True
        [(name, argument)] = condition.items()
        match name:
            case "Fn::Equals":
                one, other = map(self.resolved, argument)
                return str(one) == str(other)
            case "Fn::Not":
                return not self._truth(argument[0])
            case "Fn::And":
                return all(map(self._truth, argument))
            case "Fn::Or":
                return any(map(self._truth, argument))
            case "Condition":
                return self._condition(argument)
        return True

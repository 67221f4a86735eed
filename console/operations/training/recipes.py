"""Recipes as resources: what there is to choose from, custom and domain, with algorithms and feature transformations.

Everything is read from recipes/: the classes' declared hyperparameters are the defaults and ranges that are shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from console import arns
from console.errors import InvalidNextTokenException, ResourceNotFoundException
from console.models import Account, Status
from console.models.base import JSONDict
from console.operations.base import DEFAULT_PAGE, operation
from recipes import catalogue
from recipes.base import Hyperparameter, Recipe
from recipes.use_cases import USE_CASES

PUBLISHED = datetime(2026, 11, 22, tzinfo=UTC)
# AWS's names where they differ from the recipe's.
ALGORITHMS = {"aws-trending-now": "aws-trending-now-custom"}
TRANSFORMATIONS = {
    "aws-hrnn": "JSON-percentile-filtering",
    "aws-hrnn-metadata": "featurize_metadata",
    "aws-hrnn-coldstart": "featurize_coldstart",
    "aws-user-personalization": "JSON-percentile-filtering",
    "aws-personalized-ranking": "JSON-percentile-filtering",
    "aws-sims": "sims",
    "aws-popularity-count": "sims",
    "aws-item-affinity": "item-affinity",
    "aws-item-attribute-affinity": "item-attribute-affinity",
}


@dataclass(frozen=True)
class Listed:
    """One recipe as it is listed; `base` names the custom recipe that a domain recipe configures."""

    name: str
    base: str
    description: str
    domain: str | None = None

    @property
    def recipe(self) -> type[Recipe]:
        """The class behind it."""
        return catalogue.get(self.base)

    @property
    def algorithm(self) -> str:
        return ALGORITHMS.get(self.base, self.base)

    @property
    def transformation(self) -> str:
        return TRANSFORMATIONS.get(self.base, self.base)

    def wire(self) -> JSONDict:
        """All members by their wire names."""
        return _dated(self.name) | {
            "recipeArn": arns.recipe_arn(self.name),
            "algorithmArn": _arn("algorithm", self.algorithm),
            "featureTransformationArn": _arn("feature-transformation", self.transformation),
            "description": self.description,
            "recipeType": str(self.recipe.type),
            "domain": self.domain,
        }


@cache
def all_recipes() -> dict[str, Listed]:
    """Every recipe by name, in name order."""
    custom = [Listed(name, name, catalogue.get(name).summary) for name in catalogue.RECIPES]
    domain = [Listed(name, case.recipe_name, case.summary, case.domain) for name, case in USE_CASES.items()]
    return {listed.name: listed for listed in sorted(custom + domain, key=lambda listed: listed.name)}


@operation
def list_recipes(
    account: Account,  # noqa: ARG001  the same for everybody
    *,
    recipe_provider: str | None = None,  # noqa: ARG001  there is one
    domain: str | None = None,
    next_token: str | None = None,
    max_results: int = DEFAULT_PAGE,
) -> JSONDict:
    """All recipes in name order, or those of a domain."""
    if next_token and next_token not in all_recipes():
        raise InvalidNextTokenException(
            f"nextToken {next_token[:40]} is not one of this list; pass on the token of its last page.",
            field="nextToken",
        )
    rest = [listed for name, listed in all_recipes().items() if name > (next_token or "")]
    rest = [listed for listed in rest if domain in {None, listed.domain}]
    found = rest[:max_results]
    return {
        "recipes": [listed.wire() for listed in found],
        "nextToken": found[-1].name if len(rest) > max_results else None,
    }


@operation
def describe_recipe(account: Account, *, recipe_arn: str) -> JSONDict:  # noqa: ARG001
    """A recipe in full."""
    name = arns.of_aws(recipe_arn, "recipe", field="recipeArn")
    listed = all_recipes().get(name)
    if listed is None:
        raise _unknown(recipe_arn, "recipeArn")
    return {"recipe": listed.wire()}


@operation
def describe_algorithm(account: Account, *, algorithm_arn: str) -> JSONDict:  # noqa: ARG001
    """An algorithm: the hyperparameters it takes, their defaults and ranges. There is no image, as nothing runs in one."""
    name = arns.of_aws(algorithm_arn, "algorithm", field="algorithmArn")
    listed = _first(name == listed.algorithm and listed for listed in all_recipes().values())
    if listed is None:
        raise _unknown(algorithm_arn, "algorithmArn")
    parameters = [parameter for parameter in listed.recipe.hyperparameters() if not parameter.featurization]
    return {
        "algorithm": _dated(name)
        | {
            "algorithmArn": algorithm_arn,
            "defaultHyperParameters": _defaults(parameters),
            "defaultHyperParameterRanges": _ranges(parameters),
            "trainingInputMode": "File",
        }
    }


@operation
def describe_feature_transformation(account: Account, *, feature_transformation_arn: str) -> JSONDict:  # noqa: ARG001
    """A feature transformation: the settings of the data's preparation and their defaults."""
    field = "featureTransformationArn"
    name = arns.of_aws(feature_transformation_arn, "feature-transformation", field=field)
    using = [listed for listed in all_recipes().values() if listed.transformation == name]
    if not using:
        raise _unknown(feature_transformation_arn, field)
    parameters = {p.name: p for listed in using for p in listed.recipe.hyperparameters() if p.featurization}
    return {
        "featureTransformation": _dated(name)
        | {
            "featureTransformationArn": feature_transformation_arn,
            "defaultParameters": _defaults(parameters.values()),
        }
    }


def _dated(name: str) -> JSONDict:
    return {
        "name": name,
        "status": Status.ACTIVE.value,
        "creationDateTime": PUBLISHED,
        "lastUpdatedDateTime": PUBLISHED,
    }


def _arn(kind: str, name: str) -> str:
    return str(arns.Arn("", kind, name))


def _unknown(arn: str, field: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Resource Arn {arn} does not exist.", field=field)


def _first(found: Iterable[Listed | bool]) -> Listed | None:
    return next((listed for listed in found if isinstance(listed, Listed)), None)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _defaults(parameters: Iterable[Hyperparameter]) -> dict[str, str]:
    return {parameter.name: _text(parameter.default) for parameter in parameters}


def _ranges(parameters: Iterable[Hyperparameter]) -> JSONDict:
    """The declared ranges under the three heads of the wire."""
    ranges: dict[str, list[JSONDict]] = {"integer": [], "continuous": [], "categorical": []}
    for parameter in parameters:
        described: JSONDict = {"name": parameter.name, "isTunable": parameter.tunable}
        if isinstance(parameter.default, bool):
            ranges["categorical"].append(described | {"values": ["true", "false"]})
        elif parameter.choices:
            ranges["categorical"].append(described | {"values": list(parameter.choices)})
        elif isinstance(parameter.default, int | float):
            kind, cast = ("integer", int) if isinstance(parameter.default, int) else ("continuous", float)
            bounds = {"minValue": parameter.low, "maxValue": parameter.high}
            known = {name: cast(bound) for name, bound in bounds.items() if bound is not None}
            ranges[kind].append(described | known)
    return {f"{kind}HyperParameterRanges": found for kind, found in ranges.items()}

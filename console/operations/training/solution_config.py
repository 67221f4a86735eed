"""What a solution may be configured with, checked before anything is written: one function for each member of solutionConfig."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from console import arns
from console.errors import InvalidInputException, ResourceNotFoundException
from console.models import Dataset, DatasetGroup
from console.shapes import JSONDict
from recipes import catalogue
from recipes.base import Hyperparameter, Recipe, RecipeType

EVENT_COLUMNS = {"EVENT_TYPE", "EVENT_VALUE"}
KEYS = {"USER_ID", "ITEM_ID", "TIMESTAMP", "ACTION_ID"}
NUMBERS = {"int", "long", "float", "double"}
MAX_TUNING_JOBS, MAX_PARALLEL = 40, 10
IN_EITHER_MAP = (
    "cold_start_"  # AWS tells of their transformation, featurize_coldstart, but not in which map it wants them
)
RANGE_KINDS = {"integerHyperParameterRanges": int, "continuousHyperParameterRanges": float}


def recipe_named(arn: str, *, field: str = "recipeArn") -> type[Recipe]:
    """The recipe that an ARN names.

    Raises:
        ResourceNotFoundException: there is none.
    """
    name = arns.of_aws(arn, "recipe", field=field)
    if name not in catalogue.RECIPES:
        raise ResourceNotFoundException(
            f"Resource Arn {arn} does not exist. Recipes for solutions are {', '.join(catalogue.RECIPES)}.", field=field
        )
    return catalogue.get(name)


def schema_fields(dataset: Dataset) -> dict[str, JSONDict]:
    """The fields of a dataset's schema by name."""
    return {field["name"]: field for field in json.loads(dataset.schema.text)["fields"]}


def group_fields(group: DatasetGroup) -> dict[str, dict[str, JSONDict]]:
    """The fields of every dataset of a group by dataset type."""
    return {row.type: schema_fields(row) for row in group.datasets.select_related("schema")}


def check_datasets(recipe: type[Recipe], fields: Mapping[str, Any]) -> None:
    """The group must have the datasets that the recipe cannot do without."""
    missing = [kind for kind in recipe.required if kind not in fields]
    if missing:
        raise InvalidInputException(
            f"{recipe.name} needs a dataset of type {missing[0]}, the dataset group has {', '.join(fields) or 'none'}.",
            field="datasetGroupArn",
        )


def check_config(
    recipe: type[Recipe] | None, config: JSONDict, event_type: str | None, fields: dict[str, dict[str, JSONDict]]
) -> None:
    """Hold a whole solutionConfig to the recipe (None: AutoML will choose) and to the schemas."""
    _check_events(config, event_type, fields.get("INTERACTIONS", {}))
    check_columns(config.get("trainingDataConfig", {}), fields)
    check_schedule(config.get("autoTrainingConfig"))
    if recipe is None:
        _check_auto_ml(config.get("autoMLConfig", {}))
        return
    check_parameters(recipe, config)
    check_tuning(recipe, config.get("hpoConfig", {}))
    _check_objective(recipe, config.get("optimizationObjective"), fields.get("ITEMS", {}))


def check_parameters(recipe: type[Recipe], config: JSONDict) -> None:
    """Each hyperparameter must be known, in its own map, and within its range."""
    maps = {"algorithmHyperParameters": False, "featureTransformationParameters": True}
    for member, featurization in maps.items():
        allowed = {
            p.name: p
            for p in recipe.hyperparameters()
            if p.featurization is featurization or p.name.startswith(IN_EITHER_MAP)
        }
        for name, value in config.get(member, {}).items():
            plain = bare(name)
            if plain not in allowed:
                raise InvalidInputException(
                    f"{recipe.name} has no {name} in {member}, it has {', '.join(allowed) or 'none'}.",
                    field="solutionConfig",
                )
            _parsed(allowed[plain], value)


def check_tuning(recipe: type[Recipe], config: JSONDict) -> None:
    """Tuning ranges must lie within the declared ones, and the budget within what is allowed."""
    tunable = {p.name: p for p in recipe.hyperparameters() if p.tunable}
    ranges = config.get("algorithmHyperParameterRanges", {})
    for entry in (each for kind in RANGE_KINDS for each in ranges.get(kind, [])):
        parameter = _tunable(recipe, tunable, entry["name"])
        low, high = entry.get("minValue", parameter.low), entry.get("maxValue", parameter.high)
        _parsed(parameter, low)
        _parsed(parameter, high)
        if low > high:
            raise InvalidInputException(
                f"The range of {parameter.name} goes from {low} to {high}; minValue must not be above maxValue.",
                field="solutionConfig",
            )
    for entry in ranges.get("categoricalHyperParameterRanges", []):
        for value in entry.get("values", []):
            _parsed(_tunable(recipe, tunable, entry["name"]), value)
    resources = config.get("hpoResourceConfig", {})
    _check_budget("maxNumberOfTrainingJobs", resources, MAX_TUNING_JOBS)
    _check_budget("maxParallelTrainingJobs", resources, MAX_PARALLEL)


def check_columns(config: JSONDict, fields: dict[str, dict[str, JSONDict]]) -> None:
    """Included and excluded columns must be in the schemas; what every training needs cannot be left out."""
    if config.get("includedDatasetColumns") and config.get("excludedDatasetColumns"):
        raise InvalidInputException(
            "trainingDataConfig has includedDatasetColumns and excludedDatasetColumns; give one of them.",
            field="trainingDataConfig",
        )
    for member, columns_by_type in config.items():
        for kind, columns in columns_by_type.items():
            _check_known_columns(kind, columns, fields)
            if member == "excludedDatasetColumns" and (fixed := [c for c in columns if c in KEYS | {"EVENT_TYPE"}]):
                raise InvalidInputException(f"{fixed[0]} cannot be excluded from training.", field="trainingDataConfig")


def check_schedule(config: JSONDict | None) -> None:
    """`rate(N days)` with 1 to 30 days."""
    expression = (config or {}).get("schedulingExpression")
    if expression and not 1 <= int(re.sub(r"\D", "", expression)) <= 30:
        raise InvalidInputException(
            f"schedulingExpression is {expression}, allowed is rate(1 day) to rate(30 days).",
            field="autoTrainingConfig",
        )


def bare(name: str) -> str:
    """A hyperparameter's name without the prefix that AWS echoes after tuning.

    >>> bare("training.bptt")
    'bptt'
    """
    return name.rpartition(".")[2]


def _parsed(parameter: Hyperparameter, value: Any) -> Any:
    try:
        return parameter.parse(value)
    except ValueError as error:
        raise InvalidInputException(str(error), field="solutionConfig") from None


def _tunable(recipe: type[Recipe], tunable: Mapping[str, Hyperparameter], name: str) -> Hyperparameter:
    if bare(name) not in tunable:
        raise InvalidInputException(
            f"{recipe.name} cannot tune {name}, it can tune {', '.join(tunable) or 'nothing'}.", field="solutionConfig"
        )
    return tunable[bare(name)]


def _check_budget(name: str, resources: JSONDict, most: int) -> None:
    text = resources.get(name)
    if text is not None and not (text.isdecimal() and 1 <= int(text) <= most):
        raise InvalidInputException(
            f"{name} is {text}, allowed is a whole number from 1 to {most}.", field="solutionConfig"
        )


def _check_events(config: JSONDict, event_type: str | None, columns: Mapping[str, JSONDict]) -> None:
    entries = config.get("eventsConfig", {}).get("eventParametersList", [])
    types = [entry.get("eventType") for entry in entries]
    if entries and event_type:
        raise InvalidInputException("Give eventType or eventsConfig, not both.", field="eventType")
    if None in types:
        raise InvalidInputException("Every entry of eventParametersList needs its eventType.", field="eventsConfig")
    if twice := sorted({name for name in types if types.count(name) > 1}):
        raise InvalidInputException(f"{twice[0]} stands twice in eventParametersList.", field="eventsConfig")
    _need_column("EVENT_TYPE", bool(entries or event_type), columns)
    threshold = config.get("eventValueThreshold")
    valued = threshold is not None or any("eventValueThreshold" in entry for entry in entries)
    _need_column("EVENT_VALUE", valued, columns)
    if threshold is not None and not _is_number(threshold):
        raise InvalidInputException(f"eventValueThreshold is {threshold}, allowed is a number.", field="solutionConfig")


def _need_column(name: str, needed: bool, columns: Iterable[str]) -> None:
    if needed and name not in columns:
        raise InvalidInputException(
            f"The events are chosen by {name}, which is not in the schema of the INTERACTIONS dataset.",
            field="eventsConfig",
        )


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", text) is not None


def _check_known_columns(kind: str, columns: Iterable[str], fields: dict[str, dict[str, JSONDict]]) -> None:
    known = fields.get(kind.upper())
    if known is None:
        raise InvalidInputException(
            f"trainingDataConfig names the dataset {kind}, the dataset group has {', '.join(fields) or 'none'}.",
            field="trainingDataConfig",
        )
    if unknown := [column for column in columns if column not in known]:
        raise InvalidInputException(
            f"{unknown[0]} is not a column of {kind.upper()}, which has {', '.join(known)}.", field="trainingDataConfig"
        )


def _check_objective(recipe: type[Recipe], objective: JSONDict | None, columns: dict[str, JSONDict]) -> None:
    if not objective:
        return
    allowed = ("aws-user-personalization", "aws-personalized-ranking")
    if recipe.name not in allowed:
        raise InvalidInputException(
            f"optimizationObjective is for {' and '.join(allowed)}, not for {recipe.name}.",
            field="optimizationObjective",
        )
    name = objective.get("itemAttribute")
    if name is None:
        return
    if name not in columns or not _is_numeric(columns[name]["type"]):
        numeric = [column for column, field in columns.items() if _is_numeric(field["type"])]
        raise InvalidInputException(
            f"itemAttribute is {name}, allowed is a numeric column of ITEMS: {', '.join(numeric) or 'there is none'}.",
            field="optimizationObjective",
        )


def _is_numeric(type_: Any) -> bool:
    kinds = type_ if isinstance(type_, list) else [type_]
    return bool(NUMBERS & set(kinds))


def _check_auto_ml(config: JSONDict) -> None:
    for arn in config.get("recipeList", []):
        recipe = recipe_named(arn, field="recipeList")
        if recipe.type is not RecipeType.USER_PERSONALIZATION:
            raise InvalidInputException(
                f"AutoML chooses among USER_PERSONALIZATION recipes, {recipe.name} is {recipe.type}.",
                field="recipeList",
            )

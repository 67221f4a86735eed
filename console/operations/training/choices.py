"""Which recipe to take: every recipe held against the data that a dataset group has."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from console import arns, limits
from console.models import Account, Dataset, DatasetGroup, SolutionVersion, Status
from console.operations.base import operation
from console.shapes import JSONDict
from console.streamed import streamed_types
from recipes import catalogue
from recipes.base import Hyperparameter, Recipe
from recipes.use_cases import ENOUGH, USE_CASES, UseCase

KINDS = ("INTERACTIONS", "ITEMS", "USERS", "ACTIONS", "ACTION_INTERACTIONS")
IDS = {"USER_ID", "ITEM_ID", "ACTION_ID", "TIMESTAMP"}
NUMBERS = {"int", "long", "float", "double"}
ACRONYMS = {"sims": "SIMS", "hrnn": "HRNN", "v2": "v2"}
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}
# Seconds to begin with and seconds for a million interactions on two cores, until a training here says better.
PACE = {
    "aws-popularity-count": (2.0, 5.0),
    "aws-trending-now": (2.0, 5.0),
    "aws-sims": (2.0, 10.0),
    "aws-similar-items": (4.0, 30.0),
    "aws-semantic-similarity": (4.0, 10.0),
}
USUAL_PACE = (5.0, 240.0)


@dataclass(frozen=True)
class Held:
    """What a group has: rows by dataset type, event types with their counts, statistics of the interactions' bulk rows."""

    rows: dict[str, int]
    event_types: list[JSONDict]
    statistics: JSONDict


@operation
def list_recipe_choices(account: Account, *, dataset_group_arn: str | None = None) -> JSONDict:
    """Each recipe with what it needs, what of that is there, how long training should take, and its hyperparameters."""
    datasets: dict[str, Dataset] = {}
    paces: dict[str, float] = {}
    cases = list(USE_CASES.values())
    if dataset_group_arn:
        group = DatasetGroup.objects.by_arn(account, dataset_group_arn, field="datasetGroupArn")
        datasets = {dataset.type.upper(): dataset for dataset in group.datasets.select_related("schema")}
        paces = _measured_paces(group)
        cases = [case for case in cases if case.domain == group.domain]
    held = Held(
        {kind: _rows(dataset) for kind, dataset in datasets.items()},
        event_types_of(datasets.get("INTERACTIONS")),
        datasets["INTERACTIONS"].statistics if "INTERACTIONS" in datasets else {},
    )
    return {
        "recipes": [_choice(catalogue.get(name), held, paces) for name in catalogue.RECIPES],
        "useCases": [_use_case(case, held) for case in cases],
        "eventTypes": held.event_types,
        "columns": [column for kind in KINDS if kind in datasets for column in _columns(datasets[kind])],
    }


def _choice(recipe: type[Recipe], held: Held, paces: dict[str, float]) -> JSONDict:
    requirements = [_requirement(kind, held.rows.get(kind, 0), kind in recipe.required) for kind in recipe.datasets]
    if "INTERACTIONS" in recipe.required and "users" in held.statistics:
        requirements.append(_users_requirement(held.statistics["users"]))
    unmet = [need["sentence"] for need in requirements if need["isRequired"] and not need["isMet"]]
    rows = held.rows.get("INTERACTIONS", 0)
    start, pace = PACE.get(recipe.name, USUAL_PACE)
    return {
        "recipeArn": arns.recipe_arn(recipe.name),
        "name": recipe.name,
        "title": title(recipe.name),
        "recipeType": str(recipe.type),
        "summary": recipe.summary,
        "isLegacy": recipe.legacy,
        "explores": recipe.explores,
        "updates": recipe.updates,
        "fits": not unmet,
        "reason": " ".join(unmet) or None,
        "requirements": requirements,
        "expectedSeconds": paces.get(recipe.name, start + pace * rows / 1e6),
        "isMeasured": recipe.name in paces,
        "hyperparameters": [_hyperparameter(declared) for declared in recipe.hyperparameters()],
    }


def _use_case(case: UseCase, held: Held) -> JSONDict:
    requirements = [_requirement(kind, held.rows.get(kind, 0), True) for kind in case.datasets]
    if case.event_type and "event_types" in held.statistics:
        requirements.append(_event_requirement(case.event_type, held.event_types))
    unmet = [need["sentence"] for need in requirements if not need["isMet"]]
    return {
        "recipeArn": arns.recipe_arn(case.name),
        "name": case.name,
        "title": case.title,
        "domain": str(case.domain),
        "recipeType": str(catalogue.get(case.recipe_name).type),
        "summary": case.summary,
        "inputs": list(case.inputs),
        "removes": list(case.removes),
        "explores": case.explores,
        "fits": not unmet,
        "reason": " ".join(unmet) or None,
        "requirements": requirements,
    }


def _event_requirement(event_type: str, event_types: list[JSONDict]) -> JSONDict:
    count = sum(entry["count"] for entry in event_types if entry["eventType"].casefold() == event_type.casefold())
    enough = count >= ENOUGH
    sentence = f"{count:,} {event_type} events" + ("." if enough else f", at least {ENOUGH:,} are needed.")
    return {"datasetType": "INTERACTIONS", "sentence": sentence, "isRequired": True, "isMet": enough}


def title(name: str) -> str:
    """A recipe's name as a person says it.

    >>> title("aws-user-personalization-v2"), title("aws-sims")
    ('User personalization v2', 'SIMS')
    """
    words = [ACRONYMS.get(word, word) for word in name.removeprefix("aws-").split("-")]
    return " ".join([words[0] if words[0].isupper() else words[0].capitalize(), *words[1:]])


def _requirement(kind: str, rows: int, required: bool) -> JSONDict:
    words = kind.lower().replace("_", " ")
    least = limits.quota("MIN_INTERACTIONS") if kind == "INTERACTIONS" and required else 1
    if rows >= least:
        sentence = f"{rows:,} {words}." if words.endswith("interactions") else f"Data on {rows:,} {words}."
    elif rows:
        sentence = f"{rows:,} {words}, at least {least:,} are needed."
    elif required:
        sentence = f"No {words} yet, {'at least ' + format(least, ',') if least > 1 else 'some'} are needed."
    else:
        sentence = f"No data on {words}; optional, they make it better."
    return {"datasetType": kind, "sentence": sentence, "isRequired": required, "isMet": rows >= least}


def _rows(dataset: Dataset) -> int:
    """Bulk rows and what streamed in."""
    if dataset.type.upper().endswith("INTERACTIONS"):
        is_action = dataset.type.upper().startswith("ACTION")
        return dataset.rows + streamed_types(dataset.dataset_group, is_action=is_action).total()
    return dataset.rows + dataset.records.count()


def _users_requirement(users: int) -> JSONDict:
    least = limits.quota("MIN_USERS")
    sentence = f"{users:,} users took part" + (
        "." if users >= least else f", at least {least} with two events are needed."
    )
    return {"datasetType": "INTERACTIONS", "sentence": sentence, "isRequired": True, "isMet": users >= least}


def _measured_paces(group: DatasetGroup) -> dict[str, float]:
    """Seconds of the group's last training with each recipe."""
    ended = SolutionVersion.objects.filter(
        solution__dataset_group=group, status=Status.ACTIVE, training_mode="FULL", solution__perform_hpo=False
    ).order_by("created", "pk")
    times = ended.values_list("recipe", "started", "finished")
    return {
        recipe: (finished - started).total_seconds()
        for recipe, started, finished in times
        if recipe and started and finished
    }


def _hyperparameter(declared: Hyperparameter) -> JSONDict:
    default = declared.default
    return {
        "name": declared.name,
        "type": TYPES[type(default)],
        "default": str(default).lower() if isinstance(default, bool) else str(default),
        "low": declared.low,
        "high": declared.high,
        "choices": list(declared.choices),
        "isTunable": declared.tunable,
        "isFeaturization": declared.featurization,
        "allowed": declared.allowed,
        "help": declared.help,
    }


def event_types_of(interactions: Dataset | None) -> list[JSONDict]:
    """Types in the bulk rows and the stream, most frequent first."""
    if interactions is None:
        return []
    counts = Counter(interactions.statistics.get("event_types", {})) + streamed_types(interactions.dataset_group)
    return [{"eventType": name, "count": count} for name, count in counts.most_common()]


def _columns(dataset: Dataset) -> Iterable[JSONDict]:
    for declared in json.loads(dataset.schema.text)["fields"]:
        if declared["name"] in IDS:
            continue
        kinds = declared["type"] if isinstance(declared["type"], list) else [declared["type"]]
        yield {
            "datasetType": dataset.type.upper(),
            "name": declared["name"],
            "isOptional": declared["name"] != "EVENT_TYPE",
            "isNumeric": bool(NUMBERS.intersection(kinds)),
        }

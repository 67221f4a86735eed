"""Quotas: AWS's defaults, those that are higher here, and how the environment changes them; docs/operations.md lists them."""

from __future__ import annotations

from collections.abc import Mapping

AWS = {
    "DATASET_GROUPS": 5,
    "SCHEMAS": 500,
    "SOLUTIONS_PER_GROUP": 10,
    "CAMPAIGNS_PER_GROUP": 5,
    "RECOMMENDERS_PER_GROUP": 5,
    "RECOMMENDERS": 15,
    "FILTERS_PER_GROUP": 30,
    "FIELDS_PER_FILTER": 10,
    "FIELDS_OF_FILTERS_PER_GROUP": 20,
    "PENDING_IMPORT_JOBS": 5,
    "PENDING_EXPORT_JOBS": 5,
    "PENDING_DELETION_JOBS": 5,
    "PENDING_BATCH_JOBS": 5,
    "PENDING_SOLUTION_VERSIONS": 20,
    "TAGS_PER_RESOURCE": 50,
    "METADATA_COLUMNS_PER_REQUEST": 10,
    "ATTRIBUTION_SOURCES": 100,
    "MIN_IMPORTED_INTERACTIONS": 1000,
    "FULL_IMPORT_GB": 100,
    "INCREMENTAL_IMPORT_GB": 1,
    "DELETION_FILES_MB": 100,
    "MIN_INTERACTIONS": 1000,
    "MIN_USERS": 25,
    "EVENT_TYPES_AND_COLUMNS": 10,
    "BATCH_FILES": 1000,
    "BATCH_FILE_GB": 1,
    "BATCH_FILE_RECORDS": 50_000_000,
    "ITEM_QUERIES_PER_FILE": 500,
    "ATTRIBUTE_QUERIES_PER_FILE": 10,
    "THEME_QUERIES": 100,
    "MAX_BAD_ROWS_PERCENT": 5,  # ours: AWS does not say when an import gives up
}
# AWS shares its machines among customers; on one's own these would only stand in the way.
HIGHER = {
    "DATASET_GROUPS": 500,
    "SOLUTIONS_PER_GROUP": 100,
    "CAMPAIGNS_PER_GROUP": 50,
    "RECOMMENDERS_PER_GROUP": 15,
    "RECOMMENDERS": 500,
    "PENDING_IMPORT_JOBS": 100,
    "PENDING_EXPORT_JOBS": 100,
    "PENDING_DELETION_JOBS": 20,
    "PENDING_BATCH_JOBS": 100,
    "PENDING_SOLUTION_VERSIONS": 100,
    "MIN_IMPORTED_INTERACTIONS": 0,
    "FULL_IMPORT_GB": 1000,
    "INCREMENTAL_IMPORT_GB": 100,
    "DELETION_FILES_MB": 1000,
    "EVENT_TYPES_AND_COLUMNS": 1000,
}
SETS = {"": AWS | HIGHER, "aws": AWS}
PREFIX = "QUOTA_"


def quotas(environment: Mapping[str, str]) -> dict[str, int]:
    """The quotas in force: of the set that QUOTAS names, each replaced by its QUOTA_<NAME> where that is a number."""
    chosen = SETS.get(_set_named(environment), SETS[""])
    given = {name: environment.get(PREFIX + name, "") for name in chosen}
    return {name: int(given[name]) if given[name].isdecimal() else default for name, default in chosen.items()}


def mistakes(environment: Mapping[str, str]) -> list[str]:
    """What in the environment is no quota, each with what is allowed."""
    found = []
    if _set_named(environment) not in SETS:
        found.append(f"QUOTAS is {environment['QUOTAS']!r}; allowed is aws, or nothing.")
    for variable, value in sorted(environment.items()):
        if not variable.startswith(PREFIX):
            continue
        if variable.removeprefix(PREFIX) not in AWS:
            found.append(f"{variable} names no quota; there are {', '.join(sorted(AWS))}.")
        elif not value.isdecimal():
            found.append(f"{variable} is {value!r}; allowed is a whole number from 0.")
    return found


def _set_named(environment: Mapping[str, str]) -> str:
    return environment.get("QUOTAS", "").strip().lower()

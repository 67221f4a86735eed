"""Datasets: at most one of a type in a group; the schema of Items and Users can be replaced by a wider one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress

from django.db import IntegrityError, transaction
from django.utils import timezone

from console import storage
from console.errors import InvalidInputException, ResourceAlreadyExistsException, ResourceInUseException
from console.ingest import schema as avro
from console.ingest.schema import DatasetSchema
from console.models import (
    Account,
    BatchInferenceJob,
    BatchSegmentJob,
    Campaign,
    Dataset,
    DatasetGroup,
    Schema,
    Status,
)
from console.models.base import UNFINISHED, JSONDict
from console.models.training import SolutionVersion
from console.operations.account.tags import tag_map
from console.operations.base import DEFAULT_PAGE, operation, page
from console.operations.data.dataset_groups import find_group
from console.operations.data.schemas import find_schema
from console.streamed import forget_counts
from recipes import filters as language

REPLACEABLE = ("ITEMS", "USERS")


@operation
def create_dataset(
    account: Account,
    *,
    name: str,
    schema_arn: str,
    dataset_group_arn: str,
    dataset_type: str,
    tags: Sequence[JSONDict] | None = None,
) -> JSONDict:
    """Make an empty dataset. It is ACTIVE at once; the type may be written in any case."""
    group = find_group(account, dataset_group_arn)
    schema = find_schema(account, schema_arn)
    kind = canonical_type(dataset_type)
    _check_fit(group, schema, kind)
    if group.status != Status.ACTIVE:
        raise ResourceInUseException(
            f"Dataset group {group.name} is {group.status}; it must be ACTIVE.", field="datasetGroupArn"
        )
    dataset = Dataset(
        account=account,
        name=name,
        dataset_group=group,
        schema=schema,
        type=kind,
        tags=tag_map(tags),
        tracking_id=str(uuid.uuid4()) if kind == "ACTION_INTERACTIONS" else None,
    )
    try:
        with transaction.atomic():
            dataset.save(force_insert=True)
    except IntegrityError:
        raise ResourceAlreadyExistsException(
            f"Dataset group {group.name} has a dataset of type {kind} already: {dataset.arn}. A group holds one of a type.",
            field="datasetType",
        ) from None
    return dataset.wire()


@operation
def describe_dataset(account: Account, *, dataset_arn: str) -> JSONDict:
    """A dataset in full."""
    return {"dataset": find_dataset(account, dataset_arn).wire()}


@operation
def list_datasets(
    account: Account,
    *,
    dataset_group_arn: str | None = None,
    next_token: str | None = None,
    max_results: int = DEFAULT_PAGE,
) -> JSONDict:
    """The account's datasets, or one group's, newest first."""
    rows = Dataset.objects.for_account(account).select_related("account", "dataset_group__account", "schema__account")
    if dataset_group_arn:
        rows = rows.filter(dataset_group=find_group(account, dataset_group_arn))
    return page("ListDatasets", rows, "datasets", next_token, max_results)


@operation
def update_dataset(account: Account, *, dataset_arn: str, schema_arn: str) -> JSONDict:
    """Replace the schema of an Items or Users dataset by one that keeps its fields and adds nullable ones."""
    dataset = find_dataset(account, dataset_arn)
    schema = find_schema(account, schema_arn)
    _check_replaceable(dataset, schema)
    if dataset.import_jobs.filter(status__in=UNFINISHED).exists():
        raise ResourceInUseException(f"Dataset {dataset.arn} is being imported to.", field="datasetArn")
    now = timezone.now()
    dataset.schema = schema
    dataset.latest_update = {
        "schemaArn": schema.arn,
        "status": Status.ACTIVE.value,
        "creationDateTime": now.isoformat(),
        "lastUpdatedDateTime": now.isoformat(),
    }
    dataset.revision += 1
    dataset.save()
    return {"datasetArn": dataset.arn}


@operation
def delete_dataset(account: Account, *, dataset_arn: str) -> None:
    """Delete a dataset with its rows, bulk and streamed, when nothing in its group works with it.

    Raises:
        ResourceInUseException: names what uses it.
    """
    dataset = find_dataset(account, dataset_arn)
    user = _user_of(dataset)
    if user:
        raise ResourceInUseException(f"Dataset {dataset.arn} is in use by {user}.", field="datasetArn")
    folder = f"datasets/{dataset.pk}"
    if dataset.type in {"INTERACTIONS", "ACTION_INTERACTIONS"}:
        dataset.dataset_group.events.filter(is_action=dataset.type == "ACTION_INTERACTIONS").delete()
        dataset.dataset_group.seen_lists.all().delete()
        forget_counts(dataset.dataset_group_id)
    dataset.delete()
    storage.drop([folder])


def find_dataset(account: Account, arn: str) -> Dataset:
    """The dataset an operation names by `datasetArn`."""
    rows = Dataset.objects.select_related("account", "dataset_group__account", "schema__account")
    found: Dataset = rows.by_arn(account, arn, field="datasetArn")
    return found


def canonical_type(text: str) -> str:
    """The dataset type behind a spelling such as `Interactions` or `action_interactions`."""
    kind = avro.dataset_type(text)
    if kind is None:
        raise InvalidInputException(
            f"datasetType is {text!r}, allowed is one of Interactions, Items, Users, Actions, Action_Interactions.",
            field="datasetType",
        )
    return kind


def replacements(dataset: Dataset) -> list[Schema]:
    """The account's other schemas that UpdateDataset would take for a dataset, newest first."""
    rows = Schema.objects.for_account(dataset.account).select_related("account").exclude(pk=dataset.schema_id)
    found = []
    for row in rows.filter(domain=dataset.dataset_group.domain):
        with suppress(InvalidInputException):
            _check_replaceable(dataset, row)
            found.append(row)
    return found


def _check_replaceable(dataset: Dataset, schema: Schema) -> None:
    """Hold a schema to what a dataset has."""
    _check_fit(dataset.dataset_group, schema, dataset.type)
    if dataset.type not in REPLACEABLE:
        raise InvalidInputException(
            f"The schema of a dataset of type {dataset.type} cannot be replaced; allowed are {' and '.join(REPLACEABLE)}.",
            field="datasetArn",
        )
    check_replacement(avro.parse(dataset.schema.text, dataset.schema.domain), avro.parse(schema.text, schema.domain))


def check_replacement(old: DatasetSchema, new: DatasetSchema) -> None:
    """Hold a new schema to what the old one promised.

    Raises:
        InvalidInputException: an old field is gone or changed, or a new one is not nullable.
    """
    for field in old.fields:
        kept = new.field(field.name)
        if kept is None or kept.type != field.type:
            found = f"has type {kept.type}" if kept else "is missing"
            raise InvalidInputException(
                f"Field {field.name} {found} in the new schema; it must be kept with type {field.type}.",
                field="schemaArn",
            )
    for field in new.fields:
        if old.field(field.name) is None and not field.nullable:
            raise InvalidInputException(
                f'Field {field.name} is new, so its type must include null, as in ["null", "{field.type}"].',
                field="schemaArn",
            )


def _check_fit(group: DatasetGroup, schema: Schema, kind: str) -> None:
    """Hold group, schema and dataset type to one another."""
    declared = avro.parse(schema.text, schema.domain).dataset_type
    if declared != kind:
        raise InvalidInputException(
            f"Schema {schema.name} is for {declared}, the dataset is of type {kind}; they must be the same.",
            field="schemaArn",
        )
    if schema.domain != group.domain:
        raise InvalidInputException(
            f"Schema {schema.name} is of {_domain(schema.domain)}, dataset group {group.name} of {_domain(group.domain)}; "
            "they must be the same.",
            field="schemaArn",
        )
    if group.domain and kind in {"ACTIONS", "ACTION_INTERACTIONS"}:
        raise InvalidInputException(
            f"A dataset group of domain {group.domain} holds no {kind} dataset.", field="datasetType"
        )


def _domain(domain: str | None) -> str:
    return f"domain {domain}" if domain else "no domain"


def _user_of(dataset: Dataset) -> str:
    """What keeps a dataset from being deleted, or ""."""
    group = dataset.dataset_group
    users = {
        "import job": dataset.import_jobs.filter(status__in=UNFINISHED),
        "export job": dataset.export_jobs.filter(status__in=UNFINISHED),
        "data deletion job": group.deletion_jobs.filter(status__in=UNFINISHED),
        "solution version": SolutionVersion.objects.filter(solution__dataset_group=group, status__in=UNFINISHED),
        "batch inference job": BatchInferenceJob.objects.filter(
            solution_version__solution__dataset_group=group, status__in=UNFINISHED
        ),
        "batch segment job": BatchSegmentJob.objects.filter(
            solution_version__solution__dataset_group=group, status__in=UNFINISHED
        ),
        "recommender": group.recommenders.filter(status__in=(*UNFINISHED, Status.ACTIVE)),
        "campaign": Campaign.objects.filter(
            solution_version__solution__dataset_group=group, status__in=(*UNFINISHED, Status.ACTIVE)
        ),
    }
    if dataset.type == "INTERACTIONS":
        users["event tracker"] = group.event_trackers.all()
    for what, rows in users.items():
        row = rows.first()
        if row is not None:
            return f"{what} {row.arn}"
    for row in group.filters.all():
        if any(owner == dataset.type for owner, _ in language.parse(row.expression).fields()):
            return f"filter {row.arn}"
    attribution = getattr(group, "metric_attribution", None)
    return f"metric attribution {attribution.arn}" if attribution else ""

"""Schemas: checked when they are made, immutable after, gone only when no dataset refers to them."""

from __future__ import annotations

from console.errors import ResourceInUseException
from console.ingest import schema as avro
from console.models import Account, Schema
from console.models.base import JSONDict
from console.operations.base import DEFAULT_PAGE, create, operation, page, within_quota


@operation
def create_schema(account: Account, *, name: str, schema: str, domain: str | None = None) -> JSONDict:
    """Keep a schema that obeys the rules of its dataset type and domain."""
    avro.parse(schema, domain)
    within_quota("SCHEMAS", Schema.objects.for_account(account), "a schema")
    row = Schema(account=account, name=name, text=schema, domain=domain)
    create(row)
    return row.wire()


@operation
def describe_schema(account: Account, *, schema_arn: str) -> JSONDict:
    """A schema in full."""
    return {"schema": find_schema(account, schema_arn).wire()}


@operation
def list_schemas(account: Account, *, next_token: str | None = None, max_results: int = DEFAULT_PAGE) -> JSONDict:
    """The account's schemas, newest first."""
    rows = Schema.objects.for_account(account).select_related("account")
    return page("ListSchemas", rows, "schemas", next_token, max_results)


@operation
def delete_schema(account: Account, *, schema_arn: str) -> None:
    """Delete a schema that no dataset refers to."""
    schema = find_schema(account, schema_arn)
    dataset = schema.datasets.first()
    if dataset:
        raise ResourceInUseException(
            f"Schema {schema.name} is in use by dataset {dataset.arn}. Delete the dataset first.", field="schemaArn"
        )
    schema.delete()


def find_schema(account: Account, arn: str) -> Schema:
    """The schema an operation names by `schemaArn`."""
    found: Schema = Schema.objects.select_related("account").by_arn(account, arn, field="schemaArn")
    return found

"""From a file of any layout to an imported dataset: look at it, make schema, dataset and import job, read the report.

These operations are ours; AWS leaves schema and mapping to its users.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence

from console import limits, storage
from console.errors import InvalidInputException
from console.ingest import schema as avro
from console.ingest.schema import DatasetSchema
from console.ingest.sniff import Preview
from console.ingest.sources import sha256_of
from console.models import Account, Dataset, DatasetGroup, DatasetImportJob, Schema
from console.models.base import UNFINISHED, JSONDict
from console.operations.base import operation
from console.operations.data.constants import with_constants
from console.operations.data.dataset_groups import find_group
from console.operations.data.datasets import canonical_type, check_replacement, create_dataset
from console.operations.data.import_jobs import check_source, find_import_job, start_import
from console.operations.data.looks import files_at, first_filled, look, look_beside
from console.operations.data.schemas import create_schema
from console.storage import Location
from recipes.tables.describe import Guess
from recipes.tables.dialect import CsvFormat
from recipes.tables.field import Field
from recipes.tables.reserved import REQUIRED, RESERVED
from recipes.tables.roles import Question
from recipes.tables.samples import understood

NAME_LENGTH = 63


@operation
def preview_data(
    account: Account,
    *,
    data_location: str,
    dataset_type: str | None = None,
    domain: str | None = None,
    format: JSONDict | None = None,  # noqa: A002  the member's name
    beside: Sequence[str] = (),
) -> JSONDict:
    """Show a file's layout, first rows and columns, with a guess of what each column is."""
    for location in (data_location, *beside):
        check_source(account, location)
    files = files_at(storage.parse_location(data_location))
    found = look_beside(first_filled(files), dataset_type, domain, format, beside)
    return {
        "format": _wire_format(found.form),
        "gzip": found.is_gzip,
        "datasetType": found.dataset_type,
        "bytes": sum(storage.size_bytes(file) for file in files),
        "files": len(files),
        "estimatedRows": found.estimated_rows,
        "sampledRows": found.sampled_rows,
        "columns": [_wire_column(column) for column in found.columns],
        "rows": found.rows,
        "warnings": found.warnings,
        "suggestedMaxBadRowsPercent": _bad_rows_limit(_guessed_columns(found), found, None),
        "evidence": found.evidence,
        "questions": [_wire_question(question) for question in found.questions],
        "constants": [{"name": name, "value": value} for name, value in found.constants.items()],
        "previousImports": _previous_imports(account, files),
    }


@operation
def create_dataset_from_file(
    account: Account,
    *,
    dataset_group_arn: str,
    data_location: str,
    dataset_type: str | None = None,
    columns: Sequence[JSONDict] | None = None,
    format: JSONDict | None = None,  # noqa: A002  the member's name
    import_mode: str = "FULL",
    max_bad_rows_percent: float | None = None,
    job_name: str | None = None,
    dataset_name: str | None = None,
    schema_name: str | None = None,
    role_arn: str | None = None,
    publish_attribution_metrics_to_s3: bool = False,
) -> JSONDict:
    """Make the schema that fits a file, the dataset if there is none of the type, and the import job.

    Without `columns` those that PreviewData guesses are taken. A dataset that exists keeps its schema where the file has what
    it needs; it gets a wider one where that may be (Items, Users), or any other while it is empty.
    """
    group = find_group(account, dataset_group_arn)
    check_source(account, data_location)
    files = files_at(storage.parse_location(data_location))
    found = look(first_filled(files), dataset_type, group.domain, format)
    kind = canonical_type(dataset_type or found.dataset_type)
    given = [_completed(column, found, kind, group.domain) for column in columns] if columns else _guessed(found)
    wanted = _schema(kind, given, group.domain)
    given = with_constants(given, wanted)
    dataset = _dataset(account, group, wanted, dataset_name, schema_name)
    kept = avro.parse(dataset.schema.text, dataset.schema.domain)
    job = DatasetImportJob(
        account=account,
        name=job_name or _free_name(account, DatasetImportJob, f"{group.name}-{kind.lower().replace('_', '-')}-import"),
        dataset=dataset,
        data_location=data_location,
        role_arn=role_arn,
        import_mode=import_mode,
        options=_options(found.form, given, kept, _bad_rows_limit(given, found, max_bad_rows_percent)),
        publish_attribution_metrics=publish_attribution_metrics_to_s3,
    )
    start_import(job)
    return {"schemaArn": dataset.schema.arn, "datasetArn": dataset.arn, "datasetImportJobArn": job.arn}


@operation
def get_dataset_import_report(account: Account, *, dataset_import_job_arn: str) -> JSONDict:
    """What an import read, left out and why; while it runs, nothing yet."""
    job = find_import_job(account, dataset_import_job_arn)
    report = job.report
    counted = {
        "rows": report.get("rows"),
        "importedRows": job.imported_rows,
        "duplicateRows": report.get("duplicates"),
        "rejectedRows": report.get("rejected"),
        "rejectedShare": report["rejected"] / max(1, report["rows"]) if report else None,
    }
    return counted | {
        "datasetImportJobArn": job.arn,
        "status": job.status,
        "failureReason": job.failure_reason,
        "badRows": report.get("sample", []),
        "unreadCells": report.get("unread", []),
        "warnings": report.get("warnings", []),
        "rejectsAvailable": bool(report.get("rejects")),
        "sha256": report.get("sha256"),
        "bytes": report.get("bytes"),
        "seconds": report.get("seconds"),
        "files": report.get("files", []),
    }


def rejects_location(account: Account, arn: str) -> Location | None:
    """Where the CSV with all rows that an import left out lies, for faces to stream; None if it left out none."""
    key = find_import_job(account, arn).report.get("rejects")
    return storage.store(key) if key else None


def _wire_format(form: CsvFormat) -> JSONDict:
    return {
        "delimiter": form.delimiter,
        "quote": form.quote,
        "encoding": form.encoding,
        "header": form.header,
        "decimal": form.decimal,
        "escape": form.escape,
        "skip": form.skip,
    }


def _wire_column(column: Guess) -> JSONDict:
    return {
        "source": column.source,
        "name": column.name,
        "include": column.include,
        "type": column.type,
        "categorical": column.categorical,
        "textual": column.textual,
        "nullable": column.nullable,
        "timestampUnit": column.unit or None,
        "clock": column.clock or None,
        "recognisedUnit": column.recognised_unit or None,
        "decimal": column.decimal or None,
        "separator": column.separator or None,
        "picture": column.is_picture,
        "vectorSize": column.vector_size or None,
        "nullShare": column.null_share,
        "distinct": column.distinct,
        "min": column.low or None,
        "max": column.high or None,
        "histogram": column.histogram,
        "examples": column.examples,
        "samples": [
            understood(text, column.type, column.unit, column.decimal, column.separator) for text in column.examples
        ],
    }


def _wire_question(question: Question) -> JSONDict:
    options = [{"value": value, "label": label, "samples": samples} for value, label, samples in question.options]
    return {
        "column": question.about,
        "member": question.member,
        "text": question.text,
        "options": options,
        "suggested": question.suggested,
    }


def _guessed(found: Preview) -> list[JSONDict]:
    """The columns as they are guessed.

    Raises:
        InvalidInputException: what a column says can be read in two ways and nothing in the file tells which.
    """
    open_questions = [question for question in found.questions if not question.suggested]
    if open_questions:
        first = open_questions[0]
        readings = "; or ".join(
            f"{first.member} {value}: {', '.join(samples[:1])}" for value, _, samples in first.options
        )
        raise InvalidInputException(f"{first.text} Say it in columns: {readings}.", field="columns")
    return _guessed_columns(found)


def _guessed_columns(found: Preview) -> list[JSONDict]:
    constants = [{"name": name, "constant": value, "type": "string"} for name, value in found.constants.items()]
    return [_wire_column(column) for column in found.columns if column.include] + constants


def _bad_rows_limit(columns: Sequence[JSONDict], found: Preview, given: float | None) -> float:
    """The percentage of bad rows allowed: as given, else the usual one beside the rows that the preview has shown to be incomplete."""
    if given is not None:
        return given
    empty = {guess.source: guess.null_share for guess in found.columns}
    required = REQUIRED[canonical_type(found.dataset_type)]
    incomplete = sum(empty.get(column.get("source") or "", 0.0) for column in columns if column["name"] in required)
    return min(99.0, float(limits.quota("MAX_BAD_ROWS_PERCENT")) + math.ceil(100 * incomplete))


def _completed(column: JSONDict, found: Preview, kind: str, domain: str | None) -> JSONDict:
    """A column with what was left out: as the name demands, else as the file suggests."""
    source = column.get("source", "")
    if not source and column.get("constant") is None:
        raise InvalidInputException(
            f"Column {column['name']} has neither source nor constant; allowed sources are "
            f"{', '.join(guess.source for guess in found.columns)}.",
            field="columns",
        )
    suggested = next((_wire_column(guess) for guess in found.columns if guess.source == source), {})
    name = column["name"]
    required = avro.required_columns(kind, domain)
    rule = (RESERVED[kind] | required).get(name)
    if rule:
        suggested |= {
            "type": rule.types[0],
            "categorical": rule.categorical,
            "textual": False,
            "nullable": name not in required and bool(source),
        }
    elif "type" in column:
        suggested |= {"categorical": False, "textual": False}
    elif suggested.get("type") == "long" and column.get("decimal", suggested["decimal"]) != suggested["decimal"]:
        suggested["type"] = "float"  # its thousands are decimals
    return suggested | column


def _previous_imports(account: Account, files: list[Location]) -> list[JSONDict]:
    """Imports of the very same bytes; the file is only hashed when one of its size was imported before."""
    size = sum(storage.size_bytes(file) for file in files)
    jobs = DatasetImportJob.objects.for_account(account).select_related("account", "dataset__dataset_group__account")
    same_size = [
        job for job in jobs.filter(report__bytes=size, status=DatasetImportJob.done) if job.report.get("sha256")
    ]
    if not same_size:
        return []
    digest = sha256_of(files)
    return [job.wire() for job in same_size if job.report["sha256"] == digest]


def _schema(kind: str, columns: Sequence[JSONDict], domain: str | None) -> DatasetSchema:
    """The schema of the chosen columns, held to all rules."""
    fields = [
        Field(
            column["name"],
            column.get("type", "string"),
            column.get("nullable", False),
            column.get("categorical", False),
            column.get("textual", False),
            column.get("itemName", False),
        )
        for column in columns
    ]
    if not fields:
        raise InvalidInputException("columns names no column with a source; allowed is at least one.", field="columns")
    try:
        return avro.parse(avro.text_of(kind, fields), domain)
    except InvalidInputException as error:
        reason = str(error).removeprefix("Invalid schema: ")
        raise InvalidInputException(f"Invalid columns: {reason}", field="columns") from error


def _dataset(
    account: Account, group: DatasetGroup, wanted: DatasetSchema, name: str | None, schema_name: str | None
) -> Dataset:
    """The group's dataset of the type with a schema that the file can fill."""
    kind = wanted.dataset_type
    rows = Dataset.objects.select_related("schema__account", "account", "dataset_group__account")
    dataset: Dataset | None = rows.filter(dataset_group=group, type=kind).first()
    if dataset is None:
        schema = _new_schema(account, group, wanted, schema_name)
        word = kind.lower().replace("_", "-")
        made = create_dataset(
            account,
            name=name or f"{group.name[: NAME_LENGTH - 20]}-{word}",
            schema_arn=schema.arn,
            dataset_group_arn=group.arn,
            dataset_type=kind,
        )
        created: Dataset = rows.by_arn(account, made["datasetArn"])
        return created
    old = avro.parse(dataset.schema.text, dataset.schema.domain)
    if not _fills(wanted, old):
        _replace_schema(dataset, old, wanted)
        dataset.schema = _new_schema(account, group, wanted, schema_name)
        dataset.save(update_fields=["schema", "updated"])
    return dataset


def _fills(wanted: DatasetSchema, old: DatasetSchema) -> bool:
    """Whether a file with the columns of `wanted` can be imported with the schema `old`, and loses none of them."""
    mandatory = {field.name for field in old.fields if not field.nullable}
    return mandatory <= set(wanted.names) and set(wanted.names) <= set(old.names)


def _replace_schema(dataset: Dataset, old: DatasetSchema, wanted: DatasetSchema) -> None:
    """Hold the replacement of a dataset's schema to the rules; an empty dataset may get any."""
    if not dataset.parts and not dataset.import_jobs.filter(status__in=UNFINISHED).exists():
        return
    if dataset.type in {"ITEMS", "USERS"}:
        check_replacement(old, wanted)
        return
    raise InvalidInputException(
        f"Dataset {dataset.arn} has the columns {', '.join(old.names)}; the file would bring {', '.join(wanted.names)}. "
        "Map the file to the dataset's columns, or delete the dataset first.",
        field="columns",
    )


def _new_schema(account: Account, group: DatasetGroup, wanted: DatasetSchema, name: str | None) -> Schema:
    text = avro.text_of(wanted.dataset_type, wanted.fields)
    word = wanted.dataset_type.lower().replace("_", "-")
    free = name or _free_name(account, Schema, f"{group.name}-{word}")
    members = {"domain": group.domain} if group.domain else {}
    made = create_schema(account, name=free, schema=text, **members)
    found: Schema = Schema.objects.select_related("account").by_arn(account, made["schemaArn"])
    return found


def _free_name(account: Account, model: type[Schema] | type[DatasetImportJob], stem: str) -> str:
    """`stem`, or with a short random ending if it is taken."""
    stem = stem[: NAME_LENGTH - 9]
    taken = model.objects.for_account(account).filter(name=stem).exists()
    return f"{stem}-{uuid.uuid4().hex[:8]}" if taken else stem


def _options(form: CsvFormat, columns: Sequence[JSONDict], schema: DatasetSchema, limit: float | None) -> JSONDict:
    """What runners.importing is given of the file."""
    named = {column["name"]: column for column in columns if column["name"] in schema.names}
    sources = {
        name: {
            "name": column.get("source") or "",
            "unit": column.get("timestampUnit") or "",
            "constant": None if column.get("source") else column.get("constant"),
            "separator": column.get("separator") or "",
            "decimal": column.get("decimal") or "",
            "clock": column.get("clock") or "",
        }
        for name, column in named.items()
    }
    options: JSONDict = {"format": _wire_format(form), "sources": sources}
    return options if limit is None else options | {"maxBadRowsPercent": limit}

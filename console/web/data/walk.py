"""Files on their way in: each with what was recognised, its columns as a form, its cards and what is still missing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from console.errors import ServiceError
from console.ingest.mapping import epoch_of
from console.ingest.schema import Field, dataset_type, text_of
from console.models import Dataset, DatasetGroup, DatasetImportJob
from console.operations.base import call_by_wire_names
from console.shapes import JSONDict
from console.web.access import Request
from console.web.data.column_forms import (
    ColumnFormSet,
    ImportForm,
    earlier_columns,
    initial_column,
    known_names,
    settings_of,
)
from console.web.data.role_cards import CONSTANT, Card, Role, applied, cards_of, described_gap, open_questions, roles_of
from console.web.pages import call, find

SHOWN_ROWS = 50
MOST_BESIDE = 3
LAYOUT = ("delimiter", "encoding", "decimal")
HEADER = {True: "yes", False: "no"}


@dataclass
class IncomingFile:
    """One file of the walk. `prefix` tells its form's fields from those of the others."""

    number: int
    group: DatasetGroup
    location: str
    kind: str
    found: JSONDict
    columns: Any
    form: ImportForm
    dataset: Dataset | None
    address: str = ""
    is_alone: bool = True
    data: QueryDict | None = None
    chosen: list[JSONDict] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """What the names of this file's fields begin with."""
        return prefix_of(self.number)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.location.rstrip("/").rpartition("/")[2]

    @property
    def pairs(self) -> list[tuple[Any, JSONDict]]:
        """The columns' forms, each with what was recognised."""
        guesses = [guess | {"span": _span(guess)} for guess in self.found["columns"]]
        return list(zip(self.columns.forms, guesses, strict=False))

    @property
    def cards(self) -> list[Card]:
        """Who, what, when and which event, as chosen now."""
        return cards_of(self.kind, self.group.domain, self.chosen, self.found)

    @property
    def warnings(self) -> list[str]:
        """What the preview warns of and no card says."""
        said = {card.note for card in self.cards}
        return [warning for warning in self.found.get("warnings", []) if warning not in said]

    @property
    def num_used(self) -> int:
        """How many of the file's columns are used."""
        return sum(bool(column.get("source")) for column in self.chosen)

    @property
    def questions(self) -> list[JSONDict]:
        """What has to be asked, with the answers so far."""
        return open_questions(self.found, self.data, self.prefix)

    @property
    def gaps(self) -> list[str]:
        """What is missing before the import may start, in words."""
        gaps = [card.gap for card in self.cards if card.gap]
        gaps += [
            gettext("Answer the question: {text}").format(text=question["text"])
            for question in self.questions
            if question["is_open"]
        ]
        return [*gaps, self.described_gap] if self.described_gap else gaps

    @property
    def described_gap(self) -> str:
        """What is missing besides the roles: a column that describes."""
        return described_gap(self.kind, self.chosen)

    @property
    def rows(self) -> list[list[str]]:
        """The first rows as they stand in the file."""
        rows: list[list[str]] = self.found.get("rows", [])
        return rows[:SHOWN_ROWS]

    @property
    def names(self) -> list[str]:
        """Names with a meaning of their own, to complete."""
        return known_names(self.kind, self.group.domain)

    @property
    def schema(self) -> str:
        """The schema that the columns lead to as they stand."""
        return schema_of(self.kind, self.chosen)

    @property
    def earlier(self) -> list[JSONDict]:
        """Imports of the very same bytes."""
        jobs = self.found.get("previousImports", [])
        return [
            {"name": one["datasetImportJobArn"].rpartition("/")[2], "created": one["creationDateTime"]} for one in jobs
        ]

    def request(self) -> JSONDict | None:
        """CreateDatasetFromFile's members; None while the form has errors."""
        if not (self.columns.is_valid() and self.form.is_valid()):
            return None
        self.form.columns = [{name: value for name, value in one.items() if name != "entered"} for one in self.chosen]
        self.form.layout = {name: value for name, value in self.found.get("format", {}).items() if value != ""}
        return self.form.members()


def prefix_of(number: int) -> str:
    """The first file's fields have plain names.

    >>> prefix_of(0), prefix_of(1)
    ('', 'f1-')
    """
    return f"f{number}-" if number else ""


def read_file(request: Request, group: DatasetGroup, number: int, location: str, kind: str) -> IncomingFile:
    """Look at a file, and take in what was changed of the guesses.

    Raises:
        ServiceError: it cannot be read.
    """
    found = call(request, "PreviewData", _question(request, group, kind, location))
    kind = dataset_type(kind) or dataset_type(found["datasetType"]) or "INTERACTIONS"
    prefix = prefix_of(number)
    data = applied(request.POST, kind, group.domain, found, prefix) if request.method == "POST" else None
    job = find(request, "DatasetImportJob", request.GET["retry"]) if "retry" in request.GET else None
    earlier = earlier_columns(job) if job else None
    initial = [initial_column(guess, earlier) for guess in found["columns"]]
    columns = ColumnFormSet(data, initial=initial, prefix=f"{prefix}form")
    for one, guess in zip(columns.forms, found["columns"], strict=False):
        one.example = max(guess.get("examples") or [""], key=len)
    dataset = Dataset.objects.filter(dataset_group=group, type=kind).first()
    form = ImportForm(
        data, group=group, kind=kind, location=location, has_rows=bool(dataset and dataset.parts), prefix=f"f{number}" if number else None
    )  # fmt: skip
    form.fields["max_bad_rows_percent"].initial = f"{found['suggestedMaxBadRowsPercent']:g}"
    if job:
        constants = _constants_of(job)
        of_roles = {role.name for role in roles_of(kind, group.domain)} & constants.keys()
        found = found | {"constants": [{"name": name, "value": constants[name]} for name in of_roles]}
        form.initial.update(settings_of(job))
        for name in constants.keys() - of_roles:
            form.initial.update(constant_name=name, constant_value=constants[name])
    file = IncomingFile(number, group, location, kind, found, columns, form, dataset, _address(request))
    file.data, file.is_alone = data, len(request.GET.getlist("location")) == 1
    file.chosen = _chosen(file)
    return file


def _constants_of(job: DatasetImportJob) -> dict[str, str]:
    """What an import said of every row, by column; a time as a date that can be read back."""
    sources = job.options.get("sources", {})
    constants = {name: source["constant"] for name, source in sources.items() if source.get("constant") is not None}
    return {name: _as_date(value) if name == "TIMESTAMP" else str(value) for name, value in constants.items()}


def _as_date(seconds: str) -> str:
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d}"


def _address(request: Request) -> str:
    """The preview's question, without the number of the file that is checked."""
    members = request.GET.copy()
    members.pop("file", None)
    return members.urlencode()


def _question(request: Request, group: DatasetGroup, kind: str, location: str) -> JSONDict:
    """PreviewData's members: the layout only where the person has set it."""
    layout: JSONDict = {name: request.GET[name] for name in LAYOUT if request.GET.get(name)}
    if request.GET.get("header"):
        layout["header"] = request.GET["header"] == "yes"
    members: JSONDict = {"dataLocation": location} | ({"datasetType": kind} if kind else {})
    others = [one for one in request.GET.getlist("location") if one != location][:MOST_BESIDE]
    members |= {"beside": others} if others else {}
    return members | ({"domain": group.domain} if group.domain else {}) | ({"format": layout} if layout else {})


def _chosen(file: IncomingFile) -> list[JSONDict]:
    """CreateDatasetFromFile's columns as the form stands; a form not sent yet stands as guessed."""
    if file.data is None:
        shown = ColumnFormSet(_as_sent(file.columns), prefix=file.columns.prefix)
        forms, constants = shown.forms, {one["name"]: one["value"] for one in file.found.get("constants", [])}
    else:
        forms, constants = file.columns.forms, _constants(file, file.data)
    chosen = [column for form in forms if form.is_valid() and (column := form.members())]
    taken = {column["name"] for column in chosen}
    return chosen + [_constant(name, value) for name, value in constants.items() if name not in taken]


def _constant(name: str, value: str) -> JSONDict:
    """A column that says the same in every row; a date is kept as its epoch second."""
    column: JSONDict = {"name": name, "constant": value, "type": "string", "nullable": False}
    if name == "TIMESTAMP":
        seconds = epoch_of(value)
        return column | {"type": "long", "constant": seconds, "entered": value}
    return column


def _as_sent(columns: Any) -> dict[str, str]:
    """What a browser would send of a formset that nobody has touched."""
    sent: dict[str, str] = {}
    for form in (columns.management_form, *columns.forms):
        for one in form:
            value = one.value()
            if value not in (None, False, ""):
                sent[one.html_name] = "on" if value is True else str(value)
    return sent


def _constants(file: IncomingFile, data: QueryDict) -> dict[str, str]:
    """What every row is said to be, by the card's column."""
    return {
        role.name: data.get(f"{file.prefix}constant-{role.name}", _usual(role)).strip()
        for role in roles_of(file.kind, file.group.domain)
        if data.get(f"{file.prefix}role-{role.name}") == CONSTANT
    }


def _usual(role: Role) -> str:
    """What is offered as the value of every row: today, for a time."""
    return f"{timezone.now():%Y-%m-%d}" if role.name == "TIMESTAMP" else ""


def start_all(request: Request, files: list[IncomingFile]) -> list[DatasetImportJob]:
    """Start the imports of all files or of none; what is refused stands at its form."""
    if any(file.gaps for file in files):
        return []  # the cards say what is missing
    requests = [file.request() for file in files]
    jobs = []
    try:
        with transaction.atomic():
            for file, members in zip(files, requests, strict=True):
                if members is None:
                    return []
                made = call_by_wire_names("CreateDatasetFromFile", request.account, _after(files, file, members))
                jobs.append(DatasetImportJob.objects.by_arn(request.account, made["datasetImportJobArn"]))
    except ServiceError as error:
        files[len(jobs)].form.add_service_error(error)
        return []
    return jobs


def _after(files: list[IncomingFile], file: IncomingFile, members: JSONDict) -> JSONDict:
    """Of two files for one dataset the later adds to the earlier."""
    repeated = any(other.kind == file.kind for other in files[: file.number])
    return members | {"importMode": "INCREMENTAL"} if repeated else members


def schema_of(kind: str, columns: list[JSONDict]) -> str:
    """The schema that columns lead to, laid out for reading."""
    fields = [
        Field(
            one["name"],
            one.get("type", "string"),
            one.get("nullable", False),
            one.get("categorical", False),
            one.get("textual", False),
        )
        for one in columns
        if one.get("name")
    ]
    return json.dumps(json.loads(text_of(kind, fields)), indent=2)


def _span(guess: JSONDict) -> str:
    """From where to where a column of numbers or times goes; of texts it would say nothing."""
    if guess.get("type") in {"string", "boolean"} or not guess.get("min"):
        return ""
    low, high = (guess[end].partition(" ")[0].partition("T")[0] for end in ("min", "max"))
    return gettext("{low} to {high}").format(low=low, high=high)


def retry_url(job: DatasetImportJob) -> str:
    """The preview of the same file with the columns as this job had them."""
    dataset = job.dataset
    members = {"group": dataset.dataset_group.name, "type": dataset.type, "location": job.data_location}
    form = job.options.get("format", {})
    layout = {name: form.get(name, "") for name in LAYOUT} | (
        {"header": HEADER[form["header"]]} if "header" in form else {}
    )
    chosen = members | {name: value for name, value in layout.items() if value} | {"retry": job.name}
    return f"{reverse('datasets-preview')}?{urlencode(chosen)}"

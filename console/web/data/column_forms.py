"""A file's columns as a form: what each becomes, and the request of CreateDatasetFromFile that follows from it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext, gettext_lazy

from console.ingest.mapping import SEPARATORS, sample
from console.ingest.schema import parse, required_columns, reserved_columns
from console.models import DatasetGroup, DatasetImportJob, MetricAttribution
from console.serving.attribution_reports import folder_of
from console.shapes import JSONDict
from console.web.forms import OperationForm, StyledForm, name_field
from console.web.glossary import unit_said
from console.web.languages import lazily

LOOKS = (
    ("string", lazily("Id or label")),
    ("category", lazily("Category")),
    ("text", lazily("Description")),
    ("long", lazily("Whole number")),
    ("double", lazily("Decimal number")),
    ("boolean", lazily("True or false")),
)
TIMES = (
    ("s", lazily("Time, in seconds")),
    ("ms", lazily("Time, in milliseconds")),
    ("us", lazily("Time, in microseconds")),
    ("ns", lazily("Time, in nanoseconds")),
    ("iso", lazily("Time, as ISO text")),
    ("excel", lazily("Time, as Excel's day number")),
)
MEMBERS_OF_LOOK: dict[str, JSONDict] = {
    "category": {"type": "string", "categorical": True},
    "text": {"type": "string", "textual": True},
}
SAME_LOOK = {"int": "long", "float": "double"}


def members_of_look(look: str) -> JSONDict:
    """What a choice of type means by wire names; a look with % in it is a pattern of times.

    >>> members_of_look("ms"), members_of_look("boolean")
    ({'type': 'long', 'timestampUnit': 'ms'}, {'type': 'boolean'})
    """
    if look in dict(TIMES) or "%" in look:
        return {"type": "long", "timestampUnit": look}
    if look.startswith("list:"):
        return {"type": "string", "categorical": True, "separator": look.removeprefix("list:")}
    return MEMBERS_OF_LOOK.get(look, {"type": look})


class ColumnForm(StyledForm):
    """One column of the file; `example` is one of its cells."""

    example = ""

    source = forms.CharField(widget=forms.HiddenInput, strip=False, required=False)
    use = forms.BooleanField(required=False)
    name = forms.CharField(required=False, max_length=63, widget=forms.TextInput(attrs={"list": "names", "size": 16}))
    look = forms.ChoiceField(choices=(*LOOKS, *TIMES))
    decimal = forms.CharField(widget=forms.HiddenInput, required=False)
    unit = forms.CharField(widget=forms.HiddenInput, required=False)
    clock = forms.CharField(widget=forms.HiddenInput, strip=False, required=False)
    nullable = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name each control after its column; offer the ways to write times that were recognised, chosen or not."""
        super().__init__(*args, **kwargs)
        chosen = {
            name: self.get_initial_for_field(self.fields[name], name) or "" for name in ("source", "look", "unit")
        }
        if self.is_bound:
            chosen = {name: self.data.get(self.add_prefix(name), "") for name in chosen}
        source, units = chosen["source"], {chosen[name] for name in ("look", "unit") if "%" in chosen[name]}
        choices = [
            *LOOKS,
            *((f"list:{mark}", gettext("List: {marks}").format(marks=marks)) for mark, marks in SEPARATORS.items()),
            *TIMES,
            *((unit, gettext("Time: {unit}").format(unit=unit_said(unit))) for unit in sorted(units)),
        ]
        self.fields["look"].choices = choices  # type: ignore[attr-defined]
        labels = {
            "use": gettext("Use"),
            "name": gettext("Name of"),
            "look": gettext("Type of"),
            "nullable": gettext("May be empty:"),
        }
        for name, label in labels.items():
            self.fields[name].widget.attrs["aria-label"] = f"{label} {source}"
        for name, css in (("name", "form-control"), ("look", "form-select")):
            self.fields[name].widget.attrs["class"] = f"{css} {css}-sm"

    @property
    def preview(self) -> str:
        """The first cell as it is read, where it is a list."""
        look, first = self["look"].value() or "", self.example
        return sample(first, members_of_look(look)) if look.startswith("list:") and first else ""

    def members(self) -> JSONDict | None:
        """The column by wire names; None where it is left out."""
        data = self.cleaned_data
        if not data["use"]:
            return None
        found = {"source": data["source"], "name": data["name"], "nullable": data["nullable"]}
        found |= {name: data[name] for name in ("decimal", "clock") if data[name]}
        return found | members_of_look(data["look"])

    def clean(self) -> dict[str, Any]:
        """A column that is used needs a name."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("use") and not data.get("name"):
            self.add_error(
                "name", gettext("Name the column {column}, or leave it out.").format(column=data.get("source"))
            )
        return data


ColumnFormSet = forms.formset_factory(ColumnForm, extra=0, absolute_max=500, max_num=500)


def earlier_columns(job: DatasetImportJob) -> dict[str, JSONDict]:
    """What an import made of each column of its file, as a person would have said it."""
    fields = {field.name: field for field in parse(job.dataset.schema.text, job.dataset.schema.domain).fields}
    found: dict[str, JSONDict] = {}
    for name, source in job.options.get("sources", {}).items():
        field = fields.get(name)
        if field and source.get("name"):
            read_as = {"timestampUnit": source.get("unit", "")} | {
                name: source.get(name, "") for name in ("separator", "decimal", "clock")
            }
            found[source["name"]] = asdict(field) | {"include": True} | read_as
    return found


def settings_of(job: DatasetImportJob) -> JSONDict:
    """What an import was asked for besides the columns, as ImportForm's first values."""
    known = {"import_mode": job.import_mode, "publish_attribution_metrics_to_s3": job.publish_attribution_metrics}
    limit = job.options.get("maxBadRowsPercent")
    return known if limit is None else known | {"max_bad_rows_percent": f"{limit:g}"}


def initial_column(guess: JSONDict, earlier: dict[str, JSONDict] | None = None) -> JSONDict:
    """What PreviewData guessed of a column, or what an earlier import made of it, as the form's first values."""
    if earlier:
        guess = guess | earlier.get(guess.get("source", ""), {"include": False})
    kind = guess.get("type", "string")
    look = "category" if guess.get("categorical") else "text" if guess.get("textual") else SAME_LOOK.get(kind, kind)
    return {
        "source": guess.get("source", ""),
        "use": guess.get("include", False),
        "name": guess.get("name", ""),
        "look": guess.get("timestampUnit") or (f"list:{guess['separator']}" if guess.get("separator") else look),
        "decimal": guess.get("decimal") or "",
        "unit": guess.get("recognisedUnit") or "",
        "clock": guess.get("clock") or "",
        "nullable": guess.get("nullable", False),
    }


def known_names(kind: str, domain: str | None) -> list[str]:
    """The names with a meaning of their own in a dataset of that type, required ones first."""
    return list(reserved_columns(kind, domain))


class ImportForm(OperationForm):
    """What the import does besides the columns."""

    operation: ClassVar[str] = "CreateDatasetFromFile"
    import_mode = forms.ChoiceField(
        label=gettext_lazy("Existing rows"),
        choices=[
            ("FULL", gettext_lazy("Replace them with this file's")),
            ("INCREMENTAL", gettext_lazy("Keep them and add this file's")),
        ],
        widget=forms.RadioSelect,
        initial="FULL",
    )
    max_bad_rows_percent = forms.FloatField(
        label=gettext_lazy("Bad rows allowed, in percent"),
        min_value=0,
        max_value=100,
        initial=5,
        help_text=gettext_lazy(
            "Rows that break a rule are left out and listed. Above this share the import fails and changes nothing."
        ),
    )
    job_name = name_field(lazily("Name of the import job"), required=False)
    constant_name = forms.CharField(
        label=gettext_lazy("Add a column"), required=False, max_length=63, widget=forms.TextInput(attrs={"list": "names"}),
        help_text=gettext_lazy("For what the file does not contain, such as EVENT_TYPE."),
    )  # fmt: skip
    constant_value = forms.CharField(label=gettext_lazy("Its value in every row"), required=False, max_length=1000)
    publish_attribution_metrics_to_s3 = forms.BooleanField(
        label=gettext_lazy("Publish event metrics to Amazon S3"), required=False
    )

    def __init__(
        self, *args: Any, group: DatasetGroup, kind: str, location: str, has_rows: bool, **kwargs: Any
    ) -> None:
        """Import `location` into the dataset of type `kind` of `group`."""
        super().__init__(*args, **kwargs)
        self.request = {"datasetGroupArn": group.arn, "datasetType": kind, "dataLocation": location}
        self.required = required_columns(kind, group.domain).keys()
        self.columns: list[JSONDict] = []
        self.layout: JSONDict = {}
        if not has_rows:
            self.fields["import_mode"].widget = forms.HiddenInput()
        folder = _report_folder(group) if kind == "INTERACTIONS" else ""
        if folder:
            self.fields["publish_attribution_metrics_to_s3"].help_text = gettext(
                "A report of what the group's metric attribution counts in these rows goes to {folder}."
            ).format(folder=folder)
        else:
            del self.fields["publish_attribution_metrics_to_s3"]

    def members(self) -> JSONDict:
        """The request by wire names."""
        data = self.cleaned_data
        columns = [
            one | {"nullable": one.get("nullable", False) and one["name"] not in self.required} for one in self.columns
        ]
        if data["constant_name"]:
            columns.append({"name": data["constant_name"], "constant": data["constant_value"], "type": "string"})
        members = self.request | {
            "columns": columns,
            "importMode": data["import_mode"],
            "maxBadRowsPercent": data["max_bad_rows_percent"],
        }
        members |= {"jobName": data["job_name"]} if data["job_name"] else {}
        if data.get("publish_attribution_metrics_to_s3"):
            members["publishAttributionMetricsToS3"] = True
        return members | ({"format": self.layout} if self.layout else {})


def _report_folder(group: DatasetGroup) -> str:
    """Where the group's metric attribution puts its reports, "" if nowhere."""
    attribution = MetricAttribution.objects.filter(dataset_group=group).first()
    return folder_of(attribution) if attribution else ""

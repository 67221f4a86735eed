"""Changes to a dataset without a file: one record put by hand, and another schema."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext, gettext_lazy

from console.ingest.schema import Field, parse
from console.models import Dataset
from console.operations.data.datasets import replacements
from console.shapes import JSONDict
from console.web.access import Request, writing_page
from console.web.data_kinds import DATASETS
from console.web.details import crumbs
from console.web.forms import OperationForm, style
from console.web.kinds import page_url
from console.web.pages import find, render

PUTS = {
    "ITEMS": ("PutItems", "items", "itemId"),
    "USERS": ("PutUsers", "users", "userId"),
    "ACTIONS": ("PutActions", "actions", "actionId"),
}


class RecordForm(OperationForm):
    """PutItems, PutUsers or PutActions with one record: a control for each column of the schema."""

    def __init__(self, *args: Any, dataset: Dataset, **kwargs: Any) -> None:
        """Ask for the columns of `dataset`."""
        self.columns = parse(dataset.schema.text, dataset.schema.domain)
        super().__init__(*args, **kwargs)
        self.fields |= {field.name: _control(field) for field in self.columns.fields}
        style(self)
        self.dataset = dataset
        self.operation, self.list_member, self.id_member = PUTS[dataset.type]  # type: ignore[misc]

    def members(self) -> JSONDict:
        """The request by wire names."""
        values = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        record = {self.id_member: values.pop(self.columns.key), "properties": json.dumps(values)}
        return {"datasetArn": self.dataset.arn, self.list_member: [record]}


def _control(field: Field) -> forms.Field:
    options: dict[str, Any] = {"label": field.name, "required": not field.nullable}
    if field.name.endswith("TIMESTAMP"):
        options["help_text"] = gettext("Seconds since 1970, UTC.")
    if field.categorical:
        options["help_text"] = gettext("Separate several categories with |.")
    match field.type:
        case "int" | "long":
            return forms.IntegerField(**options)
        case "float" | "double":
            return forms.FloatField(**options)
        case "boolean":
            return forms.TypedChoiceField(
                choices=[("", "–"), ("true", gettext("True")), ("false", gettext("False"))], coerce=_truth, **options
            )
    return forms.CharField(max_length=20_000 if field.textual else 1000, **options)


def _truth(text: str) -> bool:
    return text == "true"


class ReplaceSchemaForm(OperationForm):
    """UpdateDataset."""

    operation: ClassVar[str] = "UpdateDataset"

    schema_arn = forms.ChoiceField(label=gettext_lazy("Schema"))

    def __init__(self, *args: Any, dataset: Dataset, **kwargs: Any) -> None:
        """Offer the account's schemas that the dataset can take."""
        super().__init__(*args, **kwargs)
        self.dataset = dataset
        self.fields["schema_arn"] = forms.ChoiceField(
            label=gettext("Schema"),
            choices=[(row.arn, row.name) for row in replacements(dataset)],
            widget=forms.Select(attrs={"class": "form-select"}),
            help_text=gettext("It keeps the fields there are; what it adds may be empty."),
        )

    def members(self) -> JSONDict:
        """The request by wire names."""
        return {"datasetArn": self.dataset.arn, "schemaArn": self.cleaned_data["schema_arn"]}


@writing_page
def put_record(request: Request, name: str) -> HttpResponse:
    """Add or replace one item, user or action."""
    dataset: Dataset = find(request, "Dataset", name)
    if dataset.type not in PUTS:
        raise Http404(gettext("A dataset of type {type} takes events, not records.").format(type=dataset.type))
    form = RecordForm(request.POST or None, dataset=dataset)
    return _answer(
        request,
        dataset,
        form,
        gettext("Add a record"),
        gettext("It replaces the record of the same id, at once."),
        gettext("Add record"),
    )


@writing_page
def replace_schema(request: Request, name: str) -> HttpResponse:
    """Give a dataset a wider schema."""
    dataset: Dataset = find(request, "Dataset", name)
    form = ReplaceSchemaForm(request.POST or None, dataset=dataset)
    lead = gettext("Items and users may get a wider schema; new columns are empty until the next import.")
    return _answer(request, dataset, form, gettext("Replace schema"), lead, gettext("Replace schema"))


def _answer(
    request: Request, dataset: Dataset, form: OperationForm, heading: str, lead: str, submit: str
) -> HttpResponse:
    if request.method == "POST" and form.submit(request.account) is not None:
        messages.success(request, gettext("Done."))
        return HttpResponseRedirect(page_url(dataset))
    context = {
        "form": form,
        "heading": heading,
        "lead": lead,
        "submit": submit,
        "crumbs": [*crumbs(DATASETS, dataset.dataset_group), (str(dataset), page_url(dataset))],
        "cancel_url": page_url(dataset),
    }
    return render(request, "generic/form.html", context, group=dataset.dataset_group)


urlpatterns = [
    path("datasets/<path:name>/records/", put_record, name="datasets-records"),
    path("datasets/<path:name>/schema/", replace_schema, name="datasets-schema"),
]

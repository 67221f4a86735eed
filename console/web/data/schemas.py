"""Schemas, and datasets made the AWS way: a name, a type and a schema, new or there already."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django import forms
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext, gettext_lazy

from console.errors import ServiceError
from console.ingest.schema import Field, required_columns, text_of
from console.models import Dataset, DatasetGroup, Schema
from console.operations.base import call_by_wire_names
from console.shapes import JSONDict
from console.web.access import Request, page, writing_page
from console.web.data_kinds import DATASETS, SCHEMAS
from console.web.details import crumbs, detail_context
from console.web.forms import OperationForm, group_choices, group_field, name_field
from console.web.glossary import translated
from console.web.kinds import page_url
from console.web.languages import lazily
from console.web.lists import list_urls
from console.web.pages import find, groups_for, render

TYPES = (
    ("Interactions", lazily("Interactions")), ("Items", lazily("Items")), ("Users", lazily("Users")), ("Actions", lazily("Actions")),
    ("Action_Interactions", lazily("Action interactions")),
)  # fmt: skip
DOMAIN_CHOICES = [
    ("", lazily("Custom")),
    ("ECOMMERCE", "E-commerce"),
    ("VIDEO_ON_DEMAND", lazily("Video on demand")),
]
EXTRA = {"ITEMS": Field("CATEGORY", "string", nullable=True, categorical=True), "USERS": Field("COUNTRY", "string", nullable=True, categorical=True),
         "ACTIONS": Field("VALUE", "long", nullable=True)}  # fmt: skip


def template_schema(kind: str, domain: str | None) -> str:
    """The least schema for a dataset type, laid out for editing."""
    required = required_columns(kind, domain)
    fields = [Field(name, rule.types[0], categorical=rule.categorical) for name, rule in required.items()]
    if kind in EXTRA and len(fields) == 1:
        fields.append(EXTRA[kind])
    return json.dumps(json.loads(text_of(kind, fields)), indent=2)


def schema_area(label: str = lazily("Schema"), **options: Any) -> forms.CharField:
    """A text area for a schema's JSON."""
    widget = forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "class": "font-monospace"})
    return forms.CharField(label=label, widget=widget, **options)


class SchemaForm(OperationForm):
    """CreateSchema."""

    operation: ClassVar[str] = "CreateSchema"

    name = name_field()
    domain = forms.ChoiceField(label=gettext_lazy("Domain"), choices=DOMAIN_CHOICES, required=False)
    schema = schema_area()


class DatasetForm(OperationForm):
    """CreateDataset, with CreateSchema before it where the schema is new."""

    operation: ClassVar[str] = "CreateDataset"

    dataset_group_arn = group_field()
    name = name_field(lazily("Dataset name"))
    dataset_type = forms.ChoiceField(label=gettext_lazy("Dataset type"), choices=TYPES)
    schema_arn = forms.ChoiceField(label=gettext_lazy("Schema"), required=False)
    schema_name = name_field(lazily("Name of the new schema"), required=False)
    schema = schema_area(lazily("New schema"), required=False)

    def __init__(self, *args: Any, groups: list[DatasetGroup], schemas: list[Schema], **kwargs: Any) -> None:
        """Offer `groups` and `schemas`."""
        super().__init__(*args, **kwargs)
        group_choices(self, groups)
        choices = [("", gettext("A new one, from the text below")), *((one.arn, one.name) for one in schemas)]
        self.fields["schema_arn"] = forms.ChoiceField(
            label=gettext("Schema"),
            required=False,
            choices=choices,
            widget=forms.Select(attrs={"class": "form-select"}),
        )
        self.domain: str | None = groups[0].domain if len(groups) == 1 else None

    def clean(self) -> dict[str, Any]:
        """A new schema needs a name."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not data.get("schema_arn") and not data.get("schema_name"):
            self.add_error("schema_name", gettext("Name the new schema, or choose one that is there."))
        return data

    def submit(self, account: Any) -> JSONDict | None:
        """Make both or neither."""
        if not self.is_valid():
            return None
        try:
            with transaction.atomic():
                return call_by_wire_names("CreateDataset", account, self._dataset(account))
        except ServiceError as error:
            self.add_service_error(error)
            return None

    def _dataset(self, account: Any) -> JSONDict:
        data = self.cleaned_data
        arn = data["schema_arn"]
        if not arn:
            members = {"name": data["schema_name"], "schema": data["schema"], "domain": self.domain}
            arn = call_by_wire_names("CreateSchema", account, members)["schemaArn"]
        return {
            "name": data["name"],
            "datasetType": data["dataset_type"],
            "datasetGroupArn": data["dataset_group_arn"],
            "schemaArn": arn,
        }


@writing_page
def create_schema(request: Request) -> HttpResponse:
    """Make a schema from its text."""
    form = SchemaForm(request.POST or None, initial={"schema": template_schema("INTERACTIONS", None)})
    if request.method == "POST" and (made := form.submit(request.account)) is not None:
        return HttpResponseRedirect(page_url(Schema.objects.by_arn(request.account, made["schemaArn"])))
    context = {
        "form": form,
        "heading": gettext("Create schema"),
        "lead": gettext(SCHEMAS.purpose),
        "submit": gettext("Create schema"),
        "crumbs": crumbs(SCHEMAS, None),
        "cancel_url": reverse("schemas"),
    }
    return render(request, "data/schemas/form.html", context)


@writing_page
def create_dataset(request: Request) -> HttpResponse:
    """Make an empty dataset."""
    group, groups = groups_for(request)
    kind = request.GET.get("type", "Interactions")
    kind = kind if kind in dict(TYPES) else "Interactions"
    text = template_schema(kind.upper(), group.domain if group else None)
    schemas = list(Schema.objects.for_account(request.account).select_related("account"))
    initial = {"dataset_type": kind, "schema": text}
    form = DatasetForm(request.POST or None, groups=groups, schemas=schemas, initial=initial)
    if request.method == "POST" and (made := form.submit(request.account)) is not None:
        return HttpResponseRedirect(page_url(Dataset.objects.by_arn(request.account, made["datasetArn"])))
    context = {
        "form": form,
        "heading": gettext("Create dataset"),
        "lead": gettext(
            "An empty dataset with a schema of your own; then import into it from a bucket or by programs."
        ),
        "submit": gettext("Create dataset"),
        "crumbs": crumbs(DATASETS, group),
        "cancel_url": reverse("datasets") + (f"?group={group.name}" if group else ""),
        "types": TYPES,
    }
    return render(request, "data/schemas/form.html", context, group=group)


@page
def schema(request: Request, name: str) -> HttpResponse:
    """A schema's columns and its text."""
    row: Schema = find(request, "Schema", name)
    document = json.loads(row.text)
    context = detail_context(SCHEMAS, row) | {
        "facts": [(gettext("Domain"), dict(DOMAIN_CHOICES)[row.domain or ""], "text")],
        "fields": [_described(field) for field in document.get("fields", [])],
        "text": json.dumps(document, indent=2),
        "datasets": row.datasets.select_related("account", "dataset_group"),
    }
    return render(request, "data/schemas/detail.html", context)


def _described(field: JSONDict) -> JSONDict:
    types = field["type"] if isinstance(field["type"], list) else [field["type"]]
    flags = [flag for flag in ("categorical", "textual", "itemName") if field.get(flag)]
    return {
        "name": field["name"],
        "type": next(one for one in types if one != "null"),
        "nullable": "null" in types,
        "flags": ", ".join(map(translated, flags)),
    }


urlpatterns = [
    path("create/schemas/", create_schema, name="schemas-create"),
    path("create/datasets/schema/", create_dataset, name="datasets-create"),
    *list_urls(SCHEMAS),
    path("schemas/<str:name>/", schema, name="schemas-detail"),
]

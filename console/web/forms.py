"""The base of all forms: a form is an operation's request; what the operation refuses becomes an error at its field.

Fields are named as the operation's parameters (`job_name` for jobName), or as the members on the wire. Where a field has
another name, `fields_of` maps the member to it, so that the error of `dataSource` shows at `location`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from botocore import xform_name
from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext

from console.errors import ServiceError
from console.models import Account, DatasetGroup
from console.operations.base import call_by_wire_names
from console.shapes import JSONDict, parameter_names
from console.web.glossary import explained
from console.web.languages import lazily

CLASSES: dict[str, str] = {
    "select": "form-select",
    "checkbox": "form-check-input",
    "radio": "form-check-input",
    "range": "form-range",
}
ALLOWED_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]*")


@dataclass(frozen=True)
class FirstStep:
    """What has to be done before a form can succeed: a sentence and a link to where it is done."""

    sentence: str
    label: str
    url_name: str

    @property
    def url(self) -> str:
        """Where it is done; the page adds its group."""
        return reverse(self.url_name)


# By the name of a choice that has nothing to offer.
FIRST_STEPS: Mapping[str, FirstStep] = {
    "dataset_group_arn": FirstStep(
        lazily("There is no dataset group yet."), lazily("Create dataset group"), "dataset-groups-create"
    ),
    "dataset_arn": FirstStep(lazily("There is no dataset yet."), lazily("Import a file"), "datasets-upload"),
    "schema_arn": FirstStep(
        lazily(
            "No other schema fits. One that does keeps all fields of the present one, and what it adds may be empty."
        ),
        lazily("Create schema"),
        "schemas-create",
    ),
    "version": FirstStep(
        lazily("No version that answers requests is active yet; train one first."), lazily("Choose a recipe"), "recipes"
    ),
    "treatment": FirstStep(
        lazily("No other version answers what this campaign is asked; train one first."),
        lazily("Choose a recipe"),
        "recipes",
    ),
}
NAME_HELP = lazily("Letters, digits, - and _; at most 63.")


class StyledForm(forms.Form):
    """A form whose controls carry Bootstrap's classes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Give each widget the class of its kind."""
        super().__init__(*args, **kwargs)
        style(self)


def style(form: forms.BaseForm) -> None:
    """Give each control of a form the class of its kind."""
    form.label_suffix = ""
    for field in form.fields.values():
        if isinstance(field.widget, forms.RadioSelect):
            continue  # its attributes would go to the list as well as to each choice
        input_type = getattr(field.widget, "input_type", "")
        css = CLASSES.get(input_type, "" if input_type == "hidden" else "form-control")
        field.widget.attrs["class"] = f"{field.widget.attrs.get('class', '')} {css}".strip()


class OperationForm(StyledForm):
    """A form over one operation."""

    operation: ClassVar[str]
    fields_of: ClassVar[Mapping[str, str]] = {}
    first_steps: ClassVar[Mapping[str, FirstStep]] = FIRST_STEPS

    @property
    def first_step(self) -> FirstStep | None:
        """What to do first where a required choice has nothing to offer; the form cannot succeed before."""
        for name, field in self.fields.items():
            offered = field.choices if field.required and isinstance(field, forms.ChoiceField) else ["anything"]
            if not list(cast("Iterable[Any]", offered)):
                return self.first_steps.get(name)
        return None

    def full_clean(self) -> None:
        """Check all fields; names that are not allowed are filled in as they could be."""
        super().full_clean()
        wrong = [name for name, field in self.fields.items() if isinstance(field, NameField) and name in self.errors]
        if wrong:
            data = QueryDict(mutable=True)
            data.update(self.data)
            for key in map(self.add_prefix, wrong):
                data[key] = mended_name(str(data.get(key, "")).strip())
            self.data = data

    def members(self) -> JSONDict:
        """The request by wire names; by default what was filled in, field by field."""
        names = parameter_names(self.operation)
        filled = ((name, value) for name, value in self.cleaned_data.items() if value not in (None, "", [], {}))
        return {names.get(name, name): value for name, value in filled}

    def submit(self, account: Account) -> JSONDict | None:
        """Run the operation; None, with the error at its field, if the form or the operation refuses."""
        if not self.is_valid():
            return None
        try:
            return call_by_wire_names(self.operation, account, self.members())
        except ServiceError as error:
            self.add_service_error(error)
            return None

    def add_service_error(self, error: ServiceError) -> None:
        """Show an error at the field of the member at fault, else above the form."""
        member = error.field or ""
        names = (self.fields_of.get(member), member, xform_name(member))
        self.add_error(next((name for name in names if name in self.fields), None), explained(str(error)))


def name_field(label: str = lazily("Name"), **options: Any) -> forms.CharField:
    """A resource's name; its pattern and length are the service model's to check."""
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "maxlength": 63})
    return NameField(label=label, help_text=NAME_HELP, widget=widget, **options)


class NameField(forms.CharField):
    """A resource's name, checked in words, with a name that would be allowed."""

    def validate(self, value: str) -> None:
        """Refuse what no resource may be called."""
        super().validate(value)
        if value and mended_name(value) != value:
            raise forms.ValidationError(
                gettext(
                    "{value} {fault}. Allowed are letters, digits, - and _, with a letter or digit "
                    "first. {mended} would do and is filled in."
                ).format(value=value, fault=_fault(value), mended=mended_name(value) or gettext("Another name"))
            )


def mended_name(text: str) -> str:
    """The name nearest to `text` that is allowed.

    >>> mended_name("Mein Laden (Süd)"), mended_name("shop-1"), mended_name("_x")
    ('Mein-Laden-Sud', 'shop-1', 'x')
    """
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-").lstrip("_-") if not ALLOWED_NAME.fullmatch(text) else text


def _fault(name: str) -> str:
    """What is wrong with a name, in words."""
    if " " in name:
        return gettext("has a space")
    wrong = next((letter for letter in name if not ALLOWED_NAME.fullmatch(f"a{letter}")), "")
    return (
        gettext("has the character {character}").format(character=wrong)
        if wrong
        else gettext("begins with {character}").format(character=name[0])
    )


def group_field() -> forms.ChoiceField:
    """The dataset group that something is made in; `group_choices` fills it."""
    return forms.ChoiceField(label=lazily("Dataset group"))


def group_choices(form: forms.Form, groups: list[DatasetGroup]) -> None:
    """Let a form choose among `groups`; with one there is nothing to choose."""
    name = "dataset_group_arn"
    only = groups[0].arn if len(groups) == 1 else None
    form.fields[name] = forms.ChoiceField(
        label=gettext("Dataset group"),
        choices=[(group.arn, group.name) for group in groups],
        initial=only,
        widget=forms.HiddenInput() if only else forms.Select(attrs={"class": "form-select"}),
    )

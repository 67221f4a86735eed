"""How items are shown: the form that chooses columns for the title, the line below it and the picture."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path

from console.models import Dataset
from console.shapes import JSONDict
from console.web.access import Request, writing_page
from console.web.data_kinds import DATASETS
from console.web.details import crumbs
from console.web.forms import OperationForm
from console.web.kinds import page_url
from console.web.pages import call, find, render
from console.web.serving.testing import dressed

PICTURE_HELP = (
    "A column with addresses, such as {IMAGE_URL}, or an address with columns in it, such as "
    "https://images.example/{ITEM_ID}.jpg."
)


class ItemDisplayForm(OperationForm):
    """UpdateItemDisplay."""

    operation: ClassVar[str] = "UpdateItemDisplay"

    title_column = forms.ChoiceField(label="Title", required=False)
    subtitle_columns = forms.MultipleChoiceField(
        label="Below the title",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="The first two that an item has are shown. With none selected, all that say something.",
    )
    picture = forms.CharField(
        label="Picture",
        required=False,
        max_length=1000,
        help_text=PICTURE_HELP,
        widget=forms.TextInput(attrs={"list": "picture-columns", "spellcheck": "false", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, told: JSONDict, **kwargs: Any) -> None:
        """`told` is GetItemDisplay's answer."""
        super().__init__(*args, **kwargs)
        self.dataset_arn = told["datasetArn"]
        columns, guess = told["columns"], told.get("guess", {})
        by_name = f"By name ({guess['titleColumn']})" if guess.get("titleColumn") else "By name"
        self.fields["title_column"].choices = [("", by_name), *((name, name) for name in columns)]  # type: ignore[attr-defined]
        self.fields["subtitle_columns"].choices = [(name, name) for name in columns]  # type: ignore[attr-defined]
        self.fields["picture"].widget.attrs["placeholder"] = guess.get("picture") or "none"

    def members(self) -> JSONDict:
        """The request by wire names."""
        return {"datasetArn": self.dataset_arn} | super().members()


@writing_page
def edit(request: Request, name: str) -> HttpResponse:
    """Choose, and see some items as they look."""
    row: Dataset = find(request, "Dataset", name)
    told = call(request, "GetItemDisplay", {"datasetArn": row.arn})
    chosen = told.get("chosen", {})
    initial = {
        "title_column": chosen.get("titleColumn", ""),
        "subtitle_columns": chosen.get("subtitleColumns", []),
        "picture": chosen.get("picture", ""),
    }
    form = ItemDisplayForm(request.POST or None, told=told, initial=initial)
    if request.method == "POST" and form.submit(request.account) is not None:
        messages.success(request, "Items are shown so from now on.")
        return HttpResponseRedirect(request.path)
    context = {
        "form": form,
        "heading": "How items are shown",
        "lead": "What stands for an item wherever the console lists some: campaigns, comparisons, traces, filters.",
        "submit": "Save",
        "crumbs": [*crumbs(DATASETS, row.dataset_group), (row.name, page_url(row))],
        "cancel_url": page_url(row),
        "columns": told["columns"],
        "items": [dressed(item) for item in told.get("items", [])],
    }
    return render(request, "data/datasets/display.html", context, group=row.dataset_group)


urlpatterns = [path("datasets/<path:name>/display/", edit, name="datasets-display")]

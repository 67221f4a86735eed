"""How items are shown: the form that chooses columns for the title, the line below it and the picture."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext, gettext_lazy

from console.models import Dataset
from console.shapes import JSONDict
from console.web.access import Request, writing_page
from console.web.data_kinds import DATASETS
from console.web.details import crumbs
from console.web.forms import OperationForm
from console.web.kinds import page_url
from console.web.languages import lazily
from console.web.pages import call, find, render
from console.web.serving.testing import dressed

PICTURE_HELP = lazily(
    "A column with addresses, such as {IMAGE_URL}, or an address with columns in it, such as "
    "https://images.example/{ITEM_ID}.jpg."
)


class ItemDisplayForm(OperationForm):
    """UpdateItemDisplay."""

    operation: ClassVar[str] = "UpdateItemDisplay"

    title_column = forms.ChoiceField(label=gettext_lazy("Title"), required=False)
    subtitle_columns = forms.MultipleChoiceField(
        label=gettext_lazy("Below the title"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("The first two that an item has are shown. With none selected, all that say something."),
    )
    picture = forms.CharField(
        label=gettext_lazy("Picture"),
        required=False,
        max_length=1000,
        help_text=PICTURE_HELP,
        widget=forms.TextInput(attrs={"list": "picture-columns", "spellcheck": "false", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, display: JSONDict, **kwargs: Any) -> None:
        """`display` is GetItemDisplay's answer."""
        super().__init__(*args, **kwargs)
        self.dataset_arn = display["datasetArn"]
        columns, guess = display["columns"], display.get("guess", {})
        by_name = (
            gettext("By name ({title_column})").format(title_column=guess["titleColumn"])
            if guess.get("titleColumn")
            else gettext("By name")
        )
        self.fields["title_column"].choices = [("", by_name), *((name, name) for name in columns)]  # type: ignore[attr-defined]
        self.fields["subtitle_columns"].choices = [(name, name) for name in columns]  # type: ignore[attr-defined]
        self.fields["picture"].widget.attrs["placeholder"] = guess.get("picture") or gettext("none")

    def members(self) -> JSONDict:
        """The request by wire names."""
        return {"datasetArn": self.dataset_arn} | super().members()


@writing_page
def edit(request: Request, name: str) -> HttpResponse:
    """Choose, and see some items as they look."""
    row: Dataset = find(request, "Dataset", name)
    display = call(request, "GetItemDisplay", {"datasetArn": row.arn})
    chosen = display.get("chosen", {})
    initial = {
        "title_column": chosen.get("titleColumn", ""),
        "subtitle_columns": chosen.get("subtitleColumns", []),
        "picture": chosen.get("picture", ""),
    }
    form = ItemDisplayForm(request.POST or None, display=display, initial=initial)
    if request.method == "POST" and form.submit(request.account) is not None:
        messages.success(request, gettext("Items are now shown this way."))
        return HttpResponseRedirect(request.path)
    context = {
        "form": form,
        "heading": gettext("How items are shown"),
        "lead": gettext(
            "How an item appears wherever the console lists items: campaigns, comparisons, traces, filters."
        ),
        "submit": gettext("Save"),
        "crumbs": [*crumbs(DATASETS, row.dataset_group), (row.name, page_url(row))],
        "cancel_url": page_url(row),
        "columns": display["columns"],
        "items": [dressed(item) for item in display.get("items", [])],
    }
    return render(request, "data/datasets/display.html", context, group=row.dataset_group)


urlpatterns = [path("datasets/<path:name>/display/", edit, name="datasets-display")]

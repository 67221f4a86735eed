"""The forms of batch inference and segment jobs: for whom, by which version; the input is written or brought along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext, gettext_lazy

from console.models import Campaign, DatasetGroup, Filter, SolutionVersion, Status
from console.operations.base import call_by_wire_names
from console.shapes import JSONDict
from console.web.forms import FirstStep
from console.web.job_forms import JobForm, input_file, input_location, output_folder, role_of
from console.web.languages import lazily
from console.web.serving.campaign_forms import OFFERED, hint_of, offered_versions, version_label

SEGMENTING = ("aws-item-affinity", "aws-item-attribute-affinity")
NOT_IN_BATCH = (*SEGMENTING, "aws-trending-now", "aws-next-best-action")
SERVED = lazily(" · served by {names}")
EVERYBODY, THESE, FILE = "all", "these", "file"
LINES = forms.Textarea({"rows": 4, "spellcheck": "false"})


class BatchForm(JobForm):
    """What batch inference and segment jobs share."""

    fields_of: ClassVar[dict[str, str]] = {
        "jobInput": "location", "jobOutput": "output", "entries": "entries", "itemList": "items",
        "filterValues": "filter_values", "filterArn": "filter_arn",
    }  # fmt: skip
    segments: ClassVar[bool] = False
    first_steps: ClassVar[Mapping[str, FirstStep]] = {
        "solution_version_arn": FirstStep(
            lazily("No version that recommends or ranks is active yet; train one first."),
            lazily("Choose a recipe"),
            "recipes",
        )
    }
    whose: ClassVar[list[tuple[str, str]]] = []

    solution_version_arn = forms.ChoiceField(label=gettext_lazy("Solution version"))
    whom = forms.ChoiceField(label=gettext_lazy("For whom"), required=False, widget=forms.RadioSelect)
    entries = forms.CharField(
        label=gettext_lazy("Which ones"),
        required=False,
        widget=LINES,
        help_text=gettext_lazy("One id on each line: of users, or of items for recipes of related items."),
    )
    items = forms.CharField(
        label=gettext_lazy("Items to rank"),
        required=False,
        widget=LINES,
        help_text=gettext_lazy("Only for recipes that rank: one id on each line."),
    )
    filter_arn = forms.ChoiceField(label=gettext_lazy("Filter"), required=False)
    filter_values = forms.CharField(
        label=gettext_lazy("Values for the filter"),
        required=False,
        help_text=gettext_lazy(
            "For a filter with placeholders, such as GENRE = Comedy; several are separated by semicolons."
        ),
    )
    num_results = forms.IntegerField(label=gettext_lazy("Results for each"), min_value=1, initial=25)
    file = input_file(
        lazily("Input"),
        lazily(
            'JSON Lines: one request a line, such as {"userId": "7"}, {"itemId": "12"} or {"userId": "7", "itemList": ["1", "2"]}.'
        ),
    )
    location = input_location()
    output = output_folder()

    def __init__(self, *args: Any, group: DatasetGroup | None, version: str = "", **kwargs: Any) -> None:
        """Offer the active versions and filters of the group, or of the account; those that campaigns serve come first."""
        super().__init__(*args, **kwargs)
        if self.segments:
            del self.fields["items"]
        versions = SolutionVersion.objects.for_account(self.account).filter(status=Status.ACTIVE)
        versions = (
            versions.filter(recipe__in=SEGMENTING) if self.segments else versions.exclude(recipe__in=NOT_IN_BATCH)
        )
        filters = Filter.objects.for_account(self.account)
        if group:
            versions, filters = versions.filter(solution__dataset_group=group), filters.filter(dataset_group=group)
        chosen, hint = self._offered(versions, [f":solution/{version}", self.data.get("solution_version_arn", "")])
        allowed = [("", gettext("No filter")), *((row.arn, row.name) for row in filters.select_related("account"))]
        select = forms.Select(attrs={"class": "form-select"})
        self.fields["solution_version_arn"] = forms.ChoiceField(
            label=gettext_lazy("Solution version"),
            choices=chosen,
            widget=select,
            help_text=hint,
            initial=next((arn for arn, _ in chosen if version and arn.endswith(f"/{version}")), None),
        )
        self.fields["filter_arn"] = forms.ChoiceField(
            label=gettext_lazy("Filter"), choices=allowed, required=False, widget=select
        )
        whom = self.fields["whom"]
        assert isinstance(whom, forms.ChoiceField)  # noqa: S101  declared above
        whom.choices, whom.initial = self.whose, self.whose[0][0]

    @classmethod
    def entered_for(cls, job: Any) -> JSONDict:
        """What the job was asked for; its input is written already."""
        return {
            "solution_version_arn": job.solution_version.arn,
            "whom": FILE,
            "location": job.job_input["s3DataSource"]["path"],
            "filter_arn": job.filter.arn if job.filter else "",
            "num_results": job.num_results,
        }

    def clean(self) -> dict[str, Any]:
        """Whoever is chosen is named; without a choice there is a file."""
        data = self.cleaned_data
        data["whom"] = data.get("whom") or FILE
        if data["whom"] == FILE:
            return super().clean()
        if data["whom"] == THESE and not _lines(data.get("entries", "")):
            self.add_error("entries", gettext("Enter one id on each line, or choose another way above."))
        return data

    def members(self) -> JSONDict:
        """The request by wire names; the input is written first where no file is given."""
        data = self.cleaned_data
        return {
            "jobName": data["job_name"],
            "solutionVersionArn": data["solution_version_arn"],
            "filterArn": data["filter_arn"] or None,
            "numResults": data["num_results"],
            "roleArn": role_of(self.account),
            "jobInput": {"s3DataSource": {"path": self.input_location()}},
            "jobOutput": {"s3DataDestination": {"path": data["output"]}},
        }

    def input_location(self) -> str:
        """Where the input is, once it is written."""
        data = self.cleaned_data
        if data["whom"] == FILE:
            return super().input_location()
        wanted: JSONDict = {
            "solutionVersionArn": data["solution_version_arn"],
            "entries": _lines(data["entries"]) if data["whom"] == THESE else None,
            "itemList": _lines(data.get("items", "")) or None,
            "filterValues": _values(data["filter_values"]) or None,
        }
        return str(call_by_wire_names("CreateBatchInput", self.account, wanted)["path"])

    @staticmethod
    def _offered(rows: QuerySet[SolutionVersion], asked: list[str]) -> tuple[list[tuple[str, str]], str]:
        """Versions that campaigns serve, then the newest, and what to do for another."""
        served: dict[int, list[str]] = {}
        campaigns = Campaign.objects.filter(solution_version__in=rows).select_related(
            "solution_version__account", "solution_version__solution"
        )
        for campaign in campaigns.order_by("-created")[:OFFERED]:
            served.setdefault(campaign.solution_version_id, []).append(campaign.name)
            asked = [*asked, campaign.solution_version.arn]
        found = sorted(offered_versions(rows, asked), key=lambda row: row.pk not in served)
        return [
            (row.arn, version_label(row) + (SERVED.format(names=", ".join(served[row.pk])) if row.pk in served else ""))
            for row in found
        ], hint_of(found)


class BatchInferenceForm(BatchForm):
    """CreateBatchInferenceJob."""

    operation: ClassVar[str] = "CreateBatchInferenceJob"
    prefix_of_name: ClassVar[str] = "batch"
    fields_of: ClassVar[dict[str, str]] = BatchForm.fields_of | {
        "themeGenerationConfig": "item_name", "batchInferenceJobMode": "item_name",
        "itemExplorationConfig": "exploration_weight",
    }  # fmt: skip

    item_name = forms.CharField(
        label=gettext_lazy("Themes by the column"),
        required=False,
        max_length=150,
        help_text=gettext_lazy(
            "Of related items: the column that names them, such as TITLE. Each list then gets a short title of its own."
        ),
    )
    exploration_weight = forms.FloatField(
        label=gettext_lazy("Exploration weight"),
        required=False,
        min_value=0,
        max_value=1,
        help_text=gettext_lazy("Of recipes that explore: 0 shows what fits best, 1 explores most; empty is AWS's 0.3."),
        widget=forms.NumberInput(attrs={"step": "0.1"}),
    )
    whose: ClassVar[list[tuple[str, str]]] = [
        (EVERYBODY, lazily("All users (all items, for recipes of related items)")),
        (THESE, lazily("Some of them")),
        (FILE, lazily("A file of my own")),
    ]

    @classmethod
    def entered_for(cls, job: Any) -> JSONDict:
        """What the job was asked for, with themes and exploration."""
        themes = (job.theme_generation_config or {}).get("fieldsForThemeGeneration", {})
        exploration = (job.config or {}).get("itemExplorationConfig", {})
        more = {"item_name": themes.get("itemName", ""), "exploration_weight": exploration.get("explorationWeight")}
        return super().entered_for(job) | more

    def members(self) -> JSONDict:
        """The request by wire names."""
        data, members = self.cleaned_data, super().members()
        if data["item_name"]:
            members["batchInferenceJobMode"] = "THEME_GENERATION"
            members["themeGenerationConfig"] = {"fieldsForThemeGeneration": {"itemName": data["item_name"]}}
        if data["exploration_weight"] is not None:
            weight = f"{data['exploration_weight']:g}"
            members["batchInferenceJobConfig"] = {"itemExplorationConfig": {"explorationWeight": weight}}
        return members


class BatchSegmentForm(BatchForm):
    """CreateBatchSegmentJob."""

    operation: ClassVar[str] = "CreateBatchSegmentJob"
    prefix_of_name: ClassVar[str] = "segment"
    segments: ClassVar[bool] = True
    first_steps: ClassVar[Mapping[str, FirstStep]] = {
        "solution_version_arn": FirstStep(
            lazily("No version of item-affinity or item-attribute-affinity is active yet; train one first."),
            lazily("Choose a recipe"),
            "recipes",
        )
    }
    whose: ClassVar[list[tuple[str, str]]] = [
        (THESE, lazily("Items or attributes")),
        (FILE, lazily("A file of my own")),
    ]

    entries = forms.CharField(
        label=gettext_lazy("Which ones"),
        required=False,
        widget=LINES,
        help_text=gettext_lazy(
            'One on each line: the id of an item, or, for item-attribute-affinity, attributes such as ITEMS.GENRES = "Comedy".'
        ),
    )
    num_results = forms.IntegerField(label=gettext_lazy("Users for each"), min_value=1, initial=100)
    file = input_file(
        lazily("Input"),
        lazily('JSON Lines: {"itemId": "105"}, or {"itemAttributes": "ITEMS.genres = \\"Comedy\\""} for attributes.'),
    )


def _lines(text: str) -> list[str]:
    """What stands on each line, each once.

    >>> _lines(" 7 \\n\\n12\\n7")
    ['7', '12']
    """
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _values(text: str) -> dict[str, str]:
    """Values for placeholders as people write them.

    >>> _values("GENRE = Comedy, Drama; $YEAR=1995")
    {'GENRE': 'Comedy, Drama', 'YEAR': '1995'}
    """
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip().lstrip("$"): value.strip() for name, _, value in pairs}

"""The forms of campaigns: which version answers, how much it explores, what it returns besides ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext, gettext_lazy

from console.models import Campaign, DatasetGroup, SolutionVersion, Status
from console.shapes import JSONDict
from console.web.forms import OperationForm, name_field
from console.web.model_kinds import recipe_title
from console.web.templatetags.display import relative

Recipes: TypeAlias = Mapping[str, JSONDict]

OFFERED = 100  # versions in a select; an older one is deployed from its own page
UNREAD = ("report", "metrics", "progress", "hyperparameters", "tuned", "traceback")  # large, and not what a label says
WEIGHT, CUT_OFF = 0.3, 30  # what applies where nothing is said


class RangeInput(forms.NumberInput):
    """A slider whose label shows where it stands."""

    input_type = "range"


class ConfigForm(OperationForm):
    """What making and updating a campaign share: the members of campaignConfig, and the version."""

    fields_of: ClassVar[Mapping[str, str]] = {
        "solutionVersionArn": "version",
        "minProvisionedTPS": "tps",
        "itemExplorationConfig": "exploration_weight",
        "campaignConfig": "exploration_weight",
    }

    version = forms.ChoiceField(label=gettext_lazy("Solution version"))
    exploration_weight = forms.FloatField(
        label=gettext_lazy("Exploration weight"),
        min_value=0,
        max_value=1,
        initial=WEIGHT,
        required=False,
        widget=RangeInput({"class": "form-range", "step": "0.05", "data-output": ""}),
        help_text=gettext_lazy("0 shows only what fits best; 1 gives new and rarely seen items the most room."),
    )
    age_cut_off = forms.FloatField(
        label=gettext_lazy("Explore items up to this age, in days"),
        min_value=0,
        initial=CUT_OFF,
        required=False,
        widget=forms.NumberInput({"step": "any"}),
        help_text=gettext_lazy("Items older than this are never explored."),
    )
    sync = forms.BooleanField(
        label=gettext_lazy("Serve each new version of the solution"),
        required=False,
        help_text=gettext_lazy("When a training of this solution succeeds, the campaign serves the new version."),
    )
    metadata = forms.BooleanField(
        label=gettext_lazy("Return metadata with recommendations"),
        required=False,
        help_text=gettext_lazy("Requests may then ask for columns of the items."),
    )
    tps = forms.IntegerField(
        label=gettext_lazy("Minimum requests per second"),
        min_value=1,
        initial=1,
        help_text=gettext_lazy("Kept for compatibility; nothing is reserved for it."),
    )

    def __init__(self, recipes: Recipes, group: DatasetGroup, **kwargs: Any) -> None:
        """Offer the group's versions that can be served; `recipes` are ListRecipeChoices' by name."""
        super().__init__(**kwargs)
        asked = [str(given.get("version", "")) for given in (self.initial, self.data)]
        self.recipes, self.versions = recipes, servable_versions(recipes, group, asked)
        chooser = self.fields["version"]
        assert isinstance(chooser, forms.ChoiceField)  # noqa: S101  declared above
        chooser.choices = [(v.arn, version_label(v)) for v in self.versions]
        chooser.help_text = hint_of(self.versions)
        chooser.widget.attrs["data-explores"] = " ".join(v.arn for v in self.versions if self._explores(v))

    def config(self) -> JSONDict:
        """What was entered, as campaignConfig."""
        entered = self.cleaned_data
        version = next((v for v in self.versions if v.arn == entered["version"]), None)
        config: JSONDict = {}
        if version and self._explores(version) and entered["exploration_weight"] is not None:
            config["itemExplorationConfig"] = {
                "explorationWeight": f"{entered['exploration_weight']:g}",
                "explorationItemAgeCutOff": f"{entered['age_cut_off'] or CUT_OFF:g}",
            }
        if entered["sync"]:
            config["syncWithLatestSolutionVersion"] = True
        if entered["metadata"]:
            config["enableMetadataWithRecommendations"] = True
        return config

    def _explores(self, version: SolutionVersion) -> bool:
        return bool(self.recipes.get(version.recipe or "", {}).get("explores"))


class CampaignForm(ConfigForm):
    """CreateCampaign."""

    operation = "CreateCampaign"
    field_order = ["name"]

    name = name_field()

    def members(self) -> JSONDict:
        """The request."""
        entered = self.cleaned_data
        return {
            "name": entered["name"],
            "solutionVersionArn": entered["version"],
            "minProvisionedTPS": entered["tps"],
            "campaignConfig": self.config() or None,
        }


class CampaignUpdateForm(ConfigForm):
    """UpdateCampaign."""

    operation = "UpdateCampaign"

    def __init__(self, recipes: Recipes, campaign: Campaign, **kwargs: Any) -> None:
        """Begin with what is in force."""
        self.campaign = campaign
        group = campaign.solution_version.solution.dataset_group
        super().__init__(recipes, group, initial=in_force(campaign), **kwargs)

    def members(self) -> JSONDict:
        """The request; an empty configuration is sent too, because it takes settings away."""
        return {
            "campaignArn": self.campaign.arn,
            "solutionVersionArn": self.cleaned_data["version"],
            "minProvisionedTPS": self.cleaned_data["tps"],
            "campaignConfig": self.config(),
        }


def in_force(campaign: Campaign) -> JSONDict:
    """A campaign's settings as the form's values."""
    exploration = campaign.config.get("itemExplorationConfig", {})
    return {
        "version": campaign.solution_version.arn,
        "exploration_weight": exploration.get("explorationWeight", WEIGHT),
        "age_cut_off": exploration.get("explorationItemAgeCutOff", CUT_OFF),
        "sync": campaign.follows_latest,
        "metadata": campaign.config.get("enableMetadataWithRecommendations", False),
        "tps": campaign.min_provisioned_tps,
    }


def servable_versions(recipes: Recipes, group: DatasetGroup, asked: Iterable[str] = ()) -> list[SolutionVersion]:
    """The group's newest ACTIVE versions that answer requests, and those whose ARNs are `asked` for."""
    segmenting = [name for name, recipe in recipes.items() if recipe.get("recipeType") == "USER_SEGMENTATION"]
    rows = SolutionVersion.objects.filter(solution__dataset_group=group, status=Status.ACTIVE)
    return offered_versions(rows.exclude(recipe__in=segmenting), asked)


def offered_versions(rows: QuerySet[SolutionVersion], asked: Iterable[str]) -> list[SolutionVersion]:
    """What a select has: the newest of `rows`, which stays short among thousands, after those whose ARNs are `asked` for."""
    rows = rows.select_related("account", "solution__dataset_group").defer(*UNREAD).order_by("-created", "-pk")
    newest = list(rows[:OFFERED])
    names = {arn.partition(":solution/")[2] for arn in asked} - {"", *(row.arn_name for row in newest)}
    older = [row for name in sorted(names) for row in rows.filter(**SolutionVersion.arn_lookup(name))]
    return [*older, *newest]


def hint_of(versions: Sequence[SolutionVersion]) -> str:
    """What to do if a version is not in the select, where the select does not have all."""
    if len(versions) < OFFERED:
        return ""
    return gettext(
        "Only the newest versions are offered here. The page of an older one offers to create a campaign with it."
    )


def version_label(version: SolutionVersion) -> str:
    """A version as a person tells it from others in a list: its name, its recipe unless the name says it, its age."""
    name, recipe = version.name or version.arn_name, recipe_title(version.recipe)
    said = [] if recipe in name else [recipe]
    return " · ".join([name, *said, relative(version.created)])

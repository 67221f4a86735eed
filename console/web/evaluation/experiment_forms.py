"""The form that starts an experiment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy

from console.models import Campaign, SolutionVersion, Status
from console.shapes import JSONDict
from console.web.forms import OperationForm, name_field
from console.web.serving.campaign_forms import RangeInput, Recipes, hint_of, offered_versions, version_label

ALIKE = {"POPULAR_ITEMS": "USER_PERSONALIZATION"}  # both answer a user's request for a list


class ExperimentForm(OperationForm):
    """CreateExperiment on one campaign."""

    operation = "CreateExperiment"
    fields_of: ClassVar[Mapping[str, str]] = {
        "treatmentVersionArn": "treatment",
        "trafficShare": "share",
        "outcomeEventTypes": "types",
        "minimumEffect": "effect",
        "kind": "kind",
    }

    name = name_field()
    kind = forms.ChoiceField(
        label=gettext_lazy("How to compare"),
        required=False,
        initial="SPLIT",
        choices=[
            ("SPLIT", gettext_lazy("Split the users: each gets one version, and what they do afterwards is counted")),
            (
                "INTERLEAVED",
                gettext_lazy(
                    "Interleave the lists: each list has items of both, and the items that are chosen are counted"
                ),
            ),
        ],
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "Interleaving finds the better version with far fewer users, if programs send the recommendationId with "
            "their events. It says which lists are preferred, not by how much more is bought."
        ),
    )
    treatment = forms.ChoiceField(
        label=gettext_lazy("Treatment"),
        help_text=gettext_lazy("The version to be tried; it must answer the same requests."),
    )
    share = forms.IntegerField(
        label=gettext_lazy("Share of the users for the treatment, in percent"),
        min_value=1,
        max_value=99,
        initial=50,
        widget=RangeInput({"class": "form-range", "min": 1, "max": 99, "step": 1, "data-output": ""}),
        help_text=gettext_lazy(
            "50 % needs the fewest users; a smaller share risks less. It cannot be changed while the experiment runs. Of an interleaving,"
            " it is the share whose lists have items of both."
        ),
    )
    types = forms.MultipleChoiceField(
        label=gettext_lazy("Events that count"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Select none to count every event."),
    )
    effect = forms.FloatField(
        label=gettext_lazy("Minimum effect of interest, in percent"),
        min_value=0.1,
        initial=5,
        widget=forms.NumberInput({"step": "any"}),
        help_text=gettext_lazy(
            "5 stands for five percent more users with an outcome. A smaller one needs many more users."
        ),
    )

    def __init__(
        self, campaign: Campaign, offered: Sequence[SolutionVersion], types: Sequence[str], **kwargs: Any
    ) -> None:
        """Offer versions and the types of the group's events."""
        super().__init__(**kwargs)
        self.campaign = campaign
        for name, choices in (
            ("treatment", [(version.arn, version_label(version)) for version in offered]),
            ("types", [(kind, kind) for kind in types]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101  declared above
            field.choices = choices
        self.fields["treatment"].help_text = hint_of(offered)

    def members(self) -> JSONDict:
        """The request."""
        entered = self.cleaned_data
        return {
            "name": entered["name"],
            "kind": entered["kind"] or "SPLIT",
            "campaignArn": self.campaign.arn,
            "treatmentVersionArn": entered["treatment"],
            "trafficShare": entered["share"],
            "outcomeEventTypes": entered["types"] or None,
            "minimumEffect": entered["effect"] / 100,
        }


def treatments(recipes: Recipes, campaign: Campaign, asked: Iterable[str] = ()) -> list[SolutionVersion]:
    """The newest versions that could take the campaign's requests, and those whose ARNs are `asked` for."""
    served = campaign.solution_version
    alike = [name for name in recipes if _requests(recipes, name) == _requests(recipes, served.recipe or "")]
    rows = SolutionVersion.objects.filter(
        solution__dataset_group=served.solution.dataset_group, status=Status.ACTIVE, recipe__in=alike
    )
    return offered_versions(rows.exclude(pk=served.pk), asked)


def _requests(recipes: Recipes, name: str) -> str:
    kind = str(recipes.get(name, {}).get("recipeType", ""))
    return ALIKE.get(kind, kind)

"""Campaigns: put a version up, change it with the metrics' difference in view, go back, and test it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from console.errors import ServiceError
from console.models import Campaign, Experiment, SolutionVersion
from console.shapes import JSONDict
from console.web.access import Request, page, writing_page
from console.web.details import detail_context
from console.web.evaluation.comparison import Difference, differences
from console.web.kinds import page_url
from console.web.languages import localised
from console.web.model_kinds import CAMPAIGNS, EXPERIMENTS
from console.web.pages import call, chosen_group, find, last_group, render, service_error
from console.web.serving.campaign_forms import CampaignForm, CampaignUpdateForm
from console.web.serving.panel import panel_context, panel_response
from console.web.templatetags.display import set_days
from console.web.training.choosing import crumbs_of, recipes_by_name


@page
def campaign_view(request: Request, name: str) -> HttpResponse:
    """A campaign with its test panel."""
    campaign: Campaign = find(request, "Campaign", name)
    version = campaign.solution_version
    recipes = recipes_by_name(request)
    recipe = recipes.get(version.recipe or "", {})
    panel = panel_context(request, campaign, recipes)
    if partial := panel_response(request, panel):
        return partial
    exploration = campaign.config.get("itemExplorationConfig", {})
    context = (
        detail_context(CAMPAIGNS, campaign)
        | panel
        | {
            "version": version,
            "exploration": exploration,
            "facts": _facts(campaign, recipe, exploration),
            "update": campaign.latest_update,
            "experiment": EXPERIMENTS.rows(request.account)
            .filter(campaign=campaign, status=Experiment.State.RUNNING)
            .first(),
        }
    )
    return render(request, "serving/campaigns/detail.html", context, group=version.solution.dataset_group)


@writing_page
def create_campaign_view(request: Request) -> HttpResponse:
    """Choose a version and how it explores."""
    group = chosen_group(request) or last_group(request)
    if group is None:
        return HttpResponseRedirect(reverse("dataset-groups"))
    chosen = SolutionVersion.objects.for_account(request.account).filter(
        **SolutionVersion.arn_lookup(request.GET.get("version", ""))
    )
    version = chosen.select_related("account", "solution").first()
    initial = {"version": version.arn, "name": _free_name(request, version)} if version else {}
    form = CampaignForm(recipes_by_name(request), group, data=request.POST or None, initial=initial)
    if request.method == "POST" and (made := form.submit(request.account)):
        campaign = Campaign.objects.by_arn(request.account, made["campaignArn"])
        messages.success(
            request, gettext("{campaign} answers requests now. Test it here.").format(campaign=campaign.name)
        )
        return HttpResponseRedirect(page_url(campaign))
    context = {
        "form": form,
        "heading": gettext("Create campaign"),
        "submit": gettext("Create campaign"),
        "lead": gettext("A campaign answers requests with a solution version."),
        "cancel_url": f"{reverse('campaigns')}?group={group.name}",
        "crumbs": [*crumbs_of(group), (gettext("Campaigns"), f"{reverse('campaigns')}?group={group.name}")],
    }
    return render(request, "serving/campaigns/form.html", context, group=group, status=400 if form.errors else 200)


@writing_page
def update_campaign_view(request: Request, name: str) -> HttpResponse:
    """Change a campaign; another version is confirmed with what it changes in the metrics."""
    campaign: Campaign = find(request, "Campaign", name)
    group = campaign.solution_version.solution.dataset_group
    form = CampaignUpdateForm(recipes_by_name(request), campaign, data=request.POST or None)
    change: JSONDict = {}
    if request.method == "POST" and form.is_valid():
        change = _change_of_version(request, campaign, form.cleaned_data["version"])
        if (not change or request.POST.get("confirmed")) and form.submit(request.account):
            messages.success(
                request,
                gettext("{campaign} is updated; requests get the new settings now.").format(campaign=campaign.name),
            )
            return HttpResponseRedirect(page_url(campaign))
    context = {
        "form": form,
        "object": campaign,
        "change": change,
        "heading": gettext("Update {campaign}").format(campaign=campaign.name),
        "submit": gettext("Update campaign"),
        "cancel_url": page_url(campaign),
        "crumbs": [*detail_context(CAMPAIGNS, campaign)["crumbs"], (campaign.name, page_url(campaign))],
    }
    template = "serving/campaigns/confirm.html" if change and not form.errors else "serving/campaigns/form.html"
    return render(request, template, context, group=group, status=400 if form.errors else 200)


@require_POST
@writing_page
def rollback_view(request: Request, name: str) -> HttpResponse:
    """Serve the version that was served before."""
    campaign: Campaign = find(request, "Campaign", name)
    previous = campaign.previous_version
    if previous:
        members = {"campaignArn": campaign.arn, "solutionVersionArn": previous.arn}
        try:
            call(request, "UpdateCampaign", members)
            messages.success(
                request,
                gettext("{campaign} serves {arn_name} again.").format(
                    campaign=campaign.name, arn_name=previous.arn_name
                ),
            )
        except ServiceError as error:
            messages.error(request, service_error(error))
    return HttpResponseRedirect(page_url(campaign))


def _free_name(request: Request, version: SolutionVersion) -> str:
    base = slugify(version.solution.name)[:60].rstrip("-")
    taken = set(Campaign.objects.for_account(request.account).values_list("name", flat=True))
    return next(name for name in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if name not in taken)


def _change_of_version(request: Request, campaign: Campaign, arn: str) -> JSONDict:
    """What going from the served version to another would change; nothing if it is the same one."""
    now = campaign.solution_version
    if arn == now.arn:
        return {}
    wanted: SolutionVersion = SolutionVersion.objects.by_arn(request.account, arn)
    change: JSONDict = {
        "before": now.name or now.arn_name,
        "after": wanted.name or wanted.arn_name,
        "rows": [],
        "refusal": "",
    }
    try:
        answer = call(
            request, "CompareSolutionVersions", {"solutionVersionArns": [now.arn, arn], "baselineArn": now.arn}
        )
    except ServiceError as error:
        return change | {"refusal": service_error(error)}
    return change | {"rows": _aws_rows(answer)}


def _aws_rows(answer: JSONDict) -> list[Difference]:
    return [row for metric in answer["metrics"] if metric.get("isAws") for row in differences(metric, {})]


def _facts(campaign: Campaign, recipe: JSONDict, exploration: JSONDict) -> list[tuple[str, Any, str]]:
    facts: list[tuple[str, Any, str]] = [
        (gettext("Version"), campaign.solution_version, "resource"),
        (gettext("Recipe"), recipe.get("title", campaign.solution_version.recipe), "text"),
        (gettext("Minimum requests per second"), campaign.min_provisioned_tps, "number"),
        (gettext("Follows the latest version"), gettext("Yes") if campaign.follows_latest else gettext("No"), "text"),
        (
            gettext("Metadata"),
            gettext("Returned when asked")
            if campaign.config.get("enableMetadataWithRecommendations")
            else gettext("No"),
            "text",
        ),
    ]
    if recipe.get("explores"):
        facts.append((gettext("Exploration weight"), localised(exploration.get("explorationWeight", "0.3")), "text"))
        facts.append(
            (
                gettext("Explores items up to"),
                gettext("{age} old").format(age=set_days(float(exploration.get("explorationItemAgeCutOff", "30")))),
                "text",
            )
        )
    return facts

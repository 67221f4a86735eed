"""Experiments of a campaign: begun, read, asked who gets what, stopped, and given to everybody."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_fragment
from django.urls import reverse
from django.utils.translation import gettext

from console.errors import ServiceError
from console.models import Campaign, DatasetGroup, Event, Experiment, SolutionVersion
from console.shapes import JSONDict
from console.web.access import Request, page, writing_page
from console.web.details import crumbs, detail_context
from console.web.evaluation.experiment_forms import ExperimentForm, treatments
from console.web.glossary import translated
from console.web.kinds import page_url
from console.web.languages import lazily, localised
from console.web.live_charts import lift_chart
from console.web.model_kinds import CAMPAIGNS, EXPERIMENTS
from console.web.pages import call, chosen_group, find, last_group, render, service_error
from console.web.templatetags.display import change, number, signed
from console.web.training.choosing import recipes_by_name

RECENT = 1000  # streamed events that are looked at for their types
ACTS = {"stop": "StopExperiment", "promote": "PromoteExperiment"}
ENDS = {"stop": lazily("Stop experiment"), "promote": lazily("Promote treatment")}
DONE = {
    "stop": lazily("{0} is stopped; everybody gets the control."),
    "promote": lazily("{0} is promoted; {1} serves the treatment to everybody. It can be rolled back."),
}
VERDICTS = {
    "NOT_VALID": ("bad", "x-octagon", lazily("Not valid: the users were not split as planned, so the arms cannot be compared.")),
    "TOO_EARLY": ("even", "hourglass-split", lazily("Too early to tell: the planned number of users is not reached.")),
    "BETTER": ("good", "arrow-up-circle", lazily("The treatment does better.")),
    "WORSE": ("bad", "arrow-down-circle", lazily("The treatment does worse.")),
    "NO_DIFFERENCE": ("even", "dash-circle", lazily("No difference is shown; if there is one, it is probably smaller than the effect of interest.")),
}  # fmt: skip
INTERLEAVED = {
    "TOO_EARLY": ("even", "hourglass-split", lazily("Too early to tell which lists are preferred.")),
    "BETTER": ("good", "arrow-up-circle", lazily("Users prefer the treatment's items.")),
    "WORSE": ("bad", "arrow-down-circle", lazily("Users prefer the control's items: the treatment is worse.")),
    "NO_DIFFERENCE": ("even", "dash-circle", lazily("No preference is shown; if there is one, it is likely small.")),
}
ALWAYS = {
    "BETTER": ("good", lazily("The treatment is better, whenever you look.")),
    "WORSE": ("bad", lazily("The treatment is worse, whenever you look.")),
    "FUTILE": (
        "even",
        lazily("A gain or harm as large as you look for is no longer likely: there is no use in continuing."),
    ),
    "GO_ON": ("even", lazily("Not decided yet.")),
}
# By arm, and whether the experiment still runs.
ARMS = {
    ("INTERLEAVED", True): lazily("gets lists with items of <b>both</b>"),
    ("INTERLEAVED", False): lazily("got lists with items of <b>both</b>"),
    ("TREATMENT", True): lazily("gets the <b>treatment</b>"),
    ("TREATMENT", False): lazily("got the <b>treatment</b>"),
    ("CONTROL", True): lazily("gets the <b>control</b>"),
    ("CONTROL", False): lazily("got the <b>control</b>"),
}
GUARDS = {
    "KEPT": ("good", "kept"),
    "BROKEN": ("bad", "broken"),
    "OPEN": ("even", lazily("more users are needed")),
}


@page
def experiments_view(request: Request, name: str) -> HttpResponse:
    """All of a campaign's, the running one first."""
    campaign: Campaign = find(request, "Campaign", name)
    rows = list(EXPERIMENTS.rows(request.account).filter(campaign=campaign))
    running = next((row for row in rows if row.is_running), None)
    context = detail_context(CAMPAIGNS, campaign) | {"rows": rows, "running": running, "kind": EXPERIMENTS}
    return render(
        request, "evaluation/experiments/campaign.html", context, group=campaign.solution_version.solution.dataset_group
    )


@page
def experiment_view(request: Request, campaign: str, name: str) -> HttpResponse:
    """How users are split, which version one gets, and what came of it."""
    row = _find(request, campaign, name)
    context = _context(row) | _asked(request, row)
    if request.htmx and request.headers.get("HX-Target") == "arm":
        return render_fragment(request, "evaluation/experiments/_arm.html", context)
    members: JSONDict = {"experimentArn": row.arn}
    effect = request.GET.get("effect", "").replace(",", ".")
    guarded = [kind for kind in request.GET.getlist("guard") if kind.strip()]
    if guarded:
        members["guardrailEventTypes"] = guarded
    try:
        if effect:
            members["minimumEffect"] = float(effect) / 100
        results = call(request, "GetExperimentResults", members)
    except (ServiceError, ValueError) as error:
        context["refusal"] = (
            service_error(error)
            if isinstance(error, ServiceError)
            else gettext("{effect} is not a number.").format(effect=effect)
        )
        results = call(request, "GetExperimentResults", {"experimentArn": row.arn})
    if row.is_interleaved:
        context |= _interleaved(results)
        return render(request, "evaluation/experiments/interleaved.html", context, group=row.dataset_group)
    context["guarded"] = guarded
    context |= _compared(results) | {"effect": effect or f"{100 * results['sample']['minimumEffect']:g}"}
    return render(request, "evaluation/experiments/detail.html", context, group=row.dataset_group)


@writing_page
def create_experiment_view(request: Request) -> HttpResponse:
    """Choose what to try on a campaign's users."""
    name = request.GET.get("campaign") or request.POST.get("campaign")
    if not name:
        return _choose_campaign(request)
    campaign: Campaign = find(request, "Campaign", name)
    group = campaign.solution_version.solution.dataset_group
    asked = (request.POST.get("treatment", ""), f":solution/{request.GET.get('version', '')}")
    offered = treatments(recipes_by_name(request), campaign, asked)
    form = ExperimentForm(
        campaign, offered, _event_types(request, group), data=request.POST or None,
        initial={"name": _free_name(request, campaign), "treatment": _asked_version(request, offered)},
    )  # fmt: skip
    if request.method == "POST" and (made := form.submit(request.account)):
        row = Experiment.objects.by_arn(request.account, made["experimentArn"])
        messages.success(
            request, gettext("{row} is running; each user now gets one of the two versions.").format(row=row.name)
        )
        return HttpResponseRedirect(page_url(row))
    context = {
        "form": form, "campaign": campaign, "heading": gettext("Start experiment"), "submit": gettext("Start experiment"),
        "lead": gettext("{campaign} goes on with {solution_version} for the control.").format(campaign=campaign.name, solution_version=campaign.solution_version.name or campaign.solution_version.arn_name),
        "cancel_url": reverse("campaign-experiments", args=[campaign.name]), "crumbs": _crumbs(campaign),
    }  # fmt: skip
    return render(request, "evaluation/experiments/form.html", context, group=group, status=400 if form.errors else 200)


@writing_page
def end_experiment_view(request: Request, campaign: str, name: str, action: str) -> HttpResponse:
    """Ask before stopping or promoting, with what is known so far; then do it."""
    row = _find(request, campaign, name)
    error = ""
    if request.method == "POST":
        try:
            call(request, ACTS[action], {"experimentArn": row.arn})
        except ServiceError as refused:
            error = service_error(refused)
        else:
            messages.success(request, DONE[action].format(row.name, row.campaign.name))
            return HttpResponseRedirect(page_url(row))
    results = call(request, "GetExperimentResults", {"experimentArn": row.arn})
    read = _interleaved(results) if row.is_interleaved else _compared(results)
    context = _context(row) | read | {"action": action, "title": str(ENDS[action]), "error": error}
    return render(
        request, "evaluation/experiments/confirm.html", context, group=row.dataset_group, status=409 if error else 200
    )


def _find(request: Request, campaign: str, name: str) -> Experiment:
    row: Experiment = find(request, "Experiment", name)
    if row.campaign.name != campaign:
        raise Http404(
            gettext("The experiment {name} is not one of the campaign {campaign}.").format(name=name, campaign=campaign)
        )
    return row


def _crumbs(campaign: Campaign) -> list[tuple[str, str]]:
    trail: list[tuple[str, str]] = detail_context(CAMPAIGNS, campaign)["crumbs"]
    experiments = (gettext("Experiments"), reverse("campaign-experiments", args=[campaign.name]))
    return [*trail, (campaign.name, page_url(campaign)), experiments]


def _context(row: Experiment) -> dict[str, Any]:
    versions = {arn: _version(row, arn) for arn in (row.control_arn, row.treatment_arn)}
    return detail_context(EXPERIMENTS, row) | {
        "crumbs": _crumbs(row.campaign),
        "delete_url": "" if row.is_running else reverse("experiments-delete", args=[row.name]),
        "control": versions[row.control_arn],
        "treatment": versions[row.treatment_arn],
        "shares": (100 - row.traffic_share, row.traffic_share),
        "facts": [
            (gettext("Campaign"), row.campaign, "resource"),
            (gettext("Kind"), gettext("Interleaved lists") if row.is_interleaved else gettext("Split users"), "text"),
            (gettext("Counts as an outcome"), ", ".join(row.event_types) or gettext("Every event"), "text"),
            (gettext("Minimum effect of interest"), localised(f"{100 * row.minimum_effect:g} %"), "text"),
            (gettext("Ended"), row.ended, "time"),
        ],
    }


def _version(row: Experiment, arn: str) -> JSONDict:
    """A version for reading, with its page while there is one."""
    name = arn.partition(":solution/")[2]
    version = (
        SolutionVersion.objects.for_account(row.account)
        .filter(**SolutionVersion.arn_lookup(name))
        .select_related("solution", "account")
        .first()
    )
    return {
        "name": name,
        "url": page_url(version) if version else "",
        "label": str(version.name or name) if version else name,
    }


def _asked(request: Request, row: Experiment) -> dict[str, Any]:
    user = request.GET.get("user", "").strip()
    if not user:
        return {"user": ""}
    try:
        arm = call(request, "GetExperimentArm", {"experimentArn": row.arn, "userId": user})
        return {"user": user, "arm": arm, "arm_words": ARMS[arm["arm"], row.is_running]}
    except ServiceError as error:
        return {"user": user, "arm_error": service_error(error)}


def _compared(results: JSONDict) -> dict[str, Any]:
    """What came of a comparison of two arms, for its page."""
    look, icon, words = VERDICTS[results["verdict"]]
    sample = results["sample"]
    needed = sample.get("usersNeeded")
    return {
        "results": results,
        "arms": [arm | {"label": translated(arm["arm"].capitalize()), "percent": round(100 * (arm.get("share") or 0), 1)} for arm in results["arms"]],
        "verdict": {"look": look, "icon": icon, "words": words, "detail": _lift_words(results.get("lift"))},
        "estimates": [
            (label, note, results[key], _look(results[key]))
            for key, label, note in (
                ("lift", gettext("Share of users with an outcome"), "lift"), ("eventsLift", gettext("Events per user"), "lift"),
            )
            if results.get(key)
        ],
        "always": _always(results["always"]),
        "guardrails": [rail | {"words": GUARDS[rail["verdict"]]} for rail in results.get("guardrails") or []],
        "is_worse": bool(results.get("lift")) and results["lift"]["value"] < 0,
        "reached": min(100, round(100 * sample["users"] / needed)) if needed else None,
        "chart": lift_chart("lift", results["points"]) if any("lift" in point for point in results["points"]) else None,
    }  # fmt: skip


def _interleaved(results: JSONDict) -> dict[str, Any]:
    """What came of an interleaving, for its page."""
    look, icon, words = INTERLEAVED[results["verdict"]]
    found = results["interleaving"]
    return {
        "results": results,
        "found": found,
        "verdict": {"look": look, "icon": icon, "words": words, "detail": _preference_words(found.get("always"))},
        "is_worse": bool(found.get("preference")) and found["preference"]["value"] < 0,
        "neither": found["users"] - found["controlUsers"] - found["treatmentUsers"],
        "reached": min(100, round(100 * found["users"] / found["usersNeeded"])),
    }


def _lift_words(lift: JSONDict | None) -> str:
    """The lift with its interval as a sentence; nothing while there is none."""
    if not lift:
        return ""
    value, low, high = (change(lift[key]) for key in ("value", "low", "high"))
    return gettext("At one look: lift {value}, 95 % interval {low} to {high}, p = {p}.").format(
        value=value, low=low, high=high, p=number(lift["pValue"])
    )


def _preference_words(found: JSONDict | None) -> str:
    """The preference with its interval as a sentence; nothing while there is none."""
    if not found:
        return ""
    value, low, high = (signed(found[key]) for key in ("value", "low", "high"))
    return gettext("Preference {value}, interval {low} to {high}, whenever you look.").format(
        value=value, low=low, high=high
    )


def _always(found: JSONDict) -> JSONDict:
    """What holds at every look, in words."""
    return found | {"words": ALWAYS[found["verdict"]]}


def _look(estimate: JSONDict) -> tuple[str, str, str]:
    """Class, icon and words; what may be chance is grey."""
    if estimate["pValue"] >= 0.05:
        return "even", "arrow-left-right", gettext("may be chance")
    return (
        ("good", "caret-up-fill", gettext("better"))
        if estimate["value"] > 0
        else ("bad", "caret-down-fill", gettext("worse"))
    )


def _choose_campaign(request: Request) -> HttpResponse:
    group = chosen_group(request) or last_group(request)
    found = CAMPAIGNS.rows(request.account)
    rows = list(found.filter(solution_version__solution__dataset_group=group) if group else found)
    if len(rows) == 1:
        return HttpResponseRedirect(f"{reverse('experiments-create')}?campaign={rows[0].name}")
    context = {"rows": rows, "heading": gettext("Start experiment"), "crumbs": crumbs(EXPERIMENTS, group)}
    return render(request, "evaluation/experiments/choose.html", context, group=group)


def _event_types(request: Request, group: DatasetGroup) -> list[str]:
    """What is known to happen: in the imported data, and lately."""
    imported = call(request, "ListRecipeChoices", {"datasetGroupArn": group.arn})["eventTypes"]
    live = Event.objects.filter(dataset_group=group).order_by("-pk").values_list("event_type", flat=True)[:RECENT]
    return list(dict.fromkeys([*(one["eventType"] for one in imported), *live]))


def _free_name(request: Request, campaign: Campaign) -> str:
    taken = set(Experiment.objects.for_account(request.account).values_list("name", flat=True))
    return next(name for n in range(1, 10_000) if (name := f"{campaign.name[:55]}-ab-{n}") not in taken)


def _asked_version(request: Request, offered: list[SolutionVersion]) -> str | None:
    wanted = request.GET.get("version", "")
    return next((version.arn for version in offered if version.arn_name == wanted), None)

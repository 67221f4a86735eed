"""Choosing a recipe and making a solution of it: cards held against the group's data, then the recipe's own settings."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext

from console.errors import ServiceError
from console.models import DatasetGroup, Solution, SolutionVersion
from console.shapes import JSONDict
from console.web.access import Request, page, writing_page
from console.web.kinds import page_url
from console.web.languages import lazily
from console.web.pages import call, chosen_group, last_group, render
from console.web.training.solution_form import SolutionForm, entered_for

PURPOSES = {
    "USER_PERSONALIZATION": lazily("For each user"),
    "POPULAR_ITEMS": lazily("Popular and trending"),
    "RELATED_ITEMS": lazily("Related items"),
    "PERSONALIZED_RANKING": lazily("Rank a list for a user"),
    "USER_SEGMENTATION": lazily("Users for an item"),
    "PERSONALIZED_ACTIONS": lazily("Next best action"),
}
PERSONAL, SIMILAR, TOGETHER, POPULAR = (
    f"aws-{name}" for name in ("user-personalization", "similar-items", "sims", "popularity-count")
)
INPUTS = {
    "USER_PERSONALIZATION": lazily("a user id"),
    "POPULAR_ITEMS": lazily("nothing; a user id for filters"),
    "RELATED_ITEMS": lazily("an item id"),
    "PERSONALIZED_RANKING": lazily("a user id and a list of item ids"),
    "USER_SEGMENTATION": lazily("items or attributes, in a batch segment job"),
    "PERSONALIZED_ACTIONS": lazily("a user id"),
}


@page
def recipes_view(request: Request) -> HttpResponse:
    """Cards of all recipes by what they are for; those that the data do not allow say why."""
    group = chosen_group(request) or last_group(request)
    recipes = choices_for(request, group)["recipes"]
    start = start_with(recipes) if group else []
    rest = [recipe for recipe in recipes if recipe not in [first for first, _ in start]]
    shelves = [(words, [r for r in rest if r["recipeType"] == kind]) for kind, words in PURPOSES.items()]
    context = {"shelves": shelves, "start": start, "crumbs": crumbs_of(group)}
    return render(request, "training/recipes/list.html", context, group=group)


def start_with(recipes: list[JSONDict]) -> list[tuple[JSONDict, str]]:
    """The recipes that the data at hand speak for, at most three, each with why."""
    fitting = {recipe["name"]: recipe for recipe in recipes if recipe["fits"]}
    has_items = any(
        need["datasetType"] == "ITEMS" and need["isMet"] for recipe in recipes for need in recipe["requirements"]
    )
    wanted = [
        (PERSONAL, gettext("A list of their own for each user; new items get a chance.") if has_items
         else gettext("A list of their own for each user, from their events alone.")),
        *([(SIMILAR, gettext("What goes with an item, by events and by the items' metadata."))] if has_items
          else [(TOGETHER, gettext("What goes with an item, by who took both."))]),
        (POPULAR, gettext("A yardstick: what everybody takes. Trained in seconds.")),
    ]  # fmt: skip
    return [(fitting[name], reason) for name, reason in wanted if name in fitting]


@page
def recipe_view(request: Request, name: str) -> HttpResponse:
    """Reference of one recipe: what it is for, its data, its inputs and its settings."""
    group = last_group(request)
    recipe = _recipe(choices_for(request, group), name)
    context = {
        "recipe": recipe,
        "input": INPUTS[recipe["recipeType"]],
        "purpose": PURPOSES[recipe["recipeType"]],
        "crumbs": [
            *crumbs_of(group),
            (gettext("Recipes"), reverse("recipes") + (f"?group={group.name}" if group else "")),
        ],
    }
    return render(request, "training/recipes/detail.html", context, group=group)


@writing_page
def create_solution_view(request: Request) -> HttpResponse:
    """The settings of a solution; "Train" makes it and its first version, or neither."""
    group = chosen_group(request)
    if group is None:
        return HttpResponseRedirect(reverse("dataset-groups"))
    name = request.GET.get("recipe", "")
    if not name:
        return HttpResponseRedirect(f"{reverse('recipes')}?group={group.name}")
    choices = choices_for(request, group)
    recipe = _recipe(choices, name)
    form = SolutionForm(group.arn, recipe, choices, data=request.POST or None, initial=_initial(request, group, recipe))
    if request.method == "POST" and (version := _train(request, form)):
        return HttpResponseRedirect(page_url(version))
    context = {
        "form": form,
        "recipe": recipe,
        "event_types": choices["eventTypes"],
        "crumbs": [*crumbs_of(group), (gettext("Recipes"), f"{reverse('recipes')}?group={group.name}")],
    }
    return render(request, "training/solutions/create.html", context, group=group, status=400 if form.errors else 200)


def choices_for(request: Request, group: DatasetGroup | None) -> JSONDict:
    """What ListRecipeChoices says of the group."""
    return call(request, "ListRecipeChoices", {"datasetGroupArn": group.arn} if group else {})


def recipes_by_name(request: Request) -> dict[str, JSONDict]:
    """All recipes as ListRecipeChoices declares them."""
    return {recipe["name"]: recipe for recipe in choices_for(request, None)["recipes"]}


def crumbs_of(group: DatasetGroup | None) -> list[tuple[str, str]]:
    """The way to a page of the group."""
    return [(group.name, reverse("dataset-groups-detail", args=[group.name]))] if group else []


def _recipe(choices: JSONDict, name: str) -> JSONDict:
    for recipe in choices["recipes"]:
        if recipe["name"] == name:
            found: JSONDict = recipe
            return found
    raise Http404(
        gettext("There is no recipe {name}; there are {names}.").format(
            name=name, names=", ".join(r["name"] for r in choices["recipes"])
        )
    )


def _initial(request: Request, group: DatasetGroup, recipe: JSONDict) -> JSONDict:
    """A free name, the settings of the solution that ?like= names, and those that the URL gives, to change some of them."""
    like = Solution.objects.for_account(request.account).filter(name=request.GET.get("like", "")).first()
    base = slugify(like.name if like else f"{group.name}-{recipe['name'].removeprefix('aws-')}")[:58].rstrip("-")
    taken = set(
        Solution.objects.for_account(request.account).filter(name__startswith=base).values_list("name", flat=True)
    )
    free = next(name for name in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if name not in taken)
    found = {name: value for name, value in request.GET.items() if name.startswith("set_")}  # by a trial
    return (
        {"name": free}
        | (entered_for(like) if like and like.recipe == recipe["name"] else {})
        | (found | {"perform_hpo": False} if found else {})
    )


def _train(request: Request, form: SolutionForm) -> SolutionVersion | None:
    """Solution and first version, in one transaction so that a refused version leaves no solution behind."""
    try:
        with transaction.atomic():
            made = form.submit(request.account)
            if made is None:
                return None
            version = call(request, "CreateSolutionVersion", {"solutionArn": made["solutionArn"]})
    except ServiceError as error:
        form.add_service_error(error)
        return None
    messages.success(request, gettext("Training is queued."))
    found: SolutionVersion = SolutionVersion.objects.by_arn(request.account, version["solutionVersionArn"])
    return found

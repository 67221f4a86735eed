"""The test panel of campaigns and recommenders: one user, their history, one or two lists, and the same call as code.

Everything asked for stands in the URL, so that a test can be shared, works without JavaScript and can be gone back to.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zlib import crc32

from django.http import QueryDict
from django.utils.translation import gettext

from console import arns
from console.errors import ServiceError
from console.models import Campaign, Filter, Recommender, Status
from console.serving.exploration_config import WEIGHT, read_exploration
from console.shapes import JSONDict
from console.web.access import Request
from console.web.languages import localised
from console.web.links import absolute
from console.web.pages import call, service_error
from console.web.placeholders import hue, initials

PICKS = ("random", "heavy", "cold", "new")
HISTORY, RESULTS, TO_RANK = 30, 10, 20
PLACEHOLDER = re.compile(r"\$([A-Za-z0-9_]+)")
# boto3's name, the list it answers, the id in each entry, and REST's path
USUAL_CALL = ("get_recommendations", "itemList", "itemId", "recommendations")
CALLS = {
    "PERSONALIZED_RANKING": ("get_personalized_ranking", "personalizedRanking", "itemId", "ranking"),
    "PERSONALIZED_ACTIONS": ("get_action_recommendations", "actionList", "actionId", "action-recommendations"),
}
TEXTS = ("user", "item", "items", "filter", "weight", "count", "other", "other_weight", "context", "draw")
PAIR = re.compile(r"\s*([^=,]+?)\s*=\s*([^,]*?)\s*(?:,|$)")
Server = Campaign | Recommender


@dataclass(frozen=True)
class Ask:
    """What the test form holds, as text: the URL's parameters by the form's names."""

    user: str = ""
    item: str = ""
    items: str = ""
    filter: str = ""
    values: Mapping[str, str] | None = None
    weight: str = ""
    count: str = str(RESULTS)
    other: str = ""
    other_weight: str = ""
    context: str = ""
    draw: str = ""
    without: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @classmethod
    def read(cls, params: QueryDict) -> Ask:
        """From the URL."""
        plain = {name: params.get(name, "").strip() for name in TEXTS}
        values = {key.removeprefix("value_"): str(text) for key, text in params.items() if key.startswith("value_")}
        plain["count"] = plain["count"] or str(RESULTS)
        without, added = (tuple(filter(None, map(str.strip, params.getlist(name)))) for name in ("without", "added"))
        return cls(**plain, values=values, without=without, added=added)

    @property
    def input_list(self) -> list[str]:
        """The items to rank: one on each line, or separated by commas or blanks."""
        return [item for item in re.split(r"[\s,]+", self.items) if item]

    @property
    def context_values(self) -> dict[str, str]:
        """The context of the request: "DEVICE=phone, PLACE=home" as a map."""
        return {name.upper(): value for name, value in PAIR.findall(self.context)}

    @property
    def is_what_if(self) -> bool:
        """Whether the history is another than the user's own."""
        return bool(self.without or self.added)

    @property
    def seed(self) -> int:
        """Of what exploration draws: the same in all lists of the page, until it is drawn again."""
        return crc32(f"{self.draw} {self.user}".encode()) >> 1

    @property
    def drawn_again(self) -> str:
        """The URL's query string of the next draw."""
        return replace(self, draw=str(int(self.draw[:9]) + 1 if self.draw.isdecimal() else 1)).url_query

    @property
    def query(self) -> str:
        """What explains the request's results as a query string: whose they are, what is left out, how many there are."""
        return "&".join(filter(None, (self._encoded("user", "filter", "count"), self.changes_query)))

    @property
    def url_query(self) -> str:
        """All of it as a query string."""
        beside = "" if self.other else "other="  # said even when it is nothing, else another campaign is proposed
        return "&".join(filter(None, (self._encoded(*TEXTS), beside, self.changes_query)))

    @property
    def changes_query(self) -> str:
        """What is changed about the history as a query string."""
        return urlencode([("without", item) for item in self.without] + [("added", item) for item in self.added])

    def _encoded(self, *names: str) -> str:
        values = {f"value_{name}": text for name, text in (self.values or {}).items()}
        given = {name: getattr(self, name) for name in names} | values
        return urlencode({name: text for name, text in given.items() if text})


@dataclass(frozen=True)
class Listing:
    """One server's answer as it is shown; the query item is that of recipes that relate items."""

    title: str
    note: str
    server: Server
    items: list[JSONDict]
    error: str = ""
    warnings: tuple[str, ...] = ()
    query_item: JSONDict | None = None


def pick(request: Request, server: Server, ask: Ask, kind: str, needed: tuple[str, ...]) -> tuple[Ask, str]:
    """Fill in a user, an item or a list to rank of a kind, whatever is needed; the words say if there is none."""
    chosen: dict[str, str] = {}
    if "itemId" in needed:
        chosen["item"] = _some(request, "SearchItems", server, kind)
    if "userId" in needed or "itemId" not in needed:
        chosen["user"] = _some(request, "SearchUsers", server, kind)
    if "inputList" in needed and not ask.items:
        found = call(request, "SearchItems", {**member_of(server), "kind": "random", "maxResults": TO_RANK})["items"]
        chosen["items"] = "\n".join(item["itemId"] for item in found)
    missing = [what for what, text in chosen.items() if not text]
    note = (
        gettext("There is no {kind} {missing} in what this was trained on.").format(kind=kind, missing=missing[0])
        if missing
        else ""
    )
    filled = {what: text for what, text in chosen.items() if text}
    return replace(
        ask,
        user=filled.get("user", ask.user),
        item=filled.get("item", ask.item),
        items=filled.get("items", ask.items),
        without=(),
        added=(),
    ), note


def _some(request: Request, operation: str, server: Server, kind: str) -> str:
    answer = call(request, operation, {**member_of(server), "kind": kind, "maxResults": 1})
    found = answer.get("users") or answer.get("items") or [{}]
    return str(found[0].get("userId") or found[0].get("itemId") or "")


def needs(recipe: JSONDict) -> tuple[str, ...]:
    """What a request must carry, for a recipe or a use case of ListRecipeChoices."""
    if "inputs" in recipe:
        return tuple(recipe["inputs"])
    match recipe.get("recipeType"):
        case "RELATED_ITEMS":
            return ("itemId",)
        case "PERSONALIZED_RANKING":
            return ("userId", "inputList")
        case "POPULAR_ITEMS":
            return ()
    return ("userId",)


def is_complete(ask: Ask, needed: tuple[str, ...]) -> bool:
    """Whether a request can be sent; of a user, the newest item is taken where an item is needed."""
    given = {"userId": ask.user, "itemId": ask.item or ask.user, "inputList": ask.input_list}
    return all(given[name] for name in needed)


def listing(request: Request, server: Server, ask: Ask, weight: str) -> Listing:
    """Ask one server; its refusal is shown in its place."""
    try:
        members = {**member_of(server), **request_members(request, ask, weight), **changed_members(ask)}
        answer = call(request, "TestRecommendations", members)
    except ServiceError as error:
        return Listing(server.name, "", server, [], service_error(error))
    notes = (
        [gettext("weight {weight}").format(weight=localised(weight_in_force(server, weight)))]
        if answer.get("explores")
        else []
    )
    notes.append(gettext("{milliseconds} ms").format(milliseconds=localised(f"{answer.get('milliseconds', 0):.1f}")))
    if ask.filter:
        notes.append(
            gettext("{passing} of {total} items pass").format(
                passing=localised(f"{answer.get('passing', 0):,}"), total=localised(f"{answer.get('numItems', 0):,}")
            )
        )
    items = [dressed(item) | {"rank": rank} for rank, item in enumerate(answer["items"], 1)]
    warnings = tuple(answer.get("warnings", ()))
    return Listing(server.name, " · ".join(notes), server, items, warnings=warnings, query_item=query_item(answer))


def query_item(answer: JSONDict) -> JSONDict | None:
    """The item whose relatives TestRecommendations answers with, as a card; None for recipes that go by the user."""
    return dressed(answer["queryItem"]) if answer.get("queryItem") else None


def changed_members(ask: Ask) -> JSONDict:
    """What is changed about the user's history, by wire names."""
    return {"leftOutItems": list(ask.without), "addedItems": list(ask.added)} if ask.is_what_if else {}


def request_members(request: Request, ask: Ask, weight: str) -> JSONDict:
    """The request by wire names."""
    members: JSONDict = {
        "userId": ask.user,
        "itemId": ask.item,
        "inputList": ask.input_list,
        "explorationSeed": ask.seed,
    }
    if ask.context_values:
        members["context"] = ask.context_values
    if ask.count.isdecimal():
        members["numResults"] = int(ask.count)
    if weight:
        members[WEIGHT] = read_exploration({WEIGHT: weight})[WEIGHT]
    return {name: value for name, value in (members | filter_members(request, ask)).items() if value not in ("", [])}


def filter_members(request: Request, ask: Ask) -> JSONDict:
    """The chosen filter and the values of its placeholders."""
    found = Filter.objects.for_account(request.account).filter(name=ask.filter).first() if ask.filter else None
    if found is None:
        return {}
    values = {name: (ask.values or {}).get(name, "") for name in placeholders(found.expression)}
    return {"filterArn": found.arn, "filterValues": {name: text for name, text in values.items() if text.strip()}}


def placeholders(expression: str) -> list[str]:
    """The names of a filter's placeholders in order.

    >>> placeholders('INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) AND Items.YEAR > $YEAR')
    ['GENRE', 'YEAR']
    """
    return list(dict.fromkeys(PLACEHOLDER.findall(expression)))


def compared(first: Sequence[JSONDict], second: list[JSONDict]) -> list[JSONDict]:
    """The second list with each item's move against the first."""
    ranks = {item["itemId"]: item["rank"] for item in first}
    return [item | {"move": _move(ranks.get(item["itemId"]), item["rank"])} for item in second]


def someones_list(request: Request, server: Server) -> JSONDict:
    """What a random user would be shown: {"user", "items"}, or {"refusal"}."""
    try:
        user = _some(request, "SearchUsers", server, "random")
        members = {**member_of(server), "userId": user or "nobody", "numResults": RESULTS}
        answer = call(request, "TestRecommendations", members)
    except ServiceError as error:
        return {"refusal": service_error(error)}
    return {"user": user, "items": [dressed(item) for item in answer["items"]], "query_item": query_item(answer)}


def _move(before: int | None, now: int) -> JSONDict:
    if before is None:
        return {"icon": "plus-lg", "words": gettext("not in the first list"), "by": 0}
    if before == now:
        return {"icon": "dash", "words": gettext("same place as in the first list"), "by": 0}
    by = abs(now - before)
    if now < before:
        return {"icon": "arrow-up", "words": gettext("up {places}").format(places=by), "by": by}
    return {"icon": "arrow-down", "words": gettext("down {places}").format(places=by), "by": by}


def changes(
    request: Request, members: JSONDict, without: Sequence[str], added: Sequence[str]
) -> list[tuple[str, str, str]]:
    """What is changed about a history, as (parameter, item id, title); `members` name what knows the items."""
    ids = [*without, *added]
    if not ids:
        return []
    try:
        cards = call(request, "GetItemCards", {**members, "itemIds": ids})["items"]
    except ServiceError:  # the lists say why
        cards = []
    titles = {card["itemId"]: card.get("title", card["itemId"]) for card in cards}
    named = [("without", item) for item in without] + [("added", item) for item in added]
    return [(name, item, titles.get(item, item)) for name, item in named]


def history_of(request: Request, server: Server, user: str) -> JSONDict:
    """What the user has done, newest first."""
    found = call(request, "GetUserHistory", {**member_of(server), "userId": user, "maxResults": HISTORY})
    return found | {"history": [dressed(event) for event in found.get("history", [])]}


def dressed(item: JSONDict) -> JSONDict:
    """An item with what its row shows: a title in any case, its letter, a line below it, a time."""
    title = item.get("title") or item["itemId"]
    when = datetime.fromtimestamp(item["timestamp"], UTC) if "timestamp" in item else None
    line = item.get("subtitle", "")
    category = re.split(r"[,·|]", line)[0].strip() or title
    shown = {"letter": initials(title), "hue": hue(category), "picture": item.get("picture", ""), "line": line}
    return item | shown | {"title": title, "when": when}


def weight_in_force(server: Server, override: str) -> str:
    """The exploration weight that a request to the server has."""
    return override or server.config.get("itemExplorationConfig", {}).get("explorationWeight", "0.3")


def member_of(server: Server) -> JSONDict:
    """How requests name the server."""
    return {"campaignArn" if isinstance(server, Campaign) else "recommenderArn": server.arn}


def recipe_of(server: Server) -> str:
    """The recipe or use case behind it."""
    return (server.solution_version.recipe if isinstance(server, Campaign) else server.recipe) or ""


def servers_beside(server: Server, recipes: Mapping[str, JSONDict]) -> list[Server]:
    """The others of the group that answer the same kind of request."""
    wanted = needs(recipes.get(recipe_of(server), {}))
    if isinstance(server, Campaign):
        group = server.solution_version.solution.dataset_group
        rows: Any = Campaign.objects.filter(solution_version__solution__dataset_group=group)
        rows = rows.select_related("account", "solution_version__solution")
    else:
        rows = Recommender.objects.filter(dataset_group=server.dataset_group).select_related("account")
    active = rows.filter(status=Status.ACTIVE).exclude(pk=server.pk)
    return [row for row in active if needs(recipes.get(recipe_of(row), {})) == wanted]


def samples(request: Request, server: Server, ask: Ask, recipe_type: str) -> list[tuple[str, str]]:
    """The same request in Python with boto3, in JavaScript and by curl; the override of the weight is the console's own."""
    ranking = recipe_type == "PERSONALIZED_RANKING"
    members: JSONDict = {"userId": ask.user} if ask.user else {}
    if recipe_type == "RELATED_ITEMS":
        members["itemId"] = ask.item
    if ranking:
        members["inputList"] = ask.input_list
    else:
        members["numResults"] = int(ask.count) if ask.count.isdecimal() else RESULTS
    if ask.context_values:
        members["context"] = ask.context_values
    members |= {name: value for name, value in filter_members(request, ask).items() if value}
    sent = CALLS.get(recipe_type, USUAL_CALL)
    root = absolute(request, "/").rstrip("/")
    url = _rest_url(root, server, sent[3])
    return [
        ("Python", _python(root, server, members, sent)),
        ("JavaScript", _javascript(url, members, sent)),
        ("curl", _curl(url, members)),
    ]


def _python(root: str, server: Server, members: JSONDict, sent: tuple[str, str, str, str]) -> str:
    name, key, item, _ = sent
    arguments = "".join(f"    {name}={value!r},\n" for name, value in (member_of(server) | members).items())
    return (
        "import boto3\n\n"
        f'runtime = boto3.client("personalize-runtime", endpoint_url="{root}/aws", region_name="{arns.REGION}")\n'
        f"answer = runtime.{name}(\n{arguments})\n"
        f'for item in answer["{key}"]:\n    print(item["{item}"], item.get("score"))\n'
    )


def _rest_url(root: str, server: Server, call: str) -> str:
    kind = "campaigns" if isinstance(server, Campaign) else "recommenders"
    return f"{root}/api/v1/{kind}/{server.arn_name}/{call}/"


def _javascript(url: str, members: JSONDict, sent: tuple[str, str, str, str]) -> str:
    _, key, item, _ = sent
    return (
        f'const response = await fetch("{url}", {{\n  method: "POST",\n'
        '  headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },\n'
        f"  body: JSON.stringify({json.dumps(members)}),\n}});\n"
        f"for (const item of (await response.json()).{key}) console.log(item.{item}, item.score);\n"
    )


def _curl(url: str, members: JSONDict) -> str:
    body = shlex.quote(json.dumps(members))
    return (
        f'curl -X POST {url} \\\n  -H "Authorization: Bearer $TOKEN" \\\n'
        f'  -H "Content-Type: application/json" \\\n  -d {body}\n'
    )

"""`python -m benchmarks.large_catalogue_api`: lists of a million items over HTTP, from one client and from four, with and without a filter.

A server on a folder that is kept imports a million items and three million interactions that `benchmarks.generate` makes, and serves a
model with a network, which is trained under a time budget from the group's data and published as a training's is, in the place
of the quick one's that the server has trained. Everybody who is asked for has clicked since, so that the network reads their history.
Milliseconds are those of the client's clock and those of the web processes' threads. It is also told how long the first list after a
start takes, what the web processes hold before and after all requests, and what a click, an item and an UPDATE do to lists.
`--write` renews results/large-catalogue-api.md.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import table
from benchmarks.api import CATEGORY, Client, Table, served, until, wait
from benchmarks.datasets import CACHE, ROOT
from benchmarks.generate import BEGIN, SPAN, write_interactions
from benchmarks.mixed import descendants
from benchmarks.serving import signed

FOLDER = CACHE / "large-catalogue-api"
NAME = "million"
ITEMS, USERS, EVENTS = 1_000_000, 30_000, 3_000_000
GENRES, K = 100, 25
FILTERS = {"none": 0, "passes 5 %": 5, "passes 1 %": 1}  # genres that pass
CLIENTS = (1, 4)
WARM = 20
CLICK_S, UPDATE_PAUSE_S = 30, 0.2
COLUMNS = {
    "Interactions": {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"},
    "Items": {"ITEM_ID": "string", "GENRE": CATEGORY, "CREATION_TIMESTAMP": "long"},
}
HEADS = ("clients", "filter", "p50_ms", "p90_ms", "p99_ms", "cpu_p50_ms", "cpu_p99_ms", "cpu_mean_ms", "lists_per_s")
Row = dict[str, str | float]


@dataclass(frozen=True)
class Shop:
    """What requests name: the version trained with FULL, its campaign, a filter's ARN by its name ("" for none), the tracker and the items' dataset."""

    version: str
    campaign: str
    filters: dict[str, str]
    tracking_id: str
    solution: str
    items: str


def main() -> None:
    """Measure and print; with `--train`, be the process that trains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=int, default=120, help="seconds of the training")
    parser.add_argument("--users", type=int, default=300, help="asked for in each round")
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.train:
        _train(options.budget)
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    with served(FOLDER) as client:
        shop = _opened(client, options.budget)
    with served(FOLDER) as client:
        page = _measured(client, shop, options.users)
    print(page)
    if options.write:
        table.write_pages({"large-catalogue-api": page})


def _opened(client: Client, budget: int) -> Shop:
    """The group, its model and its campaign, made unless an earlier run has made them."""
    kept = FOLDER / "shop.json"
    if not kept.exists():
        shop = _made(client, budget)
        kept.write_text(json.dumps(vars(shop)))
    shop = Shop(**json.loads(kept.read_text()))
    _deploy(client, shop, shop.version)  # an earlier run has left its UPDATE's
    return shop


def _deploy(client: Client, shop: Shop, version: str) -> None:
    client.personalize.update_campaign(campaignArn=shop.campaign, solutionVersionArn=version)
    wait(client.personalize.describe_campaign, "campaign", campaignArn=shop.campaign)


def _made(client: Client, budget: int) -> Shop:
    personalize = client.personalize
    events = write_interactions(FOLDER / "interactions.csv", EVENTS, USERS, ITEMS)
    files = {"Interactions": events, "Items": _items(FOLDER / "items.csv")}
    tables = {kind: Table(COLUMNS[kind], file) for kind, file in files.items()}
    group, datasets = client.group(NAME, tables)
    solution = personalize.create_solution(
        name=NAME, datasetGroupArn=group, recipeArn="arn:aws:personalize:::recipe/aws-user-personalization",
        performAutoTraining=False, solutionConfig={"algorithmHyperParameters": {"mode": "quick"}},
    )["solutionArn"]  # fmt: skip
    version = client.version(solution, "FULL")
    command = [sys.executable, "-m", "benchmarks.large_catalogue_api", "--train", "--budget", str(budget)]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"DATA_DIR": str(FOLDER)}, check=True)
    filters = {"none": ""}
    for name, passing in list(FILTERS.items())[1:]:
        genres = ", ".join(f'"genre {number}"' for number in range(passing))
        filters[name] = personalize.create_filter(
            name=f"passing-{passing}", datasetGroupArn=group, filterExpression=f"INCLUDE ItemID WHERE Items.GENRE IN ({genres})"
        )["filterArn"]  # fmt: skip
        wait(personalize.describe_filter, "filter", filterArn=filters[name])
    campaign = personalize.create_campaign(name=NAME, solutionVersionArn=version)["campaignArn"]
    wait(personalize.describe_campaign, "campaign", campaignArn=campaign)
    tracker = personalize.create_event_tracker(name=NAME, datasetGroupArn=group)["trackingId"]
    return Shop(version, campaign, filters, tracker, solution, datasets["Items"])


def _items(path: Path) -> Path:
    """A file with all items, each with a genre and a moment of its creation."""
    if not path.exists():
        newest = BEGIN + SPAN  # one in twelve is younger than the month in which items are explored
        with path.open("w") as file:
            file.write(",".join(COLUMNS["Items"]) + "\n")
            file.writelines(f"{item},genre {item % GENRES},{newest - 3600 * (item % 9000)}\n" for item in range(ITEMS))
    return path


def _train(budget: int) -> None:
    """Publish a model with a network in the place of the version's."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    import django

    django.setup()
    from console.models import SolutionVersion
    from console.runners import fitting
    from console.runners.training_selection import Choice
    from recipes import catalogue
    from recipes.run import Run

    version = SolutionVersion.objects.select_related("solution__dataset_group").get(solution__name=NAME)
    recipe = catalogue.get("aws-user-personalization").configured({"mode": "full"})
    snapshot = fitting.read(version.solution.dataset_group, Choice.of({}, None), type(recipe))
    model = recipe.fit(snapshot.learned, Run(max_seconds=budget))
    SolutionVersion.objects.filter(pk=version.pk).update(**fitting.publish(model, snapshot))


def _measured(client: Client, shop: Shop, users: int) -> str:
    """Everything, as a page."""
    began = time.perf_counter()
    _ask(_connect(client), _request(client, shop, "0"))
    first = time.perf_counter() - began
    web = [pid for pid, command in descendants(client.pid) if "console.front" in command]
    asked = iter(np.random.default_rng(int(time.time())).permutation(USERS).astype(str).tolist())
    rows: list[Row] = []
    held = [_held(web)]
    for clients in CLIENTS:
        for name in FILTERS:
            rows.append(_round(client, shop, web, clients, name, [next(asked) for _ in range(users + WARM)]))
            held.append(_held(web))
            print(json.dumps(rows[-1] | {"anonymous_mib": held[-1]}), flush=True)
    told = [_clicked(client, shop, next(asked)), _updated(client, shop, next(asked))]
    return _page(rows, first, held, told)


def _round(client: Client, shop: Shop, web: Sequence[int], clients: int, name: str, users: Sequence[str]) -> Row:
    """One list for each user, who has clicked on an item before."""
    for user in users:
        _click(client, shop, user, [int(user) % ITEMS])
    requests = [_request(client, shop, user, name) for user in users]
    used, began = _processor_ms(web), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        timed = partial(_timed, client, web if clients == 1 else ())
        pairs = [
            pair for found in pool.map(timed, [requests[each::clients] for each in range(clients)]) for pair in found
        ]
    seconds, used = time.perf_counter() - began, _processor_ms(web) - used
    wall, own = np.array(pairs).T
    row: Row = {"clients": clients, "filter": name, "lists_per_s": round(len(requests) / seconds)}
    row |= {f"p{share}_ms": round(float(np.percentile(wall, share)), 1) for share in (50, 90, 99)}
    if clients == 1:
        row |= {f"cpu_p{share}_ms": round(float(np.percentile(own, share)), 1) for share in (50, 99)}
    return row | {"cpu_mean_ms": round(used / len(requests), 1)}


def _timed(
    client: Client, web: Sequence[int], requests: Sequence[tuple[bytes, dict[str, str]]]
) -> list[tuple[float, float]]:
    """Milliseconds of the clock and of the web processes for each request of one client, the first ones left out."""
    connection, found = _connect(client), []
    for request in requests:
        used, began = _processor_ms(web), time.perf_counter()
        _ask(connection, request)
        found.append((1000 * (time.perf_counter() - began), _processor_ms(web) - used))
    return found[min(WARM, len(found) // 2) :]


def _clicked(client: Client, shop: Shop, user: str) -> str:
    """How soon a click changes the next list, and how much of it."""
    connection, request = _connect(client), _request(client, shop, user)
    before = _ask(connection, request)
    _click(client, shop, user, [(int(user) * 7919 + step) % ITEMS for step in range(3)])
    began = time.perf_counter()
    changed = until(lambda: len(set(_ask(connection, request)) - set(before)), CLICK_S, 0.02)
    return f"Three clicks change {changed} of {K} items of the next list, {time.perf_counter() - began:.2f} s after PutEvents answered."


def _updated(client: Client, shop: Shop, user: str) -> str:
    """How long an UPDATE with a new item takes, until it is in a list."""
    new, connection = f"new-{time.time():.0f}", _connect(client)
    genre = f"genre {new}"
    properties = json.dumps({"genre": genre, "creationTimestamp": int(time.time())})
    client.events.put_items(datasetArn=shop.items, items=[{"itemId": new, "properties": properties}])
    group = client.personalize.describe_solution(solutionArn=shop.solution)["solution"]["datasetGroupArn"]
    only = client.personalize.create_filter(
        name=new, datasetGroupArn=group, filterExpression=f'INCLUDE ItemID WHERE Items.GENRE IN ("{genre}")'
    )["filterArn"]
    began, used = time.perf_counter(), client.processor_seconds()
    version = client.version(shop.solution, "UPDATE", UPDATE_PAUSE_S)
    seconds, used = time.perf_counter() - began, client.processor_seconds() - used
    _deploy(client, shop, version)
    request = _signed(client, {"campaignArn": shop.campaign, "userId": user, "numResults": K, "filterArn": only})
    until(lambda: _ask(connection, request) == [new], CLICK_S, 0.1)
    served_after = time.perf_counter() - began
    return f"An UPDATE with a new item is ACTIVE after {seconds:.0f} s ({used:.0f} s of the processor); a list has the item after {served_after:.0f} s."


def _click(client: Client, shop: Shop, user: str, items: Sequence[int]) -> None:
    now = int(time.time())
    events = [{"eventType": "click", "itemId": str(item), "sentAt": now} for item in items]
    client.events.put_events(trackingId=shop.tracking_id, userId=user, sessionId=user, eventList=events)


def _request(client: Client, shop: Shop, user: str, name: str = "none") -> tuple[bytes, dict[str, str]]:
    members = {"campaignArn": shop.campaign, "userId": user, "numResults": K}
    return _signed(client, members | ({"filterArn": shop.filters[name]} if shop.filters[name] else {}))


def _signed(client: Client, members: dict[str, object]) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(members).encode()
    return body, signed(client.port, dict(client.keys), "recommendations", body)


def _connect(client: Client) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", client.port)


def _ask(connection: http.client.HTTPConnection, request: tuple[bytes, dict[str, str]]) -> list[str]:
    """The items of a list."""
    connection.request("POST", "/aws/recommendations", *request)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} {text[:300]!r}")
    return [entry["itemId"] for entry in json.loads(text)["itemList"]]


def _processor_ms(pids: Sequence[int]) -> float:
    """Of all threads of the processes, by Linux's scheduler; threads that have ended are not counted."""
    files = (file for pid in pids for file in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(file.read_text().split()[0]) for file in files) / 1e6


def _held(pids: Sequence[int]) -> list[int]:
    """MiB that each process holds and no file does."""
    return [int(line.split()[1]) >> 10 for pid in pids for line in _memory(pid) if line.startswith("RssAnon")]


def _memory(pid: int) -> Iterator[str]:
    yield from Path(f"/proc/{pid}/status").read_text().splitlines()


def _page(rows: Sequence[Row], first: float, held: Sequence[Sequence[int]], told: Sequence[str]) -> str:
    body = [[str(row.get(head, "")) for head in HEADS] for row in rows]
    memory = "; ".join(f"{min(each)} to {max(each)}" for each in zip(*held, strict=True))
    note = (
        f"{ITEMS:,} items and {EVENTS:,} events of {USERS:,} users; lists of {K}, signed, of users who have clicked since the training, each for the first "
        f"time. `p50_ms` is the client's clock, `cpu` what the web processes' threads took. Load {os.getloadavg()[0]:.1f}. The first list after a start took "
        f"{first:.1f} s. Anonymous memory of the web processes in all rounds: {memory} MiB. {' '.join(told)}"
    )
    return "\n\n".join(["# Lists of a million items over HTTP", table.shape(), table.markdown(HEADS, body), note])


if __name__ == "__main__":
    main()

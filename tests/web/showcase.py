"""An account in which everything has happened that a page can show, and the addresses of its pages, for walks over all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from html import escape

import numpy as np
from playwright.sync_api import BrowserContext, Route

from console.models import Account, DatasetGroup, SolutionVersion
from console.operations.base import call_by_wire_names
from console.samples.streaming import ADJECTIVES, NOUNS
from console.serving import recorder, traffic
from tests import worlds
from tests.explored_lists import clicked, served
from tests.factories import ROLE, call, events_csv, make_dataset, make_filter, put_object, trained

POSTERS = "https://posters.example/"
HUES = {"Action": 14, "Comedy": 44, "Drama": 212, "Horror": 282}
MINUTE = 60
ORDERS = events_csv(1200) + f"u1,i1,click,soon\n,i2,click,1700000000\nu1,{'i' * 300},click,1700000000\n"
PANEL = (  # what a campaign's page asks for, behind its address
    "users/?user=u1",
    "items/?item=film",
    "why/?user=u1&of=i2",
    "?user=u1&without=i2&other=same",
    "?user=u1&other=newsletter",
)


def title(number: int) -> str:
    """What a film is called; no two of the first few hundred alike."""
    return f"The {ADJECTIVES[number % len(ADJECTIVES)]} {NOUNS[(number + number // len(ADJECTIVES)) % len(NOUNS)]}"


def poster(number: int) -> str:
    """A film's picture, as SVG: shapes that its number decides, in the colour of its genre."""
    hue = HUES[worlds.GENRES[number % 4]] + number % 5 * 4
    rng = np.random.default_rng(number)
    circles = "".join(
        f'<circle cx="{x}" cy="{y}" r="{r}" fill="hsl({hue + 8 * n} 45% {58 + 9 * n}%)"/>'
        for n, (x, y, r) in enumerate(rng.integers([20, 20, 18], [180, 150, 70], size=(3, 3)))
    )
    words = "".join(
        f'<text x="14" y="{214 + 24 * line}" font-family="sans-serif" font-size="21" font-weight="700" fill="white">{escape(word)}</text>'
        for line, word in enumerate(title(number).split()[1:])
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 260"><rect width="200" height="260" fill="hsl({hue} 42% 40%)"/>'
        f'{circles}<rect y="186" width="200" height="74" fill="hsl({hue} 45% 22%)"/>{words}</svg>'
    )


def hang_posters(context: BrowserContext) -> None:
    """Answer requests for pictures, which no test fetches from anywhere."""

    def answer(route: Route) -> None:
        number = int(route.request.url.removeprefix(f"{POSTERS}i").removesuffix(".svg"))
        route.fulfill(body=poster(number), content_type="image/svg+xml")

    context.route(f"{POSTERS}**", answer)


def build(account: Account, run_jobs: Callable[[], None], **size: int) -> dict[str, str]:
    """Make it all, of the size that `worlds.films` takes; addresses by what they show. Counting goes to a broker of the test."""
    group = worlds.films(account, name="cinema", title=title, **size)
    versions = {
        recipe: trained(account, run_jobs, group, f"aws-{recipe}")
        for recipe in ("popularity-count", "user-personalization")
    }
    call(
        "UpdateItemDisplay",
        account,
        dataset_arn=group.datasets.get(type="ITEMS").arn,
        picture=POSTERS + "{ITEM_ID}.svg",
    )
    made = {
        name: call("CreateCampaign", account, name=name, solution_version_arn=versions["user-personalization"])[
            "campaignArn"
        ]
        for name in ("front-page", "newsletter")
    }
    tracking = call("CreateEventTracker", account, name="site", dataset_group_arn=group.arn)["trackingId"]
    make_filter(account, group.arn)
    _happen(account, group, made["front-page"], tracking)
    _jobs(account, group, versions["user-personalization"], run_jobs)
    for name, campaign, kind in (("bolder", "front-page", "SPLIT"), ("mixed", "newsletter", "INTERLEAVED")):
        call(
            "CreateExperiment",
            account,
            name=name,
            campaign_arn=made[campaign],
            treatment_version_arn=versions["popularity-count"],
            kind=kind,
        )
    return _addresses(group, tracking)


def _happen(account: Account, group: DatasetGroup, campaign: str, tracking: str) -> None:
    """Lists, clicks and requests of programs."""
    served(campaign, group.pk, 200, start=int(time.time()) - 200 * MINUTE)
    clicked(account, tracking, np.random.default_rng(1), 200)
    for number in range(40):
        call_by_wire_names(
            "GetRecommendations", account, {"campaignArn": campaign, "userId": f"u{number % 25}", "numResults": 10}
        )
    recorder.flush()
    traffic.METER.flush()


def _jobs(account: Account, group: DatasetGroup, version: str, run_jobs: Callable[[], None]) -> None:
    """One of each kind of job, ended."""
    path = call("CreateBatchInput", account, solution_version_arn=version)["path"]
    output = {"s3DataDestination": {"path": "s3://results/everyone/"}}
    call(
        "CreateBatchInferenceJob", account, job_name="everyone", solution_version_arn=version, role_arn=ROLE,
        job_input={"s3DataSource": {"path": path}}, job_output=output,
    )  # fmt: skip
    dataset = make_dataset(account, group="shop")
    source = {"dataLocation": put_object("orders.csv", ORDERS)}
    call("CreateDatasetImportJob", account, job_name="orders", dataset_arn=dataset, data_source=source, role_arn=ROLE)
    call(
        "CreateDatasetExportJob", account, job_name="viewers", dataset_arn=group.datasets.get(type="USERS").arn,
        role_arn=ROLE, ingestion_mode="ALL", job_output={"s3DataDestination": {"path": "s3://results/viewers/"}},
    )  # fmt: skip
    call("CreateDataInsightsJob", account, dataset_group_arn=group.arn, job_name="look")
    run_jobs()


def _addresses(group: DatasetGroup, tracking: str) -> dict[str, str]:
    names = [version.arn_name for version in SolutionVersion.objects.order_by("created")]
    compared = "group=cinema" + "".join(f"&version={name}" for name in names)
    return {
        "groups": "/dataset-groups/",
        "overview": "/dataset-groups/cinema/",
        "datasets": "/datasets/?group=cinema",
        "dataset": f"/datasets/{group.datasets.get(type='ITEMS').arn_name}/",
        "display": f"/datasets/{group.datasets.get(type='ITEMS').arn_name}/display/",
        "import": "/dataset-import-jobs/orders/",
        "tracker": f"/event-trackers/{group.event_trackers.get().arn_name}/",
        "filter": "/filters/comedy/",
        "filter-form": "/create/filters/?group=cinema",
        "recipes": "/recipes/?group=cinema",
        "recipe": "/recipes/aws-user-personalization/",
        "settings": "/create/solutions/?group=cinema&recipe=aws-user-personalization",
        "solutions": "/solutions/?group=cinema",
        "solution": "/solutions/user-personalization/",
        "version": f"/solution-versions/{names[1]}/",
        "compare": f"/compare/?{compared}",
        "lengths": f"/compare/lengths/?{compared}",
        "exposure": f"/compare/exposure/?{compared}",
        "segments": f"/compare/segments/?{compared}&column=TIER",
        "users": f"/compare/users/?{compared}",
        "anyone": f"/compare/anyone/?{compared}&user=u9",
        "campaigns": "/campaigns/?group=cinema",
        "campaign-form": "/create/campaigns/?group=cinema",
        "playground": "/campaigns/front-page/?user=u9",
        "traffic": "/campaigns/front-page/traffic/",
        "exploration": "/campaigns/front-page/exploration/",
        "without-exploration": "/campaigns/front-page/without-exploration/",
        "experiments": "/campaigns/front-page/experiments/",
        "experiment": "/campaigns/front-page/experiments/bolder/?user=u1",
        "interleaving": "/campaigns/newsletter/experiments/mixed/?user=u1",
        "promote": "/campaigns/front-page/experiments/bolder/promote/",
        "experiment-form": "/create/experiments/?campaign=newsletter",
        "batch-form": "/create/batch-inference-jobs/?group=cinema",
        "batch": "/batch-inference-jobs/everyone/",
        "export": "/dataset-export-jobs/viewers/",
        "insights": "/data-insights-jobs/look/",
        "schemas": "/schemas/",
        "schema": "/schemas/cinema-ITEMS/",
        "replace": f"/datasets/{group.datasets.get(type='ITEMS').arn_name}/schema/",
        "record": f"/datasets/{group.datasets.get(type='ITEMS').arn_name}/records/",
        "access": "/settings/access/",
        "health": "/settings/health/",
        "people": "/settings/people/",
        "you": "/settings/you/",
        "audit": "/audit/",
        "trash": "/trash/",
        "delete": "/dataset-groups/cinema/delete/",
    }


def tune(account: Account, run_jobs: Callable[[], None]) -> None:
    """A solution whose settings were searched in seven trials."""
    group = DatasetGroup.objects.get(account=account, name="cinema")
    ranges = {"continuousHyperParameterRanges": [{"name": "popularity_discount_factor", "minValue": 0, "maxValue": 1}]}
    resources = {"maxNumberOfTrainingJobs": "7", "maxParallelTrainingJobs": "1"}
    config = {"hpoConfig": {"hpoResourceConfig": resources, "algorithmHyperParameterRanges": ranges}}
    trained(account, run_jobs, group, "aws-sims", "tuned", perform_hpo=True, solution_config=config)

"""Pages of a group with a thousand solutions and a thousand versions of one of them: what they read, show and offer.

How fast they are is measured by `benchmarks/pages.py`.
"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.models import Solution, SolutionVersion
from console.operations.base import call_by_wire_names
from tests import worlds
from tests.factories import trained

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
MANY = 1000
MOST_QUERIES, MOST_BYTES = 100, 200_000


@pytest.fixture
def crowded(account, run_jobs) -> list[str]:
    """Addresses of a group's pages, the group having many of everything that is trained."""
    group = worlds.films(account)
    versions = [trained(account, run_jobs, group, recipe) for recipe in ("aws-popularity-count", "aws-sims")]
    call_by_wire_names("CreateCampaign", account, {"name": "shown", "solutionVersionArn": versions[1]})
    like = SolutionVersion.objects.get(solution__name="sims")
    made = Solution.objects.bulk_create(
        Solution(account=account, name=f"sims-{n:04}", dataset_group=group, recipe=like.recipe, status="ACTIVE")
        for n in range(MANY)
    )
    SolutionVersion.objects.bulk_create(
        SolutionVersion(
            account=account, solution=solution, identifier=f"{n:08x}", status="ACTIVE", recipe=like.recipe,
            training_mode="FULL", report=like.report, metrics=like.metrics, progress=like.progress, started=like.started, finished=like.finished,
        )
        for n, solution in enumerate([*made, *[made[0]] * MANY])
    )  # fmt: skip
    names = [version.arn_name for version in SolutionVersion.objects.order_by("created")[:2]]
    compared = "group=films" + "".join(f"&version={name}" for name in names)
    return [
        "/", "/dataset-groups/films/", "/solutions/?group=films", "/solutions/?group=films&q=0999", "/solutions/sims-0000/", "/solutions/sims-0001/",
        "/solution-versions/?group=films", f"/compare/?{compared}", "/compare/?group=films", f"/compare/lengths/?{compared}", f"/compare/segments/?{compared}",
        f"/compare/exposure/?{compared}", f"/compare/users/?{compared}", "/recipes/?group=films", "/recipes/aws-sims/?group=films",
        "/create/solutions/?group=films&recipe=aws-sims", "/create/campaigns/?group=films", "/campaigns/shown/update/", "/campaigns/?group=films", "/campaigns/shown/?item=i1",
        "/create/batch-inference-jobs/?group=films", "/create/batch-segment-jobs/?group=films", "/create/experiments/?campaign=shown",
        "/create/recommenders/?group=films", "/dataset-groups/films/delete/", "/datasets/?group=films", "/create/filters/?group=films", "/settings/health/",
    ]  # fmt: skip


def test_every_page_reads_and_shows_a_part(alice, crowded):
    asked = {}
    for address in crowded:
        with CaptureQueriesContext(connection) as queries:
            answer = alice.get(address)
        assert answer.status_code in {200, 409}, address
        asked[address] = (len(queries), len(answer.content))
    assert not {address: cost for address, cost in asked.items() if cost[0] > MOST_QUERIES or cost[1] > MOST_BYTES}


@pytest.mark.parametrize("address", ["/create/campaigns/?group=films", "/create/batch-inference-jobs/?group=films"])
def test_a_form_says_that_older_versions_are_not_offered(alice, crowded, address):
    assert "Only the newest versions are offered here." in alice.get(address).content.decode()

"""Old models do not fill the disk: the newest stay, and what is served, tagged, tested or built on."""

from __future__ import annotations

import pytest

from console import storage, tasks
from console.errors import ResourceInUseException
from console.models import SolutionVersion
from tests.factories import call, trained
from tests.worlds import films


@pytest.fixture
def versions(account, run_jobs) -> list[SolutionVersion]:
    """Five versions of one solution, oldest first; the first is served, the second tagged."""
    first = trained(account, run_jobs, films(account), "aws-popularity-count")
    for _ in range(4):
        call("CreateSolutionVersion", account, solution_arn=first.rpartition("/")[0])
        run_jobs()
    found = list(SolutionVersion.objects.order_by("pk"))
    call("CreateCampaign", account, name="c", solution_version_arn=found[0].arn)
    call("TagResource", account, resource_arn=found[1].arn, tags=[{"tagKey": "keep", "tagValue": "yes"}])
    return found


def models_left(versions) -> list[bool]:
    return [storage.exists(storage.store(f"{version.artefact}/manifest.json")) for version in versions]


def test_it_keeps_the_newest_and_what_is_needed(account, versions, settings, django_capture_on_commit_callbacks):
    tasks.empty_trash()
    assert models_left(versions) == [True] * 5
    settings.KEEP_VERSIONS = 0
    tasks.empty_trash()
    assert models_left(versions) == [True] * 5
    settings.KEEP_VERSIONS = 1
    with django_capture_on_commit_callbacks(execute=True):
        tasks.empty_trash()
    assert models_left(versions) == [True, True, False, False, True]
    assert call("GetSolutionMetrics", account, solution_version_arn=versions[2].arn)["metrics"]
    assert call("GetRecommendations", account, campaign_arn=versions[0].campaigns.get().arn, user_id="u1")["itemList"]


def test_a_version_without_its_model_says_so(account, versions, settings, alice):
    settings.KEEP_VERSIONS = 1
    tasks.empty_trash()
    with pytest.raises(ResourceInUseException, match="1 newer ones of its solution are kept"):
        call("CreateCampaign", account, name="d", solution_version_arn=versions[2].arn)
    assert "its metrics stay" in alice.get(f"/solution-versions/{versions[2].arn_name}/").text


def test_a_disk_that_is_nearly_full_is_told(settings, alice):
    assert "The disk has" not in alice.get("/settings/health/").text
    settings.DISK_WARNING_PERCENT = 100.1
    assert "The disk has" in alice.get("/settings/health/").text

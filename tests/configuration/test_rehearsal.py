"""What an operation would refuse half-way through `apply`, the plan says before, in the same sentence, and nothing is changed."""

from __future__ import annotations

import copy
import io
import re

import pytest
import yaml
from django.apps import apps
from django.core.management import CommandError, call_command

from console import jobs, storage
from console.configuration.applying import ApplyError, apply
from console.configuration.document import Document
from console.configuration.kinds import KINDS
from console.configuration.plan import compared, make_plan
from console.configuration.steps import Action
from console.errors import ServiceError, ServiceUnavailableException
from console.models import Account, Campaign, Dataset, Recommender, Solution
from console.operations.base import OPERATIONS
from console.tenancy import location_for
from tests.configuration.answers import EVENTS, SCHEMA, ended, put

SHOP = {
    "openpersonalize": 1,
    "schemas": [{"name": "events", "schema": SCHEMA}],
    "datasetGroups": [{"name": "shop"}],
    "datasets": [
        {"name": "shop-events", "schema": "events", "datasetGroup": "shop", "datasetType": "Interactions", "importFrom": "s3://configuration/events.csv"},
    ],
    "filters": [{"name": "unseen", "datasetGroup": "shop", "filterExpression": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click")'}],
    "eventTrackers": [{"name": "site", "datasetGroup": "shop"}],
    "metricAttributions": [
        {
            "name": "views", "datasetGroup": "shop", "metricsOutputConfig": {"roleArn": "arn:aws:iam::000000000000:role/r"},
            "metrics": [{"eventType": "click", "metricName": "clicked", "expression": "SAMPLECOUNT()"}],
        }
    ],
    "solutions": [{"name": "popular", "datasetGroup": "shop", "recipe": "aws-popularity-count", "performAutoTraining": False}],
    "campaigns": [{"name": "front", "solution": "popular", "minProvisionedTPS": 1}],
}  # fmt: skip
VIDEO = {
    "openpersonalize": 1,
    "schemas": [{"name": "views", "schema": SCHEMA, "domain": "VIDEO_ON_DEMAND"}],
    "datasetGroups": [{"name": "cinema", "domain": "VIDEO_ON_DEMAND"}],
    "datasets": [{"name": "d", "schema": "views", "datasetGroup": "cinema", "datasetType": "Interactions"}],
    "recommenders": [{"name": "top", "datasetGroup": "cinema", "recipe": "aws-vod-most-popular"}],
}
MANY_TAGS = {f"t{number}": "x" for number in range(51)}

# What is changed in a document that can be applied, by a path and the value there; the words of the refusal; quotas of the account.
REFUSED = {
    "schema that breaks a rule": ("schemas.0.schema.fields.0.name", "COLOUR", "USER_ID", {}),
    "schemas beyond the quota": ("", None, "Cannot create a schema", {"SCHEMAS": 0}),
    "group with a role alone": ("datasetGroups.0.roleArn", "arn:aws:iam::000000000000:role/r", "kmsKeyArn", {}),
    "group with too many tags": ("datasetGroups.0.tags", MANY_TAGS, "51", {}),
    "group with a tag of AWS's": ("datasetGroups.0.tags", {"aws:x": "y"}, "aws:", {}),
    "groups beyond the quota": ("", None, "Cannot create a dataset group", {"DATASET_GROUPS": 0}),
    "dataset of no type": ("datasets.0.datasetType", "Films", "datasetType is 'Films'", {}),
    "dataset of another type than its schema": ("datasets.0.datasetType", "Items", "is for INTERACTIONS", {}),
    "dataset of another domain": ("datasetGroups.0.domain", "ECOMMERCE", "they must be the same", {}),
    "second dataset of a type": ("datasets.+", SHOP["datasets"][0] | {"name": "more"}, "of type INTERACTIONS already", {}),
    "uploads of another account": ("datasets.0.importFrom", "s3://uploads/000000000009/x/e.csv", "s3://uploads/000000000009/x/e.csv. Allowed below s3://uploads/ is 000000000001/", {}),
    "bucket of another account": ("datasets.0.importFrom", "s3://charlies/e.csv", "s3://charlies/e.csv belongs to another account", {}),
    "the server's own bucket": ("datasets.0.importFrom", "s3://store/e.csv", "the server's own", {}),
    "nothing to import": ("datasets.0.importFrom", "s3://configuration/nowhere.csv", "There is no object at s3://configuration/nowhere.csv", {}),
    "no location": ("datasets.0.importFrom", "s3://configuration/../x", "Invalid Data location", {}),
    "nothing to add": ("datasets.0.importFrom", ["s3://configuration/events.csv", "s3://configuration/more.csv"], "no object at s3://configuration/more.csv", {}),
    "imports beyond the quota": ("", None, "PENDING or IN_PROGRESS", {"PENDING_IMPORT_JOBS": 0}),
    "second event tracker": ("eventTrackers.+", {"name": "app", "datasetGroup": "shop"}, "already has the event tracker site", {}),
    "filter that is none": ("filters.0.filterExpression", "EXCLUDE films", "found films, expected", {}),
    "filter on no column": ("filters.0.filterExpression", 'EXCLUDE ItemID WHERE Items.MOOD IN ("x")', "needs a dataset of type ITEMS", {}),
    "filters beyond the quota": ("", None, "Cannot create a filter", {"FILTERS_PER_GROUP": 0}),
    "second metric attribution": ("metricAttributions.+", SHOP["metricAttributions"][0] | {"name": "more"}, "already has the metric attribution", {}),
    "metric of no column": ("metricAttributions.0.metrics.0.expression", "SUM(Interactions.PRICE)", "is no numeric column", {}),
    "reports to another account": ("metricAttributions.0.metricsOutputConfig.s3DataDestination", {"path": "s3://charlies/r/"}, "belongs to another account", {}),
    "solution of no recipe": ("solutions.0.recipe", "aws-crystal-ball", "aws-crystal-ball", {}),
    "solution with AutoML and a recipe": ("solutions.0.performAutoML", True, "leave recipeArn out", {}),
    "solution with a parameter of none": ("solutions.0.solutionConfig", {"algorithmHyperParameters": {"magic": "1"}}, "has no magic", {}),
    "solution with updates of another recipe": ("solutions.0.performIncrementalUpdate", True, "aws-semantic-similarity only", {}),
    "solution with a dataset that lacks": ("solutions.0.recipe", "aws-next-best-action", "needs a dataset of type", {}),
    "solutions beyond the quota": ("", None, "Cannot create a solution", {"SOLUTIONS_PER_GROUP": 0}),
    "trainings beyond the quota": ("", None, "PENDING or IN_PROGRESS", {"PENDING_SOLUTION_VERSIONS": 0}),
    "campaign that cannot explore": ("campaigns.0.campaignConfig", {"itemExplorationConfig": {"explorationWeight": "0.3"}}, "xplor", {}),
    "campaigns beyond the quota": ("", None, "Cannot create a campaign", {"CAMPAIGNS_PER_GROUP": 0}),
    "recommender of no use case": ("recommenders.0.recipe", "aws-vod-crystal-ball", "Use cases are", {}),
    "recommender of another domain": ("recommenders.0.recipe", "aws-ecomm-popular-items-by-views", "is for dataset groups of domain ECOMMERCE", {}),
    "recommenders beyond the quota": ("", None, "Cannot create a recommender", {"RECOMMENDERS": 0}),
}  # fmt: skip


def changed(content: dict, path: str, value: object) -> Document:
    """The document with one value changed; "+" at the end of a path adds to a list."""
    content = copy.deepcopy(content)
    place: object = content
    *above, last = path.split(".") if path else [""]
    for part in above:
        place = place[int(part) if part.isdecimal() else part]
    if last == "+":
        place.append(value)
    elif last:
        place[last] = value
    return Document.from_yaml(yaml.safe_dump(content))


def _plain(said: object) -> str:
    """What is said, without identifiers that are drawn."""
    return re.sub("event-tracker/[0-9a-f]+", "event-tracker/", str(said))


def everything() -> dict[str, int]:
    return {model.__name__: model._base_manager.count() for model in apps.get_app_config("console").get_models()}


@pytest.fixture
def files(account, other_account):
    """A file to import, and a bucket of charlie's."""
    put("events.csv", EVENTS)
    for url, owner in (("s3://charlies/e.csv", other_account), ("s3://configuration/", account)):
        location_for(owner, url)
    with storage.open_write(storage.parse_location("s3://charlies/e.csv")) as file:
        file.write(EVENTS.encode())
    return account


def test_there_is_a_refusal_of_each_kind():
    sections = {path.partition(".")[0] for path, *_ in REFUSED.values()} | {
        f"{words.rpartition(' ')[2]}s" for _, _, words, quotas in REFUSED.values() if quotas
    }
    assert sections >= {kind.section for kind in KINDS}


@pytest.mark.parametrize("content", [SHOP, VIDEO], ids=["shop", "video"])
def test_what_can_be_applied_has_no_conflicts(files, content, run_jobs):
    before = everything()
    plan = make_plan(files, changed(content, "", None))
    assert plan.conflicts == []
    assert everything() == before


@pytest.mark.parametrize("case", REFUSED)
def test_what_apply_would_refuse_the_plan_refuses_in_the_same_sentence(files, case, run_jobs):
    path, value, words, quotas = REFUSED[case]
    is_video = path.startswith("recommenders") or "RECOMMENDERS" in quotas
    wanted = changed(VIDEO if is_video else SHOP, path, value)
    files.limits = quotas
    files.save()

    before = everything()
    plan = make_plan(files, wanted)
    assert everything() == before
    assert len(plan.conflicts) == 1, str(plan)
    [conflict] = plan.conflicts
    with pytest.raises(ApplyError, match="The plan has steps that cannot be taken"):
        apply(files, plan, ended(run_jobs), lambda _told: None)
    assert everything() == before

    with pytest.raises((ServiceError, ApplyError)) as refused:
        apply(files, compared(files, wanted), ended(run_jobs), lambda _told: None)
    assert _plain(refused.value) in _plain(conflict)
    assert words in str(conflict)
    assert f"! {conflict.kind.noun} {conflict.entry['name']} would be refused in the account alice: " in str(plan)


def test_changes_that_would_be_refused_are_conflicts(files, run_jobs):
    apply(files, make_plan(files, changed(SHOP, "", None)), ended(run_jobs), lambda _told: None)
    wanted = changed(SHOP, "campaigns.0.campaignConfig", {"rankingInfluence": {"POPULARITY": 0.5}})
    before = everything()
    [conflict] = make_plan(files, wanted).conflicts
    assert everything() == before
    with pytest.raises(ServiceError) as refused:
        apply(files, compared(files, wanted), ended(run_jobs), lambda _told: None)
    assert str(refused.value) in str(conflict)
    Campaign.objects.all().delete()
    Solution.objects.get().versions.update(status="CREATE FAILED")
    without = changed({key: value for key, value in SHOP.items() if key != "solutions"}, "", None)
    assert "has no active version to put up" in str(make_plan(files, without).conflicts[0])


def test_a_recommender_in_training_cannot_be_changed_and_the_plan_says_so(files, run_jobs):
    apply(files, make_plan(files, changed({key: value for key, value in VIDEO.items() if key != "recommenders"}, "", None)), ended(run_jobs), lambda _told: None)  # fmt: skip
    group = Dataset.objects.get().dataset_group
    OPERATIONS["CreateRecommender"](
        files, name="top", dataset_group_arn=group.arn, recipe_arn="arn:aws:personalize:::recipe/aws-vod-most-popular"
    )
    config = {"minRecommendationRequestsPerSecond": 2}
    [conflict] = make_plan(files, changed(VIDEO, "recommenders.0.recommenderConfig", config)).conflicts
    assert "The recommender top is in training" in str(conflict)
    assert Recommender.objects.get().config == {}


def test_what_hangs_on_a_refusal_is_not_refused_for_it(files):
    plan = make_plan(files, changed(SHOP, "schemas.0.schema.fields.0.name", "COLOUR"))
    assert [step.kind.noun for step in plan.conflicts] == ["schema"]
    both = SHOP | {"solutions": [SHOP["solutions"][0] | {"recipe": "x"}]}
    plan = make_plan(files, changed(both, "filters.0.filterExpression", "nonsense"))
    assert [step.kind.noun for step in plan.conflicts] == ["filter", "solution"]


def test_a_store_that_is_away_is_no_refusal(files, monkeypatch):
    def away(*_args: object, **_more: object) -> None:
        raise ServiceUnavailableException("S3 does not answer.")

    monkeypatch.setattr("console.storage.list_objects", away)
    with pytest.raises(ServiceUnavailableException, match="S3 does not answer"):
        make_plan(files, changed(SHOP, "", None))


@pytest.mark.django_db(transaction=True)
def test_a_plan_sends_no_job_and_makes_no_account(tmp_path, monkeypatch):
    sent = []
    monkeypatch.setattr(jobs, "_send", lambda *message: sent.append(message))
    first = Account.objects.create(number="000000000001", name="first")
    location = f"s3://uploads/{first.number}/x/events.csv"
    with storage.open_write(storage.parse_location(location)) as file:
        file.write(EVENTS.encode())
    path = tmp_path / "document.yaml"
    path.write_text(changed(SHOP, "datasets.0.importFrom", location).to_yaml())
    before = everything()
    call_command("plan", str(path), "--account", "first", stdout=(told := io.StringIO()))
    assert "* solution popular: train a version" in told.getvalue()
    refusal = f"! dataset shop-events would be refused in the account second: Access denied: {location}"
    told = io.StringIO()
    call_command("plan", str(path), "--account", "second", stdout=told)
    assert "There is no account second yet; applying makes it." in told.getvalue()
    assert refusal in told.getvalue()
    with pytest.raises(CommandError, match="The plan has steps that cannot be taken") as refused:
        call_command("apply", str(path), "--account", "second", stdout=io.StringIO())
    assert refusal in str(refused.value)
    assert (everything(), sent) == (before, [])
    assert not any(
        step.action is Action.CONFLICT for step in make_plan(first, Document.from_yaml(path.read_text())).steps
    )

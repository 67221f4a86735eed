"""A world in which every operation of AWS has a call that succeeds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from console import jobs, storage, tasks
from console.models import JOBS, Account, Dataset, Recommender, Schema, SolutionVersion
from console.operations.base import call_by_wire_names
from console.shapes import AWS_SERVICES
from tests.aws.inprocess import client
from tests.operations.worlds import dataset
from tests.worlds import films

RECIPE = "arn:aws:personalize:::recipe/"
ROLE = "arn:aws:iam::000000000001:role/r"
ACTION_PROPERTIES = json.dumps({"value": 3})
EVENT = {"eventType": "click", "itemId": "i1", "sentAt": 1_700_000_000}
METRIC = {"eventType": "click", "metricName": "views", "expression": "SAMPLECOUNT()"}
TAG = {"tagKey": "team", "tagValue": "a"}
USER_SCHEMA = {
    "type": "record",
    "name": "Users",
    "fields": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": "int"}],
}


@dataclass
class World:
    """Two accounts; all ARNs are the first one's."""

    account: Account
    other: Account
    arns: dict[str, str]
    clients: dict[tuple[Account, str], Any]

    def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """Call an operation for the first account."""
        return call_by_wire_names(operation, self.account, members)

    def add(self, key: str, operation: str, **members: Any) -> None:
        """Make something and remember its ARN."""
        made = self.call(operation, **members)
        self.arns[key] = next(value for name, value in made.items() if name.endswith("Arn"))


def build() -> World:
    """Two accounts, a group with data, models that answer, and a spare of whatever can be deleted."""
    account = Account.objects.create(number="000000000011", name="everything")
    other = Account.objects.create(number="000000000033", name="nothing")
    clients = {(who, service): client(who, service) for who in (account, other) for service in AWS_SERVICES}
    world = World(account, other, {}, clients)
    group = films(account)
    world.arns["group"] = group.arn
    for kind in ("ACTIONS", "ACTION_INTERACTIONS"):
        world.arns[kind] = dataset(account, kind).arn
    for kind in ("INTERACTIONS", "ITEMS", "USERS"):
        world.arns[kind] = group.datasets.get(type=kind).arn
    tracked = world.call("CreateEventTracker", name="live", datasetGroupArn=group.arn)
    world.arns |= {"tracker": tracked["eventTrackerArn"], "tracking": tracked["trackingId"]}
    world.arns["actions tracking"] = Dataset.objects.get(account=account, type="ACTION_INTERACTIONS").tracking_id or ""
    _put_actions(world)
    _add_spares(world)
    _train(world)
    _add_jobs(world)
    return world


def _put_actions(world: World) -> None:
    actions = [{"actionId": f"a{number}", "properties": ACTION_PROPERTIES} for number in range(5)]
    world.call("PutActions", datasetArn=world.arns["ACTIONS"], actions=actions)
    for user in range(30):
        entries = [
            {"actionId": f"a{(user + step) % 5}", "userId": f"u{user}", "sessionId": "s", "timestamp": 1_700_000_000 + step,
             "eventType": "Taken" if step % 2 else "Viewed"}
            for step in range(10)
        ]  # fmt: skip
        tracking_id = world.arns["actions tracking"]
        world.call("PutActionInteractions", trackingId=tracking_id, actionInteractions=entries)


def _add_spares(world: World) -> None:
    group = world.arns["group"]
    world.add("filter", "CreateFilter", name="cheap", datasetGroupArn=group,
              filterExpression="INCLUDE ItemID WHERE Items.PRICE < 5")  # fmt: skip
    world.add("spare group", "CreateDatasetGroup", name="spare")
    world.add("schema", "CreateSchema", name="people", schema=json.dumps(USER_SCHEMA))
    world.add("used schema", "CreateSchema", name="people-2", schema=json.dumps(USER_SCHEMA))
    world.add("empty group", "CreateDatasetGroup", name="nearly-empty")
    world.add("spare dataset", "CreateDataset", name="people", schemaArn=world.arns["used schema"],
              datasetGroupArn=world.arns["empty group"], datasetType="Users")  # fmt: skip
    output = {"roleArn": ROLE, "s3DataDestination": {"path": "s3://reports/films/"}}
    world.add("attribution", "CreateMetricAttribution", name="sales", datasetGroupArn=group, metrics=[METRIC],
              metricsOutputConfig=output)  # fmt: skip


def _train(world: World) -> None:
    recipes = {"top": "popularity-count", "rank": "personalized-ranking", "affinity": "item-affinity",
               "actions": "next-best-action", "spare": "sims"}  # fmt: skip
    for name, recipe in recipes.items():
        world.add(f"solution {name}", "CreateSolution", name=name, datasetGroupArn=world.arns["group"],
                  recipeArn=f"{RECIPE}aws-{recipe}", performAutoTraining=False)  # fmt: skip
        if name != "spare":
            world.add(f"version {name}", "CreateSolutionVersion", solutionArn=world.arns[f"solution {name}"])
    run_all()
    for version in SolutionVersion.objects.filter(account=world.account):
        assert version.status == "ACTIVE", (version, version.failure_reason, version.traceback)
    for name in ("top", "rank", "actions"):
        world.add(f"campaign {name}", "CreateCampaign", name=name, solutionVersionArn=world.arns[f"version {name}"])
    world.add("waiting version", "CreateSolutionVersion", solutionArn=world.arns["solution top"])
    shop = films(world.account, "shop")
    shop.domain = "ECOMMERCE"
    shop.save()
    Schema.objects.filter(datasets__dataset_group=shop).update(domain=None)
    common = {"account": world.account, "dataset_group": shop, "recipe": "aws-ecomm-popular-items-by-views"}
    running = Recommender.objects.create(name="views", status="ACTIVE", **common)
    stopped = Recommender.objects.create(name="stopped", status="INACTIVE", **common)
    world.arns |= {"shop": shop.arn, "recommender": running.arn, "stopped recommender": stopped.arn}


def _add_jobs(world: World) -> None:
    for name in ("in/users.json", "in/users.csv"):
        with storage.open_write(storage.Location("work", name)) as file:
            file.write(b'{"userId": "u1"}\n' if name.endswith("json") else b"USER_ID\nu1\n")
    for key, operation in (("import", "CreateDatasetImportJob"), ("export", "CreateDatasetExportJob"),
                           ("deletion", "CreateDataDeletionJob"), ("batch", "CreateBatchInferenceJob"),
                           ("segments", "CreateBatchSegmentJob")):  # fmt: skip
        world.add(key, operation, **(good_calls(world)[operation] | {"jobName": f"first-{key}"}))


def run_all() -> None:
    """Run every waiting job, as a worker would."""
    with patch.object(
        jobs, "HEARTBEAT_S", 3600.0
    ):  # elsewhere than on SQLite it would not see the rows of this transaction
        for label, model in JOBS.items():
            for row in model.objects.filter(status=model.waiting).order_by("pk"):
                tasks.run(label, row.pk)


def _path(url: str) -> dict[str, str]:
    return {"path": url}


def good_calls(world: World) -> dict[str, dict[str, Any]]:
    """For every operation the members of a call that succeeds."""
    arn: Callable[[str], str] = lambda key: world.arns.get(key, "")  # noqa: E731
    job_output = {"s3DataDestination": _path("s3://work/out/")}
    batch = {"jobName": "new", "jobInput": {"s3DataSource": _path("s3://work/in/users.json")}, "jobOutput": job_output,
             "roleArn": ROLE}  # fmt: skip
    data_source = {"dataLocation": "s3://work/in/users.csv"}
    listed = {"maxResults": 5}
    in_group = {"datasetGroupArn": arn("group"), **listed}
    return {
        "CreateDatasetGroup": {"name": "new", "tags": [TAG]},
        "DescribeDatasetGroup": {"datasetGroupArn": arn("group")},
        "ListDatasetGroups": listed,
        "DeleteDatasetGroup": {"datasetGroupArn": arn("spare group")},
        "CreateSchema": {"name": "new", "schema": json.dumps(USER_SCHEMA)},
        "DescribeSchema": {"schemaArn": arn("schema")},
        "ListSchemas": listed,
        "DeleteSchema": {"schemaArn": arn("schema")},
        "CreateDataset": {"name": "new", "schemaArn": arn("schema"), "datasetGroupArn": arn("spare group"),
                          "datasetType": "Users"},
        "DescribeDataset": {"datasetArn": arn("ITEMS")},
        "ListDatasets": in_group,
        "UpdateDataset": {"datasetArn": arn("spare dataset"), "schemaArn": arn("schema")},
        "DeleteDataset": {"datasetArn": arn("spare dataset")},
        "CreateDatasetImportJob": {"jobName": "new", "datasetArn": arn("USERS"), "dataSource": data_source,
                                   "roleArn": ROLE},
        "DescribeDatasetImportJob": {"datasetImportJobArn": arn("import")},
        "ListDatasetImportJobs": {"datasetArn": arn("USERS"), **listed},
        "CreateDatasetExportJob": {"jobName": "new", "datasetArn": arn("USERS"), "roleArn": ROLE, "jobOutput": job_output},
        "DescribeDatasetExportJob": {"datasetExportJobArn": arn("export")},
        "ListDatasetExportJobs": {"datasetArn": arn("USERS"), **listed},
        "CreateDataDeletionJob": {"jobName": "new", "datasetGroupArn": arn("group"), "dataSource": data_source,
                                  "roleArn": ROLE},
        "DescribeDataDeletionJob": {"dataDeletionJobArn": arn("deletion")},
        "ListDataDeletionJobs": in_group,
        "CreateEventTracker": {"name": "new", "datasetGroupArn": arn("spare group")},
        "DescribeEventTracker": {"eventTrackerArn": arn("tracker")},
        "ListEventTrackers": in_group,
        "DeleteEventTracker": {"eventTrackerArn": arn("tracker")},
        "CreateFilter": {"name": "new", "datasetGroupArn": arn("group"),
                         "filterExpression": 'INCLUDE ItemID WHERE Items.GENRES IN ("Drama")'},
        "DescribeFilter": {"filterArn": arn("filter")},
        "ListFilters": in_group,
        "DeleteFilter": {"filterArn": arn("filter")},
        "CreateSolution": {"name": "new", "datasetGroupArn": arn("group"), "recipeArn": f"{RECIPE}aws-sims"},
        "DescribeSolution": {"solutionArn": arn("solution top")},
        "ListSolutions": in_group,
        "UpdateSolution": {"solutionArn": arn("solution top"), "performAutoTraining": True},
        "DeleteSolution": {"solutionArn": arn("solution spare")},
        "CreateSolutionVersion": {"solutionArn": arn("solution top")},
        "DescribeSolutionVersion": {"solutionVersionArn": arn("version top")},
        "ListSolutionVersions": {"solutionArn": arn("solution top"), **listed},
        "StopSolutionVersionCreation": {"solutionVersionArn": arn("waiting version")},
        "GetSolutionMetrics": {"solutionVersionArn": arn("version top")},
        "CreateCampaign": {"name": "new", "solutionVersionArn": arn("version top")},
        "DescribeCampaign": {"campaignArn": arn("campaign top")},
        "ListCampaigns": {"solutionArn": arn("solution top"), **listed},
        "UpdateCampaign": {"campaignArn": arn("campaign top"), "minProvisionedTPS": 2},
        "DeleteCampaign": {"campaignArn": arn("campaign top")},
        "CreateRecommender": {"name": "new", "datasetGroupArn": arn("shop"),
                              "recipeArn": f"{RECIPE}aws-ecomm-popular-items-by-views"},
        "DescribeRecommender": {"recommenderArn": arn("recommender")},
        "ListRecommenders": {"datasetGroupArn": arn("shop"), **listed},
        "UpdateRecommender": {"recommenderArn": arn("recommender"),
                              "recommenderConfig": {"minRecommendationRequestsPerSecond": 2}},
        "StopRecommender": {"recommenderArn": arn("recommender")},
        "StartRecommender": {"recommenderArn": arn("stopped recommender")},
        "DeleteRecommender": {"recommenderArn": arn("recommender")},
        "DescribeRecipe": {"recipeArn": f"{RECIPE}aws-sims"},
        "ListRecipes": {"domain": "ECOMMERCE", **listed},
        "DescribeAlgorithm": {"algorithmArn": "arn:aws:personalize:::algorithm/aws-sims"},
        "DescribeFeatureTransformation": {
            "featureTransformationArn": "arn:aws:personalize:::feature-transformation/sims"
        },
        "CreateBatchInferenceJob": {**batch, "solutionVersionArn": arn("version top")},
        "DescribeBatchInferenceJob": {"batchInferenceJobArn": arn("batch")},
        "ListBatchInferenceJobs": {"solutionVersionArn": arn("version top"), **listed},
        "CreateBatchSegmentJob": {**batch, "solutionVersionArn": arn("version affinity")},
        "DescribeBatchSegmentJob": {"batchSegmentJobArn": arn("segments")},
        "ListBatchSegmentJobs": {"solutionVersionArn": arn("version affinity"), **listed},
        "CreateMetricAttribution": {"name": "new", "datasetGroupArn": arn("empty group"), "metrics": [METRIC],
                                    "metricsOutputConfig": {"roleArn": ROLE}},
        "DescribeMetricAttribution": {"metricAttributionArn": arn("attribution")},
        "ListMetricAttributionMetrics": {"metricAttributionArn": arn("attribution"), **listed},
        "ListMetricAttributions": in_group,
        "UpdateMetricAttribution": {"metricAttributionArn": arn("attribution"),
                                    "addMetrics": [METRIC | {"metricName": "more"}]},
        "DeleteMetricAttribution": {"metricAttributionArn": arn("attribution")},
        "ListTagsForResource": {"resourceArn": arn("group")},
        "TagResource": {"resourceArn": arn("group"), "tags": [TAG]},
        "UntagResource": {"resourceArn": arn("group"), "tagKeys": ["team"]},
        "GetRecommendations": {"campaignArn": arn("campaign top"), "userId": "u1", "numResults": 5,
                               "filterArn": arn("filter")},
        "GetPersonalizedRanking": {"campaignArn": arn("campaign rank"), "userId": "u1", "inputList": ["i1", "i2"]},
        "GetActionRecommendations": {"campaignArn": arn("campaign actions"), "userId": "u1", "numResults": 2},
        "PutEvents": {"trackingId": arn("tracking"), "sessionId": "s", "userId": "u1", "eventList": [EVENT]},
        "PutItems": {"datasetArn": arn("ITEMS"), "items": [
            {"itemId": "new", "properties": '{"title": "New", "genres": "War", "price": 1, "creationTimestamp": 1}'}]},
        "PutUsers": {"datasetArn": arn("USERS"), "users": [
            {"userId": "new", "properties": '{"age": 3, "tier": "free"}'}]},
        "PutActions": {"datasetArn": arn("ACTIONS"), "actions": [{"actionId": "a", "properties": ACTION_PROPERTIES}]},
        "PutActionInteractions": {"trackingId": arn("actions tracking"), "actionInteractions": [
            {"actionId": "a", "userId": "u1", "sessionId": "s", "timestamp": 1_700_000_000, "eventType": "Taken"}]},
    }  # fmt: skip

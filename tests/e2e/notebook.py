"""What the cells of AWS's sample notebooks do over and over: wait for a resource, import a dataset, train, deploy, wait until gone."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tests.e2e.server import JOB_S, wait_for_status, wait_until

ROLE = "arn:aws:iam::000000000000:role/PersonalizeRole"
RECIPE = "arn:aws:personalize:::recipe/"
NAMESPACE = "com.amazonaws.personalize.schema"


@dataclass
class Notebook:
    """The three clients, a dataset group, and what was made in it."""

    personalize: Any
    runtime: Any
    events: Any
    name: str
    group: str = ""
    datasets: dict[str, str] = field(default_factory=dict)
    schemas: list[str] = field(default_factory=list)

    def make_group(self, **members: Any) -> None:
        """CreateDatasetGroup, and wait."""
        self.group = self.personalize.create_dataset_group(name=self.name, **members)["datasetGroupArn"]
        wait_for_status(self.personalize.describe_dataset_group, "datasetGroup", datasetGroupArn=self.group)

    def make_dataset(self, kind: str, fields: list[tuple[Any, ...]]) -> str:
        """CreateSchema and CreateDataset; a field is (name, type) or (name, type, more)."""
        avro = [{"name": name, "type": type_, **(more[0] if more else {})} for name, type_, *more in fields]
        text = {"type": "record", "name": kind.replace("_", ""), "namespace": NAMESPACE, "fields": avro}
        name = f"{self.name}-{kind}"
        self.schemas.append(
            self.personalize.create_schema(name=name, schema=json.dumps(text | {"version": "1.0"}))["schemaArn"]
        )
        arn = self.personalize.create_dataset(
            name=name, datasetType=kind, datasetGroupArn=self.group, schemaArn=self.schemas[-1]
        )["datasetArn"]
        wait_for_status(self.personalize.describe_dataset, "dataset", datasetArn=arn)
        self.datasets[kind] = arn
        return str(arn)

    def load(self, kind: str, location: str, **members: Any) -> Any:
        """CreateDatasetImportJob, and wait."""
        name = f"{self.name}-{kind}-{time.time_ns()}"
        arn = self.personalize.create_dataset_import_job(
            jobName=name,
            datasetArn=self.datasets[kind],
            dataSource={"dataLocation": location},
            roleArn=ROLE,
            **members,
        )["datasetImportJobArn"]
        return wait_for_status(
            self.personalize.describe_dataset_import_job, "datasetImportJob", datasetImportJobArn=arn
        )

    def solution(self, name: str, recipe: str, **members: Any) -> str:
        """CreateSolution without automatic training."""
        members = {"performAutoTraining": False} | members
        return str(
            self.personalize.create_solution(
                name=f"{self.name}-{name}", datasetGroupArn=self.group, recipeArn=RECIPE + recipe, **members
            )["solutionArn"]
        )

    def version(self, solution: str, **members: Any) -> str:
        """CreateSolutionVersion, and wait."""
        arn = self.personalize.create_solution_version(solutionArn=solution, **members)["solutionVersionArn"]
        wait_for_status(self.personalize.describe_solution_version, "solutionVersion", solutionVersionArn=arn)
        return str(arn)

    def campaign(self, name: str, version: str, **config: Any) -> str:
        """CreateCampaign, and wait."""
        arn = self.personalize.create_campaign(
            name=f"{self.name}-{name}", solutionVersionArn=version, minProvisionedTPS=1, campaignConfig=config
        )["campaignArn"]
        wait_for_status(self.personalize.describe_campaign, "campaign", campaignArn=arn)
        return str(arn)

    def filter(self, name: str, expression: str) -> str:
        """CreateFilter, and wait."""
        arn = self.personalize.create_filter(
            name=f"{self.name}-{name}", datasetGroupArn=self.group, filterExpression=expression
        )["filterArn"]
        wait_for_status(self.personalize.describe_filter, "filter", filterArn=arn)
        return str(arn)

    def items(self, campaign: str, user: str, **members: Any) -> list[str]:
        """GetRecommendations: the items' ids."""
        answer = self.runtime.get_recommendations(campaignArn=campaign, userId=user, **members)
        return [item["itemId"] for item in answer["itemList"]]

    def clean_up(self) -> None:
        """Delete everything in the order that works, waiting until each is gone."""
        of_group = {"datasetGroupArn": self.group}
        aws = self.personalize
        for solution in aws.list_solutions(**of_group)["solutions"]:
            for row in aws.list_campaigns(solutionArn=solution["solutionArn"])["campaigns"]:
                self.delete("campaign", row["campaignArn"])
            self.delete("solution", solution["solutionArn"])
        for row in aws.list_event_trackers(**of_group)["eventTrackers"]:
            self.delete("event_tracker", row["eventTrackerArn"])
        for row in aws.list_filters(**of_group)["Filters"]:
            self.delete("filter", row["filterArn"])
        for row in aws.list_datasets(**of_group)["datasets"]:
            self.delete("dataset", row["datasetArn"])
        self.delete("dataset_group", self.group)
        for arn in self.schemas:
            self.delete("schema", arn)

    def delete(self, what: str, arn: str) -> None:
        """Delete one resource and wait until Describe finds it no more."""
        words = what.split("_")
        member = {words[0] + "".join(word.capitalize() for word in words[1:]) + "Arn": arn}
        getattr(self.personalize, f"delete_{what}")(**member)
        wait_until(lambda: error_of(getattr(self.personalize, f"describe_{what}"), **member) == NOT_FOUND, JOB_S)


NOT_FOUND = "ResourceNotFoundException"


def error_of(call: Any, **members: Any) -> str:
    """The code of the error that a call ends with, or "" if it succeeds."""
    try:
        call(**members)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""

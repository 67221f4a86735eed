"""The main job by boto3: import, train, deploy."""

from __future__ import annotations

from typing import Any

from tests.e2e import world
from tests.e2e.server import Server, wait_for_status

ROLE = "arn:aws:iam::000000000000:role/any"
RECIPE = "arn:aws:personalize:::recipe/"


def import_dataset(server: Server, personalize: Any, group: str, kind: str, fields: Any, rows: Any) -> None:
    """Make schema and dataset of a kind, and import rows."""
    schema = personalize.create_schema(name=f"films-{kind}", schema=world.schema(kind, fields))["schemaArn"]
    dataset = personalize.create_dataset(
        name=f"films-{kind}", datasetType=kind, datasetGroupArn=group, schemaArn=schema
    )["datasetArn"]
    location = server.put_object(f"{kind}.csv", world.to_csv([name for name, _ in fields], rows))
    job = personalize.create_dataset_import_job(
        jobName=f"films-{kind}", datasetArn=dataset, dataSource={"dataLocation": location}, roleArn=ROLE
    )["datasetImportJobArn"]
    wait_for_status(personalize.describe_dataset_import_job, "datasetImportJob", datasetImportJobArn=job)


def films(server: Server, personalize: Any) -> str:
    """A dataset group with interactions and items imported; its ARN."""
    arn: str = personalize.create_dataset_group(name="films")["datasetGroupArn"]
    wait_for_status(personalize.describe_dataset_group, "datasetGroup", datasetGroupArn=arn)
    import_dataset(server, personalize, arn, "Interactions", world.INTERACTIONS, world.interactions())
    import_dataset(server, personalize, arn, "Items", world.ITEMS, world.items())
    return arn


def solution(personalize: Any, group: str, name: str, recipe: str, **members: Any) -> str:
    """A solution; its ARN."""
    arn: str = personalize.create_solution(
        name=name, datasetGroupArn=group, recipeArn=RECIPE + recipe, performAutoTraining=False, **members
    )["solutionArn"]
    return arn


def version(personalize: Any, solution: str) -> str:
    """A trained version of a solution; its ARN."""
    arn: str = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    wait_for_status(personalize.describe_solution_version, "solutionVersion", solutionVersionArn=arn)
    return arn


def campaign(personalize: Any, version: str) -> str:
    """A campaign of a version; its ARN."""
    arn: str = personalize.create_campaign(name="films", solutionVersionArn=version, minProvisionedTPS=1)["campaignArn"]
    wait_for_status(personalize.describe_campaign, "campaign", campaignArn=arn)
    return arn

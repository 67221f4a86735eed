"""A small hosted account as its operations print it, and events to fill it with."""

from __future__ import annotations

import json

from console import storage
from tests.operations.worlds import FIELDS

ARN = "arn:aws:personalize:eu-west-1:123456789012"
EVENTS = "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n" + "".join(
    f"u{user},i{(user * 7 + place) % 40},click,{1_700_000_000 + 60 * place}\n"
    for user in range(30)
    for place in range(40)
)
SCHEMA = {
    "type": "record",
    "name": "Interactions",
    "namespace": "com.amazonaws.personalize.schema",
    "fields": [field for field in FIELDS["INTERACTIONS"] if field["name"] in EVENTS.splitlines()[0].split(",")],
    "version": "1.0",
}


def hosted_answers() -> list[dict]:
    """What boto3 returned for a hosted account."""
    group = f"{ARN}:dataset-group/shop"
    return [
        {"datasetGroups": [{"name": "shop", "datasetGroupArn": group, "status": "ACTIVE"}], "ResponseMetadata": {"HTTPStatusCode": 200}},
        {"schema": {"name": "events", "schemaArn": f"{ARN}:schema/events", "schema": json.dumps(SCHEMA)}},
        {
            "dataset": {
                "name": "shop-events", "datasetArn": f"{ARN}:dataset/shop/INTERACTIONS", "datasetGroupArn": group,
                "datasetType": "INTERACTIONS", "schemaArn": f"{ARN}:schema/events", "creationDateTime": "2024-01-01T00:00:00+00:00",
            }
        },
        {
            "datasetImportJob": {
                "jobName": "first", "datasetImportJobArn": f"{ARN}:dataset-import-job/first", "datasetArn": f"{ARN}:dataset/shop/INTERACTIONS",
                "dataSource": {"dataLocation": "s3://shop-data/exports/events.csv"}, "roleArn": "arn:aws:iam::123456789012:role/x",
            }
        },
        {
            "solution": {
                "name": "popular", "solutionArn": f"{ARN}:solution/popular", "datasetGroupArn": group, "performAutoTraining": False,
                "recipeArn": "arn:aws:personalize:::recipe/aws-popularity-count", "latestSolutionVersion": {"solutionVersionArn": f"{ARN}:solution/popular/1a2b"},
            }
        },
        {
            "campaign": {
                "name": "front", "campaignArn": f"{ARN}:campaign/front", "solutionVersionArn": f"{ARN}:solution/popular/1a2b", "minProvisionedTPS": 1,
                "latestCampaignUpdate": {"solutionVersionArn": f"{ARN}:solution/popular/0000"},
            }
        },
    ]  # fmt: skip


def put(key: str, text: str) -> str:
    location = storage.Location("configuration", key)
    with storage.open_write(location) as file:
        file.write(text.encode())
    return str(location)


def ended(run_jobs):
    """A `wait` that works jobs off in this process."""
    return lambda _job: run_jobs()

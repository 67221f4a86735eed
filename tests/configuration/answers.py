"""A small hosted account as its operations print it and as templates make it, and events to fill it with."""

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


TEMPLATE = """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Prefix: {Type: String, Default: shop}
  Stage: {Type: String}
  Slow: {Type: String, Default: "no"}
Conditions:
  IsSlow: !Equals [!Ref Slow, "yes"]
Mappings:
  Recipes: {quick: {name: aws-popularity-count}}
Resources:
  Group:
    Type: AWS::Personalize::DatasetGroup
    Properties:
      Name: !Sub "${Prefix}-${Stage}"
      Tags: [{Key: team, Value: web}, {TagKey: stage, TagValue: !Ref Stage}]
  Tracker:
    Type: AWS::Personalize::EventTracker
    Properties: {Name: site, DatasetGroupArn: !GetAtt Group.DatasetGroupArn}
  Views:
    Type: AWS::Personalize::MetricAttribution
    Properties:
      Name: views
      DatasetGroupArn: !GetAtt Group.DatasetGroupArn
      Metrics: [{EventType: watch, MetricName: watched, Expression: SAMPLECOUNT()}]
      MetricsOutputConfig: {RoleArn: "arn:aws:iam::123456789012:role/x", S3DataDestination: {Path: "s3://reports/views/"}}
  Events:
    Type: AWS::Personalize::Schema
    Properties:
      Name: !Join ["-", [!Ref Prefix, events]]
      Schema: !Sub |
        {"type": "record", "name": "Interactions", "fields": [{"name": "USER_ID", "type": "string"}]}
  Dataset:
    Type: AWS::Personalize::Dataset
    Properties:
      Name: !Sub "${AWS::StackName}-events"
      DatasetType: Interactions
      DatasetGroupArn: !GetAtt Group.DatasetGroupArn
      SchemaArn: !Ref Events
      DatasetImportJob:
        JobName: first
        DataSource: {DataLocation: !Sub "s3://${Bucket}/${Prefix}/events.csv"}
  Popular:
    Type: AWS::Personalize::Solution
    Properties:
      Name: popular
      DatasetGroupArn: !GetAtt [Group, DatasetGroupArn]
      RecipeArn: !Sub
        - arn:${AWS::Partition}:personalize:::recipe/${Name}
        - {Name: !FindInMap [Recipes, quick, name]}
      PerformHPO: !If [IsSlow, true, !Ref "AWS::NoValue"]
      SolutionConfig:
        EventValueThreshold: "3"
        HpoConfig: {HpoObjective: {Type: max, MetricName: coverage}}
        AlgorithmHyperParameters: {Hidden: "4"}
  Slow:
    Type: AWS::Personalize::Solution
    Condition: IsSlow
    Properties: {Name: slow}
  Bucket: {Type: "AWS::S3::Bucket", Properties: {BucketName: !Sub "${Prefix}-data"}}
"""
MORE = """
Parameters:
  Names: {Type: CommaDelimitedList, Default: "shop, cinema"}
  Hpo: {Type: String, Default: "false"}
  Stored: {Type: "AWS::SSM::Parameter::Value<String>", Default: /shop/name}
Conditions: {Never: !Equals [a, b]}
Resources:
  Site: {Type: AWS::EC2::Instance, Properties: {UserData: !Base64 x, Zone: !Select [0, !GetAZs ""], Net: !Cidr [a, 1, 2]}}
  Group:
    Type: AWS::Personalize::DatasetGroup
    DependsOn: Site
    DeletionPolicy: Retain
    Properties:
      Name: !Select [0, !Ref Names]
      Tags: [!If [Never, {Key: a, Value: b}, !Ref "AWS::NoValue"], {Key: team, Value: 7}]
  Solution:
    Type: AWS::Personalize::Solution
    Properties:
      Name: popular
      DatasetGroupArn: !Join [":", ["arn:aws:personalize", !Ref "AWS::Region", !Ref "AWS::AccountId", dataset-group/shop]]
      RecipeArn: !Sub "arn:${AWS::Partition}:personalize:::recipe/aws-popularity-count"
      PerformHPO: !Ref Hpo
      SolutionConfig: {EventValueThreshold: 3}
"""


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

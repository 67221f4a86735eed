"""An account as a document: written, planned, applied, and read from what a hosted account printed."""

from __future__ import annotations

import json
from io import StringIO

import pytest
import yaml
from django.core.management import call_command
from django.core.management.base import CommandError

from console.configuration import hosted
from console.configuration.applying import ApplyError, apply
from console.configuration.document import Document, DocumentError
from console.configuration.export import export
from console.configuration.kinds import KINDS
from console.configuration.plan import Action, make_plan
from console.models import Campaign, Dataset, DatasetGroup, Solution, SolutionVersion
from console.operations.base import OPERATIONS
from tests.configuration.answers import EVENTS, SCHEMA, ended, hosted_answers, put
from tests.worlds import films

RECIPE = "arn:aws:personalize:::recipe/aws-user-personalization"


def call(operation, account, **params):
    return OPERATIONS[operation](account, **params)


def everything(account, run_jobs):
    """A group with one resource of each kind that can be in a document."""
    group = films(account)
    call("TagResource", account, resource_arn=group.arn, tags=[{"tagKey": "team", "tagValue": "films"}])
    call(
        "CreateFilter",
        account,
        name="unseen",
        dataset_group_arn=group.arn,
        filter_expression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")',
    )
    call("CreateEventTracker", account, name="site", dataset_group_arn=group.arn)
    call(
        "CreateMetricAttribution", account, name="views", dataset_group_arn=group.arn,
        metrics=[{"eventType": "watch", "metricName": "watched", "expression": "SAMPLECOUNT()"}],
        metrics_output_config={"roleArn": "arn:aws:iam::000000000000:role/r"},
    )  # fmt: skip
    solution = call(
        "CreateSolution", account, name="personal", dataset_group_arn=group.arn, recipe_arn=RECIPE,
        solution_config={"algorithmHyperParameters": {"mode": "fast"}},
    )["solutionArn"]  # fmt: skip
    version = call("CreateSolutionVersion", account, solution_arn=solution)["solutionVersionArn"]
    run_jobs()
    call(
        "CreateCampaign", account, name="front", solution_version_arn=version, min_provisioned_tps=1,
        campaign_config={"itemExplorationConfig": {"explorationWeight": "0.3"}},
    )  # fmt: skip


def test_it_round_trips(account, other_account, run_jobs):
    everything(account, run_jobs)
    document = Document.from_yaml(export(account).to_yaml())
    assert not make_plan(account, document).steps
    assert {kind.noun for kind, _ in document.entries()} == {kind.noun for kind in KINDS} - {
        "recommender"
    }  # of domain groups
    assert "aws_secret" not in document.to_yaml()

    sources = {entry["name"]: entry for entry in document.sections["datasets"]}
    assert sources  # the rows of this world were not imported from a file, so that the copy is filled from one
    storage_location = put("events.csv", EVENTS)
    for entry in document.sections["datasets"]:
        if entry["datasetType"].upper() == "INTERACTIONS":
            entry["importFrom"] = storage_location
    document.sections["schemas"][:] = [
        entry | ({"schema": SCHEMA} if entry["schema"]["name"] == "Interactions" else {})
        for entry in document.sections["schemas"]
    ]
    document.sections["filters"].clear()
    apply(other_account, make_plan(other_account, document), ended(run_jobs), lambda _told: None)
    again = make_plan(other_account, document)
    assert not again.steps, str(again)
    assert Campaign.objects.for_account(other_account).get().solution_version.solution.name == "personal"
    tags = call(
        "ListTagsForResource", other_account, resource_arn=DatasetGroup.objects.for_account(other_account).get().arn
    )
    assert tags["tags"] == [{"tagKey": "team", "tagValue": "films"}]


def document(**changes) -> Document:
    """A group with interactions, a solution and its campaign."""
    content = {
        "openpersonalize": 1,
        "schemas": [{"name": "events", "schema": SCHEMA}],
        "datasetGroups": [{"name": "shop"}],
        "datasets": [
            {"name": "shop-events", "schema": "events", "datasetGroup": "shop", "datasetType": "Interactions"}
        ],
        "solutions": [
            {"name": "popular", "datasetGroup": "shop", "recipe": "aws-popularity-count", "performAutoTraining": False}
        ],
        "campaigns": [{"name": "front", "solution": "popular", "minProvisionedTPS": 1}],
    }
    return Document.from_yaml(yaml.safe_dump(content | changes))


def test_a_plan_says_what_it_would_do(account):
    wanted = document()
    wanted.sections["datasets"][0]["importFrom"] = put("plan.csv", EVENTS)
    plan = make_plan(account, wanted)
    assert [(str(step.action), step.kind.noun) for step in plan.steps] == [
        ("+", "schema"), ("+", "datasetGroup"), ("+", "dataset"), ("<", "dataset"), ("+", "solution"), ("*", "solution"), ("+", "campaign"),
    ]  # fmt: skip
    assert "< dataset shop-events: import s3://configuration/plan.csv" in str(plan)
    assert not DatasetGroup.objects.for_account(account).exists()


def test_changes_are_made_in_place_and_the_rest_is_a_conflict(account, run_jobs):
    wanted = document()
    wanted.sections["datasets"][0]["importFrom"] = put("shop.csv", EVENTS)
    apply(account, make_plan(account, wanted), ended(run_jobs), lambda _told: None)

    wanted.sections["campaigns"][0]["minProvisionedTPS"] = 5
    plan = make_plan(account, wanted)
    assert str(plan).splitlines()[:2] == ["~ campaign front", "    minProvisionedTPS: 1 → 5"]
    apply(account, plan, ended(run_jobs), lambda _told: None)
    assert Campaign.objects.get().min_provisioned_tps == 5

    wanted.sections["solutions"][0]["recipe"] = "aws-sims"
    plan = make_plan(account, wanted)
    assert [step.action for step in plan.steps] == [Action.CONFLICT]
    with pytest.raises(ApplyError, match='recipe: "aws-popularity-count" → "aws-sims"'):
        apply(account, plan, ended(run_jobs), lambda _told: None)


def test_what_an_entry_names_and_nothing_makes_is_a_conflict(account):
    text = """
openpersonalize: 1
datasetGroups: [{name: shop}]
solutions:
- {name: best, datasetGroup: shop, recipe: aws-popularity-count}
- {name: lost, datasetGroup: shpo, recipe: aws-popularity-count}
campaigns: [{name: front, solution: beast}]
"""
    plan = make_plan(account, Document.from_yaml(text))
    assert [str(step) for step in plan.conflicts if "refused" not in str(step)] == [
        "! solution lost names the datasetGroup shpo, which is neither in the account nor in the document",
        "! campaign front names the solution beast, which is neither in the account nor in the document",
    ]
    with pytest.raises(ApplyError, match="shpo"):
        apply(account, plan, wait=lambda job: None, report=lambda line: None)
    assert not DatasetGroup.objects.exists(), "with a conflict nothing is applied"


def test_what_only_the_account_has_is_left_and_said(account):
    call("CreateDatasetGroup", account, name="old")
    plan = make_plan(account, Document({}))
    assert "Only in the account, left as they are: datasetGroup old." in str(plan)


def test_a_failed_import_ends_the_run_and_a_later_one_goes_on(account, run_jobs):
    wanted = document()
    wanted.sections["datasets"][0]["importFrom"] = put("bad.csv", "COLOUR\nred\n")
    with pytest.raises(ApplyError, match="shop-events-1 ended CREATE FAILED"):
        apply(account, make_plan(account, wanted), ended(run_jobs), lambda _told: None)
    assert Dataset.objects.exists()
    wanted.sections["datasets"][0]["importFrom"] = put("late.csv", EVENTS)
    apply(account, make_plan(account, wanted), ended(run_jobs), lambda _told: None)
    assert SolutionVersion.objects.get().status == "ACTIVE"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not YAML"),
        ("schemas: []", "must begin with `openpersonalize: 1`"),
        ("openpersonalize: 2", "must begin with `openpersonalize: 1`"),
        ("openpersonalize: 1\nsolution: []", "no section solution; allowed are schemas"),
        ("openpersonalize: 1\nsolutions: 3", "a list of entries is needed"),
        ("openpersonalize: 1\nsolutions: [x]", r"solutions\[0\] is \"x\", a mapping is needed"),
        ("openpersonalize: 1\nfilters: [{name: f, datasetGroup: g}]", r"filters\[0\] \(f\) lacks filterExpression"),
        (
            "openpersonalize: 1\ndatasetGroups: [{name: g, colour: red}]",
            r"datasetGroups\[0\] has colour, allowed are name",
        ),
        ("openpersonalize: 1\ndatasetGroups: [{name: g}, {name: g}]", "two entries named g"),
        ("openpersonalize: 1\nfilters: []\nfilters: []", "the key filters stands twice"),
        ("openpersonalize: 1\ndatasetGroups: [{name: g, tags: {a: b, a: c}}]", "the key a stands twice"),
        ("openpersonalize: 1\ndatasetGroups: " + "[" * 5000, "nested too deeply"),
        ("openpersonalize: 1\ndatasetGroups: 2024-01-01", "a list of entries is needed"),
        ("openpersonalize: 1\ndatasetGroups: [2024-01-01]", "a mapping is needed"),
        ("openpersonalize: 1\ndatasetGroups: [{name: [g]}]", r"datasetGroups\[0\].name is \['g'\], text is needed"),
        ("openpersonalize: 1\ndatasetGroups: [{name: 12}]", r"name is 12, text is needed; put it in quotes"),
        ("openpersonalize: 1\ndatasetGroups: [{name: 2024-01-01}]", r"name is .*, text is needed; put it in quotes"),
        ('openpersonalize: 1\ndatasetGroups: [{name: "g\\0"}]', "holds NUL"),
        ('openpersonalize: 1\ndatasetGroups: [{name: "g\\ud800"}]', "no Unicode text"),
        ("openpersonalize: 1\ndatasetGroups: [{name: g, tags: [a]}]", r"tags is \['a'\], a mapping is needed"),
        ("openpersonalize: 1\ndatasetGroups: [{name: g, tags: {a: 1}}]", r"tags.a is 1, text is needed"),
        ("openpersonalize: 1\ndatasetGroups: [{name: g, tags: {1: a}}]", r"tags's key is 1, text is needed"),
        ("openpersonalize: 1\nschemas: [{name: s, schema: 7}]", r"schemas\[0\].schema is 7, a mapping is needed"),
        ("openpersonalize: 1\nschemas: [{name: s, schema: '{}'}]", r"schemas\[0\].schema is .*, a mapping is needed"),
        (
            "openpersonalize: 1\nfilters: [{name: f, datasetGroup: g, filterExpression: 3}]",
            r"filters\[0\].filterExpression is 3. Member must be a string. Put it in quotes",
        ),
        (
            "openpersonalize: 1\ndatasetGroups: [{name: g h}]",
            r"datasetGroups\[0\].name is \"g h\". Member must satisfy",
        ),
        (
            "openpersonalize: 1\nsolutions: [{name: s, datasetGroup: g, recipe: r, performHPO: 'no'}]",
            r"performHPO is \"no\". Member must be true or false",
        ),
        (
            "openpersonalize: 1\nsolutions: [{name: s, datasetGroup: g, recipe: r, solutionConfig: {algorithmHyperParameters: {bptt: 3}}}]",
            r"solutionConfig.algorithmHyperParameters.bptt is 3. Member must be a string. Put it in quotes",
        ),
        (
            "openpersonalize: 1\ncampaigns: [{name: c, solution: s, campaignConfig: {colour: red}}]",
            r"campaignConfig.colour is \"red\". Unknown parameter; allowed are",
        ),
        (
            "openpersonalize: 1\ndatasets: [{name: d, datasetGroup: g, schema: s, datasetType: USERS, importFrom: [s3://b/a, null]}]",
            r"datasets\[0\].importFrom is null. Member must be a string",
        ),
        ("openpersonalize: 1\nschemas: [{name: s, schema: &a {b: *a}}]", "holds itself"),
        (
            "openpersonalize: 1\nsolutions: [{name: s, datasetGroup: {a: b}, recipe: r}]",
            r"solutions\[0\].datasetGroup is .*, text is needed",
        ),
    ],
)
def test_a_wrong_document_is_refused_with_its_place(text, message):
    with pytest.raises(DocumentError, match=message):
        Document.from_yaml(text)


def test_a_member_without_a_value_is_as_good_as_absent(account):
    text = "openpersonalize: 1\ndatasetGroups: [{name: g, tags: , roleArn: , domain: }]"
    apply(account, make_plan(account, Document.from_yaml(text)), lambda _job: None, lambda _told: None)
    assert DatasetGroup.objects.get().name == "g"
    assert make_plan(account, Document.from_yaml(text)).steps == []


def test_a_hosted_account_is_made_here(account, run_jobs, tmp_path):
    for number, answer in enumerate(hosted_answers()):
        (tmp_path / f"{number}.json").write_text(json.dumps(answer))
    document = hosted.read([tmp_path])
    assert document.sections["campaigns"] == [{"name": "front", "solution": "popular", "minProvisionedTPS": 1}]
    assert document.sections["datasets"][0]["importFrom"] == "s3://shop-data/exports/events.csv"
    document.sections["datasets"][0]["importFrom"] = put("hosted.csv", EVENTS)
    apply(account, make_plan(account, document), ended(run_jobs), lambda _told: None)
    assert Campaign.objects.get().name == "front"


def test_a_command_brings_the_data_and_shows_the_plan_first(account, tmp_path):
    (tmp_path / "all.json").write_text(json.dumps(hosted_answers()))
    told = StringIO()
    call_command("import_aws", str(tmp_path / "all.json"), account="alice", write=tmp_path / "tree.yaml", stdout=told)
    assert "+ campaign front" in told.getvalue()
    assert not Solution.objects.exists()
    assert (
        Document.from_yaml((tmp_path / "tree.yaml").read_text()).sections["solutions"][0]["recipe"]
        == "aws-popularity-count"
    )


def test_a_template_is_read_with_its_references(tmp_path):
    (tmp_path / "stack.yaml").write_text(
        """
        Resources:
          Group:
            Type: AWS::Personalize::DatasetGroup
            Properties: {Name: shop}
          Events:
            Type: AWS::Personalize::Schema
            Properties:
              Name: events
              Schema: '{"type": "record", "name": "Interactions", "fields": []}'
          Dataset:
            Type: AWS::Personalize::Dataset
            Properties:
              Name: shop-events
              DatasetType: Interactions
              DatasetGroupArn: !GetAtt Group.DatasetGroupArn
              SchemaArn: !GetAtt Events.SchemaArn
              DatasetImportJob:
                JobName: first
                DataSource: {DataLocation: s3://shop-data/events.csv}
          Popular:
            Type: AWS::Personalize::Solution
            Properties:
              Name: popular
              DatasetGroupArn: {"Fn::GetAtt": [Group, DatasetGroupArn]}
              RecipeArn: arn:aws:personalize:::recipe/aws-popularity-count
              PerformHPO: false
          Bucket: {Type: "AWS::S3::Bucket"}
        """
    )
    document = hosted.read([tmp_path / "stack.yaml"])
    assert document.sections["datasets"] == [
        {
            "name": "shop-events",
            "schema": "events",
            "datasetGroup": "shop",
            "datasetType": "Interactions",
            "importFrom": "s3://shop-data/events.csv",
        }
    ]
    assert document.sections["solutions"][0] == {
        "name": "popular",
        "performHPO": False,
        "recipe": "aws-popularity-count",
        "datasetGroup": "shop",
    }


def test_what_has_nothing_of_personalize_is_refused(tmp_path):
    (tmp_path / "other.json").write_text('{"Buckets": []}')
    with pytest.raises(DocumentError, match="No resource of Amazon Personalize"):
        hosted.read([tmp_path])
    with pytest.raises(DocumentError, match="There is no file"):
        hosted.read([tmp_path / "missing.json"])
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(DocumentError, match=r"broken.json cannot be read"):
        hosted.read([tmp_path])


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_the_commands_refuse_what_is_no_document(account, tmp_path, command):
    (tmp_path / "x.yaml").write_text("colour: red")
    with pytest.raises(CommandError, match="must begin with"):
        call_command(command, str(tmp_path / "x.yaml"))
    with pytest.raises(CommandError, match="No such file"):
        call_command(command, str(tmp_path / "y.yaml"))
    (tmp_path / "z.yaml").write_bytes(b"\xff\xfe\0")
    with pytest.raises(CommandError, match="not UTF-8"):
        call_command(command, str(tmp_path / "z.yaml"))


def test_the_export_command_prints_the_document(account):
    call("CreateDatasetGroup", account, name="shop")
    told = StringIO()
    call_command("export", account="alice", stdout=told)
    assert Document.from_yaml(told.getvalue()).sections["datasetGroups"] == [{"name": "shop"}]

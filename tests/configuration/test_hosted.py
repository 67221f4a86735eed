"""What a hosted account's answers and templates look like in people's hands: read whole, and never as something else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pprint import pformat

import pytest

from console.configuration import hosted
from console.configuration.applying import apply
from console.configuration.document import DocumentError
from console.configuration.export import export
from console.configuration.plan import make_plan
from console.models import Dataset
from tests.configuration.answers import ARN, EVENTS, MORE, SCHEMA, TEMPLATE, ended, hosted_answers, put


def read(folder, *answers):
    for number, answer in enumerate(answers):
        (folder / f"{number}.json").write_text(json.dumps(answer))
    return hosted.read([folder])


def job(name, location, *, mode="FULL", status="ACTIVE", day=1):
    return {
        "datasetImportJob": {
            "jobName": name, "datasetImportJobArn": f"{ARN}:dataset-import-job/{name}", "datasetArn": f"{ARN}:dataset/shop/INTERACTIONS",
            "dataSource": {"dataLocation": location}, "importMode": mode, "status": status, "creationDateTime": f"2024-01-{day:02}T00:00:00+00:00",
        }
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])  # the last two are PowerShell's
def test_answers_behind_each_other_in_one_file_are_read(tmp_path, encoding):
    text = "\n".join(json.dumps(answer, indent=4) for answer in hosted_answers())
    (tmp_path / "all.json").write_bytes(text.encode(encoding))
    document = hosted.read([tmp_path])
    assert [entry["name"] for entry in document.sections["campaigns"]] == ["front"]
    assert document.sections["schemas"][0]["schema"] == SCHEMA


def test_a_solution_version_with_a_name_is_not_taken_for_its_solution(tmp_path):
    version = {
        "name": "nightly", "solutionVersionArn": f"{ARN}:solution/popular/1a2b", "solutionArn": f"{ARN}:solution/popular",
        "datasetGroupArn": f"{ARN}:dataset-group/shop", "recipeArn": "arn:aws:personalize:::recipe/aws-popularity-count",
    }  # fmt: skip
    document = read(tmp_path, *hosted_answers(), {"solutionVersion": version})
    assert [entry["name"] for entry in document.sections["solutions"]] == ["popular"]


@pytest.mark.parametrize("printed", [lambda answers: "\n".join(map(repr, answers)), pformat], ids=["print", "pprint"])
def test_answers_as_python_prints_them_are_read(tmp_path, printed):
    made = datetime(2024, 1, 5, 7, 30, tzinfo=UTC)
    answers = [answer for answer in hosted_answers() if "datasetImportJob" not in answer]
    jobs = [job("new", "s3://d/new.csv"), job("old", "s3://d/old.csv")]
    jobs[0]["datasetImportJob"]["creationDateTime"] = made
    jobs[1]["datasetImportJob"]["creationDateTime"] = made - timedelta(days=1)
    (tmp_path / "answers.json").write_text(printed([*answers, *jobs, {"failureReason": None, "performHPO": True}]))
    document = hosted.read([tmp_path])
    assert [entry["name"] for entry in document.sections["campaigns"]] == ["front"]
    assert document.sections["datasets"][0]["importFrom"] == "s3://d/new.csv"


def test_pieces_of_pages_add_up(tmp_path):
    pages = [
        {
            "datasetGroups": [{"name": f"g{n}", "datasetGroupArn": f"{ARN}:dataset-group/g{n}"}],
            "nextToken": "more",
            "ResponseMetadata": {},
        }
        for n in range(5)
    ]
    (tmp_path / "first.json").write_text(json.dumps(pages[:2]))
    (tmp_path / "second.jsonl").write_text("\n".join(map(json.dumps, pages[2:4])))
    (tmp_path / "third.json").write_text(json.dumps(pages[4]["datasetGroups"]))  # --query datasetGroups
    groups = hosted.read([tmp_path]).sections["datasetGroups"]
    assert sorted(entry["name"] for entry in groups) == [f"g{n}" for n in range(5)]


def test_all_that_lacks_a_description_is_told_at_once(tmp_path):
    listed = [
        {"schemas": [{"name": "events", "schemaArn": f"{ARN}:schema/events"}]},
        {"solutions": [{"name": "popular", "solutionArn": f"{ARN}:solution/popular", "status": "ACTIVE"}]},
        {"campaigns": [{"name": f"c{n}", "campaignArn": f"{ARN}:campaign/c{n}"} for n in range(20)]},
    ]
    with pytest.raises(DocumentError) as refused:
        read(tmp_path, *listed)
    assert "schema events lacks schema; add what DescribeSchema prints of it." in str(refused.value)
    assert "solution popular lacks datasetGroup; add what DescribeSolution prints of it." in str(refused.value)
    assert str(refused.value).endswith("12 more lack something, too.")


def test_what_failed_or_goes_away_is_left_out(tmp_path):
    answers = hosted_answers()
    failed = answers[-1]["campaign"] | {
        "name": "broken",
        "campaignArn": f"{ARN}:campaign/broken",
        "status": "CREATE FAILED",
    }
    going = answers[-1]["campaign"] | {
        "name": "going",
        "campaignArn": f"{ARN}:campaign/going",
        "status": "DELETE IN_PROGRESS",
    }
    document = read(tmp_path, *answers, {"campaign": failed}, {"campaign": going})
    assert [entry["name"] for entry in document.sections["campaigns"]] == ["front"]


def test_rows_come_from_the_newest_full_import_and_what_was_added_since(tmp_path):
    answers = [answer for answer in hosted_answers() if "datasetImportJob" not in answer]
    jobs = [
        job("c", "s3://d/march.csv", mode="INCREMENTAL", day=9),
        job("old", "s3://d/old.csv", day=1),
        job("failed", "s3://d/failed.csv", status="CREATE FAILED", day=10),
        job("b", "s3://d/february.csv", mode="INCREMENTAL", day=8),
        job("a", "s3://d/january.csv", day=7),
    ]
    document = read(tmp_path, *answers, *jobs)
    assert document.sections["datasets"][0]["importFrom"] == [
        "s3://d/january.csv", "s3://d/february.csv", "s3://d/march.csv",
    ]  # fmt: skip


def test_added_rows_are_imported_behind_the_full_ones_and_exported_so(account, run_jobs, tmp_path):
    header, *rows = EVENTS.splitlines(keepends=True)
    answers = [answer for answer in hosted_answers() if "datasetImportJob" not in answer]
    places = [put("january.csv", header + "".join(rows[:600])), put("february.csv", header + "".join(rows[600:]))]
    document = read(tmp_path, *answers, job("a", places[0], day=1), job("b", places[1], mode="INCREMENTAL", day=2))
    plan = make_plan(account, document)
    assert f"< dataset shop-events: import {places[1]}, added" in str(plan)
    apply(account, plan, ended(run_jobs), lambda _told: None)
    assert Dataset.objects.get().statistics["rows"] == len(rows)
    assert export(account).sections["datasets"][0]["importFrom"] == places
    assert not make_plan(account, document).steps


def test_datasets_of_two_groups_may_have_one_name(account, run_jobs, tmp_path):
    other = {
        "datasetGroups": [{"name": "cinema", "datasetGroupArn": f"{ARN}:dataset-group/cinema", "status": "ACTIVE"}]
    }
    dataset = hosted_answers()[2]["dataset"] | {
        "datasetArn": f"{ARN}:dataset/cinema/INTERACTIONS", "datasetGroupArn": f"{ARN}:dataset-group/cinema",
    }  # fmt: skip
    answers = [answer for answer in hosted_answers() if not {"campaign", "datasetImportJob"} & answer.keys()]
    document = read(tmp_path, *answers, other, {"dataset": dataset})
    apply(account, make_plan(account, document), ended(run_jobs), lambda _told: None)
    assert {row.dataset_group.name for row in Dataset.objects.filter(name="shop-events")} == {"shop", "cinema"}
    assert not make_plan(account, document).steps


def test_one_name_for_two_different_things_is_refused(tmp_path):
    abroad = hosted_answers()[-2]["solution"] | {
        "solutionArn": "arn:aws:personalize:us-east-1:123456789012:solution/popular", "performHPO": True,
    }  # fmt: skip
    with pytest.raises(DocumentError, match="two different solutions named popular, perhaps of two regions"):
        read(tmp_path, *hosted_answers(), {"solution": abroad})


def test_metrics_find_their_attribution(tmp_path):
    attribution = {
        "name": "views", "metricAttributionArn": f"{ARN}:metric-attribution/views", "datasetGroupArn": f"{ARN}:dataset-group/shop",
        "metricsOutputConfig": {"roleArn": "arn:aws:iam::123456789012:role/x"}, "status": "ACTIVE",
    }  # fmt: skip
    listed = {"metrics": [{"eventType": "watch", "metricName": "watched", "expression": "SAMPLECOUNT()"}]}
    document = read(tmp_path, *hosted_answers(), {"metricAttribution": attribution}, listed)
    assert document.sections["metricAttributions"][0]["metrics"] == listed["metrics"]


def test_functions_parameters_and_conditions_of_a_template_are_carried_out(tmp_path):
    (tmp_path / "stack.yaml").write_text(TEMPLATE)
    document = hosted.read([tmp_path], {"Stage": "live", "AWS::StackName": "web"})
    assert document.sections["datasetGroups"] == [{"name": "shop-live", "tags": {"team": "web", "stage": "live"}}]
    assert document.sections["eventTrackers"] == [{"name": "site", "datasetGroup": "shop-live"}]
    assert document.sections["metricAttributions"] == [
        {
            "name": "views", "datasetGroup": "shop-live",
            "metrics": [{"eventType": "watch", "metricName": "watched", "expression": "SAMPLECOUNT()"}],
            "metricsOutputConfig": {
                "roleArn": "arn:aws:iam::123456789012:role/x", "s3DataDestination": {"path": "s3://reports/views/"},
            },
        }
    ]  # fmt: skip
    assert document.sections["schemas"][0]["schema"]["fields"] == [{"name": "USER_ID", "type": "string"}]
    assert document.sections["datasets"] == [
        {
            "name": "web-events", "datasetType": "Interactions", "datasetGroup": "shop-live", "schema": "shop-events",
            "importFrom": "s3://shop-data/shop/events.csv",
        }
    ]  # fmt: skip
    assert document.sections["solutions"] == [
        {
            "name": "popular", "datasetGroup": "shop-live", "recipe": "aws-popularity-count",
            "solutionConfig": {
                "eventValueThreshold": "3", "hpoConfig": {"hpoObjective": {"type": "max", "metricName": "coverage"}},
                "algorithmHyperParameters": {"Hidden": "4"},
            },
        }
    ]  # fmt: skip


def test_a_name_that_a_template_does_not_tell_is_asked_for(tmp_path):
    (tmp_path / "stack.yaml").write_text(TEMPLATE.replace('!Sub "${Prefix}-${Stage}"', "!Ref Stage"))
    with pytest.raises(DocumentError, match=r"The name of Group is .*Stage.*--parameter NAME=VALUE"):
        hosted.read([tmp_path])


def test_what_get_template_prints_is_read(tmp_path):
    (tmp_path / "text.json").write_text(json.dumps({"TemplateBody": TEMPLATE, "StagesAvailable": ["Original"]}))
    assert hosted.read([tmp_path], {"Stage": "live"}).sections["solutions"][0]["name"] == "popular"


def test_members_of_a_template_have_the_types_of_the_api(tmp_path):
    (tmp_path / "stack.yaml").write_text(MORE)
    document = hosted.read([tmp_path])
    assert document.sections["datasetGroups"] == [{"name": "shop", "tags": {"team": "7"}}]
    assert document.sections["solutions"] == [
        {
            "name": "popular", "datasetGroup": "shop", "recipe": "aws-popularity-count", "performHPO": False,
            "solutionConfig": {"eventValueThreshold": "3"},
        }
    ]  # fmt: skip
    cinema = hosted.read([tmp_path], {"Names": "cinema,shop"})
    assert cinema.sections["datasetGroups"][0]["name"] == "cinema"


@pytest.mark.parametrize(
    ("told", "elsewhere", "message"),
    [
        ("!Select [0, !Ref Names]", "!Ref Stored", "The name of Group is"),
        ("!Select [0, !Ref Names]", "'{{resolve:ssm:/shop/name:1}}'", "The name of Group is"),
        ("!Join", "!ImportValue shop-group #", "datasetGroupArn of solution popular is"),
        ("!Join", "'{{resolve:ssm:group}}' #", "datasetGroupArn of solution popular is"),
    ],
)
def test_what_is_kept_elsewhere_is_asked_for(tmp_path, told, elsewhere, message):
    (tmp_path / "stack.yaml").write_text(MORE.replace(told, elsewhere))
    with pytest.raises(DocumentError, match=f"{message}.*which the template does not tell"):
        hosted.read([tmp_path])

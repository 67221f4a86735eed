"""Whatever stands in the files of a hosted account, they are read as a document that can be applied or refused in words."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from console import storage
from console.configuration import hosted
from console.configuration.answers import parse
from console.configuration.document import Document, DocumentError
from console.models import Account, Dataset, Holding
from tests.configuration.answers import ARN, EVENTS, MORE, TEMPLATE, hosted_answers

ODD: tuple[Any, ...] = (
    None, True, -1, 10**30, 1.5, float("nan"), "", "a b", "\ud800", "a\0b", "x" * 5000, [], [1], {}, {"a": {"b": 1}}, [[{}]],
    "arn:aws:personalize:::x", f"{ARN}:campaign/",
)  # fmt: skip
VIEWS = {
    "name": "views", "metricAttributionArn": f"{ARN}:metric-attribution/views", "datasetGroupArn": f"{ARN}:dataset-group/shop",
    "metricsOutputConfig": {"roleArn": "arn:aws:iam::123456789012:role/x"},
    "metrics": [{"eventType": "watch", "metricName": "watched", "expression": "SAMPLECOUNT()"}],
}  # fmt: skip
FILES = {
    "answers": [*hosted_answers(), {"metricAttribution": VIEWS}],
    "template": parse(TEMPLATE)[0],
    "another template": parse(MORE)[0],
}


def places(content: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value in a document."""
    for key in content if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ():
        yield (*above, key)
        yield from places(content[key], (*above, key))


def with_value(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    content = place = copy.deepcopy(content)
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return content


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[-12:])
def test_odd_values_are_read_as_a_document_or_refused(tmp_path, name, odd):
    file = tmp_path / "file.json"
    for path in places(FILES[name]):
        file.write_text(json.dumps(with_value(FILES[name], path, odd), default=str))
        with suppress(DocumentError):  # whatever else is raised fails the test
            document = hosted.read([file], {"Stage": "live"})
            assert list(Document.from_yaml(document.to_yaml()).entries()) == list(document.entries()), path


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000, '{"a":' * 100_000, "a: " + "[" * 5000, "a: &a [*a]", "9" * 10_000, "{'a': datetime.datetime(1, 2)}",
        "Resources: {G: {Type: 'AWS::Personalize::DatasetGroup', Properties: &p {Name: g, Tags: *p}}}",
        "Resources: {G: {Type: 'AWS::Personalize::DatasetGroup', Condition: A}}\nConditions: {A: !Condition A}",
        "a: &a [1, 1]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(20)),
    ],
    ids=["list", "mapping", "yaml", "itself", "number", "time", "properties", "condition", "aliases"],
)  # fmt: skip
def test_files_that_are_nested_without_end_are_refused(tmp_path, text):
    (tmp_path / "file.yaml").write_text(text)
    with pytest.raises(DocumentError):
        hosted.read([tmp_path])


@pytest.fixture
def answers(account, tmp_path):
    """A file of answers, and a folder for copied buckets."""
    (tmp_path / "answers.json").write_text(json.dumps(hosted_answers()))
    (tmp_path / "data").mkdir()
    return tmp_path


def place(folder, name: str) -> None:
    (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / "data" / name).write_text(EVENTS)


def imported(folder, *more: str) -> str:
    told = io.StringIO()
    call_command("import_aws", str(folder / "answers.json"), f"--data={folder / 'data'}", "--account=alice", *more, stdout=told)  # fmt: skip
    return told.getvalue()


def test_a_plan_counts_files_that_will_be_copied_and_copies_none(answers):
    place(answers, "shop-data/exports/events.csv")
    assert "< dataset shop-events: import s3://shop-data/exports/events.csv" in imported(answers)
    assert not storage.exists(storage.parse_location("s3://shop-data/exports/events.csv"))
    assert not Holding.objects.exists()


def test_applying_copies_the_files_first_and_they_are_the_accounts(answers, account, run_jobs, monkeypatch):
    place(answers, "shop-data/exports/events.csv")
    monkeypatch.setattr("console.management.configuring.ConfigurationCommand._wait", lambda *_: run_jobs())
    assert "1 files copied from" in imported(answers, "--apply")
    assert Dataset.objects.get().statistics["rows"] == EVENTS.count("\n") - 1
    assert {row.account for row in Holding.objects.all()} == {account}


def test_nothing_is_copied_where_the_plan_has_conflicts(answers):
    place(answers, "shop-data/exports/other.csv")
    with pytest.raises(CommandError, match=r"There is no object at s3://shop-data/exports/events\.csv"):
        imported(answers, "--apply")
    assert not storage.exists(storage.parse_location("s3://shop-data/exports/other.csv"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("store/artefacts/model", "Access denied: s3://store/artefacts/model is the server's own"),
        ("uploads/000000000003/x.csv", "Access denied: s3://uploads/000000000003/x.csv"),
        ("charlies/x.csv", "s3://charlies/x.csv belongs to another account"),
        ("x.csv", "expected are files in folders named as buckets"),
        ("shop-data/a?b.csv", "Invalid Data location"),
        ("shop-data/\udcff.csv", "expected are files in folders named as buckets"),
    ],
)
@pytest.mark.parametrize("more", [[], ["--apply"]], ids=["plan", "apply"])
def test_files_that_the_account_may_not_write_are_refused_before_any_is_copied(
    answers, other_account, name, message, more
):
    Holding.objects.create(account=other_account, bucket="charlies", prefix="")
    place(answers, "shop-data/exports/events.csv")
    place(answers, name)
    with pytest.raises(CommandError, match=message.replace("?", r"\?")):
        imported(answers, *more)
    assert not storage.exists(storage.parse_location("s3://shop-data/exports/events.csv"))
    assert not Dataset.objects.exists()


def test_an_empty_folder_is_refused(answers):
    with pytest.raises(CommandError, match="has no files"):
        imported(answers)
    assert Account.objects.count() == 1


def test_a_document_that_cannot_be_written_is_told(answers):
    place(answers, "shop-data/exports/events.csv")
    with pytest.raises(CommandError, match=r"--write .*nowhere.* No such file"):
        imported(answers, f"--write={answers / 'nowhere' / 'account.yaml'}")

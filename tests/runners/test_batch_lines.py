"""Batch jobs that last: bad lines aside, many files, a worker that dies half-way, a real S3."""

from __future__ import annotations

import bz2
import gzip
import json
from datetime import timedelta

import boto3
import pytest
from django.utils import timezone
from moto.server import ThreadedMotoServer

from console import jobs, storage, tasks
from console.errors import InvalidInputException
from console.models import BatchInferenceJob
from console.runners import lines
from console.storage import s3
from tests.factories import ROLE, call, put_lines, put_object, read_lines, run_batch, start_batch, trained
from tests.worlds import films

FAST = {"algorithmHyperParameters": {"mode": "fast"}}


class Killed(BaseException):
    """As kill -9 does, it runs no handler that the job could end by."""


@pytest.fixture
def version(account, run_jobs):
    return trained(account, run_jobs, films(account), "aws-user-personalization", solution_config=FAST)


def lose_worker(row, monkeypatch, after):
    """Run the job until its worker has answered `after` chunks, then let it die as a killed process would."""
    passed = 0
    tell = lines._Conversion._tell

    def dying(self, *args):
        nonlocal passed
        passed += 1
        tell(self, *args)
        if passed > after:
            raise Killed

    monkeypatch.setattr(lines._Conversion, "_tell", dying)
    with pytest.raises(Killed):
        tasks.run("BatchInferenceJob", row.pk)
    monkeypatch.setattr(lines._Conversion, "_tell", tell)
    BatchInferenceJob.objects.filter(pk=row.pk).update(heartbeat=timezone.now() - timedelta(seconds=60))
    assert jobs.reap() == 1


def test_a_job_goes_on_where_its_worker_died(account, run_jobs, version, monkeypatch):
    monkeypatch.setattr(lines, "SEGMENT_S", 0.0)
    monkeypatch.setattr("console.runners.batch.batch_size", lambda _: 5)
    asked = ["", *({"userId": f"u{n}"} for n in range(28)), "no json", "", {"userId": "last"}]
    path = put_lines("users.json", asked)
    start_batch(account, version, "whole", path)
    run_jobs()
    row = start_batch(account, version, "lost", path)
    lose_worker(row, monkeypatch, after=3)
    row.refresh_from_db()
    assert row.report["current"]["lines"] == 15
    assert not storage.exists(storage.parse_location("s3://data/lost/out/users.json.out"))
    lose_worker(row, monkeypatch, after=1)
    run_jobs()
    row.refresh_from_db()
    assert (row.status, row.report) == (
        "ACTIVE",
        {"files": ["s3://data/users.json"], "lines": 30, "errors": 1},
    )
    found = read_lines("lost/out/users.json.out")
    assert [line["input"] for line in found] == [line for line in asked if line]
    assert [line["input"] for line in found] == [line["input"] for line in read_lines("whole/out/users.json.out")]
    assert storage.list_objects(storage.store(f"batch/BatchInferenceJob-{row.pk}/")) == []


def test_what_is_explored_is_the_same_on_every_attempt(account, run_jobs, version, monkeypatch):
    monkeypatch.setattr(lines, "SEGMENT_S", 0.0)
    monkeypatch.setattr("console.runners.batch.batch_size", lambda _: 5)
    path = put_lines("users.json", [{"userId": f"u{n}"} for n in range(30)])
    config = {"itemExplorationConfig": {"explorationWeight": "1"}}
    row = start_batch(account, version, "explored", path, batch_inference_job_config=config)
    run_jobs()
    first = read_lines("explored/out/users.json.out")
    BatchInferenceJob.objects.filter(pk=row.pk).update(status="CREATE PENDING", report={}, attempts=0)
    lose_worker(row, monkeypatch, after=2)
    run_jobs()
    assert read_lines("explored/out/users.json.out") == first


def test_bad_lines_stand_in_a_file_of_their_own_too(account, run_jobs, version):
    bad = [
        "not json", "[1]", '{"userId": NaN}', '{"userId": "\\ud800"}', '{"userId": true}', '{"userId": "u1", "context": 3}',
        "[" * 5000, '{"userId": "' + "x" * lines.MOST_LINE_BYTES + '"}', '{"userId": ""}',
    ]  # fmt: skip
    found = run_batch(account, run_jobs, version, [{"userId": "u1"}, *bad, {"userId": "u2"}], "bad")
    assert [line["error"] is None for line in found] == [True, *(False for _ in bad), True]
    aside = read_lines("bad/out/in.json.errors")
    assert [line["line"] for line in aside] == list(range(2, 2 + len(bad)))
    assert all(line["error"] and line["output"] is None for line in aside)
    assert "1,048,576 bytes" in aside[7]["error"]
    assert len(aside[7]["input"]) <= lines.ECHOED
    row = BatchInferenceJob.objects.get()
    assert (row.status, row.report["lines"], row.report["errors"]) == ("ACTIVE", 11, 9)
    assert row.progress["log"][-1].endswith("11 lines, 9 of them with an error")


def test_every_file_of_a_folder_is_answered(account, run_jobs, version):
    put_lines("many/a.json", [{"userId": "u1"}])
    put_lines("many/b.json", [])
    put_lines("many/deeper/c.json", [{"userId": "u3"}])
    for marker in ("_SUCCESS", "_committed_1", "part-0.json.crc", "many_$folder$", "README.md"):
        put_object(f"many/{marker}", "not a line", "data")
    start_batch(account, version, "many", "s3://data/many/")
    run_jobs()
    names = [each.key for each in storage.list_objects(storage.parse_location("s3://data/many/out/"))]
    assert names == ["many/out/_CHECK", "many/out/a.json.out", "many/out/b.json.out"]
    assert read_lines("many/out/b.json.out") == []


def test_contexts_and_reasons(account, run_jobs, version):
    asked = [{"userId": "u1", "context": {"DEVICE": "tv"}}, {"userId": "stranger"}]
    assert all("reasons" not in line["output"] for line in run_batch(account, run_jobs, version, asked, "v1"))
    newer = trained(account, run_jobs, films(account, "more"), "aws-user-personalization-v2", solution_config=FAST)
    known, stranger = run_batch(account, run_jobs, newer, asked, "v2", num_results=3)
    assert known["output"]["reasons"] == [[], [], []]
    assert stranger["output"]["reasons"] == [["Popular item"]] * 3


def test_themes(account, run_jobs, monkeypatch):
    group = films(account)
    version = trained(account, run_jobs, group, "aws-similar-items")
    config = {
        "batch_inference_job_mode": "THEME_GENERATION",
        "theme_generation_config": {"fieldsForThemeGeneration": {"itemName": "TITLE"}},
    }
    asked = [{"itemId": f"i{n}"} for n in range(4)]
    found = run_batch(account, run_jobs, version, asked, "themes", num_results=10, **config)
    for number, line in enumerate(found):
        output = line["output"]
        assert list(output) == ["recommendedItems", "theme", "itemsThemeRelevanceScores"]
        assert len(output["itemsThemeRelevanceScores"]) == 10
        liked = ("Action", "Comedy", "Drama", "Horror")[number]
        if sum(int(item[1:]) % 4 == number for item in output["recommendedItems"]) > 6:
            assert output["theme"].startswith(liked)
    described = call("ListBatchInferenceJobs", account)["batchInferenceJobs"][0]
    assert described["batchInferenceJobMode"] == "THEME_GENERATION"
    monkeypatch.setitem(lines_quota(), "THEME_QUERIES", 3)
    row = start_batch(account, version, "limit", "s3://data/themes/in.json", **config)
    run_jobs()
    row.refresh_from_db()
    assert (row.status, "more than 3 queries" in row.failure_reason) == ("CREATE FAILED", True)


def lines_quota():
    from django.conf import settings  # noqa: PLC0415  the dictionary is patched

    return settings.QUOTAS


@pytest.mark.parametrize(
    ("recipe", "mode", "name", "message"),
    [
        ("aws-similar-items", "THEME_GENERATION", None, "themeGenerationConfig is missing"),
        ("aws-similar-items", "THEME_GENERATION", "SUBTITLE", "no column of the Items dataset; there are: TITLE"),
        ("aws-similar-items", "BATCH_INFERENCE", "TITLE", "goes with batchInferenceJobMode"),
        ("aws-popularity-count", "THEME_GENERATION", "TITLE", "related items"),
    ],
    ids=["no config", "unknown column", "other mode", "other recipe"],
)
def test_it_rejects_themes_of_nothing(account, run_jobs, recipe, mode, name, message):
    version = trained(account, run_jobs, films(account), recipe)
    config = {"theme_generation_config": {"fieldsForThemeGeneration": {"itemName": name}}} if name else {}
    with pytest.raises(InvalidInputException, match=message):
        start_batch(account, version, "themes", put_lines("in.json", []), batch_inference_job_mode=mode, **config)


def test_influence_is_for_one_recipe(account, version):
    config = {"rankingInfluence": {"POPULARITY": 0.5}}
    with pytest.raises(InvalidInputException, match="rankingInfluence is for aws-semantic-similarity"):
        start_batch(account, version, "influence", put_lines("in.json", []), batch_inference_job_config=config)


def test_more_queries_than_allowed_answer_nothing(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-item-attribute-affinity")
    path = put_lines("many.json", [{"itemAttributes": 'ITEMS.GENRES = "Comedy"'}] * 11)
    call(
        "CreateBatchSegmentJob", account, job_name="s", solution_version_arn=version, role_arn=ROLE,
        job_input={"s3DataSource": {"path": path}}, job_output={"s3DataDestination": {"path": "s3://data/too-many/"}},
    )  # fmt: skip
    run_jobs()
    found = call("ListBatchSegmentJobs", account)["batchSegmentJobs"][0]
    assert "more than 10 queries" in found["failureReason"]
    assert storage.list_objects(storage.parse_location("s3://data/too-many/")) == []


def test_lines_from_a_real_s3_stay_whole(account, run_jobs, version, settings, monkeypatch):
    monkeypatch.setattr(lines, "SEGMENT_S", 0.0)
    monkeypatch.setattr("console.runners.batch.batch_size", lambda _: 40)
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    model = storage.local_folder(BatchInferenceJob.solution_version.field.related_model.objects.get().artefact)
    settings.AWS_ENDPOINT_URL_S3 = f"http://{host}:{port}"
    monkeypatch.setattr(storage, "local_folder", lambda _: model)
    s3.client.cache_clear()
    try:
        client = boto3.client("s3", endpoint_url=settings.AWS_ENDPOINT_URL_S3)
        for bucket in ("data", storage.STORE_BUCKET):
            client.create_bucket(Bucket=bucket)
        asked = [{"userId": f"u{n}", "context": {"DEVICE": "tv" * 20}} for n in range(100)]
        body = "\n".join(map(json.dumps, asked)).encode()
        assert len(body) > 4 * 1024
        client.put_object(Bucket="data", Key="in/users.json", Body=body)
        row = start_batch(account, version, "s3", "s3://data/in/users.json")
        run_jobs()
        row.refresh_from_db()
        assert (row.status, row.failure_reason) == ("ACTIVE", None)
        assert [line["input"] for line in read_lines("s3/out/users.json.out")] == asked
        assert "Contents" not in client.list_objects_v2(Bucket=storage.STORE_BUCKET)
    finally:
        server.stop()
        s3.client.cache_clear()


def test_input_may_be_packed_or_in_another_encoding(account, run_jobs, version, monkeypatch):
    monkeypatch.setattr(lines, "SEGMENT_S", 0.0)
    monkeypatch.setattr("console.runners.batch.batch_size", lambda _: 2)
    text = "".join(json.dumps({"userId": f"u{n}"}) + "\n" for n in range(5))
    files = {
        "a.jsonl": text.encode("utf-16"),
        "b.jsonl.gz": gzip.compress(text.encode()),
        "c.jsonl.bz2": bz2.compress(text.encode()),
        "d.jsonl": b"\xef\xbb\xbf" + text.encode(),
        "e.gz": gzip.compress(text.encode("utf-16-le")),
    }
    for name, content in files.items():
        put_object(f"asked/{name}", content)
    row = start_batch(account, version, "packed", "s3://data/asked/")
    lose_worker(row, monkeypatch, after=4)
    run_jobs()
    for name in files:
        found = read_lines(f"packed/out/{name}.out")
        assert [line["input"]["userId"] for line in found] == [f"u{n}" for n in range(5)]
        assert all(line["output"]["recommendedItems"] for line in found)
    assert not storage.list_objects(storage.store("batch/"))


def test_damaged_input_is_told(account, run_jobs, version):
    text = gzip.compress(b'{"userId": "u1"}\n' * 999)
    row = start_batch(account, version, "damaged", put_object("users.jsonl.gz", text[:-9]))
    run_jobs()
    row.refresh_from_db()
    assert row.status == "CREATE FAILED"
    assert "users.jsonl.gz looks compressed but cannot be unpacked" in row.failure_reason


LINE = '{"userId": "u1"}'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("windows", f"\ufeff{LINE}\r\n\r\n  \r\n{LINE}"),
        ("list", f"[\n{LINE},\n{LINE}\n]\n"),
        ("commas", f"{LINE},\n{LINE} , \n".replace(" , ", ",")),
        ("number", '{"userId": 7}\n{"userId": 7.0, "note": "x"}\n'),
    ],
)
def test_lines_are_read_as_programs_write_them(account, run_jobs, version, name, text):
    row = start_batch(account, version, name, put_object(f"{name}.json", text.encode()))
    run_jobs()
    row.refresh_from_db()
    assert (row.status, row.report["lines"], row.report["errors"]) == ("ACTIVE", 2, 0)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("joined", LINE * 3, "several stand in one"),
        ("old-mac", f"{LINE}\r{LINE}", "several stand in one"),
        ("one-list", f"[{LINE}, {LINE}]", "without a list around them"),
        ("pretty", json.dumps({"userId": "u1"}, indent=2), "line ends within"),
        ("ids", "u1\nu2\n", 'such as {"userId": "1"}'),
        ("csv", "userId\nu1\n", 'such as {"userId": "1"}'),
        ("empty", "", "The input has no lines"),
        ("blank", "\n \n[\n]\n", "The input has no lines"),
    ],
)
def test_files_of_another_shape_fail_and_say_how_they_must_be(account, run_jobs, version, name, text, reason):
    row = start_batch(account, version, name, put_object(f"{name}.json", text.encode()))
    run_jobs()
    row.refresh_from_db()
    assert row.status == "CREATE FAILED"
    assert reason in row.failure_reason

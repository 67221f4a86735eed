"""Input lines of batch jobs as people write them: read, or refused with the member's name; a job without any answer fails."""

from __future__ import annotations

import pytest

from console.errors import InvalidInputException
from console.models import Account, BatchInferenceJob, Filter
from console.runners import members
from console.serving.batch_results import rows_of
from tests.factories import call, create_filter, run_batch, trained
from tests.worlds import films


def test_ids_are_read_as_they_are_kept():
    line = {"userId": " u1 ", "itemList": [" i1\t", 7]}
    assert user_of(line) == "u1"
    assert members.ids_of(line, "itemList") == ["i1", "7"]


def user_of(line):
    members.check_names(line)
    return members.id_of(line, "userId", needed=True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({}, "userId is missing: the line is empty"),
        ({"id": "7"}, "userId is missing: the line has id"),
        ({"user": "7"}, "user must be written userId"),
        ({"user_id": "7"}, "The line has the member user_id; it must be written userId"),
        ({"USERID": "7"}, "The line has the member USERID; it must be written userId"),
        ({"userId": "7", "filtervalues": {}}, "The line has the member filtervalues; it must be written filterValues"),
        ({"userId": None}, "userId is null; expected a text"),
        ({"userId": " "}, "expected a text that is not empty"),
        ({"userId": 1.5}, "expected a text that is not empty"),
        ({"userId": True}, "userId is 'true'; expected a text"),
        ({"userId": ["7"]}, r"""userId is '\["7"\]'; expected a text"""),
    ],
)
def test_missing_and_odd_members_are_named(line, message):
    with pytest.raises(InvalidInputException, match=message):
        user_of(line)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"userId": "7"}, "itemList is missing: the line has userId"),
        ({"inputList": ["1"]}, "inputList must be written itemList"),
        ({"itemList": "1,2"}, "itemList is '1,2'; expected a list of item ids"),
        ({"itemList": ["1", None]}, "itemList has null in it"),
    ],
)
def test_a_list_to_rank_is_a_list_of_ids(line, message):
    with pytest.raises(InvalidInputException, match=message):
        members.ids_of(line, "itemList")


def test_numbers_are_ids_and_unknown_members_are_the_callers():
    line = {"userId": 7.0, "itemList": [1, "2", 3.0], "campaign": "spring"}
    members.check_names(line)
    assert members.id_of(line, "userId", needed=True) == "7"
    assert members.ids_of(line, "itemList") == ["1", "2", "3"]


@pytest.mark.parametrize(
    "more",
    [{"filters": {"G": "Drama"}}, {"filter": "Drama"}, {"G": "Drama"}, {"$G": "Drama"}, {"filterParameters": {}}],
)
def test_values_of_a_filter_under_another_name_are_refused(more):
    """An EXCLUDE without its value filters nothing, and nobody would notice."""
    row = Filter(
        name="f", account=Account(number="000000000001"), expression="EXCLUDE ItemID WHERE Items.GENRES IN ($G)"
    )
    with pytest.raises(InvalidInputException, match="the values of a filter belong into filterValues"):
        members.bound_of(row, {"userId": "1"} | more)
    assert members.bound_of(row, {"userId": "1", "note": "G", "filterArn": row.arn}) is not None
    for other in (row, None):
        with pytest.raises(InvalidInputException, match="filterArn of its own"):
            members.bound_of(other, {"userId": "1", "filterArn": "arn:aws:personalize:us-east-1:000000000001:filter/g"})


def test_filter_values_are_read_in_any_form_or_refused(account, run_jobs):
    group = films(account)
    version = trained(account, run_jobs, group, "aws-popularity-count")
    expression = "EXCLUDE ItemID WHERE ITEMS.GENRES IN ($G) | EXCLUDE ItemID WHERE ITEMS.PRICE > $P"
    arn = create_filter(account, group, "genre", expression)
    given = [
        {"G": '"Comedy","Drama"'}, {"G": ["Comedy", "Drama"]}, {"G": "Comedy, Drama"}, {"G": '["Comedy","Drama"]', "P": 100},
        {"P": "cheap"}, {"G": None}, {"G": {"a": 1}}, "Comedy",
    ]  # fmt: skip
    lines = [{"userId": "u1", "filterValues": values} for values in given]
    found = run_batch(account, run_jobs, version, lines, "values", filter_arn=arn, num_results=20)
    first = found[0]["output"]["recommendedItems"]
    assert {int(item[1:]) % 4 for item in first} == {0, 3}
    assert [line["output"]["recommendedItems"] for line in found[1:4]] == [first] * 3
    assert [line["error"] for line in found[4:]] == [
        'The parameter P is "cheap", > needs a number.',
        "filterValues.G is null; expected a text, a number or a list of them.",
        """filterValues.G is '{"a": 1}'; expected a text, a number or a list of them.""",
        """filterValues is 'Comedy'; expected an object of texts, such as {"NAME": "value"}.""",
    ]


def test_values_that_nothing_holds_are_told_in_their_line(account, run_jobs):
    group = films(account)
    version = trained(account, run_jobs, group, "aws-popularity-count")
    arn = create_filter(account, group, "genre", "INCLUDE ItemID WHERE ITEMS.GENRES IN ($G)")
    lines = [{"userId": "u1", "filterValues": {"G": value}} for value in ('"Comedy"', '"Comedy, drama"')]
    good, wrong = run_batch(account, run_jobs, version, lines, "near", filter_arn=arn, num_results=5)
    assert set(good) == {"input", "output", "error"}
    assert (wrong["output"]["recommendedItems"], wrong["error"]) == ([], None)
    assert "it is read as one value" in wrong["warnings"][0]
    row = BatchInferenceJob.objects.get()
    told = call("GetBatchResults", account, batch_inference_job_arn=row.arn)["results"]
    assert [one["warnings"] for one in told] == [[], wrong["warnings"]]
    assert list(rows_of(row))[-1] == ("u1", None, None, None, None, wrong["warnings"][0])


def test_a_job_without_a_single_answer_fails_and_says_why(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-popularity-count")
    lines = [{"user_id": "u1"}, {"userId": "u2", "filterValues": {"G": "Comedy"}}]
    found = run_batch(account, run_jobs, version, lines, "wrong")
    assert [line["output"] for line in found] == [None, None]
    row = BatchInferenceJob.objects.get()
    assert row.status == "CREATE FAILED"
    assert row.failure_reason == (
        "None of the 2 lines of the input could be answered. The first error: The line has the member user_id; it must be "
        "written userId. All of them are in s3://data/wrong/out/in.json.errors."
    )
    assert found[1]["error"] == "The line has filterValues; the job has no filterArn."

"""Datasets: what fits into which group, replacing a schema, and what keeps a dataset from being deleted."""

from __future__ import annotations

import pytest

from console.errors import (
    InvalidInputException,
    ResourceAlreadyExistsException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from console.models import (
    BatchInferenceJob,
    BatchSegmentJob,
    Dataset,
    Event,
    EventTracker,
    Filter,
    Solution,
    SolutionVersion,
)
from console.operations.data.dataset_groups import create_dataset_group
from console.operations.data.datasets import (
    create_dataset,
    delete_dataset,
    describe_dataset,
    list_datasets,
    update_dataset,
)
from console.operations.data.schemas import create_schema
from tests.factories import INTERACTIONS, ITEMS, make_dataset, schema_text
from tests.worlds import films

ACTION_EVENTS = [("USER_ID", "string"), ("ACTION_ID", "string"), ("EVENT_TYPE", "string"), ("TIMESTAMP", "long")]


def schema(account, name, kind, fields, **members):
    return create_schema(account, name=name, schema=schema_text(kind, fields), **members)["schemaArn"]


def test_it_works(account):
    arn = make_dataset(account)

    dataset = describe_dataset(account, dataset_arn=arn)["dataset"]

    assert arn == "arn:aws:personalize:us-east-1:000000000001:dataset/films/INTERACTIONS"
    assert (dataset["status"], dataset["datasetType"]) == ("ACTIVE", "INTERACTIONS")
    assert dataset["schemaArn"].endswith("schema/films-Interactions")
    assert [
        row["datasetArn"] for row in list_datasets(account, dataset_group_arn=dataset["datasetGroupArn"])["datasets"]
    ] == [arn]


def test_action_interactions_have_a_tracking_id(account):
    group = create_dataset_group(account, name="g")["datasetGroupArn"]
    text = schema(account, "s", "ActionInteractions", ACTION_EVENTS)

    arn = create_dataset(
        account, name="d", schema_arn=text, dataset_group_arn=group, dataset_type="Action_Interactions"
    )["datasetArn"]

    assert arn.endswith("dataset/g/ACTION_INTERACTIONS")
    assert describe_dataset(account, dataset_arn=arn)["dataset"]["trackingId"]


def test_a_group_holds_one_of_a_type(account):
    make_dataset(account)
    group = "arn:aws:personalize:us-east-1:000000000001:dataset-group/films"

    with pytest.raises(ResourceAlreadyExistsException):
        create_dataset(
            account,
            name="other",
            schema_arn=schema(account, "s", "Interactions", INTERACTIONS),
            dataset_group_arn=group,
            dataset_type="interactions",
        )


@pytest.mark.parametrize(
    ("dataset_type", "domain", "reason"),
    [
        ("Films", None, "datasetType is 'Films'"),
        ("Users", None, "for ITEMS, the dataset is of type USERS"),
        ("Items", "VIDEO_ON_DEMAND", "of no domain, dataset group g of domain VIDEO_ON_DEMAND"),
    ],
)
def test_it_rejects_what_does_not_fit(account, dataset_type, domain, reason):
    group = create_dataset_group(account, name="g", **({"domain": domain} if domain else {}))["datasetGroupArn"]
    text = schema(account, "s", "Items", ITEMS)

    with pytest.raises(InvalidInputException) as caught:
        create_dataset(account, name="d", schema_arn=text, dataset_group_arn=group, dataset_type=dataset_type)

    assert reason in str(caught.value)


def test_a_wider_schema_replaces_the_old_one(account):
    arn = make_dataset(account, "Items", ITEMS)
    wider = schema(account, "wider", "Items", [*ITEMS, ("PRICE", ["null", "float"])])

    update_dataset(account, dataset_arn=arn, schema_arn=wider)

    dataset = describe_dataset(account, dataset_arn=arn)["dataset"]
    assert dataset["schemaArn"] == wider
    assert dataset["latestDatasetUpdate"]["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (ITEMS[:2], "Field GENRE is missing"),
        ([ITEMS[0], ("YEAR", "string"), ITEMS[2]], "Field YEAR has type string"),
        ([*ITEMS, ("PRICE", "float")], "Field PRICE is new"),
    ],
)
def test_a_schema_that_breaks_its_promise_is_rejected(account, fields, reason):
    arn = make_dataset(account, "Items", ITEMS)

    with pytest.raises(InvalidInputException, match=reason):
        update_dataset(account, dataset_arn=arn, schema_arn=schema(account, "s", "Items", fields))


def test_interactions_keep_their_schema(account):
    arn = make_dataset(account)

    with pytest.raises(InvalidInputException, match="cannot be replaced"):
        update_dataset(account, dataset_arn=arn, schema_arn=schema(account, "s", "Interactions", INTERACTIONS))


def test_a_dataset_goes_with_its_streamed_rows(account):
    arn = make_dataset(account)
    group = Dataset.objects.by_arn(account, arn).dataset_group
    Event.objects.create(
        dataset_group=group, event_id="a", user_id="u", session_id="s", item_id="i", event_type="click", timestamp=1
    )

    delete_dataset(account, dataset_arn=arn)

    assert not Event.objects.exists()
    with pytest.raises(ResourceNotFoundException):
        describe_dataset(account, dataset_arn=arn)


def test_a_dataset_in_use_stays(account):
    arn = make_dataset(account)
    group = Dataset.objects.by_arn(account, arn).dataset_group
    EventTracker.objects.create(account=account, name="t", dataset_group=group, identifier="a1b2c3d4", tracking_id="t")

    with pytest.raises(ResourceInUseException, match="event tracker"):
        delete_dataset(account, dataset_arn=arn)


@pytest.mark.parametrize("model", [BatchInferenceJob, BatchSegmentJob])
def test_a_batch_job_under_way_keeps_the_datasets(account, model):
    group = films(account)
    solution = Solution.objects.create(account=account, name="s", dataset_group=group, recipe="aws-sims")
    version = SolutionVersion.objects.create(account=account, solution=solution, identifier="a1b2c3d4", status="ACTIVE")
    job = model.objects.create(
        account=account, name="b", solution_version=version, num_results=5, job_input={}, job_output={}
    )
    arn = group.datasets.get(type="ITEMS").arn
    with pytest.raises(ResourceInUseException, match=f"batch .* job {job.arn}"):
        delete_dataset(account, dataset_arn=arn)
    model.objects.update(status="ACTIVE")
    delete_dataset(account, dataset_arn=arn)


@pytest.mark.parametrize(
    ("expression", "used"),
    [
        ('INCLUDE ItemID WHERE Items.GENRES IN ("Comedy")', {"ITEMS"}),
        ('EXCLUDE UserID WHERE Users.TIER IN ("gold")', {"USERS"}),
        ('EXCLUDE ItemID WHERE interactions.event_type IN ("watch")', {"INTERACTIONS"}),
        ('EXCLUDE ItemID WHERE Items.GENRES IN ("Horror") IF CurrentUser.AGE < 18', {"ITEMS", "USERS"}),
        ("EXCLUDE ItemID WHERE Items.PRICE > CurrentItem.PRICE", {"ITEMS"}),
    ],
)
def test_a_filter_keeps_the_datasets_it_looks_at(account, expression, used):
    group = films(account)
    Filter.objects.create(account=account, name="f", dataset_group=group, expression=expression)
    held = set()
    for row in group.datasets.all():
        try:
            delete_dataset(account, dataset_arn=row.arn)
        except ResourceInUseException:
            held.add(row.type)
    assert held == used


def test_charlie_sees_nothing_of_alice(account, other_account):
    arn = make_dataset(account)

    assert list_datasets(other_account)["datasets"] == []
    for operation in (describe_dataset, delete_dataset):
        with pytest.raises(ResourceNotFoundException):
            operation(other_account, dataset_arn=arn)

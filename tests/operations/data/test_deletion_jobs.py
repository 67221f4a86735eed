"""Deletion jobs: a user is gone from bulk rows, streamed rows and models."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from console import storage
from console.errors import InvalidInputException
from console.ingest.snapshot import training_tables
from console.models import (
    BatchInferenceJob,
    DataInsightsJob,
    Dataset,
    DatasetGroup,
    DatasetImportJob,
    Event,
    Experiment,
    ExperimentUser,
    Record,
    Solution,
    SolutionVersion,
    Status,
)
from console.operations.data.deletion_jobs import (
    create_data_deletion_job,
    describe_data_deletion_job,
    list_data_deletion_jobs,
)
from console.operations.data.import_jobs import create_dataset_import_job
from console.scratch import scratch_folder
from recipes import artefact, catalogue
from recipes.components.recurrent import Recurrent
from recipes.data import Histories, TrainingData
from recipes.methods.item_affinity import AffinityModel, ItemAffinity, Owners
from recipes.methods.user_personalization import UserPersonalization
from recipes.recurrent.network import RecurrentTask
from recipes.recurrent.shape import Shape
from recipes.recurrent.training import reproducible
from recipes.run import Run
from recipes.stacking.model import StackedModel
from tests.factories import ROLE, call, events_csv, make_dataset, put_object, rows_of
from tests.worlds import films

GROUP = "arn:aws:personalize:us-east-1:000000000001:dataset-group/films"
USERS = [("USER_ID", "string"), ("AGE", "int"), ("TIER", "string", {"categorical": True})]


def test_it_works(account, load, forget):
    interactions = make_dataset(account)
    users = make_dataset(account, "Users", USERS)
    load(interactions, events_csv(70))
    load(users, "USER_ID,AGE,TIER\n" + "".join(f"u{n},{n},gold\n" for n in range(7)), "second")
    dataset = Dataset.objects.by_arn(account, interactions)
    event = {"session_id": "s", "item_id": "i", "event_type": "click", "timestamp": 1}
    Event.objects.create(dataset_group=dataset.dataset_group, event_id="a", user_id="u1", **event)
    Event.objects.create(dataset_group=dataset.dataset_group, event_id="b", user_id="u2", **event)
    Record.objects.create(dataset=Dataset.objects.by_arn(account, users), entity_id="only-put", values={"AGE": 1})

    job = forget(put_object("gone/deeper/users.csv", "USER_ID\nu1\nonly-put\nnobody\n"))

    assert (job.status, job.failure_reason, job.num_deleted) == ("COMPLETED", None, 2)
    assert {row["USER_ID"] for row in rows_of(interactions, account)} == {f"u{n}" for n in range(7) if n != 1}
    assert {row["USER_ID"] for row in rows_of(users, account)} == {f"u{n}" for n in range(7) if n != 1}
    assert [event.user_id for event in Event.objects.all()] == ["u2"]
    assert not Record.objects.exists()
    dataset.refresh_from_db()
    assert (dataset.rows, dataset.statistics["users"]) == (60, 6)
    assert all(storage.exists(storage.store(key)) for key in dataset.parts)


@pytest.fixture
def stored(account, load):
    """A version whose model was made of seventy events of seven users, and what it learned from."""

    def stored(make):
        interactions = make_dataset(account)
        make_dataset(account, "Users", USERS)
        load(interactions, events_csv(70))
        group = Dataset.objects.by_arn(account, interactions).dataset_group
        tables = training_tables(group)
        data = TrainingData.from_tables(tables.interactions, tables.items, tables.users, tables.kinds)
        model = make(data)
        with scratch_folder() as scratch:
            artefact.save(Path(scratch) / "model", model, data, {"newest_event": 7})
            storage.publish_folder(Path(scratch) / "model", "artefacts/old")
        solution = Solution.objects.create(account=account, name="s", dataset_group=group, recipe=model.recipe.name)
        version = SolutionVersion.objects.create(
            account=account, solution=solution, identifier="00000001", recipe=model.recipe.name, status=Status.ACTIVE,
            artefact="artefacts/old",
        )  # fmt: skip
        return version, data

    return stored


def test_models_forget_histories(stored, forget):
    version, data = stored(lambda data: catalogue.get("aws-popularity-count")().fit(data, Run()))

    job = forget(put_object("users.csv", "USER_ID\nu3\n"))

    version.refresh_from_db()
    found = artefact.load(storage.local_folder(version.artefact))
    assert job.status == "COMPLETED"
    assert version.artefact != "artefacts/old"
    assert not storage.exists(storage.store("artefacts/old/manifest.json"))
    assert found.data.user_ids.index("u3") == -1
    assert (found.data.num_users, len(found.data.interactions)) == (7, 60)
    assert found.manifest["newest_event"] == 7
    assert found.manifest["forgotten_users"] == [data.user_ids.index("u3")]
    counts = np.diff(found.data.offsets)
    assert counts.min() == 0
    assert counts.max() == 10


def with_cached_states(data: TrainingData) -> StackedModel:
    """A model of nothing but a network, with the cached state of every user."""
    shape = Shape(hidden=4, width=4, bptt=4, lanes=2, negatives=2)
    histories, features = data.histories(), np.zeros((data.num_items, 0), np.float32)
    with reproducible(0, small=True):
        network = RecurrentTask(shape, histories, data.num_items, features, 1, 0).scorer()
    model = StackedModel(UserPersonalization(), data.num_items, [Recurrent(network)])
    model.prepare(histories, Run())
    return model


def test_models_forget_cached_states_of_users(stored, forget):
    version, data = stored(with_cached_states)
    before = artefact.load(storage.local_folder(version.artefact)).model.state().tensors
    before = {name: before[f"recurrent.{name}"].copy() for name in ("history_hashes", "user_states")}
    assert before["history_hashes"].all()
    assert before["user_states"].any(axis=1).all()

    forget(put_object("users.csv", "USER_ID\nu3\nu5\n"))

    version.refresh_from_db()
    found = artefact.load(storage.local_folder(version.artefact))
    gone = data.user_ids.indexes(["u3", "u5"])
    for name, old in before.items():
        new = found.model.state().tensors[f"recurrent.{name}"]
        assert not new[gone].any()
        assert (np.delete(new, gone, axis=0) == np.delete(old, gone, axis=0)).all()
    scores = found.model.score(found.data.histories())
    assert (scores[gone] == found.model.score(Histories.of([[]]))).all()
    assert scores[0] == pytest.approx(with_cached_states(data).score(data.histories())[0], abs=1e-4)


def with_owners(data: TrainingData) -> AffinityModel:
    """A segmentation model that ranks the owners of an item last, whatever suits the data."""
    model = ItemAffinity(hidden_dimension=32).fit(data, Run())
    owners = Owners.of_data(data, last=True)
    return AffinityModel(model.recipe, model.users, model.items, model.activity, model.popularity, owners)


def test_segments_forget_owners_and_activity(stored, forget):
    version, data = stored(with_owners)
    gone = data.user_ids.indexes(["u3"])
    before = artefact.load(storage.local_folder(version.artefact)).model.state().tensors
    assert np.isin(before["owners"], gone).any()
    assert before["activity"][gone].all()

    forget(put_object("users.csv", "USER_ID\nu3\n"))

    version.refresh_from_db()
    tensors = artefact.load(storage.local_folder(version.artefact)).model.state().tensors
    assert not tensors["users"][gone].any()
    assert not tensors["activity"][gone].any()
    assert not np.isin(tensors["owners"], gone).any()


def test_experiments_forget_who_was_in_them(account, stored, forget):
    elsewhere = films(account, "elsewhere")
    version, _ = stored(lambda data: catalogue.get("aws-popularity-count")().fit(data, Run()))
    solutions = [version.solution, Solution.objects.create(account=account, name="t", dataset_group=elsewhere)]
    for solution in solutions:
        arms = [
            SolutionVersion.objects.create(
                account=account, solution=solution, identifier=f"1000000{arm}", recipe="aws-popularity-count",
                status=Status.ACTIVE,
            ).arn
            for arm in range(2)
        ]  # fmt: skip
        campaign = call("CreateCampaign", account, name=solution.name, solution_version_arn=arms[0])["campaignArn"]
        call("CreateExperiment", account, name=solution.name, campaign_arn=campaign, treatment_version_arn=arms[1])
    for experiment in Experiment.objects.all():
        for user, is_treated in (("u1", True), ("u3", False), ("only-asked", True)):
            experiment.users.create(user_id=user, is_treatment=is_treated, time=1)

    job = forget(put_object("users.csv", "USER_ID\nu3\nonly-asked\nnobody\n"))

    assert job.num_deleted == 2
    left = {(row.experiment.name, row.user_id) for row in ExperimentUser.objects.select_related("experiment")}
    assert left == {("s", "u1"), ("t", "u1"), ("t", "u3"), ("t", "only-asked")}


def test_a_folder_is_read_with_its_sub_folders(account, load, forget):
    arn = make_dataset(account)
    load(arn, events_csv(70))
    put_object("gone/users.csv", "USER_ID\nu1\n")
    put_object("gone/deeper/users.csv", "USER_ID\nu2\n")
    put_object("gone/parts/part-00000", "USER_ID\nu3\n")
    put_object("gone/parts/run-1-part-r-00001", "USER_ID\nu4\n")
    put_object("gone/parts/users.csv.gz", gzip.compress(b"USER_ID\nu5\n"))
    for marker in ("_SUCCESS", "part-00000.crc", "gone_$folder$", "README.md"):
        put_object(f"gone/{marker}", "u6")

    assert forget("s3://data/gone/").num_deleted == 5


def test_a_folder_with_other_files_fails_and_deletes_nobody(account, load, forget):
    arn = make_dataset(account)
    load(arn, events_csv(70))
    put_object("gone/users.csv", "USER_ID\nu1\n")
    put_object("gone/users.xlsx", "USER_ID\nu3\n")

    job = forget("s3://data/gone/")

    assert job.status == "FAILED"
    assert "users.xlsx is no CSV file by its name" in job.failure_reason
    assert Dataset.objects.by_arn(account, arn).statistics["users"] == 7


def test_a_row_that_cannot_be_read_fails_and_deletes_nobody(account, load, forget):
    arn = make_dataset(account)
    load(arn, events_csv(70))

    job = forget(put_object("users.csv", "USER_ID,NOTE\nu1,x\nu2,x,y\n"))

    assert "FAILED" in job.status
    assert "Line 3 of" in job.failure_reason
    assert "Nobody was deleted" in job.failure_reason
    assert Dataset.objects.by_arn(account, arn).statistics["users"] == 7


def test_a_file_without_the_column_fails_and_deletes_nothing(account, load, forget):
    arn = make_dataset(account)
    load(arn, events_csv(20))

    job = forget(put_object("wrong.csv", "ID\nu1\n"))

    assert job.status == "FAILED"
    assert "missing the following columns: [USER_ID]" in job.failure_reason
    assert len(rows_of(arn, account)) == 20


def test_it_describes_and_lists(account, forget):
    make_dataset(account)
    forget(put_object("users.csv", "USER_ID\nu1\n"))

    [summary] = list_data_deletion_jobs(account, dataset_group_arn=GROUP)["dataDeletionJobs"]
    job = describe_data_deletion_job(account, data_deletion_job_arn=summary["dataDeletionJobArn"])["dataDeletionJob"]

    assert (job["status"], job["numDeleted"]) == ("COMPLETED", 0)


def test_it_rejects_a_location_that_holds_nothing(account):
    make_dataset(account)

    with pytest.raises(InvalidInputException, match="no object"):
        create_data_deletion_job(
            account,
            job_name="a",
            dataset_group_arn=GROUP,
            data_source={"dataLocation": "s3://data/none.csv"},
            role_arn=ROLE,
        )


def test_what_imports_left_here_is_gone_too(account, load, forget, tmp_path):
    """A file sent to this server could bring the user back, and lists of bad rows name people."""
    arn = make_dataset(account)
    (tmp_path / "sent").write_text(events_csv(200) + "u1,i1,yesterday,click\n")
    sent = storage.keep_upload(account, tmp_path / "sent", "sent.csv")
    create_dataset_import_job(
        account, job_name="sent", dataset_arn=arn, data_source={"dataLocation": str(sent)}, role_arn=ROLE
    )
    load(arn, events_csv(70), "named-by-people")
    job = DatasetImportJob.objects.get(name="sent")
    rejects = storage.store(job.report["rejects"])
    assert storage.exists(rejects)

    forget(put_object("gone.csv", "USER_ID\nu1\n"))

    job.refresh_from_db()
    assert job.report["sample"] == []
    assert not storage.exists(rejects)
    assert not storage.exists(sent)
    assert storage.exists(storage.parse_location(DatasetImportJob.objects.get(name="named-by-people").data_location))


def test_statistics_of_few_users_do_not_name_them(account, load, forget, run_jobs):
    load(make_dataset(account), events_csv(70))
    call("CreateDataInsightsJob", account, job_name="look", dataset_group_arn=GROUP)
    run_jobs()
    job = DataInsightsJob.objects.get()
    assert "'u3'" in str(job.report)

    forget(put_object("gone.csv", "USER_ID\nu3\n"))

    job.refresh_from_db()
    assert "'u3'" not in str(job.report)


@pytest.mark.parametrize("status", ["CREATE FAILED", "ACTIVE"])
def test_what_failed_batch_jobs_have_answered_is_gone(account, load, forget, status):
    load(make_dataset(account), events_csv(70))
    group = DatasetGroup.objects.get()
    solution = Solution.objects.create(account=account, name="s", dataset_group=group, recipe="aws-sims")
    version = SolutionVersion.objects.create(account=account, solution=solution, identifier="00000001")
    job = BatchInferenceJob.objects.create(
        account=account, name="b", solution_version=version, role_arn=ROLE, job_input={}, job_output={}, status=status,
        report={"current": {"file": "x"}, "lines": 3},
    )  # fmt: skip
    segment = storage.store(f"batch/BatchInferenceJob-{job.pk}/1-000000")
    with storage.open_write(segment) as file:
        file.write(b"u3")

    forget(put_object("gone.csv", "USER_ID\nu3\n"))

    job.refresh_from_db()
    assert storage.exists(segment) == (status == "ACTIVE")
    assert ("current" in job.report) == (status == "ACTIVE")

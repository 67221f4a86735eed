"""Sessions that have not said who they are: served by what they did, not learned from until they do."""

from __future__ import annotations

import pytest

from console import storage
from console.models import Event, SolutionVersion
from console.operations.data import event_trackers, events
from console.serving.history import histories_of, history_of
from console.serving.loader import ModelCache
from recipes import artefact
from tests.factories import call, trained
from tests.worlds import NOW, films


@pytest.fixture
def group(account):
    return films(account)


@pytest.fixture
def tracking_id(account, group):
    return event_trackers.create_event_tracker(account, name="t", dataset_group_arn=group.arn)["trackingId"]


def _browse(account, tracking_id, *items, session="visit", **who):
    told = [{"eventType": "click", "itemId": item, "sentAt": NOW + n} for n, item in enumerate(items)]
    events.put_events(account, tracking_id=tracking_id, session_id=session, event_list=told, **who)


def _loaded():
    return ModelCache(4, 2**28).get(SolutionVersion.objects.first().artefact)


def _items(loaded, group, user):
    past = history_of(loaded, group.pk, user)
    return [loaded.data.item_ids[int(item)] for item in past.item]


def test_an_anonymous_session_is_not_learned_from(account, run_jobs, group, tracking_id):
    _browse(account, tracking_id, "i2", "i6")
    trained(account, run_jobs, group, "aws-popularity-count")
    kept = artefact.load(storage.local_folder(SolutionVersion.objects.get().artefact))
    assert kept.data.user_ids.index("visit") == -1
    assert kept.data.num_users == 60


def test_its_events_count_for_itself_before_and_after_a_training(account, run_jobs, group, tracking_id):
    _browse(account, tracking_id, "i2", "i6")
    trained(account, run_jobs, group, "aws-popularity-count")
    _browse(account, tracking_id, "i10")
    loaded = _loaded()
    assert _items(loaded, group, "visit") == ["i2", "i10", "i6"]
    visit, nobody, _ = histories_of(loaded, group.pk, ["visit", None, "u1"])
    assert (visit.num_live, nobody.num_live) == (3, 0)


def test_who_signs_in_after_a_training_has_the_history_at_once(account, run_jobs, group, tracking_id):
    """The events are older than the training, which left them out: they must count as new."""
    _browse(account, tracking_id, "i2", "i6")
    trained(account, run_jobs, group, "aws-popularity-count")
    loaded = _loaded()
    before = _items(loaded, group, "u1")
    _browse(account, tracking_id, "i10", user_id="u1")
    assert sorted(_items(loaded, group, "u1")) == sorted([*before, "i2", "i6", "i10"])
    assert _items(loaded, group, "visit") == []
    assert not Event.objects.filter(is_anonymous=True).exists()


def test_the_next_training_learns_from_who_has_signed_in(account, run_jobs, group, tracking_id):
    _browse(account, tracking_id, "i2", "i6")
    _browse(account, tracking_id, "i10", user_id="new")
    trained(account, run_jobs, group, "aws-popularity-count")
    loaded = _loaded()
    assert loaded.data.user_ids.index("new") >= 0
    assert sorted(_items(loaded, group, "new")) == ["i10", "i2", "i6"]


def test_an_export_holds_anonymous_sessions_too(account, run_jobs, group, tracking_id):
    """People may take all their data with them."""
    _browse(account, tracking_id, "i2")
    call(
        "CreateDatasetExportJob", account, job_name="all", role_arn="arn:aws:iam::000000000000:role/any",
        dataset_arn=group.datasets.get(type="INTERACTIONS").arn,
        job_output={"s3DataDestination": {"path": "s3://mine/out/"}},
    )  # fmt: skip
    run_jobs()
    [found] = storage.list_objects(storage.parse_location("s3://mine/out/"))
    with storage.open_read(found) as file:
        assert file.read().decode().splitlines()[1].startswith("visit,i2,")

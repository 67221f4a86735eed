"""Damaged artefacts: noticed at the next load whatever part is hit; an earlier version answers, or nobody, and people are told."""

from __future__ import annotations

import os
import stat

import pytest

from console import storage
from console.errors import DamagedModelException
from console.health import CHECKS, Unhealthy
from console.models import BatchInferenceJob, SolutionVersion
from console.serving import loader
from console.serving.loader import ModelCache
from recipes import artefact, integrity
from tests.factories import call, trained
from tests.worlds import films

FILES = ("manifest.json", "model.safetensors", "data.safetensors", "ids.arrow", "text.arrow")


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch):
    """As in a process that has loaded nothing yet."""
    forget(monkeypatch)


def forget(monkeypatch) -> None:
    shelf = ModelCache(16, 2**30)
    for name in ("get", "_failures"):
        monkeypatch.setattr(loader.MODEL_CACHE, name, getattr(shelf, name))


@pytest.fixture
def campaign(account, run_jobs) -> str:
    """Serves the second of two versions."""
    first = trained(account, run_jobs, films(account), "aws-popularity-count")
    call("CreateSolutionVersion", account, solution_arn=first.rpartition("/")[0])
    run_jobs()
    return call("CreateCampaign", account, name="c", solution_version_arn=newest().arn)["campaignArn"]


def newest() -> SolutionVersion:
    return SolutionVersion.objects.order_by("-pk")[0]


def hit(version, name, how) -> None:
    """Damage one file of a version's artefact, as a disk or an interrupted copy does."""
    path = storage.local_folder(version.artefact) / name
    path.chmod(0o600)
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "truncated":
        os.truncate(path, len(content) // 2)
    else:
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])


def recommended(account, campaign):
    return call("GetRecommendations", account, campaign_arn=campaign, user_id="u1")["itemList"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["a bit", "truncated", "missing"])
def test_any_damage_to_any_file_is_noticed(tmp_path, name, how):
    folder = tmp_path / "artefact"
    folder.mkdir()
    for file in FILES[1:]:
        (folder / file).write_bytes(os.urandom(3000))
    integrity.write_manifest(folder, {"format": artefact.FORMAT, "values": {"a": [1.5, None, "ü"]}})
    assert integrity.read_manifest(folder)["values"] == {"a": [1.5, None, "ü"]}
    path = folder / name
    content = path.read_bytes()
    match how:
        case "missing":
            path.unlink()
        case "truncated":
            path.write_bytes(content[:-1])
        case _:
            path.write_bytes(
                content.replace(b"ormat", b"ormaT") if name == FILES[0] else bytes([content[0] ^ 1]) + content[1:]
            )
    with pytest.raises(FileNotFoundError if (name, how) == (FILES[0], "missing") else integrity.DamagedError):
        integrity.read_manifest(folder)


@pytest.mark.parametrize(
    ("name", "how"), [("model.safetensors", "a bit"), ("data.safetensors", "truncated"), ("manifest.json", "missing")]
)
def test_an_earlier_version_answers_while_the_served_one_is_damaged(account, campaign, monkeypatch, name, how):
    healthy = recommended(account, campaign)
    assert healthy
    hit(newest(), name, how)
    forget(monkeypatch)
    assert recommended(account, campaign) == healthy
    assert "damaged" in newest().damage


def test_without_an_earlier_version_the_answer_is_503(account, campaign, monkeypatch):
    for version in SolutionVersion.objects.all():
        hit(version, "ids.arrow", "truncated")
    forget(monkeypatch)
    for _ in range(2):  # the second time from memory
        with pytest.raises(DamagedModelException, match=r"ids\.arrow has .* bytes") as caught:
            recommended(account, campaign)
        assert (caught.value.status_code, caught.value.code) == (503, "ServiceUnavailableException")
        assert caught.value.retry_after_s


def test_health_is_red_and_the_page_offers_to_train_again(account, campaign, monkeypatch, alice):
    CHECKS["models"]()
    path = storage.local_folder(newest().artefact) / "model.safetensors"
    content = path.read_bytes()
    hit(newest(), "model.safetensors", "a bit")
    recommended(account, campaign)
    forget(monkeypatch)
    recommended(account, campaign)
    with pytest.raises(Unhealthy, match="damaged"):
        CHECKS["models"]()
    page = alice.get(f"/solution-versions/{newest().arn_name}/").text
    assert "model.safetensors is damaged" in page
    assert f"/solutions/{newest().solution.name}/train/" in page
    path.write_bytes(content)
    forget(monkeypatch)
    recommended(account, campaign)
    CHECKS["models"]()


def test_a_batch_job_over_a_damaged_model_fails_at_once_and_says_why(account, campaign, run_jobs, monkeypatch):
    hit(newest(), "data.safetensors", "a bit")
    forget(monkeypatch)
    with storage.open_write(storage.parse_location("s3://data/in.json")) as file:
        file.write(b'{"userId": "u1"}\n')
    call(
        "CreateBatchInferenceJob", account, job_name="b", solution_version_arn=newest().arn,
        role_arn="arn:aws:iam::000000000001:role/any", job_input={"s3DataSource": {"path": "s3://data/in.json"}},
        job_output={"s3DataDestination": {"path": "s3://data/out/"}},
    )  # fmt: skip
    run_jobs()
    job = BatchInferenceJob.objects.get()
    assert job.status == "CREATE FAILED"
    assert "data.safetensors is damaged" in job.failure_reason
    assert job.attempts == 1


def test_published_files_cannot_be_written_to(account, campaign):
    folder = storage.local_folder(newest().artefact)
    assert [path.name for path in folder.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o222] == []


def test_damaged_rows_fail_the_training_with_a_sentence(account, run_jobs):
    group = films(account)
    part = storage.local_folder("parts") / f"{account.number}-films-INTERACTIONS" / "part-0.parquet"
    part.chmod(0o600)
    os.truncate(part, part.stat().st_size // 2)
    trained(account, run_jobs, group, "aws-popularity-count")
    assert newest().failure_reason.startswith("The rows of the dataset films-INTERACTIONS are damaged")

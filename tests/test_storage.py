"""Locations and the store, as folders and as a real S3."""

from __future__ import annotations

import boto3
import pytest
from moto.server import ThreadedMotoServer

from console import storage
from console.errors import InvalidInputException, JobError
from console.models import Account
from console.storage import s3


@pytest.fixture(scope="module")
def s3_server():
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def place(request, settings, tmp_path, monkeypatch):
    """A storage of each kind."""
    settings.DATA_DIR = tmp_path
    s3.client.cache_clear()
    if request.param == "s3":
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        settings.AWS_ENDPOINT_URL_S3 = request.getfixturevalue("s3_server")
        settings.STORAGE_URL = "s3://house/prefix"
        client = boto3.client("s3", endpoint_url=settings.AWS_ENDPOINT_URL_S3)
        for bucket in ("house", "data"):
            client.create_bucket(Bucket=bucket)
    yield request.param
    s3.client.cache_clear()


def _write(key: str, body: bytes) -> storage.Location:
    location = storage.Location("data", key)
    with storage.open_write(location) as file:
        file.write(body)
    return location


def test_it_works(place):
    location = _write("in/a.csv", b"hello")
    assert storage.exists(location)
    assert storage.size_bytes(location) == 5
    with storage.open_read(location) as file:
        assert file.read() == b"hello"
    storage.delete(location)
    assert not storage.exists(location)


def test_a_folder_lists_only_its_own_objects(place):
    for key in ("list/b.csv", "list/a.csv", "list/notes.txt", "list/deeper/c.csv"):
        _write(key, b"x")
    folder = storage.parse_location("s3://data/list/")
    assert [found.key for found in storage.list_objects(folder, ".csv")] == ["list/a.csv", "list/b.csv"]
    assert len(storage.list_objects(folder, ".csv", recursive=True)) == 3


def test_an_object_that_is_missing_says_where_it_was_looked_for(place):
    with (
        pytest.raises(JobError, match=r"s3://data/nowhere\.csv"),
        storage.open_read(storage.Location("data", "nowhere.csv")),
    ):
        pass


@pytest.mark.parametrize("key", ["file.csv/out.csv", "file.csv/deep/er/out.csv", "folder", "n" * 300])
def test_what_cannot_be_written_is_refused_without_the_path_of_the_server(settings, tmp_path, key):
    settings.DATA_DIR = tmp_path
    _write("file.csv", b"x")
    _write("folder/file.csv", b"x")

    with pytest.raises(JobError) as caught:
        _write(key, b"y")

    assert f"s3://data/{key}" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    for read in (storage.size_bytes, lambda place: storage.open_read(place).__enter__()):
        with pytest.raises(JobError) as caught:
            read(storage.Location("data", f"{key}/{'n' * 300}"))
        assert str(tmp_path) not in str(caught.value)
    assert not storage.exists(storage.Location("data", f"{key}/{'n' * 300}"))


def test_a_failed_write_leaves_nothing(place):
    location = storage.Location("data", "half.csv")

    def write():
        with storage.open_write(location) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert not storage.exists(location)


def test_a_published_folder_comes_back(place, tmp_path):
    draft = tmp_path / "draft"
    (draft / "deep").mkdir(parents=True)
    (draft / "manifest.json").write_text("{}")
    (draft / "deep" / "x.bin").write_bytes(b"12")
    storage.publish_folder(draft, "artefacts/one")
    found = storage.local_folder("artefacts/one")
    assert (found / "deep" / "x.bin").read_bytes() == b"12"
    with pytest.raises(JobError):
        storage.local_folder("artefacts/none")


@pytest.mark.parametrize(
    "url",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "s3://data/../secrets",
        "s3:///key",
        "http://data/x",
        "s3://../x",
        "s3://data//x",
        "s3://data/a\\b",
    ],
)
def test_it_refuses_what_is_no_location(url):
    with pytest.raises(InvalidInputException, match="Invalid Data location"):
        storage.parse_location(url, field="dataLocation")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://data/in/a.csv", "s3://data/in/a.csv"),
        ("s3://data", "s3://data/"),
        ("s3://data/", "s3://data/"),
        ("https://data.s3.amazonaws.com/in/a.csv", "s3://data/in/a.csv"),
        ("https://data.s3.eu-west-1.amazonaws.com/in/", "s3://data/in/"),
        ("https://s3.amazonaws.com/data/in/a.csv", "s3://data/in/a.csv"),
        ("https://s3-us-west-2.amazonaws.com/data/in/a.csv", "s3://data/in/a.csv"),
    ],
)
def test_it_reads_the_forms_that_a_location_is_written_in(url, expected):
    assert str(storage.parse_location(url)) == expected


def test_with_an_endpoint_alone_the_server_keeps_its_own_in_folders(settings, tmp_path, s3_server, monkeypatch):
    """A program sets AWS_ENDPOINT_URL_S3 and makes its own bucket; nobody makes one for the server."""
    settings.DATA_DIR, settings.AWS_ENDPOINT_URL_S3, settings.STORAGE_URL = tmp_path, s3_server, ""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    s3.client.cache_clear()
    client = boto3.client("s3", endpoint_url=s3_server, region_name="us-east-1")
    client.create_bucket(Bucket="mine")
    with storage.open_write(storage.store("artefacts/x")) as file:
        file.write(b"own")
    with storage.open_write(storage.parse_location("s3://mine/out/y")) as file:
        file.write(b"theirs")
    assert (tmp_path / "store" / "artefacts" / "x").read_bytes() == b"own"
    assert client.get_object(Bucket="mine", Key="out/y")["Body"].read() == b"theirs"
    s3.client.cache_clear()


def test_what_is_uploaded_comes_back(place, tmp_path, db):
    account = Account.objects.create(name="up", number="000000000077")
    (tmp_path / "draft").write_bytes(b"a,b")
    location = storage.keep_upload(account, tmp_path / "draft", "my file.csv")
    assert str(location).startswith(f"s3://uploads/{account.number}/")
    assert storage.list_objects(storage.parse_location(str(location))) == [location]
    folder = storage.parse_location(str(location).rpartition("/")[0] + "/")
    assert storage.list_objects(folder) == [location]
    assert storage.size_bytes(location) == 3
    with storage.open_read(location) as file:
        assert file.read() == b"a,b"


def test_a_link_out_of_its_bucket_is_refused(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    (tmp_path / "buckets" / "data").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "buckets" / "data" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidInputException), storage.open_read(storage.Location("data", "link")):
        pass

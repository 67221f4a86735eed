"""What clients of AWS meet before an operation: regions, account numbers, the root as an endpoint, browsers' questions."""

from __future__ import annotations

import io
import json

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from django.core.cache import cache

from console.models import AccessKey, EventTracker
from console.wsgi import application
from tests.aws.inprocess import Body
from tests.operations.worlds import dataset

pytestmark = pytest.mark.django_db
CONFIG = Config(retries={"max_attempts": 0})
SIGNED_HEADERS = "amz-sdk-request,authorization,content-type,x-amz-date,x-amz-user-agent"


def answered(method, path, body=b"", headers=None):
    """What the server's application answers to a request: status, headers, body."""
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "SERVER_NAME": "testserver", "SERVER_PORT": "80", "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "CONTENT_LENGTH": str(len(body)),
    }  # fmt: skip
    for name, value in ({"Host": "testserver"} | (headers or {})).items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    told: list = []
    answer = application(environ, lambda *start: told.extend(start))
    return int(told[0][:3]), dict(told[1]), b"".join(answer)


@pytest.fixture
def client(account):
    """`client("sts", region=…, path=…)`: boto3 in front of the server's application."""
    keys_of = {account.pk: AccessKey.issue(account)}

    def make(service="personalize", *, region="us-east-1", path="/aws", account=account):
        key = keys_of.get(account.pk) or keys_of.setdefault(account.pk, AccessKey.issue(account))
        keys = {"aws_access_key_id": key.key_id, "aws_secret_access_key": key.secret}
        made = boto3.client(service, endpoint_url=f"http://testserver{path}", region_name=region, config=CONFIG, **keys)

        def send(request, **_):
            headers = {k: v.decode() if isinstance(v, bytes) else v for k, v in request.headers.items()}
            body = request.body or b""
            where = request.url.removeprefix("http://testserver")
            status, told, content = answered(
                request.method, where, body if isinstance(body, bytes) else body.encode(), headers
            )
            return AWSResponse(request.url, status, told, Body(content))

        made.meta.events.register("before-send", send)
        return made

    return make


def test_arns_are_of_the_region_that_a_request_is_signed_for(client, account):
    irish = client(region="eu-west-1")
    made = irish.create_dataset_group(name="films")["datasetGroupArn"]
    assert made == f"arn:aws:personalize:eu-west-1:{account.number}:dataset-group/films"
    assert irish.describe_dataset_group(datasetGroupArn=made)["datasetGroup"]["datasetGroupArn"] == made
    assert [group["datasetGroupArn"] for group in irish.list_dataset_groups()["datasetGroups"]] == [made]
    with pytest.raises(ClientError, match=":eu-west-1:"):
        irish.describe_dataset_group(datasetGroupArn=made.replace("films", "none"))


def test_an_arn_of_any_region_names_the_same_resource(client):
    made = client(region="eu-west-1").create_dataset_group(name="films")["datasetGroupArn"]
    at_home = client().describe_dataset_group(datasetGroupArn=made)["datasetGroup"]["datasetGroupArn"]
    assert at_home == made.replace("eu-west-1", "us-east-1")
    nested = client(region="ap-south-1").list_dataset_groups()["datasetGroups"]
    assert [group["datasetGroupArn"] for group in nested] == [made.replace("eu-west-1", "ap-south-1")]


def test_sts_says_whose_keys_these_are(client, account):
    told = client("sts", region="eu-west-1").get_caller_identity()
    assert told["Account"] == account.number
    assert told["Arn"].split(":")[4] == account.number
    sts = client("sts")
    with pytest.raises(ClientError, match="GetCallerIdentity") as caught:
        sts.get_session_token()
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"


@pytest.mark.parametrize("path", ["", "/", "/aws", "/aws/", "/aws/aws"])
def test_the_root_is_as_good_an_endpoint(client, account, path):
    assert client(path=path).list_recipes()["recipes"]
    assert client("sts", path=path).get_caller_identity()["Account"] == account.number
    arn = f"arn:aws:personalize:us-east-1:{account.number}:campaign/none"
    runtime = client("personalize-runtime", path=path)
    with pytest.raises(ClientError) as caught:
        runtime.get_recommendations(campaignArn=arn, userId="1")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_the_root_without_a_signature_is_the_console():
    status, headers, _ = answered("GET", "/")
    assert (status, headers["Location"].partition("?")[0]) == (302, "/accounts/login/")


@pytest.mark.parametrize("path", ["/aws/recommendations", "/aws/events", "/aws/", "/recommendations", "/events", "/"])
def test_a_browser_is_told_what_it_may_send(path):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": SIGNED_HEADERS}
    status, headers, body = answered("OPTIONS", path, headers=asked | {"Origin": "https://shop.example"})
    assert (status, body, headers["Access-Control-Allow-Origin"]) == (204, b"", "*")
    allowed = set(headers["Access-Control-Allow-Headers"].split(", "))
    assert set(SIGNED_HEADERS.split(",")) <= allowed
    assert "POST" in headers["Access-Control-Allow-Methods"]


def test_headers_of_sdks_to_come_are_allowed_and_no_others():
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-amzn-trace-id, Amz-Sdk-New,cookie,x-y",
    }
    _, headers, _ = answered("OPTIONS", "/aws/events", headers=asked | {"Origin": "https://shop.example"})
    allowed = headers["Access-Control-Allow-Headers"].split(", ")
    assert {"x-amzn-trace-id", "amz-sdk-new"} <= set(allowed)
    assert not {"cookie", "x-y"} & set(allowed)


def test_pages_of_any_origin_may_read_answers_and_refusals():
    status, headers, body = answered("POST", "/aws/recommendations", b"{}", {"Origin": "https://shop.example"})
    assert (status, json.loads(body)["__type"]) == (403, "MissingAuthenticationToken")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "x-amzn-errortype" in headers["Access-Control-Expose-Headers"]


def test_origins_can_be_named(settings):
    settings.CORS_ORIGINS = ["https://shop.example"]
    _, headers, _ = answered("POST", "/aws/events", b"{}", {"Origin": "https://shop.example"})
    assert (headers["Access-Control-Allow-Origin"], headers["Vary"]) == ("https://shop.example", "Origin")
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for method in ("POST", "OPTIONS"):
        _, headers, _ = answered(method, "/aws/events", b"{}", asked)
        assert "Access-Control-Allow-Origin" not in headers
        assert headers["Vary"] == "Origin"


def test_pages_and_rest_are_no_browsers_business():
    for path in ("/accounts/login/", "/api/v1/solutions/"):
        _, headers, _ = answered("GET", path, headers={"Origin": "https://shop.example"})
        assert "Access-Control-Allow-Origin" not in headers


def test_events_reach_a_tracker_through_the_root(client, account):
    group = dataset(account, "INTERACTIONS").dataset_group
    tracking_id = client().create_event_tracker(name="live", datasetGroupArn=group.arn)["trackingId"]
    event = {"eventType": "click", "itemId": "7", "sentAt": 1_700_000_000}
    client("personalize-events", path="/").put_events(
        trackingId=tracking_id, sessionId="s", userId="bob", eventList=[event]
    )
    assert EventTracker.objects.get().dataset_group.events.get().item_id == "7"


@pytest.fixture
def shared_cache(settings, tmp_path):
    """A cache that other processes see, too."""
    place = "django.core.cache.backends.filebased.FileBasedCache"
    settings.CACHES = {"default": {"BACKEND": place, "LOCATION": str(tmp_path / "cache")}}
    return cache


def test_what_is_deleted_is_described_as_such_for_a_moment_while_its_name_is_free(client, settings, shared_cache):
    settings.DELETING_S = 60
    aws = client(region="eu-west-1")
    arn = aws.create_dataset_group(name="films")["datasetGroupArn"]
    aws.delete_dataset_group(datasetGroupArn=arn)
    described = aws.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]
    assert (described["status"], described["datasetGroupArn"]) == ("DELETE IN_PROGRESS", arn)
    assert aws.list_dataset_groups()["datasetGroups"] == []
    with pytest.raises(ClientError, match="does not exist"):
        aws.delete_dataset_group(datasetGroupArn=arn)
    shared_cache.clear()  # where every process looks, and as when its time is over
    with pytest.raises(ClientError, match="does not exist"):
        aws.describe_dataset_group(datasetGroupArn=arn)
    aws.create_dataset_group(name="films")
    assert aws.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"] == "ACTIVE"


def test_what_is_deleted_is_nobody_elses(client, other_account, settings, shared_cache):
    settings.DELETING_S = 60
    arn = client().create_dataset_group(name="films")["datasetGroupArn"]
    client().delete_dataset_group(datasetGroupArn=arn)
    charlies = client(account=other_account)
    with pytest.raises(ClientError, match="does not exist"):
        charlies.describe_dataset_group(datasetGroupArn=arn)


def test_without_the_cache_what_is_deleted_is_gone_at_once(client, settings):
    settings.DELETING_S = 60
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "unix:///nowhere.sock"}
    }
    arn = client().create_dataset_group(name="films")["datasetGroupArn"]
    client().delete_dataset_group(datasetGroupArn=arn)
    with pytest.raises(ClientError, match="does not exist"):
        client().describe_dataset_group(datasetGroupArn=arn)

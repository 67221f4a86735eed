"""The AWS wire with a real boto3 client: protocols, statuses, headers, times."""

from __future__ import annotations

import gzip
import json
import uuid
import zlib
from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from django.http import HttpResponse
from django.test import Client

from console.models import AccessKey, Event
from tests.operations.worlds import dataset


def test_it_creates_describes_lists_and_deletes(account, client_for):
    personalize = client_for(account)
    arn = personalize.create_dataset_group(name="films", tags=[{"tagKey": "team", "tagValue": "a"}])["datasetGroupArn"]
    described = personalize.describe_dataset_group(datasetGroupArn=arn)
    assert described["datasetGroup"]["status"] == "ACTIVE"
    assert abs((datetime.now(UTC) - described["datasetGroup"]["creationDateTime"]).total_seconds()) < 60
    assert uuid.UUID(described["ResponseMetadata"]["RequestId"]).version == 4
    listed = list(personalize.get_paginator("list_dataset_groups").paginate(PaginationConfig={"PageSize": 1}))
    assert [group["name"] for page in listed for group in page["datasetGroups"]] == ["films"]
    answer = personalize.delete_dataset_group(datasetGroupArn=arn)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    with pytest.raises(personalize.exceptions.ResourceNotFoundException, match="does not exist") as caught:
        personalize.describe_dataset_group(datasetGroupArn=arn)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_events_answer_with_an_empty_body(account, client_for):
    group = dataset(account, "INTERACTIONS").dataset_group
    tracking_id = client_for(account).create_event_tracker(name="live", datasetGroupArn=group.arn)["trackingId"]
    events = client_for(account, "personalize-events")
    answer = events.put_events(
        trackingId=tracking_id,
        sessionId="s",
        userId="bob",
        eventList=[{"eventType": "click", "itemId": "7", "sentAt": datetime.now(UTC)}],
    )
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-length"] == "0"
    assert Event.objects.get().user_id == "bob"


def test_rest_services_answer_with_the_modelled_status(account, client_for):
    events = client_for(account, "personalize-events")
    arn = f"arn:aws:personalize:us-east-1:{account.number}:dataset/films/ITEMS"
    with pytest.raises(events.exceptions.ResourceNotFoundException) as caught:
        events.put_items(datasetArn=arn, items=[{"itemId": "1"}])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    with pytest.raises(events.exceptions.InvalidInputException) as caught:
        events.put_items(datasetArn=arn, items=[])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("path", "target", "body", "status", "code"),
    [
        ("/aws", "AmazonPersonalize.ListDatasetGroups", b"{}", 200, None),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b'{"nextToken": null}', 200, None),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b"", 200, None),
        ("/aws/", "AmazonPersonalize.ListNothing", b"{}", 400, "UnknownOperationException"),
        ("/aws/", "AmazonPersonalize.PutEvents", b"{}", 400, "UnknownOperationException"),
        ("/aws/", "", b"{}", 400, "UnknownOperationException"),
        ("/aws/nowhere", "", b"{}", 404, "UnknownOperationException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b"{", 400, "SerializationException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b"[]", 400, "SerializationException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b'{"maxResults": NaN}', 400, "SerializationException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b'{"maxResults": 1e400}', 400, "InvalidInputException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b'{"maxResults": true}', 400, "InvalidInputException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b'{"account": 1}', 400, "InvalidInputException"),
        ("/aws/", "AmazonPersonalize.CreateDatasetGroup", b'{"name": {"a": 1}}', 400, "InvalidInputException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b"[" * 100_000, 400, "SerializationException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b" " * 6_000_000, 400, "SerializationException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b"null", 400, "SerializationException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", "{}".encode("utf-16"), 400, "SerializationException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b"\xef\xbb\xbf{}", 200, None),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", gzip.compress(b'{"maxResults": 2}', mtime=0), 200, None),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", zlib.compress(b"{}"), 200, None),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", gzip.compress(b"{}", mtime=0)[:-3], 400, "SerializationException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", gzip.compress(b"{}", mtime=0)[:5] + b"x" * 9, 400, "SerializationException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", gzip.compress(b" " * 9_000_000, mtime=0), 400, "SerializationException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b'{"a":' * 65 + b"1" + b"}" * 65, 400, "SerializationException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b'{"a":' * 490 + b"1" + b"}" * 490, 400, "SerializationException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b'{"a":' * 64 + b"1" + b"}" * 64, 400, "InvalidInputException"),
        ("/aws/", "AmazonPersonalize.ListDatasetGroups", b'{"\\ud800": 1}', 400, "InvalidInputException"),
        ("/aws/events/", "", b'{"trackingId": "x", "sessionId": "s", "eventList": 7}', 400, "InvalidInputException"),
        ("/aws/events", "", b'{"trackingId": "x", "sessionId": "\\ud800", "eventList": []}', 400, "InvalidInputException"),
    ],
)  # fmt: skip
def test_it_answers_whatever_is_sent(account, client, path, target, body, status, code):
    answer = _send(client, AccessKey.issue(account), path, target, body)
    assert answer.status_code == status
    assert answer.headers.get("x-amzn-errortype") == code
    assert json.loads(answer.content or b"{}").get("__type") == code


def test_another_method_is_refused_in_the_clients_words(client, db):
    answer = client.get("/aws/")
    assert (answer.status_code, json.loads(answer.content)["__type"]) == (400, "UnknownOperationException")


def test_nothing_of_another_account_is_seen(account, other_account, client_for):
    arn = client_for(account).create_dataset_group(name="films")["datasetGroupArn"]
    charlie = client_for(other_account)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        charlie.describe_dataset_group(datasetGroupArn=arn)
    assert charlie.list_dataset_groups()["datasetGroups"] == []


def _send(client: Client, key: AccessKey, path: str, target: str, body: bytes) -> HttpResponse:
    request = AWSRequest("POST", f"http://testserver{path}", {"X-Amz-Target": target}, body)
    SigV4Auth(Credentials(key.key_id, key.secret), "personalize", "us-east-1").add_auth(request)
    headers = dict(request.headers.items()) | {"Host": "testserver"}
    return client.post(path, body, content_type="application/x-amz-json-1.1", headers=headers)

"""Signatures: botocore's own signer is the judge of ours."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from django.http import HttpRequest
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.aws import sigv4
from console.errors import (
    IncompleteSignature,
    InvalidSignatureException,
    MissingAuthenticationToken,
    UnrecognizedClientException,
)
from console.models import AccessKey

BODY = b'{"name": "films"}'


@pytest.fixture
def key(db, account):
    return AccessKey.issue(account)


def signed(
    key: AccessKey,
    *,
    body: bytes = BODY,
    host: str = "films.example:8000",
    region: str = "us-east-1",
    service: str = "personalize",
    **more: str,
) -> dict[str, str]:
    """Headers as botocore signs them."""
    secret = more.pop("secret", key.secret)
    headers = {"Host": host, "X-Amz-Target": "AmazonPersonalize.ListDatasetGroups", **more}
    request = AWSRequest("POST", f"http://{host}/aws", headers, body)
    SigV4Auth(Credentials(key.key_id, secret), service, region).add_auth(request)
    return dict(request.headers.items())


def arrived(headers: dict[str, str], *, body: bytes = BODY, path: str = "/aws") -> HttpRequest:
    return RequestFactory().post(path, body, content_type="application/x-amz-json-1.1", headers=headers)


def test_it_accepts_what_botocore_signs(key, account):
    assert sigv4.authenticate(arrived(signed(key))).account == account


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=200),
    region=st.from_regex(r"[a-z]{2}-[a-z]{4,9}-[1-9]", fullmatch=True),
    value=st.text(st.characters(codec="ascii", categories=["L", "N", "Zs"]), max_size=20),
)
def test_it_agrees_with_botocore_on_any_body_region_and_header(key, account, body, region, value):
    headers = signed(key, body=body, region=region, **{"X-Extra": f"a {value}"})
    assert sigv4.authenticate(arrived(headers, body=body)).account == account


@pytest.mark.parametrize("query", ["?b=2&a=1", "?a=x%20y&a=", "?name=%C3%BC%2F%2A~"])
def test_it_agrees_on_queries(key, account, query):
    request = AWSRequest("POST", f"http://h/aws{query}", {"Host": "h"}, BODY)
    SigV4Auth(Credentials(key.key_id, key.secret), "personalize", "us-east-1").add_auth(request)
    assert sigv4.authenticate(arrived(dict(request.headers.items()), path=f"/aws{query}")).account == account


def test_it_accepts_the_host_that_a_proxy_passes_on(key, account):
    headers = signed(key, host="public.example")
    assert (
        sigv4.authenticate(arrived(headers | {"Host": "inner:8000", "X-Forwarded-Host": "public.example"})).account
        == account
    )
    with pytest.raises(InvalidSignatureException):
        sigv4.authenticate(arrived(headers | {"Host": "inner:8000"}))


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({}, {"body": b'{"name": "other"}'}),
        ({}, {"path": "/aws/events"}),
        ({}, {"path": "/aws?a=1"}),
        ({"X-Amz-Target": "AmazonPersonalize.DeleteDatasetGroup"}, {}),
        ({"Host": "other.example"}, {}),
    ],
)
def test_it_refuses_what_was_changed_on_the_way(key, change, more):
    with pytest.raises(InvalidSignatureException, match="does not match"):
        sigv4.authenticate(arrived(signed(key) | change, **more))


def test_it_refuses_a_wrong_secret(key):
    with pytest.raises(InvalidSignatureException, match="does not match"):
        sigv4.authenticate(arrived(signed(key, secret="wrong")))


def test_it_refuses_an_unknown_key(key):
    stranger = AccessKey(key_id="AKIASTRANGER", secret="x")
    with pytest.raises(UnrecognizedClientException, match="AKIASTRANGER"):
        sigv4.authenticate(arrived(signed(stranger)))


@pytest.mark.parametrize("minutes", [-16, 16])
def test_it_refuses_a_signature_of_another_time(key, monkeypatch, minutes):
    headers = signed(key)
    then = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr(sigv4, "datetime", type("Clock", (datetime,), {"now": classmethod(lambda _, __: then)}))
    with pytest.raises(InvalidSignatureException, match="15 minutes"):
        sigv4.authenticate(arrived(headers))


def test_it_refuses_another_service(key):
    with pytest.raises(InvalidSignatureException, match="personalize"):
        sigv4.authenticate(arrived(signed(key, service="s3")))


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("", MissingAuthenticationToken),
        ("Bearer abc", IncompleteSignature),
        ("AWS4-HMAC-SHA256", IncompleteSignature),
        ("AWS4-HMAC-SHA256 Credential=A/20260101/r/personalize/aws4_request, SignedHeaders=host", IncompleteSignature),
        ("AWS4-HMAC-SHA256 Credential=A/B, SignedHeaders=host, Signature=abc", IncompleteSignature),
        (
            "AWS4-HMAC-SHA256 Credential=A/20260101/r/personalize/aws4_request, SignedHeaders=x-amz-date, Signature=abc",
            IncompleteSignature,
        ),
    ],
)
def test_it_names_what_is_missing(key, header, error):
    with pytest.raises(error):
        sigv4.authenticate(arrived({"Authorization": header, "X-Amz-Date": "20260101T000000Z"}))


@pytest.mark.parametrize("name", ["X-Amz-Date", "X-Amz-Target"])
def test_it_refuses_a_call_that_can_be_changed_on_the_way(key, name):
    headers = signed(key)
    headers["Authorization"] = headers["Authorization"].replace(f";{name.lower()}", "")
    with pytest.raises(IncompleteSignature, match=name):
        sigv4.authenticate(arrived(headers))


def test_a_presigned_url_is_no_signature(key, client):
    answer = client.post(
        "/aws/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0",
        headers={"X-Amz-Target": "AmazonPersonalize.ListSchemas"},
    )
    assert (answer.status_code, json.loads(answer.content)["__type"]) == (403, "MissingAuthenticationToken")


def test_a_request_sent_again_later_is_refused(key, monkeypatch):
    headers = signed(key)
    sigv4.authenticate(arrived(headers))
    then = datetime.now(UTC) + timedelta(minutes=20)
    monkeypatch.setattr(sigv4, "datetime", type("Clock", (datetime,), {"now": classmethod(lambda _, __: then)}))
    with pytest.raises(InvalidSignatureException, match="15 minutes"):
        sigv4.authenticate(arrived(headers))


@pytest.mark.parametrize("moment", ["", "yesterday", "20269999T999999Z"])
def test_it_refuses_what_is_no_time(key, moment):
    with pytest.raises(IncompleteSignature, match="X-Amz-Date"):
        sigv4.authenticate(arrived(signed(key) | {"X-Amz-Date": moment}))


@pytest.mark.parametrize("signature", ["é", "x" * 64])
def test_it_refuses_odd_signatures(key, signature):
    headers = signed(key)
    headers["Authorization"] = headers["Authorization"].rpartition("=")[0] + f"={signature}"
    with pytest.raises((IncompleteSignature, InvalidSignatureException)):
        sigv4.authenticate(arrived(headers))


def test_a_deleted_key_stops_working(key, monkeypatch):
    sigv4.authenticate(arrived(signed(key)))
    key.delete()
    monkeypatch.setattr(sigv4, "KEY_CACHE_S", 0.0)
    with pytest.raises(UnrecognizedClientException):
        sigv4.authenticate(arrived(signed(key)))


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        ({"aws_access_key_id": "AKIANOBODY"}, "UnrecognizedClientException"),
        ({"aws_secret_access_key": "wrong"}, "InvalidSignatureException"),
    ],
)
def test_a_client_with_wrong_keys_gets_403(account, client_for, credentials, code):
    with pytest.raises(ClientError) as caught:
        client_for(account, **credentials).list_dataset_groups()
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize("stated", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"])
def test_a_body_that_is_not_signed_is_called_that(key, stated):
    headers = signed(key, **{"X-Amz-Content-SHA256": stated})
    with pytest.raises(
        InvalidSignatureException, match=f"X-Amz-Content-Sha256 header is {stated}; the body must be signed"
    ):
        sigv4.authenticate(arrived(headers))


def test_a_body_that_something_changed_is_called_that(key):
    headers = signed(key, **{"X-Amz-Content-SHA256": hashlib.sha256(BODY).hexdigest()})
    with pytest.raises(InvalidSignatureException, match="is not of the body that arrived"):
        sigv4.authenticate(arrived(headers, body=BODY + b" "))

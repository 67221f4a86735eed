from __future__ import annotations

import io
import json

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from console.models import AccessKey
from console.wsgi import application

pytestmark = pytest.mark.django_db


def asked(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None):
    """What the server's own application answers: status, headers, body."""
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "SERVER_NAME": "testserver", "SERVER_PORT": "80", "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "CONTENT_LENGTH": str(len(body)), "HTTP_HOST": "testserver",
    }  # fmt: skip
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    told: list = []
    answer = application(environ, lambda *start: told.extend(start))
    return told[0], dict(told[1]), b"".join(answer)


def test_a_signed_request_is_answered_without_middleware(account):
    key = AccessKey.issue(account)
    request = AWSRequest(
        "POST", "http://testserver/aws/", data=b"{}",
        headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonPersonalize.ListDatasetGroups"},
    )  # fmt: skip
    SigV4Auth(Credentials(key.key_id, key.secret), "personalize", "us-east-1").add_auth(request)

    status, headers, body = asked("POST", "/aws/", b"{}", dict(request.headers.items()))

    assert (status, json.loads(body)) == ("200 OK", {"datasetGroups": []})
    assert headers["Content-Length"] == str(len(body))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in headers


def test_an_unsigned_request_is_refused_as_ever():
    status, _, body = asked("POST", "/aws/", b"{}", {"X-Amz-Target": "AmazonPersonalize.ListDatasetGroups"})

    assert status.startswith("403"), body


def test_pages_still_pass_all_middleware():
    status, headers, _ = asked("GET", "/livez")

    assert status == "200 OK"
    assert headers["X-Frame-Options"] == "DENY"

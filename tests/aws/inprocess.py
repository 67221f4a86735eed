"""A real boto3 client whose requests reach the server without a socket: signing, serialising and parsing are botocore's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from django.test import Client

from console.models import AccessKey, Account

CONFIG = Config(retries={"max_attempts": 0}, parameter_validation=False)
SERVER = Client()


class Body:
    """A response's body, as botocore wants to read it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


def client(account: Account, service: str) -> Any:
    """A client that signs with a new key of the account and checks nothing itself."""
    key = AccessKey.issue(account)
    found = boto3.client(
        service,
        endpoint_url="http://testserver/aws",
        region_name="us-east-1",
        config=CONFIG,
        aws_access_key_id=key.key_id,
        aws_secret_access_key=key.secret,
    )
    found.meta.events.register("before-send", _send)
    return found


def _send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
    headers = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
    path = request.url.removeprefix("http://testserver")
    content_type = headers.pop("Content-Type", "application/json")
    answer = SERVER.generic(
        request.method, path, request.body or b"", content_type=content_type, headers=headers | {"Host": "testserver"}
    )
    return AWSResponse(request.url, answer.status_code, dict(answer.items()), Body(answer.content))

"""A real boto3 client against a live server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config

from console.models import AccessKey, Account

CONFIG = Config(retries={"max_attempts": 0}, parameter_validation=False)


@pytest.fixture
def client_for(transactional_db, live_server) -> Callable[..., Any]:
    """`client_for(account, "personalize")`: a client signing with a key of the account; it checks nothing itself."""

    def make(account: Account, service: str = "personalize", **credentials: str) -> Any:
        key = AccessKey.issue(account)
        given = {"aws_access_key_id": key.key_id, "aws_secret_access_key": key.secret, **credentials}
        url = f"{live_server.url}/aws"
        return boto3.client(service, endpoint_url=url, region_name="eu-west-1", config=CONFIG, **given)

    return make


@pytest.fixture
def account(transactional_db) -> Account:
    """Alice's account, committed, as the server answers in a thread of its own."""
    return Account.objects.create(number="000000000001", name="alice")


@pytest.fixture
def other_account(transactional_db) -> Account:
    """Charlie's account, which must see nothing of Alice's."""
    return Account.objects.create(number="000000000003", name="charlie")

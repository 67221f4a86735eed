"""People and programs that call REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from console.models import Account, Member, Token


@pytest.fixture
def caller(db) -> Callable[..., Any]:
    """`caller(account, "viewer")`: a client with a token of a member."""

    def make(account: Account, role: str = "owner") -> APIClient:
        user = User.objects.create(username=f"{role}-of-{account.name}-{User.objects.count()}")
        Member.objects.create(user=user, account=account, role=role)
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {Token.issue(user)}")
        return client

    return make


@pytest.fixture
def alice(caller, account) -> APIClient:
    """An administrator of Alice's account."""
    client: APIClient = caller(account)
    return client

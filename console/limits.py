"""What an account may have and how fast it may ask: the server's quotas, or the account's own where it was given some."""

from __future__ import annotations

from contextvars import ContextVar

from django.conf import settings

from console import logs
from console.errors import ThrottlingException
from console.models import Account
from console.rates import RATE

REQUESTS = "requests_per_second"
BURST_S = 2.0  # what may come at once, in seconds of the rate

_account: ContextVar[Account | None] = ContextVar("account", default=None)


def of(account: Account) -> None:
    """Say for the rest of this request or job whose limits hold, and whose it is in the log."""
    _account.set(account)
    logs.account_number.set(account.number)


def quota(name: str) -> int:
    """The quota in force for the account at work; without one, the server's."""
    account = _account.get()
    own = None if account is None else account.limits.get(name)
    return int(settings.QUOTAS[name] if own is None else own)


def admit(account: Account) -> None:
    """Count a program's request against the account's rate.

    Raises:
        ThrottlingException: more come in than the account may send.
    """
    per_second = float(account.limits.get(REQUESTS, settings.RATE_LIMIT))
    burst = max(1, round(BURST_S * per_second))
    if per_second and not RATE.allows(account.number, per_second, burst):
        raise ThrottlingException(
            f"The account sends more than {per_second:g} requests a second, which is what it may; try again in a moment."
        )

"""Ours: who changed what."""

from __future__ import annotations

from console.errors import InvalidNextTokenException
from console.models import Account, AuditEntry
from console.operations.base import operation
from console.shapes import JSONDict

PAGE = 50


@operation
def list_audit_entries(
    account: Account, *, resource_arn: str | None = None, next_token: str | None = None, max_results: int = PAGE
) -> JSONDict:
    """Newest first; of one resource where it is given, also after it was deleted."""
    rows = AuditEntry.objects.filter(account=account)
    if resource_arn:
        rows = rows.filter(arn=resource_arn)
    if next_token:
        if not next_token.isdecimal():
            raise InvalidNextTokenException(
                f"nextToken {next_token[:40]} is not one of this list; pass on the token of its last page.",
                field="nextToken",
            )
        rows = rows.filter(pk__lt=int(next_token))
    found = list(rows[: max_results + 1])
    token = str(found[max_results - 1].pk) if len(found) > max_results else None
    return {"auditEntries": [row.wire() for row in found[:max_results]], "nextToken": token}

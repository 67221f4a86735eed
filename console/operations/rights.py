"""What a member may call: everybody reads, analysts start what only measures, editors and owners change what is served."""

from __future__ import annotations

from console.errors import AccessDeniedException
from console.models import Member
from console.operations.base import is_read

ANALYSES = {"CreateSharedEvaluation", "CreateDataInsightsJob"}


def may_call(member: Member, operation: str) -> bool:
    """Whether the member's role opens an operation."""
    return is_read(operation) or member.may_write or (member.may_analyse and operation in ANALYSES)


def require(member: Member, operation: str) -> None:
    """Hold a call to the member's role.

    Raises:
        AccessDeniedException: the role does not open the operation.
    """
    if not may_call(member, operation):
        raise AccessDeniedException(
            f"Your role is {member.role}, which does not open {operation}; ask an owner of the account for the role editor."
        )

"""The people of an account: invited by a link, given roles, removed. An account keeps an owner; changes are in the audit."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils import timezone

from console import arns
from console.errors import InvalidInputException, ResourceAlreadyExistsException, ResourceNotFoundException
from console.models import Account, AuditEntry, Invitation, Member, Passkey, Token, TwoStep
from console.operations.auditing import acting

Role = Member.Role


def invite(account: Account, *, role: str, email: str = "") -> str:
    """A new invitation; returns the word that its link holds.

    Raises:
        InvalidInputException: there is no such role.
    """
    _check_role(role)
    word = Invitation.issue(account, role, acting().name, email)
    write_down(account, "InviteMember", email or "somebody", None, {"role": role})
    return word


def withdraw(account: Account, *, pk: int) -> None:
    """Take an invitation back; its link opens nothing any more."""
    Invitation.objects.filter(account=account, pk=pk, accepted=None).delete()


def accept(word: str, *, username: str, password: str) -> Any:
    """Make the user that an invitation is for; works once. The name of somebody who was removed is free.

    Raises:
        ResourceNotFoundException: the invitation was accepted, withdrawn, or is too old.
        ResourceAlreadyExistsException: the name is taken.
    """
    with transaction.atomic():
        found = use_invitation(word)
        free_name(username)
        try:
            with transaction.atomic():
                user = get_user_model().objects.create_user(username, found.email, password)
        except IntegrityError:
            raise ResourceAlreadyExistsException(
                f"The name {username} is taken; choose another one.", field="username"
            ) from None
        Member.objects.create(user=user, account=found.account, role=found.role)
        write_down(found.account, "AcceptInvitation", username, None, {"role": found.role}, actor=username)
        return user


def free_name(username: str) -> None:
    """Let somebody else have the name of a person who was removed.

    The user goes with all that hangs on the row, so that no token, session, second step or right of before is the new
    person's; the audit keeps the name.
    """
    get_user_model().objects.filter(username=username, is_active=False, member=None).delete()


def use_invitation(word: str) -> Invitation:
    """The invitation of a link, which opens nothing any more once the transaction around this is committed.

    Raises:
        ResourceNotFoundException: the invitation was accepted, withdrawn, or is too old.
    """
    found = Invitation.of(word)
    now = timezone.now()
    mine = Invitation.objects.filter(digest=Token.hash(word), accepted=None, expires__gt=now)
    if found is None or not mine.update(accepted=now):
        raise ResourceNotFoundException("This invitation is used up, withdrawn or too old; ask for a new one.")
    return found


def change_role(account: Account, *, pk: int, role: str) -> Member:
    """Give a member another role.

    Raises:
        InvalidInputException: there is no such role, or the account would be left without an owner.
        ResourceNotFoundException: the account has no such member.
    """
    _check_role(role)
    with transaction.atomic():
        member = _locked(account, pk)
        if role != Role.OWNER:
            _keep_an_owner(account, member)
        before, member.role = member.role, role
        member.save(update_fields=["role"])
        write_down(account, "ChangeRole", str(member.user), {"role": before}, {"role": role})
    return member


def remove(account: Account, *, pk: int) -> Member:
    """End a member's access for good: the user stays, inactive, as the audit names it; tokens, passkeys and the second step go.

    Raises:
        InvalidInputException: the account would be left without an owner.
        ResourceNotFoundException: the account has no such member.
    """
    with transaction.atomic():
        member = _locked(account, pk)
        _keep_an_owner(account, member)
        get_user_model().objects.filter(pk=member.user_id).update(is_active=False)
        Token.objects.filter(user_id=member.user_id).delete()
        TwoStep.objects.filter(user_id=member.user_id).delete()
        Passkey.objects.filter(user_id=member.user_id).delete()
        Member.objects.filter(pk=member.pk).delete()
        write_down(account, "RemoveMember", str(member.user), {"role": member.role}, None)
    return member


def member_of(account: Account, pk: int) -> Member:
    """The account's member.

    Raises:
        ResourceNotFoundException: it has no such member.
    """
    member = Member.objects.select_related("user", "account").filter(account=account, pk=pk).first()
    if member is None:
        raise ResourceNotFoundException("The account has no such member.")
    return member


def _locked(account: Account, pk: int) -> Member:
    """The member, while nobody else changes the account's people."""
    Account.objects.select_for_update().get(pk=account.pk)
    return member_of(account, pk)


def _keep_an_owner(account: Account, member: Member) -> None:
    others = Member.objects.filter(account=account, role=Role.OWNER, user__is_active=True).exclude(pk=member.pk)
    if member.role == Role.OWNER and not others.exists():
        raise InvalidInputException(f"{member.user} is the account's only owner; make somebody else an owner first.")


def _check_role(role: str) -> None:
    if role not in Role.values:
        raise InvalidInputException(f"The role is {role}, allowed are {', '.join(Role.values)}.", field="role")


def write_down(
    account: Account,
    operation: str,
    name: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    *,
    actor: str = "",
) -> None:
    """Keep a change of a member in the audit; `actor` is somebody who is not signed in yet."""
    who = acting()
    AuditEntry.objects.create(
        account=account, actor=actor or who.name, door=who.door if not actor else "console", operation=operation,
        arn=str(arns.Arn(account.number, "member", name)), before=before, after=after,
    )  # fmt: skip

"""Signing in by an OpenID provider: whose an identity is, who comes for the first time, and which role groups give.

People are known by issuer and subject alone: an e-mail address says nothing about who somebody is, as another provider, or
another person at the same one, may have it.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from console.errors import (
    AccessDeniedException,
    InvalidInputException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
)
from console.models import Account, Identity, Member
from console.operations.account.last_way import has_another
from console.operations.account.members import free_name, use_invitation, write_down

LONGEST_NAME = 140  # leaves room for what tells names apart
NUMBERED = 20  # names that are tried with a number


@dataclass(frozen=True)
class Claims:
    """What a provider says about somebody, after its signature was verified; `email` only if it verified that, too."""

    issuer: str
    subject: str
    name: str = ""
    email: str = ""
    groups: frozenset[str] = field(default_factory=frozenset)

    @property
    def label(self) -> str:
        """How a person tells this identity from another one."""
        return (self.email or self.name)[:254]


@transaction.atomic
def sign_in(claims: Claims) -> User:
    """The user whose identity this is; made, where OIDC_ACCOUNT takes in who comes for the first time.

    Raises:
        AccessDeniedException: nobody here has the identity, or the person was removed, or is in no group that has a role.
    """
    found = _known(claims)
    if found is None:
        return _first(claims)
    member = Member.objects.select_related("account", "user").filter(user=found.user, user__is_active=True).first()
    if member is None:  # also where the user is gone, whose name somebody else has now
        raise AccessDeniedException("You were removed from this server; ask an owner of your account to invite you.")
    _follow_groups(member, claims)
    Identity.objects.filter(pk=found.pk).update(last_used=timezone.now(), label=claims.label)
    return member.user


@transaction.atomic
def accept(word: str, claims: Claims) -> User:
    """Make the user that an invitation is for, without a password; works once.

    Raises:
        ResourceNotFoundException: the invitation was accepted, withdrawn, or is too old.
        ResourceAlreadyExistsException: the identity is another person's.
        AccessDeniedException: the person is in no group that has a role.
    """
    invitation = use_invitation(word)
    role = _role_in(invitation.account, claims) or invitation.role
    _take_back(claims)
    free_name(next(_names(claims)))
    user = _new_user(claims, claims.email or invitation.email)
    _give(user, claims)
    Member.objects.create(user=user, account=invitation.account, role=role)
    name = user.get_username()
    write_down(invitation.account, "AcceptInvitation", name, None, {"role": role, **_shown(claims)}, actor=name)
    return user


@transaction.atomic
def link(member: Member, claims: Claims) -> None:
    """Let a member sign in by an identity.

    Raises:
        ResourceAlreadyExistsException: the identity is another person's.
    """
    known = _known(claims)
    if known is not None and known.user_id == member.user_id:
        return
    _take_back(claims)
    _give(member.user, claims)
    write_down(member.account, "LinkIdentity", str(member.user), None, _shown(claims))


@transaction.atomic
def unlink(member: Member, *, pk: int, host: str) -> None:
    """Let a member, whose passkeys are for `host`, sign in by an identity no more.

    Raises:
        ResourceNotFoundException: the member has no such identity.
        InvalidInputException: the member would have no way in.
    """
    Account.objects.select_for_update().get(pk=member.account_id)
    row = Identity.objects.filter(user_id=member.user_id, pk=pk).first()
    if row is None:
        raise ResourceNotFoundException("You have no such identity.")
    if not has_another(member.user, row, host=host):
        raise InvalidInputException(
            "This identity is your only way in; ask an owner for a link to set a password first."
        )
    row.delete()
    before = {"issuer": row.issuer, "subject": row.subject}
    write_down(member.account, "UnlinkIdentity", str(member.user), before, None)


def _known(claims: Claims) -> Identity | None:
    rows = Identity.objects.select_related("user")
    return rows.filter(issuer=claims.issuer, subject=claims.subject).first()


def _first(claims: Claims) -> User:
    """Somebody who was never here.

    Raises:
        AccessDeniedException: only who was invited may come.
    """
    account = Account.objects.filter(name=settings.OIDC_ACCOUNT).first() if settings.OIDC_ACCOUNT else None
    if account is None:
        raise AccessDeniedException(
            "Nobody here signs in by this identity. Ask an owner of an account for an invitation, or sign in as before "
            "and link it under You."
        )
    role = _role_in(account, claims) or settings.OIDC_ROLE
    user = _new_user(claims, claims.email)
    _give(user, claims)
    Member.objects.create(user=user, account=account, role=role)
    name = user.get_username()
    write_down(account, "FirstSignIn", name, None, {"role": role, **_shown(claims)}, actor=name)
    return user


def _follow_groups(member: Member, claims: Claims) -> None:
    """Give a member the role of their groups, which the provider answers for: also to an account's last owner."""
    role = _role_in(member.account, claims)
    if role and role != member.role:
        Member.objects.filter(pk=member.pk).update(role=role)
        name = str(member.user)
        write_down(member.account, "ChangeRole", name, {"role": member.role}, {"role": role}, actor=name)


def _role_in(account: Account, claims: Claims) -> str:
    """The role that groups give in an account; "" where they give none, as in all accounts but OIDC_ACCOUNT.

    Raises:
        AccessDeniedException: groups give roles there, and the person is in none of them.
    """
    if not settings.OIDC_ROLES or account.name != settings.OIDC_ACCOUNT:
        return ""
    pairs = [pair.rpartition(":") for pair in settings.OIDC_ROLES]
    mine = {role for group, _, role in pairs if group in claims.groups}
    found = next((role for role in Member.Role.values if role in mine), None)  # the first may do most
    if found is None:
        raise AccessDeniedException("You are in no group that may use this server; ask who looks after your groups.")
    return found


def _give(user: User, claims: Claims) -> None:
    """Make an identity that is nobody's a user's.

    Raises:
        ResourceAlreadyExistsException: it is another person's.
    """
    try:
        with transaction.atomic():
            Identity.objects.create(user=user, issuer=claims.issuer, subject=claims.subject, label=claims.label)
    except IntegrityError:
        raise ResourceAlreadyExistsException("This identity was just linked to somebody; sign in with it.") from None


def _take_back(claims: Claims) -> None:
    """Take an identity, and the name, from a user who was removed.

    Raises:
        ResourceAlreadyExistsException: it is another person's.
    """
    known = _known(claims)
    if known is None:
        return
    if Member.objects.filter(user=known.user).exists():
        raise ResourceAlreadyExistsException(f"This identity is that of {known.user} here; one opens one user only.")
    if known.user is not None:
        free_name(known.user.get_username())
    known.delete()


def _new_user(claims: Claims, email: str) -> User:
    """A user without a password, named as at the provider as far as names are free and allowed."""
    users = get_user_model().objects
    for name in _names(claims):
        if users.filter(username__iexact=name).exists():
            continue
        try:
            with transaction.atomic():
                return users.create_user(name, email, None)
        except IntegrityError:
            continue  # somebody took it just now
    raise ResourceAlreadyExistsException(f"The name {claims.name} is taken; try again.")


def _names(claims: Claims) -> Iterator[str]:
    said = unicodedata.normalize("NFKC", claims.name or claims.email.partition("@")[0])  # as Django keeps names
    name = re.sub(r"[^\w.@+-]+", "-", said).strip("-")[:LONGEST_NAME] or "person"  # User.username_validator
    yield name
    yield from (f"{name}-{number}" for number in range(2, NUMBERED))
    yield f"{name}-{secrets.token_hex(4)}"


def _shown(claims: Claims) -> dict[str, str]:
    return {"issuer": claims.issuer, "subject": claims.subject}

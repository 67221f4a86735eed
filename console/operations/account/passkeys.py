"""People's passkeys: added, renamed, removed, dropped by an owner; a person keeps a way in, changes are in the audit."""

from __future__ import annotations

import logging

from django.db import IntegrityError, transaction
from django.utils import timezone

from console.errors import (
    InvalidInputException,
    LimitExceededException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
)
from console.models import Account, Member, Passkey
from console.operations.account.last_way import has_another
from console.operations.account.members import member_of, write_down

logger = logging.getLogger(__name__)

MAX_PASSKEYS = 20  # of a person
LONGEST_NAME = 60


def add(
    member: Member, *, name: str, credential_id: str, public_key: str, counter: int, handle: str, rp_id: str
) -> Passkey:
    """Keep the public half of a passkey whose registration was checked.

    Raises:
        InvalidInputException: nobody could read the name.
        LimitExceededException: the person has as many as one may have.
        ResourceAlreadyExistsException: it is registered, for this person or another one.
    """
    name = _readable(name)
    with transaction.atomic():
        _lock(member)
        if Passkey.objects.filter(user_id=member.user_id).count() >= MAX_PASSKEYS:
            raise LimitExceededException(f"You have {MAX_PASSKEYS} passkeys, which is the limit; remove one first.")
        try:
            with transaction.atomic():
                made = Passkey.objects.create(
                    user_id=member.user_id, name=name, credential_id=credential_id, public_key=public_key, counter=counter,
                    handle=handle, rp_id=rp_id,
                )  # fmt: skip
        except IntegrityError:
            raise ResourceAlreadyExistsException("This passkey is registered already.") from None
        write_down(member.account, "AddPasskey", str(member.user), None, {"passkey": name, "host": rp_id})
    return made


def rename(member: Member, *, pk: int, name: str) -> None:
    """Give a passkey of one's own another name.

    Raises:
        InvalidInputException: nobody could read the name.
        ResourceNotFoundException: the person has no such passkey.
    """
    if not Passkey.objects.filter(user_id=member.user_id, pk=pk).update(name=_readable(name)):
        raise ResourceNotFoundException("You have no such passkey.")


def remove(member: Member, *, pk: int, host: str) -> None:
    """Forget a passkey of one's own, at a server that is at `host`.

    Raises:
        InvalidInputException: it is the only way in.
        ResourceNotFoundException: the person has no such passkey.
    """
    with transaction.atomic():
        _lock(member)
        found = Passkey.objects.filter(user_id=member.user_id, pk=pk).first()
        if found is None:
            raise ResourceNotFoundException("You have no such passkey.")
        if not has_another(member.user, found, host=host):
            raise InvalidInputException("This passkey is your only way in; add another one first.")
        found.delete()
        write_down(
            member.account, "RemovePasskey", str(member.user), {"passkey": found.name, "host": found.rp_id}, None
        )


def drop_all(account: Account, *, pk: int) -> tuple[Member, int]:
    """Forget all passkeys of a member who lost a device; returns the member and how many there were.

    Raises:
        ResourceNotFoundException: the account has no such member.
    """
    with transaction.atomic():
        member = member_of(account, pk)
        count = Passkey.objects.filter(user_id=member.user_id).delete()[0]
        write_down(account, "DropPasskeys", str(member.user), {"passkeys": count}, {"passkeys": 0})
    return member, count


def use(passkey: Passkey, member: Member, *, counter: int) -> None:
    """Note a use, with the number of signatures that the device tells; one that does not grow tells of a copy of the key.

    Raises:
        InvalidInputException: the number went back, or stood still.
    """
    rows = Passkey.objects.filter(pk=passkey.pk)
    if counter:  # of a device that counts
        rows = rows.filter(counter__lt=counter)
    else:
        rows = rows.filter(counter=0)
    if rows.update(counter=counter, last_used=timezone.now()):
        return
    logger.warning("Refused a passkey of %s: its counter went from %d to %d.", member.user, passkey.counter, counter)
    before, after = {"counter": passkey.counter}, {"counter": counter}
    write_down(member.account, "RefusePasskey", str(member.user), before, after, actor=str(member.user))
    raise InvalidInputException(
        "The passkey was refused: its counter went back, as if the device had been copied. "
        "Remove it and add a new one, or ask an owner."
    )


def _lock(member: Member) -> None:
    """Wait until nobody else changes the account's people, within the transaction."""
    Account.objects.select_for_update().get(pk=member.account_id)


def _readable(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInputException(
            f"The name of a passkey is {name}, allowed are 1 to {LONGEST_NAME} printable characters.", field="name"
        )
    return name

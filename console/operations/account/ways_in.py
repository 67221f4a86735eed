"""Links that sign a person in once, for who looks after the server on a day when nothing else does."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.utils import timezone

from console.errors import ResourceNotFoundException
from console.models import Member
from console.operations.account.members import write_down

SALT = "console.way-in"
LASTS_S = 900


def issue(member: Member) -> str:
    """The word of a link for a member; it works until the member signs in, in whatever way."""
    last = member.user.last_login
    return signing.dumps([member.user_id, last.isoformat() if last else ""], salt=SALT)


@transaction.atomic
def use(word: str) -> User:
    """The user of a link, which opens nothing any more.

    Raises:
        ResourceNotFoundException: the link was used, or is too old or none, or its person was removed.
    """
    try:
        pk, last = signing.loads(word, salt=SALT, max_age=LASTS_S)
    except signing.BadSignature:
        pk, last = None, ""
    before = datetime.fromisoformat(last) if last else None
    users = get_user_model().objects.filter(pk=pk, last_login=before, is_active=True)
    member = Member.objects.select_related("account", "user").filter(user_id=pk).first()
    if member is None or not users.update(last_login=timezone.now()):
        raise ResourceNotFoundException("This link was used, is too old, or was cut off; make a new one.")
    name = member.user.get_username()
    write_down(member.account, "UseWayIn", name, None, None, actor=name)
    return member.user

"""Making accounts, people and their keys from the command line."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction

from console import arns
from console.models import AccessKey, Account, Member, Token
from console.models.people import SERVERS_ACCOUNT
from console.operations.account.members import free_name

DEFAULT_ACCOUNT = "default"
DEFAULT_NUMBER = SERVERS_ACCOUNT
MAX_DAYS = 36500  # of a token or an access key
LONGEST_ACCOUNT = 63  # characters, as the columns hold
LONGEST_PERSON = 150


@dataclass(frozen=True)
class FirstPerson:
    """Somebody who was just made, with the password that is shown this once."""

    username: str
    password: str


def require_database() -> None:
    """Ask for the tables before a command writes to them.

    Raises:
        CommandError: nothing was ever served from this DATA_DIR or DATABASE_URL.
    """
    if Account._meta.db_table not in connection.introspection.table_names():
        place = connection.settings_dict["NAME"]
        raise CommandError(
            f"The database {place} has no tables yet. Start the server once (manage.py serve), or run manage.py migrate; "
            "check DATA_DIR and DATABASE_URL if it is another one you meant."
        )


def require_days(days: int | None) -> None:
    """Refuse a lifetime of a credential that is over at once, or beyond what a date can hold.

    Raises:
        CommandError: it is not from 1 to `MAX_DAYS`; None lasts for ever.
    """
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise CommandError(f"--days is {days}, allowed are 1 to {MAX_DAYS}; without it there is no end.")


def require_name(whose: str, name: str, longest: int) -> None:
    """Refuse a name that nobody could read or type.

    Raises:
        CommandError: it is empty or too long, has blanks around it, or characters that cannot be printed.
    """
    if not name or len(name) > longest or name != name.strip() or not name.isprintable():
        raise CommandError(
            f"The name of the {whose} is {name!r}; allowed are 1 to {longest} printable characters without blanks around them."
        )


def existing_account(name: str) -> Account:
    """The account called `name`, for what makes none.

    Raises:
        CommandError: there is none.
    """
    require_name("account", name, LONGEST_ACCOUNT)
    account = Account.objects.filter(name=name).first()
    if account is None:
        raise CommandError(f"There is no account {name}.")
    return account


def account_named(name: str, number: str | None = None) -> Account:
    """The account called `name`, made if need be; with this number, where one is given.

    Raises:
        CommandError: the number is not one, or is another account's, or the account has another one; or no account
            can have the name.
    """
    if number is not None and not (number.isascii() and number.isdecimal() and len(number) == 12):
        raise CommandError(f"The account number is {number}, allowed are 12 digits, such as 123456789012.")
    require_name("account", name, LONGEST_ACCOUNT)
    made = number or (DEFAULT_NUMBER if name == DEFAULT_ACCOUNT else f"{secrets.randbelow(10**12 - 1) + 1:012d}")
    try:
        with transaction.atomic():
            account = Account.objects.get_or_create(name=name, defaults={"number": made})[0]
    except IntegrityError:
        raise CommandError(f"The account number {made} is another account's; choose another one.") from None
    if number is not None and account.number != number:
        raise CommandError(
            f"The account {name} has the number {account.number}, which its ARNs hold; it cannot be changed."
        )
    return account


def member_named(username: str) -> Member | None:
    """The place of the person of that name in an account; None for one who has none, or is not there.

    Raises:
        CommandError: no person can have the name.
    """
    require_name("person", username, LONGEST_PERSON)
    return Member.objects.select_related("account").filter(user__username=username).first()


@transaction.atomic
def person_named(
    username: str, password: str | None = None, account_name: str = DEFAULT_ACCOUNT, role: str = Member.Role.OWNER
) -> Any:
    """The user of that name; made with this role in the account if need be. `password` replaces the old one if given.

    With a password somebody who was removed comes back as somebody new, without anything of before.

    Raises:
        CommandError: no person can have the name; or the person was removed, and there is no password.
    """
    require_name("person", username, LONGEST_PERSON)
    if password is not None:
        free_name(username)
    user, _ = get_user_model().objects.get_or_create(username=username)
    if not user.is_active:
        raise CommandError(f"{username} was removed; create_user {username} lets the person in again.")
    if password is not None:
        user.set_password(password)  # ends the sessions that began with the old one
        user.save(update_fields=["password"])
    if not Member.objects.filter(user=user).exists():
        Member.objects.get_or_create(user=user, defaults={"account": account_named(account_name), "role": role})
    return user


def ensure_first_person() -> FirstPerson | None:
    """Make the user "admin" where there is nobody yet."""
    if get_user_model().objects.exists():
        return None
    person = FirstPerson("admin", secrets.token_urlsafe(12))
    person_named(person.username, person.password)
    return person


def write_demo_credentials(url: str) -> dict[str, str]:
    """What a program or a person needs to try the demo, in a file for its owner alone; kept from run to run."""
    path = settings.DATA_DIR / "demo-credentials.json"
    if path.exists():
        credentials: dict[str, str] = json.loads(path.read_text()) | {"url": url}
    else:
        credentials = _new_credentials(url)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(credentials, indent=1) + "\n")
    return credentials


def _new_credentials(url: str) -> dict[str, str]:
    password = secrets.token_urlsafe(12)
    user = person_named("demo", password)
    account = user.member.account
    key = AccessKey.issue(account)
    return {
        "url": url,
        "username": user.username,
        "password": password,
        "token": Token.issue(user),
        "aws_access_key_id": key.key_id,
        "aws_secret_access_key": key.secret,
        "region": arns.REGION,
        "account_id": account.number,
    }

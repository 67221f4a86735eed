"""Whose a location is: a bucket, or a folder of one, belongs to the account that used it first or that an administrator named.

Names are compared without their case and in one Unicode form, as file systems and people take them.
"""

from __future__ import annotations

import unicodedata

from django.conf import settings

from console import storage
from console.errors import InvalidInputException
from console.models import Account, Holding
from console.storage import UPLOADS_BUCKET, Location, parse_location


def location_for(account: Account, url: str, *, field: str | None = None) -> Location:
    """Read a location that `account` names in a request; one that is nobody's is the account's from now on.

    Raises:
        InvalidInputException: it is no s3:// URL, is the server's own, or is another account's.
    """
    location = parse_location(url, field=field)
    if _meets_the_servers_own(location):
        raise InvalidInputException(
            f"Access denied: {url} is the server's own, or holds it. Allowed are other buckets.", field=field
        )
    if plain(location.bucket) == UPLOADS_BUCKET:
        if location.bucket == UPLOADS_BUCKET and location.key.startswith(f"{account.number}/"):
            return location
        raise InvalidInputException(
            f"Access denied: {url}. Allowed below s3://{UPLOADS_BUCKET}/ is {account.number}/, your account's.",
            field=field,
        )
    if not _is_allowed(account, location):
        raise InvalidInputException(
            f"Access denied: {url} belongs to another account. Allowed are buckets and folders of your own.",
            field=field,
        )
    return location


def output_for(account: Account, url: str, *, field: str) -> Location:
    """Read the location of a folder that `account` has something written to.

    Raises:
        InvalidInputException: as of `location_for`, or an object stands where the folder would be.
    """
    location = location_for(account, url, field=field)
    if found := storage.object_above(location.child("_")):
        raise InvalidInputException(
            f"Invalid S3 output path: {found} is an object. Expected is a folder, such as s3://{location.bucket}/results/.",
            field=field,
        )
    return location


def plain(text: str) -> str:
    """A bucket or key as it is compared."""
    return unicodedata.normalize("NFKC", text).casefold()


def hold(location: Location, account: Account | None) -> Holding:
    """Give a bucket or folder to an account, or to all of them with None; what it was before is forgotten."""
    bucket, prefix = plain(location.bucket), plain(location.key)
    return Holding.objects.update_or_create(bucket=bucket, prefix=prefix, defaults={"account": account})[0]


def _meets_the_servers_own(location: Location) -> bool:
    """Whether a location is the server's own, below it, or a folder around it; a name without "/" may be meant as a folder."""
    own = storage.store("")
    key, own_key = plain(location.key), plain(own.key)
    folder = key if location.is_folder else f"{key}/"
    return plain(location.bucket) == plain(own.bucket) and (key.startswith(own_key) or own_key.startswith(folder))


def _is_allowed(account: Account, location: Location) -> bool:
    bucket, key = plain(location.bucket), plain(location.key)
    held = list(Holding.objects.filter(bucket=bucket))
    above = [one for one in held if f"{key}/".startswith(one.prefix) or key.startswith(one.prefix)]
    if location.is_folder and any(one.prefix.startswith(key) and not _opens(one, account) for one in held):
        return False  # a folder that holds another account's
    if above:
        return _opens(max(above, key=lambda one: len(one.prefix)), account)
    if not settings.CLAIM_BUCKETS:
        return False
    prefix = key[: key.rfind("/") + 1] if held else ""
    return _opens(
        Holding.objects.get_or_create(bucket=bucket, prefix=prefix, defaults={"account": account})[0], account
    )


def _opens(holding: Holding, account: Account) -> bool:
    return holding.account_id in {None, account.pk}

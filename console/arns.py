"""ARNs: how a resource is named on the wire.

Inside, all ARNs are of one region, REGION: those that come in are brought to it, and the wire answers in the region that a
request is signed for. So a resource is the same in all regions, and programs that put ARNs together find it in theirs.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

from console.errors import ResourceNotFoundException

PARTITION = "aws"
REGION = os.environ.get("REGION") or "us-east-1"
_REGIONAL = re.compile(r"arn:aws[a-z-]*:personalize:[a-zA-Z0-9-]+:")
_HOME = f"arn:{PARTITION}:personalize:{REGION}:"
_NAMES = ("Arn", "Arns")  # how members end that hold ARNs


@dataclass(frozen=True)
class Arn:
    """The parts of an ARN that matter here: `arn:aws:personalize:REGION:ACCOUNT:TYPE/NAME`."""

    account: str
    type: str
    name: str

    def __str__(self) -> str:
        """The ARN as it travels; what AWS itself owns has neither region nor account."""
        region = REGION if self.account else ""
        return f"arn:{PARTITION}:personalize:{region}:{self.account}:{self.type}/{self.name}"


def parse(text: str, *, wanted: str = "", field: str | None = None) -> Arn:
    """Take an ARN apart.

    Raises:
        ResourceNotFoundException: it is no ARN of ours, so it cannot name anything here.

    >>> parse("arn:aws:personalize:us-east-1:000000000000:solution/films/1a2b3c4d")
    Arn(account='000000000000', type='solution', name='films/1a2b3c4d')
    """
    parts = text.split(":", 5)
    if len(parts) < 6 or parts[2] != "personalize" or "/" not in parts[5]:
        needed = wanted.replace("-", " ")
        hint = f" The ARN of {_article(needed)} {needed} is wanted." if needed else ""
        raise ResourceNotFoundException(f"Resource Arn {text} does not exist.{hint}", field=field)
    kind, _, name = parts[5].partition("/")
    return Arn(parts[4], kind, name)


def kind_hint(arn: Arn, wanted: str) -> str:
    """What an ARN names where another type of resource is wanted; a sentence with a blank before it, or nothing.

    >>> kind_hint(Arn("000000000000", "campaign", "c"), "filter")
    ' It names a campaign; a filter is wanted.'
    >>> kind_hint(Arn("", "recipe", "aws-sims"), "solution-version")
    ' It names a recipe; a solution version is wanted.'
    """
    if arn.type == wanted or not arn.type:
        return ""
    named, needed = (word.replace("-", " ") for word in (arn.type, wanted))
    return f" It names {_article(named)} {named}; {_article(needed)} {needed} is wanted."


def account_hint(arn: Arn, number: str) -> str:
    """Whose ARN it is, where that is not the account that asks.

    >>> account_hint(Arn("123456789012", "campaign", "c"), "000000000001")
    ' It is of the account 123456789012; the one that asks is 000000000001.'
    """
    if arn.account in {"", number}:
        return ""
    return f" It is of the account {arn.account[:40]}; the one that asks is {number}."


def of_aws(text: str, kind: str, *, field: str | None = None) -> str:
    """The name in an ARN of what AWS itself owns: recipes and their like, in any partition and with or without a region.

    Raises:
        ResourceNotFoundException: it names something else.

    >>> of_aws("arn:aws-cn:personalize:cn-north-1::recipe/aws-sims", "recipe")
    'aws-sims'
    """
    arn = parse(text, wanted=kind, field=field)
    if arn.type != kind or arn.account:
        raise ResourceNotFoundException(f"Resource Arn {text} does not exist.{kind_hint(arn, kind)}", field=field)
    return arn.name


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def recipe_arn(name: str) -> str:
    """The ARN of a recipe.

    >>> recipe_arn("aws-sims")
    'arn:aws:personalize:::recipe/aws-sims'
    """
    return str(Arn("", "recipe", name))


def brought_home(members: Any, *, is_arn: bool = False) -> Any:
    """The members of a request with the ARNs among them in REGION; roles, keys and what is no ARN stay as they are.

    >>> brought_home({"campaignArn": "arn:aws:personalize:eu-west-1:000000000001:campaign/films", "userId": "1"})
    {'campaignArn': 'arn:aws:personalize:us-east-1:000000000001:campaign/films', 'userId': '1'}
    """
    match members:
        case dict():
            return {name: brought_home(value, is_arn=name.endswith(_NAMES)) for name, value in members.items()}
        case list():
            return [brought_home(value, is_arn=is_arn) for value in members]
        case str() if is_arn:
            return _REGIONAL.sub(_HOME, members, count=1) if _REGIONAL.match(members) else members
        case _:
            return members


def sent_to(region: str, text: bytes) -> bytes:
    """An answer with the ARNs in it as they are called in `region`."""
    return text if region == REGION else text.replace(_HOME.encode(), f"arn:{PARTITION}:personalize:{region}:".encode())

"""ARNs: how a resource is named on the wire."""

from __future__ import annotations

from dataclasses import dataclass

from console.errors import ResourceNotFoundException

PARTITION = "aws"
REGION = "us-east-1"


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


def parse(text: str, *, field: str | None = None) -> Arn:
    """Take an ARN apart.

    Raises:
        ResourceNotFoundException: it is no ARN of ours, so it cannot name anything here.

    >>> parse("arn:aws:personalize:us-east-1:000000000000:solution/films/1a2b3c4d")
    Arn(account='000000000000', type='solution', name='films/1a2b3c4d')
    """
    parts = text.split(":", 5)
    if len(parts) < 6 or parts[2] != "personalize" or "/" not in parts[5]:
        raise ResourceNotFoundException(f"Resource Arn {text} does not exist.", field=field)
    kind, _, name = parts[5].partition("/")
    return Arn(parts[4], kind, name)


def kind_hint(arn: Arn, wanted: str) -> str:
    """What an ARN names where another type of resource is wanted; a sentence with a blank before it, or nothing.

    >>> kind_hint(Arn("000000000000", "campaign", "c"), "filter")
    ' It names a campaign; a filter is wanted.'
    """
    if arn.type == wanted or not arn.type:
        return ""
    named, needed = (word.replace("-", " ") for word in (arn.type, wanted))
    return f" It names {_article(named)} {named}; {_article(needed)} {needed} is wanted."


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def recipe_arn(name: str) -> str:
    """The ARN of a recipe.

    >>> recipe_arn("aws-sims")
    'arn:aws:personalize:::recipe/aws-sims'
    """
    return str(Arn("", "recipe", name))

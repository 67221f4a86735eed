"""Which resources a document holds, in the order in which they are made, and how each refers to others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from botocore.model import Shape

from console.shapes import OPERATION_MODELS


@dataclass(frozen=True)
class Kind:
    """One kind of resource.

    Attributes:
        noun: AWS's name in camelCase, e.g. "datasetGroup".
        section: the key of the document under which its entries stand.
        references: members that hold an ARN on the wire and a name in the document: {"schemaArn": "schema"}.
        changeable: members that an Update operation takes.
        has_own_names: whether names are unique in a dataset group and not in the account.
    """

    noun: str
    section: str
    references: Mapping[str, str] = field(default_factory=dict)
    changeable: tuple[str, ...] = ()
    has_own_names: bool = False

    def key(self, entry: Mapping[str, Any]) -> tuple[str, str, str]:
        """What tells an entry from all others of a document."""
        return self.noun, str(entry.get("datasetGroup", "")) if self.has_own_names else "", str(entry["name"])

    def referred(self, entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The noun and name of each resource that an entry names; recipes are everybody's."""
        members = (member for member in self.references.values() if member in BY_NOUN and member in entry)
        yield from ((member, entry[member]) for member in members)

    @property
    def title(self) -> str:
        """As operations name it: "DatasetGroup"."""
        return self.noun[0].upper() + self.noun[1:]

    @property
    def slug(self) -> str:
        """As ARNs have it: "dataset-group"."""
        return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in self.noun)

    @property
    def arn(self) -> str:
        """The member with its ARN."""
        return f"{self.noun}Arn"

    @cached_property
    def members(self) -> tuple[str, ...]:
        """What an entry may hold: the members of Create… with references by name, and what only documents have."""
        shape = OPERATION_MODELS[f"Create{self.title}"].input_shape
        named = [self.references.get(member, member) for member in (shape.members if shape else ())]
        return (*named, *EXTRA.get(self.noun, ()))

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """What the members take that a document writes as Create… does."""
        shape = OPERATION_MODELS[f"Create{self.title}"].input_shape
        members = shape.members.items() if shape else ()
        return {member: of for member, of in members if member not in {*self.references, *OTHERWISE}}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Members that an entry must hold."""
        shape = OPERATION_MODELS[f"Create{self.title}"].input_shape
        return tuple(self.references.get(member, member) for member in (shape.required_members if shape else ()))


IN_GROUP = {"datasetGroupArn": "datasetGroup"}
WITH_RECIPE = IN_GROUP | {"recipeArn": "recipe"}
EXTRA = {
    "dataset": ("importFrom",)
}  # s3:// location that fills a dataset which is empty, or several: the first in full, the others added

OTHERWISE = ("tags", "schema")  # members that documents write as mappings

KINDS = (
    Kind("schema", "schemas"),
    Kind("datasetGroup", "datasetGroups"),
    Kind("dataset", "datasets", IN_GROUP | {"schemaArn": "schema"}, ("schema",), has_own_names=True),
    Kind("eventTracker", "eventTrackers", IN_GROUP, has_own_names=True),
    Kind("filter", "filters", IN_GROUP),
    Kind("metricAttribution", "metricAttributions", IN_GROUP),
    Kind("solution", "solutions", WITH_RECIPE, ("performAutoTraining", "performIncrementalUpdate")),
    Kind(
        "campaign",
        "campaigns",
        {"solutionVersionArn": "solution"},
        ("solution", "minProvisionedTPS", "campaignConfig"),
    ),
    Kind("recommender", "recommenders", WITH_RECIPE, ("recommenderConfig",)),
)
BY_SECTION = {kind.section: kind for kind in KINDS}
BY_NOUN = {kind.noun: kind for kind in KINDS}

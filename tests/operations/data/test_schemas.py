"""Schemas: which texts are schemas, and when they may go."""

from __future__ import annotations

import base64
import json

import pytest

from console.errors import (
    InvalidInputException,
    InvalidNextTokenException,
    ResourceAlreadyExistsException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from console.operations.data.schemas import create_schema, delete_schema, describe_schema, list_schemas
from tests.factories import INTERACTIONS, ITEMS, make_dataset, schema_text


def test_it_works(account):
    text = schema_text("Interactions", INTERACTIONS)

    arn = create_schema(account, name="films", schema=text)["schemaArn"]

    assert arn == "arn:aws:personalize:us-east-1:000000000001:schema/films"
    assert describe_schema(account, schema_arn=arn)["schema"]["schema"] == text
    assert [row["name"] for row in list_schemas(account)["schemas"]] == ["films"]
    delete_schema(account, schema_arn=arn)
    with pytest.raises(ResourceNotFoundException):
        describe_schema(account, schema_arn=arn)


ACCEPTED = {
    "lower case name": ("interactions", INTERACTIONS, None),
    "null first or last": ("Items", [("ITEM_ID", "string"), ("A", ["string", "null"]), ("B", ["null", "int"])], None),
    "one-element union": ("Users", [("USER_ID", ["string"]), ("AGE", ["int"])], None),
    "textual and itemName": (
        "Items", [("ITEM_ID", "string"), ("T", "string", {"textual": True}), ("N", "string", {"itemName": True})], None,
    ),
    "boolean": ("Items", [("ITEM_ID", "string"), ("NEW", "boolean")], None),
    "actions": ("Actions", [("ACTION_ID", "string"), ("VALUE", ["null", "long"])], None),
    "action interactions": (
        "ActionInteractions",
        [("USER_ID", "string"), ("ACTION_ID", "string"), ("EVENT_TYPE", "string"), ("TIMESTAMP", "long")],
        None,
    ),
    "shop items": (
        "Items", [("ITEM_ID", "string"), ("PRICE", "float"), ("CATEGORY_L1", "string", {"categorical": True})], "ECOMMERCE",
    ),
    "film items": (
        "Items",
        [("ITEM_ID", "string"), ("GENRES", "string", {"categorical": True}), ("CREATION_TIMESTAMP", "long")],
        "VIDEO_ON_DEMAND",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "fields", "domain"), ACCEPTED.values(), ids=ACCEPTED)
def test_it_accepts(account, kind, fields, domain):
    members = {"domain": domain} if domain else {}

    assert create_schema(account, name="a", schema=schema_text(kind, fields), **members)["schemaArn"]


REJECTED = {
    "unknown type": ("Films", [("ITEM_ID", "string"), ("A", "int")], None, "name is 'Films'"),
    "missing required": ("Interactions", INTERACTIONS[:2], None, "lacks TIMESTAMP; required are"),
    "wrong type of required": ("Interactions", [*INTERACTIONS[:3], ("TIMESTAMP", "string")], None, "allowed is long"),
    "required null": ("Users", [("USER_ID", ["null", "string"]), ("AGE", "int")], None, "must not include null"),
    "unknown field type": ("Users", [("USER_ID", "string"), ("AGE", "number")], None, '"number"; allowed is one of'),
    "nested": ("Users", [("USER_ID", "string"), ("A", {"type": "array", "items": "string"})], None, "allowed is one of"),
    "colliding names": (
        "Items", [("ITEM_ID", "string"), ("GENRES_FIELD_1", "string"), ("GENRESFIELD1", "int")], None, "the same name",
    ),
    "odd name": ("Users", [("USER_ID", "string"), ("AGE YEARS", "int")], None, "'AGE YEARS' is not allowed"),
    "categorical number": ("Users", [("USER_ID", "string"), ("AGE", "int", {"categorical": True})], None, "only string"),
    "textual user column": ("Users", [("USER_ID", "string"), ("BIO", "string", {"textual": True})], None, "Items schema"),
    "two texts": (
        "Items", [("ITEM_ID", "string"), ("A", "string", {"textual": True}), ("B", "string", {"textual": True})], None,
        "at most 1",
    ),
    "no metadata": ("Users", [("USER_ID", "string")], None, "at least one field besides"),
    "too many columns": ("Interactions", INTERACTIONS + [(f"M{n}", "int") for n in range(6)], None, "at most 5"),
    "shop items without price": (
        "Items", [("ITEM_ID", "string"), ("COLOR", "string", {"categorical": True})], "ECOMMERCE", "PRICE, CATEGORY_L1",
    ),
    "shop category not categorical": (
        "Items", [("ITEM_ID", "string"), ("PRICE", "float"), ("CATEGORY_L1", "string")], "ECOMMERCE", "must be categorical",
    ),
    "actions in a domain": ("Actions", [("ACTION_ID", "string"), ("A", "int")], "ECOMMERCE", "custom groups"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "fields", "domain", "reason"), REJECTED.values(), ids=REJECTED)
def test_it_rejects(account, kind, fields, domain, reason):
    members = {"domain": domain} if domain else {}

    with pytest.raises(InvalidInputException) as caught:
        create_schema(account, name="a", schema=schema_text(kind, fields), **members)

    assert reason in str(caught.value)
    assert caught.value.field == "schema"
    assert list_schemas(account)["schemas"] == []


@pytest.mark.parametrize(
    "text", ["", "no json", "[]", '{"type": "array"}', json.dumps({"type": "record", "name": "Items"})]
)
def test_it_rejects_what_is_no_schema(account, text):
    with pytest.raises(InvalidInputException):
        create_schema(account, name="a", schema=text)


@pytest.mark.parametrize("depth", [65, 1_000, 9_000])
def test_it_rejects_what_is_nested_too_deeply(account, depth):
    text = '{"type": "record", "fields": [{"name": "A", "type": ' + "[" * depth + "]" * depth + "}]}"
    with pytest.raises(InvalidInputException, match="nested more than 64 levels deep"):
        create_schema(account, name="films", schema=text)
    with pytest.raises(InvalidNextTokenException, match="is not one of this list"):
        list_schemas(account, next_token=base64.urlsafe_b64encode(b"[" * min(depth, 1_100)).decode())


def test_a_name_is_taken_once(account):
    create_schema(account, name="a", schema=schema_text("Items", ITEMS))

    with pytest.raises(ResourceAlreadyExistsException):
        create_schema(account, name="a", schema=schema_text("Items", ITEMS))


def test_a_schema_in_use_stays(account):
    make_dataset(account)

    with pytest.raises(ResourceInUseException, match="dataset/films/INTERACTIONS"):
        delete_schema(account, schema_arn="arn:aws:personalize:us-east-1:000000000001:schema/films-Interactions")


def test_charlie_sees_nothing_of_alice(account, other_account):
    arn = create_schema(account, name="a", schema=schema_text("Items", ITEMS))["schemaArn"]

    assert list_schemas(other_account)["schemas"] == []
    with pytest.raises(ResourceNotFoundException):
        describe_schema(other_account, schema_arn=arn)


def test_a_schema_that_was_encoded_twice_is_told(account):
    with pytest.raises(InvalidInputException, match=r"json\.dumps is called twice"):
        create_schema(account, name="films", schema=json.dumps(schema_text("Items", ITEMS)))


@pytest.mark.parametrize("text", ["null", "[]", "7", '"record"'])
def test_a_schema_that_is_no_object_is_called_by_jsons_name(account, text):
    with pytest.raises(InvalidInputException, match=r"type is '(null|array|number|string)'"):
        create_schema(account, name="films", schema=text)

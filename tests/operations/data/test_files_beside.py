"""A catalogue and the orders beside it: each is read by the ids that the other names."""

from __future__ import annotations

import pytest

from console.operations.data.files import (
    preview_data,
)
from tests.factories import put_object
from tests.operations.data.conftest import names

PRODUCTS = "Nr;EAN;Name\n" + "\n".join(f"LA{n};{4006381333000 + n};Lamp {n} large" for n in range(60))


@pytest.mark.parametrize(("named", "key"), [("LA{}", "Nr"), ("400638133300{}", "EAN")])
def test_a_catalogue_is_told_apart_by_what_the_orders_beside_it_name(account, named, key):
    lines = "\n".join(f"c{n % 7};{named.format(n % 9)};{1_700_000_000 + n}" for n in range(60))
    orders = put_object("orders.csv", f"customer;article;time\n{lines}\n")
    products = put_object("products.csv", PRODUCTS)
    found = preview_data(account, data_location=products, beside=[orders])

    assert names(found)[key] == "ITEM_ID"
    assert not found["questions"]
    assert not found["warnings"]


def test_orders_name_the_column_that_the_catalogue_has(account):
    lines = "\n".join(f"c{n % 7};LA{n % 9};{n % 9 + 5};{1_700_000_000 + n}" for n in range(60))
    orders = put_object("orders.csv", f"customer;reference;article;time\n{lines}\n")
    alone = preview_data(account, data_location=orders)
    found = preview_data(account, data_location=orders, beside=[put_object("products.csv", PRODUCTS)])

    assert names(alone)["article"] == "ITEM_ID"
    assert names(found)["reference"] == "ITEM_ID"


def test_a_catalogue_of_which_the_orders_name_nothing_says_so(account):
    lines = "\n".join(f"c{n % 7};Z{n % 9};{1_700_000_000 + n}" for n in range(60))
    orders = put_object("orders.csv", f"customer;article;time\n{lines}\n")
    found = preview_data(account, data_location=put_object("products.csv", PRODUCTS), beside=[orders])

    assert [warning[:33] for warning in found["warnings"]] == ["None of the ids in EAN looked at "] or [
        warning[:32] for warning in found["warnings"]
    ] == ["None of the ids in Nr looked at "]

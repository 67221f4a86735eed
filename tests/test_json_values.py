"""JSON of requests."""

from __future__ import annotations

import pytest

from console.errors import SerializationException
from console.json_values import read_object


@pytest.mark.parametrize("body", [rb'{"a": "x\u0000y"}', rb'{"a": [{"b\u0000": 1}]}', rb'{"\u0000": 1}'])
def test_a_nul_is_refused_wherever_it_stands(body):
    with pytest.raises(SerializationException, match="NUL"):
        read_object(body)


def test_what_only_looks_like_a_nul_is_kept():
    assert read_object(rb'{"a": "x\\u0000y"}') == {"a": r"x\u0000y"}

"""Bytes become the same text whatever their encoding, also where it shows late."""

from __future__ import annotations

import io

import pytest

from recipes.tables import text
from recipes.tables.encodings import encoding_of
from recipes.tables.text import TableError, TextStream


def read(data, size=1 << 20, encoding=""):
    stream = TextStream("file", io.BytesIO(data), encoding)
    return b"".join(iter(lambda: stream.text(size), b"")).decode(), stream.encoding


@pytest.mark.parametrize(
    ("stored", "encoding"),
    [
        ("a;é\n1;ü\n".encode(), "utf-8"),
        ("a;é\n1;ü\n".encode("cp1252"), "cp1252"),
        ("a;é\n1;ü\n".encode("utf-16-le"), "utf-16-le"),
        ("a;é\n1;ü\n".encode("utf-16-be"), "utf-16-be"),
        ("a;é\r1;ü\r".encode("utf-16"), "utf-16-le"),
    ],
)
def test_encodings_are_recognised(stored, encoding):
    assert read(stored) == ("a;é\n1;ü\n", encoding)


def test_an_encoding_may_show_late(monkeypatch):
    monkeypatch.setattr(text, "BLOCK_BYTES", 50)
    data = b"a;b\n" * 40 + "c;é\n".encode("cp1252")

    assert read(data, 50)[0].endswith("c;é\n")
    assert read(data, 50, "utf-8")[1] == "cp1252"


def test_a_damaged_byte_among_many_right_ones_leaves_the_rest():
    assert encoding_of("é".encode() * 10 + b"\xe9 ") == "utf-8"
    assert encoding_of("é".encode("cp1252") * 10 + b"x") == "cp1252"
    assert encoding_of("é".encode()[:1]) == "utf-8"


def test_line_ends_of_old_macs_may_be_mixed_with_a_few_others():
    assert read(b"a,b\r1,2\r\n3,4\r5,6\r")[0] == "a,b\n1,2\n3,4\n5,6\n"


@pytest.mark.parametrize("data", [b"\0\1\2\3" * 50, b"PK\x03\x04", b"[[1, 2]]", b"<html>", b"{\n}", b"\x1f\x8bx"])
def test_what_is_no_text_is_refused_by_name(data):
    with pytest.raises(TableError, match="file"):
        read(data)


@pytest.mark.parametrize(
    "data", [b"[id],[name]\n1,2\n", b"<5 years,b\n1,2\n", b"a\x01b\n1\x012\n", b"a,b\n1,x\0y\n" + b"1,2\n" * 50]
)
def test_what_only_looks_so_is_text(data):
    assert read(data)[0] == data.decode()


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "utf-32"])
def test_cyrillic_words_and_wide_characters_are_recognised(encoding):
    data = "user;film\n1;Война и мир\n2;Анна Каренина\n".encode(encoding)
    assert TextStream("file", io.BytesIO(data)).text().decode() == "user;film\n1;Война и мир\n2;Анна Каренина\n"

"""A text that is no UTF-8 is read in the encoding in which its letters spell words, and files of that kind are imported so."""

# ruff: noqa: RUF001  letters of other scripts are what is tested
from __future__ import annotations

import io

import pytest

from console.shapes import OURS, SERVICES
from recipes.tables.encodings import ENCODINGS, encoding_of, words_beyond_ascii
from recipes.tables.text import TextStream

TITLES = {
    "German": (
        ["cp1252", "cp850", "cp437", "mac-roman"],
        ["Möbel für die Küche", "Größe und Weiß", "Bücherregal schön"],
    ),
    "French": (["cp1252", "cp850", "mac-roman"], ["Le destin d'Amélie", "À bout de souffle", "Garçon", "L'été où"]),
    "Spanish": (["cp1252", "cp850", "cp437", "mac-roman"], ["Los años", "Mañana será", "¿Qué?", "Corazón"]),
    "Polish": (["cp1250", "iso8859-2", "cp852"], ["Żółta łódź", "Książka o miłości", "Święta i część"]),
    "Czech": (["cp1250", "iso8859-2", "cp852"], ["Příliš žluťoučký kůň", "Česká kniha", "anglického krále"]),
    "Hungarian": (["cp1250", "iso8859-2", "cp852"], ["Könyv a magyar nőkről", "Sűrű erdő", "A fehér őz"]),
    "Turkish": (["cp1254"], ["Kırmızı çiçeğin güzelliği", "İstanbul'da şehir ışıkları"]),
    "Icelandic": (["cp1252"], ["Sjálfstætt fólk", "Íslandsklukkan", "Þögnin", "Englar alheimsins við"]),
    "Russian": (["cp1251", "koi8-r", "cp866"], ["Война и мир", "Преступление и наказание", "Анна Каренина"]),
    "Greek": (["cp1253"], ["Ο μεγάλος περίπατος του Πέτρου", "Ζορμπάς ο Έλληνας"]),
    "Hebrew": (["cp1255"], ["סיפור על אהבה וחושך", "מישהו לרוץ איתו"]),
    "Arabic": (["cp1256"], ["موسم الهجرة إلى الشمال", "رجال في الشمس"]),
    "Thai": (["cp874"], ["สี่แผ่นดิน", "ความสุขของกะทิ", "น้ำเกาะ ๒๕๖๗", "เอาใจ ฯลฯ"]),
    "Russian whose bytes would be Thai letters": (["koi8-r"], ["Преступление", "Преступление red", "наказание"]),
    "Japanese": (["cp932", "euc_jp"], ["千と千尋の神隠し", "となりのトトロ", "火垂るの墓", "能力の表示"]),
    "Korean": (["euc_kr", "cp949"], ["기생충", "올드보이", "살인의 추억"]),
    "simplified Chinese": (["gb18030", "gbk"], ["红楼梦", "卧虎藏龙与英雄", "活着的人们", "手机壳 透明"]),
    "Chinese most of which would be Korean syllables": (["gb18030"], ["北京的秋天", "红楼梦", "手机壳"]),
    "Chinese whose bytes would be Thai letters": (["gb18030"], ["活着的人们", "活着 27", "人们"]),
    "Korean with Chinese characters": (
        ["euc_kr"],
        [
            "辛라면",
            "봄 여름 가을",
            "살인의 추억",
            "大장금 (大長今)",
            "올드보이",
            "겨울",
            "나무",
            "바다",
            "하늘 아래",
            "사람들",
        ],
    ),
    "traditional Chinese": (["big5", "big5hkscs"], ["紅樓夢", "臥虎藏龍與英雄", "活著的人們", "手機殼 透明"]),
    "syllables half of whose bytes are valid UTF-8": (["euc_jp", "cp932"], ["となりのトトロ", "となりのトトロ a"]),
    "a few short words": (["euc_jp", "cp932"], ["さくら", "すし", "東京", "ポケモン"]),
    "a few short words of Korean": (["euc_kr"], ["봄", "여름", "서울", "가방"]),
    "a few short words of China": (["gb18030"], ["英雄", "秋天", "手机", "鞋子"]),
    "a few short words of Taiwan, whose bytes would be Thai letters": (["big5"], ["秋天", "手機", "上衣", "活著"]),
    "many languages": (["cp1252"], ["Cidade de Deus", "Amélie", "Señorita", "Ångström", "Der Fußgänger", "Città"]),
}
CASES = [(language, encoding) for language, (encodings, _) in TITLES.items() for encoding in encodings]


def text_of(language: str) -> str:
    rows = (f"{n};{title};3,50\n" for n, title in enumerate(TITLES[language][1]))
    return "id;title;price\n" + "".join(rows)


@pytest.mark.parametrize(("language", "encoding"), CASES)
def test_words_tell_the_encoding(language, encoding):
    stored = text_of(language).encode(encoding)
    stream = TextStream("file", io.BytesIO(stored))
    assert stream.text().decode() == text_of(language)
    assert stream.encoding in ENCODINGS


@pytest.mark.parametrize(("language", "encoding"), [("Japanese", "cp932"), ("Polish", "cp1250"), ("German", "cp850")])
def test_a_damaged_byte_does_not_change_it(language, encoding):
    stored = (text_of(language) * 20).encode(encoding)
    assert encoding_of(stored + b"9;\xff;1\n") == encoding_of(stored)


@pytest.mark.parametrize("language", [*TITLES])
def test_a_text_that_lost_bytes_here_and_there_stays_utf_8(language):
    rows = [f"{n};{title};3,50\n".encode() for n, title in enumerate(TITLES[language][1] * 20)]
    rows[7] = rows[7].replace("".join(filter("\x7f".__lt__, rows[7].decode()))[:1].encode(), b"\xe3", 1)
    assert encoding_of(b"id;title;price\n" + b"".join(rows)) == "utf-8"


def test_a_broken_byte_in_many_rows_weighs_no_more_than_in_one():
    stored = (text_of("Czech") * 20).encode("iso8859-2")
    assert encoding_of(stored + b"9;\x80;1\n" * 20) == encoding_of(stored)


@pytest.mark.parametrize(
    "text", [b"price\n5 \x80\n7 \x80\n", b"\x93quoted\x94\n", b"caf\xe9 \x96 bar\n", b"30\xb0\n\xa9 2020\n", b"x\xff\n"]
)
def test_few_characters_that_tell_nothing_are_of_the_usual_encoding(text):
    assert encoding_of(text) == "cp1252"


def test_a_character_cut_by_a_read_is_one_character():
    stored = text_of("Japanese").encode("cp932")
    pieces = iter([stored[n : n + 1] for n in range(len(stored))])

    class Slow:
        def read(self, size=-1):
            return next(pieces, b"")

    stream = TextStream("file", Slow())
    assert b"".join(iter(stream.text, b"")).decode() == text_of("Japanese")


@pytest.mark.parametrize("given", ["cp1252", "cp932", "utf-8"])
def test_a_part_in_utf_8_is_read_so_whatever_the_first_part_is_in(given):
    parts = [TextStream("file", io.BytesIO(text_of("German").encode(stored)), given) for stored in ("utf-8", "utf-16")]
    assert [part.text().decode() for part in parts] == [text_of("German")] * 2
    assert TextStream("file", io.BytesIO(b"a;b\n1;\xe9\n"), "cp1251").text().decode() == "a;b\n1;й\n"


def test_whatever_is_found_out_may_be_given_back():
    allowed = SERVICES[OURS].shape_for("FileEncoding").enum
    assert set(ENCODINGS) <= set(allowed)
    for encoding in allowed:
        "a".encode(encoding)


def test_people_are_shown_what_the_letters_became():
    assert words_beyond_ascii("id;title\n1;Möbel\n2;Möbel\n3;plain\n4;Größe M") == ["Möbel", "Größe"]

"""Catalogues of items and lists of users, of shops and of public data sets."""

from __future__ import annotations

import json

from tests.ingest.dialects.shops import WHAT, WHO
from tests.ingest.dialects.writing import START, Dialect, euros, table, tags, title


def woocommerce() -> bytes:
    rows = [
        [
            n + 10,
            "simple",
            f"woo-{n:03}",
            title(n),
            1,
            f"{9.99 + n:.2f}",
            " > ".join(tags(n)[:2]) + ", " + tags(n)[0],
            f"https://woo.example/wp-content/uploads/{n}.jpg",
            "A solid thing for every day, made to last and easy to clean.",
        ]
        for n in range(80)
    ]
    return table(
        ["ID", "Type", "SKU", "Name", "Published", "Regular price", "Categories", "Images", "Short description"], rows
    )


def catalogue(
    header: list[str], delimiter: str, mark: str, date: str, *, encoding: str = "utf-8", bom: bool = False
) -> bytes:
    rows = [
        [
            f"A-{n:05}",
            title(n),
            mark.join(tags(n)),
            euros(5 + n * 1.37),
            f"https://shop.example/p/{n}.png",
            f"{START.replace(day=1 + n % 28, month=1 + n % 12):{date}}",
        ]
        for n in range(90)
    ]
    return (b"\xef\xbb\xbf" if bom else b"") + table(header, rows, delimiter, encoding=encoding)


def people(header: list[str], rows: int = 70) -> bytes:
    return table(
        header,
        [
            [f"c{n}", 18 + n % 50, "f" if n % 2 else "m", f"{n * 137 % 100000:05}", ("DE", "FR", "IT")[n % 3]]
            for n in range(rows)
        ],
    )


GENRES = ("Drama", "Comedy", "Action", "Thriller", "War")


def genres(item: int) -> str:
    return "|".join(sorted({GENRES[item % 5], GENRES[(item * 3 + 1) % 5]}))


def films(delimiter: str, header: list[str] | None, encoding: str = "utf-8") -> bytes:
    return table(
        header, [[n + 1, f"{title(n)} (19{30 + n % 70})", genres(n)] for n in range(90)], delimiter, encoding=encoding
    )


CATALOGUES = [
    Dialect(
        "WooCommerce products",
        woocommerce(),
        "ITEMS",
        {WHAT: "SKU", "TITLE": "Name", "IMAGE_URL": "Images"},
        80,
        {"Regular price": "float"},
    ),
    Dialect(
        "German products",
        catalogue(
            ["Artikelnr.", "Bezeichnung", "Kategorien", "VK-Preis", "Bild-URL", "Angelegt am"],
            ";",
            ",",
            "%d.%m.%Y",
            bom=True,
        ),
        "ITEMS",
        {WHAT: "Artikelnr.", "TITLE": "Bezeichnung", "IMAGE_URL": "Bild-URL", "CREATION_TIMESTAMP": "Angelegt am"},
        90,
        {"VK-Preis": "float"},
        {"KATEGORIEN": "|"},
    ),
    Dialect(
        "French products",
        catalogue(
            ["Référence", "Désignation", "Catégories", "Prix TTC", "Photo", "Date de parution"],
            ";",
            " / ",
            "%d/%m/%Y",
            encoding="cp1252",
        ),
        "ITEMS",
        {WHAT: "Référence", "TITLE": "Désignation", "IMAGE_URL": "Photo", "CREATION_TIMESTAMP": "Date de parution"},
        90,
        {"Prix TTC": "float"},
        {"CATEGORIES": "|"},
    ),
    Dialect(
        "Italian products in a shop's domain",
        catalogue(
            ["Codice articolo", "Nome", "Categoria", "Prezzo", "Immagine", "Data di creazione"], ";", ";", "%d/%m/%Y"
        ),
        "ITEMS",
        {
            WHAT: "Codice articolo",
            "TITLE": "Nome",
            "IMAGE_URL": "Immagine",
            "PRICE": "Prezzo",
            "CATEGORY_L1": "Categoria",
        },
        90,
        {"Prezzo": "float"},
        domain="ECOMMERCE",
    ),
    Dialect(
        "pictures by content alone",
        table(
            ["sku", "label", "link"], [[f"S{n}", title(n), f"https://cdn.example/{n}.webp?w=300"] for n in range(60)]
        ),
        "ITEMS",
        {WHAT: "sku", "TITLE": "label", "IMAGE_URL": "link"},
        60,
    ),
    Dialect(
        "tags as JSON arrays",
        table(["product_id", "title", "tags"], [[f"P{n}", title(n), json.dumps(tags(n))] for n in range(60)]),
        "ITEMS",
        {WHAT: "product_id", "TITLE": "title"},
        60,
        {},
        {"TAGS": "|"},
    ),
    Dialect(
        "customers",
        people(["customer_id", "age", "gender", "zip", "country"]),
        "USERS",
        {WHO: "customer_id"},
        70,
        {"age": "long", "zip": "string"},
    ),
    Dialect(
        "German customers",
        people(["Kundennummer", "Alter", "Geschlecht", "PLZ", "Land"]),
        "USERS",
        {WHO: "Kundennummer"},
        70,
        {"Alter": "long", "PLZ": "string"},
    ),
    Dialect("MovieLens 1M movies.dat", films("::", None, "latin-1"), "ITEMS", {WHAT: "1"}, 90),
    Dialect(
        "MovieLens 25M movies",
        films(",", ["movieId", "title", "genres"]),
        "ITEMS",
        {WHAT: "movieId", "TITLE": "title"},
        90,
    ),
    Dialect(
        "MovieLens films in a video domain",
        films(",", ["movieId", "title", "genres"]),
        "ITEMS",
        {WHAT: "movieId", "GENRES": "genres"},
        90,
        domain="VIDEO_ON_DEMAND",
    ),
    Dialect(
        "RecBole .item",
        table(
            ["item_id:token", "movie_title:token_seq", "release_year:token", "class:token_seq"],
            [[n, title(n), 1930 + n % 70, genres(n).replace("|", " ")] for n in range(90)],
            "\t",
        ),
        "ITEMS",
        {WHAT: "item_id:token"},
        90,
    ),
    Dialect(
        "RecBole .user",
        table(
            ["user_id:token", "age:token", "gender:token", "occupation:token"],
            [[n, 20 + n % 40, "MF"[n % 2], ("artist", "doctor", "writer")[n % 3]] for n in range(60)],
            "\t",
        ),
        "USERS",
        {WHO: "user_id:token"},
        60,
    ),
    Dialect(
        "gorse items",
        table(
            ["item_id", "is_hidden", "categories", "time_stamp", "labels", "comment"],
            [
                [f"i{n}", "false", "|".join(tags(n)), f"2023-0{1 + n % 9}-11 10:00:00", "|".join(tags(n + 1)), title(n)]
                for n in range(60)
            ],
        ),
        "ITEMS",
        {WHAT: "item_id", "CREATION_TIMESTAMP": "time_stamp"},
        60,
    ),
    Dialect(
        "Book-Crossing books",
        table(
            ["ISBN", "Book-Title", "Book-Author", "Year-Of-Publication", "Publisher", "Image-URL-S", "Image-URL-L"],
            [
                [
                    f"{n * 104729:09}X",
                    title(n),
                    f"Author {n % 20}",
                    1970 + n % 40,
                    f"House {n % 9}",
                    f"http://images.example/{n}.THUMBZZZ.jpg",
                    f"http://images.example/{n}.LZZZZZZZ.jpg",
                ]
                for n in range(90)
            ],
            ";",
            encoding="latin-1",
            quoted=True,
        ),
        "ITEMS",
        {WHAT: "ISBN", "TITLE": "Book-Title", "IMAGE_URL": "Image-URL-S"},
        90,
        {"Year-Of-Publication": "long"},
    ),
    Dialect(
        "Book-Crossing users",
        table(
            ["User-ID", "Location", "Age"],
            [[n, f"town {n % 9}, region, usa", 20 + n % 50] for n in range(80)],
            ";",
            quoted=True,
        ),
        "USERS",
        {WHO: "User-ID"},
        80,
    ),
    Dialect(
        "H&M articles",
        table(
            ["article_id", "product_code", "prod_name", "product_type_name", "colour_group_name", "detail_desc"],
            [
                [
                    f"{108775015 + n:010}",
                    108775 + n // 2,
                    title(n),
                    ("Vest top", "Bra", "Socks")[n % 3],
                    ("Black", "White")[n % 2],
                    "Jersey top with narrow shoulder straps and a soft feel for every day.",
                ]
                for n in range(90)
            ],
        ),
        "ITEMS",
        {WHAT: "article_id", "TITLE": "prod_name"},
        90,
    ),
    Dialect(
        "films with JSON genres and paths of posters",
        table(
            ["id", "title", "genres", "release_date", "poster_path"],
            [
                [
                    n + 10,
                    title(n),
                    json.dumps([{"id": n % 5, "name": GENRES[n % 5]}]),
                    f"{1950 + n % 60}-0{1 + n % 9}-11",
                    f"/abc{n}.jpg",
                ]
                for n in range(60)
            ],
        ),
        "ITEMS",
        {WHAT: "id", "TITLE": "title", "CREATION_TIMESTAMP": "release_date"},
        60,
        {},
        {"GENRES": "Drama"},
    ),
    Dialect(
        "articles by EAN with several pictures each",
        table(
            ["EAN", "Artikelname", "UVP", "Bilder"],
            [
                [4006381333931 + n, title(n), f"{n}.50", f"https://x.example/{n}.jpg, https://x.example/{n}b.jpg"]
                for n in range(60)
            ],
            ";",
        ),
        "ITEMS",
        {WHAT: "EAN", "TITLE": "Artikelname", "IMAGE_URL": "Bilder"},
        60,
        {"EAN": "string"},
        {"IMAGE_URL": ".jpg|https://"},
    ),
    Dialect(
        "news with long headlines",
        table(
            ["news_id", "category", "headline", "published_at"],
            [
                [
                    f"N{n}",
                    "sports",
                    f"{title(n)} wins the big race in the north of the old town",
                    f"2024-01-{1 + n % 28:02}T10:00:00Z",
                ]
                for n in range(60)
            ],
        ),
        "ITEMS",
        {WHAT: "news_id", "TITLE": "headline", "CREATION_TIMESTAMP": "published_at"},
        60,
    ),
]

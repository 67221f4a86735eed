"""More files of public data sets and of shop systems, each with a trap of its own."""

from __future__ import annotations

from tests.ingest.dialects.shops import EVENT, _events
from tests.ingest.dialects.writing import Dialect, events, log, title

FRENCH_MONTHS = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
]

TRAPS = [
    _events(
        "a multi-category store with sessions and 19-digit categories",
        log(
            lambda e: [
                f"{e.moment:%Y-%m-%d %H:%M:%S} UTC",
                e.kind,
                1003461 + e.item,
                2053013555631882655 + e.item % 9,
                e.price,
                520088904 + e.user,
                f"s-{e.number // 3}",
            ],
            ["event_time", "event_type", "product_id", "category_id", "price", "user_id", "user_session"],
        ),
        "user_id",
        "product_id",
        "event_time",
        more={EVENT: "event_type"},
        types={"category_id": "string"},
    ),
    _events(
        "Goodreads with two dates",
        log(
            lambda e: [
                f"{e.user:032x}",
                e.item,
                f"r{e.number}",
                int(e.stars),
                f"{e.moment:%a %b %d %H:%M:%S} -0800 {e.moment:%Y}",
                f"{e.moment:%a %b %d %H:%M:%S} -0800 {e.moment:%Y}",
            ],
            ["user_id", "book_id", "review_id", "rating", "date_added", "date_updated"],
        ),
        "user_id",
        "book_id",
        "date_added",
        more={"EVENT_VALUE": "rating"},
    ),
    _events(
        "Foursquare check-ins without header, with a time zone's offset",
        log(
            lambda e: [
                e.user,
                f"49bbd6c0f964a520f4531fe{e.item:02}",
                "Arts Store",
                -240,
                f"{e.moment:%a %b %d %H:%M:%S} +0000 {e.moment:%Y}",
            ],
            None,
            "\t",
        ),
        "1",
        "2",
        "5",
        asked=True,
    ),
    _events(
        "Gowalla check-ins without header, with coordinates",
        log(
            lambda e: [
                e.user,
                f"{e.moment:%Y-%m-%dT%H:%M:%SZ}",
                30.2 + e.item / 77,
                -97.7 + e.item / 91,
                22847 + e.item,
            ],
            None,
            "\t",
        ),
        "1",
        "5",
        "2",
        asked=True,
    ),
    _events(
        "video plays with three times and a ratio",
        log(
            lambda e: [
                e.user,
                e.item,
                13838 + e.number,
                f"{e.moment:%Y-%m-%d %H:%M:%S}.438",
                f"{e.moment:%Y%m%d}.0",
                f"{e.epoch}.438",
                e.stars,
            ],
            ["user_id", "video_id", "play_duration", "time", "date", "timestamp", "watch_ratio"],
        ),
        "user_id",
        "video_id",
        "timestamp",
        more={"EVENT_VALUE": "watch_ratio"},
    ),
    _events(
        "an order's number, e-mail and lines",
        log(
            lambda e: [
                f"{100000000 + e.number // 2:09}",
                f"c{e.user}@x.example",
                f"{e.moment:%Y-%m-%d %H:%M:%S}",
                f"WS{e.item}",
                title(e.item),
                e.quantity,
                e.price,
            ],
            ["increment_id", "customer_email", "created_at", "sku", "name", "qty_ordered", "price"],
        ),
        "customer_email",
        "sku",
        "created_at",
    ),
    _events(
        "ids with the word in front",
        log(
            lambda e: [e.number // 2, e.user, f"{e.moment:%d/%m/%Y %H:%M:%S}", e.item, title(e.item)],
            ["id_order", "id_customer", "date_add", "product_id", "product_name"],
            ";",
        ),
        "id_customer",
        "product_id",
        "date_add",
    ),
    _events(
        "a customer's id that is new with every order beside the one that stays",
        log(
            lambda e: [
                f"o{e.number}",
                f"oc{e.number}",
                f"cu{e.user}",
                f"{e.moment:%Y-%m-%d %H:%M:%S}",
                f"{e.moment:%Y-%m-%d %H:%M:%S}",
                f"p{e.item}",
                f"s{e.item % 7}",
            ],
            [
                "order_id",
                "customer_id",
                "customer_unique_id",
                "order_purchase_timestamp",
                "order_approved_at",
                "product_id",
                "seller_id",
            ],
        ),
        "customer_unique_id",
        "product_id",
        "order_purchase_timestamp",
    ),
    _events(
        "French hours and thousands with blanks",
        log(
            lambda e: [
                f"C{e.user}",
                f"A{e.item}",
                f"{e.moment:%d/%m/%Y %Hh%M}",
                f"{e.price * 9:,.2f}".replace(",", " ").replace(".", ",") + " €",
            ],
            ["Client", "Article", "Date et heure", "Montant"],
            ";",
        ),
        "Client",
        "Article",
        "Date et heure",
        types={"Montant": "float"},
    ),
    _events(
        "Swiss francs and years of two digits",
        log(
            lambda e: [f"C{e.user}", f"A{e.item}", f"{e.moment:%d.%m.%y}", f"CHF {e.price * 9:,.2f}".replace(",", "'")],
            ["Kunde", "Produkt", "Datum", "Betrag"],
            ";",
        ),
        "Kunde",
        "Produkt",
        "Datum",
        types={"Betrag": "float"},
    ),
    _events(
        "recommendations shown beside the item clicked",
        log(
            lambda e: [
                f"r{e.number}",
                e.user,
                "|".join(str((e.item + k) % 60) for k in range(5)),
                e.item,
                e.epoch * 1000,
            ],
            ["request_id", "customer_key", "recommended_items", "clicked_item", "ts"],
        ),
        "customer_key",
        "clicked_item",
        "ts",
    ),
    _events(
        "ratings first, without header",
        log(lambda e: [int(e.stars) or 1, e.user + 1000, e.item + 5000, e.epoch], None),
        "2",
        "3",
        "4",
        more={"EVENT_VALUE": "1"},
        asked=True,
    ),
    Dialect(
        "plays of tracks without any time",
        log(
            lambda e: [f"{e.user:032x}", f"Band {e.item % 9}", title(e.item), f"list {e.number % 30}"],
            ["user_id", "artistname", "trackname", "playlistname"],
        ),
        "INTERACTIONS",
        {"USER_ID": "user_id", "ITEM_ID": "trackname"},
        0,
    ),
    _events(
        "a day and a time of day apart",
        log(
            lambda e: [e.user, e.item, f"{e.moment:%d.%m.%Y}", f"{e.moment:%H:%M}", f"{e.number % 9:02}:00"],
            ["Kunde", "Artikel", "Datum", "Uhrzeit", "Dauer"],
            ";",
        ),
        "Kunde",
        "Artikel",
        "Datum",
        more={"DAUER": "Dauer"},
    ),
    _events(
        "days in French words",
        log(
            lambda e: [
                e.user,
                e.item,
                f"{e.moment.day} {FRENCH_MONTHS[e.moment.month - 1]} {e.moment.year} à {e.moment:%Hh%M}",
            ],
            ["client", "produit", "date"],
        ),
        "client",
        "produit",
        "date",
    ),
    _events(
        "JavaScript's dates",
        log(
            lambda e: [e.user, e.item, f"{e.moment:%a %b %d %Y %H:%M:%S} GMT+0000 (Coordinated Universal Time)"],
            ["user", "item", "date"],
        ),
        "user",
        "item",
        "date",
    ),
    _events(
        "Spanish hours before and after noon",
        log(
            lambda e: [e.user, e.item, f"{e.moment:%d/%m/%Y %I:%M:%S} {'a. m.' if e.moment.hour < 12 else 'p. m.'}"],
            ["usuario", "producto", "fecha"],
        ),
        "usuario",
        "producto",
        "fecha",
    ),
    _events(
        "ids kept as text by formulas",
        log(
            lambda e: [f'="{e.user:05}"', f'="{e.item:08}"', e.epoch, f'="{e.quantity}"'],
            ["customer_id", "product_id", "timestamp", "pieces"],
        )
        .replace(b'"""', b'"')
        .replace(b'"=""', b'="')
        .replace(b'"""', b'"'),
        "customer_id",
        "product_id",
        "timestamp",
        types={"pieces": "long"},
        first={"USER_ID": "00001", "ITEM_ID": "000000"},
    ),
    _events(
        "backslashes before commas, without quotes",
        "".join(
            f"{e.user},{e.item},{title(e.item)}\\, large,{e.epoch}\n"
            if e.number % 3
            else f"{e.user},{e.item},x,{e.epoch}\n"
            for e in events()
        )
        .encode()
        .join([b"user_id,item_id,title,timestamp\n", b""]),
        "user_id",
        "item_id",
        "timestamp",
    ),
    _events(
        "prices in kronor and rupees",
        log(
            lambda e: [e.user, e.item, e.epoch, f"{e.price:.0f} kr", f"₹1,{e.quantity}3,{e.number + 100}.50"],
            ["user_id", "item_id", "timestamp", "price", "value"],
        ),
        "user_id",
        "item_id",
        "timestamp",
        types={"price": "long"},
    ),
]

"""Exports of shop systems, spreadsheets and web analytics."""

from __future__ import annotations

import json

from tests.ingest.dialects.writing import Dialect, Event, euros, events, log, title

WHO, WHAT, WHEN, EVENT = "USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"


def _events(name: str, content: bytes, who: str, what: str, when: str, **more: object) -> Dialect:
    roles = {WHO: who, WHAT: what, WHEN: when} | dict(more.pop("more", {}))  # type: ignore[call-overload]
    rows = int(more.pop("rows", 400))  # type: ignore[call-overload]
    return Dialect(name, content, "INTERACTIONS", roles, rows, **more)  # type: ignore[arg-type]


def shopify(e: Event) -> list[object]:
    when = f"{e.moment:%Y-%m-%d %H:%M:%S} +0100"
    paid = when if e.number % 9 else ""
    return [
        f"#{1000 + e.number // 2}",
        f"c{e.user}@mail.example",
        "paid",
        paid,
        "EUR",
        f"{e.price:.2f}",
        when,
        e.quantity,
        title(e.item),
        f"SKU-{e.item:04}",
        "Berlin",
    ]


SHOPIFY = [
    "Name",
    "Email",
    "Financial Status",
    "Paid at",
    "Currency",
    "Total",
    "Created at",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem sku",
    "Billing City",
]


def sap(e: Event) -> list[object]:
    return [
        f"{4500000000 + e.number // 2:010}",
        f"{e.number % 2 * 10 + 10:06}",
        f"{70000 + e.user:010}",
        f"{e.item + 100:018}",
        f"{e.moment:%Y%m%d}",
        f"{e.quantity},000",
        "ST",
        euros(e.price)[:-2],
    ]


def german(e: Event) -> list[object]:
    clock = f"{e.moment:%d.%m.%Y %H:%M}" if e.number % 3 else f"{e.moment:%d.%m.%Y}"
    return [
        f"B{50000 + e.number}",
        100000 + e.user,
        f"A-{e.item:05}",
        clock,
        e.quantity,
        euros(e.price),
        "PayPal",
        "München",
    ]


GERMAN = ["Bestell-Nr.", "Kundennr.", "Artikelnr.", "Bestelldatum", "Menge", "Einzelpreis", "Zahlart", "Ort"]


def french(e: Event) -> list[object]:
    return [
        f"CMD{e.number:06}",
        f"CL{e.user:05}",
        f"P{e.item:04}",
        f"{e.moment:%d/%m/%Y %H:%M}",
        f"{e.price:.2f}".replace(".", ","),
        e.quantity,
        "Genève",
    ]


FRENCH = ["N° de commande", "N° client", "Réf. produit", "Date de commande", "Prix unitaire", "Quantité", "Ville"]


def of_language(e: Event) -> list[object]:
    return [
        f"O{e.number}",
        f"C{e.user}",
        f"P{e.item}",
        f"{e.moment:%d/%m/%Y}",
        f"{e.price:.2f}".replace(".", ","),
        e.quantity,
    ]


def google_analytics(e: Event) -> list[object]:
    params = json.dumps({"item_id": f"SKU{e.item}", "value": e.price})
    return [
        f"{e.moment:%Y%m%d}",
        e.epoch * 1_000_000,
        {"view": "view_item", "cart": "add_to_cart", "purchase": "purchase"}[e.kind],
        params,
        f"{e.user * 7919}.{1700000000 + e.user}",
        f"SKU{e.item}",
        "mobile",
    ]


GA = ["event_date", "event_timestamp", "event_name", "event_params", "user_pseudo_id", "item_id", "device_category"]


def matomo(e: Event) -> list[object]:
    return [
        e.number,
        f"{e.user * 104729:016x}",
        f"{e.moment:%Y-%m-%d %H:%M:%S}",
        "action",
        f"https://shop.example/p/{e.item}",
        title(e.item),
        "Firefox",
    ]


MATOMO = ["idVisit", "visitorId", "serverTimePretty", "type", "url", "pageTitle", "browserName"]


def click_log(e: Event) -> list[object]:
    return [
        f"{e.moment:%Y-%m-%dT%H:%M:%S.000Z}",
        f"u-{e.user}",
        e.kind,
        f"p-{e.item}",
        json.dumps({"page": e.number % 9, "ref": "mail"}),
        "10.0.0.1",
    ]


SHOPS = [
    _events("Shopify orders", log(shopify, SHOPIFY), "Email", "Lineitem sku", "Created at", types={"Total": "float"}),
    _events(
        "SAP sales documents",
        log(sap, ["VBELN", "POSNR", "KUNNR", "MATNR", "ERDAT", "KWMENG", "VRKME", "NETWR"], ";"),
        "KUNNR",
        "MATNR",
        "ERDAT",
        types={"NETWR": "float", "KWMENG": "float"},
        asked=True,  # whether 4,000 pieces are four, as the commas of NETWR say
    ),
    _events(
        "a German shop in cp1252",
        log(german, GERMAN, ";", encoding="cp1252"),
        "Kundennr.",
        "Artikelnr.",
        "Bestelldatum",
        types={"Einzelpreis": "float", "Menge": "long"},
    ),
    _events(
        "German Excel with sep=",
        b"sep=;\r\n" + log(german, GERMAN, ";", encoding="cp1252", end="\r\n"),
        "Kundennr.",
        "Artikelnr.",
        "Bestelldatum",
    ),
    _events(
        "German Excel as Unicode text",
        b"\xff\xfe" + log(german, GERMAN, "\t", encoding="utf-16-le"),
        "Kundennr.",
        "Artikelnr.",
        "Bestelldatum",
    ),
    _events(
        "a French shop",
        log(french, FRENCH, ";", encoding="cp1252"),
        "N° client",
        "Réf. produit",
        "Date de commande",
        types={"Prix unitaire": "float"},
    ),
    _events(
        "a Spanish shop",
        log(of_language, ["Nº pedido", "ID cliente", "Código artículo", "Fecha pedido", "Precio", "Cantidad"], ";"),
        "ID cliente",
        "Código artículo",
        "Fecha pedido",
    ),
    _events(
        "an Italian shop",
        log(
            of_language,
            ["Numero ordine", "Codice cliente", "Codice articolo", "Data ordine", "Prezzo", "Quantità"],
            ";",
        ),
        "Codice cliente",
        "Codice articolo",
        "Data ordine",
    ),
    _events(
        "a Portuguese shop",
        log(of_language, ["Encomenda", "Cliente", "Produto", "Data da compra", "Preço", "Quantidade"], ";"),
        "Cliente",
        "Produto",
        "Data da compra",
    ),
    _events(
        "a Dutch shop",
        log(of_language, ["Bestelnummer", "Klantnummer", "Artikelnummer", "Besteldatum", "Prijs", "Aantal"], ";"),
        "Klantnummer",
        "Artikelnummer",
        "Besteldatum",
    ),
    _events(
        "Google Analytics 4",
        log(google_analytics, GA),
        "user_pseudo_id",
        "item_id",
        "event_timestamp",
        more={EVENT: "event_name"},
    ),
    _events("Matomo visits", log(matomo, MATOMO), "visitorId", "url", "serverTimePretty"),
    _events(
        "a click log with JSON columns",
        log(click_log, ["time", "user", "event", "product", "context", "ip"]),
        "user",
        "product",
        "time",
        more={EVENT: "event"},
    ),
    _events(
        "all cells quoted",
        log(click_log, ["time", "user", "event", "product", "context", "ip"], quoted=True),
        "user",
        "product",
        "time",
        more={EVENT: "event"},
    ),
    _events(
        "month first with AM and PM",
        log(
            lambda e: [f"C{e.user}", f"I{e.item}", f"{e.moment:%m/%d/%Y %I:%M %p}", f"${e.price:,.2f}"],
            ["Customer", "Item", "Order Date", "Amount"],
        ),
        "Customer",
        "Item",
        "Order Date",
        types={"Amount": "float"},
    ),
    _events(
        "day first with a dash",
        log(lambda e: [f"C{e.user}", f"I{e.item}", f"{e.moment:%d-%m-%Y %H:%M}"], ["customer", "item", "date"]),
        "customer",
        "item",
        "date",
    ),
    _events(
        "Excel's serial days",
        log(
            lambda e: [f"C{e.user}", f"I{e.item}", f"{45294 + e.number * 0.4583:.4f}"],
            ["customer", "item", "order date"],
        ),
        "customer",
        "item",
        "order date",
    ),
    _events(
        "several formats in one column",
        log(
            lambda e: [
                f"C{e.user}",
                f"I{e.item}",
                (f"{e.moment:%d.%m.%Y}", f"{e.moment:%Y-%m-%d %H:%M:%S}", f"{e.moment:%d.%m.%y %H:%M}")[e.number % 3],
            ],
            ["kunde", "artikel", "datum"],
        ),
        "kunde",
        "artikel",
        "datum",
    ),
    _events("milliseconds", log(lambda e: [e.user, e.item, e.epoch * 1000], ["uid", "iid", "ts"]), "uid", "iid", "ts"),
    _events(
        "microseconds",
        log(lambda e: [e.user, e.item, e.epoch * 1_000_000], ["userId", "itemId", "eventTime"]),
        "userId",
        "itemId",
        "eventTime",
    ),
    _events(
        "month names",
        log(lambda e: [f"C{e.user}", f"I{e.item}", f"{e.moment:%b %d, %Y}"], ["buyer", "product", "purchase date"]),
        "buyer",
        "product",
        "purchase date",
    ),
    _events(
        "dates that could be either way",
        log(
            lambda e: [f"C{e.user}", f"I{e.item}", f"0{1 + e.number % 9}/{1 + e.number % 12:02}/2024"],
            ["customer", "item", "date"],
        ),
        "customer",
        "item",
        "date",
        asked=True,
        rows=0,
    ),
    _events(
        "names of no known word",
        log(lambda e: [f"x{e.user}", f"y{e.item}", e.epoch], ["f1", "f2", "f3"]),
        "f1",
        "f2",
        "f3",
        asked=True,
    ),
    _events(
        "a customer's number and name",
        log(
            lambda e: [
                f"N{e.number}",
                f"Customer {e.user}",
                f"C{e.user}",
                title(e.item),
                f"S{e.item}",
                f"{e.moment:%Y/%m/%d}",
            ],
            ["Order", "Customer name", "Customer no", "Product name", "Product code", "Date"],
        ),
        "Customer no",
        "Product code",
        "Date",
    ),
    _events(
        "several times of an order",
        log(
            lambda e: [
                f"{e.moment:%Y-%m-%d}",
                f"{e.moment:%Y-%m-%d %H:%M:%S}",
                f"C{e.user}",
                f"I{e.item}",
                "1980-02-03",
            ],
            ["delivery_date", "order_date", "customer_id", "product_id", "birth_date"],
        ),
        "customer_id",
        "product_id",
        "order_date",
    ),
    _events(
        "leading zeros",
        log(
            lambda e: [f"{e.user:06}", f"{e.item:08}", e.epoch, f"{e.user * 37:05}"],
            ["customer", "article", "time", "zip"],
        ),
        "customer",
        "article",
        "time",
        types={"zip": "string"},
        first={WHO: str},
    ),
    _events(
        "ids of 19 digits",
        log(lambda e: [9148955329465708000 + e.user, 1144390000000000000 + e.item, e.epoch], ["user", "item", "time"]),
        "user",
        "item",
        "time",
    ),
    _events(
        "in a shop's domain",
        log(lambda e: [f"C{e.user}", f"I{e.item}", e.epoch, e.kind], ["customer", "sku", "time", "action"]),
        "customer",
        "sku",
        "time",
        more={EVENT: "action"},
        domain="ECOMMERCE",
    ),
]
assert len(events()) == 400

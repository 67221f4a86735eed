"""Exports of shops in other countries: crowns, francs and reais, clocks of twelve hours, apostrophes between thousands, times of spreadsheets."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.ingest.dialects.europe import _orders
from tests.ingest.dialects.shops import WHAT
from tests.ingest.dialects.writing import Dialect, Event, euros, table, tags, title

EXCEL_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
STATES = {"view": "Ansicht", "cart": "Warenkorb", "purchase": "Kauf"}


def swedish(e: Event) -> list[object]:
    return [10_000 + e.number // 2, f"{e.moment:%Y-%m-%d %H:%M}", 300 + e.user, f"{e.item:03}-SE", title(e.item), e.quantity, f"{euros(e.price)[:-2].replace('.', ' ')} kr"]  # fmt: skip


def square(e: Event) -> list[object]:
    return [f"{e.moment:%m/%d/%y}", f"{e.moment:%I:%M:%S %p}", "Eastern Time (US & Canada)", f"${e.price:,.2f}", e.quantity, f"SKU{e.item:04}", title(e.item), f"CUS{e.user:05}", f"TX{e.number:08}"]  # fmt: skip


def vtex(e: Event) -> list[object]:
    return [f"v{e.number // 2:07}-01", f"{e.moment:%Y-%m-%d %H:%M:%S}Z", f"{e.user * 7919 + 11_000_000_000}", 50 + e.item, title(e.item), e.quantity, f"R$ {euros(e.price)[:-2]}"]  # fmt: skip


def swiss(e: Event) -> list[object]:
    serial = (e.moment - EXCEL_EPOCH).total_seconds() / 86_400
    return [
        f"CH-{e.number}",
        f"{serial:.5f}",
        8000 + e.user,
        f"{e.item:05}.A",
        STATES[e.kind],
        f"{e.price:,.2f}".replace(",", "'"),
    ]


def danish(e: Event) -> list[object]:
    return [f"{e.moment:%d-%m-%Y %H.%M.%S}", f"kunde{e.user}@post.dk", f"DK{e.item:03}", title(e.item), euros(e.price).replace("€", "DKK"), "Betalt"]  # fmt: skip


def czech(e: Event) -> list[object]:
    return [f"{e.number // 2:06}", f"{e.moment.day}. {e.moment.month}. {e.moment.year} {e.moment:%H:%M}", f"zak{e.user}@posta.cz", f"CZ{e.item:03}", e.quantity, f"{euros(e.price)[:-2].replace('.', ' ')} Kč"]  # fmt: skip


def japanese_products() -> bytes:
    rows = [[f"JP{n:04}", f"{title(n)} 茶", "、".join(tags(n)), f"{900 + n * 37:,}円", f"https://img.shop.example/{n}.jpg", f"{2024}/{1 + n % 12:02}/{1 + n % 28:02}"] for n in range(90)]  # fmt: skip
    return table(["商品コード", "商品名", "カテゴリー", "価格", "画像URL", "登録日"], rows, ",", encoding="cp932")


ABROAD = [
    _orders("Swedish orders in crowns", ["Ordernummer", "Orderdatum", "Kundnummer", "Artikelnummer", "Benämning", "Antal", "Pris"], swedish, ("Kundnummer", "Artikelnummer", "Orderdatum"), price="Pris"),
    _orders("American sales with a clock of twelve hours", ["Date", "Time", "Time Zone", "Gross Sales", "Qty", "SKU", "Item", "Customer ID", "Transaction ID"], square, ("Customer ID", "SKU", "Date"), "\t", price="Gross Sales"),
    _orders("Brazilian orders by tax number", ["Order", "Creation Date", "Client Document", "ID_SKU", "SKU Name", "Quantity_SKU", "SKU Selling Price"], vtex, ("Client Document", "ID_SKU", "Creation Date"), price="SKU Selling Price"),
    _orders("Swiss events with times of a spreadsheet", ["Beleg", "Zeitpunkt", "Kunden-Nr.", "Artikel-Nr.", "Vorgang", "Betrag CHF"], swiss, ("Kunden-Nr.", "Artikel-Nr.", "Zeitpunkt"), kind="Vorgang", price="Betrag CHF"),
    _orders("Danish payments", ["Dato", "E-mail", "Varenummer", "Varenavn", "Beløb", "Status"], danish, ("E-mail", "Varenummer", "Dato"), price="Beløb"),
    _orders("Czech orders with blanks in the date", ["Číslo objednávky", "Datum", "E-mail zákazníka", "Kód produktu", "Množství", "Cena"], czech, ("E-mail zákazníka", "Kód produktu", "Datum"), encoding="cp1250", price="Cena"),
    Dialect("Japanese products", japanese_products(), "ITEMS", {WHAT: "商品コード", "IMAGE_URL": "画像URL"}, 90, {"価格": "long"}, asked=True),
]  # fmt: skip

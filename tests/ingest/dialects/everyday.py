"""Exports of tills, spreadsheets and bookings: clocks in columns of their own, prices with words around them, receipts beside customers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.ingest.dialects.shops import EVENT, WHAT, WHEN, WHO
from tests.ingest.dialects.writing import Dialect, Event, euros, events, table, tags, title

EXCEL_ZERO = datetime(1899, 12, 30, tzinfo=UTC)


def baskets() -> list[Event]:
    """Events of which two neighbours share buyer and moment, as lines of one order do."""
    rows = sorted(events(), key=lambda e: e.number)
    return [replace(e, user=rows[e.number // 2 * 2].user, moment=rows[e.number // 2 * 2].moment) for e in rows]


def _sales(
    name: str, header: Sequence[str], write: Callable[[Event], Sequence[object]], roles: Sequence[str], *, day: bool = False, price: str = "", **more: object
) -> Dialect:  # fmt: skip
    rows = [e for e in baskets() if e.item != baskets()[e.number // 2 * 2].item or e.number % 2 == 0]
    step = 86_400 if day else 60
    values: dict[str, set[object]] = {WHEN: {e.epoch // step * step for e in rows}}
    if price:
        values[price.upper()] = {round(e.price, 2) for e in rows}
    wanted = dict(zip((WHO, WHAT, WHEN), roles, strict=False)) | dict(more)
    return Dialect(name, table(header, [write(e) for e in rows], ";"), "INTERACTIONS", wanted, len(rows), values=values)


def _comma(value: float) -> str:
    return f"{value:.2f}".replace(".", ",")


def italian(e: Event) -> list[object]:
    return [e.number // 2, f"{e.moment:%d/%m/%Y}", f"{e.moment:%H.%M}", f"CLI{e.user:04}", f"A{e.item:04}", f"€ {euros(e.price)[:-2]}"]  # fmt: skip


def sap(e: Event) -> list[object]:
    return [
        f"{e.number // 2:08}",
        f"{70_000 + e.user:010}",
        f"{e.item:018}",
        f"{e.moment:%Y%m%d}",
        f"{e.moment:%H%M%S}",
    ]


def till(e: Event) -> list[object]:
    return [70_000 + e.number // 2, f"{e.moment:%d.%m.%y}", f"{e.moment:%H:%M:%S}", f"99{e.user:06}", 4_006_381_333_000 + e.item, f"{int(e.price)}€{round(e.price * 100) % 100:02}"]  # fmt: skip


def spreadsheet(e: Event) -> list[object]:
    serial = (e.moment - EXCEL_ZERO).total_seconds() / 86_400
    return [f"K{e.user}", f"A{e.item}", f"{serial:.6f}".replace(".", ","), f"ab {euros(e.price)} inkl. MwSt."]


def sas(e: Event) -> list[object]:
    return [f"{e.user:06}", f"{e.item:06}", f"{e.moment:%d%b%Y:%H:%M:%S}".upper()]


def weekday(e: Event) -> list[object]:
    day = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")[e.moment.weekday()]
    return [f"K{e.user}", f"A{e.item}", f"{day}, {e.moment:%d.%m.%Y}, {e.moment:%H:%M} Uhr"]


def hours_first(e: Event) -> list[object]:
    kind = {"view": "Ansicht", "cart": "in den Warenkorb", "purchase": "Kauf"}[e.kind]
    return [f"F{e.user}", f"W{e.item}", f"{e.moment:%H:%M} {e.moment:%d.%m.%Y}", kind]


def hotel(e: Event) -> list[object]:
    stay = [f"{e.moment + timedelta(days=days):%d.%m.%Y}" for days in (30, 33)]
    return [f"R{e.number}", f"G{e.user}", f"H{e.item}", *stay, f"{e.moment:%d.%m.%Y}"]


def _catalogue(
    name: str, header: Sequence[str], write: Callable[[int], Sequence[object]], roles: dict[str, str | None], price: str
) -> Dialect:
    return Dialect(
        name, table(header, [write(n) for n in range(80)], ";"), "ITEMS", roles, 80, {price: "float"} if price else {}
    )


def _added(n: int) -> str:
    return f"{1 + n % 28:02}/{1 + n % 12:02}/2023"


EVERYDAY = [
    _sales("Italian receipts with points in the clock", ["Num. ordine", "Data", "Ora", "Cod. cliente", "Cod. art.", "Prezzo"], italian, ("Cod. cliente", "Cod. art.", "Data"), price="Prezzo"),
    _sales("SAP documents with digits for the clock", ["BELEG", "KUNDE", "MATNR", "ERDAT", "ERZET"], sap, ("KUNDE", "MATNR", "ERDAT")),
    _sales("a till's receipts beside its customers' cards", ["Bon-Nr", "Datum", "Uhrzeit", "Kundenkarte", "EAN", "Betrag"], till, ("Kundenkarte", "EAN", "Datum"), price="Betrag"),
    _sales("days of Excel with a comma", ["Kunde", "Artikel", "Kaufdatum", "Preis"], spreadsheet, ("Kunde", "Artikel", "Kaufdatum"), price="Preis"),
    _sales("dates of SAS", ["cust_no", "prod_no", "trans_dt"], sas, ("cust_no", "prod_no", "trans_dt")),
    _sales("a weekday before the date", ["Kunde", "Artikel", "Datum"], weekday, ("Kunde", "Artikel", "Datum")),
    _sales("hours before the date", ["Kundin", "Warenkorb-Artikel", "Zeit", "Aktion"], hours_first, ("Kundin", "Warenkorb-Artikel", "Zeit"), **{EVENT: "Aktion"}),
    _sales("an article before the date", ["Cliente", "Articolo", "Acquistato"], lambda e: [f"c{e.user}", f"a{e.item}", f"il {e.moment:%d/%m/%Y} alle {e.moment:%H:%M}"], ("Cliente", "Articolo", "Acquistato")),
    _sales("bookings before stays", ["Reservierung", "Gast", "Hotel", "Anreise", "Abreise", "Gebucht am"], hotel, ("Gast", "Hotel", "Gebucht am"), day=True),
    _sales("loans of a library", ["Leserausweis", "Mediennummer", "Ausgeliehen am"], lambda e: [f"L{e.user:05}", f"M{e.item:06}", f"{e.moment:%d.%m.%Y}"], ("Leserausweis", "Mediennummer", "Ausgeliehen am"), day=True),
    Dialect("several items in one cell", table(["order_id", "customer_id", "order_date", "items"], [[e.number, f"c{e.user}", f"{e.moment:%Y-%m-%d}", ";".join(f"SKU{(e.item + n * 7) % 60}" for n in range(1 + e.number % 4))] for e in events()]), "INTERACTIONS", {WHO: "customer_id", WHAT: None}, 0),
    _catalogue("Swiss prices without cents", ["Artikel-Nr", "Bezeichnung", "Preis"], lambda n: [f"P{n}", title(n), f"CHF {1000 + n * 37:,}.–".replace(",", "\u2019") if n % 2 else f"CHF {n}.50"], {WHAT: "Artikel-Nr"}, "Preis"),
    _catalogue("a French shop's departments", ["Réf", "Libellé", "Rayon", "Prix TTC", "Visuel", "Mis en ligne le", "Code-barres"], lambda n: [f"{n:05}", title(n), "/".join(tags(n)), f"{_comma(n * 19.5 + 0.5)} € TTC", f"https://boutique.example/visuels/{n}.webp", _added(n), 3_760_000_000_000 + n], {WHAT: "Réf", "TITLE": "Libellé", "IMAGE_URL": "Visuel", "CREATION_TIMESTAMP": "Mis en ligne le"}, "Prix TTC"),
    _catalogue("codes beside the articles' names", ["Cód.", "Artículo", "Familia", "PVP", "Foto", "Fecha alta"], lambda n: [1000 + n, title(n), tags(n)[0], f"{_comma(3 + n * 20.7)} €", f"http://tienda.example/fotos/{n}.jpg", _added(n)], {WHAT: "Cód.", "TITLE": "Artículo", "IMAGE_URL": "Foto", "CREATION_TIMESTAMP": "Fecha alta"}, "PVP"),
    _catalogue("Italian articles with two photographs", ["SKU", "Titolo", "Reparto", "Prezzo di listino", "Foto 1", "Foto 2", "Inserito il"], lambda n: [f"IT{n}", title(n), tags(n)[0], f"€ {_comma(3 + n * 20.7)}", f"https://negozio.example/{n}_1.jpg", f"https://negozio.example/{n}_2.jpg", _added(n)], {WHAT: "SKU", "TITLE": "Titolo", "IMAGE_URL": "Foto 1", "CREATION_TIMESTAMP": "Inserito il"}, "Prezzo di listino"),
    _catalogue("a feed of Google Merchant", ["id", "title", "link", "image_link", "price", "gtin"], lambda n: [f"G{n}", title(n), f"https://shop.example/p/{n}", f"https://shop.example/i/{n}.jpg", f"{4 + n * 17.3:.2f} EUR", 4_006_381_333_000 + n], {WHAT: "id", "TITLE": "title", "IMAGE_URL": "image_link"}, "price"),
    Dialect("German customers by Kd-Nr", table(["Kd-Nr", "Geburtsjahr", "PLZ", "Jahresumsatz"], [[f"{n:06}", 1950 + n % 50, f"{n * 137 % 100_000:05}", euros(n * 97.3)] for n in range(70)], ";"), "USERS", {WHO: "Kd-Nr"}, 70, {"PLZ": "string", "Jahresumsatz": "float"}),
]  # fmt: skip

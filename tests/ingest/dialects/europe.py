"""Exports of shops in seven languages: orders with days first, products with pictures, and lists of customers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.ingest.dialects.shops import EVENT, WHAT, WHEN, WHO
from tests.ingest.dialects.writing import START, Dialect, Event, euros, log, table, tags, title

ROWS = 400
SPANISH_MONTHS = ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic")


def _orders(
    name: str, header: Sequence[str], write: Callable[[Event], Sequence[object]], roles: Sequence[str], delimiter: str = ";", **more: str
) -> Dialect:  # fmt: skip
    wanted = dict(zip((WHO, WHAT, WHEN), roles, strict=True)) | ({EVENT: more.pop("kind")} if "kind" in more else {})
    types = {more.pop("price"): "float"} if "price" in more else {}
    return Dialect(name, log(write, header, delimiter, **more), "INTERACTIONS", wanted, ROWS, types)


def _products(
    name: str, header: Sequence[str], delimiter: str, mark: str, date: str, encoding: str, kind: str = ""
) -> Dialect:
    rows = [
        [
            f"P{1000 + n * 7}",
            f"{kind} {title(n)}".strip(),
            mark.join(tags(n)),
            euros(900 + n * 1.37),
            f"https://cdn.shop.example/img/{n:04}.webp",
            n * 13 % 50,
            f"{START.replace(day=1 + n % 28, month=1 + n % 12):{date}}",
        ]
        for n in range(90)
    ]
    roles = {WHAT: header[0], "TITLE": header[1], "IMAGE_URL": header[4], "CREATION_TIMESTAMP": header[-1]}
    return Dialect(name, table(header, rows, delimiter, encoding=encoding), "ITEMS", roles, 90, {header[3]: "float"})


def oxid(e: Event) -> list[object]:
    return [200_000 + e.number, f"{e.moment:%d.%m.%Y %H:%M} Uhr", 4000 + e.user, f"Kunde {e.user}", f"{8000 + e.item}", title(e.item), e.quantity, euros(e.price)]  # fmt: skip


def prestashop(e: Event) -> list[object]:
    return [f"FR{e.number // 2:06}", f"REF-{e.item:03}", f"client{e.user}@exemple.fr", f"{e.moment:%d/%m/%Y à %H:%M}", e.quantity, euros(e.price)]  # fmt: skip


def spanish(e: Event) -> list[object]:
    day = f"{e.moment.day} {SPANISH_MONTHS[e.moment.month - 1]} {e.moment.year} {e.moment:%H:%M}"
    return [9000 + e.number // 3, day, f"u{e.user}@correo.es", f"ES{e.item:04}", title(e.item), e.quantity, euros(e.price)]  # fmt: skip


def italian(e: Event) -> list[object]:
    return [f"IT-{e.number // 2}", f"{e.moment:%d/%m/%Y %H.%M}", 700 + e.user, f"COD{e.item:03}", title(e.item), e.quantity, euros(e.price)]  # fmt: skip


def polish(e: Event) -> list[object]:
    return [f"ZAM/{e.number // 2}/2024", f"{e.moment:%d.%m.%Y %H:%M:%S}", f"klient{e.user}@poczta.pl", f"PL-{e.item:03}", title(e.item), e.quantity, euros(e.price).replace("€", "zł")]  # fmt: skip


def portuguese(e: Event) -> list[object]:
    return [e.number + 1, f"{e.moment:%d-%m-%Y %H:%M}", f"C{e.user:04}", f"PT{e.item:03}", e.quantity, f"R$ {euros(e.price)[:-2]}"]  # fmt: skip


def dutch(e: Event) -> list[object]:
    return [f"NL{e.number // 2:05}", f"{e.moment:%d-%m-%Y}", f"{e.moment:%H:%M}", 5000 + e.user, f"ART{e.item:03}", e.quantity, f"€ {euros(e.price)[:-2]}"]  # fmt: skip


def clicks(e: Event) -> list[object]:
    kind = {"view": "angesehen", "cart": "Warenkorb", "purchase": "gekauft"}[e.kind]
    return [f"{e.moment:%d.%m.%y %H:%M}", f"{e.user:08x}", kind, 10_000 + e.item, "mobil" if e.number % 3 else "Desktop"]  # fmt: skip


def customers() -> bytes:
    rows = [[4000 + n, "Frau" if n % 2 else "Herr", f"{n * 137 % 100_000:05}", ("Köln", "Graz", "Bern")[n % 3], f"{START.replace(month=1 + n % 12):%d.%m.%Y}"] for n in range(70)]  # fmt: skip
    return table(["Kundennummer", "Anrede", "PLZ", "Ort", "Registriert am"], rows, ";", encoding="cp1252")


EUROPE = [
    _orders("German orders with a word behind the clock", ["Bestellnummer", "Bestelldatum", "Kunden-ID", "Kundenname", "Artikelnummer", "Artikelbezeichnung", "Anzahl", "Preis (EUR)"], oxid, ("Kunden-ID", "Artikelnummer", "Bestelldatum"), price="Preis (EUR)"),
    _orders("French orders by e-mail", ["N° commande", "Référence produit", "Client", "Date de commande", "Quantité", "Prix TTC"], prestashop, ("Client", "Référence produit", "Date de commande"), encoding="cp1252", price="Prix TTC"),
    _orders("Spanish orders with months in words", ["Nº de pedido", "Fecha del pedido", "Correo electrónico", "SKU", "Producto", "Cantidad", "Importe"], spanish, ("Correo electrónico", "SKU", "Fecha del pedido"), ",", price="Importe"),
    _orders("Italian orders with a point in the clock", ["Ordine", "Data ordine", "ID cliente", "Codice articolo", "Descrizione", "Quantità", "Prezzo unitario"], italian, ("ID cliente", "Codice articolo", "Data ordine"), price="Prezzo unitario"),
    _orders("Polish orders in cp1250", ["Nr zamówienia", "Data złożenia", "E-mail klienta", "SKU", "Nazwa produktu", "Ilość", "Cena"], polish, ("E-mail klienta", "SKU", "Data złożenia"), encoding="cp1250", price="Cena"),
    _orders("Portuguese orders in reais", ["Pedido", "Data do pedido", "Código do cliente", "Código do produto", "Quantidade", "Valor"], portuguese, ("Código do cliente", "Código do produto", "Data do pedido"), price="Valor"),
    _orders("Dutch orders with a column for the clock", ["Ordernummer", "Besteldatum", "Tijd", "Klantnummer", "Artikelnummer", "Aantal", "Prijs"], dutch, ("Klantnummer", "Artikelnummer", "Besteldatum"), price="Prijs"),
    _orders("German clicks with years of two digits", ["Zeitpunkt", "Besucher", "Aktion", "Produkt-ID", "Gerät"], clicks, ("Besucher", "Produkt-ID", "Zeitpunkt"), "\t", kind="Aktion"),
    _products("German products with stock", ["Artikel-Nr.", "Titel", "Warengruppe", "Preis", "Bildlink", "Lagerbestand", "Erstellt am"], ";", ", ", "%d.%m.%Y", "cp1252"),
    _products("French products with stock", ["Référence", "Désignation", "Catégories", "Prix HT", "Image principale", "Stock", "Date d'ajout"], ";", " | ", "%d/%m/%Y", "utf-8"),
    _products("Spanish products", ["Referencia", "Nombre", "Categorías", "Precio", "URL imagen", "Existencias", "Fecha de alta"], ";", "/", "%d-%m-%Y", "utf-8-sig"),
    _products("Italian products in UTF-16", ["Codice", "Nome prodotto", "Categoria", "Prezzo", "Immagine", "Giacenza", "Data creazione"], "\t", ",", "%d/%m/%Y", "utf-16"),
    _products("Polish products", ["Kod produktu", "Nazwa", "Kategoria", "Cena brutto", "Zdjęcie", "Stan", "Data dodania"], ";", ",", "%d.%m.%Y", "cp1250", "Żółta część"),
    Dialect("German customers by town", customers(), "USERS", {WHO: "Kundennummer"}, 70),
]  # fmt: skip

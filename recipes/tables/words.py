"""What columns are called: the words for each role in English, German, French, Spanish, Italian, Portuguese, Dutch and Polish.

A name is cut into words, and each word into a stem and what follows it, so that `Kundennr.`, `customer_id` and `N° client`
are read alike. Names decide only between columns whose values fit (recipes.tables.roles).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WHOLE_LETTERS = str.maketrans({  # which are no letter with an accent to Unicode
    "ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D",
    "þ": "th", "Þ": "TH", "\u0131": "i",
})  # fmt: skip
LATIN = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфыэіґαβγδεζηικλμνξοπρσςτυφω", "abvgdezijklmnoprstufyeigavgdeziiklmnxoprsstyfo", strict=True))
    | {"ж": "zh", "\u0445": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ь": "", "ю": "yu", "я": "ya", "є": "ye", "θ": "th", "χ": "ch", "ψ": "ps"}
)  # fmt: skip
STEMS: dict[str, str] = {
    "USER_ID": "user usr customer cust client kunde besteller kaeufer kaufer nutzer benutzer besucher mitglied debitor kunnr "
    "visitor member account shopper buyer reviewer viewer subscriber person reader guest household patient listener profile "
    "utilisateur acheteur visiteur membre abonne usuario comprador visitante miembro socio utente acquirente visitatore "
    "membro utilizador cliente klant gebruiker bezoeker koper uid email mail contact fullvisitor idvisitor visitorid "
    "msno player student session sitzung klient klienta kupujacy uzytkownik kundin kund kd leser lecteur lector lettore leitor lezer "
    "matrikel adherent courriel correo nif dni cpf u",
    "ITEM_ID": "item product produkt produit producto prodotto produto artikel article articulo articolo artigo sku ean gtin "
    "artnr artno artid artcode codart refart upc asin isbn matnr material movie film book buch livre libro livro boek song track video show content news artist game "
    "business restaurant listing offer course goods ware tmdb imdb anime recipe joke poi venue iid stockcode variant tconst "
    "parentasin podcast episode serie post page url station hotel job jobid musicbrainz produktu towar towaru medien pelicula kurs curso corso veranstaltung i",
    "ACTION_ID": "action aktion accion azione acao actie offer angebot campaign kampagne",
    "TIMESTAMP": "timestamp ts time datetime date dat datum zeit zeitpunkt zeitstempel uhrzeit heure hora fecha data dia jour dag "
    "tijd tijdstip orario horodatage when wann day tag epoch unixtime utctime localtime created creado cree erstellt creato "
    "criado aangemaakt momento tstamp czas godzina",
    "EVENT_TYPE": "event action aktion ereignis activity behavior behaviour interaction evenement evento azione accion acao "
    "gebeurtenis actie type typ tipo feedback",
    "EVENT_VALUE": "rating ratings score stars star bewertung sterne note valoracion puntuacion calificacion voto punteggio "
    "valutazione avaliacao nota beoordeling cijfer waardering overall preference weight value plays playcount listens "
    "watchratio",
    "IMPRESSION": "impression impressions shown slate shownitems",
    "RECOMMENDATION_ID": "recommendationid",
    "TITLE": "title titel titre titulo titolo name nom nombre nome naam bezeichnung designation denominacion denominazione "
    "designacao nazwa tytul label intitule libelle maktx headline uberschrift",
    "IMAGE_URL": "image images bild foto photo picture imagen immagine imagem afbeelding thumbnail poster img cover bilder zdjecie obraz "
    "imageurl imgurl",
    "CREATION_TIMESTAMP": "created creation added angelegt erstellt erfasst seit since released release published publish "
    "publication pub erschienen erscheinung veroffentlicht cree creation ajoute parution sortie alta publicado publicacion "
    "creado creato creazione pubblicazione uscita criado lancamento launch aangemaakt toegevoegd listed inserito inserimento aufgenommen hinzugefugt gelistet ligne lanzamiento lanzado "
    "inclusao cadastro geplaatst ingevoerd firstseen dodania dodano timestamp "
    "date datum fecha data ersda",
    "PRICE": "price preis prix precio prezzo preco prijs cena cost amount msrp",
    "CATEGORY_L1": "category categories kategorie kategorien categorie categoria categorias department abteilung warengruppe "
    "kategoria rubrik maincategory productgroupname rayon reparto afdeling",
    "GENRES": "genre genres category categories kategorie kategorien categoria genero genere",
    "AVERAGE_RATING": "averagerating avgrating rating",
    "PRODUCT_DESCRIPTION": "description beschreibung descripcion descrizione descricao beschrijving omschrijving",
}  # fmt: skip
KEY_WORDS = _words(
    "id nr no key code uuid guid number nummer num numero ref reference referencia riferimento cod codigo codice kod"
)
# Not every article has one, and no order names it where there is an id.
BARCODES = _words("ean gtin upc isbn barcode strichcode")
IDS = _words(
    "id ids nr no num number nummer numero codigo code codice key ref idx index uuid guid hash pk n pseudo anon lineitem reference referencia "
    "riferimento cod mbid full anonymous encoded unique the of de du der des del della do da di le la el il o los les nbr clave kennung kz kod "
    "card karte carte tarjeta tessera cartao kaart konto"
)
TIMES_OF_EVENTS = _words(
    "event order orders bestell bestellung auftrag commande pedido ordine encomenda bestelling purchase invoice transaction trans tx kauf einkauf "
    "achat compra acquisto aankoop action aktion watched viewed clicked rated review reviewed played visit besuch click view unix utc local start "
    "server first at am le on occurred last seen recorded logged erdat"
)
SPOILS_TIME = ["anreise", "abreise", "arriv", "depart", "checkin", "checkout", "llegada", "salida", "partenza", "aankomst", "vertrek", "retour", "ruckgabe", "return", "birth", "geburt", "naissance", "nacimiento", "nascita", "nascimento", "geboorte", "update", "updated", "modified", "geandert", "geaendert", "modifie", "liefer", "versand", "ship", "livraison", "entrega", "consegna", "verzend", "deliver", "due", "paid", "bezahlt", "refund", "cancel", "storn", "fulfil", "expir", "ablauf", "release", "published", "registered", "registr", "signup", "anmelde", "inscription", "end", "ende", "duration", "dauer", "member", "joined"]  # fmt: skip
NO_ENTITY = ["order", "bestell", "auftrag", "commande", "pedido", "ordine", "encomenda", "invoice", "rechnung", "facture", "factura", "fattura", "fatura", "factuur", "transaction", "receipt", "beleg", "quittung", "bon", "kassenbon", "scontrino", "recibo", "albaran", "kassabon", "line", "zeile", "position", "pos", "quantity", "qty", "menge", "quantite", "cantidad", "quantita", "quantidade", "aantal", "anzahl", "price", "preis", "prix", "precio", "prezzo", "preco", "prijs", "amount", "betrag", "total", "summe", "tax", "steuer", "mwst", "status", "payment", "zahl", "zahlart", "paiement", "pago", "currency", "wahrung", "city", "ort", "stadt", "ville", "ciudad", "citta", "cidade", "plaats", "country", "land", "pays", "pais", "paese", "zip", "plz", "postal", "state", "region", "street", "strasse", "address", "adresse", "gender", "geschlecht", "age", "alter", "name", "vorname", "nachname", "firstname", "lastname", "username", "nom", "nombre", "nome", "naam", "bezeichnung", "category", "kategorie", "categorie", "categoria", "brand", "marke", "marque", "marca", "merk", "color", "farbe", "size", "grosse", "group", "gruppe", "type", "typ", "tipo", "genre", "rating", "score", "count", "duration", "url", "image", "bild", "agent", "ip", "device", "browser", "os", "platform", "language", "segment", "tier", "level", "title", "titel", "description", "beschreibung", "text", "comment", "kommentar", "note", "discount", "rabatt", "coupon", "shipping", "weight", "percent", "promo", "date", "time", "sales", "channel", "helpful"]  # fmt: skip
HAPPENED = _words(  # what an event's time says where it does not say that it is one
    "gekauft verkauft bestellt gebucht ausgeliehen angesehen gesehen gelesen gehort bewertet sold bought purchased ordered booked borrowed "
    "watched viewed visited played read rated clicked placed achete commande vendu reserve vu lu comprado vendido reservado visto leido "
    "acquistato venduto prenotato letto lido gekocht verkocht besteld geboekt bekeken gelezen"
)
TITLE_END = re.compile(r"(name|bezeichnung|titel|title)$")
TIME_END = re.compile(r"(zeitpunkt|zeitstempel|timestamp|datetime|datum|date|zeit|time|tijd)$")
EVENT_WORDS = _words(
    "view views viewed click clicked purchase purchased buy bought order ordered addtocart addtobag cart basket remove removefromcart transaction "
    "play played watch watched listen like liked dislike share rate rated rating read save saved favorite favourite bookmark wishlist impression "
    "skip search checkout pv fav detail download install visit pageview ansicht ansehen gesehen kauf gekauft klick warenkorb merkzettel achat "
    "achete vue vu clic panier compra comprado vista visto carrito acquisto acquistato clic carrello visualizacao carrinho aankoop gekocht "
    "bekeken winkelwagen productview productadd viewitem additem sale sold rent rented complete completed start started outbound screenview"
)


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """A name in lower case without accents, Cyrillic and Greek in Latin letters: `Größe` and `groesse` are the same as `grosse`.

    >>> folded("Größe"), folded("Numéro"), folded("Beløb"), folded("Категория")
    ('grosse', 'numero', 'belob', 'kategoriya')
    """
    text = unicodedata.normalize("NFKD", name.translate(WHOLE_LETTERS))
    return "".join(letter for letter in text if not unicodedata.combining(letter)).lower().translate(LATIN)


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A name without case, accents and punctuation, by which spellings are compared."""
    return re.sub(r"[^a-z0-9]", "", folded(name))


@lru_cache(maxsize=4096)
def tokens(name: str) -> tuple[str, ...]:
    """The words of a name.

    >>> tokens("productDisplayName"), tokens("Bestell-Nr."), tokens("user_id:token")
    (('product', 'display', 'name'), ('bestell', 'nr'), ('user', 'id'))
    """
    name = re.sub(r":(token|float|token_seq|float_seq)$", "", name)
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return tuple(re.findall(r"[a-z]+|\d+", folded(spaced)))


@lru_cache(maxsize=8192)
def name_score(name: str, role: str) -> float:
    """How well a name says a role: 3 a name for nothing else, 2 and 1 less surely, 0 no word, negative another thing's.

    >>> name_score("Kundennr.", "USER_ID"), name_score("Bestell-Nr.", "USER_ID"), name_score("Ort", "ITEM_ID")
    (3.0, -2.0, -2.0)
    """
    if plain(name) == plain(role):
        return 4.0
    words = tokens(name)
    joined = plain(name)
    if joined in STEMS[role].split():
        return 3.0
    if role == "TITLE" and TITLE_END.search(joined):
        return 2.5
    found = [word for word in words if _stem(word, role) is not None]
    rest = [r for word in words if (r := _rest(word, role)) and r not in IDS]
    if role in {"TIMESTAMP", "CREATION_TIMESTAMP"} and (found or TIME_END.search(joined)):
        return _time_score(words, role)
    if not found:
        return -2.0 if role in {"USER_ID", "ITEM_ID"} and _spoilt(words) else 0.0
    if rest and role == "EVENT_TYPE" and set(found) <= {"type", "typ", "tipo"}:
        return 0.5  # the type of something else
    if not rest:
        return 3.0 if not _is_hint_only(words, role) else 1.5
    inside = any(
        word.startswith(stem) and _rest(word, role) not in IDS | {""}
        for word, stem in [(word, _stem(word, role) or word) for word in found]
    )
    return 0.5 if inside or _spoilt(rest) else 1.5


def _is_hint_only(words: tuple[str, ...], role: str) -> bool:
    """Whether the name is a word that only hints at the role: a session is who acts where nobody else is."""
    weak = {"USER_ID": {"session", "sitzung", "account", "profile"}, "ITEM_ID": {"url", "page", "post", "content"}}
    return any(word in weak.get(role, ()) for word in words)


def _time_score(words: tuple[str, ...], role: str) -> float:
    """A time's word may stand behind what happens then, as in `Bestelldatum`."""
    rest = [left for word in words if (left := _before_time(word, role)) and left not in IDS]
    if any(word.startswith(spoiler) for word in rest for spoiler in SPOILS_TIME) and role == "TIMESTAMP":
        return 0.2
    return 3.0 if not rest or all(word in TIMES_OF_EVENTS for word in rest) else 1.5


def tells_when(name: str) -> float:
    """How well a name says that a column of times tells when the event happened; below 0 for when something else does.

    >>> tells_when("Gebucht am"), tells_when("Anreise"), tells_when("Datum")
    (1.5, -0.5, 3.0)
    """
    words = tokens(name)
    named = name_score(name, "TIMESTAMP")
    if named or not words:
        return named
    spoilt = any(word.startswith(spoiler) for word in words for spoiler in SPOILS_TIME)
    return 1.5 if HAPPENED & set(words) else -0.5 if spoilt else 0.0


def _before_time(word: str, role: str) -> str:
    return TIME_END.sub("", word) if TIME_END.search(word) else _rest(word, role)


def _spoilt(words: tuple[str, ...] | list[str]) -> bool:
    return any(word.startswith(spoiler) and len(word) <= len(spoiler) + 8 for word in words for spoiler in NO_ENTITY)


def _rest(word: str, role: str) -> str:
    """What a word holds besides the role's stem: all of it where it holds none."""
    stem = _stem(word, role)
    if stem is None:
        return word
    rest = word[len(stem) :]
    if rest in {"s", "es", "en", "e"} or (rest == "n" and stem.endswith("e")):
        return ""
    return rest if rest in IDS else re.sub(r"^(n|s|en|es)(?=[a-z]{2})", "", rest)


def _stem(word: str, role: str) -> str | None:
    """The longest stem of the role that the word begins with; short stems must be the word or have a word for ids behind."""
    for stem in _sorted_stems(role):
        if word == stem or (word.startswith(stem) and (len(stem) >= 4 or word[len(stem) :] in IDS)):
            return stem
    return None


@lru_cache
def _sorted_stems(role: str) -> list[str]:
    return sorted(STEMS[role].split(), key=len, reverse=True)


def is_known(name: str) -> bool:
    """Whether a name is a word of some role: then a file's first line is its header."""
    return any(name_score(name, role) >= 1.5 for role in STEMS)

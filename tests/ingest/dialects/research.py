"""Files of public data sets and of other recommender systems."""

from __future__ import annotations

import json

from tests.ingest.dialects.shops import EVENT, _events
from tests.ingest.dialects.writing import Event, log, title


def asin(item: int) -> str:
    return f"B00{item * 7919:07}"


def amazon(e: Event) -> list[object]:
    return [
        f"A{e.user * 15485863:013}",
        asin(e.item),
        f"Reader {e.user}",
        json.dumps([e.quantity, 4]),
        "Works as it should and looks good, would buy it again at any time.",
        int(e.stars) or 1,
        "Good",
        e.epoch,
        f"{e.moment:%m %d, %Y}",
    ]


AMAZON = [
    "reviewerID",
    "asin",
    "reviewerName",
    "helpful",
    "reviewText",
    "overall",
    "summary",
    "unixReviewTime",
    "reviewTime",
]


RESEARCH = [
    _events(
        "MovieLens 100K u.data",
        log(lambda e: [e.user + 196, e.item + 242, int(e.stars) or 1, e.epoch], None, "\t"),
        "1",
        "2",
        "4",
        more={"EVENT_VALUE": "3"},
        asked=True,
    ),
    _events(
        "MovieLens 1M ratings.dat",
        log(lambda e: [e.user + 1, e.item + 1193, int(e.stars) or 1, e.epoch], None, "::"),
        "1",
        "2",
        "4",
        more={"EVENT_VALUE": "3"},
        asked=True,
    ),
    _events(
        "MovieLens 25M ratings with halves",
        log(lambda e: [e.user, e.item, e.stars, e.epoch], ["userId", "movieId", "rating", "timestamp"]),
        "userId",
        "movieId",
        "timestamp",
        more={"EVENT_VALUE": "rating"},
    ),
    _events(
        "RecBole .inter",
        log(
            lambda e: [e.user, e.item, e.stars, e.epoch],
            ["user_id:token", "item_id:token", "rating:float", "timestamp:float"],
            "\t",
        ),
        "user_id:token",
        "item_id:token",
        "timestamp:float",
        more={"EVENT_VALUE": "rating:float"},
    ),
    _events(
        "gorse feedback",
        log(
            lambda e: [e.kind, f"u{e.user}", f"i{e.item}", f"{e.moment:%Y-%m-%d %H:%M:%S} +0000 UTC"],
            ["feedback_type", "user_id", "item_id", "time_stamp"],
        ),
        "user_id",
        "item_id",
        "time_stamp",
        more={EVENT: "feedback_type"},
    ),
    _events(
        "Retailrocket events",
        log(
            lambda e: [
                e.epoch * 1000,
                e.user + 1000,
                {"view": "view", "cart": "addtocart", "purchase": "transaction"}[e.kind],
                e.item + 350000,
                e.number if e.kind == "purchase" else "",
            ],
            ["timestamp", "visitorid", "event", "itemid", "transactionid"],
        ),
        "visitorid",
        "itemid",
        "timestamp",
        more={EVENT: "event"},
    ),
    _events(
        "Yoochoose clicks",
        log(lambda e: [e.user + 1, f"{e.moment:%Y-%m-%dT%H:%M:%S.123Z}", 214536500 + e.item, 0], None),
        "1",
        "3",
        "2",
        asked=True,
    ),
    _events(
        "Yoochoose clicks with a header",
        log(
            lambda e: [e.user + 1, f"{e.moment:%Y-%m-%dT%H:%M:%S.123Z}", 214536500 + e.item, 0],
            ["session_id", "timestamp", "item_id", "category"],
        ),
        "session_id",
        "item_id",
        "timestamp",
    ),
    _events(
        "Last.fm 1K",
        log(
            lambda e: [
                f"user_{e.user:06}",
                f"{e.moment:%Y-%m-%dT%H:%M:%SZ}",
                f"mb-{e.item % 20}-a",
                f"Band {e.item % 20}",
                f"mb-{e.item}-t",
                f"Song {e.item}",
            ],
            ["user_id", "timestamp", "artist_id", "artist_name", "track_id", "track_name"],
            "\t",
        ),
        "user_id",
        "track_id",
        "timestamp",
    ),
    _events(
        "Last.fm listens",
        log(
            lambda e: [e.user, e.item % 25, f"Band {e.item % 25}", f"Album {e.item}", e.epoch],
            ["userID", "artistID", "artist", "album", "uts"],
        ),
        "userID",
        "artistID",
        "uts",
    ),
    _events(
        "H&M transactions",
        log(
            lambda e: [
                f"{e.moment:%Y-%m-%d}",
                f"{e.user * 2654435761:064x}",
                f"{e.item + 663713001:010}",
                f"{e.price / 1000:.6f}",
                1 + e.number % 2,
            ],
            ["t_dat", "customer_id", "article_id", "price", "sales_channel_id"],
        ),
        "customer_id",
        "article_id",
        "t_dat",
    ),
    _events(
        "Amazon reviews", log(amazon, AMAZON), "reviewerID", "asin", "unixReviewTime", more={"EVENT_VALUE": "overall"}
    ),
    _events(
        "Amazon ratings without header, user first",
        log(lambda e: [f"A{e.user * 15485863:013}", asin(e.item), float(int(e.stars) or 1), e.epoch], None),
        "1",
        "2",
        "4",
        more={"EVENT_VALUE": "3"},
    ),
    _events(
        "Amazon ratings without header, item first",
        log(lambda e: [asin(e.item), f"A{e.user * 15485863:013}", float(int(e.stars) or 1), e.epoch], None),
        "2",
        "1",
        "4",
        more={"EVENT_VALUE": "3"},
    ),
    _events(
        "Amazon reviews 2023",
        log(
            lambda e: [f"AE{e.user * 15485863:026}", asin(e.item), e.stars, e.epoch * 1000, ""],
            ["user_id", "parent_asin", "rating", "timestamp", "history"],
        ),
        "user_id",
        "parent_asin",
        "timestamp",
        more={"EVENT_VALUE": "rating"},
    ),
    _events(
        "Yelp reviews",
        log(
            lambda e: [f"r{e.number}", f"user-{e.user}", f"biz-{e.item}", e.stars, f"{e.moment:%Y-%m-%d %H:%M:%S}"],
            ["review_id", "user_id", "business_id", "stars", "date"],
        ),
        "user_id",
        "business_id",
        "date",
        more={"EVENT_VALUE": "stars"},
    ),
    _events(
        "Taobao behaviour without header",
        log(
            lambda e: [
                e.user + 1,
                e.item + 2268318,
                2520377 + e.item % 9,
                {"view": "pv", "cart": "cart", "purchase": "buy"}[e.kind],
                e.epoch,
            ],
            None,
        ),
        "1",
        "2",
        "5",
        more={EVENT: "4"},
        asked=True,
    ),
    _events(
        "Amazon Personalize",
        log(
            lambda e: [
                f"u{e.user}",
                f"i{e.item}",
                e.epoch,
                e.kind,
                e.stars,
                "|".join(f"i{(e.item + k) % 60}" for k in range(4)),
            ],
            ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "IMPRESSION"],
        ),
        "USER_ID",
        "ITEM_ID",
        "TIMESTAMP",
        more={EVENT: "EVENT_TYPE", "EVENT_VALUE": "EVENT_VALUE", "IMPRESSION": "IMPRESSION"},
    ),
    _events(
        "Online Retail II",
        log(
            lambda e: [
                489434 + e.number // 3,
                f"{e.item + 22000}A",
                title(e.item),
                e.quantity,
                f"{e.moment:%m/%d/%Y %H:%M}",
                f"{e.price:.2f}",
                f"{13085 + e.user}.0",
                "United Kingdom",
            ],
            ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"],
        ),
        "Customer ID",
        "StockCode",
        "InvoiceDate",
        types={"Price": "float"},
    ),
    _events(
        "Instacart-like baskets",
        log(
            lambda e: [e.number // 3, f"P{e.item}", e.user, f"{e.moment:%Y-%m-%d}", e.quantity],
            ["order_id", "product_id", "user_id", "order_date", "add_to_cart_order"],
        ),
        "user_id",
        "product_id",
        "order_date",
    ),
    _events(
        "news clicks with a bar",
        log(
            lambda e: [f"U{e.user}", f"N{e.item}", f"{e.moment:%m/%d/%Y %I:%M:%S %p}", "click"],
            ["UserID", "NewsID", "Time", "Action"],
            "|",
        ),
        "UserID",
        "NewsID",
        "Time",
    ),
    _events(
        "blanks between cells",
        log(lambda e: [e.user + 1, e.item + 900, int(e.stars) or 1, e.epoch], None, " "),
        "1",
        "2",
        "4",
        more={"EVENT_VALUE": "3"},
        asked=True,
    ),
    _events(
        "a first column without name",
        log(lambda e: [e.number, e.user, e.item, e.epoch], ["", "user_id", "anime_id", "timestamp"]),
        "user_id",
        "anime_id",
        "timestamp",
    ),
]

"""The columns that Amazon Personalize gives a meaning to, by dataset type and domain, and how many others there may be."""

from __future__ import annotations

from dataclasses import dataclass

DATASET_TYPES = ("INTERACTIONS", "ITEMS", "USERS", "ACTIONS", "ACTION_INTERACTIONS")


@dataclass(frozen=True)
class Reserved:
    """What a reserved column must look like."""

    types: tuple[str, ...]
    categorical: bool = False


STRING, FLOAT = Reserved(("string",)), Reserved(("float", "double"))
TIME, LONG = Reserved(("long",)), Reserved(("long", "int"))
CREATED = Reserved(("long", "float", "double"))  # tables say long, one text float: both are taken
CATEGORY = Reserved(("string",), categorical=True)

REQUIRED: dict[str, dict[str, Reserved]] = {
    "INTERACTIONS": {"USER_ID": STRING, "ITEM_ID": STRING, "TIMESTAMP": TIME},
    "ITEMS": {"ITEM_ID": STRING},
    "USERS": {"USER_ID": STRING},
    "ACTIONS": {"ACTION_ID": STRING},
    "ACTION_INTERACTIONS": {"USER_ID": STRING, "ACTION_ID": STRING, "EVENT_TYPE": STRING, "TIMESTAMP": TIME},
}
RESERVED: dict[str, dict[str, Reserved]] = {
    "INTERACTIONS": {
        "EVENT_TYPE": STRING,
        "EVENT_VALUE": FLOAT,
        "IMPRESSION": STRING,
        "RECOMMENDATION_ID": STRING,
        "EVENT_ATTRIBUTION_SOURCE": STRING,
    },
    "ITEMS": {"CREATION_TIMESTAMP": CREATED},
    "USERS": {},
    "ACTIONS": {
        "CREATION_TIMESTAMP": CREATED,
        "VALUE": LONG,
        "TYPE": STRING,
        "ACTION_EXPIRATION_TIMESTAMP": LONG,
        "EXPIRATION_TIMESTAMP": LONG,
        "REPEAT_FREQUENCY": LONG,
    },
    "ACTION_INTERACTIONS": {"IMPRESSION": STRING, "RECOMMENDATION_ID": STRING},
}
DOMAIN_REQUIRED: dict[tuple[str, str], dict[str, Reserved]] = {
    ("ECOMMERCE", "INTERACTIONS"): {"EVENT_TYPE": STRING},
    ("ECOMMERCE", "ITEMS"): {"PRICE": FLOAT, "CATEGORY_L1": CATEGORY},
    ("VIDEO_ON_DEMAND", "INTERACTIONS"): {"EVENT_TYPE": STRING},
    ("VIDEO_ON_DEMAND", "ITEMS"): {"GENRES": CATEGORY, "CREATION_TIMESTAMP": CREATED},
}
MAX_METADATA = {"INTERACTIONS": 5, "ITEMS": 100, "USERS": 25, "ACTIONS": 10, "ACTION_INTERACTIONS": 5}
MAX_TEXTUAL = 1

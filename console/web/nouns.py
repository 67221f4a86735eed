"""What the kinds of resources are called, one or many, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import get_language, ngettext

NOUNS: dict[str, Callable[[int], str]] = {
    "dataset group": lambda count: ngettext("dataset group", "dataset groups", count),
    "schema": lambda count: ngettext("schema", "schemas", count),
    "dataset": lambda count: ngettext("dataset", "datasets", count),
    "dataset import job": lambda count: ngettext("dataset import job", "dataset import jobs", count),
    "dataset export job": lambda count: ngettext("dataset export job", "dataset export jobs", count),
    "data deletion job": lambda count: ngettext("data deletion job", "data deletion jobs", count),
    "data insights job": lambda count: ngettext("data insights job", "data insights jobs", count),
    "event tracker": lambda count: ngettext("event tracker", "event trackers", count),
    "filter": lambda count: ngettext("filter", "filters", count),
    "batch inference job": lambda count: ngettext("batch inference job", "batch inference jobs", count),
    "batch segment job": lambda count: ngettext("batch segment job", "batch segment jobs", count),
    "metric attribution": lambda count: ngettext("metric attribution", "metric attributions", count),
    "sample": lambda count: ngettext("sample", "samples", count),
    "solution": lambda count: ngettext("solution", "solutions", count),
    "solution version": lambda count: ngettext("solution version", "solution versions", count),
    "shared evaluation": lambda count: ngettext("shared evaluation", "shared evaluations", count),
    "campaign": lambda count: ngettext("campaign", "campaigns", count),
    "experiment": lambda count: ngettext("experiment", "experiments", count),
    "recommender": lambda count: ngettext("recommender", "recommenders", count),
}
CAPITALISES_NOUNS = {"de"}


def called(noun: str, count: int = 1) -> str:
    """A kind's noun; nouns that no page lists are the database's own."""
    known = NOUNS.get(noun)
    return known(count) if known else noun if count == 1 else f"{noun}s"


def in_sentence(noun: str) -> str:
    """A title's noun within a sentence: small, where the language writes nouns so."""
    return noun if get_language() in CAPITALISES_NOUNS else noun.lower()

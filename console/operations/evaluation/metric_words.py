"""What each metric is called and means, for people who did not study them."""

from __future__ import annotations

import re
from typing import NamedTuple


class Words(NamedTuple):
    """A metric's title, plain meaning and formula."""

    title: str
    meaning: str
    formula: str


HIT = "A hit is a recommended item that the user really took in the newest tenth of their events."
WORDS = {
    "coverage": Words("Coverage", "The share of the catalogue that was recommended to anyone in the test.",
                      "distinct items in all lists of 25 / items in the catalogue"),
    "mean_reciprocal_rank_at_25": Words("MRR at 25", "How high the first hit stands: 1 for the first place, 1/2 for the second. "
                                        + HIT, "mean of 1 / rank of the first hit among 25"),
    "normalized_discounted_cumulative_gain": Words(
        "NDCG", "Hits high in the list count more. As AWS words it: against the same hits at the top of the list. " + HIT,
        "sum of 1 / log2(1 + rank) over hits, divided by that sum with the hits first"),
    "normalized_discounted_cumulative_gain_with_event_weights": Words(
        "NDCG with event weights", "NDCG in which a hit counts by the weight of its event type.",
        "sum of (weight / mean weight) / log2(1 + rank) over hits, divided by the best order of the list"),
    "precision": Words("Precision", "The share of the list that was a hit. " + HIT, "hits among the first K / K"),
    "average_rewards_at_k": Words("Average rewards", "How much of the value of the hits comes first, for the objective's column.",
                                  "reward of the hits / reward of all recommended hits"),
    "strict_ndcg": Words("Strict NDCG", "NDCG against the best list there could be, not against the list's own hits.",
                         "sum of 1 / log2(1 + rank) over hits / that of an ideal list"),
    "recall": Words("Recall", "The share of what the user took that the list had.", "hits among the first K / items taken"),
    "hit_rate": Words("Hit rate", "The share of users who got at least one hit.", "users with a hit among the first K / users"),
    "map": Words("MAP", "Precision averaged over the places of the hits.", "mean of precision at each hit's rank"),
    "mrr": Words("MRR", "How high the first hit stands.", "mean of 1 / rank of the first hit"),
    "novelty": Words("Novelty", "How unusual the recommended items are: higher means less known.",
                     "mean of -log2(share of users who took the item)"),
    "intra_list_diversity": Words("Diversity", "How unlike the items of one list are.", "1 - mean similarity of two items"),
    "average_popularity": Words("Popularity of items", "How many users took the recommended items on average.",
                                "mean number of users of a recommended item"),
    "gini": Words("Concentration (Gini)", "0: every item is recommended equally often; 1: always the same few.",
                  "Gini index of how often items are recommended"),
    "hits_at_1_percent": Words("Hits at 1 %", "How many of the predicted top 1 % of users really took the item.",
                               "mean number of true users among the first 1 %"),
    "recall_at_1_percent": Words("Recall at 1 %", "The share of the real users found in the predicted top 1 %.",
                                 "true users among the first 1 % / true users"),
    "cold_ndcg": Words(
        "NDCG of new items", "How well items are ranked that nobody has taken yet: a share of the items was withheld from the "
        "model as if they were new. Popularity ranks such items by chance.",
        "sum of 1 / log2(1 + rank) over withheld items that the user took / that of an ideal list"),
    "cold_mrr": Words("MRR of new items", "How high the first withheld item that the user took stands among all withheld items.",
                      "mean of 1 / rank of the first hit among 25"),
    "cold_content_ndcg": Words("NDCG of new items by metadata alone", "The same, ranked by how much their metadata are like those "
                               "of what the user took.",
                               "sum of 1 / log2(1 + rank) over withheld items that the user took / that of an ideal list"),
    "cold_content_mrr": Words("MRR of new items by metadata alone", "The same, ranked by how much their metadata are like those of "
                              "what the user took.", "mean of 1 / rank of the first hit among 25"),
    "trend_prediction_accuracy": Words("Trend prediction accuracy", "How much of the true rise in popularity was foreseen.",
                                       "rise of the recommended items / rise of the true top 25"),
    "action_auc": Words("AUC", "How well the chance tells actions that are taken from those declined: 0.5 is guessing, 1 perfect.",
                        "share of pairs of a taking and a refusal in which the taking scores higher"),
    "action_precision": Words("Precision", "Of the actions predicted with a chance of a half or more, how many were taken.",
                              "takings / predicted, for each action, then the mean"),
    "action_recall": Words("Recall", "Of the actions taken, how many were predicted with a chance of a half or more.",
                           "predicted / takings, for each action, then the mean"),
    "action_ndcg": Words("NDCG", "How high the actions that were taken stand in the list of all.",
                         "sum of 1 / log2(1 + rank) over takings / that of an ideal list"),
}  # fmt: skip


def words(metric: str) -> Words:
    """The words for a metric.

    >>> words("precision_at_5").title
    'Precision at 5'
    >>> words("unseen_recall_at_10").title
    'Recall at 10, new items only'
    """
    if metric in WORDS:
        return WORDS[metric]
    unseen = metric.startswith("unseen_")
    base, _, k = re.sub(r"^unseen_", "", metric).partition("_at_")
    known = WORDS.get(
        base.removesuffix("_"), WORDS.get(f"strict_{base}", Words(base.replace("_", " ").capitalize(), "", ""))
    )
    title = f"{known.title.removeprefix('Strict ')} at {k}" if k else known.title
    title = f"Strict {title}" if metric.startswith("strict_") else title
    return known._replace(title=f"{title}, new items only" if unseen else title)

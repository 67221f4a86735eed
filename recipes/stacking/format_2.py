"""Reads models of the stack as they were stored before each component stored itself: renames tensors and values."""

from __future__ import annotations

import re
from typing import Any

from recipes.base import State

NAMES = {
    r"priors\.popularity": "popularity.log_share",
    r"priors\.trend": "popularity.log_rise",
    r"priors\.fallback": "popularity.cold",
    r"priors\.unknown": "unknown_items.penalty",
    r"rates": "repeats.rates",
    r"ridge\.(\d+)\.(\w+)": r"item_weights.dense.\1.\2",
    r"transitions\.(\d+)\.(\w+)": r"item_weights.sparse.\1.\2",
    r"content\.(\w+)": r"item_weights.content.\1",
    r"audience\.(\w+)": r"user_ridge.\1",
    r"network/(\w+)": r"recurrent.\1",
    r"network\.(.+)": r"recurrent.weights.\1",
    r"remembered\.prints": "recurrent.history_hashes",
    r"remembered\.states": "recurrent.user_states",
    r"(context\..+)": r"\1",
}


def is_older(state: State) -> bool:
    """Whether the state is of a stack before components stored themselves."""
    return "components" not in state.values


def upgraded(state: State) -> State:
    """The same state as components store it."""
    tensors = {_renamed(name): tensor for name, tensor in state.tensors.items()}
    meta = state.values["blend"]
    weights = meta["weights"]
    components: dict[str, dict[str, Any]] = {
        "unknown_items": {},
        "popularity": {"weight": weights.get("popularity", 0.0), "rise_weight": weights.get("trend", 0.0)},
    }
    if weights.get("history") and (state.values["ridges"] or state.values["transitions"]):
        components["item_weights"] = {
            "weight": weights["history"],
            "content_weight": weights.get("content", 0.0),
            "dense": state.values["ridges"],
            "sparse": state.values["transitions"],
        }
    if "user_ridge.weights" in tensors:
        components["user_ridge"] = {"weight": weights.get("audience", 0.0)}
    if "recurrent.table" in tensors:
        components["recurrent"] = {"weight": weights.get("network", 0.0)}
    components["repeats"] = {"seen": meta["seen"], "repeat": meta["repeat"]}
    if "context" in state.values:
        components["context"] = {"columns": state.values["context"]}
    return State(tensors, {"components": components})


def _renamed(name: str) -> str:
    for pattern, replacement in NAMES.items():
        if match := re.fullmatch(pattern, name):
            return match.expand(replacement)
    return name

"""What came of an interleaving: whose items users chose, and whether that may be chance."""

from __future__ import annotations

from datetime import UTC, datetime

from console.models import Experiment
from console.serving import interleaving
from console.serving.interleaving import Counted
from console.shapes import JSONDict
from recipes.evaluation.interleaving import USUAL_EFFECT, always_valid_preference, preference, users_needed
from recipes.evaluation.lift import LiftEstimate


def interleaving_results(row: Experiment, until: int) -> JSONDict:
    """As GetExperimentResults tells it; the verdict is by the interval that holds at every look."""
    found = interleaving.count(row, until) if row.is_running else Counted.revived(row.counts)
    once, always, credits_ = preference(found.credits), always_valid_preference(found.credits), found.credits
    needed = users_needed(USUAL_EFFECT, 1.0)  # of an effect in standard deviations
    return {
        "experimentArn": row.arn,
        "kind": row.kind,
        "status": row.status,
        "until": datetime.fromtimestamp(until, UTC),
        "interleaving": {
            "lists": found.lists,
            "users": credits_.users,
            "controlUsers": credits_.first,
            "treatmentUsers": credits_.second,
            "preference": _wire(once),
            "always": _wire(always),
            "usersNeeded": needed,
            "usersNeededForObserved": users_needed(once.value, credits_.variance) if once else None,
        },
        "verdict": _verdict(once, always, enough=needed is not None and credits_.users >= needed),
    }


def _verdict(once: LiftEstimate | None, always: LiftEstimate | None, *, enough: bool) -> str:
    if always is not None and always.low > 0:
        return "BETTER"
    if always is not None and always.high is not None and always.high < 0:
        return "WORSE"
    return "NO_DIFFERENCE" if enough and once is not None and not once.is_significant else "TOO_EARLY"


def _wire(found: LiftEstimate | None) -> JSONDict | None:
    if found is None:
        return None
    return {"value": found.value, "low": found.low, "high": found.high, "pValue": found.p_value}

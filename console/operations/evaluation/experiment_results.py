"""Ours: what came of an experiment, as numbers that can be decided by."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from console.models import Account, Experiment
from console.operations.base import operation
from console.operations.evaluation.experiments import check_effect, counted, experiment_named
from console.serving.experiments import arm_name
from console.serving.outcomes import DAY, Cell, period_of
from console.shapes import JSONDict
from recipes.evaluation import lift as statistics
from recipes.evaluation.lift import MISMATCH, Arm, Estimate


@operation
def get_experiment_results(account: Account, *, experiment_arn: str, minimum_effect: float | None = None) -> JSONDict:
    """Users and outcomes of each arm, the lift, the split, and the users still needed for the least effect of interest.

    The primary outcome is the share of users who did what counts after they were first given a list, whichever list led to it:
    users stay on the side they were put on, so nothing else differs. Events per user are the secondary one.
    """
    row = experiment_named(account, experiment_arn)
    effect = row.minimum_effect if minimum_effect is None else minimum_effect
    check_effect(effect)
    until = int(row.ended.timestamp() if row.ended else time.time())
    cells = counted(row, until)
    control, treatment = (_arm(cell for cell in cells if cell.is_treatment is side) for side in (False, True))
    share = row.traffic_share / 100
    found = statistics.lift(control, treatment)
    split = _split(control, treatment, share)
    sample = _sample(control, treatment, share, effect, found) | _pace(row, until, control.users + treatment.users)
    sample["daysLeft"] = _days_left(sample) if row.is_running else None
    return {
        "experimentArn": row.arn,
        "status": row.status,
        "until": datetime.fromtimestamp(until, UTC),
        "arms": [
            _told(control, row.control_arn, control.users + treatment.users, is_treatment=False),
            _told(treatment, row.treatment_arn, control.users + treatment.users, is_treatment=True),
        ],
        "lift": _estimate(found),
        "difference": _estimate(statistics.difference(control, treatment)),
        "eventsLift": _estimate(statistics.events_lift(control, treatment)),
        "split": split,
        "sample": sample,
        "verdict": _verdict(split, sample, found),
        "points": _points(cells, until, period_of(until - row.created.timestamp())),
    }


def _arm(cells: Iterable[Cell]) -> Arm:
    parts = (Arm(cell.users, cell.users if cell.first is not None else 0, cell.events, cell.squares) for cell in cells)
    return sum(parts, start=Arm())


def _told(arm: Arm, version: str, users: int, *, is_treatment: bool) -> JSONDict:
    low, high = statistics.rate_interval(arm) or (None, None)
    return {
        "arm": arm_name(is_treatment=is_treatment), "solutionVersionArn": version, "users": arm.users,
        "share": arm.users / users if users else None, "converted": arm.converted, "rate": arm.rate, "rateLow": low,
        "rateHigh": high, "events": arm.events, "eventsPerUser": arm.per_user,
    }  # fmt: skip


def _estimate(found: Estimate | None) -> JSONDict | None:
    if found is None:
        return None
    return {"value": found.value, "low": found.low, "high": found.high, "pValue": found.p_value}


def _split(control: Arm, treatment: Arm, share: float) -> JSONDict:
    users, p_value = control.users + treatment.users, statistics.sample_ratio(control, treatment, share)
    return {
        "plannedShare": share,
        "observedShare": treatment.users / users if users else None,
        "pValue": p_value,
        "isMismatch": p_value is not None and p_value < MISMATCH,
    }


def _sample(control: Arm, treatment: Arm, share: float, effect: float, found: Estimate | None) -> JSONDict:
    """How many users there are and how many it takes, by the control's rate so far."""
    users, needed = control.users + treatment.users, statistics.users_needed(control.rate, effect, share)
    return {
        "users": users,
        "minimumEffect": effect,
        "usersNeeded": needed,
        "usersMissing": None if needed is None else max(0, needed - users),
        "observedEffect": found.value if found else None,
        "usersNeededForObserved": statistics.users_needed(control.rate, found.value, share) if found else None,
    }


def _pace(row: Experiment, until: int, users: int) -> JSONDict:
    days = (until - row.created.timestamp()) / DAY
    return {"usersPerDay": users / days if days > 0 else None}


def _days_left(sample: JSONDict) -> float | None:
    pace, missing = sample["usersPerDay"], sample["usersMissing"]
    return missing / pace if pace and missing is not None else None


def _verdict(split: JSONDict, sample: JSONDict, found: Estimate | None) -> str:
    """What may be said: nothing where the split is off, nothing before the planned number of users is there."""
    if split["isMismatch"]:
        return "NOT_VALID"
    if found is None or sample["usersMissing"] is None or sample["usersMissing"] > 0:
        return "TOO_EARLY"
    if not found.is_significant:
        return "NO_DIFFERENCE"
    return "BETTER" if found.value > 0 else "WORSE"


def _points(cells: list[Cell], until: int, period: int) -> list[JSONDict]:
    """What would have been read at the end of each period in which something happened: who had come in, who had done it."""
    came: defaultdict[tuple[bool, int], int] = defaultdict(int)
    did: defaultdict[tuple[bool, int], int] = defaultdict(int)
    for cell in cells:
        came[cell.is_treatment, cell.period] += cell.users
        if cell.first is not None:
            did[cell.is_treatment, cell.first] += cell.users
    points: list[JSONDict] = []
    arms = [Arm(), Arm()]
    for start in sorted({at for _, at in (*came, *did)}):
        arms = [arms[side] + Arm(came[bool(side), start], did[bool(side), start]) for side in (0, 1)]
        points.append(_point(*arms) | {"start": start, "end": min(start + period, until)})
    return points


def _point(control: Arm, treatment: Arm) -> JSONDict:
    found = statistics.lift(control, treatment)
    return {
        "lift": found.value if found else None, "low": found.low if found else None, "high": found.high if found else None,
        "controlUsers": control.users, "controlConverted": control.converted,
        "treatmentUsers": treatment.users, "treatmentConverted": treatment.converted,
    }  # fmt: skip

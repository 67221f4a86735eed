"""Ours: what came of an experiment, as numbers that can be decided by."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from console.models import Account, Experiment
from console.operations.base import operation
from console.operations.evaluation.experiments import check_effect, counted, experiment_named, of_actions
from console.operations.evaluation.interleaving_results import interleaving_results
from console.serving import outcomes
from console.serving.experiments import arm_name
from console.serving.outcomes import DAY, Cell, period_of
from console.shapes import JSONDict
from recipes.evaluation import lift as statistics
from recipes.evaluation import sequential
from recipes.evaluation.adjustment import adjusted_lift
from recipes.evaluation.lift import MISMATCH, Arm, LiftEstimate

ALLOWED_DROP = 0.05
LEAST_DAYS = 0.5  # of an experiment that tells how many users come in a day


@operation
def get_experiment_results(
    account: Account,
    *,
    experiment_arn: str,
    minimum_effect: float | None = None,
    guardrail_event_types: list[str] | None = None,
    allowed_drop: float = ALLOWED_DROP,
) -> JSONDict:
    """Users and outcomes of each arm, the lift, the split, and the users still needed for the least effect of interest.

    The primary outcome is the share of users who did what counts after they were first given a list, whichever list led to it:
    users stay on the side they were put on, so nothing else differs. Events per user are the secondary one. The verdict is by the
    interval that holds at every look (`always`), so that whoever reads it each day is misled by chance in 5 % of experiments at
    most; `lift` has the narrower interval of one look at the planned number. While it runs, `adjusted` takes out what users did
    before (CUPED), and `guardrails` tell of event types that must not drop by more than `allowedDrop`.
    """
    row = experiment_named(account, experiment_arn)
    effect = row.minimum_effect if minimum_effect is None else minimum_effect
    check_effect(effect)
    until = int(row.ended.timestamp() if row.ended else time.time())
    if row.is_interleaved:
        return interleaving_results(row, until)
    cells = counted(row, until)
    control, treatment = (_arm(cell for cell in cells if cell.is_treatment is side) for side in (False, True))
    share = row.traffic_share / 100
    found = statistics.lift(control, treatment)
    split = _split(control, treatment, share)
    sample = _sample(control, treatment, share, effect, found) | _pace(row, until, control.users + treatment.users)
    sample["daysLeft"] = _days_left(sample) if row.is_running else None
    points = _points(cells, until, period_of(until - row.created.timestamp()), effect)
    always = _always(points, control, treatment, effect)
    return {
        "experimentArn": row.arn,
        "kind": row.kind,
        "status": row.status,
        "until": datetime.fromtimestamp(until, UTC),
        "arms": [
            _arm_wire(control, row.control_arn, control.users + treatment.users, is_treatment=False),
            _arm_wire(treatment, row.treatment_arn, control.users + treatment.users, is_treatment=True),
        ],
        "lift": _estimate(found),
        "difference": _estimate(statistics.difference(control, treatment)),
        "eventsLift": _estimate(statistics.events_lift(control, treatment)),
        "split": split,
        "sample": sample,
        "always": always,
        "adjusted": _adjusted(row, until) if row.is_running else None,
        "guardrails": [_guardrail(row, until, kind, allowed_drop) for kind in guardrail_event_types or ()]
        if row.is_running
        else None,
        "verdict": _verdict(split, sample, found, always),
        "points": points,
    }


def _arm(cells: Iterable[Cell]) -> Arm:
    parts = (Arm(cell.users, cell.users if cell.first is not None else 0, cell.events, cell.squares) for cell in cells)
    return sum(parts, start=Arm())


def _arm_wire(arm: Arm, version: str, users: int, *, is_treatment: bool) -> JSONDict:
    low, high = statistics.rate_interval(arm) or (None, None)
    return {
        "arm": arm_name(is_treatment=is_treatment), "solutionVersionArn": version, "users": arm.users,
        "share": arm.users / users if users else None, "converted": arm.converted, "rate": arm.rate, "rateLow": low,
        "rateHigh": high, "events": arm.events, "eventsPerUser": arm.per_user,
    }  # fmt: skip


def _estimate(found: LiftEstimate | None) -> JSONDict | None:
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


def _sample(control: Arm, treatment: Arm, share: float, effect: float, found: LiftEstimate | None) -> JSONDict:
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
    return {"usersPerDay": users / days if days >= LEAST_DAYS else None}


def _days_left(sample: JSONDict) -> float | None:
    pace, missing = sample["usersPerDay"], sample["usersMissing"]
    return missing / pace if pace and missing is not None else None


def _always(points: list[JSONDict], control: Arm, treatment: Arm, effect: float) -> JSONDict:
    """What holds at every look, read at each point of the course."""
    looks = [
        (Arm(p["controlUsers"], p["controlConverted"]), Arm(p["treatmentUsers"], p["treatmentConverted"]))
        for p in points
    ]
    decision = sequential.decide(looks, effect)
    return {
        "lift": _estimate(sequential.always_valid_lift(control, treatment, effect)),
        "verdict": decision.verdict,
        "pValue": decision.p_value,
        "since": None if decision.look is None else points[decision.look]["end"],
    }


def _adjusted(row: Experiment, until: int) -> JSONDict | None:
    sums = outcomes.activity(row, until=until, actions=of_actions(row))
    found = adjusted_lift(sums[False], sums[True]) if len(sums) == len(("control", "treatment")) else None
    if found is None:
        return None
    return {
        "lift": _estimate(found.lift), "correlation": found.correlation, "varianceLeft": found.variance_left,
        "days": outcomes.BEFORE_DAYS,
    }  # fmt: skip


def _guardrail(row: Experiment, until: int, event_type: str, allowed: float) -> JSONDict:
    cells = outcomes.count(row, until=until, actions=of_actions(row), types=[event_type])
    control, treatment = (_arm(cell for cell in cells if cell.is_treatment is side) for side in (False, True))
    found = sequential.harm(control, treatment, allowed)
    verdict = "OPEN"
    if found is not None and found.high is not None and found.high < -allowed:
        verdict = "BROKEN"
    elif found is not None and found.low > -allowed:
        verdict = "KEPT"
    return {"eventType": event_type, "allowedDrop": allowed, "lift": _estimate(found), "verdict": verdict}


def _verdict(split: JSONDict, sample: JSONDict, found: LiftEstimate | None, always: JSONDict) -> str:
    """What may be said: nothing where the split is off; gain and harm as soon as they hold at every look."""
    if split["isMismatch"]:
        return "NOT_VALID"
    if always["verdict"] in {"BETTER", "WORSE"}:
        return str(always["verdict"])
    if always["verdict"] == "FUTILE":
        return "NO_DIFFERENCE"
    if found is None or sample["usersMissing"] is None or sample["usersMissing"] > 0 or found.is_significant:
        return "TOO_EARLY"  # with a p-value below 0.05 at one look only, more users will tell
    return "NO_DIFFERENCE"


def _points(cells: list[Cell], until: int, period: int, effect: float) -> list[JSONDict]:
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
        points.append(_point(arms[0], arms[1], effect) | {"start": start, "end": min(start + period, until)})
    return points


def _point(control: Arm, treatment: Arm, effect: float) -> JSONDict:
    found, always = statistics.lift(control, treatment), sequential.always_valid_lift(control, treatment, effect)
    return {
        "alwaysLow": always.low if always else None, "alwaysHigh": always.high if always else None,
        "lift": found.value if found else None, "low": found.low if found else None, "high": found.high if found else None,
        "controlUsers": control.users, "controlConverted": control.converted,
        "treatmentUsers": treatment.users, "treatmentConverted": treatment.converted,
    }  # fmt: skip

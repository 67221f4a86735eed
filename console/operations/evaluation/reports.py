"""How trainings stand and went, and which version is better: our own operations beside GetSolutionMetrics."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from itertools import accumulate

from cachetools import LRUCache
from django.utils import timezone

from console import arns, jobs
from console.errors import InvalidInputException, ResourceInUseException, ResourceNotFoundException
from console.models import JOBS, Account, Job, Recommender, SolutionVersion, Status
from console.models.base import ENDED_BADLY
from console.operations.base import operation
from console.operations.evaluation.evaluated import evaluated
from console.operations.evaluation.metric_words import words
from console.operations.training.solution_versions import version_named
from console.shapes import JSONDict
from recipes.evaluation.evaluate import Evaluation, is_aws_metric
from recipes.evaluation.importance import importances
from recipes.evaluation.metrics import less_is_better
from recipes.evaluation.shown import Shown
from recipes.evaluation.significance import Comparison, comparable, compare

BASELINES = {"random": "random", "popularity": "popularity", "bestPossible": "best possible"}
KEPT_PAIRS = 256  # of versions whose differences are not computed again
_DIFFERENCES: LRUCache[tuple[str, str], dict[str, Comparison]] = LRUCache(KEPT_PAIRS)
_lock = threading.Lock()


@operation
def get_solution_version_report(account: Account, *, solution_version_arn: str) -> JSONDict:
    """Progress while a training runs, and all that came of it once it has ended."""
    row = _trained(account, solution_version_arn)
    progress, report = row.progress, row.report
    epochs = _numbered(progress.get("epochs", []))
    return {
        "solutionVersionArn": row.arn, "status": row.status, "stage": progress.get("stage"),
        "fraction": 1.0 if row.status == Status.ACTIVE else progress.get("fraction"),
        "epochs": epochs, "bestEpoch": _best_epoch(epochs), "log": progress.get("log", []),
        "elapsedSeconds": row.seconds, "estimatedSecondsLeft": row.seconds_left,
        "failureReason": row.failure_reason, "traceback": row.traceback or None, "attempts": row.attempts,
        "metrics": _metrics(report), "counts": report.get("counts"), "protocol": report.get("protocol"),
        "fingerprint": report.get("fingerprint"), "numQueries": report.get("num_queries"),
        "hyperparameters": _texts(getattr(row, "hyperparameters", None)),
        "tuned": _texts(getattr(row, "tuned", None)),
        "trials": report.get("trials"), "objective": report.get("objective"),
        "importances": _importances(report.get("trials") or []),
        "seconds": report.get("seconds"), "notes": report.get("notes"),
    }  # fmt: skip


@operation
def compare_solution_versions(
    account: Account,
    *,
    solution_version_arns: list[str],
    baseline_arn: str | None = None,
    shared_evaluation_arn: str | None = None,
) -> JSONDict:
    """Metric by metric, each version against the baseline, paired over the same queries."""
    entries = evaluated(account, solution_version_arns, shared_evaluation_arn)
    if len(entries) < 2:
        raise InvalidInputException("Give two different versions or more.", field="solutionVersionArns")
    rows = [entry.version for entry in entries]
    baseline = version_named(account, baseline_arn, field="baselineArn") if baseline_arn else rows[0]
    if baseline.arn not in [row.arn for row in rows]:
        raise InvalidInputException(f"{baseline.arn} is not among the versions compared.", field="baselineArn")
    evaluations = {entry.arn: replace(entry.evaluation(), shown=Shown.load(entry.folder)) for entry in entries}
    first = evaluations[baseline.arn]
    return {
        "baselineArn": baseline.arn, "fingerprint": first.fingerprint, "numQueries": first.num_queries,
        "versions": [_version(row) for row in rows],
        "metrics": _compared(baseline.arn, evaluations, {entry.arn: str(entry.folder) for entry in entries}),
        "parameters": _parameters(rows),
    }  # fmt: skip


@operation
def retry_job(account: Account, *, resource_arn: str) -> JSONDict:
    """Queue a failed or stopped job again."""
    row = _job(account, resource_arn)
    again = type(row).objects.filter(pk=row.pk, status__in=ENDED_BADLY)
    fields: JSONDict = {
        "status": row.waiting,
        "failure_reason": None,
        "traceback": "",
        "attempts": 0,
        "progress": {},
        "claim": "",
    }
    if not again.update(**fields, started=None, finished=None, updated=timezone.now()):
        raise ResourceInUseException(f"The job is {row.status}; only a failed or stopped one can be tried again.")
    jobs.enqueue(row)
    return {"resourceArn": row.arn}


def _trained(account: Account, arn: str) -> SolutionVersion | Recommender:
    if ":recommender/" in arn:
        found: Recommender = Recommender.objects.by_arn(account, arn, field="solutionVersionArn")
        return found
    return version_named(account, arn)


def _job(account: Account, arn: str) -> Job:
    parsed = arns.parse(arn, field="resourceArn")
    for model in JOBS.values():
        if model.arn_type == parsed.type:
            row: Job = model.objects.by_arn(account, arn, field="resourceArn")
            return row
    raise ResourceNotFoundException(f"{arn} names no job.", field="resourceArn")


def _numbered(epochs: list[JSONDict]) -> list[JSONDict]:
    """Epochs numbered through all rounds of a training, each of which counts its own from 1 and takes up what was learned.

    >>> _numbered([{"epoch": 1}, {"epoch": 2}, {"epoch": 1}])
    [{'epoch': 1, 'round': 1}, {'epoch': 2, 'round': 1}, {'epoch': 3, 'round': 2}]
    """
    rounds = accumulate(
        int(place == 0 or one["epoch"] <= epochs[place - 1]["epoch"]) for place, one in enumerate(epochs)
    )
    return [one | {"epoch": n, "round": at} for n, (one, at) in enumerate(zip(epochs, rounds, strict=True), 1)]


def _best_epoch(epochs: list[dict[str, float]]) -> int | None:
    """The epoch with the highest validation metric."""
    watched = [name for epoch in epochs for name in epoch if name.startswith("validation")]
    if not watched:
        return None
    best = max(epochs, key=lambda epoch: epoch.get(watched[0], float("-inf")))
    return int(best["epoch"])


def _metrics(report: JSONDict) -> list[JSONDict]:
    intervals, baselines = report.get("intervals", {}), report.get("baselines", {})
    found = []
    for name, value in report.get("figures", {}).items():
        if value is None:
            continue
        low, high = intervals.get(name, (None, None))
        beside = {wire: baselines.get(key, {}).get(name) for wire, key in BASELINES.items()}
        found.append(_worded(name) | {"value": value, "low": low, "high": high} | beside)
    return sorted(found, key=lambda metric: not metric["isAws"])


def _worded(name: str) -> JSONDict:
    text = words(name)
    return {
        "name": name, "title": text.title, "meaning": text.meaning, "formula": text.formula, "isAws": is_aws_metric(name),
        "lessIsBetter": less_is_better(name),
    }  # fmt: skip


def _texts(values: JSONDict | None) -> dict[str, str] | None:
    return None if values is None else {name: _text(value) for name, value in values.items()}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _compared(baseline_arn: str, evaluations: dict[str, Evaluation], folders: dict[str, str]) -> list[JSONDict]:
    first = evaluations[baseline_arn]
    differences = {
        arn: _kept_differences((folders[baseline_arn], folders[arn]), first, other)
        for arn, other in evaluations.items()
        if arn != baseline_arn
    }
    names = [name for name in first.figures if all(name in other.figures for other in evaluations.values())]
    found = []
    for name in sorted(names, key=lambda name: not is_aws_metric(name)):
        beside = {wire: first.baselines.get(key, {}).get(name) for wire, key in BASELINES.items()}
        values = [
            _value(arn, name, evaluation, arn == baseline_arn, differences.get(arn, {}).get(name))
            for arn, evaluation in evaluations.items()
        ]
        found.append(_worded(name) | beside | {"values": values})
    return found


def _kept_differences(folders: tuple[str, str], first: Evaluation, second: Evaluation) -> dict[str, Comparison]:
    """The differences of a pair, computed once: what a folder holds is never written again."""
    with _lock:
        found = _DIFFERENCES.get(folders)
    if found is None:
        found = _differences(first, second)
        with _lock:
            _DIFFERENCES[folders] = found
    return found


def _differences(first: Evaluation, second: Evaluation) -> dict[str, Comparison]:
    """AWS's metrics held together by Holm's correction, and the others among themselves."""
    common = comparable(first, second)
    families = [[n for n in common if is_aws_metric(n)], [n for n in common if not is_aws_metric(n)]]
    return {found.metric: found for family in families if family for found in compare(first, second, family)}


def _value(arn: str, name: str, evaluation: Evaluation, is_baseline: bool, found: Comparison | None) -> JSONDict:
    low, high = evaluation.intervals.get(name, (None, None))
    value = {
        "solutionVersionArn": arn, "value": evaluation.figures[name], "low": low, "high": high, "isBaseline": is_baseline,
    }  # fmt: skip
    if found is None:
        return value
    return value | {
        "difference": found.difference, "differenceLow": found.low, "differenceHigh": found.high, "p": found.adjusted,
        "verdict": found.verdict,
    }  # fmt: skip


def _version(row: SolutionVersion) -> JSONDict:
    return {
        "solutionVersionArn": row.arn, "name": row.name or row.arn_name, "recipe": row.recipe,
        "trainingSeconds": row.seconds, "created": int(row.created.timestamp()),
    }  # fmt: skip


def _parameters(rows: list[SolutionVersion]) -> list[JSONDict]:
    tables = [_flat(row) for row in rows]
    names = dict.fromkeys(name for table in tables for name in table)
    found = [{"name": name, "values": [table.get(name, "") for table in tables]} for name in names]
    return [entry | {"differs": len(set(entry["values"])) > 1} for entry in found]


def _flat(row: SolutionVersion) -> dict[str, str]:
    solution = row.solution
    config = {name: value for name, value in solution.config.items() if not name.endswith("Parameters")}
    settings = {"recipe": row.recipe, "trainingMode": row.training_mode, "performHPO": solution.perform_hpo,
            "eventType": solution.event_type}  # fmt: skip
    return {
        name: _text(value) for name, value in (settings | row.hyperparameters | config).items() if value is not None
    }


def _importances(trials: list[JSONDict]) -> list[JSONDict]:
    """How much each setting explains of the spread between the trials that finished."""
    finished = [trial for trial in trials if trial.get("value") is not None]
    found = importances([trial["parameters"] for trial in finished], [trial["value"] for trial in finished])
    return [{"name": one.name, "share": one.share, "pValue": one.p_value} for one in found]

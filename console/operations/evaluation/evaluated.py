"""Which evaluation of a version is meant: its own, or one of a test that several were put to together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from console import storage
from console.errors import InvalidInputException, ResourceInUseException
from console.models import Account, SharedEvaluation, SolutionVersion, Status
from console.operations.evaluation.shared_evaluations import shared_named
from console.operations.training.solution_versions import version_named
from recipes.evaluation.evaluate import Evaluation
from recipes.evaluation.shown import Shown


@dataclass(frozen=True)
class EvaluatedVersion:
    """A version with one of its evaluations."""

    version: SolutionVersion
    key: str

    @property
    def arn(self) -> str:
        """The version's ARN."""
        return self.version.arn

    @cached_property
    def folder(self) -> Path:
        """Where the evaluation lies."""
        return storage.local_folder(self.key)

    def evaluation(self) -> Evaluation:
        """Its figures and per-query values."""
        return Evaluation.load(self.folder)

    @cached_property
    def shown(self) -> Shown:
        """Its lists.

        Raises:
            ResourceInUseException: it was evaluated before lists were kept, or makes none.
        """
        found = Shown.load(self.folder)
        if found is None:
            raise ResourceInUseException(
                f"No lists are kept of the test of {self.version.arn_name}; train it again, or evaluate it on a shared set, to see "
                "them.", field="solutionVersionArns",
            )  # fmt: skip
        return found


def evaluated(
    account: Account, arns: list[str], shared_arn: str | None, *, field: str = "solutionVersionArns"
) -> list[EvaluatedVersion]:
    """The versions with the evaluations to compare: of the same test, whichever it is.

    Raises:
        InvalidInputException: they were evaluated on different tests.
        ResourceInUseException: one of them has not been evaluated.
    """
    if shared_arn:
        return _of_shared(shared_named(account, shared_arn), arns)
    rows = [_own(account, arn, field) for arn in dict.fromkeys(arns)]
    for one, other in pairwise(rows):
        _same_test(one.version, other.version)
    return rows


def _own(account: Account, arn: str, field: str) -> EvaluatedVersion:
    row = version_named(account, arn, field=field)
    if row.status != Status.ACTIVE or not row.evaluation:
        raise ResourceInUseException(
            f"{arn} is {row.status} and has no evaluation; compare ACTIVE versions.", field=field
        )
    return EvaluatedVersion(row, row.evaluation)


def _of_shared(shared: SharedEvaluation, arns: list[str]) -> list[EvaluatedVersion]:
    if shared.status != Status.ACTIVE:
        raise ResourceInUseException(
            f"The shared evaluation is {shared.status}; its results are there once it is ACTIVE.",
            field="sharedEvaluationArn",
        )
    results = shared.results.select_related(
        "solution_version__account", "solution_version__solution__dataset_group__account"
    )
    found = {result.solution_version.arn: result for result in results}
    if missing := [arn for arn in arns if arn not in found]:
        raise InvalidInputException(
            f"{missing[0]} is not in the shared evaluation {shared.name}; in it are {', '.join(found)}.",
            field="solutionVersionArns",
        )
    return [EvaluatedVersion(found[arn].solution_version, found[arn].evaluation) for arn in dict.fromkeys(arns)]


def _same_test(one: SolutionVersion, other: SolutionVersion) -> None:
    """Refuse versions evaluated on different tests, and say what differs."""
    if one.report.get("fingerprint") == other.report.get("fingerprint"):
        return
    counts = [row.report.get("counts", {}) for row in (one, other)]
    differing = [
        f"{name.replace('_', ' ')} {counts[0].get(name, 0):,} against {counts[1].get(name, 0):,}"
        for name in counts[0]
        if counts[0].get(name) != counts[1].get(name)
    ]
    protocols = [row.report.get("protocol") for row in (one, other)]
    if protocols[0] != protocols[1]:
        differing.append(f"test {protocols[0]} against {protocols[1]}")
    if one.solution.dataset_group_id != other.solution.dataset_group_id:
        differing.append("the dataset groups")
    what = ", ".join(differing) or "the events themselves, in equal number"
    raise InvalidInputException(
        f"{one.arn_name} and {other.arn_name} were evaluated on different data ({what}); evaluate them together on a shared set "
        "(CreateSharedEvaluation), or train both on the same data to compare them.", field="solutionVersionArns"
    )  # fmt: skip

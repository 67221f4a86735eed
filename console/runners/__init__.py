"""What each kind of job does; imported on first use, so that a worker waits without torch."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from console.jobs import Claim


def _late(module: str) -> Callable[[Claim], None]:
    def run(held: Claim) -> None:
        import_module(f"console.runners.{module}").run(held)

    return run


RUNNERS: dict[str, Callable[[Claim], None]] = {
    "DatasetImportJob": _late("importing"),
    "DatasetExportJob": _late("exporting"),
    "DataDeletionJob": _late("deleting"),
    "DataInsightsJob": _late("insights"),
    "SolutionVersion": _late("training"),
    "Recommender": _late("training_recommender"),
    "BatchInferenceJob": _late("batch"),
    "BatchSegmentJob": _late("segments"),
    "SharedEvaluation": _late("shared_evaluation"),
}

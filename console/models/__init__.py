"""All rows. Constraints hold what must never be otherwise; rules that need more than one row stand in operations/."""

from __future__ import annotations

from console.models.alerts import Alert, AlertMessage
from console.models.audit import AuditEntry
from console.models.base import Account, Job, Resource, Status
from console.models.data import (
    DataDeletionJob,
    DataInsightsJob,
    Dataset,
    DatasetExportJob,
    DatasetGroup,
    DatasetImportJob,
    Event,
    EventTracker,
    Record,
    Schema,
    SeenList,
)
from console.models.experiments import Experiment, ExperimentUser, InterleavedList
from console.models.identities import Identity
from console.models.passkeys import Passkey
from console.models.people import AccessKey, Holding, Invitation, Member, SignIn, Token, TwoStep
from console.models.samples import SampleLoad
from console.models.serving import (
    AttributedSum,
    AttributionReport,
    BatchInferenceJob,
    BatchSegmentJob,
    Campaign,
    Filter,
    MetricAttribution,
)
from console.models.shared_evaluations import SharedEvaluation, SharedResult
from console.models.training import Recommender, Solution, SolutionVersion
from console.models.trash import Trash

RESOURCES: dict[str, type[Resource]] = {
    model.arn_type: model
    for model in (
        DatasetGroup, Schema, Dataset, DatasetImportJob, DatasetExportJob, DataDeletionJob, EventTracker, Filter, Campaign,
        Recommender, BatchInferenceJob, BatchSegmentJob, MetricAttribution, Solution,
        Experiment,
    )
}  # fmt: skip
JOBS: dict[str, type[Job]] = {
    model.__name__: model
    for model in (
        DatasetImportJob, DatasetExportJob, DataDeletionJob, SolutionVersion, Recommender, BatchInferenceJob, BatchSegmentJob,
        SampleLoad, SharedEvaluation, DataInsightsJob,
    )
}  # fmt: skip

__all__ = [
    "JOBS",
    "RESOURCES",
    "AccessKey",
    "Account",
    "Alert",
    "AlertMessage",
    "AttributedSum",
    "AttributionReport",
    "AuditEntry",
    "BatchInferenceJob",
    "BatchSegmentJob",
    "Campaign",
    "DataDeletionJob",
    "DataInsightsJob",
    "Dataset",
    "DatasetExportJob",
    "DatasetGroup",
    "DatasetImportJob",
    "Event",
    "EventTracker",
    "Experiment",
    "ExperimentUser",
    "Filter",
    "Holding",
    "Identity",
    "InterleavedList",
    "Invitation",
    "Job",
    "Member",
    "MetricAttribution",
    "Passkey",
    "Recommender",
    "Record",
    "Resource",
    "SampleLoad",
    "Schema",
    "SeenList",
    "SharedEvaluation",
    "SharedResult",
    "SignIn",
    "Solution",
    "SolutionVersion",
    "Status",
    "Token",
    "Trash",
    "TwoStep",
]  # fmt: skip

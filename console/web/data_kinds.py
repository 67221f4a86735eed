"""The kinds of resources about data and serving data: everything but solutions, versions, campaigns and recommenders."""

from __future__ import annotations

from django.db.models import Count
from django.utils.translation import gettext_noop

from console.models import (
    BatchInferenceJob,
    BatchSegmentJob,
    DataDeletionJob,
    DataInsightsJob,
    Dataset,
    DatasetExportJob,
    DatasetGroup,
    DatasetImportJob,
    EventTracker,
    Filter,
    MetricAttribution,
    SampleLoad,
    Schema,
)
from console.web.kinds import CREATED, NAME, STATUS, Column, Kind, register
from console.web.languages import lazily

DOMAINS = {"ECOMMERCE": "E-commerce", "VIDEO_ON_DEMAND": lazily("Video on demand"), None: lazily("Custom")}
DATASET_TYPES = {
    "INTERACTIONS": lazily("Interactions"),
    "ITEMS": lazily("Items"),
    "USERS": lazily("Users"),
    "ACTIONS": lazily("Actions"),
    "ACTION_INTERACTIONS": lazily("Action interactions"),
}
MODES = {"FULL": lazily("Replace"), "INCREMENTAL": lazily("Add")}
GROUP = Column(gettext_noop("Dataset group"), "dataset_group", "resource", "dataset_group__name")
DATASET = Column(gettext_noop("Dataset"), "dataset", "resource", "dataset__name")

GROUPS = register(
    Kind(
        DatasetGroup, "dataset-groups", "dataset group", "datasetGroupArn", "collection",
        gettext_noop("A dataset group holds what is trained together: the interactions, items and users of one application."),
        columns=(
            NAME,
            Column(gettext_noop("Domain"), lambda row: DOMAINS[row.domain], sort="domain"),
            Column(gettext_noop("Datasets"), "dataset_count", "number", "dataset_count"),
            Column(gettext_noop("Solutions"), "solution_count", "number", "solution_count"),
            STATUS,
            CREATED,
        ),
        group_path="",
        create_url="dataset-groups-create",
        asks_name=True,
        annotate={
            "dataset_count": Count("datasets", distinct=True),
            "solution_count": Count("solutions", distinct=True),
        },
        list_template="data/dataset_groups/list.html",
    )
)  # fmt: skip
SCHEMAS = register(
    Kind(
        Schema, "schemas", "schema", "schemaArn", "braces",
        gettext_noop("A schema says which columns a dataset has and of which types. Uploading a file creates one for you."),
        columns=(
            NAME,
            Column(gettext_noop("Domain"), lambda row: DOMAINS[row.domain], sort="domain"),
            Column(gettext_noop("Datasets"), "dataset_count", "number", "dataset_count"),
            CREATED,
        ),
        group_path="",
        create_url="schemas-create",
        annotate={"dataset_count": Count("datasets")},
    )
)  # fmt: skip
DATASETS = register(
    Kind(
        Dataset, "datasets", "dataset", "datasetArn", "table",
        gettext_noop("Datasets hold who did what (interactions), what there is (items) and who is there (users)."),
        columns=(
            NAME, Column(gettext_noop("Type"), lambda row: DATASET_TYPES[row.type], sort="type"), GROUP, Column(gettext_noop("Rows"), "rows", "number"),
            Column(gettext_noop("Schema"), "schema", "resource", "schema__name"), STATUS, CREATED,
        ),
        related=("dataset_group__account", "schema__account"),
        asks_name=True,
        pattern="<path:name>",
        create_url="datasets-upload",
    )
)  # fmt: skip
IMPORT_JOBS = register(
    Kind(
        DatasetImportJob, "dataset-import-jobs", "dataset import job", "datasetImportJobArn", "box-arrow-in-down",
        gettext_noop("An import job brings the rows of CSV files into a dataset and reports those it could not read."),
        columns=(
            NAME, DATASET, Column(gettext_noop("Mode"), lambda row: MODES[row.import_mode], sort="import_mode"),
            Column(gettext_noop("Rows"), lambda row: row.imported_rows, "number"),
            Column(gettext_noop("Bad rows"), lambda row: row.report.get("rejected"), "number"), STATUS, CREATED,
        ),
        group_path="dataset__dataset_group",
        related=("dataset__account", "dataset__dataset_group__account"),
        deletable=False,
        create_url="datasets-upload",
    )
)  # fmt: skip
EXPORT_JOBS = register(
    Kind(
        DatasetExportJob, "dataset-export-jobs", "dataset export job", "datasetExportJobArn", "box-arrow-up",
        gettext_noop("An export job writes a dataset's rows as CSV files to a location."),
        columns=(NAME, DATASET, Column(gettext_noop("Rows to export"), "ingestion_mode"), STATUS, CREATED),
        group_path="dataset__dataset_group",
        related=("dataset__account", "dataset__dataset_group__account"),
        deletable=False,
        create_url="dataset-export-jobs-create",
    )
)  # fmt: skip
DELETION_JOBS = register(
    Kind(
        DataDeletionJob, "data-deletion-jobs", "data deletion job", "dataDeletionJobArn", "eraser",
        gettext_noop("A deletion job removes users everywhere: imported rows, live events, and histories inside served models."),
        columns=(NAME, GROUP, Column(gettext_noop("Users deleted"), "num_deleted", "number"), STATUS, CREATED),
        related=("dataset_group__account",),
        deletable=False,
        create_url="data-deletion-jobs-create",
    )
)  # fmt: skip
INSIGHTS_JOBS = register(
    Kind(
        DataInsightsJob, "data-insights-jobs", "data insights job", "dataInsightsJobArn", "clipboard-data",
        gettext_noop("An analysis looks at every row of a group's data and tells what may harm recommendations."),
        columns=(
            NAME, GROUP, Column(gettext_noop("Findings"), lambda row: len(row.report["insights"]) if row.report else None, "number"),
            STATUS, CREATED,
        ),
        related=("dataset_group__account",),
        deletable=False,
    )
)  # fmt: skip
TRACKERS = register(
    Kind(
        EventTracker, "event-trackers", "event tracker", "eventTrackerArn", "lightning",
        gettext_noop("An event tracker takes what your users do right now, so that recommendations follow within a second."),
        columns=(NAME, GROUP, Column(gettext_noop("Tracking ID"), "tracking_id", "code"), STATUS, CREATED),
        related=("dataset_group__account",),
        create_url="event-trackers-create",
        asks_name=True,
    )
)  # fmt: skip
FILTERS = register(
    Kind(
        Filter, "filters", "filter", "filterArn", "funnel",
        gettext_noop("A filter keeps items out of recommendations, or lets only some in: what was bought already, one genre, one price range."),
        columns=(NAME, GROUP, Column(gettext_noop("Expression"), "expression", "code"), STATUS, CREATED),
        related=("dataset_group__account",),
        create_url="filters-create",
        search=("name", "expression"),
    )
)  # fmt: skip
BATCH_JOBS = register(
    Kind(
        BatchInferenceJob, "batch-inference-jobs", "batch inference job", "batchInferenceJobArn", "stack",
        gettext_noop("A batch inference job writes recommendations for many users or items at once, as JSON Lines."),
        columns=(
            NAME, Column(gettext_noop("Solution"), "solution_version.solution", "resource", "solution_version__solution__name"),
            Column(gettext_noop("Results each"), "num_results", "number", "num_results"), STATUS, CREATED,
        ),
        group_path="solution_version__solution__dataset_group",
        related=("solution_version__solution__account", "solution_version__solution__dataset_group__account"),
        deletable=False,
        create_url="batch-inference-jobs-create",
    )
)  # fmt: skip
SEGMENT_JOBS = register(
    Kind(
        BatchSegmentJob, "batch-segment-jobs", "batch segment job", "batchSegmentJobArn", "people",
        gettext_noop("A batch segment job finds the users with the greatest affinity to items or to attributes of items."),
        columns=(
            NAME, Column(gettext_noop("Solution"), "solution_version.solution", "resource", "solution_version__solution__name"),
            Column(gettext_noop("Users each"), "num_results", "number", "num_results"), STATUS, CREATED,
        ),
        group_path="solution_version__solution__dataset_group",
        related=("solution_version__solution__account", "solution_version__solution__dataset_group__account"),
        deletable=False,
        create_url="batch-segment-jobs-create",
    )
)  # fmt: skip
ATTRIBUTIONS = register(
    Kind(
        MetricAttribution, "metric-attributions", "metric attribution", "metricAttributionArn", "graph-up",
        gettext_noop("A metric attribution adds up what recommendations led to, by their source: clicks, purchases, revenue."),
        columns=(NAME, GROUP, Column(gettext_noop("Metrics"), lambda row: len(row.metrics), "number"), STATUS, CREATED),
        related=("dataset_group__account",),
        create_url="metric-attributions-create",
        asks_name=True,
    )
)  # fmt: skip
SAMPLE_LOADS = register(
    Kind(
        SampleLoad, "samples", "sample", "sampleArn", "box",
        gettext_noop("A sample is a data set to try the console with, trained and served."),
        related=("dataset_group__account",),
        deletable=False,
    )
)  # fmt: skip

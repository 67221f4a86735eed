"""Which path and method calls which operation; one table, from which views and documentation are made.

Collections follow AWS's nouns. A resource is addressed by the last part of its ARN, which has a slash for datasets
(`group/TYPE`) and solution versions (`solution/id`). What OpenPersonalize adds is reached as `operations/NAME/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from console.operations.base import OPERATIONS
from console.shapes import OPERATION_MODELS, OURS, SERVICES


@dataclass(frozen=True)
class Route:
    """One method of one path below /api/v1/.

    Attributes:
        method: in lower case.
        path: in Django's syntax.
        operation: what is called.
        fills: the member that the path gives, if it gives one.
        arn_type: what kind of ARN the path's parts make; "" gives them as they are.
        tag: under which heading it is documented.
    """

    method: str
    path: str
    operation: str
    fills: str = ""
    arn_type: str = ""
    tag: str = ""

    @property
    def operation_id(self) -> str:
        """The operation's name; an operation with two paths has the collection's name in the second's."""
        second = self.operation == "GetRecommendations" and self.fills == "recommenderArn"
        return f"{self.operation}FromRecommender" if second else self.operation

    @property
    def status(self) -> int:
        """What a success answers with."""
        output = OPERATION_MODELS[self.operation].output_shape
        if output is None or not output.members:
            return 204
        return 201 if self.operation.startswith("Create") else 200


@dataclass(frozen=True)
class Collection:
    """A kind of resource: its path, AWS's noun, the kind in its ARN, and how its name stands in a path."""

    path: str
    noun: str
    arn_type: str
    name: str = "<str:name>"

    @property
    def arn_member(self) -> str:
        """The member that holds its ARN."""
        return f"{self.noun[0].lower()}{self.noun[1:]}Arn"

    def routes(self) -> Iterator[Route]:
        """What the service model offers for it."""
        one = f"{self.path}/{self.name}/"
        for method, path, operation, fills in (
            ("get", f"{self.path}/", f"List{self.noun}s", ""),
            ("post", f"{self.path}/", f"Create{self.noun}", ""),
            ("get", one, f"Describe{self.noun}", self.arn_member),
            ("patch", one, f"Update{self.noun}", self.arn_member),
            ("delete", one, f"Delete{self.noun}", self.arn_member),
        ):
            if operation in OPERATION_MODELS:
                yield Route(method, path, operation, fills, self.arn_type if fills else "", self.path)

    def action(self, method: str, word: str, operation: str, fills: str = "") -> Route:
        """Something done with one resource."""
        path = f"{self.path}/{self.name}/{word}/"
        return Route(method, path, operation, fills or self.arn_member, self.arn_type, self.path)


DATASETS = Collection("datasets", "Dataset", "dataset", "<str:group>/<str:type>")
VERSIONS = Collection("solution-versions", "SolutionVersion", "solution", "<str:solution>/<str:version>")
CAMPAIGNS = Collection("campaigns", "Campaign", "campaign")
RECOMMENDERS = Collection("recommenders", "Recommender", "recommender")
ATTRIBUTIONS = Collection("metric-attributions", "MetricAttribution", "metric-attribution")
COLLECTIONS = (
    Collection("dataset-groups", "DatasetGroup", "dataset-group"),
    Collection("schemas", "Schema", "schema"),
    DATASETS,
    Collection("dataset-import-jobs", "DatasetImportJob", "dataset-import-job"),
    Collection("dataset-export-jobs", "DatasetExportJob", "dataset-export-job"),
    Collection("data-deletion-jobs", "DataDeletionJob", "data-deletion-job"),
    Collection("solutions", "Solution", "solution"),
    VERSIONS,
    CAMPAIGNS,
    RECOMMENDERS,
    Collection("filters", "Filter", "filter"),
    Collection("event-trackers", "EventTracker", "event-tracker"),
    Collection("batch-inference-jobs", "BatchInferenceJob", "batch-inference-job"),
    Collection("batch-segment-jobs", "BatchSegmentJob", "batch-segment-job"),
    ATTRIBUTIONS,
    Collection("recipes", "Recipe", "recipe"),
    Collection("algorithms", "Algorithm", "algorithm"),
    Collection("feature-transformations", "FeatureTransformation", "feature-transformation"),
)
ACTIONS = (
    VERSIONS.action("get", "metrics", "GetSolutionMetrics"),
    VERSIONS.action("post", "stop", "StopSolutionVersionCreation"),
    RECOMMENDERS.action("post", "start", "StartRecommender"),
    RECOMMENDERS.action("post", "stop", "StopRecommender"),
    RECOMMENDERS.action("post", "recommendations", "GetRecommendations"),
    CAMPAIGNS.action("post", "recommendations", "GetRecommendations"),
    CAMPAIGNS.action("post", "ranking", "GetPersonalizedRanking"),
    CAMPAIGNS.action("post", "action-recommendations", "GetActionRecommendations"),
    ATTRIBUTIONS.action("get", "metrics", "ListMetricAttributionMetrics"),
    DATASETS.action("post", "items", "PutItems"),
    DATASETS.action("post", "users", "PutUsers"),
    DATASETS.action("post", "actions", "PutActions"),
    Route("post", "event-trackers/<str:tracking_id>/events/", "PutEvents", "trackingId", tag="event-trackers"),
    Route("post", "action-interactions/", "PutActionInteractions", tag="datasets"),
    Route("get", "tags/", "ListTagsForResource", tag="tags"),
    Route("post", "tags/", "TagResource", tag="tags"),
    Route("delete", "tags/", "UntagResource", tag="tags"),
)


def routes() -> list[Route]:
    """Every route whose operation is there."""
    found = [route for collection in COLLECTIONS for route in collection.routes()]
    ours = [Route("post", f"operations/{name}/", name, tag="operations") for name in SERVICES[OURS].operation_names]
    return [route for route in (*found, *ACTIONS, *ours) if route.operation in OPERATIONS]

"""What tests build their states from: files, datasets, trained versions, campaigns, batch jobs and events, by operations."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from console import operations as _registered  # noqa: F401  fills OPERATIONS
from console import storage
from console.errors import ResourceAlreadyExistsException
from console.ingest import parts
from console.models import BatchInferenceJob, Dataset, Solution, SolutionVersion
from console.operations.base import OPERATIONS
from console.samples.plan import Field as SampleField
from console.samples.plan import Sample, SampleCampaign, SampleDataset
from console.scratch import scratch_folder
from tests.worlds import DAY, FIELDS, NOW

RECIPE = "arn:aws:personalize:::recipe/"
ROLE = "arn:aws:iam::000000000001:role/Personalize"
INTERACTIONS = [("USER_ID", "string"), ("ITEM_ID", "string"), ("EVENT_TYPE", "string"), ("TIMESTAMP", "long")]
ITEMS = [("ITEM_ID", "string"), ("YEAR", "int"), ("GENRE", ["null", "string"], {"categorical": True})]


def call(operation: str, account, **params) -> dict[str, Any]:
    """Run an operation by its AWS name with Python's names of parameters."""
    return OPERATIONS[operation](account, **params)


def schema_text(name: str, fields: Iterable[Sequence[Any]]) -> str:
    """An Avro schema of fields, each of which is a name, a type and perhaps further keys."""
    entries = [{"name": f[0], "type": f[1], **(f[2] if len(f) > 2 else {})} for f in fields]
    return json.dumps({"type": "record", "name": name, "namespace": "com.amazonaws.personalize.schema",
                       "fields": entries, "version": "1.0"})  # fmt: skip


def make_dataset(account, kind="Interactions", fields=INTERACTIONS, group="films") -> str:
    """A dataset of a group that is made if need be; returns its ARN."""
    try:
        group_arn = call("CreateDatasetGroup", account, name=group)["datasetGroupArn"]
    except ResourceAlreadyExistsException:
        group_arn = f"arn:aws:personalize:us-east-1:{account.number}:dataset-group/{group}"
    schema = call("CreateSchema", account, name=f"{group}-{kind}", schema=schema_text(kind, fields))["schemaArn"]
    return call(
        "CreateDataset", account, name=kind, schema_arn=schema, dataset_group_arn=group_arn, dataset_type=kind
    )["datasetArn"]  # fmt: skip


def put_object(key: str, text: str | bytes, bucket: str = "data") -> str:
    """An object with `text`; returns its location."""
    location = storage.Location(bucket, key)
    with storage.open_write(location) as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return str(location)


def events_csv(number: int, first: int = 0) -> str:
    """CSV of `number` interactions."""
    rows = [f"u{i % 7},i{i % 11},click,{1_700_000_000 + i}" for i in range(first, first + number)]
    return "\n".join(["USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP", *rows]) + "\n"


def rows_of(arn: str, account) -> list[dict[str, Any]]:
    """All bulk rows of a dataset, in order."""
    dataset = Dataset.objects.by_arn(account, arn)
    return [row for key in dataset.parts for row in pq.read_table(parts.local_path(key)).to_pylist()]


def more_events(group, *, days: float, users: int = 60, each: int = 4) -> None:
    """Every user of `worlds.films` goes on in their genre, `days` after everything so far."""
    rng = random.Random(11)
    rows = [
        (f"u{user}", f"i{4 * rng.randrange(18) + user % 4}", int(NOW + days * DAY + user * 60 + step), "click", 1.0)
        for user in range(users)
        for step in range(each)
    ]
    names = [name for name, _, _ in FIELDS["INTERACTIONS"]]
    table = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    dataset = group.datasets.get(type="INTERACTIONS")
    key = f"parts/more-{group.name}-{days}"
    with scratch_folder() as scratch:
        folder = Path(scratch) / "part"
        folder.mkdir()
        pq.write_table(table, folder / "part-0.parquet")
        storage.publish_folder(folder, key)
    dataset.parts, dataset.revision = [*dataset.parts, f"{key}/part-0.parquet"], dataset.revision + 1
    dataset.save()


def put_events(account, tracking_id, *events, user_id="bob", session_id="s", **more) -> None:
    """Stream events of one user; without `events` one click on item 7 with what `more` says."""
    defaults = {"eventType": "click", "sentAt": 1_700_000_000}
    call(
        "PutEvents", account, tracking_id=tracking_id, session_id=session_id, user_id=user_id,
        event_list=[defaults | event for event in (events or ({"itemId": "7"} | more,))],
    )  # fmt: skip


def trained(account, run_jobs, group, recipe, name=None, **params) -> str:
    """The ARN of a version of a new solution, trained to its end."""
    name = name or recipe.removeprefix("aws-")
    if recipe == "aws-user-personalization":  # closed forms only: what is tested here is not the network
        params.setdefault("solution_config", {"algorithmHyperParameters": {"mode": "fast"}})
    solution = call(
        "CreateSolution", account, name=name, dataset_group_arn=group.arn, recipe_arn=RECIPE + recipe, **params
    )
    version = call("CreateSolutionVersion", account, solution_arn=solution["solutionArn"])["solutionVersionArn"]
    run_jobs()
    return version


def make_version(group, recipe: str) -> str:
    """The ARN of a version that is ACTIVE without a model, for what asks no model."""
    solution = Solution.objects.create(
        account=group.account, name=f"{group.name}-{recipe}", dataset_group=group, recipe=recipe
    )
    row = SolutionVersion.objects.create(
        account=group.account, solution=solution, identifier="12345678", recipe=recipe, status="ACTIVE"
    )
    return row.arn


def make_campaign(account, version: str, **config) -> str:
    """The ARN of a campaign on a version, which does not explore."""
    config = {"itemExplorationConfig": {"explorationWeight": "0"}} | config
    return call("CreateCampaign", account, name="c", solution_version_arn=version, campaign_config=config)[
        "campaignArn"
    ]


def split_between(account, run_jobs, group, *recipes) -> tuple[str, str]:
    """A campaign and its experiment on two trained versions."""
    versions = [trained(account, run_jobs, group, recipe) for recipe in recipes]
    campaign = call("CreateCampaign", account, name="c", solution_version_arn=versions[0])["campaignArn"]
    made = call("CreateExperiment", account, name="e", campaign_arn=campaign, treatment_version_arn=versions[1])
    return campaign, made["experimentArn"]


COMEDY = 'INCLUDE ItemID WHERE Items.GENRES IN ("Comedy")'


def make_filter(account, arn: str, expression: str = COMEDY, name: str = "comedy") -> str:
    """The ARN of a filter in the group `arn`."""
    made = call("CreateFilter", account, name=name, dataset_group_arn=arn, filter_expression=expression)
    return made["filterArn"]


def put_lines(name: str, lines: Iterable[Any]) -> str:
    """JSON Lines, of which those that are text stay as they are; returns their location."""
    return put_object(name, "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))


def read_lines(name: str) -> list[Any]:
    """The values of a file of JSON Lines."""
    with storage.open_read(storage.parse_location(f"s3://data/{name}")) as file:
        return [json.loads(line) for line in file]


def start_batch(
    account, version, name, path, operation="CreateBatchInferenceJob", **params
) -> BatchInferenceJob | None:
    """Begin a batch job that reads `path` and writes below `name`/out/; returns the row of an inference job."""
    call(
        operation, account, job_name=name, solution_version_arn=version, role_arn=ROLE,
        job_input={"s3DataSource": {"path": path}}, job_output={"s3DataDestination": {"path": f"s3://data/{name}/out/"}},
        **params,
    )  # fmt: skip
    return BatchInferenceJob.objects.filter(name=name).first()


def run_batch(account, run_jobs, version, lines, name, operation="CreateBatchInferenceJob", **params) -> list[Any]:
    """What a batch job writes for `lines`."""
    start_batch(account, version, name, put_lines(f"{name}/in.json", lines), operation, **params)
    run_jobs()
    return read_lines(f"{name}/out/in.json.out")


def text_of(answer) -> str:
    """The page of an HTTP answer with every run of white space as one space."""
    return " ".join(answer.content.decode().split())


def tiny_sample(quick: str, better: str, fast: Iterable[str] = ()) -> Sample:
    """The streaming demo on 1,500 events: one campaign, with the quick recipe until the better one is trained.

    Solutions in `fast` are fitted by closed forms only.
    """

    def datasets(*_: Any) -> list[SampleDataset]:
        events = range(1500)
        table = pa.table(
            {
                "USER_ID": [f"u{n % 30}" for n in events],
                "ITEM_ID": [f"i{(n * 7 + n // 30) % 40}" for n in events],
                "TIMESTAMP": [NOW + 60 * n for n in events],
            }
        )
        fields = (SampleField("USER_ID"), SampleField("ITEM_ID"), SampleField("TIMESTAMP", "long"))
        return [SampleDataset("Interactions", fields, table)]

    campaigns = (SampleCampaign("shown", "better", until="quick"),)
    return Sample("streaming-demo", datasets, {"quick": quick, "better": better}, campaigns, frozenset(fast))


def create_filter(account, group, name: str, expression: str) -> str:
    """Create a filter; returns its ARN."""
    members = {"name": name, "dataset_group_arn": group.arn, "filter_expression": expression}
    return call("CreateFilter", account, **members)["filterArn"]

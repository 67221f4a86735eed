"""What a data insights job does: looks at all the data of a group and writes down what people should know before training."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

import pyarrow as pa

from console.errors import JobError
from console.ingest import snapshot
from console.jobs import Claim
from console.models import DataInsightsJob, DatasetGroup
from recipes.profiling import profile

ORDER = ("INTERACTIONS", "ITEMS", "USERS", "ACTIONS", "ACTION_INTERACTIONS")


def run(held: Claim) -> None:
    """Look at the group's data, bulk and streamed."""
    job = cast("DataInsightsJob", held.row)
    group = DatasetGroup.objects.get(pk=job.dataset_group_id)
    tables: dict[str, pa.Table] = {}
    kinds = {}
    datasets = sorted(group.datasets.select_related("schema"), key=lambda dataset: ORDER.index(dataset.type))
    for place, dataset in enumerate(datasets):
        held.report(f"reading {dataset.type.lower()}", place / (2 * len(datasets)))
        table = snapshot.dataset_table(group, dataset.type)
        if table is not None and table.num_rows:
            tables[dataset.type], kinds[dataset.type] = table, snapshot.schema_of(dataset).kinds()
    if not tables:
        raise JobError(f"There are no rows in dataset group {group.name} yet; import some first.")
    held.report("looking at rows and columns", 0.5)
    found = profile(tables, kinds)
    report = asdict(found)
    rows = ", ".join(f"{dataset.rows:,} {name.lower()}" for name, dataset in found.datasets.items())
    held.report("writing", 1.0, message=f"{rows}: {len(found.insights)} things to know")
    held.finish(report=report)

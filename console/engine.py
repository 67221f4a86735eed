"""Where the heavy parts of a job are computed, as `ENGINE` says: threads of the worker, or a Ray cluster.

The job itself (claiming, heartbeats, reading, publishing) stays in the Celery worker whatever the engine is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from django.conf import settings

from console.errors import ServiceUnavailableException

ENGINES = ("local", "ray")


@contextmanager
def engine() -> Iterator[None]:
    """Compute what recipes fit and rank inside the block on the engine that is set.

    Raises:
        ServiceUnavailableException: the cluster is away; the job is tried again later.
    """
    if settings.ENGINE == "local":
        yield
        return
    executor = import_module("recipes.executor")  # idle workers do without numpy
    try:
        cluster = executor.RayCluster(settings.RAY_ADDRESS or None, settings.RAY_WORKERS)
        try:
            with executor.using(cluster):
                yield
        finally:
            cluster.close()
    except executor.ClusterError as error:
        raise ServiceUnavailableException(str(error)) from error

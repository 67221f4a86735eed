"""Where the heavy parts of a job are computed, as `ENGINE` says: threads of the worker, or a Ray cluster.

The job itself (claiming, heartbeats, reading, publishing) stays in the Celery worker whatever the engine is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

from django.conf import settings

from console.errors import ServiceUnavailableException

ENGINES = ("local", "ray")


@contextmanager
def engine(check: Callable[[], None]) -> Iterator[None]:
    """Compute what recipes fit and rank inside the block on the engine that is set.

    Args:
        check: raises if the job must end; asked while results of a cluster are waited for.

    Raises:
        ServiceUnavailableException: the cluster is away, or lost a piece of work again and again; the job is tried again later.
    """
    if settings.ENGINE == "local":
        yield
        return
    executor = import_module("recipes.executor")  # idle workers do without numpy
    cluster = import_module("recipes.ray_cluster").RayCluster(settings.RAY_ADDRESS or None, settings.RAY_WORKERS, check)
    try:
        with executor.using(cluster):
            yield
    except (executor.ClusterError, executor.LostTaskError) as error:
        raise ServiceUnavailableException(str(error)) from error
    finally:
        cluster.close()

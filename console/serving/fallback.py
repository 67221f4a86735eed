"""What answers in place of a damaged model: the previous version of its solution that can be read."""

from __future__ import annotations

from console import transient
from console.errors import DamagedModelException, InvalidInputException
from console.models import SolutionVersion, Status
from console.serving.loader import MODEL_CACHE, LoadedModel


def model_of(artefact: str) -> LoadedModel:
    """The model under an artefact's key or, while that is damaged, the newest earlier one of its solution.

    Raises:
        DamagedModelException: neither it nor an earlier one can be read.
    """
    try:
        return MODEL_CACHE.get(artefact)
    except DamagedModelException as error:
        for earlier in _earlier(artefact):
            found = _readable(earlier)
            if found is not None:
                transient.log(f"{earlier} answers in place of {artefact}", error)
                return found
        raise


def _readable(artefact: str) -> LoadedModel | None:
    try:
        return MODEL_CACHE.get(artefact)
    except (DamagedModelException, InvalidInputException):
        return None


def _earlier(artefact: str) -> list[str]:
    """The keys of earlier versions' artefacts, newest first."""
    version = SolutionVersion.objects.filter(artefact=artefact).first()
    if version is None:
        return []
    done = SolutionVersion.objects.filter(solution=version.solution_id, status=Status.ACTIVE, pk__lt=version.pk)
    return list(done.exclude(artefact="").order_by("-pk").values_list("artefact", flat=True))

"""The service models: which operations there are, their patterns, and what is kept of an answer."""

from __future__ import annotations

from console.shapes import AWS_SERVICES, OPERATION_MODELS, SERVICE_OF, prune, python_pattern


def test_all_79_operations_are_known():
    assert sum(service in AWS_SERVICES for service in SERVICE_OF.values()) == 79


def test_every_pattern_of_the_models_compiles():
    for model in OPERATION_MODELS.values():
        _compile(model.input_shape, set())


def _compile(shape, seen):
    if shape is None or shape.name in seen:
        return
    seen.add(shape.name)
    if pattern := shape.metadata.get("pattern"):
        python_pattern(pattern)
    members = list(shape.members.values()) if shape.type_name == "structure" else []
    members += [shape.member] if shape.type_name == "list" else []
    members += [shape.key, shape.value] if shape.type_name == "map" else []
    for member in members:
        _compile(member, seen)


def test_prune_keeps_what_is_declared():
    shape = OPERATION_MODELS["DescribeDatasetGroup"].output_shape
    assert prune(shape, {"datasetGroup": {"name": "x", "secret": 1, "domain": None}}) == {"datasetGroup": {"name": "x"}}

"""REST against its own document: schemathesis makes up requests; answers are as documented, and never a crash."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from console.wsgi import application
from tests.fuzz.sending import keeping_connection
from tests.operations.worlds import dataset

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


EXAMPLES = 5


def closing(environ: Any, start_response: Any) -> list[bytes]:
    """The application as a server calls it: an answer that was read is closed, and with it what was uploaded."""
    with keeping_connection():
        answer = application(environ, start_response)
        try:
            return list(answer)
        finally:
            answer.close()


def test_answers_are_as_documented(alice, account, subtests):
    for kind in ("INTERACTIONS", "ITEMS"):
        dataset(account, kind)
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", closing)
    for found in schema.get_all_operations():
        operation = found.ok()
        with subtests.test(operation.label):
            _try(operation, {"Authorization": alice._credentials["HTTP_AUTHORIZATION"]})


def _try(operation: Any, headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
    )
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    check()

"""Identifiers are random UUIDs, and no thread and no process gets another's."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from console.identifiers import TOGETHER, new_identifier


def test_it_works():
    found = [UUID(new_identifier()) for _ in range(1000)]
    assert {one.version for one in found} == {4}
    assert {one.variant for one in found} == {"specified in RFC 4122"}
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", new_identifier())


def test_threads_never_get_the_same():
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: new_identifier(), range(20 * TOGETHER)))
    assert len(set(found)) == len(found)


def test_a_forked_process_draws_anew():
    new_identifier()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, "".join(new_identifier() for _ in range(TOGETHER)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        theirs = pipe.read()
    os.waitpid(child, 0)
    assert len(theirs) == 36 * TOGETHER
    assert not any(new_identifier() in theirs for _ in range(TOGETHER))

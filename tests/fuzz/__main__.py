"""`python -m tests.fuzz --cases 100000`: fuzz everything in a folder of its own; findings end it with status 1."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SHARES = {"filters": 0.45, "files": 0.1, "wire": 0.3, "rest": 0.07, "leaks": 0.07, "server": 0.01}
"""Which part of all cases each kind gets; those that ask less of the machine get more."""


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=2000, help="in all, shared out among the kinds")
    parser.add_argument("--kinds", default=",".join(SHARES), help=f"some of {', '.join(SHARES)}")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the same seed draws the same cases")
    parser.add_argument("--report", type=Path, default=None, help="write the summary there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="openpersonalize-fuzz-") as folder:
        summary = run(Path(folder), options.cases, options.kinds.split(","), options.seed)
    text = json.dumps(summary, indent=1)
    if options.report:
        options.report.write_text(text)
    sys.stdout.write(f"{text}\n")
    return 1 if summary["findings"] else 0


def run(folder: Path, cases: int, kinds: list[str], seed: int) -> dict[str, Any]:
    """Fuzz the kinds in turn, each with its share of the cases, on a scene made in `folder`."""
    os.environ |= {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "console.settings"}
    (folder / "static").mkdir(exist_ok=True)
    import django  # noqa: PLC0415  the settings read the environment

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from tests.fuzz import files, language, leaks, live, rest, staging, wire  # noqa: PLC0415
    from tests.fuzz.judging import Report  # noqa: PLC0415
    from tests.fuzz.sending import InProcess  # noqa: PLC0415

    logging.getLogger("django").setLevel(logging.CRITICAL)
    logging.getLogger("console").setLevel(logging.CRITICAL)
    report = Report()
    share = {kind: round(cases * SHARES[kind] / sum(SHARES[each] for each in kinds)) for kind in kinds}
    if "filters" in share:
        language.fuzz(report, share.pop("filters"), seed)
    if "files" in share:
        files.fuzz(report, share.pop("files"), seed)
    if share:
        call_command("migrate", verbosity=0)
        scene, transport = staging.set_up(), InProcess()
        for kind, module in (("wire", wire), ("rest", rest), ("leaks", leaks)):
            if kind in share:
                module.fuzz(scene, transport, report, share[kind], seed)
        if "server" in share:
            live.fuzz(scene, folder, report, share["server"], seed)
    return report.summary() | {"seed": seed}


if __name__ == "__main__":
    sys.exit(main())

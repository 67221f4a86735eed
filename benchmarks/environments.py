"""The peers' environments: one for RecTools and implicit, one for RecBole, which pins what the other needs newer."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.datasets import CACHE

TORCH = "torch>=2.6,<2.14"
PACKAGES = {
    "peers-venv": ("rectools[torch]>=0.19,<0.20",),  # brings implicit as pm-implicit
    "recbole-venv": ("recbole==1.2.1", "numpy<2", "pandas<3", "scipy<1.14", "setuptools<81"),
}
ADAPTERS_ELSEWHERE = {"recbole_models.py": "recbole-venv"}


def python_for(adapter: str) -> Path:
    """The interpreter that an adapter runs with, installed when first asked for."""
    name = ADAPTERS_ELSEWHERE.get(adapter, "peers-venv")
    folder = CACHE / name
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        print(f"installing {name}, an environment of the peers' own", file=sys.stderr)
        venv.create(folder, with_pip=True)
        for wanted in ((TORCH,), PACKAGES[name]):
            subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True, stdout=sys.stderr)
        (folder / "installed").touch()
    return python

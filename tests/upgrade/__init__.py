"""Data folders that earlier releases left."""

from __future__ import annotations

from pathlib import Path

RELEASES = sorted(Path(__file__).with_name("releases").glob("*.json"))

"""How full the disk is that DATA_DIR is on."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Disk:
    """Bytes of the disk that DATA_DIR is on."""

    total: int
    free: int

    @property
    def is_short(self) -> bool:
        """Whether there is less free than DISK_WARNING_PERCENT."""
        return 100 * self.free < settings.DISK_WARNING_PERCENT * self.total


def disk() -> Disk:
    """The disk as it is now."""
    found = shutil.disk_usage(settings.DATA_DIR)
    return Disk(found.total, found.free)

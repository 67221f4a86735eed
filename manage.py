#!/usr/bin/env python
"""Django's command line."""

from __future__ import annotations

import sys

from console.management.command_line import run

if __name__ == "__main__":
    sys.exit(run(sys.argv))

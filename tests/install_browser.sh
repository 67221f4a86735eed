#!/usr/bin/env bash
# Chromium for the browser tests: Debian's package, unless one is there.
set -euo pipefail
if command -v chromium >/dev/null; then exit 0; fi
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core

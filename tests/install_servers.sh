#!/usr/bin/env bash
# PostgreSQL and Redis for `make test BACKEND=postgres`: Debian's packages, unless they are there.
set -euo pipefail
if [ -d /usr/lib/postgresql ] && command -v redis-server >/dev/null; then exit 0; fi
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql redis-server

#!/usr/bin/env bash
# clang's PGO for Redis from Debian's source, profiled through the preloaded agent: fewer instructions with the profile.
# long: two builds of Redis
set -euo pipefail
# shellcheck source=tests/support/example.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/example.sh"

"$source/examples/redis/run" --short

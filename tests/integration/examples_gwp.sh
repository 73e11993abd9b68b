#!/usr/bin/env bash
# A small fleet of two releases under the collector: the budget is kept, each build id has its profile, and the function that
# became slower shows.
# long: half a minute of collecting
set -euo pipefail
# shellcheck source=tests/support/example.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/example.sh"

command -v clang-19 >/dev/null || { echo "skipped: no clang-19"; exit 77; }
"$source/examples/gwp/run" --short

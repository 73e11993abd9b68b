#!/usr/bin/env bash
# BuggyCache in C with the agent: every cause is named in a service whose functions have lost their names.
# long: services under load
set -euo pipefail
# shellcheck source=tests/support/example.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/example.sh"

renamed "$source/examples/buggycache/c"
export BUGGYCACHE_SOURCE=$EXAMPLES_OUT/renamed
"$source/examples/buggycache/run" all --language c --short --seconds 2 --bench none --jobs 3

#!/usr/bin/env bash
# BuggyCache's way from symptom to verified fix, as its users take it, in seconds (with Go): every cause is named in a
# service whose functions have lost their names, and one fix is proven.
# long: services under load
set -euo pipefail
# shellcheck source=tests/support/example.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/example.sh"

renamed "$source/examples/buggycache/go"
export BUGGYCACHE_SOURCE=$EXAMPLES_OUT/renamed
"$source/examples/buggycache/run" all --short --seconds 2 --bench fib --jobs 3

#!/usr/bin/env bash
# BuggyCache's way from symptom to verified fix, as its users take it, in seconds (with Go): every cause is named in a
# service whose functions have lost their names, and one fix is proven with the names as they are.
# long: services under load
set -euo pipefail
source=${PROFUSE_SOURCE_DIR:?}
PROFUSE_BUILD_DIR=$(cd "$1" && pwd)
EXAMPLES_OUT=$(mktemp -d)
export PROFUSE_BUILD_DIR EXAMPLES_OUT
trap 'rm -rf "$EXAMPLES_OUT"' EXIT

python3 "$source/tests/tools/rename_functions.py" "$source/examples/buggycache/go" "$EXAMPLES_OUT/renamed" "$EXAMPLES_OUT/names.json"
BUGGYCACHE_SOURCE=$EXAMPLES_OUT/renamed RENAMED=$EXAMPLES_OUT/names.json \
	"$source/examples/buggycache/run" all --short --seconds 2 --no-bench
"$source/examples/buggycache/run" leak --short --seconds 2

#!/usr/bin/env bash
# One of three instances takes most of the traffic: triggers say which, what they took says why.
# long: services under load
set -euo pipefail
# shellcheck source=tests/support/example.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/example.sh"

"$source/examples/decision/run" --short

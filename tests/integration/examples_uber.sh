#!/usr/bin/env bash
# A service under a memory limit: what tune sets, compared with how it was; and its profile for Go's compiler.
# long: services under load
set -euo pipefail
# shellcheck source=tests/support/example.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/example.sh"

"$source/examples/uber/run" --short

#!/usr/bin/env bash
# A service under a memory limit: what tune sets, and a build with its profile, compared with how it was.
# long: services under load
set -euo pipefail
# shellcheck source=tests/support/example.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/example.sh"

"$source/examples/uber/run" --short

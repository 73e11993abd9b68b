#!/usr/bin/env bash
# A slow leak in a library is told from a cache that grows to its bound, in a service without names.
# long: services under load
set -euo pipefail
# shellcheck source=tests/support/example.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/example.sh"

renamed "$source/examples/cloudflare/go"
CLOUDFLARE_SOURCE=$EXAMPLES_OUT/renamed "$source/examples/cloudflare/run" --short

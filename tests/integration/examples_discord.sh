#!/usr/bin/env bash
# Millions of entries with pointers: tune says that no setting helps, in a service without names; a cache without pointers
# and a service in C have nothing to walk.
# long: services under load
set -euo pipefail
# shellcheck source=tests/support/example.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/example.sh"

renamed "$source/examples/discord/go"
DISCORD_SOURCE=$EXAMPLES_OUT/renamed "$source/examples/discord/run" --short --no-bench

#!/usr/bin/env bash
# BuggyCache's way from symptom to verified fix, as its users take it, in seconds (with Go).
# long: services under load
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PROFUSE_BUILD_DIR=$(cd "$1" && pwd) EXAMPLES_OUT=$work "${PROFUSE_SOURCE_DIR:?}/examples/buggycache/run" lock --short --seconds 2

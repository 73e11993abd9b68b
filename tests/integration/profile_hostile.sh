#!/usr/bin/env bash
# Inputs of up to 10 MB made to cost as much as they can: malformed ones are refused within 1 s and 64 MB.
# long
set -euo pipefail
build=$(cd "$1" && pwd)
source=${PROFUSE_SOURCE_DIR:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/small" "$work/large"
"$build/tests/tools/make_profiles" "$work/small" 0 1 430000 native
"$build/tests/tools/make_profiles" "$work/large" 0 1 1500000 native
TMPDIR=$work python3 "$source/tests/tools/hostile_profiles.py" "$build/profuse" "$work"/small/* "$work"/large/*

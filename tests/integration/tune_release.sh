#!/usr/bin/env bash
# What releasing memory gives back, predicted from one snapshot and then measured: the short form of
# tests/quality/tuner/release.py, under the allocators that are installed, and of a real Redis.
set -euo pipefail
python3 "${PROFUSE_SOURCE_DIR:?}/tests/quality/tuner/release.py" "$1" --scale 1 --only cross,redis --repeat 3

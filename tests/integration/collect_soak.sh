#!/bin/bash
# The short form of tests/perf/collect_soak.py: under a minute of load, faults and SIGKILLs; nothing grows, nothing that
# was acknowledged is lost.
# long
exec python3 "${PROFUSE_SOURCE_DIR:?}/tests/perf/collect_soak.py" "$1" --minutes 0.75 --targets 600 --size 160000 --retention 40

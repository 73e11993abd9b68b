#!/bin/bash
# Triggers: a Go service that becomes slow, one instance that takes all the traffic, and the same asked of a real
# Prometheus: each is profiled while it lasts, with the reason beside it, once until it has cooled down; two triggers that
# fire at once both get their profiles, one after the other.
# long
set -u
build=$(realpath "$1")
profuse=$build/profuse
source_dir=${PROFUSE_SOURCE_DIR:?}
# shellcheck source=tests/support/fleet.sh
. "$source_dir/tests/support/fleet.sh"

if ! command -v go >/dev/null; then
	echo "Go is not installed: triggers are not tested"
	[ "${CI:-}" != true ] || exit 1
	exit 77
fi
(cd "$source_dir/tests/peers/go_service" && GOFLAGS=-buildvcs=false go build -o "$dir/go_service" .) || exit 1
for name in a b c; do
	start "$name" "$dir/go_service" 127.0.0.1:0
	first_line "$name" "$name"
done
# a and b share the load evenly
# shellcheck disable=SC2154
repeat load curl -sf -m 10 "http://127.0.0.1:$a/work?id=1" "http://127.0.0.1:$b/work?id=1"
load=$pid

prometheus_port=
if command -v prometheus >/dev/null; then
	prometheus_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	cat >"$dir/prometheus.yaml" <<-YAML
		global: {scrape_interval: 1s}
		scrape_configs: [{job_name: api, static_configs: [{targets: ['127.0.0.1:$a', '127.0.0.1:$b']}]}]
	YAML
	start prometheus prometheus --config.file="$dir/prometheus.yaml" --storage.tsdb.path="$dir/tsdb" \
		--web.listen-address="127.0.0.1:$prometheus_port" --log.level=warn
fi

cat >"$dir/fleet.yaml" <<YAML
budget: {target: 100%, service: 100%, fleet: 100%}
scrape_configs:
  - {job_name: api, scrape_interval: 1h, seconds: 1, types: [goroutine], static_configs: [{targets: ['127.0.0.1:$a', '127.0.0.1:$b', '127.0.0.1:$c']}]}
triggers:
  - name: slow
    jobs: [api]
    metric: http_request_duration_seconds
    match: {path: /work}
    quantile: 0.95
    above: 1.5
    interval: 1s
    cooldown: 10m
    seconds: 1
  - name: slow too
    jobs: [api]
    metric: http_request_duration_seconds
    match: {path: /work}
    quantile: 0.95
    above: 1.5
    interval: 1s
    cooldown: 10m
    seconds: 1
    types: [cpu, goroutine]
  - name: uneven
    metric: http_request_duration_seconds_count
    rate: true
    imbalance: 80%
    interval: 1s
    for: 3s
    cooldown: 10m
    types: [goroutine]
  - name: nowhere
    query: up
    prometheus: http://127.0.0.1:1
    above: 0
YAML
[ -z "$prometheus_port" ] || cat >>"$dir/fleet.yaml" <<YAML
  - name: asked
    query: histogram_quantile(0.95, sum by (le, instance) (rate(http_request_duration_seconds_bucket[6s])))
    prometheus: http://127.0.0.1:$prometheus_port
    above: 1.5
    interval: 1s
    cooldown: 10m
    seconds: 1
    types: [heap]
YAML
collector fleet "$dir/fleet.yaml" --store "$dir/store" 
has() { [ "$(listed --store "$dir/store" "${@:2}")" -ge "$1" ]; }
eventually 30 at_least targets 3
sleep 6
check test "$(listed --store "$dir/store" --trigger slow)" = 0
check test "$(listed --store "$dir/store" --trigger uneven)" = 0

# p95 goes from some milliseconds to over a second.
curl -s "http://127.0.0.1:$a/slow?ms=1800"
for type in cpu heap goroutine mutex; do
	eventually 60 has 1 --trigger slow --type "$type" --instance "127.0.0.1:$a"
done
for type in cpu goroutine; do
	eventually 60 has 1 --trigger 'slow too' --type "$type" --instance "127.0.0.1:$a"
done
check test "$(listed --store "$dir/store" --trigger slow --instance "127.0.0.1:$b")" = 0
# Both fired within a second, each is recorded with its reason, and no two windows were measured at once.
"$profuse" store list --store "$dir/store" --keep-duplicates --instance "127.0.0.1:$a" --type cpu --json >"$dir/windows.json" 2>/dev/null
check python3 - "$dir/windows.json" "$dir/fleet.log" <<'PY'
import datetime
import json
import re
import sys
windows = sorted(json.load(open(sys.argv[1]))["profiles"], key=lambda p: p["start_nanos"])
assert {p["trigger"] for p in windows} == {"slow", "slow too"} and len(windows) == 2, windows
assert all(p["reason"].endswith("above 1.5") for p in windows), windows
assert all(a["start_nanos"] + a["duration_nanos"] <= b["start_nanos"] for a, b in zip(windows, windows[1:])), windows
log = open(sys.argv[2]).read()
fired = [datetime.datetime.fromisoformat(t) for t in re.findall(r'ts=(\S+)Z .*msg="trigger fired" trigger="?slow', log)]
assert len(fired) == 2 and abs((fired[1] - fired[0]).total_seconds()) < 1, fired
assert "reason=busy" not in log, "two CPU profiles were asked for at once"
PY
"$profuse" store list --store "$dir/store" --trigger slow >"$dir/list" 2>/dev/null
check grep -q 'slow: http_request_duration_seconds (quantile 0.95) is [0-9.]*, above 1.5' "$dir/list"
if [ -n "$prometheus_port" ]; then
	eventually 60 has 1 --trigger asked --type heap --instance "127.0.0.1:$a"
	check test "$(listed --store "$dir/store" --trigger asked --instance "127.0.0.1:$b")" = 0
fi
# It stays slow, but is left alone until it has cooled down.
sleep 4
check test "$(listed --store "$dir/store" --trigger slow --type cpu)" = 1

# From now on b gets all the traffic.
end_now "$load"
repeat uneven curl -sf -m 10 "http://127.0.0.1:$b/work?id=1"
eventually 60 has 1 --trigger uneven --instance "127.0.0.1:$b"
"$profuse" store list --store "$dir/store" --trigger uneven >"$dir/list" 2>/dev/null
check grep -q "uneven: takes [0-9]* % of its service's http_request_duration_seconds_count (per second) (of 3 instances)" "$dir/list"

"$profuse" collect status --listen "127.0.0.1:$port" >"$dir/status"
check grep -q '^slow  *1  cooling' "$dir/status"
check grep -q '^nowhere  *0  failing' "$dir/status"
check grep -q 'trigger can.t be judged' "$dir/fleet.log"
finish

#!/bin/bash
# Relabelling and sharding against a real Prometheus: the same rules for the same targets give the same labels.
set -u
profuse=$(realpath "$1")/profuse
build=$(realpath "$1")
source_dir=${PROFUSE_SOURCE_DIR:?}
# shellcheck source=tests/support/fleet.sh
. "$source_dir/tests/support/fleet.sh"

if ! command -v prometheus >/dev/null; then
	echo "Prometheus is not installed: relabelling is not compared"
	[ "${CI:-}" != true ] || exit 1
	exit 77
fi
cases=$source_dir/tests/tools/relabel_cases.py
python3 "$cases" config "$dir/config.yaml"
free_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
start prometheus prometheus --config.file="$dir/config.yaml" --storage.tsdb.path="$dir/tsdb" \
	--web.listen-address="127.0.0.1:$free_port" --log.level=warn
collector ours "$dir/config.yaml" --store "$dir/store"
# Prometheus takes up its jobs one after the other.
agree() {
	curl -sf -m 10 "http://127.0.0.1:$free_port/api/v1/targets" -o "$dir/theirs.json" &&
		curl -sf -m 10 "http://127.0.0.1:$port/targets" -o "$dir/ours.json" &&
		python3 "$cases" compare "$dir/theirs.json" "$dir/ours.json" >"$dir/compared" 2>&1
}
within 120 agree || give_up "$(cat "$dir/compared")"
cat "$dir/compared"
stop "$pid"

# --shard 1/3 takes what hashmod and keep leave a Prometheus.
collector shard "$dir/config.yaml" --store "$dir/store" --shard 1/3
curl -s "http://127.0.0.1:$port/targets" -o "$dir/shard.json"
same_shard() {
	python3 - "$dir/theirs.json" "$dir/shard.json" <<-'PY'
		import json, sys
		theirs = sorted(t["labels"]["instance"] for t in json.load(open(sys.argv[1]))["data"]["activeTargets"]
		                if t["scrapePool"] == "hashmod_shard")
		ours = sorted(t["labels"]["instance"] for t in json.load(open(sys.argv[2]))["targets"] if t["job"] == "none")
		print("shard 1 of 3:", ours)
		sys.exit(theirs != ours or not ours)
	PY
}
check same_shard
finish

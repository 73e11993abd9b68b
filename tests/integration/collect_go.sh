#!/bin/bash
# profuse collect against a real Go program's net/http/pprof: every profile type, snapshots and windows,
# two collectors at once, an unknown profile, and Go's own pprof reading what was stored.
# long
set -u
profuse=$(realpath "$1")/profuse
source_dir=${PROFUSE_SOURCE_DIR:?}
dir=$(mktemp -d) server= failures=0
unset http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY all_proxy
unset PROFUSE_BEARER_TOKEN PROFUSE_PASSWORD
trap '[ -z "$server" ] || kill $server; rm -rf "$dir"' EXIT

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

if ! command -v go >/dev/null; then
	echo "Go is not installed: its net/http/pprof is not tested"
	[ "${CI:-}" != true ] || exit 1
	exit 77
fi
(cd "$source_dir/tests/peers/go_pprof" && GOFLAGS=-buildvcs=false go build -o "$dir/service" .) || exit 1
mkfifo "$dir/ready"
"$dir/service" 127.0.0.1:0 >"$dir/ready" 2>"$dir/service.log" &
server=$!
read -r -t 120 address <"$dir/ready" || { echo "the service did not start"; exit 1; }
base=http://$address

# collected TYPE OPTION…: the profile is stored, JSON describes it, Go's own tool reads it
collected() {
	local type=$1 want=$2 file=$dir/$1.pb.gz
	shift 2
	"$profuse" collect "$base" --type "$type" --json -o "$file" "$@" >"$dir/$type.json" 2>"$dir/err" ||
		{ fail "$type $*: exit $?: $(cat "$dir/err")"; return; }
	python3 - "$dir/$type.json" "$type" "$want" <<-'PY' || fail "$type $*: $(cat "$dir/$type.json")"
		import json, sys
		o = json.load(open(sys.argv[1]))
		names = [t["type"] + "/" + t["unit"] for t in o["sample_types"]]
		assert o["type"] == sys.argv[2] and sys.argv[3] in names, names
		assert o["samples"] > 0 or o["warnings"], o
		assert o["duration_nanos"] >= o["seconds"] * 9e8, o
	PY
	go tool pprof -raw "$file" >"$dir/raw" 2>"$dir/err" || fail "go tool pprof does not read $type: $(cat "$dir/err")"
}

# Go takes one CPU profile at a time: the second collector waits for its turn.
(sleep 0.5; exec "$profuse" collect "$base" --seconds 1 --json -o "$dir/turn.pb.gz" >"$dir/turn.json") &
second=$!
collected cpu cpu/nanoseconds --seconds 4
wait $second || fail 'no second profile'
python3 -c 'import json, sys; sys.exit(all(json.load(open(f))["attempts"] < 2 for f in sys.argv[1:]))' "$dir/turn.json" \
	"$dir/cpu.json" || fail "neither was refused at first: $(cat "$dir/turn.json")"
[ -s "$dir/cpu.pb.gz" ] || fail 'the first CPU profile is missing'
go tool pprof -top "$dir/cpu.pb.gz" 2>/dev/null | grep -q 'main.hashSomeData' || fail 'hashSomeData is not in the CPU profile'

collected heap inuse_space/bytes
collected allocs alloc_space/bytes
collected goroutine goroutine/count
collected mutex delay/nanoseconds
collected block contentions/count
collected threads threadcreate/count
for delta in heap mutex block; do
	case $delta in heap) type=alloc_space/bytes ;; *) type=delay/nanoseconds ;; esac
	collected $delta $type --seconds 1
	grep -q '"seconds": 1' "$dir/$delta.json" || fail "$delta: no window"
done

# What Go says reaches the user.
"$profuse" collect "$base/debug/pprof/nonsense" -o "$dir/x" 2>"$dir/err"
[ $? -eq 4 ] && grep -q 'answered 404: "Unknown profile"; this service has no such profile' "$dir/err" ||
	fail "an unknown profile: $(cat "$dir/err")"
"$profuse" collect "$base/debug/pprof/heap?debug=1" -o "$dir/text" 2>"$dir/err" ||
	fail "a text form is a profile too: $(cat "$dir/err")"
"$profuse" show top "$dir/text" | grep -q '^Type: inuse_space' || fail "debug=1: what was stored does not read as a heap"
"$profuse" collect "$base/debug/pprof/cmdline" -o "$dir/x" 2>"$dir/err"
[ $? -eq 3 ] || fail "cmdline is no profile: $(cat "$dir/err")"
[ ! -e "$dir/x" ] || fail 'a failure left a file'

[ $failures -eq 0 ] || exit 1
echo "Go's seven profile types, as snapshots and over windows"

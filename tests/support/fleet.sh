# fleet.sh: what integration tests of the fleet collector share: starting things on free ports, waiting for
# conditions, ending them again. Sourced; wants $profuse and $build.
dir=$(mktemp -d) pids=() failures=0 checks=0
unset http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY all_proxy
unset PROFUSE_BEARER_TOKEN PROFUSE_PASSWORD PROFUSE_STORE
exec 3>&1
trap 'for p in "${pids[@]}"; do kill -9 "$p" 2>/dev/null; done; wait 2>/dev/null; rm -rf "$dir"' EXIT

fail() {
	echo "FAILED: $*" >&3
	failures=$((failures + 1))
}

# check COMMAND…: it must succeed
check() {
	checks=$((checks + 1))
	"$@" || fail "$*"
}

# eventually SECONDS COMMAND…: it must succeed before so many seconds have gone by
eventually() {
	local deadline=$((SECONDS + $1))
	shift
	checks=$((checks + 1))
	until "$@"; do
		if [ $SECONDS -ge $deadline ]; then
			fail "not in time: $*"
			return 1
		fi
		sleep 0.2
	done
}

# start NAME COMMAND…: in the background; what it prints goes to $dir/NAME.log, its number into $pid
start() {
	local name=$1
	shift
	"$@" >"$dir/$name.out" 2>"$dir/$name.log" &
	pid=$!
	pids+=("$pid")
}

# stop PID: ends one and waits for it
stop() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# first_line FILE: waits for it
first_line() {
	eventually 60 test -s "$1" >/dev/null || return 1
	head -n 1 "$1"
}

# collector NAME CONFIG OPTION…: a fleet collector that serves on a port of its own, which goes into $port
collector() {
	local name=$1 config=$2
	shift 2
	start "$name" "$profuse" collect --config "$config" --listen 127.0.0.1:0 "$@"
	eventually 30 grep -q 'serving /metrics' "$dir/$name.log" || { cat "$dir/$name.log"; return 1; }
	port=$(grep -o ' port=[0-9]*' "$dir/$name.log" | head -n 1 | cut -d= -f2)
}

# metric NAME: its value at the collector on $port
metric() {
	curl -s "http://127.0.0.1:$port/metrics" | awk -v name="profuse_collect_$1" '$1 == name { print $2 }'
}

# at_least METRIC N
at_least() {
	local value
	value=$(metric "$1")
	awk -v a="${value:-0}" -v b="$2" 'BEGIN { exit !(a >= b) }'
}

# listed OPTION…: how many profiles fit
listed() {
	"$profuse" store list --json "$@" 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["count"])'
}

finish() {
	echo "$checks checks, $failures failed"
	exit $((failures > 0))
}

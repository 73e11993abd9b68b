# fleet.sh: what integration tests of the fleet collector share: starting things on free ports, waiting for
# conditions, ending them again. Sourced; wants $profuse and $build.
dir=$(mktemp -d) pids=() failures=0 checks=0
unset http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY all_proxy
unset PROFUSE_BEARER_TOKEN PROFUSE_PASSWORD PROFUSE_STORE
exec 3>&1

# What was started is ended with all that it started itself (nginx's workers outlive their master otherwise).
end_everything() {
	for p in "${pids[@]}"; do kill -9 -- "-$p" 2>/dev/null; done
	for p in "${pids[@]}"; do wait "$p" 2>/dev/null; done
	! mountpoint -q "$dir/small" || umount "$dir/small"
	rm -rf "$dir"
}
trap end_everything EXIT

fail() {
	echo "FAILED: $*" >&3
	failures=$((failures + 1))
}

# check COMMAND…: it must succeed
check() {
	checks=$((checks + 1))
	"$@" || fail "$*"
}

# within SECONDS COMMAND…: whether it succeeds before so many seconds have gone by
within() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.2
	done
}

# eventually SECONDS COMMAND…: it must succeed before so many seconds have gone by. What comes next would wait in vain
# as well, so otherwise the test ends here, with the last words of everybody.
eventually() {
	checks=$((checks + 1))
	within "$@" || give_up "not in time: $*"
}

give_up() {
	fail "$*"
	tail -n 5 "$dir"/*.log >&3 2>/dev/null
	exit 1
}

# start NAME COMMAND…: in the background, in a process group of its own, holding nothing of ours open; what it prints
# goes to $dir/NAME.out and .log, its number into $pid
start() {
	local name=$1
	shift
	set -m
	"$@" >"$dir/$name.out" 2>"$dir/$name.log" 3>&- </dev/null &
	pid=$!
	set +m
	pids+=("$pid")
}

# repeat NAME COMMAND…: over and over, until the test is over
repeat() {
	local name=$1
	shift
	start "$name" while_we_live "$@"
}
while_we_live() { while kill -0 $$ 2>/dev/null; do "$@" || sleep 0.1; done; }

# stop PID: ends one and waits for it
stop() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# end_now PID: without asking, and all that it started
end_now() {
	kill -9 -- "-$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# first_line VARIABLE NAME: the first line that NAME printed, waited for
first_line() {
	eventually 60 test -s "$dir/$2.out"
	read -r "$1" <"$dir/$2.out"
}

# collector NAME CONFIG OPTION…: a fleet collector that serves on a port of its own, which goes into $port
collector() {
	local name=$1 config=$2
	shift 2
	start "$name" "$profuse" collect --config "$config" --listen 127.0.0.1:0 "$@"
	eventually 60 grep -q 'serving /metrics' "$dir/$name.log"
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

# all_stored STORE LOG…: every profile that a collector logged as stored is in the store
all_stored() {
	"$profuse" store list --store "$1" --keep-duplicates --json 2>/dev/null | python3 -c '
import json, re, sys
there = {p["id"] for p in json.load(sys.stdin)["profiles"]}
said = {i for log in sys.argv[1:] for i in re.findall("msg=stored .* id=([0-9a-f]{64})", open(log).read())}
print(f"{len(said)} said to be stored, {len(there)} there, {len(said - there)} missing")
sys.exit(not said or said - there != set())' "${@:2}"
}

finish() {
	echo "$checks checks, $failures failed"
	exit $((failures > 0))
}

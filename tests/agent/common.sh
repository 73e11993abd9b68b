# What the agent's integration tests share; sourced with the build folder as $1.
# Every agent here listens on a port of its own (PROFUSE_PORT=auto) and says so in $run.
set -u
build=$1
agent=$build/libprofuse-agent.so
helpers=$build/tests/agent
work=$(mktemp -d)
run=$work/run
mkdir -p "$run"
started=""

end_hosts() {
	for pid in $started; do
		kill "$pid" 2>/dev/null
	done
	wait 2>/dev/null
}

cleanup() {
	end_hosts
	rm -rf "$work"
}
trap cleanup EXIT

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

skip() {
	echo "skipped: $*"
	exit 77
}

# beside STEP…: runs it in the background (its pid is $!). Its hosts end with it, also if it fails: one that was
# left behind would hold on to the test's standard error, and whoever runs the test would wait for it.
beside() {
	(
		started=""
		trap end_hosts EXIT
		"$@"
	) &
}

# Nothing that an agent is asked for takes longer.
curl() {
	command curl --max-time 120 "$@"
}

# with_agent COMMAND…: runs it with the agent preloaded, in the background; its pid in $pid.
with_agent() {
	env LD_PRELOAD="$agent" PROFUSE_PORT="${PROFUSE_PORT-auto}" PROFUSE_RUN_DIR="$run" "$@" &
	pid=$!
	started="$started $pid"
}

# port_of PID: waits until that process says where it listens; prints the port.
port_of() {
	local i file
	for i in $(seq 100); do
		for file in "$run"/*-"$1".json; do
			if [ -f "$file" ]; then
				sed -n 's/.*127\.0\.0\.1:\([0-9]*\)".*/\1/p' "$file"
				return 0
			fi
		done
		sleep 0.1
	done
	fail "process $1 never said where it listens"
}

# fetch PORT SECONDS FILE: a CPU profile; fails the test unless the answer is 200.
fetch() {
	local status
	status=$(curl -s -o "$3" -w '%{http_code}' "http://127.0.0.1:$1/debug/pprof/profile?seconds=$2") ||
		fail "no answer from port $1 (curl $?)"
	[ "$status" = 200 ] || fail "status $status: $(cat "$3")"
}

dump() {
	"$helpers/agent_dump" "$1" || fail "the profile is not valid"
}

# alive PID: fails the test if the process is gone.
alive() {
	kill -0 "$1" 2>/dev/null || fail "the host died: $2"
}

# get PORT PATH FILE: fails the test unless the answer is 200.
get() {
	local status
	status=$(curl -s -o "$3" -w '%{http_code}' "http://127.0.0.1:$1/debug/pprof/$2") || fail "no answer to $2 (curl $?)"
	[ "$status" = 200 ] || fail "$2: status $status: $(cat "$3")"
}

# ready FILE PID: waits until the host has said so.
ready() {
	local i
	for i in $(seq 300); do
		grep -q '^ready' "$1" && return
		kill -0 "$2" 2> /dev/null || fail "the host ended: $(cat "$1")"
		sleep 0.1
	done
	fail "the host is never ready"
}

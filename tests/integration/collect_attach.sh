#!/bin/bash
# profuse collect pid:…, name:…, cgroup:…: unchanged processes, built without frame pointers or with, sampled by the
# kernel and unwound here. What they do is known, so what the profile says can be checked.
set -u
build=$(realpath "$1")
profuse=$build/profuse
source_dir=${PROFUSE_SOURCE_DIR:?}
# shellcheck source=tests/support/fleet.sh
. "$source_dir/tests/support/fleet.sh"
if [ "$(uname -m)" != x86_64 ]; then
	echo "processes are attached to on x86-64 only"
	exit 77
fi

# share FUNCTION FILE [OPTION…]: its cum as a share of the total, in percent
share() {
	local function=$1 file=$2
	shift 2
	"$profuse" show top "$file" --json --least-share 0 "$@" 2>/dev/null | python3 -c '
import json, sys
o = json.load(sys.stdin)
total = o["total"]
found = [n["cum"] for n in o["nodes"] if n["name"] == sys.argv[1]]
print(round(100 * found[0] / total) if found and total else 0)' "$function"
}
at_least_percent() { [ "$(share "${@:2}")" -ge "$1" ] || { share "${@:2}"; false; }; }
denied() { [ "$1" = 4 ] && grep -q "$2" "$dir/err"; }

start burn "$build/tests/tools/burn" 1000000
burn=$pid
"$profuse" collect "pid:$burn" --seconds 2 --rate 500 -o "$dir/burn.pb.gz" 2>"$dir/err"
status=$?
if [ $status = 4 ] && grep -q 'CAP_PERFMON' "$dir/err"; then
	cat "$dir/err"
	echo "this machine lets nobody sample processes: attaching is not tested"
	exit 77
fi
check test $status = 0
# Built with -O2, without frame pointers: yet every stack comes from main.
check at_least_percent 95 burn "$dir/burn.pb.gz" --binary "$build/tests/tools/burn"
check at_least_percent 95 main "$dir/burn.pb.gz" --binary "$build/tests/tools/burn"
check at_least_percent 90 _start "$dir/burn.pb.gz" --binary "$build/tests/tools/burn"
"$profuse" show raw "$dir/burn.pb.gz" >"$dir/raw"
check grep -q '^1: .*/tests/tools/burn [0-9a-f]\{40\}' "$dir/raw"
check grep -q '^Period: 2000000$' "$dir/raw"
check grep -q '^Duration: 2s' "$dir/raw"
# It is what a converter wants: all samples are found in the program.
"$profuse" convert --binary "$build/tests/tools/burn" "$dir/burn.pb.gz" -o "$dir/burn.prof" --json >"$dir/burn.json" 2>/dev/null
check python3 -c '
import json, sys
samples = json.load(open(sys.argv[1]))["samples"]
sys.exit(samples["used"] < 0.9 * samples["total"])' "$dir/burn.json"

check "$profuse" collect name:burn --seconds 1 -o "$dir/name.pb.gz"
check "$profuse" collect "pid:$burn,$burn" --seconds 1 -o "$dir/twice.pb.gz"

# The whole machine: this process is in it, by name.
"$profuse" collect pid:-1 --seconds 2 -o "$dir/machine.pb.gz" 2>"$dir/err"
status=$?
if [ $status = 0 ]; then
	"$profuse" show top "$dir/machine.pb.gz" --label process=burn --json 2>/dev/null >"$dir/machine.json"
	check python3 -c 'import json, sys; sys.exit(not json.load(open(sys.argv[1]))["total"] > 0)' "$dir/machine.json"
else
	check denied $status perf_event_paranoid
fi
group=/sys/fs/cgroup/unified/profuse-test-$$
[ -d /sys/fs/cgroup/unified ] || group=/sys/fs/cgroup/profuse-test-$$
if mkdir "$group" 2>/dev/null && echo "$burn" >"$group/cgroup.procs" 2>/dev/null; then
	check "$profuse" collect "cgroup:$group" --seconds 1 -o "$dir/group.pb.gz"
	stop "$burn"
	sleep 0.2
	rmdir "$group"
else
	rmdir "$group" 2>/dev/null
	stop "$burn"
fi

# An unchanged Debian program with threads and shared libraries.
if command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null; then
	redis_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	start redis redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --dir "$dir"
	redis=$pid
	eventually 20 redis-cli -p "$redis_port" ping >/dev/null
	start bench redis-benchmark -p "$redis_port" -q -l -t set,get -d 200
	sleep 1
	check "$profuse" collect "pid:$redis" --seconds 2 -o "$dir/redis.pb.gz"
	"$profuse" show raw "$dir/redis.pb.gz" >"$dir/redis.raw"
	check grep -q '/redis-[a-z-]* [0-9a-f]\{40\}' "$dir/redis.raw"
	# every stack goes back to where the thread began, and into the kernel where that may be seen
	check at_least_percent 80 aeMain "$dir/redis.pb.gz" --binary "$(realpath "$(command -v redis-server)")"
	stop "$pid"
	stop "$redis"
fi

# A process that goes on starting and ending others.
start forks bash -c 'while :; do /bin/true; done'
check "$profuse" collect "pid:$pid" --seconds 1 -o "$dir/forks.pb.gz"
stop "$pid"

# Interrupted: nothing is written.
start burn2 "$build/tests/tools/burn" 1000000
burn=$pid
start interrupted "$profuse" collect "pid:$burn" --seconds 30 -o "$dir/interrupted.pb.gz"
sleep 1
kill -INT "$pid"
wait "$pid"
check test $? = 4
check test ! -e "$dir/interrupted.pb.gz"

# What is missing is named.
"$profuse" collect "pid:$burn" --seconds 1 --event cycles -o "$dir/cycles.pb.gz" 2>"$dir/err"
status=$?
[ $status = 0 ] || check denied $status "can't count cycles"
"$profuse" collect pid:999999999 --seconds 1 2>"$dir/err"
check denied $? 'there is no process 999999999'
"$profuse" collect name:no-such-program --seconds 1 2>"$dir/err"
check denied $? 'there is no process called no-such-program'
"$profuse" collect "pid:$burn" --type heap 2>"$dir/err"
check test $? = 2
"$profuse" collect "pid:$burn" --event flops 2>"$dir/err"
check test $? = 2
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	setpriv --reuid 65534 --clear-groups "$profuse" collect "pid:$burn" --seconds 1 -o /dev/null 2>"$dir/err"
	check denied $? 'belongs to user 0, not to you (65534)'
	setpriv --reuid 65534 --clear-groups "$profuse" collect pid:-1 --seconds 1 -o /dev/null 2>"$dir/err"
	check denied $? 'the whole machine needs CAP_PERFMON'
fi
stop "$burn"
finish

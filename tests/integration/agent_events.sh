#!/bin/bash
# PROFUSE_EVENT: perf_event where it may be used, the timer where not, and the profile says which.
. "$PROFUSE_SOURCE_DIR/tests/agent/common.sh" || exit 1

# take EVENT: a profile of two threads that begins with that event; text in $work/EVENT.txt.
take() {
	PROFUSE_EVENT=$1 with_agent "$helpers/agent_deep" 600 2 > /dev/null 2> "$work/said"
	port=$(port_of $pid)
	curl -s "http://127.0.0.1:$port/debug/pprof/" | grep '^event:' > "$work/index"
	fetch "$port" 2 "$work/$1.pb.gz"
	curl -s "http://127.0.0.1:$port/debug/pprof/" | grep -q 'sampling: no' || fail "$1: still sampling"
	ls -l "/proc/$pid/fd" | grep -q perf_event && fail "$1: perf descriptors stay open"
	kill $pid
	dump "$work/$1.pb.gz" > "$work/$1.txt"
	grep -q '^sample .*leaf;level_35;.*level_00;work' "$work/$1.txt" || fail "$1: no whole stacks"
	[ "$(sed 's/^comment //' "$work/$1.txt" | grep '^event:')" = "$(cat "$work/index")" ] ||
		fail "$1: the index says '$(cat "$work/index")', the profile $(grep '^comment event' "$work/$1.txt")"
	echo "$1: $(cat "$work/index"); $(sed -n 's/^comment cpu time: //p' "$work/$1.txt")"
}

take task-clock
if grep -q 'perf_event_open on each thread' "$work/task-clock.txt"; then
	grep -q '^type cpu nanoseconds' "$work/task-clock.txt" || fail "task-clock: $(grep ^type "$work/task-clock.txt")"
	awk '/^comment cpu time:/ { exit !($10 > 0.7 * $4 - .06 && $10 < 1.3 * $4 + .06) }' "$work/task-clock.txt" ||
		fail "task-clock: $(grep 'cpu time' "$work/task-clock.txt")"
else
	grep -q 'cpu timer instead of task-clock: perf_event_open is not permitted' "$work/task-clock.txt" ||
		fail "task-clock: $(grep 'comment event' "$work/task-clock.txt")"
fi

for event in instructions cycles; do
	take $event
	if grep -q "comment event: $event: perf_event_open" "$work/$event.txt"; then
		grep -q "^type $event count" "$work/$event.txt" || fail "$event: $(grep ^type "$work/$event.txt")"
		grep -q "^period 20000003 $event count" "$work/$event.txt" || fail "$event: $(grep ^period "$work/$event.txt")"
	else
		grep -q "comment event: cpu timer instead of $event: " "$work/$event.txt" ||
			fail "$event: $(grep 'comment event' "$work/$event.txt")"
		grep -q '^type cpu nanoseconds' "$work/$event.txt" || fail "$event: $(grep ^type "$work/$event.txt")"
	fi
done

take nonsense
grep -q 'PROFUSE_EVENT=nonsense is none of' "$work/said" || fail "nonsense said: $(cat "$work/said")"

# PROFUSE_RATE: ten times the samples, each a tenth of the time; the kernel's tick holds the timer back.
export PROFUSE_RATE=1000
take task-clock
grep -q '^period 1000000 cpu nanoseconds' "$work/task-clock.txt" || fail "rate: $(grep ^period "$work/task-clock.txt")"
awk '/^comment cpu time:/ { exit !($10 > 0.7 * $4 - .06 && $10 < 1.3 * $4 + .06) }' "$work/task-clock.txt" ||
	fail "rate: $(grep 'cpu time' "$work/task-clock.txt")"
PROFUSE_RATE=2000 take cpu
grep -q 'PROFUSE_RATE=2000 is no number from 1 to 1000; using 100' "$work/said" || fail "rate said: $(cat "$work/said")"

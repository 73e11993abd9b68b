#!/bin/bash
# Who gets which port: the order of the variables, a port that is taken, 0 for none.
. "$PROFUSE_SOURCE_DIR/tests/agent/common.sh" || exit 1

listening() {
	(: <> "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

# free COUNT: that many ports nobody listens on.
free() {
	local port found=0
	for port in $(shuf -i 21210-21239); do
		[ "$found" -ge "$1" ] && return
		listening "$port" || { echo "$port"; found=$((found + 1)); }
	done
}

# host VARIABLE=VALUE…: a preloaded program with just these variables; its pid in $pid.
host() {
	env -u PROFUSE_PORT -u METRICS_PORT -u PROFUSE_ADDR "$@" LD_PRELOAD="$agent" \
		"$helpers/agent_host_process" burn 60 2> "$work/said" &
	pid=$!
	started="$started $pid"
}

# answers PORT PID: the agent of that process answers there, within 3 s.
answers() {
	local i
	for i in $(seq 30); do
		curl -s --max-time 2 "http://127.0.0.1:$1/debug/pprof/" | grep -q "process $2 " && return 0
		sleep 0.1
	done
	return 1
}

set -- $(free 3)
[ $# = 3 ] || skip "fewer than three free ports"

host PROFUSE_ADDR=127.0.0.1:$1 PROFUSE_PORT=$2 METRICS_PORT=$3
answers "$1" $pid || fail "PROFUSE_ADDR does not win"
listening "$2" && fail "two ports at once"
kill $pid

host PROFUSE_PORT=$2 METRICS_PORT=$3
answers "$2" $pid || fail "PROFUSE_PORT does not win over METRICS_PORT"
first=$pid

# The port is taken: one line, then it waits until it is free.
host METRICS_PORT=$2
second=$pid
sleep 1.5
alive $second "because its port was taken"
[ "$(wc -l < "$work/said")" = 1 ] && grep -q 'the port is taken' "$work/said" || fail "said: $(cat "$work/said")"
answers "$2" $first || fail "the first one lost its port"
kill $first
answers "$2" $second || fail "the port was not taken over"
kill $second

# Programs that a program with the agent starts say nothing of it: their output is read.
said=$(env -u METRICS_PORT -u PROFUSE_ADDR PROFUSE_PORT=$1 LD_PRELOAD="$agent" \
	sh -c '{ expr 1 + 1; sh -c "expr 2 + 2; :"; } 2>&1; :')
[ "$said" = "$(printf '2\n4')" ] || fail "children said: $said"

host PROFUSE_PORT=0 METRICS_PORT=$3
sleep 0.3
listening "$3" && fail "PROFUSE_PORT=0 listens"
grep -q profuse-agent "/proc/$pid/task/"*/comm && fail "PROFUSE_PORT=0 has a thread"
kill $pid
host PROFUSE_AGENT=off PROFUSE_PORT=$3
sleep 0.3
listening "$3" && fail "PROFUSE_AGENT=off listens"
kill $pid

for bad in PROFUSE_PORT=http PROFUSE_PORT=70000 PROFUSE_ADDR=somewhere:$3 PROFUSE_ADDR=127.0.0.1:x; do
	host "$bad"
	sleep 0.3
	alive $pid "for $bad"
	[ "$(wc -l < "$work/said")" = 1 ] && grep -q 'not listening$' "$work/said" || fail "$bad said: $(cat "$work/said")"
	kill $pid
done

# IPv6 loopback, where there is one.
if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
	host "PROFUSE_ADDR=[::1]:$1"
	sleep 0.3
	curl -s "http://[::1]:$1/debug/pprof/" | grep -q "process $pid " || fail "[::1] does not answer"
	kill $pid
fi

# Nothing said at all: 2121.
if listening 2121; then
	echo "not tried: the default port, somebody listens on 2121"
else
	host
	answers 2121 $pid || fail "no answer on 2121"
	kill $pid
fi
echo "ok"

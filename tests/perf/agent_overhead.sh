#!/usr/bin/env bash
# What the agent costs its host, in CPU time: sampling at 100 Hz with stacks over 40 deep, and idle.
#
#	tests/perf/agent_overhead.sh BUILD [inside|bench|idle|steps] [PAIRS]
#
# inside  one process, a profile taken or not in alternating blocks of 2 s: the least noise, since
#         both sides share everything; the agent's own thread counts
# bench   two processes that do the same work at the same time, on processors of their own that they swap,
#         one writing profiles with PROFUSE_OUT, compared by `profuse bench --duet`: start and end of
#         sampling are included, and what others do on the machine meets both
# idle    the same with an agent that only listens
# steps   both sides write profiles, one takes single steps besides, for SHARE percent of the CPU time (1)
#
# Status 0 if the interval's upper bound is at most 1 % (of steps: SHARE), 1 if not, 2 for wrong usage. Other load on
# the machine widens the interval: more pairs, or a quieter moment. HARNESS replaces `profuse bench --duet` by
# another program with the options --before, --after, --before-env, --after-env and --pairs.
set -euo pipefail
build=${1:?usage: $0 BUILD [inside|bench|idle|steps] [PAIRS]}
kind=${2:-inside}
most=1
pairs=${3:-30}
agent=$build/libprofuse-agent.so
program=$build/tests/agent/agent_overhead
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# verdict TEXT: finds the upper end of "[A, B] %" or "A % … B %" for CPU time, and judges it.
verdict() {
	local upper
	upper=$(sed -n -E 's/^cpu per unit.*, ([-+][0-9.]+)\] %.*/\1/p; s/^CPU time.*% … ([-+][0-9.]+) %.*/\1/p' <<< "$1")
	[ -n "$upper" ] || { echo "no interval in the answer"; return 1; }
	if awk -v u="$upper" -v most="$most" 'BEGIN { exit !(u <= most) }'; then
		echo "the upper bound, $upper %, is at most $most %"
	else
		echo "the upper bound, $upper %, is over $most %: it costs more, or the machine was too busy to tell"
		return 1
	fi
}

case $kind in
inside)
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	said=$(LD_PRELOAD=$agent PROFUSE_PORT=$port "$program" "$port" "$pairs" "${SECONDS_EACH:-5}")
	;;
bench | idle | steps)
	units=${UNITS:-4000} # thousands; about four seconds
	after=(--after-env "LD_PRELOAD=$agent" --after-env PROFUSE_PORT=auto)
	[ "$kind" = bench ] && after+=(--after-env "PROFUSE_OUT=$work" --after-env PROFUSE_PORT=0)
	before=(PROFUSE_AGENT=off)
	if [ "$kind" = steps ]; then
		most=${SHARE:-1}
		before=("PROFUSE_OUT=$work" PROFUSE_PORT=0)
		after=(--after-env "LD_PRELOAD=$agent" --after-env "PROFUSE_OUT=$work" --after-env PROFUSE_PORT=0
			--after-env "PROFUSE_STEPS=$most")
	fi
	said=$(${HARNESS:-"$build/profuse" bench --duet} --pairs "$pairs" --before "$program units $units" \
		--after "$program units $units" --before-env "LD_PRELOAD=$agent" \
		"${before[@]/#/--before-env=}" "${after[@]}") || true # with too few pairs it has no interval, which is said below
	;;
*)
	echo "usage: $0 BUILD [inside|bench|idle|steps] [PAIRS]" >&2
	exit 2
	;;
esac
echo "$said"
verdict "$said"

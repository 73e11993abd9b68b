#!/bin/bash
# long
# Threads of the host and the agent's own are held at random places, for up to 4 s: longer than anybody waits for
# anybody. Every host goes on and ends by itself, and so do the children that it forks meanwhile.
. "$PROFUSE_SOURCE_DIR/tests/agent/common.sh" || exit 1
seed=$$

# held COMMAND…: status 0, although its threads are held.
held() {
	"$build/tests/tools/hold_threads" 140 $seed 4 env LD_PRELOAD="$agent" PROFUSE_HEAP=1 PROFUSE_PORT=auto "$@" > "$work/out" 2>&1
	local status=$?
	[ $status = 77 ] && skip "nobody may trace here: $(cat "$work/out")"
	[ $status = 0 ] || fail "$*, seed $seed: status $status: $(cat "$work/out")"
}

held "$helpers/agent_host_heap" threads 1
held "$helpers/agent_host_heap" signals 0.5
held "$helpers/agent_host_inside" cancelled
held "$helpers/agent_host_inside" attributes

#!/usr/bin/env bash
# bench's own HTTP client against wrk, on one core, with nginx (one worker on another core) as the server.
#
#	tests/perf/bench_client.sh BUILD [ROUNDS] [SECONDS]
#
# Saturation: both as fast as they get answers over the same number of connections, in turn (whose turn is first
# alternates). wrk's CPU time is of its whole process, of which starting is next to nothing; ours of the measured
# window, since finding the server and writing a report come before and after. Prints the medians of the rounds' ratios, ours to
# wrk's: requests a second (at least 0.95 wanted) and CPU time per request (at most 1.1). Then 50,000 requests a
# second offered at fixed times, and how late they were sent. As root the script raises its own scheduling weight
# against others on the machine; where the two cores are busy all the same, requests a second say little, CPU time
# per request does. Status 1 when a ratio misses. Needs nginx, wrk, and two cores.
set -euo pipefail
profuse=${1:?usage: $0 BUILD [ROUNDS] [SECONDS]}/profuse
rounds=${2:-10}
seconds=${3:-3}
work=$(mktemp -d)
port=$(python3 -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
url=http://127.0.0.1:$port/
mkdir "$work/logs"
cat >"$work/nginx.conf" <<END
worker_processes 1;
daemon off;
error_log stderr crit;
pid $work/nginx.pid;
events { worker_connections 1024; }
http {
	access_log off;
	keepalive_requests 100000000;
	client_body_temp_path $work; proxy_temp_path $work; fastcgi_temp_path $work; uwsgi_temp_path $work; scgi_temp_path $work;
	server { listen 127.0.0.1:$port; location / { return 200 "hello world\n"; } }
}
END
(echo -19 >/proc/self/autogroup) 2>/dev/null || true
taskset -c 0 nginx -p "$work" -c "$work/nginx.conf" &
server=$!
trap 'kill $server; wait $server 2>/dev/null || true; (echo 0 >/proc/self/autogroup) 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 50); do curl -s "$url" >/dev/null && break; sleep 0.1; done

# timed NAME COMMAND…: its output to $work/out, its CPU seconds to $work/cpu
timed() {
	TIMEFORMAT='%U %S'
	{ time taskset -c 1 "$@" >"$work/out" 2>&1; } 2>"$work/time"
	awk '{ print $1 + $2 }' "$work/time" >"$work/cpu"
}

run_wrk() {
	timed wrk -t1 -c32 -d"${seconds}s" "$url"
	awk -v cpu="$(cat "$work/cpu")" '/requests in/ { n = $1 } /^Requests\/sec/ { r = $2 } END { print r, cpu / n * 1e6 }' "$work/out"
}

run_ours() {
	timed "$profuse" bench load "$url" --rate max -c 32 --duration "${seconds}s" --warmup 0 --idle 0 --json
	python3 -c '
import json, sys
block = json.load(open(sys.argv[1]))["pairs"][0]["blocks"]["service"]
print(block["throughput"], block["client_cpu"] / block["completed"] * 1e6)' "$work/out"
}

echo "round      wrk: requests/s, CPU µs each   profuse: requests/s, CPU µs each"
for i in $(seq "$rounds"); do
	if [ $((i % 2)) = 0 ]; then
		wrk=$(run_wrk) ours=$(run_ours)
	else
		ours=$(run_ours) wrk=$(run_wrk)
	fi
	echo "$wrk $ours" >>"$work/rounds"
	echo "$i $wrk $ours" | awk '{ printf "%5d %17.0f %14.2f %22.0f %14.2f\n", $1, $2, $3, $4, $5 }'
done
python3 - "$work/rounds" <<'PY' || status=1
import statistics, sys
rows = [list(map(float, line.split())) for line in open(sys.argv[1])]
rate = statistics.median(r[2] / r[0] for r in rows)
cpu = statistics.median(r[3] / r[1] for r in rows)
print(f"medians of the ratios, profuse to wrk: requests/s {rate:.2f} (wanted: at least 0.95), "
      f"CPU per request {cpu:.2f} (at most 1.10)")
sys.exit(0 if rate >= 0.95 and cpu <= 1.1 else 1)
PY
echo
echo "50,000 requests/s offered at fixed times:"
taskset -c 1 "$profuse" bench load "$url" --rate 50000 -c 64 --duration "${seconds}s" --warmup 1s --idle 0 --pairs 3 -q |
	grep -E '^(latency|throughput|errors|client)'
exit ${status:-0}

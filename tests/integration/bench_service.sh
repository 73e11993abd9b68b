#!/bin/bash
# profuse bench on services under load: what is measured adds up, a service that fails in any way is
# named with a reason, and port and processes are free again afterwards.
# long
set -u
profuse=$(realpath "$1")/profuse
server=$(realpath "$1")/tests/tools/test_server
dir=$(mktemp -d) other=
trap '[ -n "$other" ] && kill "$other"; rm -rf "$dir"' EXIT
# shellcheck source=tests/support/bench.sh
source "$(dirname "$0")/../support/bench.sh"
port=$(python3 -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])") || exit 1
url=http://127.0.0.1:$port/x
quick="--load $url --rate 500 --duration 300ms --warmup 100ms --grace 2s"

# nothing_left: no server of ours runs and the port is free
nothing_left() {
	checks=$((checks + 1))
	pgrep -f -- "$server $port" >/dev/null && fail "still running: $(pgrep -af -- "$server $port")"
	(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && fail "port $port is still open"
}

# checked STATUS WORDS OPTION…: the same as expect, and nothing is left behind
checked() {
	expect "$@"
	[ -n "$other" ] || nothing_left
}

echo "what is measured adds up"
# shellcheck disable=SC2086 # $quick is a list of words
checked 0 "" --before "$server $port" --after "$server $port --work 300000" $quick --pairs 6 --json
json "all(b['requests'] == 150 and b['errors'] == 0 for b in blocks)"
json "all(0 < b['completed'] <= 225 and b['cpu'] > 0 and b['ready'] > 0 for b in blocks)"
json "all(0 < b['p50'] <= b['p90'] <= b['p99'] <= b['p999'] for b in blocks)"
json "all(b['service_p50'] <= b['p99'] and b['send_lag_p50'] <= b['send_lag_p99'] <= b['send_lag_max'] * 1.01 for b in blocks)"
json "all(abs(b['cpu_per_request'] - b['cpu'] / b['completed']) < 1e-8 for b in blocks)"
json "all(1 << 18 < b['rss_peak'] < 1 << 26 for b in blocks)"
json "m['cpu_per_request']['primary'] and m['cpu_per_request']['verdict'] == 'worse' and m['cpu_per_request']['change'] > 1"
json "set(m) >= {'cpu_per_request', 'p50', 'p90', 'p99', 'p999', 'throughput', 'errors', 'rss_peak', 'rss', 'rss_idle', 'faults', 'switches'}"
json "load['rate'] == 500 and load['arrivals'] == 'constant'"
# shellcheck disable=SC2086
checked 1 "gate cpu_per_request<=+5% failed" --before "$server $port" --after "$server $port --work 300000" $quick --pairs 8 \
	--gate 'cpu_per_request<=+5%' --gate 'errors<=0%' --arrivals poisson

echo "kinds of services"
# shellcheck disable=SC2086
{
	checked 5 "" --before "$server $port --fork" --after "$server $port --fork --ignore-term" $quick --pairs 1 --grace 300ms --json
	json "all(b['cpu'] > 0 and b['completed'] > 0 for b in blocks)"
	checked 5 "" --before "$server $port --daemon --delay-start 100" --after "$server $port --daemon" $quick --pairs 1 --grace 1s --json
	json "all(b['cpu'] > 0 and b['completed'] > 0 for b in blocks)"
	checked 4 "after 60 requests" --before "$server $port" --after "$server $port --daemon --die-after 60" $quick --pairs 3
	checked 5 "" --before "$server $port --delay-start 300" --after "$server $port" $quick --pairs 1 --no-pin --json
	json "before[0]['ready'] > 0.25 and load['server_cpus'] is None"
	checked 5 "" --before "$server $port --close-every 10" --after "$server $port --close-every 1" $quick --pairs 1 --json
	json "all(b['errors'] == 0 for b in blocks)"
	checked 5 "" --before "$server $port" --after "$server $port" $quick --pairs 1 --connections 1 --json
	json "all(b['requests'] == 150 and b['errors'] == 0 for b in blocks)"
}

echo "failures are counted, not dropped"
# shellcheck disable=SC2086
{
	checked 5 "requests failed" --before "$server $port" --after "$server $port --stall-after 100" $quick --pairs 1 --request-timeout 400ms --json
	json "after[0]['timed_out'] == round(after[0]['errors'] * after[0]['requests']) > 0 and after[0]['p999'] >= 0.4"
	json "after[0]['completed'] + after[0]['timed_out'] >= 100"
	printf '/ok 3\nPOST /x a body\nGET /missing\n' >"$dir/requests"
	checked 5 "" --before "$server $port" --after "$server $port" $quick --pairs 1 --load-file "$dir/requests" --json
	json "all(0 < b['errors'] < 0.5 and b['failed_status'] == round(b['errors'] * 150) for b in blocks)"
	checked 4 "was answered well in pair 1" --before "$server $port" --after "$server $port" --load "http://127.0.0.1:$port/missing" \
		--rate 500 --duration 300ms --warmup 0 --pairs 1 --ready "$url"
}

echo "services that fail"
# shellcheck disable=SC2086
{
	checked 4 "ended with status 7 in pair 1; its last words: test_server: dying after 60 requests | as it was told to" \
		--before "$server $port" --after "$server $port --die-after 60" $quick --pairs 3
	checked 4 "status 503" --before "$server $port --status 503" --after "$server $port" $quick --ready-timeout 500ms
	checked 4 "was not ready within 0.5 s" --before "$server $port --silent" --after "$server $port" $quick --ready-timeout 500ms
	checked 4 "Connection refused" --before "sleep 987010" --after "$server $port" $quick --ready-timeout 300ms
	checked 4 "ended with status 0 before it was ready" --before "$server $port" --after "true" $quick
	"$server" "$port" &
	other=$!
	sleep 0.3
	checked 4 "127.0.0.1:$port is already in use" --before "$server $port" --after "$server $port" $quick
	kill $other
	wait $other 2>/dev/null
	other=
	checked 2 "--rate" --before true --after true --load $url
	checked 2 "cpu is not measured here" --before true --after true --load $url --rate 1 --gate 'cpu<=+1%'
	echo "nonsense here" >"$dir/requests"
	checked 3 "requests:1: " --before true --after true --load $url --rate 1 --load-file "$dir/requests"
}

echo "interrupted"
# shellcheck disable=SC2086
env --default-signal=INT "$profuse" bench --before "$server $port" --after "$server $port" --load $url --rate 500 --duration 60s >"$dir/out" 2>"$dir/err" &
pid=$!
sleep 1
kill -INT $pid
wait $pid
status=$?
[ $status -eq 5 ] || fail "interrupted: exit $status"
nothing_left

finish

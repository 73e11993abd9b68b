#!/usr/bin/env bash
# profuse bench beyond one command against another: several variants, environments only, both at once, services that
# run already, TLS and HTTP/2, requests with headers and weights, replayed logs, saturation, the highest rate within
# objectives, calibration, planned looks, Go's collector, and results of earlier runs.
# long
set -u
build=$(realpath "$1")
source=${PROFUSE_SOURCE_DIR:?}
profuse=$build/profuse server=$build/tests/tools/test_server burn=$build/tests/tools/burn
dir=$(mktemp -d) others=
trap 'for p in $others; do kill $p 2>/dev/null; done; wait; rm -rf "$dir"' EXIT
# shellcheck source=tests/support/bench.sh
source "$(dirname "$0")/../support/bench.sh"
free_port() { python3 -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"; }
port=$(free_port) other2=$(free_port)
quick="--rate 300 --duration 300ms --warmup 50ms --idle 0 --repeats 0"

echo "several variants, environments, duet"
# Long enough that what a command takes to start is little of it: others run beside this.
expect 0 "" --before "$burn 30" --variant "same" --variant "twice=$burn 60" --variant-env same:X=1 --pairs 6 --json
json "[v['name'] for v in d['variants']] == ['before', 'same', 'twice'] and d['variants'][1]['environment'] == ['X=1']"
json "m['cpu']['change'] > 0.5 and d['variants'][1]['metrics']['cpu']['change'] < 0.5"
json "all(sorted(p['order']) == ['before', 'same', 'twice'] for p in d['pairs'])"
json "all(len({p['order'][place] for p in d['pairs'][:3]}) == 3 for place in range(3))"
expect 0 "" --before 'test "$X" != two || sleep 0.2' --after-env X=two --primary wall --pairs 6 --json
json "d['primary'] == 'wall' and m['wall']['primary'] and m['wall']['verdict'] == 'worse' and m['wall']['after'] > 0.2"
expect 0 "both at once" --before "$burn 3" --after "$burn 8" --duet --pairs 6
expect 2 "there are two of this name" --before true --variant x --variant x
expect 2 "with the name of a --variant" --before true --variant x --variant-env y:A=1
expect 1 "gate cpu<=+10% for twice: failed" --before "$burn 30" --variant "same" --variant "twice=$burn 60" --pairs 8 --gate 'cpu<=+10%'

if [ -e "$(ldconfig -p | awk '/libjemalloc.so.2/ { print $NF; exit }')" ]; then
	expect 0 "" --before "$burn 1 --memory 8" --after "$burn 1 --memory 20" --before-env LD_PRELOAD=libjemalloc.so.2 \
		--after-env LD_PRELOAD=libjemalloc.so.2 --before-env MALLOC_CONF=stats_print:true --after-env MALLOC_CONF=stats_print:true --pairs 6 --json
	json "m['held']['after'] > m['held']['before'] > 0 and 0 <= m['fragmentation']['after'] < 1"
fi

echo "planned looks and calibration"
expect 0 "Stopped at look" --before "$burn 3" --after "$burn 6" --pairs 48 --looks 3 --warmup-pairs 0
expect 2 "--looks" --before true --after true --pairs 4 --looks 5
# Six pairs can't differ with certainty: what refuses is the noise.
expect 5 "calibration: with this noise" --before "$burn 1" --after "$burn 2" --tolerance 0.001% --calibrate-pairs 6 --pairs 6
grep -q "^Calibration: 6 pairs of before against itself" "$dir/out" || fail "no calibration in: $(cat "$dir/out")"
# The second side of each pair of the calibration (in the order ABBA) has four times the work.
turns="n=\$(cat $dir/turn); echo \$((n + 1)) >$dir/turn; case \$((n % 4)) in 1 | 2) exec $burn 12;; esac; exec $burn 3"
echo 0 >"$dir/turn"
expect 5 "calibration: before against itself differs by" --before "$turns" --after true --tolerance 5% --pairs 6 --warmup-pairs 0
grep -q "^Calibration: 10 pairs of before against itself" "$dir/out" || fail "no calibration in: $(cat "$dir/out")"
expect 0 "" --before "$burn 3" --after "$burn 12" --tolerance 80% --calibrate-pairs 6 --pairs 6 --confidence 90 --json
json "d['calibration']['pairs'] == 6 and d['plan']['tolerance'] == 0.8"

echo "services that run already"
other=$(free_port)
"$server" "$port" & others=$!
"$server" "$other" --work 300000 & others="$others $!"
sleep 0.5
# shellcheck disable=SC2086 # $quick is a list of words
{
	expect 0 "" --before-url "http://127.0.0.1:$port" --after-url "http://127.0.0.1:$other" $quick --pairs 6 --json
	json "m['cpu_per_request']['change'] > 1 and m['rss_peak']['before'] > 1 << 18"
	expect 5 "" --before-url "http://127.0.0.1:$port" --after-url "http://127.0.0.1:$other" --load "http://127.0.0.1:$port/a" \
		--load "http://127.0.0.1:$port/b" $quick --pairs 2
	kill -0 ${others% *} || fail "bench stopped a service that wasn't its own"
	expect 2 "something to compare with" --before-url "http://127.0.0.1:$port" $quick
}

echo "one alone, saturation, replay, headers and weights"
url=http://127.0.0.1:$port/
expect 0 "client: 90 requests" load "$url" --rate 300 --duration 300ms --warmup 0 --idle 0
expect 0 "" load "$url" --rate max --connections 4 --duration 300ms --warmup 50ms --idle 0 --json
json "pairs[0]['service']['completed'] > 300 and d['conditions']['load']['arrivals'] == 'saturation'"
printf '0.5 GET /a\n0.6 POST /b a body\n0.8 GET /a\n0.8 GET /missing\n' >"$dir/log"
expect 0 "" load "$url" --replay "$dir/log" --warmup 0 --idle 0 --json
json "pairs[0]['service']['requests'] == 4 and 0.2 < pairs[0]['service']['errors'] < 0.3"
json "abs(pairs[0]['service']['seconds'] - 0.3) < 0.25"
for i in 1 2 3; do
	echo "127.0.0.1 - - [25/Nov/2026:22:13:0$i +0000] \"GET /x$i HTTP/1.1\" 200 12 \"-\" \"x\""
done >"$dir/access"
expect 0 "" load "$url" --replay "$dir/access" --replay-speed 10 --warmup 0 --idle 0 --json
json "pairs[0]['service']['requests'] >= 2 and pairs[0]['service']['seconds'] < 1"
sed -i 1d "$dir/log"
echo "not a line" >>"$dir/log"
expect 3 "log:4: expected" load "$url" --replay "$dir/log"
printf 'x3 POST /items body\n  X-One: 1\n/missing\n' >"$dir/requests"
printf 'Authorization: Bearer secret\n' >"$dir/headers"
expect 0 "" load "$url" --load-file "$dir/requests" --header "@$dir/headers" --rate 400 --duration 500ms --warmup 0 --idle 0 --json
json "0.1 < pairs[0]['service']['errors'] < 0.4"
expect 2 "sets this header itself" load "$url" --rate 1 --header 'Content-Length: 3'
echo nonsense >"$dir/headers"
expect 3 "headers: header" load "$url" --rate 1 --header "@$dir/headers"
expect 0 "The highest rate" load "$url" --slo 'p99<=10s' --slo 'errors<=100%' --rate 400000 --duration 100ms --warmup 0 --idle 0 --precision 50 --request-timeout 1s
expect 2 "an objective is absolute" load "$url" --slo 'p99<=+5%'
expect 1 "no rate kept" load "$url" --slo 'p99<=1ns' --rate 4 --duration 300ms --warmup 0 --idle 0

expect 5 "kept 12 connections open" --before "$server $other2" --after "$server $other2 --leak" --load "http://127.0.0.1:$other2/" \
	--connections 12 --rate 300 --duration 300ms --warmup 50ms --idle 200ms --repeats 0 --pairs 1

if command -v nginx >/dev/null; then
	echo "TLS and HTTP/2"
	tls=$(free_port)
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/key.pem" -out "$dir/cert.pem" -days 2 -subj /CN=localhost \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
	mkdir "$dir/logs"
	cat >"$dir/nginx.conf" <<-END
		daemon off;
		worker_processes 1;
		error_log stderr crit;
		pid $dir/nginx.pid;
		events { worker_connections 512; }
		http {
			access_log off;
			client_body_temp_path $dir; proxy_temp_path $dir; fastcgi_temp_path $dir; uwsgi_temp_path $dir; scgi_temp_path $dir;
			server { listen 127.0.0.1:$tls ssl http2; ssl_certificate $dir/cert.pem; ssl_certificate_key $dir/key.pem;
				location / { return 200 "\$server_protocol\n"; } location /missing { return 404; } }
		}
	END
	nginx="nginx -p $dir -c $dir/nginx.conf"
	# shellcheck disable=SC2086
	{
		expect 5 "" --before "$nginx" --after-env X=1 --load "https://127.0.0.1:$tls/" --load "https://127.0.0.1:$tls/missing" \
			--ca-file "$dir/cert.pem" $quick --pairs 1 --json
		json "all(b['requests'] == 90 and b['failed_status'] == 45 and b['failed_connection'] == 0 for p in pairs for b in p.values())"
		json "all(b['cpu_per_request'] > 0 for p in pairs for b in p.values())"
		expect 5 "" --before "$nginx" --after-env X=1 --load "https://127.0.0.1:$tls/" --http2 --insecure $quick --pairs 1 --json
		json "all(b['completed'] > 0 and b['errors'] == 0 for p in pairs for b in p.values()) and d['conditions']['load']['http2']"
		expect 2 "needs an https:// URL" --before "$nginx" --after-env X=1 --load "http://127.0.0.1:$tls/" --http2 $quick
		expect 4 "was not ready" --before "$nginx" --after-env X=1 --load "https://127.0.0.1:$tls/" $quick --pairs 1 --ready-timeout 1s
	}
fi

if command -v go >/dev/null; then
	echo "Go's collector"
	(cd "$source/tests/peers/go_gc" && GOFLAGS=-buildvcs=false go build -o "$dir/go_gc" .) || exit 1
	goport=$(free_port)
	for how in "--metrics /metrics" --go-trace; do
		# shellcheck disable=SC2086
		expect 0 "" --before "$dir/go_gc $goport" --before-env GOGC=20 --after-env GOGC=200 --load "http://127.0.0.1:$goport/" --rate 400 --duration 1200ms \
			--warmup 100ms --idle 0 --repeats 0 --pairs 6 $how --json
		json "m['gc_cycles']['after'] < m['gc_cycles']['before'] and m['gc_pause_mean']['before'] > 0 and 0 < m['gc_cpu']['before'] < 1"
		json "'gc_pause_p99' in m"
	done
fi

echo "earlier results"
expect 0 "" --before "$burn 3" --after "$burn 3" --pairs 8 -o "$dir/old.json" --history "$dir/history" --label one
expect 0 "" --before "$burn 3" --after "$burn 6" --pairs 8 -o "$dir/new.json" --history "$dir/history" --label two
expect 1 "gate cpu<=+10% failed" compare "$dir/old.json" "$dir/new.json" --gate 'cpu<=+10%' --json -o "$dir/compare.html"
json "not d['plan']['paired'] and m['cpu']['verdict'] == 'worse' and m['cpu']['change'] > 0.2"
expect 0 "" compare "$dir/new.json" "$dir/new.json" --variant-name before
expect 3 "no variant third" compare "$dir/old.json" "$dir/new.json" --variant-name third
expect 3 "not a JSON report" compare <(echo '{}') "$dir/new.json"
expect 4 "no/such" compare "$dir/no/such" "$dir/new.json"
expect 2 "two JSON reports" compare "$dir/old.json"
for _ in 1 2 3 4 5; do head -1 "$dir/history"; done >"$dir/long"
for _ in 1 2 3 4 5; do tail -1 "$dir/history"; done >>"$dir/long"
expect 0 "with run 6" trend "$dir/long" -o "$dir/trend.html" -o "$dir/trend.json"
cp "$dir/trend.json" "$dir/out"
json "d['schema'] == 'profuse.bench.trend.v1' and d['metrics']['cpu']['changes'][0]['run'] == 5 and d['metrics']['cpu']['changes'][0]['label'] == 'two'"
echo '{}' >>"$dir/history"
expect 3 "history:3: " trend "$dir/history"
expect 2 "expected load, compare or trend" nonsense

finish

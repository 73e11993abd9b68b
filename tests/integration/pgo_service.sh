#!/usr/bin/env bash
# long: both compilers build the service
# The demo's service: both compilers build it without warnings and their builds answer alike, byte for byte;
# bad requests get the right refusals; pipelining works; SIGTERM ends it with status 0.
set -euo pipefail
source=${PROFUSE_SOURCE_DIR:?}/examples/pgo-service
golden=$PROFUSE_SOURCE_DIR/tests/golden/pgo-service
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

if ! command -v clang-19 >/dev/null; then
	[ "${CI:-}" = true ] && fail "clang-19 is missing"
	echo "skipped: clang-19 is missing" && exit 77
fi

for cc in cc clang-19; do
	make -s -C "$source" OUT="$work/$cc" CC="$cc" CFLAGS="-O1 -g -Werror"
	for set in training evaluation; do
		"$work/$cc/service" --data "$source/data/$set" --replay "$source/data/$set/requests.txt" >"$work/$cc.$set"
		cmp "$work/$cc.$set" "$golden/$set.replay" || fail "$cc: the answers to $set changed: $(cat "$work/$cc.$set")"
	done
done
service=$work/clang-19/service

# once NAME METHOD PATH [FILE]: the response is the golden one.
once() {
	local name=$1
	shift
	"$service" --data "$source/data/training" --once "$@" >"$work/$name"
	diff -u "$golden/$name" "$work/$name" || fail "$*"
}
once search.http GET '/search?q=blunt+router&format=json&limit=2&pretty'
once preview.http POST /render "$source/data/training/preview.json"
once report.http GET '/report/prices?where=price+%3E+300+and+kind+%3D%3D+%22product%22&sort=price'

# refused STATUS METHOD PATH [FILE]
refused() {
	local status=$1
	shift
	"$service" --data "$source/data/training" --once "$@" >"$work/refused"
	[ "$(head -1 "$work/refused" | cut -d' ' -f2)" = "$status" ] || fail "$* was not $status: $(head -1 "$work/refused")"
}
head -c 300000 /dev/zero >"$work/large"
echo '{"template": "{% for %}", "data": {}}' >"$work/template"
echo '{"template": "x", "data": [}' >"$work/json"
refused 400 GET /page/%zz
refused 400 GET '/search?q='
refused 400 'GE T' /
refused 400 POST /render "$work/json"
refused 404 GET /nowhere
refused 404 GET /page/none
refused 405 PUT /render "$work/json"
refused 411 POST /render
refused 413 POST /render "$work/large"
refused 422 POST /render "$work/template"
refused 422 GET '/report/stock?where=1+%2F+0'

port=$((20000 + $$ % 10000))
"$service" --data "$source/data/training" --port "$port" 2>"$work/log" &
server=$!
for _ in $(seq 100); do
	grep -q listening "$work/log" && break
	kill -0 "$server" 2>/dev/null || fail "the service ended: $(cat "$work/log")"
	sleep 0.05
done
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' >&3
[ "$(grep -c '^ok' <&3)" = 2 ] || fail "two requests sent at once did not get two answers"
exec 3>&-
"$work/clang-19/load" --port "$port" --rate 100 --seconds 1 "$source/data/training/requests.txt" >"$work/loaded" ||
	fail "under load: $(cat "$work/loaded")"
kill "$server"
wait "$server" || fail "SIGTERM: status $?"
server=
echo "ok: $(head -1 "$work/loaded")"

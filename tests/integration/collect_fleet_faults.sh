#!/bin/bash
# A fleet's collector among services that answer badly, hang, vanish or lie: each is told apart, nothing bad is stored,
# nothing good is lost; and the collector itself killed at random, and out of disk.
# long
set -u
build=$(realpath "$1")
profuse=$build/profuse
source_dir=${PROFUSE_SOURCE_DIR:?}
# shellcheck source=tests/support/fleet.sh
. "$source_dir/tests/support/fleet.sh"
# shellcheck source=tests/support/certificates.sh
. "$source_dir/tests/support/certificates.sh"
generous='budget: {target: 100%, service: 100%, fleet: 100%, trigger_reserve: 0%}'

# serve NAME OPTION…: faulty_server.py with a log in $dir/NAME; its port goes into $served
serve() {
	local name=$1
	shift
	start "$name.server" python3 "$source_dir/tests/tools/faulty_server.py" "$dir/$name" "$@"
	first_line served "$name.server"
	echo "$served" >"$dir/$name.port"
}

# --- every kind of bad answer, one target each ---
make_certificates
serve peer
serve first --peer "$dir/peer.port"
serve expired --tls "$dir/expired.pem" "$dir/expired.key"
serve tls --tls "$dir/server.pem" "$dir/server.key"
printf 's3cret-token\n' >"$dir/token"
printf 'secret pass\n' >"$dir/password"
cat >"$dir/kinds.txt" <<'KINDS'
html no_profile
prose no_profile
packed_prose no_profile
empty no_profile
broken_text no_profile
cut_text no_profile
truncated_gzip no_profile
truncated_proto no_profile
bomb no_profile
announced_huge too_big
endless too_big
hang_before timeout
hang_in_body stalled
reset cut
no_answer cut
short cut
not_http cut
endless_headers cut
unauthorized auth
forbidden auth
unknown absent
write_timeout write_timeout
long_error http
nasty_error http
busy_always busy
much_later busy
around redirect
to_nowhere redirect
to_file redirect
to_userinfo redirect
to_peer auth
plain ok
encoded ok
chunked ok
slow ok
no_samples ok
heap_text ok
busy_twice ok
later ok
needs_bearer ok
to_here ok
to_peer_good ok
KINDS
{
	echo "$generous"
	echo 'breaker: {failures: 100%, attempts: 1000}'
	echo 'global: {scrape_interval: 60s, seconds: 1, scrape_timeout: 4s}'
	echo 'scrape_configs:'
	while read -r kind want; do
		patience=4s
		[ "$kind" != hang_in_body ] || patience=40s
		cat <<-YAML
			  - job_name: $kind
			    profile_path: /$kind/
			    max_size: 8MiB
			    scrape_timeout: $patience
			    authorization: {credentials_file: token}
			    static_configs: [{targets: ['127.0.0.1:$(cat "$dir/first.port")']}]
		YAML
	done <"$dir/kinds.txt"
	cat <<-YAML
		  - {job_name: dns, static_configs: [{targets: ['no-such-host.invalid:80']}]}
		  - {job_name: connect, static_configs: [{targets: ['127.0.0.1:1']}]}
		  - {job_name: no_tls, scheme: https, static_configs: [{targets: ['127.0.0.1:$(cat "$dir/first.port")']}]}
		  - {job_name: expired, scheme: https, tls_config: {ca_file: ca.pem}, static_configs: [{targets: ['127.0.0.1:$(cat "$dir/expired.port")']}]}
		  - {job_name: untrusted, scheme: https, static_configs: [{targets: ['127.0.0.1:$(cat "$dir/tls.port")']}]}
		  - {job_name: wrong_name, scheme: https, tls_config: {ca_file: ca.pem, server_name: other.example}, static_configs: [{targets: ['127.0.0.1:$(cat "$dir/tls.port")']}]}
		  - {job_name: basic, profile_path: /needs_basic/, basic_auth: {username: ann, password_file: password}, static_configs: [{targets: ['127.0.0.1:$(cat "$dir/first.port")']}]}
		  - {job_name: proxied, types: [heap], proxy_url: 'http://127.0.0.1:$(cat "$dir/first.port")', static_configs: [{targets: ['elsewhere.invalid:80']}]}
		  - {job_name: trusted, scheme: https, tls_config: {ca_file: ca.pem}, static_configs: [{targets: ['127.0.0.1:$(cat "$dir/tls.port")']}]}
	YAML
} >"$dir/kinds.yaml"
printf '%s\n' 'dns dns' 'connect connect' 'no_tls tls' 'expired tls' 'untrusted tls' 'wrong_name tls' 'trusted ok' \
	'basic ok' 'proxied ok' >>"$dir/kinds.txt"
collector kinds "$dir/kinds.yaml" --store "$dir/kinds"
judged() {
	curl -s "http://127.0.0.1:$port/targets" -o "$dir/targets.json"
	python3 - "$dir/kinds.txt" "$dir/targets.json" "${1:-}" <<-'PY'
		import json, sys
		want = dict(line.split() for line in open(sys.argv[1]))
		got = {t["job"]: t for t in json.load(open(sys.argv[2]))["targets"]}
		bad = {}
		for kind, reason in want.items():
		    t = got[kind]
		    if t["last"] != reason or (reason == "ok") != (t["stored"] > 0):
		        bad[kind] = f'{t["last"]} and {t["stored"]} stored instead of {reason}: {t["error"]}'
		if sys.argv[3]:
		    print("\n".join(f"{k}: {v}" for k, v in bad.items()))
		sys.exit(len(bad) > 0)
	PY
}
within 100 judged || give_up "$(judged show)"
kinds_pid=$pid
# Credentials went to the first server only, whatever it said.
check test "$(grep -c 'auth=yes' "$dir/peer")" = 0
check grep -q '/needs_bearer auth=no' "$dir/peer"
check grep -q 'auth=yes' "$dir/first"
check test "$(grep -c 's3cret\|hunter2\|secret pass' "$dir/kinds.log")" = 0
LC_ALL=C grep -q '[[:cntrl:]]' <(tr -d '\n' <"$dir/kinds.log") && fail 'control characters in the log'
stop "$kinds_pid"
check "$profuse" store verify --store "$dir/kinds" --decode

# --- many instances, two in five of them behaving badly; never two CPU profiles of one at once ---
start fleet "$build/tests/tools/fleet_server" --size 3000 --faults 0.4
first_line fleet fleet
targets() { # targets N: that many instances as a file_sd list
	python3 - "$1" "$fleet" <<-'PY'
		import json, sys
		n, port = int(sys.argv[1]), sys.argv[2]
		print(json.dumps([{"targets": [f"127.{1 + i // 62500}.{i // 250 % 250}.{1 + i % 250}:{port}" for i in range(k, n, 20)],
		                   "labels": {"service": f"s{k}"}} for k in range(20)]))
	PY
}
stats() { curl -s "http://127.0.0.1:$fleet/stats" | python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }
targets 200 >"$dir/list.json"
cat >"$dir/fleet.yaml" <<YAML
$generous
breaker: {failures: 80%, attempts: 20, pause: 2s}
global: {scrape_interval: 4s, seconds: 1, scrape_timeout: 3s, types: [cpu, heap]}
scrape_configs: [{job_name: fleet, file_sd_configs: [{files: [list.json]}]}]
YAML
# two jobs have the same instances: still never two profiles at once
{
	cat "$dir/fleet.yaml"
	echo '  - {job_name: again, types: [cpu], file_sd_configs: [{files: [list.json]}]}'
} >"$dir/twice.yaml"
sed -i 's/^scrape_configs: \[\(.*\)\]$/scrape_configs:\n  - \1/' "$dir/twice.yaml"
collector many "$dir/twice.yaml" --store "$dir/many" --log-level debug
many=$pid
eventually 90 at_least profiles_stored_total 600
check test "$(stats broken_rules)" = 0
check test "$(stats faulty)" -ge 50
curl -s "http://127.0.0.1:$port/metrics" >"$dir/many.metrics"
for outcome in ok cut no_profile http connect timeout busy; do
	check grep -q "attempts_total{outcome=\"$outcome\"} [1-9]" "$dir/many.metrics"
done
kill -TERM "$many"
wait "$many"
check test $? = 0
check all_stored "$dir/many" "$dir/many.log"
check "$profuse" store verify --store "$dir/many" --decode
stop "${pids[-2]}"

# --- kill -9 at random moments: what was said to be stored is there ---
start fleet2 "$build/tests/tools/fleet_server" --size 20000
first_line fleet fleet2
targets 100 >"$dir/list.json"
sed -i 's/scrape_interval: 4s/scrape_interval: 2s/' "$dir/fleet.yaml"
for round in 1 2 3 4 5; do
	start "killed$round" "$profuse" collect --config "$dir/fleet.yaml" --listen none --store "$dir/killed" --log-level debug
	eventually 30 grep -q 'msg=stored' "$dir/killed$round.log"
	sleep "$((RANDOM % 3)).$((RANDOM % 10))"
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
done
check "$profuse" store verify --store "$dir/killed" --decode
check all_stored "$dir/killed" "$dir"/killed?.log

# --- a full disk: collection pauses, says so, and goes on when there is room ---
mkdir "$dir/small"
if mount -t tmpfs -o size=6m tmpfs "$dir/small" 2>/dev/null; then
	head -c 3500000 /dev/zero >"$dir/small/ballast"
	collector full "$dir/fleet.yaml" --store "$dir/small/store" --log-level debug
	full=$pid
	failing() { [ "$(metric store_failing)" = 1 ]; }
	eventually 90 failing
	check test "$(curl -s -o "$dir/health" -w '%{http_code}' "http://127.0.0.1:$port/healthz")" = 503
	check grep -q 'No space left' "$dir/health"
	# The catalog has no room either: what was promised is listed nevertheless, and is sound.
	said=$(grep -c 'msg=stored' "$dir/full.log")
	listed_all() { [ "$(listed --store "$dir/small/store")" -ge "$said" ]; }
	eventually 20 listed_all
	check "$profuse" store verify --store "$dir/small/store" --decode
	rm "$dir/small/ballast"
	promised=$(metric profiles_stored_total)
	works() { [ "$(metric store_failing)" = 0 ] && [ "$(metric profiles_stored_total)" -gt "$promised" ]; }
	eventually 60 works
	kill -TERM "$full"
	wait "$full"
	check all_stored "$dir/small/store" "$dir/full.log"
	check "$profuse" store verify --store "$dir/small/store" --decode
	umount "$dir/small"
else
	echo "no tmpfs may be mounted here: the full disk is not tested"
fi

# --- two collectors with a store each, on the same targets: read together, nothing counts twice; shards share them out ---
start one "$profuse" collect --config "$dir/fleet.yaml" --listen none --store "$dir/one"
one=$pid
start two "$profuse" collect --config "$dir/fleet.yaml" --listen none --store "$dir/two"
two=$pid
both_have() { [ -e "$dir/two/format" ] && [ "$(listed --store "$dir/one" --type cpu)" -ge 100 ] && [ "$(listed --store "$dir/two" --type cpu)" -ge 100 ]; }
eventually 60 both_have
stop "$one"
stop "$two"
"$profuse" store list --store "$dir/one" --store "$dir/two" --type cpu --json 2>/dev/null | python3 -c '
import json, sys
o = json.load(sys.stdin)
last = {}
for p in o["profiles"]:
    end = last.get(p["instance"], 0)
    assert p["start_nanos"] >= end - 0.02 * p["duration_nanos"], p
    last[p["instance"]] = p["start_nanos"] + p["duration_nanos"]
n = o["left_out_overlapping"] + o["left_out_same"]
print("together", o["count"], "left out", n)
sys.exit(n < 50)' || fail 'windows overlap, or none were left out'
checks=$((checks + 1))
for shard in 0 1; do
	collector "shard$shard" "$dir/fleet.yaml" --store "$dir/shard$shard" --shard "$shard/2"
	curl -s "http://127.0.0.1:$port/targets" | grep -o '"instance": "[^"]*"' >"$dir/shard$shard.targets"
	stop "$pid"
done
check test "$(sort "$dir"/shard[01].targets | uniq | wc -l)" = 100
check test "$(cat "$dir"/shard[01].targets | wc -l)" = 100

# --- 5,000 targets go down at once, and come back ---
targets 5000 >"$dir/list.json"
sed -i 's/scrape_interval: 2s/scrape_interval: 20s/; s/types: \[cpu, heap\]/types: [heap]/' "$dir/fleet.yaml"
collector down "$dir/fleet.yaml" --store "$dir/down"
eventually 60 at_least profiles_stored_total 2000
curl -s "http://127.0.0.1:$fleet/down?share=1" >/dev/null
open() { curl -s "http://127.0.0.1:$port/metrics" | grep -c 'service_breaker_open{.*} 1'; }
all_open() { [ "$(open)" -ge 20 ]; }
eventually 60 all_open
check curl -sf "http://127.0.0.1:$port/healthz" -o /dev/null
curl -s "http://127.0.0.1:$fleet/down?share=0" >/dev/null
none_open() { [ "$(open)" = 0 ]; }
eventually 90 none_open
before=$(metric profiles_stored_total)
eventually 90 at_least profiles_stored_total $((before + 1000))
stop "$pid"
check "$profuse" store verify --store "$dir/down"
finish

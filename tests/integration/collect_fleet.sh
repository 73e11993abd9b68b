#!/bin/bash
# profuse collect --config against real services: a Go program, a C program with our agent, nginx with TLS and client
# certificates in front of one; lists of targets that change, a configuration that goes bad, and what the store holds.
# long
set -u
build=$(realpath "$1")
profuse=$build/profuse
source_dir=${PROFUSE_SOURCE_DIR:?}
# shellcheck source=tests/support/fleet.sh
. "$source_dir/tests/support/fleet.sh"
# shellcheck source=tests/support/certificates.sh
. "$source_dir/tests/support/certificates.sh"

if ! command -v go >/dev/null; then
	echo "Go is not installed: its services are not collected from"
	[ "${CI:-}" != true ] || exit 1
	exit 77
fi
(cd "$source_dir/tests/peers/go_service" && GOFLAGS=-buildvcs=false go build -o "$dir/go_service" .) || exit 1
start go_a "$dir/go_service" 127.0.0.1:0
first_line go_a go_a
start go_b "$dir/go_service" 127.0.0.1:0
first_line go_b go_b
repeat load_a curl -sf -m 10 "http://127.0.0.1:$go_a/work?id=4bf92f3577b34da6a3ce929d0e0e4736"
repeat load_b curl -sf -m 10 "http://127.0.0.1:$go_b/work?id=other"

# A C program with the agent says where it listens by itself: PROFUSE_RUN_DIR holds a list for file_sd_configs.
mkdir "$dir/run" "$dir/lists"
if [ -e "$build/libprofuse-agent.so" ]; then
	start burn env LD_PRELOAD="$build/libprofuse-agent.so" PROFUSE_PORT=auto PROFUSE_RUN_DIR="$dir/run" \
		"$build/tests/tools/burn" 1000000
fi

make_certificates
nginx_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$dir/nginx.conf" <<NGINX
daemon off; pid $dir/nginx.pid; error_log $dir/nginx.error; worker_processes 1;
events {}
http {
	access_log off;
	client_body_temp_path $dir/n1; proxy_temp_path $dir/n2; fastcgi_temp_path $dir/n3; uwsgi_temp_path $dir/n4;
	scgi_temp_path $dir/n5;
	server {
		listen 127.0.0.1:$nginx_port ssl;
		ssl_certificate $dir/named.pem; ssl_certificate_key $dir/named.key;
		ssl_client_certificate $dir/ca.pem; ssl_verify_client on;
		location / {
			if (\$http_cookie != "session=abc") { return 403; }
			if (\$http_x_tenant != "blue") { return 403; }
			if (\$http_authorization != "Bearer tok") { return 401; }
			proxy_pass http://127.0.0.1:$go_b;
		}
	}
}
NGINX
printf 'tok\n' >"$dir/token"
start nginx nginx -p "$dir" -e "$dir/nginx.error" -c "$dir/nginx.conf"

start http_sd python3 -c '
import http.server, json, sys
class Lists(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps([{"targets": ["127.0.0.1:" + sys.argv[1]], "labels": {"service": "listed"}}]).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Lists)
print(server.server_port, flush=True)
server.serve_forever()' "$go_b"
first_line http_sd http_sd

write_config() {
	cat >"$dir/fleet.yaml" <<YAML
global: {scrape_interval: 5s, seconds: 1, types: [cpu, heap, goroutine, mutex], external_labels: {region: lab}}
budget: {target: 100%, service: 100%, fleet: 100%}
scrape_configs:
  - job_name: api
    static_configs: [{targets: ['127.0.0.1:$go_a'], labels: {version: '1.2'}}]
  - job_name: agent
    types: [cpu, heap]
    file_sd_configs: [{files: [run/*.json]}]
  - job_name: lists
    types: [goroutine]
    file_sd_configs: [{files: [lists/*.yml]}]
  - job_name: secured
    scheme: https
    types: [heap]
    static_configs: [{targets: ['127.0.0.1:$nginx_port']}]
    tls_config: {ca_file: ca.pem, cert_file: client.pem, key_file: client.key, server_name: service.example}
    authorization: {credentials_file: token}
    headers: {X-Tenant: blue}
    cookie: session=abc
  - job_name: found
    types: [goroutine]
    http_sd_configs: [{url: 'http://127.0.0.1:$http_sd/', refresh_interval: 1s}]
$1
YAML
}
write_config ''
check "$profuse" collect --config "$dir/fleet.yaml" --check-config
collector fleet "$dir/fleet.yaml" --store "$dir/store" --log-level debug
collector_pid=$pid

has() { [ "$(listed --store "$dir/store" "${@:2}")" -ge "$1" ]; }
eventually 60 has 1 --service api --type cpu
eventually 60 has 1 --service api --type mutex --label region=lab --version 1.2
eventually 60 has 1 --service secured --type heap
eventually 60 has 1 --service listed --type goroutine
if [ -e "$build/libprofuse-agent.so" ]; then
	eventually 60 has 1 --service burn --type cpu
fi

# Lists are live: a target added to one is collected from, and one removed no longer is.
printf -- '- {targets: ["127.0.0.1:%s"], labels: {service: live}}\n' "$go_b" >"$dir/lists/a.yml.new"
mv "$dir/lists/a.yml.new" "$dir/lists/a.yml"
eventually 60 has 1 --service live
printf -- '- {targets: [' >"$dir/lists/a.yml" # a broken list changes nothing
eventually 30 grep -q 'targets can.t be read; those known before stay' "$dir/fleet.log"
check test "$(metric targets)" -ge 5
rm "$dir/lists/a.yml"
live_gone() { [ "$(curl -s "http://127.0.0.1:$port/targets" | grep -c '"job": "lists"')" = 0 ]; }
eventually 30 live_gone

# A bad configuration is told with its lines, and the one before stays in force; then a good one is taken over.
write_config '  - {job_name: api, sample: none}'
eventually 30 grep -q 'sample: expected a number of instances' "$dir/fleet.log"
check test "$(metric config_last_reload_successful)" = 0
check grep -q 'fleet.yaml:2[0-9]*: scrape_configs\[5\]' "$dir/fleet.log"
check curl -sf "http://127.0.0.1:$port/healthz" -o /dev/null
write_config ''
reloaded() { [ "$(metric config_last_reload_successful)" = 1 ]; }
eventually 30 reloaded
before=$(metric config_reloads_total)
kill -HUP "$collector_pid"
more_reloads() { [ "$(metric config_reloads_total)" -gt "$before" ]; }
eventually 30 more_reloads

# What the collector says of itself.
curl -s "http://127.0.0.1:$port/metrics" >"$dir/metrics"
if command -v promtool >/dev/null; then
	check promtool check metrics <"$dir/metrics" >"$dir/promtool" 2>&1 || cat "$dir/promtool"
fi
"$profuse" collect status --listen "127.0.0.1:$port" >"$dir/status"
check grep -q 'healthy' "$dir/status"
check grep -q '^api .* closed' "$dir/status"
# On a terminal it goes on showing.
start live script -qec "'$profuse' collect status --listen 127.0.0.1:$port" /dev/null
shown_twice() { [ "$(grep -c healthy "$dir/live.out")" -ge 2 ]; }
eventually 30 shown_twice
end_now "$pid"
"$profuse" collect status --listen "127.0.0.1:$port" --json | python3 -c '
import json, sys
o = json.load(sys.stdin)
assert list(o)[0] == "schema" and o["schema"] == "profuse.collect.v1" and o["healthy"], o
assert o["counts"]["stored"] > 0 and o["budget"]["fleet_overhead"] > 0, o' || fail 'status --json'
checks=$((checks + 1))

# Two collectors on one store: the second says who has it.
"$profuse" collect --config "$dir/fleet.yaml" --listen none --store "$dir/store" 2>"$dir/second"
check test $? = 4
check grep -q "is in use: process $collector_pid writes to it" "$dir/second"

# Not on other addresses than loopback, unless with a token; then only with it.
"$profuse" collect --config "$dir/fleet.yaml" --listen 0.0.0.0:0 --store "$dir/other" 2>"$dir/open"
check test $? = 2
check grep -q 'give listen_token_file' "$dir/open"
collector guarded "$dir/fleet.yaml" --store "$dir/other" --listen-token-file "$dir/token"
guarded_port=$port guarded=$pid
check test "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$guarded_port/metrics")" = 401
check test "$(curl -s -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer to' "http://127.0.0.1:$guarded_port/status")" = 401
check test "$(curl -s -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer tok' "http://127.0.0.1:$guarded_port/metrics")" = 200
check "$profuse" collect status --listen "127.0.0.1:$guarded_port" --listen-token-file "$dir/token" >"$dir/guarded.status"
stop "$guarded"

# No secret in any log.
check test "$(cat "$dir"/*.log "$dir"/*.out | grep -c 'session=abc\|Bearer tok\|: tok$')" = 0

# The store beside the running collector, and after it.
eventually 60 has 2 --service api --type cpu
eventually 60 has 1 --service api --type cpu --trace 4bf92f3577b34da6a3ce929d0e0e4736
check "$profuse" store get --store "$dir/store" --trace 4bf92f3577b34da6a3ce929d0e0e4736 --service api --type cpu -o "$dir/trace.pb.gz"
"$profuse" show raw "$dir/trace.pb.gz" >"$dir/trace.raw"
check grep -q 'trace_id:\[4bf92f3577b34da6a3ce929d0e0e4736\]' "$dir/trace.raw"
check test "$(grep -c 'trace_id:\[other' "$dir/trace.raw")" = 0
kill -TERM "$collector_pid"
wait "$collector_pid"
check test $? = 0
check "$profuse" store verify --store "$dir/store" --decode
check "$profuse" store merge --store "$dir/store" --service api --type cpu --scale-by duration -o "$dir/merged.pb.gz"
go tool pprof -top "$dir/merged.pb.gz" >"$dir/top" 2>&1
check grep -q 'main.fib' "$dir/top"
go tool pprof -raw "$dir/merged.pb.gz" >"$dir/merged.raw" 2>&1
check test "$(grep -c 'trace_id' "$dir/merged.raw")" = 0
check "$profuse" show top --store "$dir/store" --service api --type heap --latest
check "$profuse" convert --store "$dir/store" --service api --since 1h --format go-pgo -o "$dir/api.pgo"
if [ -e "$build/libprofuse-agent.so" ]; then
	check "$profuse" store export --store "$dir/store" --service burn --type cpu -o "$dir/exported"
fi
check all_stored "$dir/store" "$dir/fleet.log"
# Each visit was one of its own: nothing is left out as measured twice.
"$profuse" store list --store "$dir/store" --json 2>/dev/null >"$dir/list.json"
check grep -q '"left_out_overlapping": 0' "$dir/list.json"
finish

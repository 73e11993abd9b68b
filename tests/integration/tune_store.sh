#!/bin/bash
# `profuse tune --store`: a leaking and a healthy instance of one Go service, and another service, collected for a while with
# a trigger: the leak is found in the process that has it, the report says which triggers asked for profiles and why.
# long
set -u
build=$(realpath "$1")
profuse=$build/profuse
source_dir=${PROFUSE_SOURCE_DIR:?}
# shellcheck source=tests/support/fleet.sh
. "$source_dir/tests/support/fleet.sh"

if ! command -v go >/dev/null; then
	echo "Go is not installed: tuning from a store is not tested"
	[ "${CI:-}" != true ] || exit 1
	exit 77
fi
(cd "$source_dir/tests/peers/go_faults" && GOFLAGS=-buildvcs=false go build -o "$dir/go_faults" .) || exit 1
export ADDRESS=127.0.0.1:0
# A heap profile is as old as the last collection: a small GOGC makes them often, as those of a busy service are.
for service in leaking:leak:20 well:healthy:100 other:sleepers:100; do
	IFS=: read -r name fault gogc <<<"$service"
	start "$name" env GOGC="$gogc" "$dir/go_faults" "$fault" - 0
	first_line "$name" "$name"
done
# shellcheck disable=SC2154
cat >"$dir/fleet.yaml" <<YAML
budget: {target: 100%, service: 100%, fleet: 100%}
scrape_configs:
  - {job_name: shop, scrape_interval: 2s, seconds: 1, types: [cpu, heap, goroutine], static_configs: [{targets: ['$leaking', '$well']}]}
  - {job_name: mail, scrape_interval: 3s, types: [goroutine], static_configs: [{targets: ['$other']}]}
triggers:
  - {name: large, jobs: [shop], metric: go_memstats_heap_inuse_bytes, above: 15e6, interval: 1s, cooldown: 10m, seconds: 1, types: [heap, mutex]}
YAML
collector fleet "$dir/fleet.yaml" --store "$dir/store"
has() { [ "$(listed --store "$dir/store" "${@:2}")" -ge "$1" ]; }
is_seen() { "$profuse" tune --store "$dir/store" --service shop 2>/dev/null | grep -q 'main.recordVisit allocates grew'; }
eventually 120 has 10 --type heap --instance "$leaking"
eventually 120 has 2 --trigger large --instance "$leaking"
eventually 120 has 4 --service mail
eventually 120 is_seen
stop "$pid"

# tune STATUS WORDS OPTION…: this exit status, and the words in what it says
tune() {
	local wanted=$1 words=$2 status=0
	shift 2
	"$profuse" tune "$@" >"$dir/out" 2>"$dir/err" || status=$?
	check test "$status" = "$wanted"
	grep -qF -- "$words" "$dir/out" "$dir/err" || fail "tune $*: does not say '$words': $(cat "$dir/err")"
}
store=(--store "$dir/store")
tune 2 "a report is of one, so choose with --service NAME" "${store[@]}"
tune 2 "leave one out" "${store[@]}" "$source_dir/tests/fixtures/tune/leak"
tune 2 "one running service at a time" --service http://127.0.0.1:1 --service http://127.0.0.1:2
tune 2 "is written in full" --service 127.0.0.1:2121
tune 2 "--label is of a selection" --pid $$ --label a=b
tune 3 "no profile in" "${store[@]}" --service nobody
tune 4 "absent" --store "$dir/absent"
tune 0 "main.recordVisit allocates grew" "${store[@]}" --service shop
tune 0 "It grows in 1 of 2 processes." "${store[@]}" --service shop
tune 0 "large: go_memstats_heap_inuse_bytes is" "${store[@]}" --service shop
for others in "--instance $well" --latest; do # a leak needs a series
	# shellcheck disable=SC2086
	tune 0 "shop: " "${store[@]}" --service shop $others
	check test "$(grep -c 'allocates grew' "$dir/out")" = 0
done
tune 0 "goroutines are asleep in main.waitForRetry" "${store[@]}" --service mail
tune 0 "triggered: " "${store[@]}" --service shop --instance "$leaking" --name triggered
PROFUSE_STORE=$dir/store tune 0 "main.recordVisit" --service shop --type heap

"$profuse" tune "${store[@]}" --service shop -o "$dir/r.html" -o "$dir/r.md" -o "$dir/r.json"
"$profuse" store list "${store[@]}" --service shop --trigger large --json >"$dir/list.json" 2>/dev/null
check python3 - "$dir" "$leaking" <<'PY'
import json
import sys
folder, leaking = sys.argv[1:]
report = json.load(open(f"{folder}/r.json"))
listed = json.load(open(f"{folder}/list.json"))["profiles"]
(finding,) = [f for f in report["findings"] if f["kind"] == "leak"]
assert report["service"]["name"] == "shop", report["service"]
assert leaking in finding["summary"], finding["summary"]
numbers = {n["name"]: n["value"] for n in finding["evidence"]["numbers"]}
assert numbers["processes_growing"] == 1 and numbers["processes_watched"] == 2 and numbers["snapshots"] >= 8, numbers
stored, (firing,) = report["stored"], report["triggers"]
assert stored["instances"] == 2 and stored["of_other_builds"] == 0 and stored["read"] <= stored["selected"], stored
assert len(stored["build_id"]) == 40 and stored["from"] < stored["to"], stored
assert firing["trigger"] == "large" and firing["instance"] == leaking, firing
assert set(firing["types"]) == {"heap", "mutex"} == {p["type"] for p in listed}, firing
assert {p["reason"] for p in listed} == {firing["reason"]}, (firing, listed)
page, text = open(f"{folder}/r.html").read(), open(f"{folder}/r.md").read()
assert firing["reason"] in page and '"triggers"' in page
assert "## Triggers that fired" in text and f"| {firing['time']} | {leaking} | large |" in text, text
PY
if command -v chromium >/dev/null; then
	timeout 120 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$dir/chromium" --virtual-time-budget=5000 \
		--dump-dom "file://$dir/r.html" >"$dir/dom.html" 2>/dev/null
	check grep -q '<td>large</td>' "$dir/dom.html"
	check grep -q "Growth in $leaking" "$dir/dom.html"
fi
finish

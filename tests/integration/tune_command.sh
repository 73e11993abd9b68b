#!/usr/bin/env bash
# `profuse tune` as a pipeline uses it: exit statuses, reports whole or not at all, JSON of the schema, a live Go service
# (with Go), a process, a short search, and a page that a browser draws (with chromium).
set -euo pipefail
build=$(cd "$1" && pwd)
fixtures=${PROFUSE_SOURCE_DIR:?}/tests/fixtures
work=$(mktemp -d)
service=
cleanup() {
	[ -z "$service" ] || kill "$service" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
cd "$work"

fail() {
	echo "tune_command: $*"
	exit 1
}

# expect STATUS WORDS ARGUMENT…: this exit status, and the words in what it says
expect() {
	local wanted=$1 words=$2 status=0
	shift 2
	"$build/profuse" tune "$@" >out 2>err || status=$?
	[ "$status" = "$wanted" ] || fail "tune $*: exit $status, not $wanted: $(cat err)"
	grep -qF -- "$words" out err || fail "tune $*: does not say '$words': $(cat err)"
}

leak=$fixtures/tune/leak
expect 2 "needs something to judge"
expect 2 "must end in .html, .md or .json" "$leak" -o report.pdf
expect 2 "there are cpu, rss, idle and p99" --try true --weight wall=1
expect 2 "there are glibc, jemalloc" --try true --allocators hoard
expect 2 "rss_peak<=512MiB" --try true --cap 'rss_peak<512'
expect 2 "--try CMD is missing" "$leak" --grid 2
expect 4 "absent.pb.gz" absent.pb.gz
expect 3 "notes" --stats <(echo notes)
head -c 700 "$leak/heap-7.pb.gz" >cut.pb.gz
expect 3 "cut.pb.gz" cut.pb.gz
expect 4 "no/such" "$leak/heap-7.pb.gz" -o no/such/report.json
expect 0 "Nothing in this evidence" "$fixtures/tune/healthy"
expect 0 "recordVisit" "$leak"
expect 0 "recordVisit" --base "$leak/heap-0.pb.gz" "$leak/heap-7.pb.gz"
expect 0 "bash: 0 findings" --pid $$

"$build/profuse" tune "$leak" --name 'shop <b>' -o r.html -o r.md -o r.json
"$build/profuse" tune "$leak" --json >out.json
python3 - <<'PY'
import json
report = json.load(open("out.json"))
assert list(report)[0] == "schema" and report["schema"] == "profuse.tune.v1", list(report)
finding = report["findings"][0]
assert finding["kind"] == "leak" and finding["severity"] in ("low", "medium", "high"), finding
assert "main.recordVisit" in finding["evidence"]["stacks"][0]["functions"], finding["evidence"]
assert finding["title"] and finding["advice"] and finding["predicted"] and finding["confidence"] == "high"
assert json.load(open("r.json"))["service"]["name"] == "shop <b>"
page = open("r.html").read()
assert "<b>" not in page.split("</title>")[1] and "main.recordVisit" in page and '"growth"' in page
assert "shop \\<b\\>" in open("r.md").read()
PY

"$build/profuse" tune "$fixtures/tune/churn" --name checkout --cores-used 120 -o churn.json
"$build/profuse" tune --fleet r.json churn.json >fleet.txt
grep -q '^checkout .* 18.' fleet.txt && grep -q '^2 services: up to 18' fleet.txt || fail "the fleet's table: $(cat fleet.txt)"
echo "{}" >other.json
expect 3 "no report of profuse tune" --fleet other.json
expect 2 "no page" --fleet r.json -o fleet.html

# A search: today's setting and a few others of glibc, on a program that allocates.
cc -O2 -D_GNU_SOURCE -o workload "$PROFUSE_SOURCE_DIR/tests/quality/tuner/workload.c" -lpthread
expect 4 "today" --try ./absent-program --allocators glibc
expect 4 "today" --try false --allocators glibc
"$build/profuse" tune --try './workload small --scale 0.01' --allocators glibc --seed 7 --pairs 8 --json >search.json
python3 - <<'PY'
import json
search = json.load(open("search.json"))["search"]
names = [s["name"] for s in search["settings"]]
assert names[0] == "today" and "glibc arenas 1" in names and len(names) == 12, names
assert search["seed"] == 7 and search["runs"] >= 12 and search["verdict"]
for v in search["validations"]:  # nothing is recommended that its interval does not bear out
    assert v["supported"] == (v["high"] is not None and v["high"] < 0), v
if search["recommended"]:
    assert search["validations"][-1]["supported"] and search["environment"]
PY

if command -v go >/dev/null; then
	(cd "$PROFUSE_SOURCE_DIR/tests/peers/go_faults" && go build -o "$work/go_faults" .)
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	ADDRESS=127.0.0.1:$port ./go_faults sleepers - 0 2>service.log &
	service=$!
	for _ in $(seq 200); do
		curl -fs "http://127.0.0.1:$port/debug/pprof/" >/dev/null && break
		sleep 0.05
	done
	expect 0 "5000 goroutines are asleep in main.waitForRetry" --service "http://127.0.0.1:$port" --seconds 1
	kill "$service"
	wait "$service" 2>/dev/null || true
	service=
	expect 4 "$port" --service "http://127.0.0.1:$port" --seconds 1
else
	echo "without go: a live service is not looked at"
fi

browser=$(command -v chromium || command -v chromium-browser || true)
if [ -n "$browser" ]; then
	timeout 120 "$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
		--user-data-dir="$work/browser" --virtual-time-budget=4000 --dump-dom "file://$work/r.html" >dom 2>browser.log
	grep -q '<h1 id="title">Tuning report: shop &lt;b&gt;</h1>' dom || fail "the page does not draw its title"
	grep -q 'class="card high"' dom && grep -q '<polyline' dom && grep -q 'class="bar"' dom ||
		fail "the page lacks findings, growth or flame graph"
else
	echo "without chromium: the page is not drawn"
fi
echo "tune_command: all as the contract says"

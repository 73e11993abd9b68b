#!/usr/bin/env bash
# `profuse tune` as a pipeline uses it: exit statuses, reports whole or not at all, JSON of the schema, a live Go service
# (with Go), a process, a short search, and a page that a browser draws (with chromium).
set -euo pipefail
build=$(cd "$1" && pwd)
fixtures=${PROFUSE_SOURCE_DIR:?}/tests/fixtures
work=$(mktemp -d)
service= other=
cleanup() {
	[ -z "$service" ] || kill "$service" $other 2>/dev/null || true
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
expect 2 "--weight p99: that is measured of a service under load only" --try 'touch began' --weight cpu=1,p99=0.5
expect 2 "--weight idle: that is measured of a service under load only" --try 'touch began' --weight idle=1
expect 2 "--cap p99: that is measured of a service under load only" --try 'touch began' --cap 'p99<=5ms'
[ ! -e began ] || fail "a search began for what it can't measure"
expect 2 "at least 6 are needed" --try true --pairs 5
expect 2 "at least 6 are needed" --try true --pairs 0
expect 4 "no/such/report.html" --try 'touch began' -o report.md -o no/such/report.html
{ [ ! -e began ] && [ ! -e report.md ]; } || fail "a search began though its report can't be written"
expect 2 "--try CMD is missing" "$leak" --grid 2
expect 2 "--try CMD is missing" "$leak" --weight cpu=1
expect 2 "--runs 0: at least one run" --try true --runs 0
expect 2 "--grid 0: at least one run" --try true --grid 0
expect 4 "--pid 2147483647: there is no such process" --pid 2147483647
expect 2 "--pid 0: no such process number" --pid 0
# A process that has ended, and is not waited for yet.
python3 -c 'import os, sys, time
ended = os.fork()
if not ended:
    os._exit(0)
print(ended, flush=True)
time.sleep(60)' >ended.pid &
parent=$!
for _ in $(seq 100); do [ -s ended.pid ] && break; sleep 0.1; done
sleep 0.2
expect 4 "it has ended meanwhile" --pid "$(cat ended.pid)"
kill "$parent"
expect 2 "--memory-limit 12: bytes, of which no service has so few; write 12MiB" "$leak" --memory-limit 12
python3 -c 'import random, sys; sys.stdout.buffer.write(random.Random(5).randbytes(100000))' >noise
expect 3 "nothing else that is known" noise
expect 2 "one earlier state at a time" --base "$leak/heap-0.pb.gz" --base "$leak/heap-1.pb.gz" "$leak/heap-7.pb.gz"
expect 3 "they are not one program; leave --pid out" "$leak/heap-7.pb.gz" --pid $$
expect 0 "--binary $(command -v cat) gives no names: no profile here has a binary of its build id" "$leak/heap-7.pb.gz" --binary "$(command -v cat)"
expect 4 "127.0.0.1:1" --service http://127.0.0.1:1 --seconds 1
[ "$(wc -l <err)" = 1 ] || fail "an unreachable service is said once: $(cat err)"
expect 2 "--runs bounds a search" --try true --runs 50 --grid 2
expect 4 "absent.pb.gz" absent.pb.gz
expect 3 "notes\", nor one of the statistics" --stats <(echo notes)
head -c 700 "$leak/heap-7.pb.gz" >cut.pb.gz
expect 3 "cut.pb.gz" cut.pb.gz
expect 4 "no/such" "$leak/heap-7.pb.gz" -o no/such/report.json
expect 0 "No known problem was found in this evidence" "$fixtures/tune/own-frees"
expect 0 "No known problem was found in what could be judged." "$fixtures/tune/healthy"
expect 0 "needs four heap snapshots of a process, and here are 2; or an earlier one as --base FILE" "$fixtures/tune/healthy"
expect 0 "versions: glibc 2.8 and later" --stats "$fixtures/runtime/glibc.malloc_info.xml" --stats "$fixtures/runtime/glibc.smaps_rollup"
expect 0 "Memory was compared over 3.5 s: a leak of less than about" --base "$fixtures/tune/healthy/heap-0.pb.gz" "$fixtures/tune/healthy/heap-7.pb.gz"
expect 3 "heap-0.pb.gz: can't be compared with anything here" --base "$leak/heap-0.pb.gz" "$fixtures/tune/healthy/cpu.pb.gz"
expect 3 "no other profile is of its kind (cpu)" --base "$fixtures/tune/healthy/cpu.pb.gz" "$leak/heap-7.pb.gz"
expect 0 "recordVisit" "$leak"
expect 0 "recordVisit" --base "$leak/heap-0.pb.gz" "$leak/heap-7.pb.gz"
expect 0 "bash: 0 findings" --pid $$

# Folders of then and now, each with a trace of the collector: what can be compared is, and that traces are not is said.
mkdir then now
cp "$leak/heap-0.pb.gz" "$leak/gctrace.txt" then
cp "$leak/heap-7.pb.gz" "$leak/gctrace.txt" now
expect 0 "recordVisit" --base then now
expect 0 "The base's gctrace (gctrace.txt) was not compared" --base then now
grep -q "heap_in_use\|heap in use" out || fail "what a leak's end brings is not called the heap: $(cat out)"
! grep -q "expected rss" out || fail "a leak's heap is called resident: $(cat out)"

"$build/profuse" tune "$fixtures/tune/healthy" -o r.md -o r.html -o r.json
grep -q "^> Whether memory grows was not judged" r.md || fail "Markdown lacks what was not judged: $(cat r.md)"
grep -q '"not_judged"' r.html || fail "the page lacks what was not judged"
python3 -c 'import json; all = json.load(open("r.json"))["not_judged"]; assert any("four heap snapshots" in s for s in all), all'

# What is watched for 3.6 s is unsure; the same over half an hour.
cp -r "$leak" watched
python3 - <<'PY'
import glob, gzip

def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at

def encoded(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])

for i, name in enumerate(sorted(glob.glob("watched/heap-*.pb.gz"))):
    data, out, at = gzip.open(name).read(), b"", 0
    while at < len(data):
        begin = at
        key, at = varint(data, at)
        value, at = varint(data, at)
        at += value if key & 7 == 2 else 0
        out += data[begin:at] if key != 9 << 3 else b""
    open(name, "wb").write(gzip.compress(out + encoded(9 << 3) + encoded((1_700_000_000 + 240 * i) * 10**9)))
PY
grep -q "confidence unsure" <("$build/profuse" tune "$leak") || fail "3.6 seconds are sure"
leak=watched
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

"$build/profuse" tune "$fixtures/tune/churn/cpu.pb.gz" | grep -qF "profuse show peek 'mallocgc' '$fixtures/tune/churn/cpu.pb.gz'" || fail "a command that works as it stands"
! "$build/profuse" tune "$fixtures/tune/malloc/cpu.pb.gz" --binary "$(command -v cat)" 2>/dev/null | grep "CPU.pb.gz" || fail "a command of no file"
"$build/profuse" tune "$fixtures/tune/requests" >idle.txt
grep -q "^The CPU profile has 10 samples, too few to judge by" idle.txt || fail "an idle service's CPU: $(cat idle.txt)"
"$build/profuse" tune "$fixtures/tune/churn" --name checkout --cores-used 120 -o churn.json
"$build/profuse" tune --fleet r.json churn.json >fleet.txt
grep -q '^checkout .* 15.' fleet.txt && grep -q '^2 services: 15.* cores' fleet.txt || fail "the fleet's table: $(cat fleet.txt)"
for n in 1 2; do "$build/profuse" tune "$fixtures/tune/churn" --name "unknown $n" -o "unknown-$n.json"; done
"$build/profuse" tune --fleet unknown-1.json -o unknown.html -o unknown.md
grep -qF "1 of them would save CPU, but its report doesn't know the cores it uses (--cores-used)." unknown.md || fail "cores of one that aren't known: $(cat unknown.md)"
"$build/profuse" tune --fleet unknown-?.json | grep -qF "2 of them would save CPU, but their reports don't know the cores they use (--cores-used)." || fail "cores of two"
# Two reports of one service are one service: the later one counts, whichever comes first. Without a name they are two.
sed 's/"time": "20../"time": "19/' r.json >older.json
cmp -s r.json older.json && fail "no time to change in r.json"
for order in "older.json r.json" "r.json older.json"; do
	# shellcheck disable=SC2086
	"$build/profuse" tune --fleet $order churn.json >again.txt
	diff <(sed '/^Left out/d' again.txt) fleet.txt || fail "an older report of a service counts"
	grep -q '^Left out, for a later report of the same service is here: older.json$' again.txt || fail "what is left out: $(cat again.txt)"
done
"$build/profuse" tune --fleet older.json r.json --json | python3 -c '
import json, sys
fleet = json.load(sys.stdin)
assert [r["report"] for r in fleet["left_out"]] == ["older.json"] and [s["report"] for s in fleet["services"]] == ["r.json"], fleet'
sed '0,/"name": "[^"]*"/s//"name": "service"/' r.json >unnamed.json
cp unnamed.json unnamed-2.json
"$build/profuse" tune --fleet unnamed.json unnamed-2.json >unnamed.txt
grep -q '^2 services:' unnamed.txt && ! grep -q 'Left out' unnamed.txt || fail "reports without a name: $(cat unnamed.txt)"
echo "{}" >other.json
expect 3 "no report of profuse tune" --fleet other.json
expect 3 "profiles are judged without it" --fleet "$leak/heap-7.pb.gz"
expect 3 "a report of profuse tune, no evidence: --fleet makes a table" r.json
# What stands still comes before whatever could be saved.
"$build/profuse" tune "$fixtures/tune/locked" --name stuck -o stuck.json
"$build/profuse" tune --fleet r.json churn.json stuck.json >stuck.txt
sed -n 2p stuck.txt | grep -q '^stuck .*Deadlock: ' || fail "a deadlock is the first row: $(cat stuck.txt)"
grep -q '1 of them in a deadlock, which comes first' stuck.txt || fail "the total of a fleet that stands still: $(cat stuck.txt)"
# The finding that saves is named where it is not the first.
python3 -c '
import json
report = json.load(open("churn.json"))
first = dict(report["findings"][0], title="A leak, which saves no CPU", cpu_saved=0, predicted=[])
json.dump(dict(report, findings=[first, *report["findings"]]), open("leaking.json", "w"))'
"$build/profuse" tune --fleet leaking.json >saves.txt
! grep -q "what saves" fleet.txt || fail "what saves is named twice: $(cat fleet.txt)"
grep -q 'A leak, which saves no CPU; what saves: .* allocating memory' saves.txt || fail "what saves: $(cat saves.txt)"
expect 4 "no/such" --fleet r.json -o no/such/fleet.html
"$build/profuse" tune "$fixtures/tune/healthy" --name 'quiet</script><b>' -o quiet.json
"$build/profuse" tune --fleet r.json churn.json quiet.json --json -o fleet.html -o fleet.md >fleet.json
python3 - <<'PY'
import json
fleet = json.load(open("fleet.json"))
assert list(fleet)[0] == "schema" and fleet["schema"] == "profuse.tune-fleet.v1", list(fleet)
rows = {s["service"]: s for s in fleet["services"]}
assert [s["service"] for s in fleet["services"]][0] == "checkout", fleet  # the most cores first
for row in rows.values():  # a saving lies within its bounds
    for what in ("cpu", "cores", "bytes"):
        if row[f"{what}_saved"] is not None:
            assert 0 <= row[f"{what}_low"] <= row[f"{what}_saved"] <= row[f"{what}_high"], row
assert rows["shop <b>"]["finding_list"][0]["kind"] == "leak" and rows["quiet</script><b>"]["finding_list"] == []
assert "four heap snapshots" in rows["quiet</script><b>"]["not_judged"][0], rows["quiet</script><b>"]
assert any("quiet" in line and "not all was judged" in line for line in open("fleet.md")), open("fleet.md").read()
for what in ("cores", "bytes"):  # totals are sums
    for end in ("saved", "low", "high"):
        assert abs(fleet[f"{what}_{end}"] - sum(r[f"{what}_{end}"] or 0 for r in rows.values())) < 1e-6, what
assert "shop \\<b\\>" in open("fleet.md").read()
page = open("fleet.html").read()
assert page.count("</script>") == 3, "a service's name ends the data"
assert '"page": "r.html"' in page and '"page": "churn.html"' not in page  # only what is there
PY

# A search: today's setting and a few others of glibc, on a program that allocates.
cc -O2 -D_GNU_SOURCE -o workload "$PROFUSE_SOURCE_DIR/tests/quality/tuner/workload.c" -lpthread
# Interrupted, a search shows what it measured, recommends nothing and says so by its status.
cat >slow_today <<'END'
#!/bin/sh
echo run >>began
[ "$(wc -l <began)" -lt 14 ] || exec sleep 60
END
chmod +x slow_today
: >began
"$build/profuse" tune --try ./slow_today --allocators glibc --seed 3 --json >interrupted.json 2>interrupted.err &
tuning=$!
until [ "$(wc -l <began)" -ge 14 ]; do sleep 0.1; done
kill -TERM "$tuning"
status=0
wait "$tuning" || status=$?
[ "$status" = 5 ] || fail "an interrupted search ended with status $status: $(cat interrupted.err)"
grep -q 'the search was interrupted after' interrupted.err || fail "$(cat interrupted.err)"
python3 - <<'END'
import json
search = json.load(open("interrupted.json"))["search"]
assert search["interrupted"] and search["recommended"] is None, search["verdict"]
assert search["verdict"].startswith("Interrupted after"), search["verdict"]
assert sum(len(s["measured"]) for s in search["settings"]) == search["runs"] + search["validation_runs"] > 0
END
expect 4 "today" --try ./absent-program --allocators glibc
expect 4 "today" --try false --allocators glibc
! grep -q -- "--keep-output" err || fail "an option that tune doesn't have: $(cat err)"
"$build/profuse" tune --try './workload small --scale 0.01' --allocators glibc --seed 7 --pairs 8 --json >search.json
"$build/profuse" tune --try './workload small --scale 0.01' --allocators glibc --seed 7 --pairs 8 >search.txt
head -1 search.txt | grep -q '^workload: .* from a search for settings' || fail "a search's program: $(head -1 search.txt)"
grep -q 'in 24 runs (40 % of a grid of 5 a setting) and [0-9]* to validate; seed 7:' search.txt || fail "what was spent: $(cat search.txt)"
! grep -qE '\b1 (runs|settings|inputs|findings)\b' search.txt || fail "one is many: $(cat search.txt)"
python3 - <<'PY'
import json
search = json.load(open("search.json"))["search"]
names = [s["name"] for s in search["settings"]]
assert names[0] == "today" and "glibc arenas 1" in names and len(names) == 12, names
assert search["seed"] == 7 and search["runs"] == 24 and search["grid_runs"] == 60 and search["verdict"]
for v in search["validations"]:  # nothing is recommended that its interval does not bear out
    assert v["supported"] == (v["high"] is not None and v["high"] < 0), v
if search["recommended"]:
    assert any(v["supported"] and v["setting"] == search["recommended"] for v in search["validations"])
    assert search["environment"]
assert all(len(s["measured"]) == s["runs"] for s in search["settings"])
PY

# A cap that today's settings break: glibc keeps what a program frees once its threshold has risen, and a fixed one gives it
# back, at a price. (The cap is above what bench itself takes, under a sanitizer too: a command inherits its peak.) Who keeps the cap is recommended; where nobody does, that is said. The penalty is nobody's to see.
cat >holes.c <<'EOF'
#include <stdlib.h>
#include <string.h>

int
main(void)
{
	enum { BLOCKS = 400, SIZE = 200 << 10 };
	char *block[BLOCKS], *volatile large = malloc(16 << 20);

	free(large); /* untouched: only raises the threshold */
	for (int i = 0; i < BLOCKS; i++) {
		block[i] = malloc(SIZE);
		*(char *volatile)malloc(64) = 1; /* stays, so that no two holes become one */
	}
	for (int i = 0; i < BLOCKS; i++) {
		memset(block[i], 1, SIZE);
		free(block[i]);
	}
	for (int i = 0; i < 40; i++) {
		large = malloc(1 << 20);
		memset(large, i, 1 << 20);
		free(large);
	}
	return 0;
}
EOF
cc -fno-builtin -o holes holes.c
"$build/profuse" tune --try ./holes --allocators glibc --cap 'rss_peak<=32MiB' --pairs 8 -o cap.json -o cap.md -o cap.html
"$build/profuse" tune --try ./holes --allocators glibc --cap 'rss_peak<=32MiB' --pairs 8 >cap.txt
grep -q "keeps the cap that today's settings break: rss_peak is" cap.txt || fail "a cap kept: $(cat cap.txt)"
grep -q '^  today .* breaks the cap$' cap.txt || fail "that today's settings break the cap: $(cat cap.txt)"
python3 - <<'PY'
import json, re
search = json.load(open("cap.json"))["search"]
assert search["settings"][0]["breaks_cap"] and search["recommended"], search["verdict"]
proof = next(v for v in search["validations"] if v["setting"] == search["recommended"])
peak = next(m for m in proof["metrics"] if m["metric"] == "rss_peak")
assert proof["supported"] and peak["after"] <= 32 << 20 < peak["before"], proof
assert "| " + search["recommended"] + " |" in open("cap.md").read(), "the table lacks what is recommended"
assert "%, breaks the cap |" in open("cap.md").read()
for report in ("cap.txt", "cap.md", "cap.html"):
    assert not re.search(r"[+-]\d{5,}\.\d %", open(report).read()), report
PY
expect 0 "Nothing keeps the cap: with today's settings rss_peak is" --try ./holes --allocators glibc --cap 'rss_peak<=100KiB' --pairs 8

# under_agent [NAME=VALUE…] COMMAND…: in the background, as $service, with its profiles at $port.
under_agent() {
	rm -rf run
	mkdir run
	env "LD_PRELOAD=$build/libprofuse-agent.so" PROFUSE_PORT=auto "PROFUSE_RUN_DIR=$work/run" "$@" &
	service=$!
	for _ in $(seq 200); do
		[ -z "$(ls run)" ] || break
		sleep 0.05
	done
	port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\)".*/\1/p' run/*)
}
end_service() {
	kill "$service"
	wait "$service" 2>/dev/null || true
	service=
}

# A live program of C under the agent: its libc is this machine's and has names without --binary; threads are looked at.
under_agent MALLOC_ARENA_MAX=1 ./workload packets --scale 1000
expect 3 "and the profiles are of workload: they are not one program" --service "http://127.0.0.1:$port" --seconds 1 --pid $$
# Another process of the same program, as a master's worker: what the two do would be mixed.
PROFUSE_AGENT=off ./workload packets --scale 1000 &
other=$!
expect 3 "process $service answers at the address of --service, and not $other" --service "http://127.0.0.1:$port" --seconds 1 --pid $other
kill $other
wait $other 2>/dev/null || true
other=
"$build/profuse" tune --service "http://127.0.0.1:$port" --seconds 3 --json >live.json 2>err
"$build/profuse" collect "http://127.0.0.1:$port" --seconds 2 -o live-cpu.pb.gz 2>err
# One that ends meanwhile is said once, and not by all that it has not answered.
(sleep 2; kill "$service") &
expect 4 "the service went away while it was looked at" --service "http://127.0.0.1:$port" --seconds 5
[ "$(wc -l <err)" = 1 ] || fail "a service that went away: $(cat err)"
wait "$service" 2>/dev/null || true
service=
# What each snapshot of a series lacks is said once, with how often.
under_agent PROFUSE_HEAP=1000000000 "$build/tests/agent/agent_host_peers" >/dev/null
expect 0 "512 KiB unless set) (5 times)" --service "http://127.0.0.1:$port" --seconds 1
end_service
python3 - <<'PY'
import json
report = json.load(open("live.json"))
assert not any("CPU.pb.gz" in (a["how"] or "") for f in report["findings"] for a in f["advice"]), report["findings"]
assert report["service"]["allocator"] == "glibc", report["service"]
assert report["service"]["rss"] > 1 << 20, report["service"]  # the agent's word of the kernel's
assert any("threads?seconds=1" in i for i in report["inputs"]), report["inputs"]
heavy = next(f for f in report["findings"] if f["kind"] == "allocation-heavy")
names = {name for s in heavy["evidence"]["stacks"] for name in s["functions"]}
assert any(n.endswith(("malloc", "free")) for n in names), names  # libc's own
assert any("[workload]" in s and "--binary FILE" in s for s in report["not_judged"]), report["not_judged"]
PY
"$build/profuse" tune live-cpu.pb.gz --binary ./workload >nameless.txt
grep -q "code without function names (.*\[libc.so.6\] [0-9.]* %" nameless.txt || fail "a libc without names: $(cat nameless.txt)"
mkdir stripped
strip --strip-debug -o stripped/workload ./workload
cp live-cpu.pb.gz again.pb.gz
"$build/profuse" tune live-cpu.pb.gz again.pb.gz --binary stripped/workload 2>lacks >/dev/null
[ "$(grep -c "workload has no debug information" lacks)" = 1 ] || fail "what a binary lacks is said once: $(cat lacks)"
# One that was stripped was given, whatever its name: what is missing is said, and not that it should be given.
strip -o stripped/any-name ./workload
under_agent ./workload steady --scale 0.2 --idle 60
for _ in $(seq 100); do # until it holds its 20 MiB
	"$build/profuse" collect "http://127.0.0.1:$port" --type heap -o live-heap.pb.gz 2>err
	"$build/profuse" tune live-heap.pb.gz >stripped.txt 2>&1
	! grep -q "function names (\[workload\].*--binary FILE gives names" stripped.txt || break
	sleep 0.1
done
grep -q "function names (\[workload\].*--binary FILE gives names" stripped.txt || fail "a heap without names: $(cat stripped.txt)"
"$build/profuse" tune live-heap.pb.gz --binary stripped/any-name >stripped.txt 2>&1
grep -q "function names (\[workload\].*the file that was given does not have them" stripped.txt || fail "a stripped binary that was given: $(cat stripped.txt)"
end_service
# Of a process the program is known, and has its names from a debug file alone; of a file it is not.
cc -O2 -g -D_GNU_SOURCE -o workload.g "$PROFUSE_SOURCE_DIR/tests/quality/tuner/workload.c" -lpthread
objcopy --only-keep-debug workload.g workload.debug
strip -o stripped/any-name workload.g
under_agent stripped/any-name steady --scale 0.2 --idle 60
"$build/profuse" tune --service "http://127.0.0.1:$port" --pid "$service" --seconds 1 --debug-file workload.debug >stripped.txt 2>&1
! grep -q "without function names.*\[any-name\]\|no debug information" stripped.txt || fail "a debug file beside a process: $(cat stripped.txt)"
"$build/profuse" tune --service "http://127.0.0.1:$port" --pid "$service" --seconds 1 >stripped.txt 2>&1
grep -q "without function names.*\[any-name\]" stripped.txt || fail "a stripped process: $(cat stripped.txt)"
expect 2 "workload.debug is of no use without its binary" live-heap.pb.gz --debug-file workload.debug
end_service

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
	end_service
	expect 4 "$port" --service "http://127.0.0.1:$port" --seconds 1
else
	echo "without go: a live service is not looked at"
fi

# browse PAGE: as it is after its program has run
browse() {
	timeout 120 "$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
		--user-data-dir="$work/browser" --window-size=1200,900 --virtual-time-budget=4000 --enable-logging=stderr --dump-dom "file://$work/$1" 2>browser.log
}

browser=$(command -v chromium || command -v chromium-browser || true)
if [ -n "$browser" ]; then
	browse r.html >dom
	grep -q '<h1 id="title">Tuning report: shop &lt;b&gt;</h1>' dom || fail "the page does not draw its title"
	grep -q 'class="card high"' dom && grep -q '<polyline' dom && grep -q 'class="bar"' dom ||
		fail "the page lacks findings, growth or flame graph"
	browse unknown.html >dom
	grep -qF ">of them would save CPU, but its report doesn't know the cores it uses (--cores-used)<" dom || fail "the fleet's page: cores of one that aren't known"
	browse fleet.html >dom
	grep -q '>not all was judged<' dom && grep -q '<p>Whether memory grows was not judged' dom || fail "the fleet's page lacks what was not judged"
	grep -q '<td><a href="#service-1">checkout</a></td>' dom && grep -q '<svg class="bar"' dom && grep -q '<details id="service-3">' dom ||
		fail "the fleet's page lacks rows, bars or findings"
	! grep -E 'CONSOLE.*(Refused|rror)' browser.log || fail "the browser complains of the fleet's page"
	# Its policy allows its own programs only; without it, a click on headings and the field for words.
	python3 - <<-'PY'
		import re
		page, count = re.subn('<meta http-equiv="Content-Security-Policy"[^>]*>', "", open("fleet.html").read())
		assert count == 1
		probe = r"""<script>
		const names = () => [...document.querySelectorAll("#table tbody a")].map((a) => a.textContent).join(", "), out = [names()];
		const click = (i) => { document.querySelectorAll("#table th button")[i].click(); out.push(names()); };
		click(3); click(0); click(0);
		const field = document.getElementById("filter"); field.value = "SHOP"; field.dispatchEvent(new Event("input")); out.push(names());
		document.querySelector("#table tbody a").click(); out.push(String([...document.querySelectorAll("details[open]")].map((d) => d.textContent.includes("recordVisit"))));
		const table = document.querySelector("#table .scroll"); out.push(`all of the table is seen: ${table.scrollWidth <= table.clientWidth}`);
		const pre = document.createElement("pre"); pre.id = "result"; pre.textContent = out.join("\n") + "\n"; document.body.append(pre);
		</script></body>"""
		page = page.replace("recordVisit", "recordVisit" + "OfSomebody" * 30)
		open("probed.html", "w").write(page.replace("</body>", probe))
	PY
	browse probed.html | sed -n '/<pre id="result">/,/<\/pre>/p' | sed -e 's/.*<pre id="result">//' -e '/<\/pre>/d' >clicked.txt
	printf '%s\n' 'checkout, shop &lt;b&gt;, quiet&lt;/script&gt;&lt;b&gt;' 'shop &lt;b&gt;, checkout, quiet&lt;/script&gt;&lt;b&gt;' \
		'checkout, quiet&lt;/script&gt;&lt;b&gt;, shop &lt;b&gt;' 'shop &lt;b&gt;, quiet&lt;/script&gt;&lt;b&gt;, checkout' \
		'shop &lt;b&gt;' true 'all of the table is seen: true' | diff - clicked.txt || fail "the fleet's page sorts or finds otherwise"
else
	echo "without chromium: the page is not drawn"
fi
echo "tune_command: all as the contract says"

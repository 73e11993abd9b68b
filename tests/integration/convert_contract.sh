#!/usr/bin/env bash
# convert's contract: exit codes and words, build ids, drops, determinism, the verdict, symbolized profiles.
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need clang-19 llvm-objdump-19 llvm-readelf-19 python3
profuse=$build_dir/profuse
cd "$work"

build shapes
build_id=$(llvm-readelf-19 -n shapes | sed -n 's/.*Build ID: //p')
samples cpu.pb.gz shapes walk sum odd even --calls
samples more.pb.gz shapes walk sum --seed 7
samples other.pb.gz shapes walk sum --build-id 1234abcd
samples elsewhere.pb.gz shapes walk --build-id 5678 --name /lib/libc.so.6
samples unnamed.pb.gz shapes walk sum --build-id ""

# Wrong usage.
expect 2 "$profuse" convert -b shapes cpu.pb.gz
says "-o OUT"
expect 2 "$profuse" convert -b shapes -o - --json cpu.pb.gz
expect 2 "$profuse" convert -b shapes -o out --format gcov cpu.pb.gz
says "extbinary"
expect 2 "$profuse" convert -b shapes -o out -f text --md5 cpu.pb.gz
expect 2 "$profuse" convert -b shapes -o out --sample-type wall cpu.pb.gz
says "samples, cpu"
for option in --min-overlap=120% --min-line-share=101 --min-match=1000% --trim=100.5; do
	expect 2 "$profuse" convert -b shapes -o out $option cpu.pb.gz
	says "from 0 to 100%"
done
[ ! -e out ] || fail "wrong usage left a file"

# What cannot be read, what does not match.
expect 4 "$profuse" convert -b missing -o out cpu.pb.gz
expect 4 "$profuse" convert -b shapes -o out missing.pb.gz
expect 3 "$profuse" convert -b shapes -o out "$data/shapes.c"
printf '\x89PNG\r\n\x1a\n' >picture
expect 3 "$profuse" convert -b shapes -o out picture
says "format that profuse knows"
expect 3 "$profuse" convert -b "$data/shapes.c" -o out cpu.pb.gz
expect 3 "$profuse" convert -b shapes -o out other.pb.gz
says "$build_id"
says 1234abcd
expect 3 "$profuse" convert -b shapes -o out elsewhere.pb.gz
expect 3 "$profuse" convert -o out cpu.pb.gz
says "--binary"
# Memory is no time, and C no Go: profiles that compilers would take, and make nothing or nonsense of.
sed 's/"samples"/"inuse_space"/; s/"count"/"bytes"/' cpu.pb.gz.json >heap.json
python3 "$tools/make_pprof.py" json heap.json heap.pb.gz
expect 3 "$profuse" convert -b shapes -o out heap.pb.gz --sample-type inuse_space
says "inuse_space is memory"
expect 0 "$profuse" convert -b shapes -o heap.folded --format folded heap.pb.gz --sample-type inuse_space
expect 3 "$profuse" convert -b shapes -o out --format go-pgo cpu.pb.gz
says "shapes is no Go program"
llvm-strip-19 -o stripped shapes 2>/dev/null || strip -o stripped shapes
expect 3 "$profuse" convert -b stripped -o out cpu.pb.gz
[ ! -e out ] || fail "nothing usable left a file"
expect 4 "$profuse" convert -b shapes -o no/such/folder cpu.pb.gz

# Other builds and binaries are left out and counted; a build id may be ignored on request.
expect 0 "$profuse" convert -b shapes -o out --json cpu.pb.gz other.pb.gz elsewhere.pb.gz
cp stdout mixed.json
[ "$(json mixed.json "sorted(x['reason'] for x in d['samples']['dropped'])")" = "['other-binary', 'other-build']" ] ||
	fail "the drops are not told apart"
[ "$(json mixed.json "[x['build_id'] for x in d['samples']['dropped'] if x['reason'] == 'other-build'][0]")" = 1234abcd ]
[ "$(json mixed.json "abs(d['samples']['total'] - d['samples']['used'] - sum(x['samples'] for x in d['samples']['dropped'])) < 0.01")" = True ] ||
	fail "used and dropped do not make the total"
expect 0 "$profuse" convert -b shapes -o forced other.pb.gz --allow-build-id-mismatch
says "used nevertheless"
expect 0 "$profuse" convert -b shapes -o unnamed unnamed.pb.gz
says "matched by its file name"
cp shapes renamed
expect 0 "$profuse" convert -b renamed -o renamed.prof cpu.pb.gz
expect 3 "$profuse" convert -b renamed -o out2 unnamed.pb.gz
samples unnamed2.pb.gz shapes walk sum --build-id "" --seed 5
expect 3 "$profuse" convert -b shapes -o out2 unnamed.pb.gz unnamed2.pb.gz
says "--merge-by-filename"
expect 0 "$profuse" convert -b shapes -o out2 --merge-by-filename unnamed.pb.gz unnamed2.pb.gz

# Steps that only some of the profiles have are kept, whether convert sums them or merge; other types are no such thing.
samples steps.pb.gz shapes walk sum --steps 40 --seed 3
stepped=$(python3 -c "import json; print(sum(s['values'][2] for s in json.load(open('steps.pb.gz.json'))['samples']))")
expect 0 "$profuse" convert -b shapes -f text -o a --json cpu.pb.gz steps.pb.gz more.pb.gz
[ "$(json stdout "d['samples']['steps'] == $stepped")" = True ] || fail "steps were lost"
expect 0 "$profuse" convert -b shapes -f text -o b steps.pb.gz more.pb.gz cpu.pb.gz
expect 0 "$profuse" merge cpu.pb.gz more.pb.gz steps.pb.gz -o sum.pb.gz
[ ! -s stderr ] || ! grep -q "left out" stderr || fail "merge left steps out"
expect 0 "$profuse" merge steps.pb.gz cpu.pb.gz more.pb.gz -o turned.pb.gz
cmp sum.pb.gz turned.pb.gz || fail "the sum depends on which profile had steps"
expect 0 "$profuse" convert -b shapes -f text -o c sum.pb.gz
says "and $stepped instructions that were followed one by one"
cmp a b && cmp a c || fail "steps count otherwise in another order, or merged before"
expect 0 "$profuse" show top --sample-type steps sum.pb.gz
printf '{"types": [["inuse_space", "bytes"]], "samples": [{"values": [1], "stack": []}]}' >heap.json
python3 "$tools/make_pprof.py" json heap.json heap.pb.gz
expect 3 "$profuse" merge steps.pb.gz heap.pb.gz -o none.pb.gz
says "none in common"
expect 3 "$profuse" convert -b shapes -o none steps.pb.gz heap.pb.gz
says "other sample types"
[ ! -e none ] && [ ! -e none.pb.gz ] || fail "profiles of two kinds left a file"

# Where samples are too few, how long it takes to get more; where they are enough, nothing is said.
expect 0 "$profuse" convert -b shapes -f text -o thin --json --min-samples 1000000 cpu.pb.gz
[ "$(json stdout "abs(d['more_seconds'] - 30 * (1e6 / d['samples']['used'] - 1)) < 1")" = True ] || fail "the time to profile is not by the rate"
says "more minutes of profiling should do"
expect 0 "$profuse" convert -b shapes -f text -o thin --json --min-samples 10 cpu.pb.gz
[ "$(json stdout "d['more_seconds']")" = 0.0 ] || fail "enough samples are not enough"
# Profiles without this binary bring no rate, and are told.
expect 0 "$profuse" convert -b shapes -f text -o thin2 --json --min-samples 1000000 cpu.pb.gz elsewhere.pb.gz
[ "$(json stdout "abs(d['more_seconds'] - 30 * (1e6 / d['samples']['used'] - 1)) < 1")" = True ] || fail "a stranger's seconds are counted"
json stdout "d['notes']" | grep -q "1 of 2 profiles has nothing of this binary (elsewhere.pb.gz)" || fail "a stranger's profile is not told"
cmp thin thin2 || fail "a stranger's profile changes the output"

# The same inputs, in any order, by list or folder, give the same bytes.
mkdir folder
cp cpu.pb.gz more.pb.gz folder
printf '%s\n' '# two' more.pb.gz '' cpu.pb.gz >list
for format in extbinary text folded; do
	expect 0 "$profuse" convert -b shapes -f $format -o a cpu.pb.gz more.pb.gz
	expect 0 "$profuse" convert -b shapes -f $format -o b more.pb.gz cpu.pb.gz
	expect 0 "$profuse" convert -b shapes -f $format -o c folder
	expect 0 "$profuse" convert -b shapes -f $format -o d @list
	cmp a b && cmp a c && cmp a d || fail "$format depends on the order of its inputs"
done
"$profuse" convert -b shapes -f text -o - cpu.pb.gz more.pb.gz >e 2>verdict
expect 0 "$profuse" convert -b shapes -f text -o a cpu.pb.gz more.pb.gz
cmp a e || fail "standard output differs from a file"
grep -q 'ready for a profile-guided build' verdict || fail "no verdict beside -o -"

# Folded stacks: caller, then the inlined function; sums as the profile has them.
expect 0 "$profuse" convert -b shapes -f folded -o folded cpu.pb.gz
grep -q '^main;walk;mix [0-9]*$' folded || fail "no main;walk;mix in the folded stacks"
total=$(python3 -c "import json; print(sum(s['values'][0] for s in json.load(open('cpu.pb.gz.json'))['samples']))")
[ "$(awk '{n += $NF} END {print n}' folded)" = "$total" ] || fail "folded stacks do not sum to $total"

# Flame graphs need names only: no lines in the binary, no start lines in the profile; nothing is left out.
clang-19 -O2 -Wl,--build-id -o bare "$data/shapes.c"
samples bare.pb.gz bare walk sum
expect 0 "$profuse" convert -b bare -f folded -o folded bare.pb.gz elsewhere.pb.gz
grep -q '^walk [0-9]*$' folded && grep -q '^\[libc.so.6\] [0-9]*$' folded || fail "frames without names are not shown"
expect 3 "$profuse" convert -b stripped -f folded -o folded2 cpu.pb.gz
says "not stripped"
expect 3 "$profuse" convert -f folded -o folded2 cpu.pb.gz
[ ! -e folded2 ] || fail "nothing usable left a file"

# --provenance: what the output was made of, the same bytes from whatever folder and in whatever order.
mkdir one two
cp cpu.pb.gz more.pb.gz elsewhere.pb.gz one
expect 0 "$profuse" convert -b shapes -o one/out.prof --provenance one/cpu.pb.gz one/more.pb.gz one/elsewhere.pb.gz
expect 0 "$profuse" convert -b "$work/shapes" -o two/out.prof --provenance elsewhere.pb.gz more.pb.gz cpu.pb.gz --max-age 36500d
cmp one/out.prof.json two/out.prof.json || fail "the record depends on paths, order or the day"
python3 - one/out.prof.json "$build_id" <<-'END' || fail "the record is not what was made"
	import hashlib, json, sys
	digest = lambda name: hashlib.sha256(open(name, "rb").read()).hexdigest()
	d = json.load(open(sys.argv[1]))
	assert next(iter(d)) == "schema" and d["schema"] == "profuse.provenance.v1"
	assert d["output"] == {"file": "out.prof", "format": "extbinary", "sha256": digest("one/out.prof"),
	                       "bytes": len(open("one/out.prof", "rb").read())}
	assert d["binary"]["sha256"] == digest("shapes") and d["binary"]["build_id"] == sys.argv[2]
	assert {i["file"]: i["sha256"] for i in d["inputs"]} == {n: digest(n) for n in ("cpu.pb.gz", "more.pb.gz", "elsewhere.pb.gz")}
	assert [i["sha256"] for i in d["inputs"]] == sorted(i["sha256"] for i in d["inputs"])
	assert "-fprofile-sample-use=out.prof" in d["flags"] and "age" not in [c["name"] for c in d["checks"]]
END
expect 2 "$profuse" convert -b shapes -o - --provenance cpu.pb.gz
expect 0 "$profuse" convert -b shapes -f bolt -o one/out.bolt --provenance one/cpu.pb.gz
cp shapes two
expect 0 "$profuse" convert -b two/shapes -f bolt -o two/out.bolt --provenance cpu.pb.gz
cmp one/out.bolt.json two/out.bolt.json || fail "the record for BOLT depends on paths"
# Where the record can't be written, the profile before stays.
echo before >kept.prof
mkdir kept.prof.json
expect 4 "$profuse" convert -b shapes -o kept.prof --provenance cpu.pb.gz
says "kept.prof.json: it is a folder"
[ "$(cat kept.prof)" = before ] && [ -z "$(find . -maxdepth 1 -name 'kept.prof*.??????')" ] || fail "a profile without its record"

# The same profile given again is no more samples: by name, under another name, packed otherwise, merged first.
gzip -dc cpu.pb.gz >copy.pb
expect 0 "$profuse" convert -b shapes -f text -o once --provenance --json cpu.pb.gz more.pb.gz
used=$(json stdout "d['samples']['used']")
cp once.json first.json
expect 0 "$profuse" convert -b shapes -f text -o again --json cpu.pb.gz more.pb.gz cpu.pb.gz copy.pb cpu.pb.gz
cmp once again || fail "a profile given again changes the output"
[ "$(json stdout "(d['samples']['used'], d['profiles']['count'], d['profiles']['repeated'])")" = "($used, 2, 3)" ] || fail "repeats are counted"
json stdout "d['notes']" | grep -q "3 of 5 profiles were given before (cpu.pb.gz …): the same profile counts once" || fail "repeats are not said"
thin=$((${used%.*} / 2))
many=$(printf 'cpu.pb.gz %.0s' {1..40})
# shellcheck disable=SC2086
expect 1 "$profuse" convert -b shapes -o out --require-ready --max-age 36500d --min-samples "$((thin * 3))" $many
says "39 of 40 profiles were given before"
cp more.pb.gz one/cpu.pb.gz
cp cpu.pb.gz one/more.pb.gz
expect 0 "$profuse" convert -b shapes -f text -o once --provenance one/cpu.pb.gz cpu.pb.gz one/more.pb.gz more.pb.gz
[ "$(json once.json "[i['file'] for i in d['inputs']]")" = "['cpu.pb.gz', 'cpu.pb.gz']" ] || fail "the record lists a content twice"
expect 0 "$profuse" convert -b shapes -f text -o merged --scale-by duration cpu.pb.gz more.pb.gz cpu.pb.gz
says "cpu.pb.gz: the same profile was given before; it counts once"
expect 0 "$profuse" convert -b shapes -f text -o apart --scale-by duration cpu.pb.gz more.pb.gz
cmp merged apart || fail "a profile given again changes a merged one"
# What merge sums twice is meant.
expect 0 "$profuse" merge -o twice.pb.gz cpu.pb.gz cpu.pb.gz
says "it is summed again"
expect 0 "$profuse" convert -b shapes -f text -o twice --json twice.pb.gz
[ "$(json stdout "d['samples']['used'] > $thin * 1.5")" = True ] || fail "a sum is not what was merged"

# A percentage is one of 100; a part of 1 is asked about.
expect 2 "$profuse" convert -b shapes -o out --min-overlap 0.6 cpu.pb.gz
says "Write 60% or 0.6%"
expect 0 "$profuse" convert -b shapes -o out --min-overlap 0.6% cpu.pb.gz

# The verdict: each measure fails by itself; the file is written nevertheless.
ready=(--max-age 36500d --min-samples 1000)
expect 0 "$profuse" convert -b shapes -o out --require-ready "${ready[@]}" cpu.pb.gz
says "ready for a profile-guided build: yes"
says "-fprofile-sample-use=out"
samples lineless.pb.gz shapes _start # of the C library, without lines
for demand in "--max-age 1d" "--min-samples 1000000" "--min-overlap 99.99%" "--min-line-share 100% lineless.pb.gz"; do
	rm -f out
	# shellcheck disable=SC2086
	expect 1 "$profuse" convert -b shapes -o out --require-ready "${ready[@]}" $demand cpu.pb.gz
	[ -s out ] || fail "not ready, but no file either ($demand)"
	# shellcheck disable=SC2086
	expect 0 "$profuse" convert -b shapes -o out "${ready[@]}" $demand cpu.pb.gz
	says "warning: the profile is not ready"
done
expect 0 "$profuse" convert -b shapes -o out --json "${ready[@]}" cpu.pb.gz
[ "$(json stdout "(d['ready'], d['build_id'], [c['name'] for c in d['checks']])")" = \
	"(True, '$build_id', ['samples', 'line-share', 'overlap', 'age'])" ] || fail "unexpected JSON"

# --check: the reader is asked before the file is put in place.
if command -v llvm-profdata-19 >/dev/null; then
	expect 0 "$profuse" convert -b shapes -o checked --check cpu.pb.gz
fi
printf '#!/bin/sh\necho "error: no good"; exit 1\n' >refuse
chmod +x refuse
rm -f checked
expect 3 "$profuse" convert -b shapes -o checked --check --llvm-profdata ./refuse cpu.pb.gz
says "no good"
PROFUSE_LLVM_PROFDATA=./refuse expect 3 "$profuse" convert -b shapes -o checked --check cpu.pb.gz
expect 4 "$profuse" convert -b shapes -o checked --check --llvm-profdata ./missing cpu.pb.gz
[ ! -e checked ] || fail "a refused profile was put in place"

# Profiles that another agent symbolized: by lines, without a binary; start lines are needed.
cat >lines.json <<'END'
{"types": [["samples", "count"]], "time_nanos": 1700000000000000000, "samples": [
 {"values": [7], "stack": [{"lines": [{"function": "helper", "start_line": 3, "line": 4},
                                      {"function": "work", "start_line": 50, "line": 55}]},
                           {"lines": [{"function": "main", "start_line": 10, "line": 12}]}]},
 {"values": [2], "stack": [{"lines": [{"function": "main", "start_line": 10, "line": 12}]}]},
 {"values": [5], "stack": [{"lines": [{"function": "nowhere", "line": 12}]}]}]}
END
python3 "$tools/make_pprof.py" json lines.json lines.pb.gz
expect 0 "$profuse" convert -f text -o lines.txt lines.pb.gz
says "5   35.7 %  in functions without a start line"
says "no discriminators"
printf 'helper:7:7\n 1: 7\nwork:7:7\n 5: 7 helper:7\nmain:2:2\n 2: 2 work:2\n' >wanted
diff wanted lines.txt || fail "symbolized profile converted differently"
expect 2 "$profuse" convert -f folded --layout nest -o lines.folded lines.pb.gz
expect 0 "$profuse" convert -f text --layout nest -o lines.txt lines.pb.gz
printf 'work:7:7\n 5: helper:7\n  1: 7\nmain:2:2\n 2: 2 work:2\n' >wanted
diff wanted lines.txt || fail "symbolized profile converted differently with inlined functions below"
sed 's/"start_line": [0-9]*, //g' lines.json >nostart.json
python3 "$tools/make_pprof.py" json nostart.json nostart.pb.gz
expect 3 "$profuse" convert -f text -o out3 nostart.pb.gz
says "start lines"
expect 3 "$profuse" convert -b shapes -o out3 lines.pb.gz
[ ! -e out3 ] || fail "nothing usable left a file"
# A difference of profiles is no profile.
sed 's/"values": \[7\]/"values": [-7]/' lines.json >negative.json
python3 "$tools/make_pprof.py" json negative.json negative.pb.gz
expect 3 "$profuse" convert -o out3 negative.pb.gz
says "negative"

# Blocks with symbols of their own are their function's, and jumps between them no calls: the places of a plain build.
build sections -fbasic-block-sections=all
for program in sections shapes; do
	samples $program.pb.gz $program walk sum odd even
	expect 0 "$profuse" convert -b $program -f text -o $program.txt --json $program.pb.gz
	[ "$(json stdout "(d['functions']['sampled'], d['functions']['unfollowed'])")" = "(4, 0)" ] || fail "$program: not four functions"
	sed -E 's/:[0-9]+//g; s/^( *[0-9.]+): [0-9]+/\1/' $program.txt | sort >$program.places
done
diff sections.places shapes.places || fail "blocks are taken for functions"

# Addresses of a profile that names no binary are of nobody knows what.
python3 - <<'END'
import json
d = json.load(open("shapes.pb.gz.json"))
d["mappings"] = []
for s in d["samples"]:
    for frame in s["stack"]:
        frame.pop("mapping", None)
json.dump(d, open("nowhere.json", "w"))
END
python3 "$tools/make_pprof.py" json nowhere.json nowhere.pb.gz
expect 3 "$profuse" convert -b shapes -o out3 nowhere.pb.gz
says "the profile names no binary"

# Another machine's code is not decoded: its samples still count, by line, and the verdict says so.
if command -v ld.lld-19 >/dev/null; then
	printf 'int f(int *a, int n)\n{\n\tint s = 0;\n\tfor (int i = 0; i < n; i++)\n\t\ts += a[i] * s;\n\treturn s;\n}\n' >arm.c
	clang-19 --target=aarch64-linux-gnu -O2 -gmlt -fdebug-info-for-profiling -c -o arm.o arm.c
	ld.lld-19 --build-id -e f -o arm arm.o
	start=$((0x$(llvm-nm-19 arm | awk '$3 == "f" {print $1}')))
	cat >arm.json <<-END
		{"types": [["samples", "count"]], "mappings": [{"filename": "arm"}], "samples": [
		 {"values": [30], "stack": [{"address": $start, "mapping": 0}]}]}
	END
	python3 "$tools/make_pprof.py" json arm.json arm.pb.gz
	expect 0 "$profuse" convert -b arm -f text -o arm.txt arm.pb.gz
	grep -q '^f:30:30$' arm.txt || fail "the aarch64 function has no profile"
	says "could not be followed wholly"
fi
echo "the contract holds"

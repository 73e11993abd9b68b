#!/usr/bin/env bash
# Stale profiles by pseudo-probes: what the checksums of an edited program say of the old profile, and clang agrees.
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need clang-19 llvm-objdump-19 llvm-readelf-19 llvm-nm-19 python3
profuse=$build_dir/profuse
cd "$work"

compile() { clang-19 -O2 -gmlt -fdebug-info-for-profiling -fpseudo-probe-for-profiling -Wl,--build-id "$@"; }
cp "$data/edited.c" service.c
compile -o old service.c
samples cpu.pb.gz old leaf unchanged grown removed moved main --every 1
ready=(--max-age 36500d --min-samples 100)

# Against the build itself, and against one whose lines have moved: probes do not mind.
expect 0 "$profuse" convert -b old -f text -o old.prof "${ready[@]}" --require-ready --stale-against old cpu.pb.gz
says "still fits old: 100.0 % of the counts"
sed -i 's/^static int table/\n\n\n&/' service.c # its name stays: it is part of static functions' unique names
compile -o shifted service.c
expect 0 "$profuse" convert -b old -f text -o old.prof "${ready[@]}" --require-ready --stale-against shifted cpu.pb.gz
says "still fits shifted: 100.0 % of the counts"
grep -q CFGChecksum old.prof || fail "the profile has no probes"

# A condition into one function, a line without a branch into another, one function less.
python3 - <<'END'
import re
text = open("service.c").read()
head, tail = text.split("int grown(int n)\n")
tail = tail.replace("\tint s = 0;\n", "\tint s = 0;\n\tif (n > 100000000)\n\t\tn = 100000000;\n", 1)
tail = tail.replace("s ^= table[(i * 7) & 4095]", "s ^= table[(i * 9 + 1) & 4095]")
text = re.sub(r"__attribute__\(\(noinline\)\) int removed.*?\n}\n", "", head + "int grown(int n)\n" + tail, flags=re.S)
open("service.c", "w").write(text.replace("%d %d %d %d", "%d %d %d").replace("removed(n), ", ""))
END
compile -o new service.c
expect 1 "$profuse" convert -b old -f text -o old.prof "${ready[@]}" --require-ready --stale-against new cpu.pb.gz
says "removed: no code comes from it any more"
says "grown: its control flow graph has changed"
expect 0 "$profuse" convert -b old -o old.prof "${ready[@]}" --json --stale-against new cpu.pb.gz
cp stdout flat
expect 0 "$profuse" convert -b old -o old.prof --layout nest "${ready[@]}" --json --stale-against new cpu.pb.gz
python3 - stdout flat >ours <<'END'
import json, sys
s = json.load(open(sys.argv[1]))["staleness"]
functions = {f["function"]: f for f in s["functions"]}
states = {name: f["state"] for name, f in functions.items()}
assert states["leaf"] == states["unchanged"] == states["moved"] == "same", states
assert states["grown"] == states["removed"] == states["main"] == "lost", states
assert [r["reason"] for r in functions["removed"]["lost"]] == ["function-gone"], functions["removed"]
assert [r["reason"] for r in functions["grown"]["lost"]] == ["checksum"], functions["grown"]
# what was inlined into a function that does not fit is lost with it
own = {f["function"]: f for f in json.load(open(sys.argv[2]))["staleness"]["functions"]}
assert own["atoi"]["state"] == "same" and own["grown"]["state"] == "lost", own # where it has a record of its own it is not
assert states["atoi"] == "lost" and [r["reason"] for r in functions["atoi"]["lost"]] == ["caller"], functions["atoi"]
lost = sum(r["share"] for r in s["lost"])
assert abs(s["matched"] + lost - 1) < 1e-4 and 0 < lost < 1, s
changed = [name for name, f in functions.items() if any(r["reason"] == "checksum" for r in f["lost"]) and name != "atoi"]
print(f"({len(changed)}/")
END

# clang finds as many functions whose hash is another one; of those that are gone it does not speak.
expect 0 compile -fprofile-sample-use=old.prof -mllvm -report-profile-staleness -mllvm -salvage-stale-profile=false -o optimised service.c
grep -qF "$(cat ours)" stderr || { cat ours stderr; fail "clang counts other functions"; }

# The same source by another path: static functions have other names, which clang would not find. A prefix map makes them the same.
sed 's/int leaf(/static &/' "$data/edited.c" >service.c
compile -o old service.c
leaf=$(llvm-nm-19 old | sed -n 's/.* t \(_ZL4leafi.__uniq.*\)/\1/p')
samples cpu.pb.gz old "$leaf" unchanged grown --every 1
compile -o elsewhere "$PWD/service.c"
expect 0 "$profuse" convert -b old -o old.prof "${ready[@]}" --json --stale-against elsewhere cpu.pb.gz
json stdout "sorted({r['reason'] for f in d['staleness']['functions'] for r in f['lost']})" | grep -qx "\['function-renamed'\]" ||
	fail "another unique suffix is not told apart"
expect 0 "$profuse" convert -b old -o old.prof "${ready[@]}" --stale-against elsewhere cpu.pb.gz
says "leaf: its unique suffix is another"
says "-fmacro-prefix-map"
compile "-fmacro-prefix-map=$PWD/=" -o elsewhere "$PWD/service.c"
expect 0 "$profuse" convert -b old -o old.prof "${ready[@]}" --stale-against elsewhere cpu.pb.gz
says "still fits elsewhere: 100.0 % of the counts"

# Without probes in the newer build there is nothing to compare with.
clang-19 -O2 -gmlt -fdebug-info-for-profiling -o plain service.c
expect 3 "$profuse" convert -b old -o none --stale-against plain cpu.pb.gz
says "plain has no pseudo-probes to compare the profile's with"
[ ! -e none ] || fail "what could not be compared left a file"
echo "what no longer fits is found"

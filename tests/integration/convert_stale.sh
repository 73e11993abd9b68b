#!/usr/bin/env bash
# Stale profiles: a source is edited and rebuilt, and convert says what of the old profile still fits; clang agrees.
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need clang-19 llvm-objdump-19 llvm-readelf-19 llvm-strip-19 python3
profuse=$build_dir/profuse
cd "$work"

compile() { clang-19 -O2 -gmlt -fdebug-info-for-profiling -Wl,--build-id "$@"; }
cp "$data/edited.c" service.c
compile -o old service.c
samples cpu.pb.gz old leaf unchanged grown removed moved --every 1
# Two lines into one function, one function less, three lines of comment where it was.
python3 - <<'END'
import re
text = open("service.c").read()
head, tail = text.split("int grown(int n)\n")
tail = tail.replace("\tint s = 0;\n", "\tint s = 0;\n\tif (n > 100000000)\n\t\tn = 100000000;\n", 1)
text = re.sub(r"__attribute__\(\(noinline\)\) int removed.*?\n}\n", "/* one\n * two\n * three */\n", head + "int grown(int n)\n" + tail, flags=re.S)
open("service.c", "w").write(text.replace("%d %d %d %d", "%d %d %d").replace("removed(n), ", ""))
END
compile -o new service.c
ready=(--max-age 36500d --min-samples 100)

# Nothing is stale against the build itself, and what is written does not depend on the question.
expect 0 "$profuse" convert -b old -f text -o plain.prof "${ready[@]}" cpu.pb.gz
expect 0 "$profuse" convert -b old -f text -o old.prof "${ready[@]}" --require-ready --stale-against old cpu.pb.gz
says "still fits old: 100.0 % of the counts"
cmp plain.prof old.prof || fail "the question changed the profile"

# Against the edited one.
expect 0 "$profuse" convert -b old -f text -o old.prof "${ready[@]}" --stale-against new cpu.pb.gz
says "removed: no code comes from it any more"
says "the profile is not ready"
expect 1 "$profuse" convert -b old -o old2.prof "${ready[@]}" --require-ready --stale-against new cpu.pb.gz
expect 0 "$profuse" convert -b old -o old2.prof "${ready[@]}" --require-ready --stale-against new --min-match 30% cpu.pb.gz
expect 0 "$profuse" convert -b old -o old2.prof "${ready[@]}" --json --stale-against new cpu.pb.gz
python3 - stdout >ours <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
s = d["staleness"]
functions = {f["function"]: f for f in s["functions"]}
states = {name: f["state"] for name, f in functions.items()}
assert states["leaf"] == states["unchanged"] == states["moved"] == "same", states
assert states["removed"] == "lost" and states["grown"] in ("lost", "changed"), states
assert functions["moved"]["start_line_moved"] == -2, functions["moved"]
assert [r["reason"] for r in functions["removed"]["lost"]] == ["function-gone"]
assert abs(sum(f["share"] for f in functions.values()) - 1) < 1e-4
lost = sum(r["share"] for r in s["lost"])
assert abs(s["matched"] + lost - 1) < 1e-4
assert abs(lost - functions["removed"]["share"] - functions["grown"]["share"]) < 0.05, s
assert any(c["name"] == "match" and c["state"] == "fail" and c["value"] == round(s["matched"], 5) for c in d["checks"])
print(f"({s['call_sites']['moved']}/{s['call_sites']['profiled']})")
END
[ "$(llvm-readelf-19 -n new | sed -n 's/.*Build ID: //p')" = "$(python3 -c "import json; print(json.load(open('stdout'))['staleness']['build_id'])")" ]

# clang, which sees the source itself, finds as many call sites that no longer fit.
expect 0 compile -fprofile-sample-use=old.prof -mllvm -report-profile-staleness -o optimised service.c
grep -qF "$(cat ours) of callsites' profile are invalid" stderr || { cat stderr ours; fail "clang counts other call sites"; }

# The compiler's own liberties are no edits: the same source, optimised with the profile.
cp "$data/edited.c" service.c
compile -fprofile-sample-use=old.prof -o old-optimised service.c
expect 0 "$profuse" convert -b old -o old2.prof "${ready[@]}" --require-ready --min-match 90% --stale-against old-optimised cpu.pb.gz
says "0 of"

# A symbolized profile is compared by its lines; what cannot be compared is said.
cat >lines.json <<'END'
{"types": [["samples", "count"]], "samples": [
 {"values": [700], "stack": [{"lines": [{"function": "leaf", "start_line": 5, "line": 7}]}]},
 {"values": [300], "stack": [{"lines": [{"function": "nowhere", "start_line": 5, "line": 8}]}]}]}
END
python3 "$tools/make_pprof.py" json lines.json lines.pb.gz
expect 0 "$profuse" convert -o lines.prof --stale-against new lines.pb.gz
says "still fits new: 70.0 % of the counts"
llvm-strip-19 -o stripped new
expect 3 "$profuse" convert -b old -o none --stale-against stripped cpu.pb.gz
expect 4 "$profuse" convert -b old -o none --stale-against missing cpu.pb.gz
expect 2 "$profuse" convert -b old -f folded -o none --stale-against new cpu.pb.gz
[ ! -e none ] || fail "what could not be compared left a file"

# Samples of another build that are used nevertheless: the callers' addresses give it away.
samples calls.pb.gz new leaf unchanged grown main --calls
mkdir other
cp old other/new
expect 0 "$profuse" convert -b other/new -o forced.prof --allow-build-id-mismatch "${ready[@]}" calls.pb.gz
says "of the callers' addresses are calls in this binary"
expect 1 "$profuse" convert -b other/new -o forced.prof --allow-build-id-mismatch "${ready[@]}" --require-ready calls.pb.gz
# C++: people read the short name, the JSON has the one that compilers look up.
cat >names.cc <<'END'
#include <string>
namespace shop { struct Ledger { int sum = 0; __attribute__((noinline)) int enter(const std::string &name, int n); }; }
int shop::Ledger::enter(const std::string &name, int n)
{
	for (int i = 0; i < n; i++)
		sum = sum * 3 + name[i % name.size()];
	return sum;
}
int main() { return shop::Ledger().enter("name", 100000) & 1; }
END
clang++-19 -O2 -gmlt -fdebug-info-for-profiling -Wl,--build-id -o cpp names.cc
samples cpp.pb.gz cpp _ZN4shop6Ledger5enterERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEi --every 1
expect 0 "$profuse" convert -b cpp -o cpp.prof "${ready[@]}" --stale-against new cpp.pb.gz
says "  shop::Ledger::enter: no code comes from it any more"
expect 0 "$profuse" convert -b cpp -o cpp.prof "${ready[@]}" --json --stale-against new cpp.pb.gz
says '"function": "_ZN4shop6Ledger5enterERK'
echo "what no longer fits is found"

#!/usr/bin/env bash
# long
# Pseudo-probes: read as llvm-profgen reads them, written as clang takes them.
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need clang-19 llvm-profgen-19 llvm-profdata-19 llvm-objdump-19 python3
profuse=$build_dir/profuse
cd "$work"

# args: NAME, then the binary and its functions. Without inference our counts are llvm-profgen's.
compare() {
	local name=$1 binary=$2
	shift
	samples "$name.pb.gz" "$@"
	python3 "$tools/compare_profgen.py" raw "$name.pb.gz.json" "$name.raw"
	llvm-profgen-19 --unsymbolized-profile="$name.raw" --use-offset=0 --binary="$binary" --format=text \
		--output="theirs.$name.txt" 2>/dev/null
	"$profuse" convert -b "$binary" -o "ours.$name.txt" -f text --layout nest --inference none "$name.pb.gz" >/dev/null 2>&1
	echo "$name:"
	python3 "$tools/compare_profgen.py" compare "ours.$name.txt" "theirs.$name.txt"
	# Each function's checksum, inlined ones included, as llvm-profgen has it.
	for who in ours theirs; do
		python3 "$tools/compare_profgen.py" checksums "$who.$name.txt" >"$who.$name.sums"
	done
	comm -23 "ours.$name.sums" "theirs.$name.sums" >extra
	[ ! -s extra ] || fail "$name: checksums that llvm-profgen does not have: $(head -3 extra)"
}

build shapes -fpseudo-probe-for-profiling
compare shapes shapes walk main
build unrolled -fpseudo-probe-for-profiling -funroll-loops -mllvm -unroll-runtime
compare unrolled unrolled walk main
build split -fpseudo-probe-for-profiling -ffunction-sections -fuse-ld=lld -Wl,--gc-sections
compare split split walk main

# Both formats of one conversion say the same, and llvm-profdata reads the checksums back.
"$profuse" convert -b shapes -o probes.txt -f text shapes.pb.gz >/dev/null 2>&1
"$profuse" convert -b shapes -o probes.prof --check shapes.pb.gz >verdict 2>/dev/null
llvm-profdata-19 merge --sample --text probes.prof -o back.txt
cmp probes.txt back.txt || fail "extbinary says something else than text"
grep -q '^ !CFGChecksum: [1-9]' probes.txt || fail "no checksums"
grep -q -- '-fpseudo-probe-for-profiling -fprofile-sample-use=probes.prof' verdict || fail "the advice: $(tail -2 verdict)"

# clang takes them where the checksum fits, and only there.
uses() {
	clang-19 -O2 -gmlt -fdebug-info-for-profiling -fpseudo-probe-for-profiling -fprofile-sample-use="$1" -mllvm -salvage-stale-profile=false \
		-S -emit-llvm -o out.ll "$data/shapes.c" -Wno-profile-instr-unprofiled
	grep -c '!"function_entry_count", i64 [1-9]' out.ll
}
[ "$(uses probes.prof)" -gt 0 ] || fail "clang uses none of the profile"
sed 's/^ !CFGChecksum: .*/ !CFGChecksum: 1/' probes.txt >stale.txt
[ "$(uses stale.txt || true)" = 0 ] || fail "clang takes a profile with wrong checksums"

# Lines on request; probes that are not there are an error.
"$profuse" convert -b shapes -o lines.txt -f text --places lines shapes.pb.gz >verdict 2>&1
grep -q CFGChecksum lines.txt && fail "--places lines wrote probes"
# clang made the names of static functions unique for the probes: it has to again, or finds none of them.
grep -q '__uniq' lines.txt || fail "no static function in the profile"
grep -q -- '-funique-internal-linkage-names -fprofile-sample-use=lines.txt' verdict || fail "the advice for lines: $(tail -2 verdict)"
build plain
samples plain.pb.gz plain walk main
expect 3 "$profuse" convert -b plain -o no.prof --places probes plain.pb.gz
says "plain has no pseudo-probes: build it with -fpseudo-probe-for-profiling"

#!/usr/bin/env bash
# long
# LLVM reads what convert writes: llvm-profdata and clang, 14 and 19, every option of the format; the bytes are
# those that LLVM itself writes.
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need clang-19 llvm-profdata-19 llvm-objdump-19 clang-14 llvm-profdata-14 python3
profuse=$build_dir/profuse
cd "$work"

build shapes
samples cpu.pb.gz shapes walk sum odd even main --calls
convert() {
	local out=$1
	shift
	"$profuse" convert -b shapes -o "$out" cpu.pb.gz "$@" >/dev/null 2>"$work/err" || { cat "$work/err"; exit 1; }
}

convert names.prof
convert plain.txt -f text
convert md5.prof --md5
convert packed.prof --compress
convert both.prof --compress --md5 --symbol-list
grep -q '^walk:' plain.txt
grep -q ' mix:' plain.txt

for v in 14 19; do
	for form in names packed; do
		llvm-profdata-$v merge --sample --text "$form.prof" -o "$form.$v.txt"
		cmp plain.txt "$form.$v.txt" || fail "llvm-profdata-$v reads $form.prof differently"
	done
	for form in md5 both; do
		llvm-profdata-$v show --sample "$form.prof" >shown
		[ "$(grep -c '^Function: ' shown)" = "$(grep -c '^[^ ]' plain.txt)" ] || fail "$form.prof lacks functions"
	done
done

# Our extbinary is, byte for byte, what LLVM makes of our text.
llvm-profdata-19 merge --sample --extbinary plain.txt -o theirs.prof
cmp names.prof theirs.prof || fail "extbinary differs from llvm-profdata-19's"

# So with inlined copies below their callers, and LLVM's own way to one record a function leads to ours: but a call's
# place, where LLVM adds what was inlined to the caller's own instructions, counts what runs most there.
convert nested.prof --layout nest
convert nested.txt --layout nest -f text
grep -q '^  *[0-9.]*: mix:[0-9]*$' nested.txt || fail "nothing is below its caller"
llvm-profdata-19 merge --sample --extbinary nested.txt -o theirs.nested.prof
cmp nested.prof theirs.nested.prof || fail "nested extbinary differs from llvm-profdata-19's"
llvm-profdata-19 merge --sample --text --convert-sample-profile-layout=flat nested.txt -o theirs.flat.txt
python3 - nested.txt plain.txt theirs.flat.txt <<'END' || fail "flat records differ from llvm-profdata-19's"
import re, sys
def bodies(path):
    function, found = None, {}
    for line in open(path):
        if line[0] != " ":
            function = line.split(":")[0]
        elif m := re.match(r" ([\d.]+): (\d+)", line):
            found[function, m[1]] = int(m[2])
    return found
sites, stack = set(), []
for line in open(sys.argv[1]):
    depth = len(line) - len(line.lstrip(" "))
    name = re.match(r" *(?:[\d.]+: )?(\w+):\d+(:\d+)?$", line)
    if name and (depth == 0 or not re.match(r" *[\d.]+: \d", line)):
        stack[depth:] = [name[1]]
        if depth:
            sites.add((stack[depth - 1], line.split(":")[0].strip()))
ours, theirs = bodies(sys.argv[2]), bodies(sys.argv[3])
assert sites and ours.keys() == theirs.keys(), ours.keys() ^ theirs.keys()
for place in ours:
    same = ours[place] == theirs[place]
    assert same or (place in sites and ours[place] < theirs[place]), (place, ours[place], theirs[place])
assert any(place not in sites for place in ours)
END

# Hashed names are those of LLVM: the same counts come back under the same hashes.
llvm-profdata-19 merge --sample --extbinary --use-md5 plain.txt -o theirs.md5.prof
llvm-profdata-19 merge --sample --text theirs.md5.prof -o theirs.md5.txt
llvm-profdata-19 merge --sample --text md5.prof -o md5.txt
cmp md5.txt theirs.md5.txt || fail "MD5 names differ from llvm-profdata-19's"

convert listed.prof --symbol-list
llvm-profdata-19 show --sample --show-prof-sym-list listed.prof >shown
for name in complain even main odd sum walk; do
	grep -q "^$name\$" shown || fail "$name is not in the symbol list"
done

# clang takes counts from every form; it loads functions through the offset table alone.
uses() {
	local clang=$1 profile=$2
	shift 2
	"$clang" -O2 -gmlt -fdebug-info-for-profiling -fprofile-sample-use="$profile" "$@" -S -emit-llvm -o out.ll \
		"$data/shapes.c" -Werror
	grep -q 'define .* @walk(.*!prof' out.ll || fail "$clang does not use $profile for walk"
	entry=$(sed -n 's/^define .* @walk(.*!prof \(![0-9]*\).*/\1/p' out.ll)
	grep -q "^$entry = !{!\"function_entry_count\"" out.ll || fail "$clang: walk has no entry count"
	grep -q '!"branch_weights"' out.ll || fail "$clang sets no branch weights from $profile"
}
for form in names.prof plain.txt md5.prof packed.prof both.prof; do
	uses clang-19 $form
	uses clang-14 $form
done
uses clang-19 names.prof -mllvm -sample-profile-use-profi
uses clang-19 names.prof -mllvm -enable-ext-tsp-block-placement

# The counts themselves arrive: walk's head is its entry count (clang adds one), and mix is inlined as it was.
head=$(sed -n 's/^walk:[0-9]*:\([0-9]*\)$/\1/p' plain.txt)
uses clang-19 names.prof
grep -q "^$entry = !{!\"function_entry_count\", i64 $((head + 1))}" out.ll || fail "walk's entry count is not $head + 1"

# Several executable segments, no position independence, older line tables: the same source, the same counts.
for flags in "-no-pie -fno-pie" "-gdwarf-4" "-fuse-ld=lld-19 -Wl,-z,separate-loadable-segments"; do
	# shellcheck disable=SC2086
	build variant $flags
	if [[ $flags == -no-pie* ]]; then
		continue
	fi
	samples variant.pb.gz variant walk sum
	"$profuse" convert -b variant -o variant.txt -f text variant.pb.gz >/dev/null 2>&1
	grep -q '^walk:' variant.txt || fail "nothing for walk with $flags"
done
echo "LLVM 14 and 19 read and use all forms"

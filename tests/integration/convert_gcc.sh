#!/usr/bin/env bash
# convert for GCC: gcc -fauto-profile reads our file, knows each function and line in it, and builds with it.
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need gcc python3
profuse=$build_dir/profuse
cd "$work"
cp "$data/shapes.c" .
gcc -O2 -g1 -Wl,--build-id -o program shapes.c
samples cpu.pb.gz program walk sum odd even main
expect 0 "$profuse" convert -b program --format gcc -o program.afdo cpu.pb.gz
says "-fauto-profile=program.afdo"

# use PROFILE OUT: builds with it; what gcc says and what it made of the program goes beside OUT.
use() {
	gcc -O2 -g1 -fauto-profile="$1" -fdump-tree-optimized-all -dumpdir "$work/$2." -o "$2" shapes.c 2>"$2.said" &&
		[ ! -s "$2.said" ]
}
use program.afdo optimised || { cat optimised.said; fail "gcc refuses the profile"; }
[ "$(./program)" = "$(./optimised)" ] || fail "the program answers otherwise"
hot=$(sed -n 's/^;; Function \([a-z]*\).* (hot)$/\1/p' optimised.*optimized | sort -u | paste -sd' ')
[ "$hot" = "even main odd sum walk" ] || fail "hot are $hot"
# The very counts: what clang would get for the only line of odd() is what gcc has.
expect 0 "$profuse" convert -b program --format text --layout nest -o program.text cpu.pb.gz
for function in odd even; do
	count=$(sed -n "/^$function:/,/^[^ ]/s/^ 2: \([0-9]*\)$/\1/p" program.text)
	[ "${count:-0}" -gt 100 ] || fail "no count for $function"
	sed -n "/^;; Function $function /,/EXIT/p" optimised.*optimized >function
	grep -q "count $count (auto FDO)" function || fail "$function does not count $count for gcc"
done
# A profile of a version it doesn't know is refused: without this the silence above would prove nothing.
{ head -c 4 program.afdo; printf '\377'; tail -c +6 program.afdo; } >unknown.afdo
! use unknown.afdo refused || fail "gcc would not have noticed"

# In any order the same bytes; what does not fit is said.
samples more.pb.gz program walk sum --seed 7
expect 0 "$profuse" convert -b program --format gcc -o one.afdo cpu.pb.gz more.pb.gz
expect 0 "$profuse" convert -b program --format gcc -o two.afdo more.pb.gz cpu.pb.gz
cmp one.afdo two.afdo || fail "the output depends on the order of the inputs"
expect 2 "$profuse" convert -b program --format gcc --places probes -o none.afdo cpu.pb.gz
expect 2 "$profuse" convert -b program --format gcc --check -o none.afdo cpu.pb.gz
gcc -O2 -s -o stripped shapes.c
expect 3 "$profuse" convert -b stripped --allow-build-id-mismatch --format gcc -o none.afdo cpu.pb.gz
[ ! -e none.afdo ] || fail "nothing usable left a file"

# A build of another compiler: clang's names of static functions are none of GCC's, and what GCC built is said to be.
expect 0 "$profuse" convert -b program -o program.prof cpu.pb.gz
says "GCC built this binary"
clang=$(command -v clang-19 || command -v clang || true)
if [ -n "$clang" ]; then
	"$clang" -O2 -gmlt -fdebug-info-for-profiling -fpseudo-probe-for-profiling -Wl,--build-id -o probes shapes.c
	"$clang" -O2 -gmlt -fdebug-info-for-profiling -Wl,--build-id -o clangs shapes.c
	for binary in probes clangs; do samples "$binary.pb.gz" "$binary" walk main; done
	expect 3 "$profuse" convert -b probes --format gcc -o none.afdo probes.pb.gz
	says "was built by clang"
	[ ! -e none.afdo ] || fail "what fits nothing left a file"
	expect 0 "$profuse" convert -b clangs --format gcc -o clangs.afdo clangs.pb.gz
	says "Code of clang's is in this binary"
	expect 0 "$profuse" convert -b clangs -o clangs.prof clangs.pb.gz
	! grep -q "GCC built" err || fail "clang's build is said to be GCC's: $(cat err)"
fi
echo "gcc takes it"

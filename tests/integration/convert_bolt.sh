#!/usr/bin/env bash
# convert for BOLT: llvm-bolt takes every branch of the profile, for every function in it, and its output still works.
# long
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need clang-19 ld.lld-19 llvm-bolt-19 llvm-objdump-19 llvm-readelf-19 python3
profuse=$build_dir/profuse
cd "$work"

# Two files of one name with a function of one name, as projects of many folders have them, beside the test program.
mkdir a b
for folder in a b; do
	cat >$folder/part.c <<-END
		static __attribute__((noinline)) int spin(int n)
		{
			int sum = $([ $folder = a ] && echo 0 || echo 7);
			for (int i = 0; i < n; i++)
				sum = sum % 3 == 1 ? sum * 5 + i : sum ^ (n / (i + 1));
			return sum;
		}
		int ${folder}_spin(int n) { return spin(n) + spin(n / 2); }
	END
done
sed 's/^main(/shapes_main(/' "$data/shapes.c" >shapes_part.c
cat >main.c <<'END'
#include <stdio.h>
int shapes_main(int argc, char **argv);
int a_spin(int), b_spin(int);
int main(int argc, char **argv)
{
	printf("%d %d\n", a_spin(1000), b_spin(1000));
	return shapes_main(argc, argv);
}
END
link() { clang-19 -O2 -g -fuse-ld=lld-19 -Wl,--build-id "$@" main.c a/part.c b/part.c shapes_part.c; }
link -Wl,--emit-relocs -o program
samples cpu.pb.gz program spin walk sum odd even a_spin b_spin

expect 0 "$profuse" convert -b program --format bolt -o program.fdata cpu.pb.gz
says "llvm-bolt"
[ "$(cut -d' ' -f2 program.fdata | grep -c '^spin/part.c/[12]$')" -gt 10 ] || fail "local functions are not told apart"
bolt() { llvm-bolt-19 program -o "$1" -data="$2" -v=2 -reorder-blocks=ext-tsp -reorder-functions=hfsort -split-functions -split-all-cold >said 2>&1; }
bolt bolted program.fdata || { cat said; fail "llvm-bolt refuses the profile"; }
! grep -E 'profile branches match only|corrupted|[1-9][0-9]* (callsites with invalid|stale functions)' said || fail "llvm-bolt does not know these branches"
functions=$(cut -d' ' -f2,5 program.fdata | tr ' ' '\n' | grep -v unknown | sort -u | wc -l)
[ "$functions" = 8 ] || fail "$functions functions instead of 8"
found=$(($(sed -n 's/^BOLT-INFO: \([0-9]*\) out of .* have non-empty execution profile$/\1/p; s/^BOLT-INFO: \([0-9]*\) function.* with profile could not be optimized$/\1/p' said | paste -sd+)))
[ "$found" = "$functions" ] || fail "llvm-bolt found data for $found functions, not for $functions"
# What it says of a profile that does not fit: without this the check above would prove nothing.
sed 's/^1 walk \([0-9a-f]*\) 1 walk /1 walk 1\1 1 walk /' program.fdata >wrong.fdata
bolt wrong wrong.fdata || true
grep -q 'profile branches match only' said || fail "llvm-bolt would not have noticed"
[ "$(./program)" = "$(./bolted)" ] || fail "the rewritten program answers otherwise"

# In any order the same bytes; what is missing is said.
samples more.pb.gz program walk sum --seed 7
expect 0 "$profuse" convert -b program --format bolt -o one.fdata cpu.pb.gz more.pb.gz
expect 0 "$profuse" convert -b program --format bolt -o two.fdata more.pb.gz cpu.pb.gz
cmp one.fdata two.fdata || fail "the output depends on the order of the inputs"
link -o unrelocated
samples plain.pb.gz unrelocated walk sum
expect 0 "$profuse" convert -b unrelocated --format bolt -o plain.fdata plain.pb.gz
says "--emit-relocs"
command=$(cat stdout stderr | sed -n '/^optimise with/{n;p}')
[ -n "$command" ] && eval "$command" >said 2>&1 || { echo "$command"; cat said; fail "the command for a binary without relocations is no good"; }
[ "$(./unrelocated)" = "$(./unrelocated.bolt)" ] || fail "the rewritten program answers otherwise"
expect 2 "$profuse" convert --format bolt -o none.fdata cpu.pb.gz
expect 3 "$profuse" convert -b unrelocated --format bolt -o none.fdata cpu.pb.gz
mkdir rewritten
cp bolted rewritten/program
expect 3 "$profuse" convert -b rewritten/program --allow-build-id-mismatch --format bolt -o none.fdata cpu.pb.gz
says "llvm-bolt already"
# Without being asked to take another build, too: it is not just one.
expect 3 "$profuse" convert -b rewritten/program --format bolt -o none.fdata cpu.pb.gz
says "llvm-bolt already"
# BOLT's build id is its own: where one of the two was profiled and the other is given, this is said.
expect 3 "$profuse" convert -b rewritten/program -o none.fdata cpu.pb.gz
says "the first is what llvm-bolt has made of the other"
samples rewritten.pb.gz program walk --build-id "$(llvm-readelf-19 -n bolted | sed -n 's/.*Build ID: //p')"
expect 3 "$profuse" convert -b program --format bolt -o none.fdata rewritten.pb.gz
says "the other is what llvm-bolt has made of this one"
[ ! -e none.fdata ] || fail "nothing usable left a file"
echo "BOLT takes it"

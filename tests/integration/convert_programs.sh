#!/usr/bin/env bash
# What people bring to convert: C++, a shared library, libraries linked statically, a build without the right flags,
# a stripped program, perf's recordings. Each is converted, or told what to do.
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need clang-19 clang++-19 llvm-objdump-19 llvm-readelf-19 llvm-nm-19 objcopy strip python3
profuse=$build_dir/profuse
cd "$work"
flags=(-O2 -gmlt -fdebug-info-for-profiling -Wl,--build-id)

# C++ is built by C++'s driver, C by C's.
build shapes
samples cpu.pb.gz shapes walk sum odd even
clang++-19 "${flags[@]}" -x c++ -o cpp "$data/shapes.c"
function=$(llvm-nm-19 cpp | sed -n 's/.* T \(_Z4walk.*\)/\1/p')
samples cpp.pb.gz cpp "$function"
expect 0 "$profuse" convert -b shapes -o out --json cpu.pb.gz
json stdout "d['command']" | grep -qE '^clang(-[0-9]+)? ' || fail "C is not to be built by clang"
json stdout "d['command'].split(' ', 1)[1] == d['flags']" | grep -qx True || fail "the flags are not the command's"
expect 0 "$profuse" convert -b cpp -o out --json cpp.pb.gz
json stdout "d['command']" | grep -qE '^clang\+\+(-[0-9]+)? ' || fail "C++ is not to be built by clang++"
build probes -fpseudo-probe-for-profiling # C's static functions have names of C++'s form then
function=$(llvm-nm-19 probes | sed -n 's/.* t \(_ZL3oddm\.__uniq.*\)/\1/p')
samples probes.pb.gz probes "$function" --every 1
expect 0 "$profuse" convert -b probes -o out --json probes.pb.gz
json stdout "d['command']" | grep -qE '^clang(-[0-9]+)? ' || fail "C with unique names is not to be built by clang"
for flags_of in flags lto_flags; do # by probes clang needs the profile only
	json stdout "d['$flags_of'].split()[-1]" | grep -qx -- '-fprofile-sample-use=out' || fail "$flags_of of probes have more"
done
# Unique names are those of the build also where each such function was inlined, and is no symbol.
cat >unique.c <<'END'
#include <stdio.h>
#include <stdlib.h>
static inline unsigned long step(unsigned long x, int n)
{
	for (int i = 0; i < n; i++)
		x = x % 3 ? x * 5 + i : x ^ (x / 7);
	return x;
}
int main(int argc, char **argv)
{
	unsigned long s = argc;
	for (int i = 0; i < atoi(argv[1]); i++)
		s ^= step(s, 50) + step(s + 1, 30);
	printf("%lu\n", s);
}
END
clang-19 "${flags[@]}" -funique-internal-linkage-names -o unique unique.c
! llvm-nm-19 unique | grep -q __uniq || fail "a static function is not inlined"
samples unique.pb.gz unique main
expect 0 "$profuse" convert -b unique -o unique.prof --json unique.pb.gz
json stdout "d['flags']" | grep -q -- -funique-internal-linkage-names || fail "the build has no unique names, the profile has"

# With -flto the linker compiles: what is printed for it brings the profile there, of either kind of objects and linker.
expect 0 "$profuse" convert -b shapes -o lto.prof cpu.pb.gz
says "with -flto, the linker needs it too"
expect 0 "$profuse" convert -b shapes -o lto.prof --json cpu.pb.gz
read -ra lto < <(json stdout "d['lto_flags']")
[[ "${lto[*]}" = *sample-profile-use-profi* && "${lto[*]}" != *cutoff-hot* ]] || fail "the linker is to compile otherwise than the compiler (lines)"
for kind in thin full; do
	clang-19 -O2 -flto=$kind -gmlt -fdebug-info-for-profiling -ffunction-sections -c -o lto.o "$data/shapes.c"
	for linker in lld-19 gold bfd; do
		command -v "ld.$linker" >/dev/null || continue
		clang-19 -O2 -flto=$kind -fuse-ld=$linker -o without lto.o
		clang-19 -O2 -flto=$kind -fuse-ld=$linker "${lto[@]}" -o with lto.o || fail "$linker does not take ${lto[*]}"
		[ "$(./with)" = "$(./without)" ] || fail "the program answers otherwise ($kind, $linker)"
		! cmp -s <(llvm-objdump-19 -d without | tail -n +4) <(llvm-objdump-19 -d with | tail -n +4) || fail "the profile has no effect in the link ($kind, $linker)"
	done
done
expect 0 "$profuse" convert -b cpp -o out --json cpp.pb.gz
grep -q discriminator stdout && fail "discriminators are missed where they are"

# A shared library is converted by its own samples; the program around it has none, and that is said.
clang-19 "${flags[@]}" -shared -fPIC -Dmain=enter -o libshapes.so "$data/shapes.c"
printf 'int enter(int, char **);\nint main(int c, char **v)\n{\n\treturn enter(c, v);\n}\n' >user.c
clang-19 "${flags[@]}" -o user user.c -L. -lshapes
cat >library.py <<'END'
import json, re, subprocess, sys
def ask(tool, *args):
    return subprocess.run([tool, *args], check=True, capture_output=True, text=True).stdout
def mapping(path, start):
    id = re.search(r"Build ID: (\S+)", ask("llvm-readelf-19", "-n", path)).group(1)
    row = re.search(r"LOAD\s+(0x\S+)\s+(0x\S+)\s+\S+\s+(0x\S+)\s+\S+\s+R E", ask("llvm-readelf-19", "-lW", path))
    offset, address, size = (int(x, 16) for x in row.groups())
    skew = address & 4095
    return {"start": start + address - skew, "limit": start + address + size, "offset": offset - skew, "filename": path, "build_id": id}
def place(path, function):
    return int(re.search(rf"^(\S+) T {function}$", ask("llvm-nm-19", path), re.M).group(1), 16)
program, library = 0x550000000000, 0x7f0000000000
stack = [{"address": library + place("libshapes.so", "walk") + 4, "mapping": 1}, {"address": program + place("user", "main") + 4, "mapping": 0}]
json.dump({"types": [["samples", "count"]], "mappings": [mapping("user", program), mapping("libshapes.so", library)],
           "samples": [{"values": [50], "stack": stack}]}, sys.stdout)
END
python3 library.py >library.json
python3 "$tools/make_pprof.py" json library.json library.pb.gz
expect 0 "$profuse" convert -b libshapes.so -f text -o library.txt library.pb.gz
grep -q '^walk:' library.txt || fail "no samples in the library"
expect 3 "$profuse" convert -b shapes --allow-build-id-mismatch -o none library.pb.gz
says "the one with the most samples is libshapes.so"
says "takes another build of the same file name"
sed 's,"user","/bin/user",' library.json >installed.json
python3 "$tools/make_pprof.py" json installed.json installed.pb.gz
expect 3 "$profuse" convert -b shapes -o none installed.pb.gz
says "the program with the most samples is /bin/user"
expect 3 "$profuse" convert -b user -o none library.pb.gz
says "user was profiled, but no sample is in its own code: most are in libshapes.so"

# Libraries that were linked statically bring no lines: the report names where those samples are.
printf 'unsigned long foreign(unsigned long x)\n{\n\tfor (int i = 0; i < 1000; i++)\n\t\tx = x * 5 ^ x >> 3;\n\treturn x;\n}\n' >foreign.c
clang-19 -O2 -c foreign.c
clang-19 "${flags[@]}" -o static "$data/shapes.c" foreign.o
samples static.pb.gz static odd foreign --every 1
expect 1 "$profuse" convert -b static -o out --require-ready --max-age 36500d --min-samples 1 static.pb.gz
says "Samples without line information are mostly in foreign ("
expect 0 "$profuse" convert -b static -o out --require-ready --max-age 36500d --min-samples 1 --min-line-share 5% static.pb.gz

# Built without -fdebug-info-for-profiling.
clang-19 -O2 -g -Wl,--build-id -o plain "$data/shapes.c"
samples plain.pb.gz plain walk sum odd even
expect 0 "$profuse" convert -b plain -o out plain.pb.gz
says "No line has a discriminator"

# Stripped, the debug information elsewhere under the name that the binary gives: found in a folder that holds it.
cp shapes stripped
objcopy --only-keep-debug shapes shapes.debug
strip --strip-all stripped
objcopy --add-gnu-debuglink=shapes.debug stripped
mkdir symbols
mv shapes.debug symbols
expect 3 "$profuse" convert -b stripped -o none cpu.pb.gz
says "the binary says that it is called shapes.debug"
expect 0 "$profuse" convert -b shapes -f text -o whole cpu.pb.gz
expect 0 "$profuse" convert -b stripped --debug-file symbols -f text -o apart cpu.pb.gz
cmp whole apart || fail "debug information in a folder gives other counts"

# perf: its own file is no profile; what perf_to_profile makes of it counts samples of the event.
printf 'PERFILE2\x68\0\0\0\0\0\0\0' >perf.data
expect 3 "$profuse" convert -b shapes -o none perf.data
says "perf_to_profile"
for line in "prog_line 13174 18110.123456:     250000 cpu-clock:pppH: " "swapper 0 [001] 1.5: 1 cycles:"; do
	printf '%s\n\t    55f0c0 main+0x10 (/usr/bin/prog_line)\n' "$line" >perf.txt
	expect 3 "$profuse" convert -b shapes -o none perf.txt
	says "perf script: perf_to_profile"
done
expect 0 "$profuse" convert -b shapes -o clang.prof cpu.pb.gz
expect 3 "$profuse" convert -b shapes -o none clang.prof
says "clang.prof: a profile for clang"
for event in cycles:u cpu-clock cpu_core/cycles/ instructions:uppp; do
	sed "s|\[\"samples\", \"count\"\], \[\"cpu\", \"nanoseconds\"\]|[\"${event}_sample\", \"count\"], [\"${event}_event\", \"count\"]|" cpu.pb.gz.json >perf.json
	python3 "$tools/make_pprof.py" json perf.json perf.pb.gz
	expect 0 "$profuse" convert -b shapes -f text -o perf.txt --json perf.pb.gz
	[ "$(json stdout "d['samples']['type']")" = "${event}_sample" ] || fail "$event: another type was taken"
	grep -q 'samples of time' stdout && [[ $event == instructions* ]] && fail "retired instructions are taken for time"
	[[ $event == instructions* ]] || cmp perf.txt whole || fail "$event counts otherwise than samples"
done
sed "s|\[\"samples\", \"count\"\], \[\"cpu\", \"nanoseconds\"\]|[\"cache-misses_sample\", \"count\"], [\"cache-misses_event\", \"count\"]|" cpu.pb.gz.json >perf.json
python3 "$tools/make_pprof.py" json perf.json perf.pb.gz
expect 3 "$profuse" convert -b shapes -o none perf.pb.gz
[ ! -e none ] || fail "nothing usable left a file"
echo "programs of all kinds are converted, or told what to do"

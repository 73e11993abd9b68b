#!/usr/bin/env bash
# examples/pipeline/profuse.mk: the flags are those that the profile needs, by lines and by pseudo-probes.
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need clang-19 llvm-nm-19 llvm-objdump-19 llvm-readelf-19 make python3
profuse=$(realpath "$build_dir")/profuse
cd "$work"
cp "$data/edited.c" .
cat >Makefile <<END
PROFILE = service.prof
include $source_dir/examples/pipeline/profuse.mk
\$(OUT)/service: edited.c \$(PROFUSE_STAMP)
	clang-19 -O2 -Wl,--build-id \$(PROFUSE_FLAGS) -o \$@ edited.c
END
# flags OUT VARIABLE...: makes it; the command is in $work/log
flags() { make "OUT=$1" "${@:2}" >log 2>&1 || { cat log; fail "make $*"; }; }

flags lines PROFILE=
grep -q -- '-gmlt' log && ! grep -q 'probe\|sample-use' log || { cat log; fail "not the build to profile"; }
flags probes PROFILE= PROBES=1
grep -q -- -fpseudo-probe-for-profiling log || { cat log; fail "no probes"; }
# A profile that is not there is a build without: said, for somebody may ship it. Make can't take blanks.
flags missing PROFILE=typo.prof
grep -q 'warning: typo.prof is not there\|typo.prof is not there: this build' log || { cat log; fail "nothing said of a missing profile"; }
make OUT=blank PROFILE="a b.prof" >log 2>&1 && fail "a name with a blank is taken"
grep -q "a blank in its name" log || { cat log; fail "the blank is not named"; }
for kind in lines probes; do
	samples cpu.pb.gz $kind/service leaf grown --every 1
	for format in extbinary text; do
		expect 0 "$profuse" convert -b $kind/service -o service.prof --format $format --min-samples 10 --max-age 36500d cpu.pb.gz
		flags "from-$kind-$format"
		grep -q 'fprofile-sample-use=service.prof' log && ! grep -q warning log || { cat log; fail "the profile by $kind ($format) is dropped"; }
		[ $kind = "$(grep -q pseudo-probe log && echo probes || echo lines)" ] || { cat log; fail "a build by other places than the profile's, $kind"; }
	done
done
# Names that clang made unique come by lines as well: the flag for them is told by the profile.
sed -i 's/int leaf(/static &/' edited.c
make OUT=unique PROFILE= PROFUSE_FLAGS="-gmlt -fdebug-info-for-profiling -funique-internal-linkage-names" >log 2>&1
samples cpu.pb.gz unique/service "$(llvm-nm-19 unique/service | sed -n 's/.* t \(_ZL4leaf.*__uniq.*\)/\1/p')" grown --every 1
for format in extbinary "extbinary --md5" text; do
	# shellcheck disable=SC2086
	expect 0 "$profuse" convert -b unique/service -o service.prof --format $format --min-samples 10 --max-age 36500d cpu.pb.gz
	flags "from-unique-${format/ /}"
	grep -q -- -funique-internal-linkage-names log || { cat log; fail "names of static functions are others than the profile's ($format)"; }
done
# Objects for link-time optimisation: the linker's flags are its own.
if command -v ld.lld-19 >/dev/null; then
	sed -i 's,clang-19 -O2,& -flto=thin -fuse-ld=lld-19 $(PROFUSE_LTO_FLAGS),' Makefile
	flags thin
	grep -q -- -plugin-opt=-enable-ext-tsp log && ! grep -q warning log || { cat log; fail "the linker has no profile"; }
fi
echo "Makefiles build with their profiles"

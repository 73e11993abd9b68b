#!/usr/bin/env bash
# profuse_use_profile() in a CMake project that uses the installed package: with and without a profile, and when it changes.
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need clang-19 g++ ld.lld-19 llvm-nm-19 llvm-objdump-19 llvm-readelf-19 python3 ninja
if grep -q '^PROFUSE_SANITIZE:.*=.' "$build_dir/CMakeCache.txt"; then
	echo "skipped: a sanitized library is not what packages ship"
	exit 77
fi
cd "$work"
DESTDIR= cmake --install "$build_dir" --prefix "$work/prefix" >/dev/null
profuse=$work/prefix/bin/profuse

# configure FOLDER OPTION...: warnings in $work/said
configure() {
	local folder=$1 status=0
	shift
	cmake -G Ninja -S "$source_dir/tests/consumer_profile" -B "$folder" -DCMAKE_PREFIX_PATH="$work/prefix" \
		-DCMAKE_C_COMPILER=clang-19 -DCMAKE_BUILD_TYPE=Release -DSERVICE_PROFILE="$work/service.prof" "$@" >said 2>&1 || status=$?
	tr -s '\n ' ' ' <said >said.line
	return $status
}
said() { grep -qF -- "$1" said.line || { cat said; fail "cmake did not say: $1"; }; }
silent() { ! grep -q 'Warning\|Error' said || { cat said; fail "cmake had something to say"; }; }
commands() { ninja -C "$1" -t commands service >commands; }

# Without a profile: the build that is profiled, and a warning.
configure build
said "service.prof is not there: service will be built to be profiled"
cmake --build build >/dev/null
commands build
mv commands first
grep -q -- '-gmlt -fdebug-info-for-profiling' first && ! grep -q fprofile-sample-use first || { cat first; fail "not the build to profile"; }
! configure required -DSERVICE_OPTIONS=REQUIRED || fail "a missing profile that is required is no error"
said "service.prof is not there"

# The profile appears: the next build takes it, without being told.
samples cpu.pb.gz build/service leaf unchanged grown removed moved --every 1
expect 0 "$profuse" convert -b build/service -o service.prof --provenance --min-samples 10 --max-age 36500d cpu.pb.gz
cmake --build build >log 2>&1
commands build
mv commands second
grep -q -- "-fprofile-sample-use=$work/service.prof -mllvm -sample-profile-use-profi -mllvm -enable-ext-tsp-block-placement .*-c " second || { cat log second; fail "the profile was not taken"; }
object=$(find build -name '*.o')
llvm-readelf-19 -SW "$object" >sections
grep -q '\.text\.hot\.' sections || fail "the profile has no effect on the object"
cmake --build build >log 2>&1
grep -q 'no work' log || fail "built again without a change"
touch service.prof # a date is no change
cmake --build build >log 2>&1
! grep -q 'Building C object' log || { cat log; fail "the same profile, newer: all objects were made anew"; }
cmake --build build >log 2>&1
grep -q 'no work' log || { cat log; fail "built again without a change, after a newer date"; }
# It changes: objects are made anew. It goes: the build is that to profile again.
samples more.pb.gz build/service grown --every 1
expect 0 "$profuse" convert -b build/service -o service.prof --provenance --min-samples 10 --allow-build-id-mismatch more.pb.gz
cmake --build build >log 2>&1
grep -q 'Building C object' log || fail "a new profile left the old object"
mv service.prof away.prof
cmake --build build >log 2>&1
commands build
! grep -q fprofile-sample-use commands || fail "a profile that has gone is still used"
mv away.prof service.prof

# Release only, unless told otherwise; link-time optimisation gets the profile at link time too.
configure debug -DCMAKE_BUILD_TYPE=Debug
commands debug
! grep -q 'fprofile-sample-use\|gmlt' commands || fail "a debug build was changed"
configure debug -DCMAKE_BUILD_TYPE=Debug "-DSERVICE_OPTIONS=CONFIGS;Debug"
commands debug
grep -q fprofile-sample-use commands || fail "the chosen configuration was not changed"
configure thin -DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON -DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld-19
cmake --build thin >/dev/null
commands thin
[ "$(grep -c fprofile-sample-use commands)" = 2 ] || fail "the linker has no profile"
[ "$(grep -c plugin-opt=-enable-ext-tsp commands)" = 1 ] && ! grep -q plugin-opt=.*cutoff commands || fail "the linker has other flags than convert prints"
./thin/service 1000 >/dev/null
configure probes "-DSERVICE_OPTIONS=PROBES;REPORT_STALENESS"
cmake --build probes >log 2>&1
commands probes
grep -q -- -fpseudo-probe-for-profiling commands || fail "no probes"
# Static functions have the same names in another checkout: they are made of the file's path.
for checkout in one two; do
	mkdir -p "$checkout"
	sed 's/int leaf(/static &/' "$data/edited.c" >"$checkout/edited.c"
	sed 's,/../data/convert/,/,' "$source_dir/tests/consumer_profile/CMakeLists.txt" >"$checkout/CMakeLists.txt"
	cmake -G Ninja -S "$checkout" -B "$checkout/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_COMPILER=clang-19 \
		-DCMAKE_BUILD_TYPE=Release -DSERVICE_PROFILE="$work/none.prof" -DSERVICE_OPTIONS=PROBES >log 2>&1 || { cat log; fail "a checkout is not configured"; }
	cmake --build "$checkout/build" >log 2>&1
	llvm-nm-19 "$checkout/build/service" | sed -n 's/.* \(_ZL4leafi.__uniq.*\)/\1/p' >"$checkout/names"
done
[ -s one/names ] && cmp one/names two/names || fail "static functions have other names in another checkout"
# So have those of sources outside the project's folder: beside it and above it.
for checkout in three four; do
	mkdir -p "$checkout/sources" "$checkout/project"
	sed 's/int leaf(/static &/' "$data/edited.c" >"$checkout/sources/edited.c"
	echo '__attribute__((noinline)) static int above(int x) { return x * 3 + 1; } int (*volatile keep)(int) = above;' >"$checkout/above.c"
	sed 's,[^ ]*/../data/convert/edited.c,../sources/edited.c ../above.c,' "$source_dir/tests/consumer_profile/CMakeLists.txt" >"$checkout/project/CMakeLists.txt"
	cmake -G Ninja -S "$checkout/project" -B "$checkout/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_COMPILER=clang-19 \
		-DCMAKE_BUILD_TYPE=Release -DSERVICE_PROFILE="$work/none.prof" -DSERVICE_OPTIONS=PROBES >log 2>&1 || { cat log; fail "a checkout is not configured"; }
	cmake --build "$checkout/build" >log 2>&1
	llvm-nm-19 "$checkout/build/service" | sed -n 's/.* \(_ZL[^ ]*.__uniq.*\)/\1/p' >"$checkout/names"
done
[ "$(wc -l <three/names)" = 2 ] && cmp three/names four/names || { cat three/names; fail "static functions of sources outside have other names in another checkout"; }

# A profile by probes is told by itself, without its record: a build without probes drops it.
samples by-probes.pb.gz probes/service leaf grown --every 1
for format in extbinary text; do
	expect 0 "$profuse" convert -b probes/service -o by-probes.prof --format $format --min-samples 10 --max-age 36500d by-probes.pb.gz
	configure from-probes "-DSERVICE_PROFILE=$work/by-probes.prof"
	commands from-probes
	grep -q -- '-fpseudo-probe-for-profiling .*-fprofile-sample-use=' commands && ! grep -q -- -use-profi commands ||
		{ cat commands; fail "a profile by probes as $format is used without them"; }
	cmake --build from-probes >log 2>&1
	! grep -q warning log || { cat log; fail "clang drops a profile by probes"; }
done
# One by lines of a build with probes: static functions keep their unique names, which the profile tells, also as hashes.
samples unique.pb.gz one/build/service "$(head -1 one/names)" grown --every 1
for format in extbinary "extbinary --md5" text; do
	# shellcheck disable=SC2086
	expect 0 "$profuse" convert -b one/build/service -o by-lines.prof --places lines --format $format --min-samples 1 --max-age 36500d unique.pb.gz
	configure from-lines "-DSERVICE_PROFILE=$work/by-lines.prof"
	commands from-lines
	grep -q -- '-funique-internal-linkage-names .*-sample-profile-use-profi' commands || { cat commands; fail "unique names of the profile are not those of the build ($format)"; }
done

# A build of no configuration has no profile, and says so.
configure no-config -DCMAKE_BUILD_TYPE=
said 'CMAKE_BUILD_TYPE is "", none of Release;RelWithDebInfo;MinSizeRel: nothing is changed'
! configure no-config -DCMAKE_BUILD_TYPE= -DSERVICE_OPTIONS=REQUIRED || fail "no configuration, with a profile that is required, is no error"
! configure no-config -DCMAKE_BUILD_TYPE=None -DSERVICE_OPTIONS=REQUIRED || fail "configuration None, with a profile that is required, is no error"
configure no-config -DCMAKE_BUILD_TYPE=None "-DSERVICE_OPTIONS=REQUIRED;MAX_AGE_DAYS;0;CONFIGS;None"
silent
commands no-config
grep -q fprofile-sample-use commands || fail "configuration None was not changed"
configure debug -DCMAKE_BUILD_TYPE=Debug "-DSERVICE_OPTIONS=REQUIRED;MAX_AGE_DAYS;0"
silent
# A build that has no profile says nothing of what becomes of one, and names are compared as CMake compares them.
configure no-config -DCMAKE_BUILD_TYPE= "-DSERVICE_PROFILE=$work/none.prof" -DSERVICE_OPTIONS=
! grep -q 'will be built to be profiled' said.line || { cat said; fail "nothing is changed, and to be profiled"; }
configure debug -DCMAKE_BUILD_TYPE=Debug "-DSERVICE_PROFILE=$work/none.prof" -DSERVICE_OPTIONS=
silent
configure lower -DCMAKE_BUILD_TYPE=release "-DSERVICE_OPTIONS=MAX_AGE_DAYS;0"
silent
commands lower
grep -q fprofile-sample-use commands || fail "release is not Release"

# The record: of another profile, old, or no record at all. And compilers that take no sample profiles.
configure ageless "-DSERVICE_OPTIONS=MAX_AGE_DAYS;0"
silent
configure record
said "was taken"
said "days ago: profile today's service"
echo >>service.prof
configure record
said "is the record of another profile"
echo '{}' >service.prof.json
configure record
said "is no record of"
configure gcc -DCMAKE_C_COMPILER=gcc
said "clang builds with sample profiles, /usr/bin/gcc does not"
cmake --build gcc >/dev/null
# What compiles nothing has no use for a profile, and a target has one.
mkdir odd
{
	sed "s, [^ ]*/../data, $source_dir/tests/data," "$source_dir/tests/consumer_profile/CMakeLists.txt"
	echo 'if(ODD STREQUAL interface)'
	echo 'add_library(headers INTERFACE)'
	echo 'profuse_use_profile(headers PROFILE service.prof)'
	echo 'elseif(ODD)'
	echo 'profuse_use_profile(service PROFILE other.prof)'
	echo 'endif()'
} >odd/CMakeLists.txt
odd() {
	cmake -G Ninja -S odd -B odd/build -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_COMPILER=clang-19 -DCMAKE_BUILD_TYPE=Release \
		-DSERVICE_PROFILE="$work/service.prof" "-DSERVICE_OPTIONS=MAX_AGE_DAYS;0" -DODD="$1" >said 2>&1 && return 1
	tr -s '\n ' ' ' <said >said.line
}
odd interface || fail "a profile for headers alone"
said "headers compiles nothing of its own"
odd second || fail "two profiles of one target"
said "one profile a target"
# Only where a target's sources are compiled by it: another language of the project says nothing.
mkdir both
sed "s,LANGUAGES C,LANGUAGES C CXX,; s,[^ ]*/../data,$source_dir/tests/data," "$source_dir/tests/consumer_profile/CMakeLists.txt" >both/CMakeLists.txt
both() {
	cmake -G Ninja -S both -B both/build -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=g++ \
		-DCMAKE_BUILD_TYPE=Release -DSERVICE_PROFILE="$work/service.prof" "-DSERVICE_OPTIONS=REQUIRED;MAX_AGE_DAYS;0" >said 2>&1
}
rm service.prof.json
both || { cat said; fail "a C target is refused because of the C++ compiler"; }
echo 'int unused;' >both/more.cc
sed -i 's,edited.c,& more.cc,' both/CMakeLists.txt
! both || fail "a C++ source is compiled by g++, and nobody complains"
tr -s '\n ' ' ' <said >said.line
said "g++ does not"
echo "CMake projects are built with their profiles"

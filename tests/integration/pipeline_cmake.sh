#!/usr/bin/env bash
# profuse_use_profile() in a CMake project that uses the installed package: with and without a profile, and when it changes.
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need clang-19 ld.lld-19 llvm-nm-19 llvm-objdump-19 llvm-readelf-19 python3 ninja
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
echo "CMake projects are built with their profiles"

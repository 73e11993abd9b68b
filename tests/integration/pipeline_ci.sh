#!/usr/bin/env bash
# long: builds and profiles a service, several times
# The pipelines of examples/pipeline, step by step as GitHub and GitLab run them, with a service on this machine as
# production and folders in place of their stores.
build_dir=$1
# shellcheck source=tests/support/convert.sh
source "${PROFUSE_SOURCE_DIR:?}/tests/support/convert.sh"
need clang-19 ld.lld-19 llvm-profdata-19 make curl python3
python3 -c 'import yaml' 2>/dev/null || need python3-yaml
if grep -q '^PROFUSE_SANITIZE:.*=.' "$build_dir/CMakeCache.txt"; then
	echo "skipped: the agent of a sanitized build is not what production runs"
	exit 77
fi
build_dir=$(realpath "$build_dir")
cd "$work"
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
processes=()
trap 'for p in "${processes[@]}"; do kill "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT

# gh, as far as the workflow uses it: files of one release, in a folder.
mkdir bin
cat >bin/gh <<'END'
#!/usr/bin/env bash
set -euo pipefail
[ "$1 $3" = "release pgo" ] && [ "${GH_TOKEN:-}" = token ] || { echo "gh: $*: not as it should be" >&2; exit 1; }
verb=$2 patterns=() output=
shift 3
while [ $# -gt 0 ]; do
	case $1 in
	--pattern) patterns+=("$2") && shift ;;
	--output) output=$2 && shift ;;
	--clobber) ;;
	-*) echo "gh: unknown flag $1" >&2 && exit 1 ;;
	*) cp "$1" "$STORE/" ;;
	esac
	shift
done
[ "$verb" = download ] || exit 0
found=
for pattern in "${patterns[@]}"; do
	for file in "$STORE"/$pattern; do
		[ -e "$file" ] && found=1 && install -m 644 "$file" "${output:-$(basename "$file")}"
	done
done
[ -n "$found" ] || { echo "no assets match the file pattern" >&2; exit 1; }
END
chmod +x bin/gh
ln -s "$build_dir/profuse" bin/profuse
export PATH=$work/bin:$PATH
export BENCH_PAIRS=6 GATE="cpu<=+400%" # what is fast is measured elsewhere, and this machine may be busy

# checkout NAME: the folders of the repository that the pipelines use.
checkout() { mkdir -p "$1/examples" && cp -r "$source_dir"/examples/{pipeline,pgo-service} "$1/examples"; }

# produce STORE: the build that the pipeline deployed, under load; sets SERVICE_URL.
produce() {
	install -m 755 "$1/service" "$work/service"
	mkdir "$work/run"
	PROFUSE_PORT=auto PROFUSE_RUN_DIR="$work/run" PROFUSE_RATE=250 LD_PRELOAD=$build_dir/libprofuse-agent.so \
		"$work/service" --data "$source_dir/examples/pgo-service/data/training" \
		--replay "$source_dir/examples/pgo-service/data/training/requests.txt" 1000000 >/dev/null 2>"$work/agent.log" &
	processes+=($!)
	for _ in $(seq 200); do
		address=$(cat "$work"/run/*.json 2>/dev/null | grep -oE '127\.0\.0\.1:[0-9]+' | head -1) || true
		[ -n "$address" ] && break
		sleep 0.1
	done
	[ -n "$address" ] || { cat "$work/agent.log"; fail "the agent does not listen"; }
	export SERVICE_URL=http://$address
}
retire() { kill "${processes[-1]}"; wait "${processes[-1]}" 2>/dev/null || true; unset 'processes[-1]'; rm -rf "$work/run"; }

# pipeline KIND FILE: a push without a profile, a night with too little, a good night, a push with the profile.
pipeline() {
	local kind=$1 file=$source_dir/examples/pipeline/$2 store=$work/store.$1 status seconds
	run() { python3 "$tools/run_pipeline.py" "$kind" "$file" "$1" "$work/$2" >"$work/log" 2>&1; }
	checkout first
	run push first || { cat log; fail "$kind: the first push, without a profile"; }
	grep -qi 'none yet\|no profile yet' log || fail "$kind: a profile from nowhere"
	[ -s "$store/service" ] || fail "$kind: nothing was deployed"

	produce "$store"
	checkout night
	status=0
	PROFILE_SECONDS=1 run schedule night || status=$?
	[ $status = 1 ] || { cat log; fail "$kind: a profile of a second is good enough (status $status)"; }
	[ ! -e "$store/service.prof" ] || fail "$kind: a profile that is not ready was kept"
	status=0
	SERVICE_URL=http://127.0.0.1:1 run schedule night || status=$?
	[ $status = 4 ] || { cat log; fail "$kind: a service out of reach is status $status"; }
	for seconds in 8 20 60; do
		status=0
		PROFILE_SECONDS=$seconds run schedule night || status=$?
		[ $status = 0 ] && break
	done
	[ $status = 0 ] || { cat log; fail "$kind: no good profile"; }
	retire
	[ -s "$store/service.prof" ] && [ -s "$store/service.prof.json" ] && [ -s "$store/profiled" ] || fail "$kind: the profile was not kept"

	checkout second
	run push second || { cat log; fail "$kind: the push with a profile"; }
	grep -q -- '-fprofile-sample-use=service.prof' log || fail "$kind: built without the profile"
	grep -q 'still fits base/service' log || { cat log; fail "$kind: nobody asked whether the profile still fits"; }
	grep -q 'CPU time' second/examples/pipeline/bench.md || fail "$kind: nothing was compared"
	! cmp -s "$store/service" "$store/profiled" || fail "$kind: the optimised build was not deployed"
	rm -rf first night second
}

export STORE=$work/store.github
mkdir "$STORE" "$work/store.gitlab"
pipeline github github-actions.yml
mkfifo address
python3 "$tools/file_store.py" "$work/store.gitlab" >address 2>store.log &
processes+=($!)
read -r -t 20 CI_API_V4_URL <address || fail "the store does not start"
export CI_API_V4_URL CI_PROJECT_ID=7 CI_JOB_TOKEN=token
pipeline gitlab gitlab-ci.yml

# The same project for CMake.
if command -v ninja >/dev/null; then
	DESTDIR= cmake --install "$build_dir" --prefix "$work/prefix" >/dev/null
	checkout cmake
	cmake -G Ninja -S cmake/examples/pipeline -B cmake/out -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_COMPILER=clang-19 \
		-DCMAKE_BUILD_TYPE=Release -DPROFILE="$STORE/service.prof" >log 2>&1 || { cat log; fail "cmake"; }
	! grep -q Warning log || { cat log; fail "cmake warns"; }
	cmake --build cmake/out >log 2>&1 || { cat log; fail "the CMake build"; }
	! grep -q warning log || { cat log; fail "the CMake build has warnings"; }
	data=$source_dir/examples/pgo-service/data/evaluation
	[ "$(cmake/out/service --data "$data" --replay "$data/requests.txt" 1)" = "$(./service --data "$data" --replay "$data/requests.txt" 1)" ] ||
		fail "the CMake build answers otherwise"
fi
echo "both pipelines work, from the first push to a proven build"

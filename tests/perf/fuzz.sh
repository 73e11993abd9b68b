#!/usr/bin/env bash
# Fuzz targets for as long as asked, each in a process of its own, two at a time; prints executions and findings.
# Usage: fuzz.sh BUILD [SECONDS [TARGET...]]   (BUILD: cmake --preset fuzz; default: one hour, all targets)
# The corpus grows in BUILD/corpus, where CTest's short runs start from, too; findings are kept beside it. Ends with
# status 1 if there is one, or if a target did not run.
set -euo pipefail
build=$(cd "${1:?usage: fuzz.sh BUILD [SECONDS [TARGET...]]}" && pwd)
seconds=${2:-3600}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- $(cd "$build/tests" && ls ./*_fuzz | sed 's|./||; s/_fuzz$//')

run() {
	local target=$1 corpus=$build/corpus/$1 log=$build/corpus/$1.log arguments
	mkdir -p "$corpus"
	mapfile -t arguments < <(grep . "$build/tests/${target}_fuzz.arguments") # dictionary and seeds
	# A unit may take a minute: machines are busy. Hangs last longer.
	"$build/tests/${target}_fuzz" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix="$corpus-" "$corpus" "${arguments[@]}" >"$log" 2>&1 || true
	awk -v target="$target" -v path="$log" '
		/^stat::number_of_executed_units/ {executed = $2}
		/^stat::peak_rss_mb/ {memory = $2}
		/ cov: / {for (i = 1; i < NF; i++) if ($i == "cov:") covered = $(i + 1)}
		/^SUMMARY:|^ERROR:/ {found = found "; " $0}
		END {
			printf "%-12s %12d executions, %d edges covered, peak %d MB%s\n", target, executed, covered, memory,
				found ? found : executed ? "; no finding" : "; did not run, see " path
			exit found || !executed
		}' "$log"
}
export -f run
export build seconds
printf '%s\n' "$@" | nice xargs -P2 -I{} bash -c 'run {}'

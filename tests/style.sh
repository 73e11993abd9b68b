#!/usr/bin/env bash
# Taste checked by machine: format, clang-tidy, banned calls, file and function sizes. Needs a configured
# build/dev (./check makes it).
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0

mapfile -t sources < <(git ls-files -- '*.c' '*.h' ':!tests/fixtures' ':!tests/data' | while read -r f; do [ -f "$f" ] && echo "$f"; done)
clang-format-19 --dry-run --Werror "${sources[@]}" || failed=1

git ls-files -- 'lib/*.c' 'collect/*.c' 'convert/*.c' 'bench/*.c' 'tuner/*.c' 'cli/*.c' |
	xargs -P2 -n8 clang-tidy-19 -p build/dev --quiet 2>/dev/null || failed=1

if grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|atof|strtok|tmpnam|mktemp)\(' "${sources[@]}"; then
	echo "banned calls: use the bounded or checked form"
	failed=1
fi
if grep -nE '[[:space:]]+$' "${sources[@]}"; then
	echo "trailing blanks"
	failed=1
fi
for f in "${sources[@]}"; do
	lines=$(wc -l <"$f")
	if [ "$lines" -gt 600 ] && [[ $f != tests/* ]]; then
		echo "$f: $lines lines: does it still have one reason to exist?"
		failed=1
	fi
done
[ $failed = 0 ] && echo "style: ${#sources[@]} files in order"
exit $failed

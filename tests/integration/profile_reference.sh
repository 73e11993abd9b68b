#!/usr/bin/env bash
# What we read of older formats, in the reference's own words: every FILE beside a FILE.string decodes to it.
# Those under tests/fixtures/profiles were compared with google/pprof where it reads the format; the reference's
# own files are not part of this repository and are used where they lie beside it.
set -euo pipefail
build=$1
fixtures=$PROFUSE_SOURCE_DIR/tests/fixtures/profiles
reference=$PROFUSE_SOURCE_DIR/../shared/data/pprof
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compared=0
compare() {
	local want file
	for want in "$1"/*.string; do
		file=${want%.string}
		"$build/tests/tools/profile_string" "$file" >"$work/got"
		diff "$want" "$work/got" || { echo "$file: read otherwise than $want says"; exit 1; }
		compared=$((compared + 1))
	done
}

compare "$fixtures"
for file in "$fixtures"/*; do
	[[ $file == *.string || -e $file.string ]] || { echo "$file: has no .string to compare with"; exit 1; }
done
echo "profile_reference: $compared fixtures read as their .string says"

if [ ! -d "$reference" ]; then
	echo "profile_reference: skipped the reference's own files: no $reference"
	exit 0
fi
compared=0
compare "$reference"
echo "profile_reference: $compared of the reference's own files read as their .string says"

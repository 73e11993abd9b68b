#!/usr/bin/env bash
# What `profuse show` and `profuse merge` print, byte for byte, standard error and exit status included.
# UPDATE_GOLDEN=1 writes the files anew: look at the difference before you commit it.
set -euo pipefail
build=$(cd "$1" && pwd)
golden=${PROFUSE_SOURCE_DIR:?}/tests/golden/show
fixtures=$PROFUSE_SOURCE_DIR/tests/fixtures/profiles
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

for name in before after; do
	python3 "$PROFUSE_SOURCE_DIR/tests/tools/make_pprof.py" json "$golden/$name.json" $name.pb.gz
done
cp "$fixtures"/gperftools-64le.cpu plain.cpu
cp "$fixtures"/go-threadcreate.debug1 threads.txt
echo '{"types": [["contentions", "count"], ["delay", "nanoseconds"]], "samples": []}' >empty.json
python3 "$PROFUSE_SOURCE_DIR/tests/tools/make_pprof.py" json empty.json empty.pb.gz

compared=0
golden() {
	local name=$1 status=0
	shift
	"$build/profuse" "$@" >out 2>&1 || status=$?
	echo "exit status $status" >>out
	same "$name"
}

same() {
	if [ -n "${UPDATE_GOLDEN:-}" ]; then
		cp out "$golden/$1.txt"
	fi
	diff "$golden/$1.txt" out || { echo "show_golden: $1 differs (UPDATE_GOLDEN=1 takes the new text)"; exit 1; }
	compared=$((compared + 1))
}

golden top show top after.pb.gz
golden top-json show top --json -n 2 after.pb.gz
golden top-lines show top --granularity lines --sort cum after.pb.gz
golden top-files show top --granularity files after.pb.gz
golden top-binaries show top --granularity binaries after.pb.gz
golden top-addresses show top plain.cpu
golden top-focus show top --focus 'price|render' --ignore libc --unit ms after.pb.gz
golden top-samples show top --sample-type samples before.pb.gz after.pb.gz
golden top-empty show top empty.pb.gz
golden merge-empty merge empty.pb.gz empty.pb.gz -o none.pb.gz
golden tree show tree -n 4 after.pb.gz
golden peek show peek '^price$' after.pb.gz
golden peek-json show peek --json '^price$' after.pb.gz
golden raw show raw after.pb.gz
golden raw-json show raw --json plain.cpu
golden raw-focus show raw --focus '^price$' --ignore libc after.pb.gz
golden diff show diff --base before.pb.gz after.pb.gz
golden diff-json show diff --json -n 3 --base before.pb.gz after.pb.gz
sed 's|"filename": "[^"]*/\([^"/]*\)"|"filename": "/srv/another-\1"|; s|"build_id": "[^"]|&0|' "$golden/before.json" >another.json
python3 "$PROFUSE_SOURCE_DIR/tests/tools/make_pprof.py" json another.json another.pb.gz
golden diff-other show diff -n 1 --base another.pb.gz after.pb.gz
golden diff-other-json show diff --json -n 1 --base another.pb.gz after.pb.gz

golden no-view show bottom after.pb.gz
golden no-file show top
golden no-base show diff after.pb.gz
golden no-type show top --sample-type gpu after.pb.gz
golden no-match show peek nobody after.pb.gz
golden no-regex show top --focus '(' after.pb.gz
golden no-raw-regex show raw --ignore '(' after.pb.gz
golden no-unit show top --unit foo after.pb.gz
cp "$build/profuse" program
golden no-profile show top program
golden no-such show top missing.pb.gz
golden no-output show flame after.pb.gz

golden merge-json merge before.pb.gz after.pb.gz before.pb.gz --json -o sum.pb.gz
golden merge-raw show raw sum.pb.gz
golden merge-none merge before.pb.gz
golden merge-both merge before.pb.gz --json -o -
golden merge-kinds merge before.pb.gz threads.txt -o sum.pb.gz
golden merge-scale merge before.pb.gz threads.txt --scale-by duration -o sum.pb.gz

if "$build/profuse" show top --binary "$build/profuse" after.pb.gz >/dev/null 2>err || ! grep -q 'is not among the binaries' err; then
	echo "show_golden: a binary that is not in the profile passes"
	exit 1
fi

"$build/profuse" show flame --base before.pb.gz after.pb.gz -o flame.html
sed -n '/^<script type="application\/json"/,/^<\/script>/p' flame.html >out
same flame-data
if grep -q 'render<script>' flame.html || [ "$(grep -c '</script>' flame.html)" != 2 ]; then
	echo "a name reached the page unescaped"
	exit 1
fi
if grep -qE 'https?://|src=|@import|url\(' flame.html; then
	echo "the page refers to something outside itself"
	exit 1
fi
if "$build/profuse" show top --binary "$build/profuse" after.pb.gz 2>err || ! grep -q 'is not among the binaries' err; then
	echo "a binary that is not in the profile passes"
	exit 1
fi
echo "show_golden: $compared outputs as they were"

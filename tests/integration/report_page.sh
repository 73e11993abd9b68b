#!/usr/bin/env bash
# bench's page in a real browser, as it is: its policy lets its own programs run and nothing else, every part is
# there, hostile names stay text. Needs chromium, which CI does not install.
# long
set -euo pipefail
profuse=$(cd "$1" && pwd)/profuse
burn=$(cd "$1" && pwd)/tests/tools/burn
browser=$(command -v chromium || command -v chromium-browser || true)
if [ -z "$browser" ]; then
	echo "skipped: chromium is not installed, so the page is not tried in a browser"
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# browse NAME: the page as it is after its programs have run
browse() {
	timeout 60 "$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --user-data-dir="$work/browser" --window-size=1200,1600 \
		--virtual-time-budget=3000 --enable-logging=stderr --dump-dom "file://$work/$1.html" 2>"$work/$1.log"
}

# has PATTERN WHAT
has() {
	grep -qE -- "$1" "$work/dom" || { echo "report_page: no $2"; exit 1; }
}

"$profuse" bench --before "$burn 2" --after "$burn 2; : '</script><script>document.title=1</script>'" \
	--variant "third=$burn 3" --pairs 6 --gate 'cpu<=+500%' -o "$work/commands.html" >/dev/null
browse commands >"$work/dom"
has '<h1 id="title">before or after, third</h1>' title
has '<td [^>]*>CPU time \(decides\)</td>' "table of metrics"
has '<option value="third">' "choice of variants"
has '<circle class="(dot|hollow) c1' "pairs"
has 'passed</td>' gate
has '&lt;/script&gt;&lt;script&gt;' "hostile command as text"
has '<title>before or third · profuse bench</title>' "title of its own"
has '<section id="percentiles" hidden' "hidden latencies where there are none"
if grep -E 'CONSOLE.*(Refused|rror)' "$work/commands.log"; then
	echo "report_page: the browser complains"
	exit 1
fi
echo "report_page: it works in $("$browser" --version 2>/dev/null | head -1)"

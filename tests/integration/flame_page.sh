#!/usr/bin/env bash
# The flame graph's page in a real browser: it starts, zooms, searches, switches types and follows the keyboard; hostile
# names stay text; nothing is loaded. Needs chromium, which CI does not install.
# long
set -euo pipefail
profuse=$(cd "$1" && pwd)/profuse
source=${PROFUSE_SOURCE_DIR:?}
browser=$(command -v chromium || command -v chromium-browser || true)
if [ -z "$browser" ]; then
	echo "skipped: chromium is not installed, so the page is not tried in a browser"
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for name in before after; do
	python3 "$source/tests/tools/make_pprof.py" json "$source/tests/golden/show/$name.json" $name.pb.gz
done

cat >probe.js <<'JS'
window.onerror = (message) => { out.push("error: " + message); };
const out = [], el = (id) => document.getElementById(id), graph = el("graph");
const key = (k) => graph.dispatchEvent(new KeyboardEvent("keydown", {key: k, bubbles: true}));
const mouse = (type, x, y) => graph.dispatchEvent(new MouseEvent(type, {clientX: x, clientY: y, bubbles: true}));
const note = (what, text) => out.push(what + ": " + text.replace(/\s+/g, " ").trim());
const type = (text) => { el("search").value = text; el("search").dispatchEvent(new Event("input")); };
note("about", el("about").textContent);
type("fib"); note("search", el("matched").textContent);
type("nobody"); note("none", el("matched").textContent);
type(""); note("cleared", el("matched").textContent);
for (const k of ["0", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown"]) key(k);
note("keyboard", el("where").textContent); note("figures", el("figures").textContent);
key("ArrowRight"); note("right", el("where").textContent);
key("Enter"); note("zoomed", String(!el("reset").disabled));
key("Escape"); key("0"); note("out", String(el("reset").disabled));
key("t"); note("type", el("type").selectedOptions[0].textContent); note("total", el("about").textContent);
const box = graph.getBoundingClientRect();
mouse("mousemove", box.left + 5, box.top + 4 + 19 * 1.5); note("tip", el("tip").textContent);
mouse("click", box.left + 5, box.top + 4 + 19 * 4.5); note("clicked", String(!el("reset").disabled));
note("title", document.title);
note("loaded", String(performance.getEntriesByType("resource").length));
const pre = document.createElement("pre"); pre.id = "result"; pre.textContent = out.join("\n") + "\n"; document.body.append(pre);
JS

# browse FILE: the page as it is after its program has run
browse() {
	timeout 60 "$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --user-data-dir="$work/browser" --window-size=1200,700 \
		--virtual-time-budget=2000 --dump-dom "file://$work/$1" 2>browser.log
}

# try_page NAME ARGUMENT…: makes a page, runs the probe in it, leaves what it noted in NAME.txt
try_page() {
	local name=$1
	shift
	"$profuse" show flame "$@" -o "$name.html"
	browse "$name.html" | grep -q '<span id="about">[^<]' || { echo "flame_page: the policy stops the page's own program"; exit 1; }
	python3 - "$name.html" <<-'PY'
		import re, sys
		page = open(sys.argv[1]).read()
		page, count = re.subn('<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
		assert count == 1  # the policy allows the page's own scripts only: the probe is none
		probe = "<script>" + open("probe.js").read() + "</script></body>"
		open(sys.argv[1], "w").write(page.replace("</body>", probe))
	PY
	browse "$name.html" |
		sed -n '/<pre id="result">/,/<\/pre>/p' | sed -e 's/.*<pre id="result">//' -e '/<\/pre>/d' >"$name.txt"
	diff "$source/tests/golden/show/page-$name.txt" "$name.txt" || { echo "flame_page: $name differs"; exit 1; }
}

if [ -n "${UPDATE_GOLDEN:-}" ]; then
	diff() { cp "$2" "$1"; }
fi
try_page plain after.pb.gz
try_page compared --base before.pb.gz after.pb.gz
echo "flame_page: both pages behave in $("$browser" --version 2>/dev/null | head -1)"

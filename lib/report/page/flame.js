"use strict";
/* The page's program: reads the tree that profuse wrote into #profile, and draws it. No network, no library. */
(() => {
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("profile").textContent);
const ROW = 19, GAP = 1, TINY = 0.5;
const canvas = $("canvas"), graph = $("graph"), ink = canvas.getContext("2d");
const still = matchMedia("(prefers-reduced-motion: reduce)"), dark = matchMedia("(prefers-color-scheme: dark)");
const isDiff = Boolean(data.before);

/* ---- the tree ---- */

const nodes = [];
function buildTree() {
	const path = [];
	for (let i = 0; i < data.depth.length; i++) {
		const depth = data.depth[i];
		const node = {
			id: i, depth, name: data.name[i], inlined: data.inlined[i] === 1, children: [],
			parent: depth ? path[depth - 1] : null, self: 0, total: 0, before: 0, after: 0, selfBefore: 0,
			selfAfter: 0, start: 0, size: 0,
		};
		if (node.parent) node.parent.children.push(node);
		path[depth] = node;
		nodes.push(node);
	}
}

/* Values of the chosen type; sizes are what widths show: one number, or of a comparison what was asked for. */
function value(type, width) {
	const after = data.self[type], before = isDiff ? data.before[type] : null;
	for (const n of nodes) {
		n.selfAfter = n.after = after[n.id];
		n.selfBefore = n.before = before ? before[n.id] : 0;
	}
	for (let i = nodes.length - 1; i > 0; i--) {
		nodes[i].parent.after += nodes[i].after;
		nodes[i].parent.before += nodes[i].before;
	}
	for (const n of nodes) {
		const own = width === "after" ? n.selfAfter : width === "before" ? n.selfBefore : n.selfAfter + n.selfBefore;
		n.size = Math.max(0, own);
	}
	for (let i = nodes.length - 1; i > 0; i--) nodes[i].parent.size += nodes[i].size;
	place();
}

/* Every node's interval on the scale of sizes, heaviest child first, and the rows of the picture. */
let rows = [];
function place() {
	rows = [];
	nodes[0].start = 0;
	for (const n of nodes) n.children.sort((a, b) => b.size - a.size || (label(a) < label(b) ? -1 : 1));
	const todo = [nodes[0]];
	while (todo.length) {
		const n = todo.pop();
		if (n.size <= 0 && n.depth) continue;
		(rows[n.depth] = rows[n.depth] || []).push(n);
		let at = n.start;
		for (const child of n.children) {
			child.start = at;
			at += child.size;
		}
		for (let i = n.children.length - 1; i >= 0; i--) todo.push(n.children[i]);
	}
}

const label = (n) => data.names[n.name];

/* ---- text ---- */

const SCALES = {
	bytes: [["B", 1], ["kB", 1024], ["MB", 1048576], ["GB", 1073741824], ["TB", 1099511627776]],
	nanoseconds: [["ns", 1], ["µs", 1e3], ["ms", 1e6], ["s", 1e9], ["h", 3600e9]],
};
const FACTORS = {byte: ["bytes", 1], bytes: ["bytes", 1], nanosecond: ["nanoseconds", 1], nanoseconds: ["nanoseconds", 1],
	microseconds: ["nanoseconds", 1e3], milliseconds: ["nanoseconds", 1e6], seconds: ["nanoseconds", 1e9]};
function amount(number) {
	if (number === 0) return "0";
	const unit = data.types[type].unit, known = FACTORS[unit];
	if (!known) return `${number.toLocaleString("en")}${unit && unit !== "count" ? " " + unit : ""}`;
	const raw = number * known[1], scale = SCALES[known[0]];
	let chosen = scale[0];
	for (const step of scale) if (Math.abs(raw) >= step[1]) chosen = step;
	return `${Number((raw / chosen[1]).toFixed(2))} ${chosen[0]}`;
}
function share(part, whole) {
	if (!whole) return "0%";
	const percent = part / whole * 100;
	return `${percent >= 99.95 ? 100 : Number(percent.toPrecision(percent >= 10 ? 3 : 2))}%`;
}
const signed = (number) => (number > 0 ? "+" : number < 0 ? "−" : "") + amount(Math.abs(number));

/* A long name's shorter forms: without the path of its package, without its arguments, its last part alone. */
function shorter(name) {
	const forms = [name];
	const plain = name.replace(/\(.*\)( const)?$/, "").replace(/(\w)<.*>/, "$1<…>");
	const base = plain.replace(/^.*\/(?=[^/]*$)/, "");
	if (base !== name) forms.push(base);
	const method = base.replace(/^[^.(:]+(?:\.|::)(?=.)/, "");
	if (method !== base) forms.push(method);
	const last = method.replace(/^.*(?:\.|::)(?=[^.:]+$)/, "");
	if (last && last !== method) forms.push(last);
	return forms;
}

/* ---- colours ---- */

const hashes = new Map();
/* A number in [0, 1) that depends on the text alone, so that a colour means the same on every page. */
function hash(text) {
	if (!hashes.has(text)) {
		let h = 2166136261;
		for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
		h = Math.imul(h ^ h >>> 15, 2246822507);
		hashes.set(text, ((h ^ h >>> 13) >>> 0) / 4294967296);
	}
	return hashes.get(text);
}
function packageOf(name) {
	const base = name.replace(/^.*\//, "");
	const dot = base.search(/\.|::|\+0x/);
	return dot > 0 ? name.slice(0, name.length - base.length) + base.slice(0, dot) : name.replace(/[_\d].*$/, "");
}
/* Hue by package, mostly from red to yellow, the rest green to violet; lightness by function. */
function colour(n) {
	if (n.depth === 0 || n.name === 0) return dark.matches ? "#39414c" : "#d5dae1";
	if (isDiff) return difference(n);
	const t = hash(packageOf(label(n))), warm = t < 0.62;
	const tone = warm ? 14 + t / 0.62 * 40 : 150 + (t - 0.62) / 0.38 * 140;
	const wobble = (hash(label(n)) - 0.5) * 9;
	return dark.matches ? `hsl(${tone} ${warm ? 42 : 30}% ${33 + wobble * 0.8}%)`
		: `hsl(${tone} ${warm ? 84 : 56}% ${(warm ? 76 : 79) + wobble}%)`;
}
/* Grey where nothing changed, towards red for more and blue for less, as shares of before and after together. */
function difference(n) {
	const sum = n.before + n.after, change = sum ? (n.after - n.before) / sum : 0;
	const strength = Math.sqrt(Math.abs(change));
	const tone = change > 0 ? 12 : 212;
	return dark.matches ? `hsl(${tone} ${8 + 62 * strength}% ${30 + 14 * strength}%)`
		: `hsl(${tone} ${6 + 84 * strength}% ${88 - 24 * strength}%)`;
}

/* ---- drawing ---- */

let type = data.default_type, zoom, view = {start: 0, size: 1}, hovered = null, current = null;
let markColour = "", pattern = null, matches = [], matching = new Set(), scheduled = false;

function schedule() {
	if (!scheduled) {
		scheduled = true;
		requestAnimationFrame(() => { scheduled = false; draw(); });
	}
}
function fit() {
	const ratio = devicePixelRatio || 1, width = graph.clientWidth, height = graph.clientHeight;
	$("room").style.height = `${rows.length * ROW + 8}px`;
	if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
		canvas.width = Math.round(width * ratio);
		canvas.height = Math.round(height * ratio);
		canvas.style.width = `${width}px`;
		canvas.style.height = `${height}px`;
	}
	ink.setTransform(ratio, 0, 0, ratio, 0, 0);
}
/* The first node of a row whose interval ends after a place on the scale. */
function firstAfter(row, place) {
	let low = 0, high = row.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (row[middle].start + row[middle].size <= place) low = middle + 1;
		else high = middle;
	}
	return low;
}
function draw() {
	const width = graph.clientWidth, height = graph.clientHeight, top = graph.scrollTop;
	fit();
	ink.clearRect(0, 0, width, height);
	ink.textBaseline = "middle";
	markColour = css("--mark");
	const first = Math.max(0, Math.floor(top / ROW)), last = Math.min(rows.length, Math.ceil((top + height) / ROW));
	for (let d = first; d < last; d++) drawRow(rows[d], d * ROW - top + 4, width);
	for (const [n, stroke] of [[hovered, dark.matches ? "#fff" : "#000"], [current, css("--accent")]])
		if (n) outline(n, stroke, top, width);
}
function box(n, width) {
	const scale = width / view.size;
	const left = Math.max(0, (n.start - view.start) * scale);
	const right = Math.min(width, (n.start + n.size - view.start) * scale);
	return [left, right - left];
}
function drawRow(row, y, width) {
	for (let i = firstAfter(row, view.start); i < row.length; i++) {
		const n = row[i];
		if (n.start >= view.start + view.size) break;
		const [x, w] = box(n, width);
		if (w < TINY) continue;
		drawBar(n, x, y, w);
	}
}
function drawBar(n, x, y, w) {
	const hit = matching.has(n), above = zoom.depth > n.depth;
	ink.globalAlpha = pattern && !hit ? 0.32 : above ? 0.55 : 1;
	ink.fillStyle = hit ? markColour : colour(n);
	const inset = w > 3 ? GAP : 0;
	if (w > 6) {
		ink.beginPath();
		ink.roundRect(x, y, w - inset, ROW - GAP, 2);
		ink.fill();
	} else {
		ink.fillRect(x, y, w - inset, ROW - GAP);
	}
	if (w > 28) write(n, x + 5, y + ROW / 2, w - 10, hit);
	ink.globalAlpha = 1;
}
const widths = new Map();
function measure(text) {
	if (widths.size > 20000) widths.clear();
	if (!widths.has(text)) widths.set(text, ink.measureText(text).width);
	return widths.get(text);
}
const fonts = ["12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"];
fonts.push("italic " + fonts[0]);
function write(n, x, y, room, hit) {
	ink.font = fonts[0];
	const forms = n.depth ? shorter(label(n)) : [`${label(n)} · ${isDiff ? signed(n.after - n.before) : amount(n.after)}`, label(n)];
	let text = forms.find((form) => measure(form) <= room);
	if (!text) {
		const form = forms[forms.length - 1];
		const fits = Math.floor(form.length * (room - measure("…")) / measure(form));
		if (fits < 2) return;
		text = form.slice(0, fits) + "…";
	}
	ink.font = fonts[n.inlined ? 1 : 0];
	ink.globalAlpha = pattern && !hit ? 0.55 : ink.globalAlpha === 0.55 ? 0.75 : 1;
	ink.fillStyle = hit ? (dark.matches ? "#2a0516" : "#fff") : dark.matches ? "#f2f4f7" : "#1c1410";
	ink.fillText(text, x, y);
}
function outline(n, stroke, top, width) {
	const [x, w] = box(n, width);
	if (w <= 0) return;
	ink.strokeStyle = stroke;
	ink.lineWidth = 1.6;
	ink.strokeRect(x + 0.8, n.depth * ROW - top + 4.8, Math.max(1, w - 1.6 - GAP), ROW - GAP - 1.6);
}
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* ---- zoom ---- */

let animation = 0;
function zoomTo(n, now) {
	zoom = n;
	$("reset").disabled = n.depth === 0;
	const from = {...view}, to = {start: n.start, size: n.size || 1}, begun = performance.now();
	const step = ++animation;
	if (n.depth * ROW < graph.scrollTop) graph.scrollTop = Math.max(0, (n.depth - 1) * ROW);
	if (now || still.matches) {
		view = to;
		return schedule();
	}
	const move = (time) => {
		if (step !== animation) return;
		const t = Math.min(1, Math.max(0, (time - begun) / 170)), eased = 1 - (1 - t) ** 3;
		view = {start: from.start + (to.start - from.start) * eased, size: from.size + (to.size - from.size) * eased};
		draw();
		if (t < 1) requestAnimationFrame(move);
	};
	requestAnimationFrame(move);
}
const outward = () => zoomTo(zoom.parent || zoom);

/* ---- what a bar says ---- */

function figures(n) {
	const root = nodes[0], rowsOut = [];
	if (isDiff) {
		rowsOut.push(["before", amount(n.before), share(n.before, root.before)]);
		rowsOut.push(["after", amount(n.after), share(n.after, root.after)]);
		rowsOut.push(["difference", signed(n.after - n.before), n.before ? `${n.after < n.before ? "−" : "+"}${share(Math.abs(n.after - n.before), n.before)}` : "new"]);
		rowsOut.push(["of it in itself", signed(n.selfAfter - n.selfBefore), ""]);
		return rowsOut;
	}
	rowsOut.push(["total", amount(n.after), share(n.after, root.after)]);
	rowsOut.push(["self", amount(n.selfAfter), share(n.selfAfter, root.after)]);
	if (n.parent && n.parent.depth) rowsOut.push(["of its caller", "", share(n.after, n.parent.after)]);
	return rowsOut;
}
function element(tag, text, parent) {
	const e = document.createElement(tag);
	if (text !== undefined) e.textContent = text;
	parent.append(e);
	return e;
}
const place_ = (n) => (data.files[data.file_of[n.name]] || "") + (n.inlined ? " · inlined" : "");
function tell(n) {
	const where = $("where"), out = $("figures");
	where.replaceChildren();
	out.replaceChildren();
	if (!n) return;
	element("b", label(n), where);
	element("br", undefined, where);
	element("span", place_(n), where);
	for (const [what, number, part] of figures(n)) {
		const group = element("span", `${what} `, out);
		element("b", number || part, group);
		if (number && part) group.append(` ${part}`);
	}
}
function tip(n, x, y) {
	const t = $("tip");
	t.hidden = !n;
	if (!n) return;
	t.replaceChildren();
	element("b", label(n), t);
	if (place_(n)) element("span", place_(n), t);
	const table = element("table", undefined, t);
	for (const cells of figures(n)) {
		const row = element("tr", undefined, table);
		for (const cell of cells) element("td", cell, row);
	}
	const room = t.getBoundingClientRect();
	t.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - room.width - 8))}px`;
	t.style.top = `${y + 18 + room.height > innerHeight ? Math.max(4, y - room.height - 10) : y + 18}px`;
}
function at(event) {
	const frame = graph.getBoundingClientRect();
	const depth = Math.floor((event.clientY - frame.top + graph.scrollTop - 4) / ROW), row = rows[depth];
	if (!row) return null;
	const place = view.start + (event.clientX - frame.left) / graph.clientWidth * view.size;
	const n = row[firstAfter(row, place)];
	return n && n.start <= place && n.start < view.start + view.size ? n : null;
}

/* ---- search ---- */

function search(text) {
	matches = [];
	matching = new Set();
	pattern = null;
	if (text) {
		try { pattern = new RegExp(text, "i"); } catch { pattern = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i"); }
		const found = data.names.map((name, i) => i > 0 && pattern.test(name));
		for (const n of nodes) if (n.depth && n.size > 0 && found[n.name]) matching.add(n);
		matches = [...matching].sort((a, b) => a.depth - b.depth || a.start - b.start);
	}
	$("matched").textContent = text ? matchedShare() : "";
	remember();
	schedule();
}
/* What lies under matching bars, each sample once however often it matches. */
function matchedShare() {
	let sum = 0;
	for (const n of matches) {
		let above = n.parent;
		while (above && !matching.has(above)) above = above.parent;
		if (!above) sum += n.size;
	}
	return `${share(sum, nodes[0].size)} in ${matches.length} bar${matches.length === 1 ? "" : "s"}`;
}
let match = -1;
function nextMatch(step) {
	if (!matches.length) return;
	match = (match + step + matches.length) % matches.length;
	focus(matches[match]);
}

/* ---- moving ---- */

function reveal(n) {
	if (n.start < view.start || n.start + n.size > view.start + view.size) {
		let wide = n.parent || n;
		while (wide.parent && wide.size < n.size * 4) wide = wide.parent;
		zoomTo(wide, true);
	}
	const y = n.depth * ROW;
	if (y < graph.scrollTop + ROW) graph.scrollTop = Math.max(0, y - ROW);
	else if (y + 2 * ROW > graph.scrollTop + graph.clientHeight) graph.scrollTop = y + 3 * ROW - graph.clientHeight;
}
function focus(n) {
	if (!n) return;
	current = n;
	reveal(n);
	tell(n);
	tip(null);
	schedule();
}
function neighbour(n, step) {
	const row = rows[n.depth], i = row.indexOf(n) + step;
	return row[i] || n;
}
const keys = {
	ArrowUp: () => focus(current.parent),
	ArrowDown: () => focus(current.children.find((c) => c.size > 0)),
	ArrowLeft: () => focus(neighbour(current, -1)),
	ArrowRight: () => focus(neighbour(current, 1)),
	Enter: () => zoomTo(zoom === current ? current.parent || current : current),
	Escape: () => outward(),
	Backspace: () => outward(),
	0: () => { zoomTo(nodes[0]); focus(nodes[0]); },
	n: () => nextMatch(1),
	N: () => nextMatch(-1),
	t: () => choose((type + 1) % data.types.length),
	"/": () => $("search").focus(),
	"?": () => $("help").showModal(),
};
function onKey(event) {
	if (event.ctrlKey || event.altKey || event.metaKey || $("help").open) return;
	const typing = event.target === $("search");
	if (typing && event.key === "Enter") return nextMatch(event.shiftKey ? -1 : 1);
	if (typing && event.key === "Escape") {
		$("search").value = "";
		search("");
		return graph.focus();
	}
	if (typing || event.target.tagName === "SELECT" || (event.target.tagName === "BUTTON" && event.key === "Enter")) return;
	const action = keys[event.key];
	if (!action) return;
	event.preventDefault();
	current = current || zoom;
	action();
}

/* ---- settings ---- */

function remember() {
	const state = new URLSearchParams();
	if ($("search").value) state.set("q", $("search").value);
	if (type !== data.default_type) state.set("type", data.types[type].name);
	try { history.replaceState(null, "", "#" + state); } catch { /* a file opened without a location */ }
}
function choose(next) {
	type = next;
	$("type").value = String(next);
	value(type, isDiff ? $("width").value : "both");
	const root = nodes[0], empty = root.size <= 0;
	$("empty").hidden = !empty;
	canvas.hidden = empty;
	$("about").textContent = [...data.about, isDiff ? `${amount(root.before)} → ${amount(root.after)} (${signed(root.after - root.before)})` : `total ${amount(root.after)}`].join(" · ");
	zoomTo(zoom && zoom.size > 0 ? zoom : root, true);
	search($("search").value);
	tell(current && current.size > 0 ? current : root);
}
function start() {
	buildTree();
	zoom = nodes[0];
	$("title").textContent = data.title;
	data.types.forEach((t, i) => { element("option", t.unit && t.unit !== "count" ? `${t.name} (${t.unit})` : t.name, $("type")).value = String(i); });
	$("types").hidden = data.types.length < 2;
	$("legend").hidden = $("widths").hidden = !isDiff;
	$("legend").querySelector("i").style.background = "linear-gradient(90deg, hsl(212 90% 60%), hsl(212 8% 75%), hsl(12 90% 60%))";
	const state = new URLSearchParams(location.hash.slice(1));
	const wanted = data.types.findIndex((t) => t.name === state.get("type"));
	$("search").value = state.get("q") || "";
	choose(wanted >= 0 ? wanted : data.default_type);
	$("type").onchange = () => choose(Number($("type").value));
	$("width").onchange = () => choose(type);
	$("search").oninput = () => { match = -1; search($("search").value); };
	$("reset").onclick = () => zoomTo(nodes[0]);
	$("keys").onclick = () => $("help").showModal();
	$("close").onclick = () => $("help").close();
	graph.onscroll = schedule;
	graph.onmousemove = (event) => {
		const n = at(event);
		if (n !== hovered) { hovered = n; tell(n || current || zoom); schedule(); }
		tip(n, event.clientX, event.clientY);
	};
	graph.onmouseleave = () => { hovered = null; tip(null); tell(current || zoom); schedule(); };
	graph.onclick = (event) => {
		const n = at(event);
		if (!n) return;
		current = n;
		zoomTo(n === zoom && n.parent ? n.parent : n);
	};
	addEventListener("keydown", onKey);
	addEventListener("resize", schedule);
	dark.addEventListener("change", schedule);
}
start();
})();

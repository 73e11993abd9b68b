"use strict";
/* The bench report's program: reads the JSON report from #bench and shows it. */
(() => {
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("bench").textContent);
const {html, value, signed, percent, time} = plot;
const base = data.variants[0], others = data.variants.slice(1).filter((v) => v.metrics);
const rounds = data.pairs, colour = (i) => i % 6;

const capital = (s) => s.charAt(0).toUpperCase() + s.slice(1);
const change = (m, c) => c === null || c === undefined ? "–"
	: m.change_unit === "ratio" ? signed(c) : m.unit === "share" ? `${c > 0 ? "+" : c < 0 ? "−" : ""}${Number((Math.abs(c) * 100).toPrecision(3))} points` : `${c > 0 ? "+" : c < 0 ? "−" : ""}${plot.number(Math.abs(c))}`;
const interval = (m) => m.interval ? `${change(m, m.interval[0])} … ${change(m, m.interval[1])}` : "–";
const CLASS = {better: "good", worse: "bad", undecided: "unsure", "no difference": ""};

function table(heads, rows, className = "") {
	const cell = (tag) => (c, i) => {
		const e = html(tag, c && c.className ? {class: c.className} : {}, c && c.text !== undefined ? c.text : String(c ?? "–"));
		if (c && c.title) e.title = c.title;
		if (i === 0) e.classList.add("text");
		return e;
	};
	return html("table", className ? {class: className} : {}, html("thead", {}, html("tr", {}, ...heads.map(cell("th")))),
		html("tbody", {}, ...rows.map((r) => html("tr", {}, ...r.map(cell("td"))))));
}
function list(dl, entries) {
	for (const [term, text] of entries) if (text !== null && text !== undefined && text !== "")
		dl.append(html("dt", {}, term), html("dd", {}, text));
}
const median = (values) => {
	const sorted = values.filter(Number.isFinite).sort((a, b) => a - b), n = sorted.length;
	return n ? (sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2 : NaN;
};

/* ---- the answer ---- */

function sentence(v) {
	const m = v.metrics[data.primary], title = m.title;
	if (m.verdict === "undecided") return `${v.name}: ${title} is undecided.`;
	if (m.verdict === "no difference") return `No difference in ${title} between ${base.name} and ${v.name} was shown.`;
	const least = Math.min(...m.interval.map(Math.abs)), most = Math.max(...m.interval.map(Math.abs));
	if (m.change_unit !== "ratio") return `${title} of ${v.name}: ${change(m, m.change)} (${interval(m)}).`;
	return `${v.name} takes ${percent(Math.abs(m.change))} ${m.change < 0 ? "less" : "more"} ${title} than ${base.name}, with ` +
		`${percent(data.plan.confidence, 4)} confidence between ${percent(least)} and ${percent(most)}.`;
}
function answer() {
	const box = $("answer"), v = data.verdict, kinds = others.map((o) => o.metrics[data.primary].verdict);
	box.className = v.exit === 1 || kinds.includes("worse") ? "bad" : v.exit === 5 ? "unsure"
		: kinds.includes("better") || data.gates.length ? "good" : "";
	for (const o of others) box.append(html("p", {}, capital(sentence(o))));
	if (data.gates.length) box.append(html("p", {}, `${v.exit === 0 ? "All gates passed" : v.exit === 1 ? "A gate failed" : "The gates are inconclusive"}.`));
	if (v.reason) box.append(html("p", {class: "soft"}, v.reason));
	for (const o of others) {
		const m = o.metrics[data.primary];
		if (m.detectable !== null && m.change_unit === "ratio")
			box.append(html("p", {class: "soft"}, `With this noise and as many pairs, a change of ${percent(m.detectable)} in ${m.title} shows 8 times in 10.`));
	}
}

/* ---- tables ---- */

/* What people look at first, as they know it from dashboards. */
function headline() {
	const blocks = (v, key) => rounds.map((r) => key(r.blocks[v.name])).filter(Number.isFinite);
	const usage = (b) => b && b.cpu / b.seconds;
	const rows = [], any = others[0], metrics = any ? any.metrics : {};
	if (rounds.length) rows.push(["CPU usage", ...data.variants.map((v) => percent(median(blocks(v, usage))))]);
	for (const [name, title] of [["cpu", "CPU time"], ["cpu_per_request", "CPU per request"], ["p99", "P99 latency"],
		["gc_pause_p99", "GC pauses (P99)"], ["gc_pause_mean", "GC pauses (mean)"], ["throughput", "Throughput"], ["rss_peak", "Peak memory"]]) {
		const m = metrics[name];
		if (!m || (name === "gc_pause_mean" && metrics.gc_pause_p99)) continue;
		rows.push([title, value(m.unit, m.before), ...others.map((o) => ({text: value(m.unit, o.metrics[name].after), className: CLASS[o.metrics[name].verdict]}))]);
	}
	$("headline").querySelector(".scroll").append(table(["Metric", ...data.variants.map((v) => capital(v.name))], rows, "headline"));
}
function metrics(v) {
	const dull = (m) => !m.primary && m.before === 0 && m.after === 0 && !m.spread;
	const rows = Object.values(v.metrics).filter((m) => !dull(m)).map((m) => [
		{text: m.title + (m.primary ? " (decides)" : ""), title: m.about}, value(m.unit, m.before), value(m.unit, m.after), change(m, m.change), interval(m),
		m.p === null ? "–" : m.p < 0.0001 ? "< 0.0001" : m.p.toFixed(4), m.detectable === null || m.change_unit !== "ratio" ? "–" : percent(m.detectable),
		{text: m.word, className: `text ${CLASS[m.verdict] || ""}`}]);
	$("metrics").querySelector(".scroll").replaceChildren(table(["Metric", base.name, v.name, "Change",
		`${percent(data.plan.level, 4)} interval`, "p", "Would show", {text: "Verdict", className: "text"}], rows));
	$("metrics-note").hidden = !Object.values(v.metrics).some((m) => m.word.startsWith("perhaps"));
}

/* ---- plots ---- */

function strip(v, name) {
	const m = v.metrics[name], ratio = m.change_unit === "ratio", figure = $("pairs").querySelector("figure");
	const points = rounds.map((r, i) => {
		const b = r.blocks[base.name]?.[name], a = r.blocks[v.name]?.[name];
		const d = a === null || b === null ? NaN : ratio ? a / b - 1 : a - b;
		return {value: d, hollow: r.order[0] === v.name, dim: r.disturbed,
			text: `pair ${i + 1}, ${r.order[0]} first${r.disturbed ? ", disturbed" : ""}${r.repetitions ? `, run ${r.repetitions + 1} times` : ""}\n` +
				`${base.name} ${value(m.unit, b)}, ${v.name} ${value(m.unit, a)}: ${change(m, d)}\nothers used ` +
				`${percent(Math.max(...Object.values(r.blocks).map((x) => x.foreign)))} of the machine`};
	});
	plot.strip(figure, {points, interval: m.interval, estimate: m.change, format: (x) => change(m, x), label: "pair, in the order of time"});
	$("pairs-note").textContent = `Each dot is one pair: how ${v.name} differed from ${base.name}. Hollow: ${v.name} ran first; pale: others disturbed it. ` +
		"The line is the estimate, the band its interval.";
}
function latencies() {
	const with_latency = data.variants.map((v, i) => ({v, i})).filter(({v}) => v.latency);
	if (!with_latency.length) { $("percentiles").hidden = $("histogram").hidden = true; return; }
	const to = Math.max(...with_latency.map(({v}) => 1 - 1 / Math.max(2, v.latency.count)));
	plot.lines($("percentiles").querySelector("figure"), {title: "Latency by percentile",
		series: with_latency.map(({v, i}) => ({name: v.name, colour: colour(i), points: v.latency.percentiles.map(([q, s]) => [Math.min(q, to), s])})),
		x: {scale: "percentile", from: 0, to, format: (q) => `${Number((q * 100).toPrecision(8))} %`, label: "share of requests answered within this time"},
		y: {scale: "log", format: time}});
	plot.steps($("histogram").querySelector("figure"), {title: "Histogram of latencies",
		series: with_latency.map(({v, i}) => ({name: `${v.name}: ${plot.number(v.latency.count)} requests`, colour: colour(i), bins: v.latency.bins})),
		x: {scale: "log", format: time}, y: {format: (s) => percent(s, 2)}});
}

/* ---- the rest ---- */

function subjects() {
	const dl = $("subjects").querySelector("dl");
	for (const v of data.variants)
		list(dl, [[v.name, html("code", {}, [...v.environment, v.command || v.origin || ""].join(" "))]]);
}
function gates() {
	if (!data.gates.length) { $("gates").hidden = true; $("warnings").classList.remove("half"); return; }
	const kinds = {passed: "good", failed: "bad", inconclusive: "unsure"};
	const show = (g, x) => g.relative ? signed(x) : value((others[0].metrics[g.metric] || {}).unit, x);
	$("gates").querySelector(".scroll").append(table(["Gate", others.length > 1 ? "For" : "", "Measured", ""], data.gates.map((g) => [
		g.gate, others.length > 1 ? g.variant : "", g.interval ? `${show(g, g.interval[0])} … ${show(g, g.interval[1])}` : "no interval",
		{text: g.result, className: kinds[g.result]}])));
}
function conditions() {
	const c = data.conditions, p = data.plan, dl = $("conditions").querySelector("dl"), l = c.load;
	list(dl, [
		["plan", p.paired ? `${p.measured} of ${p.pairs} ${data.variants.length > 2 ? "rounds" : "pairs"}, ${p.repeated} run again, ${p.disturbed} disturbed; ` +
			`order by seed ${p.seed}${p.duet ? "; both at once" : ""}` : "two runs, not paired"],
		["looks", p.looks > 1 ? `stopped at look ${p.look} of ${p.looks}` : ""],
		["load", l ? `${l.arrivals}${l.rate ? `, ${l.rate} requests/s` : ""}, ${l.connections} connections${l.http2 ? ", HTTP/2" : ""}; ${l.warmup} s warm-up, ${l.duration} s measured a block` : ""],
		["CPUs", l && l.server_cpus ? `service on ${l.server_cpus}, client on ${l.client_cpus}` : ""],
		["machine", `${c.machine.cpus} × ${c.machine.cpu}, ${plot.bytes(c.machine.memory)}, ${c.machine.kernel}`],
		["when", `${data.started}, for ${plot.number(data.elapsed)} s; profuse ${data.version}`]]);
	for (const w of data.warnings) $("warnings").querySelector("ul").append(html("li", {}, w));
	if (!data.warnings.length) { $("warnings").hidden = true; $("gates").classList.remove("half"); }
}
function choices() {
	for (const o of others) $("variant").append(html("option", {value: o.name}, o.name));
	$("which").hidden = others.length < 2;
	$("which").querySelector("span").textContent = base.name;
	for (const [name, m] of Object.entries(others[0].metrics)) $("metric").append(html("option", {value: name}, m.title));
	const chosen = () => others.find((o) => o.name === $("variant").value) || others[0];
	const redraw = () => { metrics(chosen()); if (data.plan.paired) strip(chosen(), $("metric").value); };
	$("variant").addEventListener("change", redraw);
	$("metric").addEventListener("change", redraw);
	$("pairs").hidden = !data.plan.paired;
	redraw();
}

$("title").textContent = others.length ? `${base.name} or ${others.map((o) => o.name).join(", ")}` : document.title;
$("about").textContent = `profuse bench, ${data.started.replace("T", " ").replace("Z", " UTC")}`;
answer();
subjects();
if (others.length) { headline(); choices(); } else { for (const id of ["headline", "metrics", "pairs"]) $(id).hidden = true; }
latencies();
gates();
conditions();
})();

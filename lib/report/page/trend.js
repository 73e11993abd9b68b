"use strict";
/* The trend page's program: reads the history from #trend and draws one metric over all runs. */
(() => {
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("trend").textContent);
const {html, value, signed} = plot;

function table(heads, rows) {
	const row = (tag, cells) => html("tr", {}, ...cells.map((c, i) => html(tag, i === 0 ? {class: "text"} : {}, String(c))));
	return html("table", {}, html("thead", {}, row("th", heads)), html("tbody", {}, ...rows.map((r) => row("td", r))));
}
const when = (run) => run.started.replace("T", " ").replace("Z", "");

/* The level of each stretch between changes, as one stepped line. */
function levels(points, changes) {
	const steps = [], edges = [0, ...changes.map((c) => points.findIndex((p) => p[0] === c.run + 1)), points.length];
	for (let i = 0; i + 1 < edges.length; i++) {
		const part = points.slice(edges[i], edges[i + 1]).map((p) => p[1]).sort((a, b) => a - b);
		if (!part.length) continue;
		const middle = (part[(part.length - 1) >> 1] + part[part.length >> 1]) / 2;
		steps.push([points[edges[i]][0] - 0.5, middle], [points[edges[i + 1] - 1][0] + 0.5, middle]);
	}
	return steps;
}

function draw(name) {
	const m = data.metrics[name], format = (v) => value(m.unit, v);
	const points = data.runs.map((r, i) => [i + 1, r.metrics[name]?.after ?? NaN, `${when(r)} ${r.label || ""}\n${format(r.metrics[name]?.after)}`])
		.filter((p) => Number.isFinite(p[1]));
	plot.lines($("plot"), {title: m.title, marks: m.changes.map((c) => c.run + 0.5),
		series: [{name: "runs", colour: 1, points, dots: true}, {name: "level", colour: 2, points: levels(points, m.changes)}],
		x: {from: 0.5, to: data.runs.length + 0.5, format: (i) => Number.isInteger(i) ? String(i) : "", label: "run"},
		y: {format}});
	$("runs").replaceChildren(table(["Run", "When", "Label", "Base", "Variant", "Change"], data.runs.map((r, i) => {
		const x = r.metrics[name];
		return [i + 1, when(r), r.label || "–", x ? format(x.before) : "–", x ? format(x.after) : "–",
			x && x.change !== null ? signed(x.change) : "–"];
	}).reverse()));
}

const all = Object.entries(data.metrics).flatMap(([name, m]) => m.changes.map((c) => [m.title, `run ${c.run + 1}`, c.started, c.label || "–",
	value(m.unit, c.before), value(m.unit, c.after), c.before > 0 ? signed(c.after / c.before - 1) : "–", c.p.toFixed(4)]));
$("changes").append(all.length ? table(["Metric", "With", "When", "Label", "From", "To", "Change", "p"], all)
	: html("p", {class: "soft"}, "No change of level was found."));
$("about").textContent = `profuse bench, ${data.runs.length} runs`;
for (const [name, m] of Object.entries(data.metrics)) $("metric").append(html("option", {value: name}, m.title));
$("metric").value = data.runs[data.runs.length - 1].primary;
$("metric").addEventListener("change", () => draw($("metric").value));
draw($("metric").value);
})();

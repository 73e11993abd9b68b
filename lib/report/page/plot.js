"use strict";
/*
 * Plots for profuse's report pages, as SVG: no library, no network. A page calls
 *
 *	plot.lines(figure, {series, x, y, bands, marks})   curves over a linear, log or percentile axis
 *	plot.steps(figure, {series, x, y})                 histograms laid over each other
 *	plot.strip(figure, {points, format, estimate, interval, colours})   one value a pair, in order
 *
 * which draw into the figure and again when its width changes. A series is
 * {name, colour: 0..5, points: [[x, y, text?], …]}; an axis {scale, format, label, from, to}.
 * Colours are classes (c0 … c5) of report.css, so that light and dark are its business.
 */
const plot = (() => {
const NS = "http://www.w3.org/2000/svg";

/* ---- text ---- */

function scaled(value, steps) {
	const size = Math.abs(value);
	const step = steps.find((s) => size >= s[0]) || steps[steps.length - 1];
	return `${Number((value / step[0]).toPrecision(4))} ${step[1]}`;
}
const time = (s) => s === 0 ? "0 s" : scaled(s, [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]]);
const bytes = (n) => n === 0 ? "0 B" : scaled(n, [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [1024, "KiB"], [1, "B"]]);
const number = (n) => Math.abs(n) < 1e4 ? String(Number(n.toPrecision(4))) : scaled(n, [[1e9, "G"], [1e6, "M"], [1e3, "k"]]);
const percent = (share, digits = 3) => `${Number((share * 100).toPrecision(digits))} %`;
const signed = (share) => `${share > 0 ? "+" : share < 0 ? "−" : ""}${percent(Math.abs(share))}`;
/* A value in the unit that the JSON names. */
function value(unit, v) {
	if (v === null || v === undefined || Number.isNaN(v)) return "–";
	if (unit === "seconds") return time(v);
	if (unit === "bytes") return bytes(v);
	if (unit === "share") return percent(v);
	if (unit === "bytes_per_second") return `${bytes(v)}/s`;
	if (unit === "per_second") return `${number(v)}/s`;
	return number(v);
}

/* ---- elements ---- */

function svg(name, attributes = {}, ...children) {
	const e = document.createElementNS(NS, name);
	for (const [key, v] of Object.entries(attributes)) e.setAttribute(key, v);
	e.append(...children);
	return e;
}
function html(name, attributes = {}, ...children) {
	const e = document.createElement(name);
	for (const [key, v] of Object.entries(attributes)) e.setAttribute(key, v);
	e.append(...children.filter((c) => c !== null && c !== undefined));
	return e;
}

/* ---- axes ---- */

const nice = (span) => {
	const rough = span / 5, power = 10 ** Math.floor(Math.log10(rough)), left = rough / power;
	return power * (left < 1.5 ? 1 : left < 3.5 ? 2 : left < 7.5 ? 5 : 10);
};
function linear(from, to) {
	if (!(to > from)) { const d = Math.abs(from) || 1; from -= d / 2; to += d / 2; }
	const step = nice(to - from), ticks = [];
	for (let t = Math.ceil(from / step) * step; t <= to + step * 1e-9; t += step) ticks.push(Math.abs(t) < step * 1e-9 ? 0 : t);
	return {ticks, at: (v) => (v - from) / (to - from)};
}
function logarithmic(from, to) {
	if (!(to > from)) { from /= 2; to *= 2; }
	const a = Math.log10(from), b = Math.log10(to), ticks = [];
	const factors = b - a > 2.5 ? [1] : b - a > 1.2 ? [1, 3] : [1, 2, 5];
	for (let p = Math.floor(a); p <= b; p++) for (const f of factors) {
		const t = f * 10 ** p;
		if (t >= from * 0.999 && t <= to * 1.001) ticks.push(t);
	}
	return {ticks, at: (v) => (Math.log10(Math.max(v, from)) - a) / (b - a)};
}
/* Each nine takes as much room as the one before it. */
function percentiles(from, to) {
	const nines = (q) => -Math.log10(Math.max(1 - q, 1e-9)), end = nines(to);
	const ticks = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999].filter((q) => nines(q) <= end);
	return {ticks, at: (q) => Math.min(1, nines(q) / end)};
}
const SCALES = {linear, log: logarithmic, percentile: percentiles};
function extent(series, i, axis) {
	const all = series.flatMap((s) => s.points.map((p) => p[i])).filter(Number.isFinite);
	const low = all.reduce((a, b) => Math.min(a, b), Infinity), high = all.reduce((a, b) => Math.max(a, b), -Infinity);
	return [axis.from ?? low, axis.to ?? high];
}

/* ---- a frame: axes, grid, and a place to point at ---- */

const tip = () => document.getElementById("tip") || document.body.appendChild(html("div", {id: "tip", hidden: ""}));
function show(event, text) {
	const t = tip();
	t.textContent = text;
	t.hidden = false;
	const w = t.offsetWidth, h = t.offsetHeight;
	t.style.left = `${Math.min(event.clientX + 14, innerWidth - w - 8)}px`;
	t.style.top = `${event.clientY + 18 + h > innerHeight ? event.clientY - h - 10 : event.clientY + 18}px`;
}
const hide = () => { tip().hidden = true; };

function frame(figure, spec, height) {
	const width = Math.max(300, figure.clientWidth), left = 64, right = 14, top = 10, bottom = spec.x.label ? 42 : 28;
	const root = svg("svg", {viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": spec.title || ""});
	const x = SCALES[spec.x.scale || "linear"](...spec.x.range), y = SCALES[spec.y.scale || "linear"](...spec.y.range);
	const px = (v) => left + x.at(v) * (width - left - right), py = (v) => height - bottom - y.at(v) * (height - top - bottom);
	for (const t of y.ticks) root.append(
		svg("line", {class: "grid", x1: left, x2: width - right, y1: py(t), y2: py(t)}),
		svg("text", {x: left - 7, y: py(t) + 4, "text-anchor": "end"}, spec.y.format(t)));
	let end = -Infinity;
	for (const t of x.ticks) {
		const text = spec.x.format(t), at = px(t), room = text.length * 3.6;
		root.append(svg("line", {class: "grid", x1: at, x2: at, y1: top, y2: height - bottom}));
		if (at - room < end + 6) continue;
		end = at + room;
		root.append(svg("text", {x: Math.min(at, width - right - room), y: height - bottom + 17, "text-anchor": "middle"}, text));
	}
	root.append(svg("line", {class: "axis", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom}));
	if (spec.x.label) root.append(svg("text", {x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle"}, spec.x.label));
	return {root, px, py, width, left, right, top, bottom, height};
}

/* Draws now and whenever the figure's width changes. */
function live(figure, draw) {
	let width = 0;
	const again = () => {
		if (figure.clientWidth === width) return;
		width = figure.clientWidth;
		const old = figure.querySelector("svg"), fresh = draw();
		if (old) old.replaceWith(fresh); else figure.append(fresh);
	};
	again();
	if (figure.plotObserver) figure.plotObserver.disconnect();
	figure.plotObserver = new ResizeObserver(again);
	figure.plotObserver.observe(figure);
}
function legend(figure, series) {
	figure.replaceChildren();
	if (series.length > 1) figure.append(html("div", {class: "legend"},
		...series.map((s) => html("span", {class: `c${s.colour}`}, s.name))));
}

/* ---- kinds ---- */

function nearest(f, series, event) {
	const box = f.root.getBoundingClientRect(), k = f.width / box.width;
	const x = (event.clientX - box.left) * k, y = (event.clientY - box.top) * k;
	let best = null, least = Infinity;
	for (const s of series) for (const p of s.points) {
		const d = (f.px(p[0]) - x) ** 2 + ((f.py(p[1]) - y) ** 2) / 4;
		if (d < least) { least = d; best = {s, p}; }
	}
	return best;
}
const path = (f, points) => points.map((p, i) => `${i ? "L" : "M"}${f.px(p[0]).toFixed(1)} ${f.py(p[1]).toFixed(1)}`).join("");

function lines(figure, spec) {
	spec.x.range = extent(spec.series, 0, spec.x);
	spec.y.range = extent(spec.series, 1, spec.y);
	legend(figure, spec.series);
	live(figure, () => {
		const f = frame(figure, spec, spec.height || 300);
		for (const b of spec.bands || []) f.root.append(svg("rect", {class: "band", x: f.px(b[0]), y: f.top,
			width: Math.max(1, f.px(b[1]) - f.px(b[0])), height: f.height - f.top - f.bottom}));
		for (const m of spec.marks || []) f.root.append(svg("line", {class: "mark", x1: f.px(m), x2: f.px(m), y1: f.top, y2: f.height - f.bottom}));
		for (const s of spec.series) {
			f.root.append(svg("path", {class: `line c${s.colour}`, d: path(f, s.points)}));
			if (s.dots) for (const p of s.points) f.root.append(svg("circle", {class: `dot c${s.colour}`, cx: f.px(p[0]), cy: f.py(p[1]), r: 3.5}));
		}
		f.root.addEventListener("pointermove", (event) => {
			const hit = nearest(f, spec.series, event);
			if (hit) show(event, hit.p[2] || `${hit.s.name}\n${spec.x.format(hit.p[0])}: ${spec.y.format(hit.p[1])}`);
		});
		f.root.addEventListener("pointerleave", hide);
		return f.root;
	});
}

/* bins: [from, to, count]; heights are shares of all counts, so that sizes don't matter. */
function steps(figure, spec) {
	const series = spec.series.map((s) => {
		const total = s.bins.reduce((sum, b) => sum + b[2], 0) || 1, points = [];
		let end = null;
		for (const [from, to, count] of s.bins) {
			if (end !== from) { if (end !== null) points.push([end, 0]); points.push([from, 0]); }
			points.push([from, count / total], [to, count / total]);
			end = to;
		}
		if (end !== null) points.push([end, 0]);
		return {...s, points};
	});
	spec.x.range = extent(series, 0, spec.x);
	spec.y.range = extent(series, 1, {from: 0, ...spec.y});
	legend(figure, series);
	live(figure, () => {
		const f = frame(figure, spec, spec.height || 260);
		for (const s of series) f.root.append(svg("path", {class: `area c${s.colour}`, d: `${path(f, s.points)}Z`}),
			svg("path", {class: `line c${s.colour}`, d: path(f, s.points)}));
		f.root.addEventListener("pointermove", (event) => {
			const hit = nearest(f, series, event);
			if (hit) show(event, `${hit.s.name}\n${spec.x.format(hit.p[0])}: ${spec.y.format(hit.p[1])} of the requests`);
		});
		f.root.addEventListener("pointerleave", hide);
		return f.root;
	});
}

/* One value a pair: hollow where the second side went first; the estimate and its interval across. */
function strip(figure, spec) {
	const points = spec.points.filter((p) => Number.isFinite(p.value));
	const ends = points.map((p) => p.value).concat(spec.interval || [], spec.estimate ?? [], 0);
	const low = Math.min(...ends), high = Math.max(...ends), pad = (high - low || 0.01) * 0.08;
	const axes = {x: {range: [0.4, points.length + 0.6], format: (i) => Number.isInteger(i) ? String(i) : "", label: spec.label},
		y: {range: [low - pad, high + pad], format: spec.format}};
	legend(figure, []);
	live(figure, () => {
		const f = frame(figure, axes, spec.height || 240);
		if (spec.interval) f.root.append(svg("rect", {class: "band", x: f.left, width: f.width - f.left - f.right,
			y: f.py(spec.interval[1]), height: Math.max(1, f.py(spec.interval[0]) - f.py(spec.interval[1]))}));
		f.root.append(svg("line", {class: "zero", x1: f.left, x2: f.width - f.right, y1: f.py(0), y2: f.py(0)}));
		if (Number.isFinite(spec.estimate)) f.root.append(svg("line", {class: "mark", x1: f.left, x2: f.width - f.right,
			y1: f.py(spec.estimate), y2: f.py(spec.estimate)}));
		points.forEach((p, i) => {
			const dim = p.dim ? " dim" : "", dot = svg("circle", {class: `${p.hollow ? "hollow" : "dot"} c1${dim}`, cx: f.px(i + 1), cy: f.py(p.value), r: 5});
			dot.addEventListener("pointermove", (event) => show(event, p.text));
			dot.addEventListener("pointerleave", hide);
			f.root.append(svg("line", {class: `stem c1${dim}`, x1: f.px(i + 1), x2: f.px(i + 1), y1: f.py(0), y2: f.py(p.value)}), dot);
		});
		return f.root;
	});
}

return {lines, steps, strip, svg, html, time, bytes, number, percent, signed, value};
})();

"use strict";
/* The fleet page's program: reads the table from #fleet, draws and sorts it, and shows each service's findings. */
(() => {
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("fleet").textContent);
const {html, svg, bytes, percent} = plot;
const services = data.services.map((s, i) => ({...s, id: `service-${i + 1}`}));

const cores = (v) => v.toFixed(1);
const within = (low, high, format) => `${format(low)} to ${format(high)}`;

/* ---- figures with a bar: estimate and interval on the scale of the greatest ---- */

function bar(value, low, high, most) {
	const at = (v) => 148 * Math.max(0, v) / (most || 1) + 1;
	return svg("svg", {class: "bar", viewBox: "0 0 150 12", "aria-hidden": "true"},
		svg("rect", {x: 1, y: 3, width: Math.max(1, at(value) - 1), height: 6}),
		svg("line", {x1: at(low), x2: at(high), y1: 6, y2: 6}),
		svg("line", {x1: at(low), x2: at(low), y1: 2, y2: 10}), svg("line", {x1: at(high), x2: at(high), y1: 2, y2: 10}));
}
function figure(className, value, low, high, format, most) {
	if (value === null) return html("td", {class: className}, html("span", {class: "soft"}, "cores not known"));
	if (!(value > 0)) return html("td", {class: className}, "–");
	const cell = html("td", {class: className}, format(value), html("span", {class: "soft"}, ` (${within(low, high, format)})`), bar(value, low, high, most));
	return cell;
}

/* ---- the table ---- */

const most = (key) => services.reduce((m, s) => Math.max(m, s[key] ?? 0), 0);
const top = {cores: most("cores_high"), bytes: most("bytes_high")};
const columns = [
	{title: "Service", key: (s) => s.service, text: true},
	{title: "Cores", key: (s) => s.cores_saved ?? s.cpu_saved / 1000},
	{title: "CPU", key: (s) => s.cpu_saved},
	{title: "Memory a process", key: (s) => s.bytes_saved},
	{title: "Findings (high)", key: (s) => s.high * 1e6 + s.findings},
	{title: "First finding", key: (s) => s.first_finding, text: true}];
let by = -1, down = true; // as the data come: what stands still, then by savings

const says = (s) => s.first_finding + (s.saving_finding ? `; what saves: ${s.saving_finding}` : "");
function row(s) {
	const link = html("a", {href: `#${s.id}`}, s.service);
	link.addEventListener("click", () => { $(s.id).open = true; });
	return html("tr", {}, html("td", {}, link),
		figure("cores", s.cores_saved, s.cores_low, s.cores_high, cores, top.cores),
		html("td", {}, s.cpu_saved > 0 ? percent(s.cpu_saved) : "–"),
		figure("memory", s.bytes_saved, s.bytes_low, s.bytes_high, bytes, top.bytes),
		html("td", {}, `${s.findings} (${s.high})`), html("td", {class: s.outage ? "text title high" : "text title"}, says(s) || (s.not_judged.length ? "not all was judged" : "–")));
}
function heading(c, i) {
	const button = html("button", {type: "button"}, c.title), th = html("th", c.text ? {class: "text"} : {}, button);
	if (i === by) th.setAttribute("aria-sort", down ? "descending" : "ascending");
	button.addEventListener("click", () => {
		down = i === by ? !down : !c.text;
		by = i;
		draw();
		$("table").querySelectorAll("th button")[i].focus();
	});
	return th;
}
function draw() {
	const words = $("filter").value.toLowerCase(), c = columns[by];
	const shown = services.filter((s) => `${s.service} ${says(s)}`.toLowerCase().includes(words));
	const order = (a, b) => {
		const x = c.key(a), y = c.key(b);
		return (c.text ? x.localeCompare(y) : x - y) * (down ? -1 : 1);
	};
	if (c) shown.sort(order);
	const foot = html("tr", {}, html("td", {}, `all ${services.length}`),
		html("td", {}, `${cores(data.cores_saved)} (${within(data.cores_low, data.cores_high, cores)})`), html("td", {}, ""),
		html("td", {}, `${bytes(data.bytes_saved)} (${within(data.bytes_low, data.bytes_high, bytes)})`),
		html("td", {}, `${services.reduce((n, s) => n + s.findings, 0)} (${services.reduce((n, s) => n + s.high, 0)})`), html("td", {}, ""));
	$("table").querySelector(".scroll").replaceChildren(html("table", {}, html("thead", {}, html("tr", {}, ...columns.map(heading))),
		html("tbody", {}, ...shown.map(row)), html("tfoot", {}, foot)));
}

/* ---- what each service's findings are ---- */

function finding(f) {
	const gains = [];
	if (f.cpu_saved > 0) gains.push(`CPU −${percent(f.cpu_saved)}`);
	if (f.bytes_saved) gains.push(`memory ${f.bytes_saved > 0 ? "−" : "+"}${bytes(Math.abs(f.bytes_saved))}`);
	const li = html("li", {}, html("p", {}, f.title),
		html("p", {class: "soft"}, f.kind, " · severity ", html("span", {class: f.severity}, f.severity), ` · confidence ${f.confidence}`,
			gains.length ? ` · ${gains.join(", ")}` : ""));
	if (f.action) li.append(html("p", {}, f.action));
	if (f.setting) li.append(html("p", {}, html("code", {}, f.setting)));
	return li;
}
function details(s) {
	const box = html("details", {id: s.id}, html("summary", {}, s.service, html("span", {class: "soft"}, ` – ${s.findings} ${s.findings === 1 ? "finding" : "findings"}`)));
	if (s.page) box.append(html("p", {}, html("a", {href: s.page.split("/").map(encodeURIComponent).join("/")}, "the whole report")));
	else box.append(html("p", {class: "soft"}, `from ${s.report}`));
	box.append(s.finding_list.length ? html("ol", {}, ...s.finding_list.map(finding)) : html("p", {},
		s.not_judged.length ? "No known problem was found in what could be judged." : "No known problem was found in its evidence."));
	box.append(...s.not_judged.map((sentence) => html("p", {}, sentence)));
	return box;
}

const tile = (text, note) => html("div", {}, html("b", {}, text), html("span", {class: "soft"}, note));
const savers = services.filter((s) => s.cores_saved > 0).length;
$("totals").append(
	savers ? tile(`${cores(data.cores_saved)} cores`, `${within(data.cores_low, data.cores_high, cores)}, to be saved by ${savers} service${savers === 1 ? "" : "s"}`)
		: tile("no cores", data.services_without_cores ? "known to be saved" : "to be saved"),
	tile(bytes(data.bytes_saved), `${within(data.bytes_low, data.bytes_high, bytes)}, of one process of each`));
if (data.services_without_cores) $("totals").append(tile(String(data.services_without_cores),
	`of them would save CPU, but ${data.services_without_cores === 1 ? "its report doesn't know the cores it uses" : "their reports don't know the cores they use"} (--cores-used)`));
$("about").textContent = `${services.length} services, extrapolated from their reports; bounds are added up, as if all errors had one sign`;
if (data.left_out.length) $("about").append(html("br", {}), `Left out, for a later report of the same service is here: ${data.left_out.map((l) => l.report).join(", ")}`);
for (const s of services) $("services").append(details(s));
$("filter").addEventListener("input", draw);
draw();
if (location.hash && $(location.hash.slice(1))) $(location.hash.slice(1)).open = true;
})();

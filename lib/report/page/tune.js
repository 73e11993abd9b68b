"use strict";
(() => {
	const data = JSON.parse(document.getElementById("tune").textContent);
	const svgSpace = "http://www.w3.org/2000/svg";

	// Everything from the data reaches the page as text, never as markup.
	function make(name, className, ...children) {
		const e = document.createElement(name);
		if (className)
			e.className = className;
		for (const c of children) {
			if (c !== null && c !== undefined)
				e.append(c);
		}
		return e;
	}
	function draw(name, attributes, text) {
		const e = document.createElementNS(svgSpace, name);
		for (const [k, v] of Object.entries(attributes))
			e.setAttribute(k, v);
		if (text !== undefined)
			e.textContent = text;
		return e;
	}
	function scaled(value, step, units) {
		let i = 0;
		while (i + 1 < units.length && Math.abs(value) >= step) {
			value /= step;
			i++;
		}
		return (Math.abs(value) >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1)) + " " + units[i];
	}
	function amount(value, unit) {
		if (value === null || value === undefined)
			return "unknown";
		switch (unit) {
		case "bytes": return scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
		case "bytes_per_second": return scaled(value, 1024, ["B/s", "KiB/s", "MiB/s", "GiB/s"]);
		case "share": return (value * 100).toFixed(1) + " %";
		case "nanoseconds": return scaled(value, 1000, ["ns", "µs", "ms", "s"]);
		case "seconds":
			if (Math.abs(value) >= 172800)
				return (value / 86400).toFixed(1) + " days";
			if (Math.abs(value) >= 7200)
				return (value / 3600).toFixed(1) + " h";
			return scaled(value * 1e9, 1000, ["ns", "µs", "ms", "s"]);
		case "probability": return value < 1e-4 ? "below 0.0001" : value.toPrecision(2);
		default: {
			const text = Number.isInteger(value) ? value.toLocaleString("en") : value.toPrecision(3);
			return !unit || unit === "count" ? text : text + " " + unit.replaceAll("_", " ");
		}
		}
	}
	const words = (name) => name.replaceAll("_", " ");
	const within = (low, high, unit) =>
		low === null || low === undefined ? "" : ` (${amount(low, unit)} to ${high === null ? "unlimited" : amount(high, unit)})`;

	function copyButton(text) {
		const b = make("button", "", "copy");
		b.addEventListener("click", () => {
			const done = () => {
				b.textContent = "copied";
				setTimeout(() => { b.textContent = "copy"; }, 1500);
			};
			const byHand = () => {
				const area = make("textarea");
				area.value = text;
				document.body.append(area);
				area.select();
				document.execCommand("copy");
				area.remove();
				done();
			};
			if (navigator.clipboard)
				navigator.clipboard.writeText(text).then(done, byHand);
			else
				byHand();
		});
		return b;
	}

	function overview() {
		const s = data.service, at = document.getElementById("overview");
		document.title = "Tuning report: " + s.name;
		document.getElementById("title").textContent = "Tuning report: " + s.name;
		const about = [data.time];
		if (data.inputs.length || !data.search)
			about.push(`${data.inputs.length} input${data.inputs.length === 1 ? "" : "s"}`);
		if (data.search)
			about.push("a search for settings");
		if (s.allocator !== "unknown")
			about.push("allocator " + s.allocator);
		if (s.rss !== null)
			about.push("resident " + amount(s.rss, "bytes") + (s.memory_limit !== null ? " of " + amount(s.memory_limit, "bytes") : ""));
		document.getElementById("about").textContent = about.join(" · ");
		if (!data.findings.length && data.inputs.length)
			at.append(make("p", "", data.not_judged.length ? "No known problem was found in what could be judged."
				: "No known problem was found in this evidence."));
		for (const sentence of data.not_judged)
			at.append(make("p", "", sentence));
		if (!data.findings.length)
			return;
		const table = make("table"), head = make("tr");
		for (const h of ["what", "severity", "confidence", "CPU", "memory"])
			head.append(make("th", h === "CPU" || h === "memory" ? "number" : "", h));
		table.append(head);
		data.findings.forEach((f, i) => {
			const link = make("a", "", f.title);
			link.href = "#finding-" + (i + 1);
			table.append(make("tr", "", make("td", "", link), make("td", "", f.severity), make("td", "", f.confidence),
				make("td", "number", f.cpu_saved ? "−" + amount(f.cpu_saved, "share") : ""),
				make("td", "number", f.bytes_saved ? (f.bytes_saved > 0 ? "−" : "+") + amount(Math.abs(f.bytes_saved), "bytes") : "")));
		});
		at.append(make("div", "scroll", table));
	}

	// ---- what a store's profiles are, and which triggers asked for some of them ----
	function when(time) {
		return time.replace("T", " ").replace("Z", " UTC");
	}
	function stored() {
		const s = data.stored, at = document.getElementById("triggers");
		if (!s)
			return;
		const span = `${s.instances} ${s.instances === 1 ? "instance" : "instances"}` + (s.build_id ? `, build ${s.build_id.slice(0, 12)}` : "") +
			`, ${when(s.from)} to ${when(s.to)}`;
		document.getElementById("overview").before(make("p", "note", `${s.read} of ${s.selected} selected profiles were read: ${span}.`));
		if (!data.triggers.length)
			return;
		const table = make("table"), head = make("tr"), most = 50;
		for (const h of ["when", "instance", "trigger", "why", "profiles"])
			head.append(make("th", "", h));
		table.append(head);
		for (const t of data.triggers.slice(0, most))
			table.append(make("tr", "", make("td", "", when(t.time)), make("td", "", t.instance), make("td", "", t.trigger),
				make("td", "", t.reason), make("td", "", t.types.join(", "))));
		const more = data.triggers.length - most;
		at.append(make("h2", "", "Triggers that fired"),
			make("div", "card scroll", table, more > 0 ? make("p", "note", `and ${more} more before that`) : null));
	}

	function numbers(list) {
		const table = make("table");
		for (const n of list)
			table.append(make("tr", "", make("td", "", words(n.name)),
				make("td", "number", amount(n.value, n.unit) + within(n.low, n.high, n.unit))));
		return make("details", "", make("summary", "", "evidence"), table);
	}
	const SHARES_OF = {share_of_cpu: " of CPU time", share_of_allocation: " of allocating", bytes: " of bytes allocated"};
	function stackLine(s, mixed) {
		const of = mixed && s.unit in SHARES_OF ? SHARES_OF[s.unit] : "";
		const part = s.own_share !== undefined && s.own_share !== s.share ? `, of which this stack ${amount(s.own_share, "share")}` : "";
		const line = make("div", "stack", make("span", "share", s.share === null ? "" : amount(s.share, "share") + of + part));
		s.functions.slice(0, 10).forEach((f, i) => {
			if (i)
				line.append(" ← ");
			line.append(make("code", "", f));
		});
		if (s.functions.length > 10)
			line.append(` ← ${s.functions.length - 10} more`);
		return line;
	}
	function adviceItem(a) {
		const li = make("li", "", a.action);
		if (a.setting)
			li.append(make("div", "setting", make("code", "", a.setting), copyButton(a.setting)));
		for (const key of ["how", "versions", "risk", "undo"]) {
			if (a[key])
				li.append(make("div", "note", key + ": " + a[key]));
		}
		return li;
	}
	function predictionText(p) {
		if (p.measure)
			return `${words(p.metric)}: measure: ${p.measure}`;
		return `${words(p.metric)}: ${amount(p.before, p.unit)} → ${amount(p.after, p.unit)}${within(p.low, p.high, p.unit)}: ${p.model}`;
	}
	function finding(f, i) {
		const card = make("article", "card " + f.severity);
		card.id = "finding-" + (i + 1);
		card.append(make("h3", "", `${i + 1}. ${f.title}`),
			make("p", "tags", f.kind + " · severity ", make("span", f.severity, f.severity), " · confidence " + f.confidence));
		if (f.summary)
			card.append(make("p", "", f.summary));
		for (const c of f.caveats)
			card.append(make("p", "caveat", c));
		const mixed = f.evidence.stacks.some((s) => s.unit !== f.evidence.stacks[0].unit);
		for (const s of f.evidence.stacks)
			card.append(stackLine(s, mixed));
		if (f.advice.length) {
			const list = make("ol", "advice");
			for (const a of f.advice)
				list.append(adviceItem(a));
			card.append(list);
		}
		if (f.predicted.length) {
			card.append(make("p", "note", "Expected:"));
			const list = make("ul", "advice note");
			for (const p of f.predicted)
				list.append(make("li", "", predictionText(p)));
			card.append(list);
		}
		card.append(numbers(f.evidence.numbers));
		return card;
	}

	// ---- plots ----
	function axes(svg, box, x, y) {
		svg.append(draw("line", {x1: box.left, y1: box.bottom, x2: box.right, y2: box.bottom, class: "axis"}),
			draw("line", {x1: box.left, y1: box.top, x2: box.left, y2: box.bottom, class: "axis"}));
		for (let i = 0; i <= 4; i++) {
			const yy = box.bottom - (box.bottom - box.top) * i / 4, xx = box.left + (box.right - box.left) * i / 4;
			svg.append(draw("text", {x: box.left - 6, y: yy + 4, "text-anchor": "end", class: "soft"}, y.label(i / 4)),
				draw("text", {x: xx, y: box.bottom + 17, "text-anchor": "middle", class: "soft"}, x.label(i / 4)));
		}
		svg.append(draw("text", {x: (box.left + box.right) / 2, y: box.bottom + 34, "text-anchor": "middle", class: "soft"}, x.title),
			draw("text", {x: box.left - 6, y: box.top - 10, "text-anchor": "start", class: "soft"}, y.title));
	}
	const colors = ["#0b63ce", "#c2571a", "#2e8b57", "#8e44ad", "#b3261e", "#00838f"];

	function growth() {
		const at = document.getElementById("growth");
		if (!data.growth || !data.growth.series.length)
			return;
		at.append(make("h2", "", "Growth" + (data.growth.instance ? " in " + data.growth.instance : "")));
		const svg = draw("svg", {viewBox: "0 0 1000 300", role: "img", "aria-label": "memory in use over time"});
		const box = {left: 90, right: 700, top: 30, bottom: 250}, times = data.growth.times;
		const first = times[0], span = times[times.length - 1] - first || 1;
		const most = Math.max(...data.growth.series.flatMap((s) => s.values), 1);
		axes(svg, box, {label: (q) => data.growth.timed ? amount(q * span, "seconds") : (q * span).toFixed(1), title: data.growth.timed ? "since the first snapshot" : "snapshot"},
			{label: (q) => amount(q * most, "bytes"), title: "in use"});
		data.growth.series.forEach((s, i) => {
			const color = colors[i % colors.length];
			const points = s.values.map((v, k) => [box.left + (times[k] - first) / span * (box.right - box.left), box.bottom - v / most * (box.bottom - box.top)]);
			svg.append(draw("polyline", {points: points.map((p) => p.join(",")).join(" "), fill: "none", stroke: color, "stroke-width": 2}));
			for (const [x, y] of points)
				svg.append(draw("circle", {cx: x, cy: y, r: 3, fill: color}));
			svg.append(draw("rect", {x: 720, y: 34 + i * 22, width: 12, height: 12, fill: color}),
				draw("text", {x: 738, y: 44 + i * 22}, s.name.length > 36 ? "…" + s.name.slice(-35) : s.name));
		});
		at.append(make("div", "card", svg));
	}

	// A name where it covers neither a dot nor another name: beside its dot, else ever further above or below, with a line to it.
	function label(n, box, taken, svg) {
		const text = draw("text", {x: 0, y: 0}, n.name), high = 15;
		svg.append(text);
		const wide = text.getComputedTextLength() || n.name.length * 6.6;
		let best = null;
		for (let step = 0; step < 40 && !(best && best.cost === 0); step++) {
			const top = n.y - high / 2 + Math.ceil(step / 2) * 7 * (step % 2 ? -1 : 1);
			for (const left of [n.x + 10, n.x - 10 - wide]) {
				if (left < box.left + 2 || left + wide > box.right + 38 || top < 2 || top + high > box.bottom - 1)
					continue;
				const cost = taken.filter((t) => t.left < left + wide && t.right > left && t.top < top + high && t.bottom > top).length;
				if (!best || cost < best.cost)
					best = {left, top, cost};
			}
		}
		best = best || {left: n.x + 10, top: n.y - high / 2};
		taken.push({left: best.left, right: best.left + wide, top: best.top, bottom: best.top + high});
		text.setAttribute("x", best.left);
		text.setAttribute("y", best.top + high - 3.5);
		if (Math.abs(best.top + high / 2 - n.y) < 8)
			return [text];
		return [draw("line", {x1: n.x, y1: n.y, x2: best.left < n.x ? best.left + wide + 2 : best.left - 2, y2: best.top + high / 2, class: "leader"}), text];
	}

	function search() {
		const at = document.getElementById("search"), s = data.search;
		if (!s)
			return;
		at.append(make("h2", "", "Search for settings"), make("p", "", s.verdict));
		if (s.environment.length) {
			const line = s.environment.join(" ");
			at.append(make("div", "setting", make("code", "", line), copyButton(line)));
		}
		at.append(make("p", "note", `${s.runs} runs of ${s.command}${s.service ? " under load" : ""}` +
			(s.exhaustive ? "" : ` in the search (${Math.round(100 * s.runs / s.grid_runs)} % of a grid of five a setting), ${s.validation_runs} to validate`) + `; seed ${s.seed}.`));
		const svg = draw("svg", {viewBox: "0 0 1000 380", role: "img", "aria-label": "CPU time against memory of every setting"});
		const box = {left: 90, right: 960, top: 30, bottom: 320};
		const shown = s.settings.filter((v) => v.cpu > 0 && v.rss_peak > 0);
		if (shown.length) {
			const range = (key) => {
				const all = shown.map((v) => v[key]), least = Math.min(...all), most = Math.max(...all), room = (most - least || most) * 0.08;
				return {from: Math.max(0, least - room), span: most - Math.max(0, least - room) + room};
			};
			const rx = range("cpu"), ry = range("rss_peak");
			axes(svg, box, {label: (q) => amount(rx.from + q * rx.span, "seconds"), title: s.service ? "CPU time of a request" : "CPU time"},
				{label: (q) => amount(ry.from + q * ry.span, "bytes"), title: "peak resident"});
			at.append(make("div", "card", svg, make("p", "note", `Blue: no other setting is better in both. Orange: today's.${s.recommended ? " Green: recommended." : ""}`)));
			const taken = [], named = [];
			for (const v of shown.sort((a, b) => a.cpu - b.cpu)) {
				const x = box.left + (v.cpu - rx.from) / rx.span * (box.right - box.left), y = box.bottom - (v.rss_peak - ry.from) / ry.span * (box.bottom - box.top);
				const chosen = v.name === s.recommended, size = v.pareto || v.current || chosen ? 6 : 4;
				const dot = draw("circle", {cx: x, cy: y, r: size, fill: v.current ? "#c2571a" : chosen ? "#2e8b57" : v.pareto ? "#0b63ce" : "#98a2af"});
				dot.append(draw("title", {}, `${v.name}\nCPU ${amount(v.cpu, "seconds")}, peak ${amount(v.rss_peak, "bytes")}, ${v.runs} run${v.runs === 1 ? "" : "s"}${v.breaks_cap ? ", breaks the cap" : ""}`));
				svg.append(dot);
				taken.push({left: x - size, right: x + size, top: y - size, bottom: y + size});
				if (v.pareto || v.current || chosen)
					named.push({name: chosen ? v.name + " (recommended)" : v.name, x, y});
			}
			for (const n of named)
				svg.append(...label(n, box, taken, svg));
		}
		const table = make("table"), head = make("tr");
		for (const h of ["setting", "runs", "CPU", "peak", "idle", "p99", "score"])
			head.append(make("th", h === "setting" ? "" : "number", h));
		table.append(head);
		for (const v of s.settings)
			table.append(make("tr", "", make("td", "", make("code", "", v.name), v.current ? " (today)" : v.pareto ? " ●" : "", v.breaks_cap ? " breaks the cap" : ""),
				make("td", "number", String(v.runs)), make("td", "number", amount(v.cpu, "seconds")),
				make("td", "number", amount(v.rss_peak, "bytes")),
				make("td", "number", v.rss_idle === null ? "" : amount(v.rss_idle, "bytes")),
				make("td", "number", v.p99 === null ? "" : amount(v.p99, "seconds")),
				make("td", "number", v.score === null ? "" : v.score.toFixed(3))));
		at.append(make("details", "card", make("summary", "", `all ${s.settings.length} settings`), make("div", "scroll", table)));
	}

	// ---- flame graphs: rows of bars from the root down; a click zooms in, the root zooms out ----
	function hue(name) {
		let h = 7;
		for (const c of name)
			h = (h * 31 + c.charCodeAt(0)) >>> 0;
		return 20 + h % 45;
	}
	function flame(g) {
		if (g.empty)
			return make("div", "", make("h2", "", g.title), make("p", "note", g.empty));
		const row = 18, holder = make("div", "flame"), info = make("p", "note", "");
		const children = g.nodes.map(() => []), total = g.nodes.map((n) => n[2]), before = g.nodes.map((n) => n[3] || 0);
		for (let i = g.nodes.length - 1; i > 0; i--) {
			children[g.nodes[i][0]].unshift(i);
			total[g.nodes[i][0]] += total[i];
			before[g.nodes[i][0]] += before[i];
		}
		const name = (i) => i ? g.names[g.nodes[i][1]] : "all";
		const text = (i) => `${name(i)}: ${amount(total[i], g.unit)}, ${amount(total[i] / (total[0] || 1), "share")} of all` +
			(g.diff ? `; before ${amount(before[i], g.unit)}` : "");
		function color(i) {
			if (!g.diff)
				return `hsl(${hue(name(i))} 85% 68%)`;
			const change = total[i] - before[i], strength = Math.min(1, Math.abs(change) / (Math.max(total[0], before[0]) || 1) * 3);
			return change >= 0 ? `hsl(4 85% ${92 - 30 * strength}%)` : `hsl(210 80% ${92 - 30 * strength}%)`;
		}
		function show(root) {
			holder.replaceChildren();
			const up = [];
			for (let i = root; i; i = g.nodes[i][0])
				up.unshift(g.nodes[i][0]);
			let depth = 0, deepest = 0;
			function bar(i, left, width, at) {
				if (width < 0.0008)
					return;
				const b = make("button", "bar", width > 0.03 ? name(i) : "");
				b.style.left = left * 100 + "%";
				b.style.width = width * 100 + "%";
				b.style.top = at * row + "px";
				b.style.background = color(i);
				b.title = text(i);
				b.addEventListener("click", () => show(i));
				b.addEventListener("focus", () => { info.textContent = text(i); });
				b.addEventListener("mouseenter", () => { info.textContent = text(i); });
				holder.append(b);
				deepest = Math.max(deepest, at);
			}
			for (const i of up)
				bar(i, 0, 1, depth++);
			const queue = [[root, 0, 1, depth]];
			while (queue.length) {
				const [i, left, width, at] = queue.shift();
				bar(i, left, width, at);
				let x = left;
				for (const c of children[i]) {
					const w = width * total[c] / (total[i] || 1);
					if (w > 0)
						queue.push([c, x, w, at + 1]);
					x += Math.max(0, w);
				}
			}
			holder.style.height = (deepest + 1) * row + "px";
		}
		show(0);
		info.textContent = text(0);
		return make("div", "", make("h2", "", g.title), g.diff ? make("p", "note", "Red: more than before; blue: less.") : null, holder, info);
	}

	overview();
	stored();
	const findings = document.getElementById("findings");
	data.findings.forEach((f, i) => findings.append(finding(f, i)));
	search();
	growth();
	for (const g of data.graphs)
		document.getElementById("graphs").append(flame(g));
})();

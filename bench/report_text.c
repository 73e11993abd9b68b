/* report_text.c: tables and sentences, for a terminal or a pull request. */
#include "bench/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 6, CELL = 80 };

struct table {
	char cells[PF_METRICS + 1][COLUMNS][CELL];
	size_t rows;
};

/* Characters, not bytes: what a terminal shows. */
static int
width(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void
fill_row(const struct pf_bench *b, size_t variant, enum pf_metric m, char (*cells)[CELL])
{
	const struct pf_metric_info *info = &pf_metric_infos[m];
	const struct pf_result *r = pf_bench_result(b, variant, m);
	const struct pf_comparison *c = &r->comparison;
	char low[32], high[32];

	snprintf(cells[0], CELL, "%s", info->title);
	pf_metric_format(info->unit, pf_bench_median(b, 0, m), cells[1], CELL);
	pf_metric_format(info->unit, pf_bench_median(b, variant, m), cells[2], CELL);
	snprintf(cells[3], CELL, "–");
	snprintf(cells[4], CELL, "–");
	if (r->compared)
		pf_change_format(info->scale, info->unit, c->change, cells[3], CELL);
	if (r->compared && c->has_interval)
		snprintf(cells[4], CELL, "%s … %s",
		    pf_change_format(info->scale, info->unit, c->low, low, sizeof low),
		    pf_change_format(info->scale, info->unit, c->high, high, sizeof high));
	snprintf(cells[5], CELL, "%s", pf_bench_word(b, variant, m));
}

/* One variant alone: the median and the extremes of its blocks. */
static void
fill_alone(const struct pf_bench *b, struct table *t)
{
	static const char *const heads[COLUMNS] = {"Metric", "Median", "Least", "Most", "", ""};

	for (int i = 0; i < COLUMNS; i++)
		snprintf(t->cells[0][i], CELL, "%s", heads[i]);
	t->rows = 1;
	for (enum pf_metric m = 0; m < PF_METRICS; m++) {
		char(*cells)[CELL] = t->cells[t->rows];
		double least = INFINITY, most = -INFINITY;

		if (!b->measured[m] ||
		    (pf_metric_infos[m].optional && !(pf_bench_median(b, 0, m) > 0)))
			continue;
		for (size_t i = 0; i < b->complete; i++) {
			least = fmin(least, pf_bench_block(b, i, 0)->value[m]);
			most = fmax(most, pf_bench_block(b, i, 0)->value[m]);
		}
		snprintf(cells[0], CELL, "%s", pf_metric_infos[m].title);
		pf_metric_format(pf_metric_infos[m].unit, pf_bench_median(b, 0, m), cells[1], CELL);
		pf_metric_format(pf_metric_infos[m].unit, least, cells[2], CELL);
		pf_metric_format(pf_metric_infos[m].unit, most, cells[3], CELL);
		cells[4][0] = cells[5][0] = 0;
		t->rows++;
	}
}

/* What the client itself did, so that its part in the latencies can be judged. */
static void
add_client(struct pf_buffer *out, const struct pf_bench *b)
{
	for (size_t i = 0; i < b->complete; i++) {
		const struct pf_block *k = pf_bench_block(b, i, 0);
		char p50[32], p99[32], most[32];

		pf_buffer_printf(out,
		    "client: %llu requests; sent late by %s (median), %s (p99), %s (most); %.2f µs "
		    "of "
		    "CPU time each\n",
		    (unsigned long long)k->requests,
		    pf_metric_format(PF_UNIT_SECONDS, k->lag_p50, p50, sizeof p50),
		    pf_metric_format(PF_UNIT_SECONDS, k->lag_p99, p99, sizeof p99),
		    pf_metric_format(PF_UNIT_SECONDS, k->lag_most, most, sizeof most),
		    k->completed ? k->client_cpu / (double)k->completed * 1e6 : 0);
	}
}

/* An optional figure that was zero throughout is in the JSON, and nothing to look at. */
static bool
is_dull(const struct pf_bench *b, size_t variant, enum pf_metric m)
{
	const struct pf_comparison *c = &pf_bench_result(b, variant, m)->comparison;

	return pf_metric_infos[m].optional && !(pf_bench_median(b, 0, m) > 0) &&
	       !(pf_bench_median(b, variant, m) > 0) && !(c->spread > 0);
}

/* The primary metric first, the others in their order. */
static void
fill_table(const struct pf_bench *b, size_t variant, struct table *t)
{
	static const char *const heads[COLUMNS] = {"Metric", "", "", "Change", "", "Verdict"};

	for (int i = 0; i < COLUMNS; i++)
		snprintf(t->cells[0][i], CELL, "%s", heads[i]);
	snprintf(t->cells[0][1], CELL, "%.30s", b->variants[0].name);
	snprintf(t->cells[0][2], CELL, "%.30s", b->variants[variant].name);
	for (int i = 1; i < 3; i++) {
		char *first = &t->cells[0][i][0];
		*first = (char)(*first >= 'a' && *first <= 'z' ? *first - 'a' + 'A' : *first);
	}
	snprintf(t->cells[0][4], CELL, "%g %% interval", pf_bench_level(b) * 100);
	fill_row(b, variant, b->primary, t->cells[1]);
	t->rows = 2;
	for (enum pf_metric m = 0; m < PF_METRICS; m++) {
		if (b->measured[m] && m != b->primary && !is_dull(b, variant, m))
			fill_row(b, variant, m, t->cells[t->rows++]);
	}
}

static void
add_table(struct pf_buffer *out, const struct table *t, bool markdown)
{
	int widths[COLUMNS] = {0};

	for (size_t r = 0; r < t->rows; r++) {
		for (int i = 0; i < COLUMNS; i++)
			widths[i] =
			    width(t->cells[r][i]) > widths[i] ? width(t->cells[r][i]) : widths[i];
	}
	for (size_t r = 0; r < t->rows; r++) {
		for (int i = 0; i < COLUMNS; i++) {
			const char *cell = t->cells[r][i];
			int pad = widths[i] - width(cell);
			bool right = i > 0 && i < COLUMNS - 1, last = i == COLUMNS - 1;

			pf_buffer_printf(out, "%s%*s%s%*s",
			    markdown ? "| "
			    : i      ? "  "
				     : "",
			    right ? pad : 0, "", cell, right || (last && !markdown) ? 0 : pad, "");
			pf_buffer_string(out, markdown ? " " : "");
		}
		pf_buffer_string(out, markdown ? "|\n" : "\n");
		for (int i = 0; markdown && r == 0 && i < COLUMNS; i++)
			pf_buffer_string(out, i == 0             ? "|---|"
					      : i == COLUMNS - 1 ? "---|\n"
								 : "---:|");
	}
}

static void
add_load(struct pf_buffer *out, const struct pf_bench *b)
{
	const struct pf_bench_options *o = &b->options;

	if (b->unpaired || !b->service)
		return;
	if (isinf(o->rate))
		pf_buffer_printf(out, "; %zu connections as fast as they get answers, %g s a block",
		    o->connections, o->duration);
	else if (o->rate > 0)
		pf_buffer_printf(out, "; %g requests/s for %g s a block, %s arrivals", o->rate,
		    o->duration, o->arrivals == PF_ARRIVALS_POISSON ? "Poisson" : "evenly spaced");
	else
		pf_buffer_string(out, "; a recorded log, replayed");
}

/* "4,000" would need a locale; plain digits do. */
static void
add_conditions(struct pf_buffer *out, const struct pf_bench *b)
{
	const struct pf_bench_options *o = &b->options;

	if (b->unpaired)
		pf_buffer_string(out, "Two runs compared, unpaired (Mann–Whitney)");
	else
		pf_buffer_printf(out, "%zu %s%s in random order, seed %llu, %.0f s in all",
		    b->complete,
		    b->variant_count == 1  ? "block"
		    : b->variant_count > 2 ? "round"
					   : "pair",
		    b->complete == 1 ? "" : "s", (unsigned long long)b->seed, b->elapsed);
	if (o->duet)
		pf_buffer_string(out, "; both at once on CPUs of their own");
	add_load(out, b);
	if (b->pinned)
		pf_buffer_printf(
		    out, "; server on CPU %s, client on CPU %s", b->server_cpus, b->client_cpus);
	pf_buffer_printf(out, "; %d CPU%s (%s), %s.\n", b->machine.cpus,
	    b->machine.cpus == 1 ? "" : "s", b->machine.cpu, b->machine.kernel);
	if (b->look)
		pf_buffer_printf(out,
		    "Stopped at look %zu of %zu; the intervals hold at all looks together with "
		    "%g %% confidence.\n",
		    b->look, o->looks, o->confidence * 100);
}

/* "After" as a sentence begins. */
static void
add_name(struct pf_buffer *out, const char *name)
{
	bool letter = *name >= 'a' && *name <= 'z';

	pf_buffer_printf(out, "%c%s", letter ? *name - 'a' + 'A' : *name, name + 1);
}

/* The answer in one sentence, about the primary metric. */
static void
add_answer(struct pf_buffer *out, const struct pf_bench *b, size_t variant)
{
	const struct pf_metric_info *info = &pf_metric_infos[b->primary];
	const struct pf_comparison *c = &pf_bench_result(b, variant, b->primary)->comparison;
	enum pf_finding finding = pf_bench_finding(b, variant, b->primary);
	double least = c->change < 0 ? -c->high : c->low, most = c->change < 0 ? -c->low : c->high;

	if (finding == PF_FINDING_UNDECIDED)
		return;
	if (finding == PF_FINDING_NONE) {
		pf_buffer_printf(out,
		    "No difference in %s was shown: the interval includes zero.\n", info->title);
	} else if (info->scale == PF_SCALE_RATIO) {
		add_name(out, b->variants[variant].name);
		pf_buffer_printf(out,
		    " takes %.3g %% %s %s than %s, with %g %% confidence between %.3g %% "
		    "and %.3g %%.\n",
		    fabs(c->change) * 100, c->change < 0 ? "less" : "more", info->title,
		    b->variants[0].name, b->options.confidence * 100, least * 100, most * 100);
	}
}

static void
add_detectable(struct pf_buffer *out, const struct pf_bench *b, size_t variant)
{
	const struct pf_metric_info *info = &pf_metric_infos[b->primary];
	const struct pf_result *r = pf_bench_result(b, variant, b->primary);
	char change[32];

	if (!r->compared || b->complete < 2)
		return;
	pf_change_format(info->scale, info->unit, r->comparison.detectable, change, sizeof change);
	pf_buffer_printf(out,
	    "A change of %s in %s would show 8 times in 10 with this many %s and this noise.\n",
	    change + 1, info->title, b->unpaired ? "blocks" : "pairs");
}

static void
add_calibration(struct pf_buffer *out, const struct pf_bench *b)
{
	const struct pf_comparison *c = &b->calibration;

	if (!b->calibrated)
		return;
	pf_buffer_printf(out,
	    "Calibration: %zu pairs of %s against itself differ by %+.2f %% in %s", c->pairs,
	    b->variants[0].name, c->change * 100, pf_metric_infos[b->primary].title);
	if (c->has_interval)
		pf_buffer_printf(out, " (%+.2f … %+.2f %%)", c->low * 100, c->high * 100);
	pf_buffer_printf(
	    out, "; a change of %.2f %% would show in as many.\n", c->detectable * 100);
}

static void
add_bounds(struct pf_buffer *out, const struct pf_gate *g, const struct pf_judgement *j)
{
	const struct pf_metric_info *info = &pf_metric_infos[g->metric];
	char low[32], high[32];

	if (!(j->low <= j->high))
		pf_buffer_string(out, " (no interval)");
	else if (g->relative)
		pf_buffer_printf(out, " (%s … %s)",
		    pf_change_format(PF_SCALE_RATIO, info->unit, j->low, low, sizeof low),
		    pf_change_format(PF_SCALE_RATIO, info->unit, j->high, high, sizeof high));
	else
		pf_buffer_printf(out, " (%s … %s)",
		    pf_metric_format(info->unit, j->low, low, sizeof low),
		    pf_metric_format(info->unit, j->high, high, sizeof high));
	if (j->result == PF_GATE_UNDECIDED &&
	    pf_gate_judge(g, j->low <= j->high, j->low, j->high) == PF_GATE_FAILED)
		pf_buffer_string(
		    out, "; beyond its limit, but not by enough for one gate of several");
}

static void
add_gates(struct pf_buffer *out, const struct pf_bench *b, const char *bullet)
{
	for (size_t i = 0; b->complete && i < b->gate_count; i++) {
		for (size_t v = 1; v < b->variant_count; v++) {
			const struct pf_gate *g = &b->gates[i];
			const struct pf_judgement *j = pf_bench_judgement(b, i, v);

			pf_buffer_printf(out, "%sgate %s", bullet, g->text);
			if (b->variant_count > 2)
				pf_buffer_printf(out, " for %s", b->variants[v].name);
			pf_buffer_printf(out, ": %s", pf_gate_result_name(j->result));
			add_bounds(out, g, j);
			pf_buffer_byte(out, '\n');
		}
	}
}

/* What "perhaps" means, where it was said. */
static void
add_perhaps(struct pf_buffer *out, const struct pf_bench *b)
{
	for (size_t v = 1; b->complete && v < b->variant_count; v++) {
		for (enum pf_metric m = 0; m < PF_METRICS; m++) {
			if (!b->measured[m] || strncmp(pf_bench_word(b, v, m), "perhaps", 7) != 0)
				continue;
			pf_buffer_string(out,
			    "Perhaps: its own interval excludes zero, which among so many metrics "
			    "happens by chance.\n");
			return;
		}
	}
}

static void
add_sentences(struct pf_buffer *out, const struct pf_bench *b, size_t variant)
{
	if (!b->complete)
		return;
	add_answer(out, b, variant);
	add_detectable(out, b, variant);
}

void
pf_bench_text(const struct pf_bench *b, struct pf_buffer *out)
{
	char warning[400];
	struct table table;
	int longest = 0;

	for (size_t v = 0; v < b->variant_count; v++)
		longest =
		    width(b->variants[v].name) > longest ? width(b->variants[v].name) : longest;
	for (size_t v = 0; v < b->variant_count; v++) {
		const struct pf_variant *x = &b->variants[v];
		pf_buffer_printf(out, "%s:%*s", x->name, longest - width(x->name) + 1, "");
		for (size_t i = 0; i < x->environment_count; i++)
			pf_buffer_printf(out, "%s ", x->environment[i]);
		pf_buffer_printf(out, "%s\n", x->command ? x->command : x->origin);
	}
	if (b->complete && b->variant_count == 1) {
		fill_alone(b, &table);
		pf_buffer_byte(out, '\n');
		add_table(out, &table, false);
		pf_buffer_byte(out, '\n');
		if (b->service)
			add_client(out, b);
	}
	for (size_t v = 1; b->complete && v < b->variant_count; v++) {
		fill_table(b, v, &table);
		pf_buffer_byte(out, '\n');
		add_table(out, &table, false);
		pf_buffer_byte(out, '\n');
		add_sentences(out, b, v);
	}
	add_perhaps(out, b);
	add_calibration(out, b);
	add_conditions(out, b);
	for (size_t i = 0; pf_bench_warning(b, i, warning, sizeof warning); i++)
		pf_buffer_printf(out, "warning: %s\n", warning);
	add_gates(out, b, "");
}

/* A command in backquotes, with as many around it as it needs. */
static void
add_code(struct pf_buffer *out, const char *text)
{
	const char *fence = strchr(text, '`') ? "``" : "`";

	pf_buffer_printf(
	    out, "%s%s%s%s%s", fence, fence[1] ? " " : "", text, fence[1] ? " " : "", fence);
}

void
pf_bench_markdown(const struct pf_bench *b, struct pf_buffer *out)
{
	char warning[400];
	struct table table;

	for (size_t v = 0; v < b->variant_count; v++) {
		const struct pf_variant *x = &b->variants[v];
		pf_buffer_string(out, v ? "  \n**" : "**");
		add_name(out, x->name);
		pf_buffer_string(out, "**");
		for (size_t i = 0; i < x->environment_count; i++) {
			pf_buffer_byte(out, ' ');
			add_code(out, x->environment[i]);
		}
		pf_buffer_byte(out, ' ');
		add_code(out, x->command ? x->command : x->origin);
	}
	pf_buffer_string(out, "\n\n");
	if (b->complete && b->variant_count == 1) {
		fill_alone(b, &table);
		add_table(out, &table, true);
	}
	for (size_t v = 1; b->complete && v < b->variant_count; v++) {
		fill_table(b, v, &table);
		add_table(out, &table, true);
		pf_buffer_byte(out, '\n');
	}
	add_gates(out, b, "- ");
	for (size_t i = 0; pf_bench_warning(b, i, warning, sizeof warning); i++)
		pf_buffer_printf(out, "- warning: %s\n", warning);
	pf_buffer_byte(out, '\n');
	for (size_t v = 1; v < b->variant_count; v++)
		add_sentences(out, b, v);
	add_perhaps(out, b);
	add_calibration(out, b);
	add_conditions(out, b);
}

/* report.c: the table for a terminal or a pull request; JSON is in report_json.c. */
#include "bench/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"

enum { COLUMNS = 6, CELL = 80, REPORT_MAXIMUM = 16 << 20 };

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
fill_row(const struct pf_bench *b, enum pf_metric m, char (*cells)[CELL])
{
	const struct pf_metric_info *info = &pf_metric_infos[m];
	const struct pf_comparison *c = &b->comparison[m];
	char low[32], high[32];

	snprintf(cells[0], CELL, "%s", info->title);
	pf_metric_format(info->unit, b->median[PF_BEFORE][m], cells[1], CELL);
	pf_metric_format(info->unit, b->median[PF_AFTER][m], cells[2], CELL);
	snprintf(cells[3], CELL, "–");
	snprintf(cells[4], CELL, "–");
	if (b->compared[m])
		pf_change_format(info->scale, c->change, cells[3], CELL);
	if (b->compared[m] && c->has_interval)
		snprintf(cells[4], CELL, "%s … %s",
		    pf_change_format(info->scale, c->low, low, sizeof low),
		    pf_change_format(info->scale, c->high, high, sizeof high));
	snprintf(cells[5], CELL, "%s", pf_bench_word(b, m));
}

static void
fill_table(const struct pf_bench *b, struct table *t)
{
	static const char *const heads[COLUMNS] = {
	    "Metric", "Before", "After", "Change", "", "Verdict"};

	for (int i = 0; i < COLUMNS; i++)
		snprintf(t->cells[0][i], CELL, "%s", heads[i]);
	snprintf(t->cells[0][4], CELL, "%g %% interval", b->options.confidence * 100);
	t->rows = 1;
	for (enum pf_metric m = 0; m < PF_METRICS; m++) {
		if (b->measured[m])
			fill_row(b, m, t->cells[t->rows++]);
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

/* "4,000" would need a locale; plain digits do. */
static void
add_conditions(struct pf_buffer *out, const struct pf_bench *b)
{
	const struct pf_bench_options *o = &b->options;

	pf_buffer_printf(out, "%zu pair%s in random order, seed %llu, %.0f s in all", b->complete,
	    b->complete == 1 ? "" : "s", (unsigned long long)b->seed, b->elapsed);
	if (b->service)
		pf_buffer_printf(out, "; %g requests/s for %g s a block, %s arrivals", o->rate,
		    o->duration, o->poisson ? "Poisson" : "evenly spaced");
	if (b->pinned)
		pf_buffer_printf(
		    out, "; server on CPU %s, client on CPU %s", b->server_cpus, b->client_cpus);
	pf_buffer_printf(out, "; %d CPU%s (%s), %s.\n", b->machine.cpus,
	    b->machine.cpus == 1 ? "" : "s", b->machine.cpu, b->machine.kernel);
}

/* The answer in one sentence, about the primary metric. */
static void
add_answer(struct pf_buffer *out, const struct pf_bench *b)
{
	const struct pf_metric_info *info = &pf_metric_infos[b->primary];
	const struct pf_comparison *c = &b->comparison[b->primary];
	enum pf_finding finding = pf_bench_finding(b, b->primary);
	double least = c->change < 0 ? -c->high : c->low, most = c->change < 0 ? -c->low : c->high;

	if (finding == PF_FINDING_UNDECIDED)
		return;
	if (finding == PF_FINDING_NONE)
		pf_buffer_printf(out,
		    "No difference in %s was shown: the interval includes zero.\n", info->title);
	else
		pf_buffer_printf(out,
		    "After takes %.3g %% %s %s than before, with %g %% confidence between %.3g %% "
		    "and %.3g %%.\n",
		    fabs(c->change) * 100, c->change < 0 ? "less" : "more", info->title,
		    b->options.confidence * 100, least * 100, most * 100);
}

static void
add_detectable(struct pf_buffer *out, const struct pf_bench *b)
{
	const struct pf_comparison *c = &b->comparison[b->primary];
	char change[32];

	if (!b->compared[b->primary] || b->complete < 2)
		return;
	pf_change_format(PF_SCALE_RATIO, c->detectable, change, sizeof change);
	pf_buffer_printf(out,
	    "A change of %s in %s would show 8 times in 10 with this many pairs and this noise.\n",
	    change + 1, pf_metric_infos[b->primary].title);
}

static void
add_gates(struct pf_buffer *out, const struct pf_bench *b, const char *bullet)
{
	for (size_t i = 0; i < b->gate_count; i++) {
		const struct pf_gate *g = &b->gates[i];
		char low[32], high[32];
		enum pf_unit unit = pf_metric_infos[g->metric].unit;

		pf_buffer_printf(
		    out, "%sgate %s: %s", bullet, g->text, pf_gate_result_name(b->results[i]));
		if (!(b->bounds[i][0] <= b->bounds[i][1]))
			pf_buffer_string(out, " (no interval)\n");
		else if (g->relative)
			pf_buffer_printf(out, " (%s … %s)\n",
			    pf_change_format(PF_SCALE_RATIO, b->bounds[i][0], low, sizeof low),
			    pf_change_format(PF_SCALE_RATIO, b->bounds[i][1], high, sizeof high));
		else
			pf_buffer_printf(out, " (%s … %s)\n",
			    pf_metric_format(unit, b->bounds[i][0], low, sizeof low),
			    pf_metric_format(unit, b->bounds[i][1], high, sizeof high));
	}
}

static void
add_text(struct pf_buffer *out, const struct pf_bench *b, const struct table *table)
{
	char warning[400];

	pf_buffer_printf(
	    out, "before: %s\nafter:  %s\n\n", b->command[PF_BEFORE], b->command[PF_AFTER]);
	add_table(out, table, false);
	pf_buffer_byte(out, '\n');
	add_answer(out, b);
	add_detectable(out, b);
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

static void
add_markdown(struct pf_buffer *out, const struct pf_bench *b, const struct table *table)
{
	char warning[400];

	pf_buffer_string(out, "**Before** ");
	add_code(out, b->command[PF_BEFORE]);
	pf_buffer_string(out, "  \n**After** ");
	add_code(out, b->command[PF_AFTER]);
	pf_buffer_string(out, "\n\n");
	add_table(out, table, true);
	pf_buffer_byte(out, '\n');
	add_gates(out, b, "- ");
	for (size_t i = 0; pf_bench_warning(b, i, warning, sizeof warning); i++)
		pf_buffer_printf(out, "- warning: %s\n", warning);
	pf_buffer_byte(out, '\n');
	add_answer(out, b);
	add_detectable(out, b);
	add_conditions(out, b);
}

int
pf_bench_write(
    const struct pf_bench *b, enum pf_bench_format format, const char *path, struct pf_error *err)
{
	struct pf_buffer out;
	struct table table;
	int rc = 0;

	pf_buffer_init(&out, REPORT_MAXIMUM);
	fill_table(b, &table);
	if (format == PF_BENCH_JSON)
		rc = pf_bench_json(b, &out, err);
	else if (format == PF_BENCH_MARKDOWN)
		add_markdown(&out, b, &table);
	else
		add_text(&out, b, &table);
	if (!rc)
		rc = pf_buffer_check(&out, err);
	if (!rc)
		rc = pf_file_write(path, out.bytes, out.size, err);
	pf_buffer_release(&out);
	return rc;
}

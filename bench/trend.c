/* trend.c: a history of results, and where its levels changed; see profuse/bench_history.h. */
#include <profuse/bench_history.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "core/buffer.h"
#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "report/page.h"
#include "stats/change_points.h"
#include "stats/quantile.h"

enum { HISTORY_MAXIMUM = 256 << 20, REPORT_MAXIMUM = 256 << 20, MOST_LINES = 100000 };

static const double level = 0.01;

/* A change of level in a metric. */
struct change {
	size_t at;            /* index of the first run of the new level */
	double before, after; /* the levels: medians of the segments */
	double p;
};

struct series {
	enum pf_metric metric;
	size_t *runs; /* owned: which runs have it */
	double *values;
	size_t count;
	struct change *changes; /* owned */
	size_t change_count;
};

struct pf_bench_trend {
	json_t *runs; /* owned: an array of the history's lines */
	struct series series[PF_METRICS];
	size_t series_count;
};

static double
value_of(const json_t *run, enum pf_metric m)
{
	const json_t *metrics = json_object_get(run, "metrics"),
		     *metric = json_object_get(metrics, pf_metric_infos[m].name),
		     *after = json_object_get(metric, "after");

	return json_is_number(after) ? json_number_value(after) : NAN;
}

static int
median_of(const double *values, size_t n, double *median, struct pf_error *err)
{
	double *sorted;
	int rc = PF_CALLOC(sorted, n, err);

	if (rc)
		return rc;
	memcpy(sorted, values, n * sizeof *values);
	pf_sort(sorted, n);
	*median = pf_quantile(sorted, n, 0.5);
	free(sorted);
	return 0;
}

static int
find_changes(struct series *s, struct pf_error *err)
{
	struct pf_change_point *points;
	int rc = PF_CALLOC(points, s->count / PF_CHANGE_LEAST + 1, err);

	if (!rc)
		rc = pf_change_points(s->values, s->count, level, 1, points, &s->change_count, err);
	if (!rc)
		rc = PF_CALLOC(s->changes, s->change_count + 1, err);
	for (size_t i = 0; !rc && i < s->change_count; i++) {
		struct change *c = &s->changes[i];
		size_t from = i ? points[i - 1].at : 0, at = points[i].at,
		       to = i + 1 < s->change_count ? points[i + 1].at : s->count;

		*c = (struct change){.at = at, .p = points[i].p};
		rc = median_of(s->values + from, at - from, &c->before, err);
		if (!rc)
			rc = median_of(s->values + at, to - at, &c->after, err);
	}
	free(points);
	return rc;
}

static int
add_series(struct pf_bench_trend *t, enum pf_metric m, struct pf_error *err)
{
	struct series *s = &t->series[t->series_count];
	size_t runs = json_array_size(t->runs);
	int rc = PF_CALLOC(s->values, runs, err);

	s->metric = m;
	if (!rc)
		rc = PF_CALLOC(s->runs, runs, err);
	for (size_t i = 0; !rc && i < runs; i++) {
		double value = value_of(json_array_get(t->runs, i), m);
		if (isnan(value))
			continue;
		s->values[s->count] = value;
		s->runs[s->count++] = i;
	}
	t->series_count++;
	return rc ? rc : find_changes(s, err);
}

static int
read_lines(struct pf_bench_trend *t, const char *path, char *text, struct pf_error *err)
{
	size_t number = 0;
	char *next;

	for (char *line = text; *line; line = next) {
		size_t size = strcspn(line, "\n");
		json_error_t where;
		const char *schema;
		json_t *run;

		next = line + size + (line[size] == '\n');
		number++;
		if (size == 0)
			continue;
		run = json_loadb(line, size, 0, &where);
		schema = json_string_value(json_object_get(run, "schema"));
		if (!schema || strcmp(schema, "profuse.bench.history.v1") != 0) {
			json_decref(run);
			return pf_error_set(err, PF_EINPUT,
			    "%s:%zu: not a line of bench's history (--history writes one)", path,
			    number);
		}
		if (json_array_append_new(t->runs, run))
			return pf_error_nomem(err);
		if (json_array_size(t->runs) > MOST_LINES)
			return pf_error_set(err, PF_EINPUT, "%s: over %d runs", path, MOST_LINES);
	}
	return json_array_size(t->runs)
		   ? 0
		   : pf_error_set(err, PF_EINPUT, "%s: the history holds no run", path);
}

int
pf_bench_trend_read(struct pf_bench_trend **out, const char *path, struct pf_error *err)
{
	struct pf_bench_trend *t;
	struct pf_buffer text;
	int rc = PF_CALLOC(t, 1, err);

	*out = NULL;
	if (rc)
		return rc;
	pf_buffer_init(&text, HISTORY_MAXIMUM);
	t->runs = json_array();
	rc = t->runs ? pf_file_read(path, &text, err) : pf_error_nomem(err);
	pf_buffer_byte(&text, 0);
	if (!rc)
		rc = pf_buffer_check(&text, err);
	if (!rc)
		rc = read_lines(t, path, (char *)text.bytes, err);
	pf_buffer_release(&text);
	for (enum pf_metric m = 0; !rc && m < PF_METRICS; m++) {
		bool any = false;
		for (size_t i = 0; !any && i < json_array_size(t->runs); i++)
			any = !isnan(value_of(json_array_get(t->runs, i), m));
		if (any)
			rc = add_series(t, m, err);
	}
	if (rc)
		pf_bench_trend_free(t);
	else
		*out = t;
	return rc;
}

void
pf_bench_trend_free(struct pf_bench_trend *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->series_count; i++) {
		free(t->series[i].values);
		free(t->series[i].runs);
		free(t->series[i].changes);
	}
	json_decref(t->runs);
	free(t);
}

static const char *
text_of(const struct pf_bench_trend *t, size_t run, const char *key)
{
	const char *text = json_string_value(json_object_get(json_array_get(t->runs, run), key));

	return text ? text : "";
}

static void
write_text(const struct pf_bench_trend *t, struct pf_buffer *out)
{
	size_t runs = json_array_size(t->runs), changes = 0;

	pf_buffer_printf(out, "%zu run%s, %s to %s\n", runs, runs == 1 ? "" : "s",
	    text_of(t, 0, "started"), text_of(t, runs - 1, "started"));
	for (size_t i = 0; i < t->series_count; i++) {
		const struct series *s = &t->series[i];
		const struct pf_metric_info *info = &pf_metric_infos[s->metric];
		for (size_t j = 0; j < s->change_count; j++, changes++) {
			const struct change *c = &s->changes[j];
			size_t run = s->runs[c->at];
			char from[32], to[32], change[32] = "";

			if (c->before > 0 && c->after > 0)
				pf_change_format(PF_SCALE_RATIO, info->unit,
				    c->after / c->before - 1, change, sizeof change);
			pf_buffer_printf(out,
			    "%s: from %s to %s (%s), p %.4f, with run %zu, %s %s\n", info->title,
			    pf_metric_format(info->unit, c->before, from, sizeof from),
			    pf_metric_format(info->unit, c->after, to, sizeof to), change, c->p,
			    run + 1, text_of(t, run, "started"), text_of(t, run, "label"));
		}
	}
	if (changes == 0)
		pf_buffer_printf(out,
		    "no change of level was found (at least %d runs on both sides are needed)\n",
		    PF_CHANGE_LEAST);
}

static json_t *
series_json(const struct pf_bench_trend *t, const struct series *s)
{
	json_t *changes = json_array();

	for (size_t i = 0; i < s->change_count; i++) {
		const struct change *c = &s->changes[i];
		size_t run = s->runs[c->at];
		if (json_array_append_new(
			changes, json_pack("{s:I, s:s, s:s, s:f, s:f, s:f}", "run", (json_int_t)run,
				     "started", text_of(t, run, "started"), "label",
				     text_of(t, run, "label"), "before", c->before, "after",
				     c->after, "p", c->p))) {
			json_decref(changes);
			return NULL;
		}
	}
	return json_pack("{s:s, s:s, s:o}", "title", pf_metric_infos[s->metric].title, "unit",
	    pf_unit_name(pf_metric_infos[s->metric].unit), "changes", changes);
}

static int
write_json(const struct pf_bench_trend *t, struct pf_buffer *out, struct pf_error *err)
{
	json_t *metrics = json_object(), *root;
	char *text;

	for (size_t i = 0; i < t->series_count; i++) {
		const struct series *s = &t->series[i];
		if (json_object_set_new(
			metrics, pf_metric_infos[s->metric].name, series_json(t, s))) {
			json_decref(metrics);
			return pf_error_nomem(err);
		}
	}
	root = json_pack("{s:s, s:s, s:o, s:O}", "schema", "profuse.bench.trend.v1", "version",
	    pf_version(), "metrics", metrics, "runs", t->runs);
	text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
	json_decref(root);
	if (!text)
		return pf_error_nomem(err);
	pf_buffer_string(out, text);
	pf_buffer_byte(out, '\n');
	free(text);
	return pf_buffer_check(out, err);
}

static int
write_html(const struct pf_bench_trend *t, struct pf_buffer *out, struct pf_error *err)
{
	static const struct pf_page_parts parts = {.subject = "profuse bench",
	    .styles = {"theme.css", "report.css"},
	    .body = "trend.html",
	    .data_id = "trend",
	    .scripts = {"plot.js", "trend.js"}};
	struct pf_buffer json;
	int rc;

	pf_buffer_init(&json, REPORT_MAXIMUM);
	rc = write_json(t, &json, err);
	if (!rc) {
		pf_page_open(out, &parts, "Trend");
		pf_page_json(out, json.bytes, json.size);
		pf_page_close(out, &parts);
	}
	pf_buffer_release(&json);
	return rc;
}

int
pf_bench_trend_write(const struct pf_bench_trend *t, enum pf_bench_format format, const char *path,
    struct pf_error *err)
{
	struct pf_buffer out;
	int rc = 0;

	pf_buffer_init(&out, REPORT_MAXIMUM);
	if (format == PF_BENCH_TEXT)
		write_text(t, &out);
	else if (format == PF_BENCH_JSON)
		rc = write_json(t, &out, err);
	else if (format == PF_BENCH_HTML)
		rc = write_html(t, &out, err);
	else
		rc = pf_error_set(
		    err, PF_EUSAGE, "-o %s: a trend is written as .html or .json", path);
	if (!rc)
		rc = pf_buffer_check(&out, err);
	if (!rc)
		rc = pf_file_write(path, out.bytes, out.size, err);
	pf_buffer_release(&out);
	return rc;
}

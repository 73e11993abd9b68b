/*
 * report_json.c: everything that was measured, as one object; docs/bench.md has
 * the schema. Building stays straight-line code: a value that could not be made
 * (no memory) is NULL, and what should have held it becomes NULL too.
 */
#include "bench/report.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "stats/histogram_code.h"

enum { HISTOGRAM_MAXIMUM = 16 << 20 };

/* The object with one member more, or NULL with both freed. */
static json_t *
with(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) == 0)
		return object;
	json_decref(object);
	return NULL;
}

/* The array with one element more, or NULL with both freed. */
static json_t *
and_then(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) == 0)
		return array;
	json_decref(array);
	return NULL;
}

/* A command as text; what is not UTF-8 in it can only be shown as '?'. */
static json_t *
command_json(const char *command)
{
	json_t *text = json_string(command);
	size_t size = strlen(command), ascii = 0;
	char *copy;

	while (command[ascii] && (unsigned char)command[ascii] < 0x80)
		ascii++;
	copy = text || ascii == size ? NULL : malloc(size + 1);
	if (!copy)
		return text;
	for (size_t i = 0; i <= size; i++)
		copy[i] = (unsigned char)command[i] < 0x80 ? command[i] : '?';
	text = json_string(copy);
	free(copy);
	return text;
}

static json_t *
interval_json(bool has, double low, double high)
{
	return has ? json_pack("[f, f]", low, high) : json_null();
}

static json_t *
number_or_null(bool has, double value)
{
	return has && isfinite(value) ? json_real(value) : json_null();
}

/* A text of ours, or null. */
static json_t *
text_or_null(const char *text)
{
	return text ? command_json(text) : json_null();
}

static json_t *
comparison_json(const struct pf_comparison *c, bool has)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "change", number_or_null(has, c->change),
	    "interval", interval_json(has && c->has_interval, c->low, c->high), "coverage",
	    number_or_null(has && c->has_interval, c->confidence), "p", number_or_null(has, c->p),
	    "spread", number_or_null(has && c->pairs > 1, c->spread), "detectable",
	    number_or_null(has && c->pairs > 1, c->detectable));
}

static json_t *
metric_json(const struct pf_bench *b, size_t variant, enum pf_metric m)
{
	static const char *const findings[] = {"better", "worse", "no difference", "undecided"};
	const struct pf_metric_info *info = &pf_metric_infos[m];
	const struct pf_result *r = pf_bench_result(b, variant, m);
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:o, s:o}", "title", info->title,
	    "about", info->help, "unit", pf_unit_name(info->unit), "change_unit",
	    info->scale == PF_SCALE_RATIO ? "ratio" : "difference", "more_is_better",
	    info->more_is_better, "primary", m == b->primary, "before",
	    number_or_null(true, pf_bench_median(b, 0, m)), "after",
	    number_or_null(true, pf_bench_median(b, variant, m)));
	json_t *c = comparison_json(&r->comparison, r->compared);

	if (!o || !c || json_object_update(o, c)) {
		json_decref(o);
		o = NULL;
	}
	json_decref(c);
	o = with(o, "adjusted_p", number_or_null(r->compared, r->adjusted_p));
	o = with(o, "verdict", json_string(findings[pf_bench_finding(b, variant, m)]));
	return with(o, "word", json_string(pf_bench_word(b, variant, m)));
}

static json_t *
metrics_json(const struct pf_bench *b, size_t variant)
{
	json_t *all = with(
	    json_object(), pf_metric_infos[b->primary].name, metric_json(b, variant, b->primary));

	for (enum pf_metric m = 0; m < PF_METRICS; m++) {
		if (b->measured[m] && m != b->primary)
			all = with(all, pf_metric_infos[m].name, metric_json(b, variant, m));
	}
	return all;
}

static json_t *
block_json(const struct pf_bench *b, const struct pf_block *k)
{
	json_t *o = json_pack("{s:f, s:f, s:f, s:f, s:f, s:o}", "start", k->start, "seconds",
	    k->seconds, "cpu", k->cpu, "foreign", k->foreign, "steal", k->steal, "pressure",
	    number_or_null(true, k->pressure));
	json_t *extra =
	    b->service
		? json_pack(
		      "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}",
		      "requests", (json_int_t)k->requests, "completed", (json_int_t)k->completed,
		      "failed_status", (json_int_t)k->failed_status, "failed_connection",
		      (json_int_t)k->failed_connection, "timed_out", (json_int_t)k->timed_out,
		      "repeated", (json_int_t)k->repeated, "left_open", (json_int_t)k->left_open,
		      "send_lag_p50", k->lag_p50, "send_lag_p99", k->lag_p99, "send_lag_max",
		      k->lag_most, "service_p50", k->service_p50, "service_p99", k->service_p99,
		      "latency_max", k->latency_most, "client_cpu", k->client_cpu, "ready",
		      k->ready)
		: json_pack("{s:I, s:f}", "leftovers", (json_int_t)k->leftovers, "rss_floor",
		      k->rss_floor);

	for (enum pf_metric m = 0; m < PF_METRICS; m++) {
		if (b->measured[m])
			o = with(o, pf_metric_infos[m].name, number_or_null(true, k->value[m]));
	}
	if (json_object_update_new(o, extra) == 0)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *
pair_json(const struct pf_bench *b, size_t round)
{
	const struct pf_round *r = &b->rounds[round];
	json_t *order = json_array(), *blocks = json_object();

	for (size_t i = 0; i < b->variant_count; i++)
		order = and_then(order, command_json(b->variants[r->order[i]].name));
	for (size_t v = 0; v < b->variant_count; v++)
		blocks =
		    with(blocks, b->variants[v].name, block_json(b, pf_bench_block(b, round, v)));
	return json_pack("{s:o, s:b, s:I, s:o}", "order", order, "disturbed", r->disturbed,
	    "repetitions", (json_int_t)r->repetitions, "blocks", blocks);
}

static json_t *
pairs_json(const struct pf_bench *b)
{
	json_t *all = json_array();

	for (size_t i = 0; i < b->complete; i++)
		all = and_then(all, pair_json(b, i));
	return all;
}

/* [share of requests, latency in seconds] as the percentile table has them. */
static json_t *
percentiles_json(const struct pf_histogram *h)
{
	struct pf_percentile_steps at = {0};
	struct pf_percentile row;
	json_t *all = json_array();

	while (pf_histogram_next_percentile(h, &at, &row))
		all = and_then(all,
		    json_pack("[f, f]", row.level, fmin((double)row.value, (double)h->most) / 1e9));
	return all;
}

/* [from, to, count]: bins that grow by a twelfth of an octave each, empty ones left out. */
static json_t *
bins_json(const struct pf_histogram *h)
{
	json_t *all = json_array();
	double from = 0, to = 1e-6;
	uint64_t count = 0;

	for (size_t i = 0; i < h->counts_size; i++) {
		double value = (double)pf_histogram_value(h, i) / 1e9;
		while (value >= to) {
			if (count)
				all = and_then(
				    all, json_pack("[f, f, I]", from, to, (json_int_t)count));
			count = 0;
			from = to;
			to *= 1.0594630943592953; /* 2^(1/12) */
		}
		count += h->counts[i];
	}
	return count ? and_then(all, json_pack("[f, f, I]", from, to, (json_int_t)count)) : all;
}

static json_t *
latency_json(const struct pf_bench *b, size_t variant)
{
	const struct pf_histogram *h = &b->latency[variant];
	struct pf_buffer text;
	json_t *encoded;

	if (!b->has_latency || !h->counts)
		return json_null();
	pf_buffer_init(&text, HISTOGRAM_MAXIMUM);
	pf_histogram_encode(h, &text);
	pf_buffer_byte(&text, 0);
	encoded = text.failed ? NULL : json_string((const char *)text.bytes);
	pf_buffer_release(&text);
	return json_pack("{s:I, s:f, s:f, s:o, s:o, s:o}", "count", (json_int_t)h->total, "mean",
	    pf_histogram_mean(h) / 1e9, "max", (double)h->most / 1e9, "percentiles",
	    percentiles_json(h), "bins", bins_json(h), "histogram", encoded);
}

static json_t *
variants_json(const struct pf_bench *b)
{
	json_t *all = json_array();

	for (size_t v = 0; v < b->variant_count; v++) {
		const struct pf_variant *x = &b->variants[v];
		json_t *environment = json_array();
		for (size_t i = 0; i < x->environment_count; i++)
			environment = and_then(environment, command_json(x->environment[i]));
		all = and_then(
		    all, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "name", command_json(x->name),
			     "command", text_or_null(x->command), "environment", environment,
			     "origin", text_or_null(x->origin), "metrics",
			     v && b->complete ? metrics_json(b, v) : json_null(), "latency",
			     latency_json(b, v)));
	}
	return all;
}

static json_t *
gates_json(const struct pf_bench *b)
{
	json_t *all = json_array();

	for (size_t i = 0; i < b->gate_count; i++) {
		for (size_t v = 1; v < b->variant_count; v++) {
			const struct pf_gate *g = &b->gates[i];
			const struct pf_judgement *j = pf_bench_judgement(b, i, v);
			bool has = j->low <= j->high;
			all = and_then(
			    all, json_pack("{s:s, s:o, s:s, s:s, s:f, s:b, s:o, s:o, s:s}", "gate",
				     g->text, "variant", command_json(b->variants[v].name),
				     "metric", pf_metric_infos[g->metric].name, "operator",
				     g->at_least ? ">=" : "<=", "limit", g->limit, "relative",
				     g->relative, "interval", interval_json(has, j->low, j->high),
				     "p", number_or_null(true, j->p), "result",
				     pf_gate_result_name(j->result)));
		}
	}
	return all;
}

static json_t *
load_json(const struct pf_bench *b)
{
	const struct pf_bench_options *o = &b->options;
	const char *arrivals = isinf(o->rate)                       ? "saturation"
			       : !(o->rate > 0)                     ? "replay"
			       : o->arrivals == PF_ARRIVALS_POISSON ? "poisson"
								    : "constant";

	if (!b->service || b->unpaired)
		return json_null();
	return json_pack("{s:o, s:f, s:f, s:f, s:I, s:s, s:b, s:o, s:o}", "rate",
	    number_or_null(o->rate > 0 && !isinf(o->rate), o->rate), "duration", o->duration,
	    "warmup", o->warmup, "idle", o->idle, "connections", (json_int_t)o->connections,
	    "arrivals", arrivals, "http2", o->http2, "server_cpus",
	    b->pinned ? json_string(b->server_cpus) : json_null(), "client_cpus",
	    b->pinned ? json_string(b->client_cpus) : json_null());
}

static json_t *
verdict_json(const struct pf_bench *b)
{
	static const char *const names[] = {"ok", "no", "", "", "", "inconclusive"};
	struct pf_error why = {0};
	int code = pf_bench_verdict(b, &why);

	return json_pack("{s:s, s:i, s:s}", "result", names[code], "exit", pf_exit_code(code),
	    "reason", why.message);
}

static json_t *
calibration_json(const struct pf_bench *b)
{
	json_t *o = b->calibrated ? comparison_json(&b->calibration, true) : json_null();

	if (!b->calibrated)
		return o;
	return with(o, "pairs", json_integer((json_int_t)b->calibration.pairs));
}

static json_t *
plan_json(const struct pf_bench *b)
{
	const struct pf_bench_options *o = &b->options;

	return json_pack("{s:I, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:o}", "seed",
	    (json_int_t)b->seed, "paired", !b->unpaired, "duet", o->duet, "pairs",
	    (json_int_t)o->pairs, "measured", (json_int_t)b->complete, "repeated",
	    (json_int_t)b->repeated, "disturbed", (json_int_t)b->disturbed, "looks",
	    (json_int_t)o->looks, "look", (json_int_t)b->look, "confidence", o->confidence, "level",
	    pf_bench_level(b), "tolerance", number_or_null(o->tolerance > 0, o->tolerance));
}

static json_t *
whole_json(const struct pf_bench *b)
{
	json_t *warnings = json_array();
	char text[400];

	for (size_t i = 0; pf_bench_warning(b, i, text, sizeof text); i++)
		warnings = and_then(warnings, json_string(text));
	return json_pack("{s:s, s:s, s:s, s:f, s:b, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "schema", "profuse.bench.v1", "version", pf_version(), "started", b->started, "elapsed",
	    b->elapsed, "interrupted", b->interrupted, "verdict", verdict_json(b), "primary",
	    pf_metric_infos[b->primary].name, "plan", plan_json(b), "calibration",
	    calibration_json(b), "variants", variants_json(b), "gates", gates_json(b), "warnings",
	    warnings, "conditions",
	    json_pack("{s:o, s:o}", "load", load_json(b), "machine",
		json_pack("{s:s, s:s, s:i, s:I}", "kernel", b->machine.kernel, "cpu",
		    b->machine.cpu, "cpus", b->machine.cpus, "memory",
		    (json_int_t)b->machine.memory)),
	    "pairs", pairs_json(b));
}

/* json_dumps() would lose what it has no memory for without a word; our buffer remembers. */
static int
append(const char *bytes, size_t size, void *out)
{
	pf_buffer_add(out, bytes, size);
	return 0;
}

int
pf_bench_json(const struct pf_bench *b, struct pf_buffer *out, struct pf_error *err)
{
	json_t *root = whole_json(b);
	int failed = !root || json_dump_callback(
				  root, append, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));

	json_decref(root);
	if (failed)
		return pf_error_nomem(err);
	pf_buffer_byte(out, '\n');
	return pf_buffer_check(out, err);
}

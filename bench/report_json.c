/*
 * report_json.c: everything that was measured, as one object; docs/bench.md has
 * the schema. Building stays straight-line code: a value that could not be made
 * (no memory) is NULL, and what should have held it becomes NULL too.
 */
#include "bench/report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

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
	return has ? json_real(value) : json_null();
}

static json_t *
metric_json(const struct pf_bench *b, enum pf_metric m)
{
	static const char *const findings[] = {"better", "worse", "no difference", "undecided"};
	const struct pf_metric_info *info = &pf_metric_infos[m];
	const struct pf_comparison *c = &b->comparison[m];
	bool has = b->compared[m];

	return json_pack("{s:s, s:s, s:b, s:b, s:f, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:s}",
	    "unit", pf_unit_name(info->unit), "change_unit",
	    info->scale == PF_SCALE_RATIO ? "ratio" : "difference", "more_is_better",
	    info->more_is_better, "primary", m == b->primary, "before", b->median[PF_BEFORE][m],
	    "after", b->median[PF_AFTER][m], "change", number_or_null(has, c->change), "interval",
	    interval_json(has && c->has_interval, c->low, c->high), "coverage",
	    number_or_null(has && c->has_interval, c->confidence), "p", number_or_null(has, c->p),
	    "spread", number_or_null(has && c->pairs > 1, c->spread), "detectable",
	    number_or_null(has && c->pairs > 1, c->detectable), "verdict",
	    findings[pf_bench_finding(b, m)]);
}

static json_t *
block_json(const struct pf_bench *b, const struct pf_block *k)
{
	json_t *o = json_pack("{s:f, s:f, s:f, s:f, s:f}", "start", k->start, "seconds", k->seconds,
	    "cpu", k->cpu, "foreign", k->foreign, "steal", k->steal);
	json_t *extra =
	    b->service
		? json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f}",
		      "requests", (json_int_t)k->requests, "completed", (json_int_t)k->completed,
		      "failed_status", (json_int_t)k->failed_status, "failed_connection",
		      (json_int_t)k->failed_connection, "timed_out", (json_int_t)k->timed_out,
		      "repeated", (json_int_t)k->repeated, "send_lag_p50", k->lag_p50,
		      "send_lag_p99", k->lag_p99, "send_lag_max", k->lag_most, "service_p50",
		      k->service_p50, "service_p99", k->service_p99, "client_cpu", k->client_cpu,
		      "ready", k->ready)
		: json_pack("{s:I, s:f}", "leftovers", (json_int_t)k->leftovers, "rss_floor",
		      k->rss_floor);

	for (enum pf_metric m = 0; m < PF_METRICS; m++) {
		if (b->measured[m])
			o = with(o, pf_metric_infos[m].name, json_real(k->value[m]));
	}
	if (json_object_update_new(o, extra) == 0)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *
pairs_json(const struct pf_bench *b)
{
	json_t *all = json_array();

	for (size_t i = 0; i < b->complete; i++) {
		const struct pf_pair *p = &b->pairs[i];
		all = and_then(all, json_pack("{s:s, s:o, s:o}", "order",
					p->after_first ? "after-before" : "before-after", "before",
					block_json(b, &p->side[PF_BEFORE]), "after",
					block_json(b, &p->side[PF_AFTER])));
	}
	return all;
}

static json_t *
gates_json(const struct pf_bench *b)
{
	json_t *all = json_array();

	for (size_t i = 0; i < b->gate_count; i++) {
		const struct pf_gate *g = &b->gates[i];
		bool has = b->bounds[i][0] <= b->bounds[i][1];
		all = and_then(
		    all, json_pack("{s:s, s:s, s:s, s:f, s:b, s:o, s:s}", "gate", g->text, "metric",
			     pf_metric_infos[g->metric].name, "operator",
			     g->at_least ? ">=" : "<=", "limit", g->limit, "relative", g->relative,
			     "interval", interval_json(has, b->bounds[i][0], b->bounds[i][1]),
			     "result", pf_gate_result_name(b->results[i])));
	}
	return all;
}

static json_t *
load_json(const struct pf_bench *b)
{
	const struct pf_bench_options *o = &b->options;

	if (!b->service)
		return json_null();
	return json_pack("{s:f, s:f, s:f, s:I, s:s, s:o, s:o}", "rate", o->rate, "duration",
	    o->duration, "warmup", o->warmup, "connections", (json_int_t)o->connections, "arrivals",
	    o->poisson ? "poisson" : "constant", "server_cpus",
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
whole_json(const struct pf_bench *b)
{
	json_t *metrics = json_object(), *warnings = json_array();
	char text[400];

	for (enum pf_metric m = 0; m < PF_METRICS; m++) {
		if (b->measured[m])
			metrics = with(metrics, pf_metric_infos[m].name, metric_json(b, m));
	}
	for (size_t i = 0; pf_bench_warning(b, i, text, sizeof text); i++)
		warnings = and_then(warnings, json_string(text));
	return json_pack("{s:s, s:i, s:s, s:s, s:o, s:o, s:I, s:i, s:i, s:b, s:f, s:f, s:o, s:o, "
			 "s:o, s:o, s:o, s:o, s:o}",
	    "tool", "profuse bench", "schema", 1, "version", pf_version(), "started", b->started,
	    "before", command_json(b->command[PF_BEFORE]), "after",
	    command_json(b->command[PF_AFTER]), "seed", (json_int_t)b->seed, "pairs_planned",
	    (int)b->options.pairs, "pairs_measured", (int)b->complete, "interrupted",
	    b->interrupted, "elapsed", b->elapsed, "confidence", b->options.confidence, "verdict",
	    verdict_json(b), "metrics", metrics, "gates", gates_json(b), "warnings", warnings,
	    "load", load_json(b), "machine",
	    json_pack("{s:s, s:s, s:i, s:I}", "kernel", b->machine.kernel, "cpu", b->machine.cpu,
		"cpus", b->machine.cpus, "memory", (json_int_t)b->machine.memory),
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
	int failed =
	    !root || json_dump_callback(root, append, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));

	json_decref(root);
	if (failed)
		return pf_error_nomem(err);
	pf_buffer_byte(out, '\n');
	return pf_buffer_check(out, err);
}

/*
 * compare.c: a variant of two JSON reports, read back and compared without
 * pairs: what `profuse bench compare OLD NEW` does.
 */
#include <profuse/bench_history.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/run.h"
#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "stats/histogram_code.h"

enum { REPORT_MAXIMUM = 256 << 20, MOST_BLOCKS = 4000 };

/* One side: a report, and which of its variants. */
struct side {
	const char *path;
	json_t *root, *variant, *pairs;
	const char *name;
};

static int
bad(const struct side *s, const char *why, struct pf_error *err)
{
	return pf_error_set(err, PF_EINPUT, "%s: %s", s->path, why);
}

static int
load_report(struct side *s, struct pf_error *err)
{
	struct pf_buffer text;
	json_error_t where;
	const char *schema;
	int rc;

	pf_buffer_init(&text, REPORT_MAXIMUM);
	rc = pf_file_read(s->path, &text, err);
	if (!rc) {
		s->root = json_loadb((const char *)text.bytes, text.size, 0, &where);
		if (!s->root)
			rc = pf_error_set(
			    err, PF_EINPUT, "%s:%d: no JSON: %s", s->path, where.line, where.text);
	}
	pf_buffer_release(&text);
	schema = json_string_value(json_object_get(s->root, "schema"));
	if (!rc && (!schema || strcmp(schema, "profuse.bench.v1") != 0))
		rc = bad(s, "not a JSON report of profuse bench (schema profuse.bench.v1)", err);
	return rc;
}

static int
find_variant(struct side *s, const char *wanted, struct pf_error *err)
{
	json_t *all = json_object_get(s->root, "variants"), *one;
	size_t i;

	json_array_foreach(all, i, one)
	{
		const char *name = json_string_value(json_object_get(one, "name"));
		if (name && (!wanted || strcmp(name, wanted) == 0)) {
			s->variant = one;
			s->name = name;
		}
	}
	s->pairs = json_object_get(s->root, "pairs");
	if (!s->variant)
		return pf_error_set(err, PF_EINPUT, "%s: it has no variant %s", s->path,
		    wanted ? wanted : "at all");
	if (json_array_size(s->pairs) == 0)
		return bad(s, "it holds no measured pair", err);
	if (json_array_size(s->pairs) > MOST_BLOCKS)
		return bad(s, "it holds more pairs than bench measures", err);
	return 0;
}

static double
number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static void
fill_block(struct pf_block *k, const json_t *from)
{
	for (enum pf_metric m = 0; m < PF_METRICS; m++)
		k->value[m] = number_of(from, pf_metric_infos[m].name);
	k->cpu = fmax(0, number_of(from, "cpu"));
	k->seconds = fmax(0, number_of(from, "seconds"));
	k->foreign = fmax(0, number_of(from, "foreign"));
	k->steal = fmax(0, number_of(from, "steal"));
	k->pressure = number_of(from, "pressure");
	k->lag_p99 = fmax(0, number_of(from, "send_lag_p99"));
}

static void
fill_blocks(struct pf_bench *b, size_t v, const struct side *s)
{
	for (size_t i = 0; i < b->complete; i++) {
		struct pf_block *k = pf_bench_block(b, i, v);
		const json_t *blocks = json_object_get(json_array_get(s->pairs, i), "blocks");
		fill_block(k, json_object_get(blocks, s->name));
	}
}

static int
fill_variant(
    struct pf_bench *b, size_t v, const struct side *s, const char *name, struct pf_error *err)
{
	struct pf_variant *x = &b->variants[v];
	const char *command = json_string_value(json_object_get(s->variant, "command"));
	const char *origin = json_string_value(json_object_get(s->variant, "origin"));
	const char *latency =
	    json_string_value(json_object_get(json_object_get(s->variant, "latency"), "histogram"));
	int rc = pf_copy_string(&x->name, name, err);

	if (!rc)
		rc = pf_copy_string(&x->command,
		    command  ? command
		    : origin ? origin
			     : s->path,
		    err);
	if (!rc && latency) {
		rc = pf_histogram_decode(&b->latency[v], latency, err);
		if (rc && rc != PF_ENOMEM)
			pf_error_prefix(err, "%s", s->path);
	}
	return rc;
}

static bool
same(const struct side *sides, const char *outer, const char *inner)
{
	const json_t *a = json_object_get(json_object_get(sides[0].root, "conditions"), outer),
		     *b = json_object_get(json_object_get(sides[1].root, "conditions"), outer);

	return inner ? json_equal(json_object_get(a, inner), json_object_get(b, inner))
		     : json_equal(a, b);
}

/* What makes the difference between two runs more than that of the subjects. */
static void
note_conditions(struct pf_bench *b, const struct side *sides)
{
	if (!same(sides, "machine", "cpu") || !same(sides, "machine", "cpus") ||
	    !same(sides, "machine", "memory"))
		snprintf(b->notes[0], sizeof b->notes[0],
		    "The reports are of different machines: what differs may be theirs.");
	else if (!same(sides, "machine", "kernel"))
		snprintf(b->notes[0], sizeof b->notes[0],
		    "The reports are of different kernels: what differs may be theirs.");
	if (!same(sides, "load", NULL))
		snprintf(b->notes[1], sizeof b->notes[1],
		    "The reports were made under different loads: what differs may be theirs.");
	snprintf(b->notes[2], sizeof b->notes[2],
	    "The runs are not paired: what changed on the machine between them (%s, %s) counts as "
	    "change too.",
	    json_string_value(json_object_get(sides[0].root, "started")),
	    json_string_value(json_object_get(sides[1].root, "started")));
}

static void
take_machine(struct pf_bench *b, const struct side *s)
{
	const json_t *machine = json_object_get(json_object_get(s->root, "conditions"), "machine");
	const char *kernel = json_string_value(json_object_get(machine, "kernel")),
		   *cpu = json_string_value(json_object_get(machine, "cpu")),
		   *started = json_string_value(json_object_get(s->root, "started"));

	snprintf(b->machine.kernel, sizeof b->machine.kernel, "%s", kernel ? kernel : "?");
	snprintf(b->machine.cpu, sizeof b->machine.cpu, "%s", cpu ? cpu : "?");
	snprintf(b->started, sizeof b->started, "%s", started ? started : "");
	b->machine.cpus = (int)fmax(1, fmin(1e6, number_of(machine, "cpus")));
	b->machine.memory = (uint64_t)fmax(0, fmin(1e18, number_of(machine, "memory")));
}

/* Measured is what both have at least a value of. */
static void
choose_metrics(struct pf_bench *b, const struct side *sides)
{
	const char *primary = json_string_value(json_object_get(sides[1].root, "primary"));
	enum pf_metric wanted = primary ? pf_metric_find(primary, strlen(primary)) : PF_METRICS;

	b->primary = PF_METRICS;
	for (enum pf_metric m = PF_METRICS; m-- > 0;) {
		bool has[2] = {false, false};
		for (size_t i = 0; i < 2 * b->complete; i++)
			has[i % 2] = has[i % 2] || !isnan(b->blocks[i].value[m]);
		b->measured[m] = has[0] && has[1];
		if (b->measured[m] && (b->primary != wanted || m == wanted))
			b->primary = m;
	}
	b->service = b->measured[PF_METRIC_P50];
}

static int
take_gates(struct pf_bench *b, const struct pf_bench_compare_options *o, struct pf_error *err)
{
	int rc = PF_CALLOC(b->gates, o->gate_count + 1, err);

	for (size_t i = 0; !rc && i < o->gate_count; i++) {
		char *text;
		rc = pf_copy_string(&text, o->gates[i], err);
		if (rc)
			break;
		rc = pf_gate_parse(&b->gates[i], text, err);
		b->gates[i].text = text;
		b->gate_count++;
		if (!rc && !b->measured[b->gates[i].metric])
			rc = pf_error_set(err, PF_EUSAGE,
			    "--gate %s: the reports don't both have %s", text,
			    pf_metric_infos[b->gates[i].metric].name);
	}
	return rc;
}

static int
build(struct pf_bench *b, struct side *sides, const struct pf_bench_compare_options *o,
    struct pf_error *err)
{
	struct pf_bench_options defaults = PF_BENCH_OPTIONS_INIT;
	size_t old = json_array_size(sides[0].pairs), new = json_array_size(sides[1].pairs);
	int rc;

	b->options = defaults;
	if (o->confidence > 0)
		b->options.confidence = o->confidence;
	b->unpaired = true;
	b->variant_count = 2;
	b->options.pairs = old > new ? old : new;
	rc = PF_CALLOC(b->blocks, b->options.pairs * 2, err);
	if (!rc)
		rc = PF_CALLOC(b->rounds, b->options.pairs, err);
	if (rc)
		return rc;
	b->complete = b->options.pairs;
	for (size_t v = 0; !rc && v < 2; v++) {
		fill_blocks(b, v, &sides[v]);
		rc = fill_variant(b, v, &sides[v], v ? "new" : "old", err);
	}
	b->has_latency = b->latency[0].counts && b->latency[1].counts;
	choose_metrics(b, sides);
	if (!rc && b->primary == PF_METRICS)
		rc = pf_error_set(err, PF_EINPUT, "%s and %s have no metric in common",
		    sides[0].path, sides[1].path);
	take_machine(b, &sides[1]);
	note_conditions(b, sides);
	if (!rc)
		rc = take_gates(b, o, err);
	if (!rc)
		rc = pf_bench_make_room(b, err);
	return rc ? rc : pf_bench_decide(b, err);
}

int
pf_bench_compare(struct pf_bench **out, const char *old_path, const char *new_path,
    const struct pf_bench_compare_options *options, struct pf_error *err)
{
	struct side sides[2] = {{.path = old_path}, {.path = new_path}};
	struct pf_bench *b = NULL;
	int rc = 0;

	*out = NULL;
	for (int i = 0; !rc && i < 2; i++) {
		rc = load_report(&sides[i], err);
		if (!rc)
			rc = find_variant(&sides[i], options->variant, err);
	}
	if (!rc)
		rc = PF_CALLOC(b, 1, err);
	if (!rc)
		rc = build(b, sides, options, err);
	json_decref(sides[0].root);
	json_decref(sides[1].root);
	if (rc)
		pf_bench_free(b);
	else
		*out = b;
	return rc;
}

/* report_json.c: the readiness verdict for programs; the schema is in docs/convert.md. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/advice.h"
#include "convert/convert_private.h"
#include "convert/enough.h"
#include "convert/report_json.h"
#include "convert/stale_report.h"
#include "core/error.h"
#include "symbol/binary.h"

enum { COMMAND_MAXIMUM = 1 << 16 };

static const char *const countings[] = {"mean", "sum", "max"};
static const char *const inferences[] = {"none", "block", "flow"};

static json_t *
rounded(double value, double parts)
{
	double r = round(value * parts) / parts;

	if (r == floor(r) && fabs(r) < 1e15)
		return json_integer((json_int_t)r);
	return json_real(r);
}

/* Three decimals: beyond that the digits say nothing. */
static json_t *
number(double value)
{
	return rounded(value, 1e3);
}

static json_t *
share(double value)
{
	return rounded(value, 1e5);
}

static json_t *
drops_json(const struct pf_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->drop_count; i++) {
		const struct pf_drop *d = &r->drops[i];
		json_t *one = json_pack(
		    "{s:s, s:o}", "reason", pf_drop_name(d->reason), "samples", number(d->samples));

		if (d->binary)
			json_object_set_new(one, "binary", json_string(d->binary));
		if (d->build_id)
			json_object_set_new(one, "build_id", json_string(d->build_id));
		json_array_append_new(list, one);
	}
	return list;
}

json_t *
pf_report_checks_json(const struct pf_report *r)
{
	static const char *const states[] = {"pass", "fail", "unknown"};
	json_t *list = json_array();

	for (size_t i = 0; i < r->check_count; i++) {
		const struct pf_check *k = &r->checks[i];
		json_t *value = k->share ? share(k->value / 100) : number(k->value);
		json_t *limit = k->share ? share(k->limit / 100) : number(k->limit);

		if (k->state == PF_CHECK_UNKNOWN) {
			json_decref(value);
			value = json_null();
		}
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:o, s:o}", "name", k->name, "state", states[k->state],
			"value", value, k->at_most ? "at_most" : "at_least", limit));
	}
	return list;
}

static json_t *
notes_json(const struct pf_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->note_count; i++)
		json_array_append_new(list, json_string(r->notes[i]));
	return list;
}

json_t *
pf_report_samples_json(const struct pf_report *r)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "type", r->type, "unit",
	    number(r->unit), "total", number(r->total), "in_binary", number(r->in_binary), "used",
	    number(r->used), "steps", number(r->steps), "dropped", drops_json(r), "line_share",
	    share(r->line_share / 100));
}

static json_t *
profiles_json(const struct pf_report *r)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "count", (json_int_t)r->profiles,
	    "repeated", (json_int_t)r->repeated, "undated", (json_int_t)r->undated, "first_nanos",
	    (json_int_t)r->first_nanos, "last_nanos", (json_int_t)r->last_nanos, "duration_nanos",
	    (json_int_t)r->duration_nanos);
}

static json_t *
functions_json(const struct pf_report *r)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "sampled", (json_int_t)r->functions, "hot",
	    (json_int_t)r->hot_functions, "hot_covered", (json_int_t)r->hot_covered, "unfollowed",
	    (json_int_t)r->unfollowed);
}

static json_t *
go_profile_json(const struct pf_convert *c)
{
	const struct pf_report *r = &c->report;

	return json_pack("{s:s, s:I, s:I, s:o, s:I}", "format", pf_format_name(c->options.format),
	    "edges", (json_int_t)r->profile_counts, "edges_read", (json_int_t)r->edges_read,
	    "weight_kept", share(r->edge_weight > 0 ? r->edge_weight_kept / r->edge_weight : 0),
	    "bytes", (json_int_t)c->bytes.size);
}

json_t *
pf_report_profile_json(const struct pf_convert *c)
{
	const struct pf_report *r = &c->report;

	if (pf_format_is_go(c->options.format))
		return go_profile_json(c);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:I}", "format",
	    pf_format_name(c->options.format), "places", r->probes ? "probes" : "lines", "layout",
	    pf_convert_is_flat(c) ? "flat" : "nest", "counts",
	    r->from_lines || r->probes ? "sum" : countings[c->options.counts], "inference",
	    r->from_lines ? "none" : inferences[c->options.inference], "scale", number(r->scale),
	    "functions", (json_int_t)r->profile_functions, "entries", (json_int_t)r->profile_counts,
	    "bytes", (json_int_t)c->bytes.size);
}

json_t *
pf_report_advice_json(void (*advise)(struct pf_buffer *, const struct pf_convert *, const char *),
    const struct pf_convert *c, const char *output)
{
	struct pf_buffer b;
	json_t *words;

	pf_buffer_init(&b, COMMAND_MAXIMUM);
	advise(&b, c, output);
	words = b.failed ? NULL : json_stringn(b.size ? (char *)b.bytes : "", b.size);
	pf_buffer_release(&b);
	return words;
}

/* null: nobody can tell */
static json_t *
more_seconds_json(const struct pf_report *r)
{
	double seconds = pf_more_seconds(r);

	return seconds < 0 ? json_null() : json_real(seconds);
}

static json_t *
report_json(const struct pf_convert *c, const char *output)
{
	const struct pf_report *r = &c->report;

	return json_pack(
	    "{s:s, s:s?, s:s?, s:s?, s:o, s:o, s:o, s:o, s:o*, s:b, s:o, s:o, s:o, s:o, s:o, "
	    "s:o}",
	    "schema", "profuse.convert.v1", "output", output, "binary", c->binary_path, "build_id",
	    c->binary ? pf_binary_build_id(c->binary) : NULL, "profiles", profiles_json(r),
	    "samples", pf_report_samples_json(r), "functions", functions_json(r), "profile",
	    pf_report_profile_json(c), "staleness",
	    c->newer ? pf_stale_json(&c->staleness, c->newer) : NULL, "ready", (int)r->ready,
	    "checks", pf_report_checks_json(r), "more_seconds", more_seconds_json(r), "notes",
	    notes_json(r), "command", pf_report_advice_json(pf_advice_command, c, output), "flags",
	    pf_report_advice_json(pf_advice_flags, c, output), "lto_flags",
	    pf_report_advice_json(pf_advice_lto_flags, c, output));
}

int
pf_convert_report_json(
    const struct pf_convert *c, const char *output, char **json, struct pf_error *err)
{
	json_t *report = report_json(c, output);

	*json = report ? json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
	json_decref(report);
	if (*json)
		return 0;
	return pf_error_set(err, PF_EINPUT,
	    "a name in the profile or the binary is not valid UTF-8: no JSON report");
}

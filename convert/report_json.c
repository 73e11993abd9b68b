/* report_json.c: the readiness verdict for programs; the schema is in docs/convert.md. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/convert_private.h"
#include "core/error.h"
#include "symbol/binary.h"

static const char *const formats[] = {"extbinary", "text", "folded"};
static const char *const countings[] = {"mean", "sum", "max"};
static const char *const inferences[] = {"none", "block", "flow"};

/* Three decimals: beyond that the digits say nothing. */
static json_t *
number(double value)
{
	double rounded = round(value * 1000) / 1000;

	if (rounded == floor(rounded) && fabs(rounded) < 1e15)
		return json_integer((json_int_t)rounded);
	return json_real(rounded);
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

static json_t *
checks_json(const struct pf_report *r)
{
	static const char *const states[] = {"pass", "fail", "unknown"};
	json_t *list = json_array();

	for (size_t i = 0; i < PF_CHECKS; i++) {
		const struct pf_check *k = &r->checks[i];
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:o, s:o}", "name", k->name, "state", states[k->state],
			"value", k->state == PF_CHECK_UNKNOWN ? json_null() : number(k->value),
			k->at_most ? "at_most" : "at_least", number(k->limit)));
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

static json_t *
samples_json(const struct pf_report *r)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "type", r->type, "unit",
	    number(r->unit), "total", number(r->total), "in_binary", number(r->in_binary), "used",
	    number(r->used), "dropped", drops_json(r), "line_share", number(r->line_share));
}

static json_t *
profile_json(const struct pf_convert *c)
{
	const struct pf_report *r = &c->report;

	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:I}", "format",
	    formats[c->options.format], "places", r->probes ? "probes" : "lines", "counts",
	    r->from_lines || r->probes ? "sum" : countings[c->options.counts], "inference",
	    r->from_lines ? "none" : inferences[c->options.inference], "scale", number(r->scale),
	    "functions", (json_int_t)r->profile_functions, "entries", (json_int_t)r->profile_counts,
	    "bytes", (json_int_t)c->bytes.size);
}

static json_t *
flags_json(const struct pf_report *r, const char *output)
{
	return json_pack("{s:s, s:s+, s:s}", "debug",
	    r->probes ? PF_REPORT_PROBE_FLAGS : PF_REPORT_FLAGS, "profile",
	    "-fprofile-sample-use=", output && strcmp(output, "-") != 0 ? output : "FILE",
	    "inference", PF_REPORT_USE_FLAGS);
}

static json_t *
report_json(const struct pf_convert *c, const char *output)
{
	const struct pf_report *r = &c->report;

	return json_pack("{s:s?, s:s?, s:s?, s:{s:I, s:I, s:I, s:I, s:I}, s:o, s:{s:I, s:I, s:I, "
			 "s:I}, s:o, s:b, s:o, "
			 "s:o, s:o}",
	    "output", output, "binary", c->binary_path, "build_id",
	    c->binary ? pf_binary_build_id(c->binary) : NULL, "profiles", "count",
	    (json_int_t)r->profiles, "undated", (json_int_t)r->undated, "first_nanos",
	    (json_int_t)r->first_nanos, "last_nanos", (json_int_t)r->last_nanos, "duration_nanos",
	    (json_int_t)r->duration_nanos, "samples", samples_json(r), "functions", "sampled",
	    (json_int_t)r->functions, "hot", (json_int_t)r->hot_functions, "hot_covered",
	    (json_int_t)r->hot_covered, "unfollowed", (json_int_t)r->unfollowed, "profile",
	    profile_json(c), "ready", (int)r->ready, "checks", checks_json(r), "notes",
	    notes_json(r), "flags", flags_json(r, output));
}

int
pf_convert_report_json(
    const struct pf_convert *c, const char *output, char **json, struct pf_error *err)
{
	json_t *report = report_json(c, output);

	*json = report ? json_dumps(report, JSON_INDENT(2)) : NULL;
	json_decref(report);
	if (*json)
		return 0;
	return pf_error_set(err, PF_EINPUT,
	    "a name in the profile or the binary is not valid UTF-8: no JSON report");
}

/*
 * from_go.c: the conversion for Go's compiler, which takes pprof profiles, but
 * says nothing when one is of no use to it, and builds slowly with a large one.
 * So: summed, cut to what the compiler reads, trimmed by weight, and refused
 * where go build would ignore it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/compiler.h"
#include "convert/convert_private.h"
#include "convert/go_edges.h"
#include "convert/go_profile.h"
#include "core/error.h"
#include "core/gzip.h"
#include "core/memory.h"
#include "profile/encode.h"
#include "symbol/binary.h"

enum { COMPRESSION_LEVEL = 9 };

static int
refuse(const struct pf_convert *c, const struct pf_go_profile *g, struct pf_error *err)
{
	if (g->total == 0)
		return pf_error_set(err, PF_EINPUT,
		    "the profile has no samples: go build would ignore it without a word");
	if (g->no_start_line)
		return pf_error_set(err, PF_EINPUT,
		    "the profile's functions have no start lines, from which Go counts the lines "
		    "of "
		    "calls: go build would ignore them; Go 1.20 and later write them "
		    "(Function.start_line), other agents must be told to");
	if (g->no_caller)
		return pf_error_set(err, PF_EINPUT,
		    "no sample has a caller: Go's compiler reads call edges only, so whole stacks "
		    "are needed");
	return pf_error_set(err, PF_EINPUT,
	    c->binary
		? "no sample of the profile has a function in %s: its addresses are of other "
		  "binaries or builds"
		: "the profile has addresses and no functions%s: --binary names the program "
		  "that it was taken from, if it is one of Go's (C and C++ have other formats)",
	    c->binary ? c->binary_path : "");
}

/* Functions of the same name, main.main above all, are one to go build. */
static void
note_other_programs(struct pf_convert *c)
{
	const struct pf_convert_input *first, *other;

	if (c->binary)
		return;
	other = pf_convert_inputs_of_others(&c->inputs, &first);
	if (other)
		pf_report_note(&c->report,
		    "These profiles are of several programs (%s of %s, %s of %s): functions of the "
		    "same name are counted together. --binary takes what is of one.",
		    first->name, first->program, other->name, other->program);
}

static int
report_samples(struct pf_convert *c, const struct pf_go_profile *g, struct pf_error *err)
{
	struct pf_report *r = &c->report;
	double unit = c->type.unit;
	int rc;

	r->total = (double)g->total / unit;
	r->in_binary = (double)(g->total - g->unmapped) / unit;
	r->used = (double)g->used / unit;
	rc = pf_report_drop(r, PF_DROP_UNMAPPED, NULL, NULL, (double)g->unmapped / unit, err);
	if (!rc)
		rc = pf_report_drop(
		    r, PF_DROP_NO_CALLER, NULL, NULL, (double)g->no_caller / unit, err);
	if (!rc)
		rc = pf_report_drop(
		    r, PF_DROP_NO_START_LINE, NULL, NULL, (double)g->no_start_line / unit, err);
	note_other_programs(c);
	if (!c->binary && !r->of_go)
		pf_report_note(r,
		    "None of the Go runtime's functions is in these profiles: are they of a Go "
		    "program?");
	return rc ? rc : pf_convert_measure(c, &g->functions, err);
}

/* Go takes samples/count and cpu/nanoseconds only; anything else is written as the former. */
static int
name_type(struct pf_convert *c, struct pf_profile *p, struct pf_error *err)
{
	const struct pf_strings *strings = &c->stacks.strings;
	const struct pf_value_type *t = &c->stacks.types[c->type.type];
	bool cpu = strcmp(pf_strings_get(strings, t->type), "cpu") == 0 &&
		   strcmp(pf_strings_get(strings, t->unit), "nanoseconds") == 0;
	const char *type = cpu ? "cpu" : "samples", *unit = cpu ? "nanoseconds" : "count";
	int rc = pf_strings_add(&p->strings, type, strlen(type), &p->types[0].type, err);

	if (!rc)
		rc = pf_strings_add(&p->strings, unit, strlen(unit), &p->types[0].unit, err);
	if (!rc) {
		p->default_type = p->types[0].type;
		p->time_nanos = c->stacks.first_nanos;
		p->duration_nanos = c->stacks.duration_nanos;
		p->period_type = p->types[0];
		p->period = cpu ? llround(c->type.unit) : 1;
	}
	for (size_t i = 0; !rc && !cpu && i < p->sample_count; i++) {
		int64_t samples = llround((double)p->values[i] / c->type.unit);
		p->values[i] = samples > 0 ? samples : 1;
	}
	return rc;
}

static int
trim(struct pf_convert *c, struct pf_profile *p, struct pf_error *err)
{
	struct pf_go_edges all = {0};
	int rc = pf_go_edges_read(&all, p, err);

	if (!rc)
		rc = pf_go_edges_trim(&all, p, c->options.trim, c->options.max_edges, err);
	c->report.edges_read = all.count;
	c->report.edge_weight = pf_go_edges_weight(&all);
	pf_go_edges_release(&all);
	return rc;
}

static int
render(struct pf_convert *c, const struct pf_profile *p, struct pf_error *err)
{
	struct pf_go_edges edges = {0};
	struct pf_buffer raw;
	int rc = pf_go_edges_read(&edges, p, err);

	pf_buffer_init(&raw, c->bytes.maximum);
	if (!rc) {
		c->report.profile_counts = edges.count;
		c->report.edge_weight_kept = pf_go_edges_weight(&edges);
	}
	if (!rc && c->options.format == PF_CONVERT_GO_PREPROFILE) {
		pf_go_edges_print(&edges, p, &c->bytes);
		rc = pf_buffer_check(&c->bytes, err);
	} else if (!rc) {
		rc = pf_profile_encode(p, &raw, err);
		if (!rc)
			rc =
			    pf_gzip_deflate(&c->bytes, raw.bytes, raw.size, COMPRESSION_LEVEL, err);
	}
	pf_buffer_release(&raw);
	pf_go_edges_release(&edges);
	return rc;
}

int
pf_convert_for_go(struct pf_convert *c, struct pf_error *err)
{
	struct pf_go_profile g = {0};
	int rc = 0;

	if (c->binary && !pf_is_go_program(c->binary))
		return pf_error_set(err, PF_EINPUT,
		    "%s is no Go program (it has no .go.buildinfo section): go build would find "
		    "none of "
		    "its functions. clang takes --format extbinary, gcc --format gcc",
		    c->binary_path);
	if (c->binary)
		rc = pf_match_binaries(&c->matches, &c->stacks, c->binary_path,
		    pf_binary_build_id(c->binary), c->options.allow_build_id_mismatch, err);
	if (!rc)
		rc = pf_go_profile_build(&g, &c->stacks, c->type.type, c->binary, c->matches, err);
	if (!rc && g.used == 0)
		rc = refuse(c, &g, err);
	if (!rc)
		rc = report_samples(c, &g, err);
	if (!rc)
		rc = name_type(c, g.profile, err);
	if (!rc)
		rc = trim(c, g.profile, err);
	if (!rc)
		rc = pf_go_profile_settle(&g, err);
	if (!rc)
		rc = render(c, g.profile, err);
	if (!rc)
		c->report.profile_functions = g.profile->function_count;
	pf_go_profile_release(&g);
	return rc;
}

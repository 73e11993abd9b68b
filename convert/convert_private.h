/*
 * convert_private.h: a conversion under way; the public face is profuse/convert.h.
 */
#ifndef PF_CONVERT_PRIVATE_H
#define PF_CONVERT_PRIVATE_H

#include <profuse/convert.h>

#include "convert/function_values.h"
#include "convert/functions.h"
#include "convert/inputs.h"
#include "convert/match.h"
#include "convert/report.h"
#include "convert/sample_type.h"
#include "convert/stale.h"
#include "core/buffer.h"
#include "profile/stacks.h"

struct pf_binary;
struct pf_samples;

struct pf_convert {
	struct pf_convert_options options;
	char *binary_path, *sample_type; /* owned copies of the options' strings */
	struct pf_binary *binary;        /* NULL: symbolized profiles */
	struct pf_convert_inputs inputs;
	struct pf_stacks stacks;
	struct pf_period period;
	struct pf_sample_type type;
	enum pf_match *matches; /* by binary of the stacks */
	struct pf_functions functions;
	struct pf_binary *newer; /* to compare with; NULL: none */
	struct pf_staleness staleness;
	struct pf_report report;
	struct pf_buffer bytes; /* the output */
	bool ran;
};

/* from_binary.c: profiles with addresses, and from_lines.c: symbolized ones. Both fill functions and report. */
int pf_convert_from_binary(struct pf_convert *c, struct pf_error *err);
int pf_convert_from_lines(struct pf_convert *c, struct pf_error *err);
/* from_go.c: profiles of Go programs for Go's compiler. Fills report and bytes. */
int pf_convert_for_go(struct pf_convert *c, struct pf_error *err);

/* for_flames.c: what the report says where only names matter; `samples` NULL: no binary was given. */
int pf_convert_for_flames(
    struct pf_convert *c, const struct pf_samples *samples, struct pf_error *err);

/* from_lines.c: the report's measures, from samples per function. */
int pf_convert_measure(
    struct pf_convert *c, const struct pf_function_values *functions, struct pf_error *err);

/* Whether functions have one record each; GCC inlines by its records alone, early. */
static inline bool
pf_convert_is_flat(const struct pf_convert *c)
{
	return c->options.layout == PF_LAYOUT_FLAT && c->options.format != PF_CONVERT_GCC &&
	       c->options.format != PF_CONVERT_BOLT;
}

/* output.c: functions, or for folded the stacks, into bytes. */
int pf_convert_render(struct pf_convert *c, struct pf_error *err);

#endif

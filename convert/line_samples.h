/*
 * line_samples.h: function profiles from stacks that another agent symbolized.
 *
 * Without addresses there is no machine code: a place's count is the sum of its
 * samples (time, not executions), discriminators are unknown, unsampled places
 * stay unmentioned. Functions without a start line cannot be used, since a
 * profile counts lines from there; their samples are counted.
 */
#ifndef PF_CONVERT_LINE_SAMPLES_H
#define PF_CONVERT_LINE_SAMPLES_H

#include "convert/function_values.h"
#include "convert/functions.h"

struct pf_stacks;

struct pf_line_samples {
	struct pf_function_values functions; /* of the leaf, after inlining */
	int64_t total;                       /* of all stacks */
	int64_t used;
	int64_t no_start_line; /* leaf function without start line, or a line before it */
	int64_t no_lines;      /* leaf frame without function and line */
	double scale;
};

/*
 * Adds to `out` (initialised, empty) and seals it. `unit` is how much of the
 * value one sample stands for. PF_EINPUT on negative values; PF_ENOMEM.
 * Release *l in any case.
 */
int pf_line_samples_convert(struct pf_functions *out, struct pf_line_samples *l,
    const struct pf_stacks *s, size_t type, double unit, struct pf_error *err);
void pf_line_samples_release(struct pf_line_samples *l);

#endif

/*
 * for_flames.c: the conversion for flame graphs, which need names and nothing
 * else: no line information, no start lines. No sample is left out: frames
 * without a name are shown as their binary.
 */
#include <stdlib.h>

#include "convert/convert_private.h"
#include "convert/samples.h"
#include "core/error.h"
#include "symbol/binary.h"

/* Samples per function symbol. */
static int
note_symbols(struct pf_convert *c, struct pf_function_values *functions, int64_t *named,
    const struct pf_samples *samples, struct pf_error *err)
{
	size_t count;
	const struct pf_symbol *symbols = pf_binary_symbols(c->binary, &count);
	int rc = 0;

	for (size_t i = 0; !rc && i < samples->leaf_count; i++) {
		const struct pf_symbol *s =
		    pf_binary_symbol_at(c->binary, samples->leaves[i].address);
		if (!s)
			continue;
		*named += samples->leaves[i].value;
		rc = pf_function_values_add(functions,
		    &(struct pf_function_value){
			s->name, (uint32_t)(s - symbols), samples->leaves[i].value, true},
		    err);
	}
	if (!rc && *named == 0)
		return pf_error_set(err, PF_EINPUT,
		    "%s has no symbols for the code that was sampled: give the file that was not "
		    "stripped",
		    c->binary_path);
	return rc;
}

/* Samples per function that the profile itself names. */
static int
note_names(struct pf_convert *c, struct pf_function_values *functions, int64_t *named,
    struct pf_error *err)
{
	const struct pf_stacks *s = &c->stacks;
	int rc = 0;

	for (size_t i = 1; !rc && i < s->node_count; i++) {
		const struct pf_stack_frame *f = &s->frames[s->nodes[i].frame];
		int64_t own = s->values[i * s->type_count + c->type.type];

		if (own == 0 || f->kind != PF_FRAME_LINE || !f->function)
			continue;
		*named += own;
		rc = pf_function_values_add(functions,
		    &(struct pf_function_value){
			pf_strings_get(&s->strings, f->function), f->function, own, true},
		    err);
	}
	if (!rc && *named == 0)
		return pf_error_set(err, PF_EINPUT,
		    "the profile has addresses and no functions: --binary names the program that "
		    "it was taken from");
	return rc;
}

int
pf_convert_for_flames(struct pf_convert *c, const struct pf_samples *samples, struct pf_error *err)
{
	struct pf_function_values functions = {0};
	struct pf_report *r = &c->report;
	int64_t *below, total, named = 0;
	int rc = pf_stack_values(&below, &c->stacks, c->type.type, err);

	if (rc)
		return rc;
	total = below[0];
	free(below);
	if (total == 0)
		return pf_error_set(err, PF_EINPUT, "the profile has no samples");
	rc = samples ? note_symbols(c, &functions, &named, samples, err)
		     : note_names(c, &functions, &named, err);
	pf_report_forget_drops(r);
	r->total = r->in_binary = r->used = (double)total / c->type.unit;
	if (!rc) {
		pf_function_values_settle(&functions);
		rc = pf_convert_measure(c, &functions, err);
		r->check_count = 0; /* there is no build that it had to be ready for */
		r->ready = true;
		if (named < total)
			pf_report_note(r,
			    "%.1f %% of the samples are in code without names here: their frames "
			    "are shown as [binary].",
			    100 * (double)(total - named) / (double)total);
	}
	pf_function_values_release(&functions);
	return rc;
}

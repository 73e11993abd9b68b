/*
 * calls.h: which functions the calls at a place lead to.
 *
 * A direct call's target is in its instruction. An indirect call's targets come
 * from the call stacks: who stood directly below this call, by weight. Only
 * functions whose address is taken can be called so; others are seen there
 * because a frame between was left (a tail call). A call runs as often as its
 * place, so targets share the place's value.
 */
#ifndef PF_CONVERT_CALLS_H
#define PF_CONVERT_CALLS_H

#include "convert/attribute.h"
#include "convert/places.h"

struct pf_indirect_call;

/* Calls of a program, noted function by function. */
struct pf_calls {
	struct pf_functions *f;
	const struct pf_program *p;
	const struct pf_line_source *lines;
	struct pf_place_finder *finder; /* for names */
	struct pf_indirect_call *indirect;
	size_t indirect_count, indirect_capacity;
};

/* Begins; what is given outlives it. Release it in any case. */
void pf_calls_init(struct pf_calls *c, struct pf_functions *f, const struct pf_program *p,
    const struct pf_line_source *lines, struct pf_place_finder *finder);
void pf_calls_release(struct pf_calls *c);

/*
 * Adds the targets of one function's direct calls and notes its indirect ones;
 * to be called in the order of the program. `bodies` is by instruction. PF_ENOMEM.
 */
int pf_calls_note(struct pf_calls *c, const struct pf_program_code *code, const uint32_t *bodies,
    struct pf_error *err);

/* Adds the targets of indirect calls, and gives all targets their values: bodies have theirs. PF_ENOMEM. */
int pf_calls_finish(struct pf_calls *c, const struct pf_samples *samples,
    const struct pf_executions *executions, struct pf_error *err);

#endif

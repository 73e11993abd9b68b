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

/*
 * Adds targets to `f` (not sealed yet) and stores one value a target in
 * *values, to be freed. `bodies` is by instruction, `body_values` by body.
 */
int pf_calls_attribute(double **values, struct pf_functions *f, const struct pf_program *p,
    const struct pf_executions *executions, const uint32_t *bodies, const double *body_values,
    const struct pf_samples *samples, const struct pf_line_source *lines,
    struct pf_place_finder *finder, struct pf_error *err);

#endif

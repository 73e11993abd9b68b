/*
 * plausible.h: do the samples look as if they were taken in this binary?
 *
 * A caller's address lies in a call instruction. In the right binary nearly all
 * of them do, in another build few.
 */
#ifndef PF_CONVERT_PLAUSIBLE_H
#define PF_CONVERT_PLAUSIBLE_H

#include "convert/samples.h"

struct pf_error;

/*
 * The share, 0 to 1, of the callers' distinct addresses that are calls in this
 * binary; -1 where the samples have no callers, or code that we cannot decode. PF_ENOMEM.
 */
int pf_callers_plausible(double *share, const struct pf_binary *binary,
    const struct pf_samples *samples, struct pf_error *err);

#endif
